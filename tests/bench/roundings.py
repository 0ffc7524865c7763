#!/usr/bin/env python3
"""Measures how each rounding to bfloat16 changes the first losses of the experiment.

usage: roundings.py MNIST_DIR [--seeds 0,1,2,3,4] [--steps 100] [--trainer FILE]
                    [--rows WORD]

Trains the experiment of the README in PyTorch with an LSTM that can round each operand of
a product to a number of significant bits: bfloat16 has 8, float32 has 24. Each line of the
output is one choice of roundings. It shows, for each seed, the largest deviation of a loss
from the same training in float32, in percent, and the first step with a deviation above
2%; then, over all seeds, the largest deviation in the first half of the steps and the
median. The lines of PyTorch and mnist-train (--trainer, built for this machine) compare
their bfloat16 with their own float32. --rows selects lines with WORD in their name.

A line takes about 5 s per seed. Requires torch 2.13 and numpy.
"""
import argparse
import gzip
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

HIDDEN, BATCH, BFLOAT16, EXACT = 128, 64, 8, 24
# Operands, by product.
FORWARD = ["x", "h", "weights"]
BACKWARD = ["weights back", "dgates"]
GRADIENTS = ["x in dW", "h in dW", "dgates in dW", "dgates in db"]
OPERANDS = FORWARD + BACKWARD + GRADIENTS


def rows():
    """Yields names and the significant bits of operands; the others are float32."""
    everything = dict.fromkeys(OPERANDS, BFLOAT16)
    yield "all of them", everything
    for name in OPERANDS:
        yield f"only {name}", {name: BFLOAT16}
    yield "none forward", dict.fromkeys(BACKWARD + GRADIENTS, BFLOAT16)
    yield "none backward", dict.fromkeys(FORWARD, BFLOAT16)
    yield "x high + low, db exact", everything | {
        "x": 16, "x in dW": 16, "dgates in db": EXACT}
    for bits in (10, 12, 14, 16, 18, 20, 22):
        yield f"all to {bits} bits", dict.fromkeys(OPERANDS, bits)


def round_to(bits):
    """A function that rounds float32 to a number of significant bits, ties to even."""
    if bits == EXACT:
        return lambda x: x
    shift = EXACT - bits

    def round_bits(x):
        b = x.contiguous().view(torch.int32)
        b = b + ((1 << (shift - 1)) - 1) + ((b >> shift) & 1)
        return (b & ~((1 << shift) - 1)).view(torch.float32)

    return round_bits


class RoundedLSTM(torch.autograd.Function):
    """Two layers from x [T, N, I] to the last h, with rounded operands."""

    @staticmethod
    def forward(ctx, x, roundings, *weights):
        ctx.roundings, ctx.weights, ctx.layers = roundings, weights, []
        r, zeros = roundings, torch.zeros(x.shape[1], HIDDEN)
        for layer in range(2):
            w_ih, w_hh, b_ih, b_hh = weights[4 * layer:4 * layer + 4]
            w = r["weights"](torch.cat([w_ih, w_hh], 1)).t().contiguous()
            operand = r["h" if layer else "x"](x)
            h, c, gates = [zeros], [zeros], []
            for step in operand:
                sums = torch.addmm(b_ih + b_hh, torch.cat([step, r["h"](h[-1])], 1), w)
                i, f, g, o = sums.chunk(4, 1)
                gates.append((i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()))
                i, f, g, o = gates[-1]
                c.append(f * c[-1] + i * g)
                h.append(o * c[-1].tanh())
            ctx.layers.append((x, h, c, gates))
            x = torch.stack(h[1:])
        return r["h"](x[-1])

    @staticmethod
    def backward(ctx, dlast):
        r, grads = ctx.roundings, []
        dy = [0] * (len(ctx.layers[0][3]) - 1) + [dlast]
        for layer in (1, 0):
            w_ih, w_hh = ctx.weights[4 * layer:4 * layer + 2]
            x, h, c, gates = ctx.layers[layer]
            dh, dc, dgates, w_back = 0, 0, [], r["weights back"](w_hh)
            for step in range(len(gates) - 1, -1, -1):
                i, f, g, o = gates[step]
                tanh_c, dh = c[step + 1].tanh(), dh + dy[step]
                dc = dc + dh * o * (1 - tanh_c * tanh_c)
                d = torch.cat([dc * g * i * (1 - i), dc * c[step] * f * (1 - f),
                               dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)], 1)
                dgates.insert(0, d)
                dc, dh = dc * f, r["dgates"](d) @ w_back
            d = torch.stack(dgates)
            dy = r["dgates"](d) @ r["weights back"](w_ih)
            rows_of = r["dgates in dW"](d).flatten(0, 1).t()
            db = r["dgates in db"](d).sum((0, 1))
            x, h = r["h in dW" if layer else "x in dW"](x), torch.stack(h[:-1])
            grads = [rows_of @ x.flatten(0, 1), rows_of @ r["h in dW"](h).flatten(0, 1),
                     db, db] + grads
        return None, None, *grads


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, HIDDEN, 2, batch_first=True)
        self.fc = nn.Linear(HIDDEN, 10)


def read(path, offset):
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=offset)


def train(data, seed, steps, last):
    """Losses of the first steps; last(network, x) computes the logits."""
    torch.manual_seed(seed)
    network, losses = Network(), []
    order = iter(DataLoader(range(len(data[1])), batch_size=BATCH, shuffle=True))
    adam = torch.optim.Adam(network.parameters(), lr=0.001)
    for _, rows_of in zip(range(steps), order):
        x = data[0][rows_of].float().div(255).sub_(0.1307).div_(0.3081)
        loss = nn.functional.cross_entropy(last(network, x), data[1][rows_of])
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return np.array(losses)


def train_rounded(data, seed, steps, bits):
    roundings = {name: round_to(bits.get(name, EXACT)) for name in OPERANDS}

    def last(network, x):
        return network.fc(RoundedLSTM.apply(x.transpose(0, 1), roundings,
                                            *network.lstm.parameters()))

    return train(data, seed, steps, last)


def train_torch(data, seed, steps, autocast):
    def last(network, x):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            return network.fc(network.lstm(x)[0][:, -1, :]).float()

    return train(data, seed, steps, last)


def train_liblstm(trainer, root, seed, steps, precision):
    """Runs mnist-train until its log has the losses."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.csv")
        process = subprocess.Popen(
            [trainer, "--data", root, "--seed", str(seed), "--epochs", "1", "--no-save",
             "--quiet", "--eval", "none", "--threads", "1", "--precision", precision,
             "--log", log], stdout=subprocess.DEVNULL)
        lines = []
        while len(lines) < steps + 2 and process.poll() is None:
            time.sleep(0.1)
            lines = log.read_text().splitlines() if log.exists() else []
        process.terminate()
        process.wait()
    return np.array([float(line.split(",")[2]) for line in lines[1:steps + 1]])


def show(name, found, expected):
    """Prints one line of the table, over all seeds."""
    deviations = [np.abs(f / e - 1) for f, e in zip(found, expected)]
    text = f"{name:24}"
    for d in deviations:
        above = np.nonzero(d > 0.02)[0]
        text += f" {100 * d.max():7.3f}% {above[0] + 1 if len(above) else '-':>3}"
    early = max(d[:len(d) // 2].max() for d in deviations)
    median = statistics.median(np.concatenate(deviations))
    means = max(abs(f.mean() / e.mean() - 1) for f, e in zip(found, expected))
    print(f"{text}   first half {100 * early:.3f}%, median {100 * median:.3f}%, "
          f"mean loss {100 * means:.2f}%", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", metavar="MNIST_DIR", help="folder with MNIST")
    parser.add_argument("--seeds", default="0,1,2,3,4", help="seeds (default 0,1,2,3,4)")
    parser.add_argument("--steps", type=int, default=100, help="steps (default 100)")
    parser.add_argument("--trainer", help="path of mnist-train")
    parser.add_argument("--rows", default="", help="only lines whose name contains this")
    args = parser.parse_args()
    torch.set_num_threads(1)
    seeds, steps = [int(s) for s in args.seeds.split(",")], args.steps
    images = read(Path(args.root, "train-images-idx3-ubyte.gz"), 16)
    labels = read(Path(args.root, "train-labels-idx1-ubyte.gz"), 8)
    data = (torch.from_numpy(images.reshape(-1, 28, 28).copy()),
            torch.from_numpy(labels.astype(np.int64)))

    def of(function, *arguments):
        return [function(*arguments[:-1], seed, steps, arguments[-1]) for seed in seeds]

    exact = of(train_torch, data, False)
    if args.trainer:
        single = of(train_liblstm, args.trainer, args.root, "fp32")
        show("liblstm fp32 to PyTorch", single, exact)
        show("liblstm bf16", of(train_liblstm, args.trainer, args.root, "bf16"), single)
    show("PyTorch autocast", of(train_torch, data, True), exact)
    own = of(train_rounded, data, {})
    show("float32 to PyTorch", own, exact)
    for name, bits in rows():
        if args.rows in name:
            show(name, of(train_rounded, data, bits), own)


if __name__ == "__main__":
    main()
