#!/usr/bin/env python3
"""Writes losses.h: the first losses of the experiment and of its variants.

usage: make_losses.py MNIST_DIR | clang-format > losses.h      (torch 2.13.0, 1 thread)

28 rows of 28 pixels through two layers of 128 units, the last step through a linear
layer to 10 classes, cross-entropy, Adam with 0.001, batches of 64 in random order.
"""
import gzip
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS = 20
VARIANTS = [(0, 0.0, False, 0), (42, 0.0, False, 0), (0, 0.3, False, 0),
            (0, 0.0, True, 0), (0, 0.3, True, 0), (0, 0.0, False, 64)]


def load(folder):
    raw = gzip.open(folder / "train-images-idx3-ubyte.gz").read()
    pixels = torch.from_numpy(np.frombuffer(raw, np.uint8, offset=16).copy())
    images = pixels.reshape(-1, 28, 28).float().div(255).sub_(0.1307).div_(0.3081)
    raw = gzip.open(folder / "train-labels-idx1-ubyte.gz").read()
    return TensorDataset(images, torch.from_numpy(
        np.frombuffer(raw, np.uint8, offset=8).astype(int)))


def losses(data, seed, dropout, bidirectional, projection):
    torch.manual_seed(seed)
    loader = DataLoader(data, batch_size=64, shuffle=True)
    lstm = nn.LSTM(28, 128, 2, batch_first=True, dropout=dropout,
                   bidirectional=bidirectional, proj_size=projection)
    fc = nn.Linear((projection or 128) * (1 + bidirectional), 10)
    adam = torch.optim.Adam([*lstm.parameters(), *fc.parameters()], lr=0.001)
    values = []
    for images, labels in loader:
        loss = nn.functional.cross_entropy(fc(lstm(images)[0][:, -1, :]), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        values.append(loss.item())
        if len(values) == STEPS:
            return values


def main():
    torch.set_num_threads(1)
    data = load(Path(sys.argv[1]))
    print("#ifndef TESTS_GOLDEN_LOSSES_H\n#define TESTS_GOLDEN_LOSSES_H\n\n"
          "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
          "/* Made by make_losses.py: the first losses of the experiment in PyTorch\n"
          f" * {torch.__version__}, a variant in each entry. */\n"
          f"enum {{ LOSSES = {STEPS} }};\n\n"
          "static const struct {\n    uint64_t seed;\n    double dropout;\n"
          "    bool bidirectional;\n    size_t proj_size;\n    float losses[LOSSES];\n"
          "} variants[] = {")
    for variant in VARIANTS:
        seed, dropout, bidirectional, projection = variant
        numbers = [f"{value:.8f}f" for value in losses(data, *variant)]
        rows = [", ".join(numbers[i:i + 6]) for i in range(0, STEPS, 6)]
        print(f"    {{{seed}, {dropout}, {str(bidirectional).lower()}, {projection},\n"
              "     {" + ",\n      ".join(rows) + "}},")
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
