#!/usr/bin/env python3
"""Writes the golden files of test_layer.c: layer/NAME.golden for each case below, and
layer/list.txt with their names.

usage: make_layer.py [FOLDER]        (made with torch 2.13.0 and numpy 2.4.6)

torch.manual_seed(seed) and nn.LSTM draw the weights in float32. Everything else is computed
in float64, so that a float32 library differs only by its own rounding. The script also
computes in float32 and stops if the two results of PyTorch disagree.

Each case runs one forward and backward in training mode, with the loss
    <dout, out> + <dhn, hn> + <dcn, cn>
then five Adam steps with the same loss (the file has the gradients of the first), then a
forward in evaluation mode. Dropout masks continue from the state of the generator after
the weights.

A file is a sequence of lines "key value..." and, after each "tensor NAME EXTENT...", its
float32 values, little-endian, row-major. `grad.K` is the gradient of parameter K, in
PyTorch's order; `p0.K` and `p5.K` are its values before and after the steps. `slack.K`
bounds the effect of an error of the gradients on p5: if e is the absolute error of every
gradient,
    |p5 - exact| <= slack * e,   slack = sum over steps of lr * 2 / (sqrt(v^) + eps),
because a step is lr m^ / (sqrt(v^) + eps) and |m^| is at most about sqrt(v^).
"""
import sys
from pathlib import Path

import need_torch  # noqa: F401
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LR, STEPS = 0.001, 5
DEFAULTS = dict(I=5, H=7, L=1, P=0, dropout=0.0, bias=True, batch_first=False,
                bidirectional=False, T=6, N=3, lengths=None, h0=False, c0=False,
                grads="out", nan=False)
CASES = {
    # sizes around the blocks of 16, one step, one sequence
    "plain": dict(),
    "smallest": dict(I=1, H=1, T=1, N=1, grads="out hn cn"),
    "one_step": dict(T=1, h0=True, c0=True, grads="out hn cn"),
    "one_sequence": dict(N=1, T=9),
    "one_input": dict(I=1, H=5),
    "one_unit": dict(I=6, H=1, L=2),
    "exact_block": dict(I=16, H=16, N=16, T=3),
    "over_a_block": dict(I=17, H=17, N=17, T=3),
    "two_blocks_and_one": dict(I=3, H=33, N=5, T=4),
    "wide_input": dict(I=37, H=6, T=3),
    "long": dict(I=3, H=4, T=40, N=2),
    "many_sequences": dict(I=2, H=5, T=3, N=67),
    # layers, order of the axes, biases
    "two_layers": dict(L=2),
    "three_layers": dict(L=3, H=6, grads="out hn cn"),
    "batch_first": dict(batch_first=True),
    "batch_first_two_layers": dict(batch_first=True, L=2, h0=True, c0=True,
                                   grads="hn"),
    "no_bias": dict(bias=False),
    "no_bias_two_layers": dict(bias=False, L=2, batch_first=True, grads="out cn"),
    # initial states, and which output gradients are used
    "states": dict(h0=True, c0=True),
    "h0_alone": dict(h0=True, L=2),
    "c0_alone": dict(c0=True, L=2, grads="out hn cn"),
    "dhn_alone": dict(grads="hn", L=2),
    "dcn_alone": dict(grads="cn", L=2),
    "dhn_and_dcn": dict(grads="hn cn", h0=True, c0=True, L=3),
    # both directions
    "bidirectional": dict(bidirectional=True, grads="out hn cn"),
    "bidirectional_two_layers": dict(bidirectional=True, L=2, batch_first=True,
                                     h0=True, c0=True, grads="out hn cn"),
    "bidirectional_no_bias": dict(bidirectional=True, bias=False, L=2),
    # projection
    "projection": dict(P=3, grads="out hn cn"),
    "projection_two_layers": dict(P=4, L=2, h0=True, c0=True, grads="out hn cn"),
    "projection_bidirectional": dict(P=2, L=2, bidirectional=True, batch_first=True),
    "projection_over_a_block": dict(H=20, P=17, I=4, T=3, bias=False),
    # dropout
    "dropout": dict(dropout=0.3, L=2),
    "dropout_half_three_layers": dict(dropout=0.5, L=3, batch_first=True,
                                      grads="out hn cn"),
    "dropout_all": dict(dropout=1.0, L=2),
    "dropout_bidirectional": dict(dropout=0.3, L=2, bidirectional=True, h0=True),
    # lengths, in any order, with ties
    "lengths": dict(lengths=[3, 6, 1], grads="out hn cn"),
    "lengths_all_short": dict(lengths=[2, 4, 4], L=2, batch_first=True, nan=True),
    "lengths_bidirectional": dict(lengths=[5, 2, 6, 2], N=4, L=2, bidirectional=True,
                                  h0=True, c0=True, grads="out hn cn", nan=True),
    "lengths_projection": dict(lengths=[1, 6, 4], P=3, L=2, bias=False,
                               grads="hn cn"),
    "lengths_dropout": dict(lengths=[4, 6, 2, 6, 4, 4, 1], N=7, L=3, dropout=0.4,
                            batch_first=True, grads="out hn cn"),
    "lengths_many": dict(lengths=[1 + (7 * n) % 9 for n in range(35)], N=35, T=9, I=2,
                         H=4, grads="out hn"),
    "everything": dict(lengths=[6, 3, 6, 1, 5], N=5, I=4, H=6, P=3, L=2, dropout=0.25,
                       bidirectional=True, batch_first=True, h0=True, c0=True,
                       grads="out hn cn", nan=True),
}


def uniform(rng, shape):
    """float32 values in [-1, 1) as float64."""
    return torch.from_numpy(
        rng.uniform(-1, 1, shape).astype(np.float32).astype(np.float64))


def draw_inputs(c, rng):
    D, S = 1 + c["bidirectional"], c["P"] or c["H"]
    T, N = c["T"], c["N"]
    time, batch = ((N, T), (T, N))[not c["batch_first"]], N
    drawn = dict(x=uniform(rng, (*time, c["I"])),
                 h0=uniform(rng, (c["L"] * D, batch, S)) * c["h0"],
                 c0=uniform(rng, (c["L"] * D, batch, c["H"])) * c["c0"],
                 dout=uniform(rng, (*time, D * S)),
                 dhn=uniform(rng, (c["L"] * D, batch, S)),
                 dcn=uniform(rng, (c["L"] * D, batch, c["H"])))
    if c["nan"]:
        for n, length in enumerate(c["lengths"]):
            x = drawn["x"] if c["batch_first"] else drawn["x"].transpose(0, 1)
            x[n, length:] = float("nan")
    return drawn


def forward(layer, c, x, h0, c0):
    if c["lengths"] is None:
        out, (hn, cn) = layer(x, (h0, c0))
        return out, hn, cn
    packed = pack_padded_sequence(x, torch.tensor(c["lengths"]),
                                  batch_first=c["batch_first"], enforce_sorted=False)
    out, (hn, cn) = layer(packed, (h0, c0))
    out, _ = pad_packed_sequence(out, batch_first=c["batch_first"],
                                 total_length=c["T"])
    return out, hn, cn


def run(c, seed, drawn, dtype):
    torch.manual_seed(seed)
    layer = nn.LSTM(c["I"], c["H"], c["L"], bias=c["bias"],
                    batch_first=c["batch_first"], dropout=c["dropout"],
                    bidirectional=c["bidirectional"], proj_size=c["P"]).to(dtype)
    parameters = list(layer.parameters())
    adam = torch.optim.Adam(parameters, lr=LR)
    x, h0, c0 = (drawn[k].to(dtype, copy=True).requires_grad_()
                 for k in ("x", "h0", "c0"))
    result, slack = {}, [torch.zeros_like(p) for p in parameters]
    result |= {f"p0.{k}": p.detach().clone() for k, p in enumerate(parameters)}
    for step in range(1, STEPS + 1):
        outputs = dict(zip(("out", "hn", "cn"), forward(layer, c, x, h0, c0)))
        loss = sum((drawn["d" + k].to(dtype) * outputs[k]).sum()
                   for k in c["grads"].split())
        adam.zero_grad()
        loss.backward()
        if step == 1:
            result |= {k: v.detach() for k, v in outputs.items()}
            result |= {"dx": x.grad.clone(), "dh0": h0.grad.clone(),
                       "dc0": c0.grad.clone()}
            result |= {f"grad.{k}": p.grad.clone() for k, p in enumerate(parameters)}
        adam.step()
        for k, p in enumerate(parameters):
            v = adam.state[p]["exp_avg_sq"] / (1 - 0.999**step)
            slack[k] += LR * 2 / (v.sqrt() + 1e-8)
    result |= {f"p5.{k}": p.detach() for k, p in enumerate(parameters)}
    result |= {f"slack.{k}": s for k, s in enumerate(slack)}
    layer.eval()
    with torch.no_grad():
        result["eval"] = forward(layer, c, x, h0, c0)[0]
    return result


def check_against_float32(name, exact, single):
    for key, value in exact.items():
        if key[:2] in ("sl", "p5", "ev"):
            continue
        scale = max(1.0, value.abs().max().item())
        error = (value - single[key].double()).abs().max().item() / scale
        assert error < 2e-6, f"{name}: float32 and float64 differ by {error} in {key}"


def write(path, c, seed, drawn, result):
    tensors = {"x": drawn["x"]}
    tensors |= {k: drawn[k] for k in ("h0", "c0") if c[k]}
    tensors |= {"d" + k: drawn["d" + k] for k in c["grads"].split()}
    with open(path, "wb") as file:
        def line(*words):
            file.write((" ".join(str(w) for w in words) + "\n").encode())
        for key, word in (("I", "inputs"), ("H", "hidden"), ("L", "layers"),
                          ("P", "proj_size"), ("dropout", "dropout"), ("T", "steps"),
                          ("N", "batch")):
            line(word, c[key])
        line("no_bias", int(not c["bias"]))
        line("batch_first", int(c["batch_first"]))
        line("bidirectional", int(c["bidirectional"]))
        line("seed", seed)
        line("parameters", sum(k.startswith("p0.") for k in result))
        if c["lengths"]:
            line("lengths", *c["lengths"])
        for key, value in (tensors | result).items():
            line("tensor", key, *value.shape)
            file.write(value.detach().numpy().astype("<f4").tobytes())


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "layer")
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for seed, (name, options) in enumerate(CASES.items(), 100):
        c = DEFAULTS | options
        drawn = draw_inputs(c, np.random.default_rng(seed))
        exact = run(c, seed, drawn, torch.float64)
        check_against_float32(name, exact, run(c, seed, drawn, torch.float32))
        write(folder / f"{name}.golden", c, seed, drawn, exact)
    (folder / "list.txt").write_text("".join(f"{name}\n" for name in CASES))
    sizes = [f.stat().st_size for f in folder.glob("*.golden")]
    print(f"{len(CASES)} cases, {sum(sizes)} bytes, largest {max(sizes)}")


if __name__ == "__main__":
    main()
