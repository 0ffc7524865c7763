#!/usr/bin/env python3
"""Compares gradients of long sums with PyTorch in double precision.

usage: compare_shapes.py [--large] [--bf16] [--only TEXT] [--library FILE]

The shapes are those of oneDNN's problems, of Paddle and of audio programs, one layer
without lengths. The gradient of a weight is a sum of N T terms. Incoming gradients of
out are uniform in +-1, or all 1: then the terms of a sum have similar signs.

For each shape the script prints the largest error of out and of the gradients of the
parameters and of x, for liblstm and for PyTorch in float32. Errors are relative to the
largest element of the tensor, of out to the larger of it and 1. The exit status is 0 if no
error of a gradient of liblstm in float32 is above 3e-6. --large adds shapes that take
minutes and gigabytes. Requires torch 2.13.
"""
import argparse
import os
import sys
from pathlib import Path

import need_torch  # noqa: F401
import torch

LIMIT = 3e-6
# Name, N, T, I, H.
SHAPES = [
    ("experiment", 64, 28, 28, 128),
    ("long", 8, 500, 8, 64),
    ("gnmt", 1, 101, 256, 256),
    ("gnmt", 128, 30, 256, 256),
    ("gnmt", 32, 50, 512, 512),
    ("report", 64, 50, 500, 500),
    ("paddle", 128, 629, 128, 128),
    ("paddle", 128, 952, 128, 128),
    ("audio", 32, 2048, 1, 8),
    ("audio", 32, 2048, 1, 20),
    ("audio", 16, 2048, 1, 40),
    ("wide batch", 20000, 3, 8, 16),
]
LARGE = [
    ("gnmt", 128, 101, 512, 512),
    ("gnmt", 128, 25, 1024, 1024),
    ("deep speech", 32, 50, 1760, 1760),
    ("audio", 64, 16384, 1, 16),
]


def gradients(layer, x, dout):
    """out and the gradients by name, of one forward and backward."""
    layer.zero_grad()
    x = x.detach().clone().requires_grad_()
    out, _ = layer(x)
    out.backward(dout)
    found = {name: p.grad.double() for name, p in layer.named_parameters()}
    return {"out": out.detach().double(), "x": x.grad.double(), **found}


def errors(found, expected):
    """The largest error of out, and of the gradients with the name of the tensor."""
    shares = {}
    for name, value in expected.items():
        scale = max(value.abs().max().item(), 1 if name == "out" else 1e-30)
        shares[name] = (found[name] - value).abs().max().item() / scale
    out = shares.pop("out")
    worst = max(shares, key=shares.get)
    return out, shares[worst], worst


def compare(kind, shape, same_sign, options):
    """Errors of liblstm and of PyTorch in float32."""
    _, batch, steps, inputs, hidden = shape
    torch.manual_seed(batch + steps)
    reference = torch.nn.LSTM(inputs, hidden)
    x = torch.rand(steps, batch, inputs) * 2 - 1
    dout = torch.ones(steps, batch, hidden)
    if not same_sign:
        dout = torch.rand(steps, batch, hidden) * 2 - 1
    ours = kind(inputs, hidden, **options)
    ours.load_state_dict(reference.state_dict())
    found, theirs = gradients(ours, x, dout), gradients(reference, x, dout)
    exact = gradients(reference.double(), x.double(), dout.double())
    return errors(found, exact), errors(theirs, exact)


def load(library):
    if library:
        os.environ["LIBLSTM"] = str(library)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
    from liblstm.torch import LSTM
    return LSTM


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--large", action="store_true",
                        help="add shapes that take minutes and gigabytes")
    parser.add_argument("--bf16", action="store_true", help="bfloat16; no limit")
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    parser.add_argument("--library", type=Path, help="path of liblstm.so")
    args = parser.parse_args()
    options = {"precision": "bf16"} if args.bf16 else {}
    kind, largest = load(args.library), 0
    print(f"{'N, T, I, H':34} {'out':>8} {'gradients':>9}   PyTorch")
    for shape in SHAPES + LARGE * args.large:
        if args.only not in shape[0]:
            continue
        for same_sign in (False, True):
            ours, theirs = compare(kind, shape, same_sign, options)
            name = f"{shape[0]} {shape[1:]}{' ones' * same_sign}"
            print(f"{name:34} {ours[0]:8.1e} {ours[1]:9.1e}   {theirs[0]:7.1e} "
                  f"{theirs[1]:7.1e}  {ours[2]}", flush=True)
            largest = max(largest, ours[1])
    print(f"largest error of a gradient: {largest:.2e}, limit {LIMIT}")
    return largest > LIMIT and not args.bf16


if __name__ == "__main__":
    sys.exit(main())
