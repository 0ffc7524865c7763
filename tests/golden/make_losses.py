#!/usr/bin/env python3
"""Writes the first losses of the experiment and its variants (torch 2.13.0, 1 thread).

usage: make_losses.py MNIST_DIR | clang-format > losses.h     for the library
       make_losses.py MNIST_DIR json > losses.json            for options of mnist-train

The network reads 28 rows of 28 pixels with two LSTM layers of 128 units, and classifies
the last step with a linear layer to 10 classes. Training uses cross-entropy, Adam with lr
0.001, and batches of 64 in random order.
"""
import gzip
import json
import sys
from pathlib import Path

import need_torch  # noqa: F401
import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

STEPS = 20
VARIANTS = [(0, 0.0, False, 0), (42, 0.0, False, 0), (0, 0.3, False, 0),
            (0, 0.0, True, 0), (0, 0.3, True, 0), (0, 0.0, False, 64)]
EPOCH = 938  # steps
# Options of mnist-train in addition to --epochs 1, and arguments of losses().
OPTIONS = {
    "--seed 0": {},
    "--seed 42": {"seed": 42},
    "--seed 0 --dropout 0.3": {"dropout": 0.3},
    "--seed 0 --bidirectional": {"bidirectional": True},
    "--seed 0 --dropout 0.3 --bidirectional": {"dropout": 0.3, "bidirectional": True},
    "--seed 0 --proj 64": {"projection": 64},
    "--seed 0 --label-smoothing 0.1": {"smoothing": 0.1},
    "--seed 1 --proj 40 --dropout 0.2 --bidirectional --label-smoothing 0.2 --clip-norm 0.5 "
    "--weight-decay 0.01": {"seed": 1, "projection": 40, "dropout": 0.2, "smoothing": 0.2,
                            "bidirectional": True, "clip": 0.5, "decay": 0.01},
    "--seed 2 --weight-decay 0.3 --decoupled": {"seed": 2, "decay": 0.3, "decoupled": True},
    # Times in epochs: 5 steps are 0.0053 of 938.
    "--seed 0 --schedule step:every=0.0053,gamma=0.5":
        {"schedule": lambda adam: lr_scheduler.StepLR(adam, 5, 0.5)},
    "--seed 0 --schedule multistep:at=0.0032,gamma=3,at=0.0107":
        {"schedule": lambda adam: lr_scheduler.MultiStepLR(adam, [3, 10], 3)},
    "--seed 0 --schedule exponential:gamma=1e-30":
        {"schedule": lambda adam: lr_scheduler.ExponentialLR(adam, 1e-30 ** (1 / EPOCH))},
    "--seed 0 --schedule cosine:min=0.0001,warmup=0.0085":
        {"schedule": lambda adam: lr_scheduler.SequentialLR(adam, [
            lr_scheduler.LinearLR(adam, total_iters=8),
            lr_scheduler.CosineAnnealingLR(adam, EPOCH - 8, 1e-4)], [8])},
    "--seed 0 --schedule one-cycle:rise=0.01,div=10":
        {"schedule": lambda adam: lr_scheduler.OneCycleLR(
            adam, 0.001, EPOCH, pct_start=0.01, div_factor=10, cycle_momentum=False)},
    "--seed 3 --read columns": {"seed": 3, "read": "columns"},
    "--seed 4 --read both": {"seed": 4, "read": "both"},
    "--seed 5 --read both --column-layers 2 --bidirectional --dropout 0.3 --proj 40":
        {"seed": 5, "read": "both", "column_layers": 2, "bidirectional": True,
         "dropout": 0.3, "projection": 40},
    "--seed 6 --read pixels --hidden 16 --layers 1":
        {"seed": 6, "read": "pixels", "hidden": 16, "layers": 1},
    "--seed 7 --read permuted --hidden 16 --bidirectional":
        {"seed": 7, "read": "permuted", "hidden": 16, "bidirectional": True},
}


def load(folder):
    raw = gzip.open(folder / "train-images-idx3-ubyte.gz").read()
    pixels = torch.from_numpy(np.frombuffer(raw, np.uint8, offset=16).copy())
    images = pixels.reshape(-1, 28, 28).float().div(255).sub_(0.1307).div_(0.3081)
    raw = gzip.open(folder / "train-labels-idx1-ubyte.gz").read()
    return TensorDataset(images, torch.from_numpy(
        np.frombuffer(raw, np.uint8, offset=8).astype(int)))


class Network(nn.Module):
    def __init__(self, read, hidden, layers, column_layers, projection, **options):
        super().__init__()
        inputs = 1 if read in ("pixels", "permuted") else 28
        options |= {"batch_first": True, "proj_size": projection}
        self.read = read
        self.order = torch.randperm(784, generator=torch.Generator().manual_seed(0))
        self.lstm = nn.LSTM(inputs, hidden, layers, **options)
        if read == "both":
            self.columns = nn.LSTM(28, hidden, column_layers, **options)
        directions = 1 + options["bidirectional"]
        self.fc = nn.Linear((projection or hidden) * directions * (1 + (read == "both")), 10)

    def forward(self, images):
        if self.read == "both":
            last = [state for lstm, x in ((self.lstm, images), (self.columns, images.mT))
                    for state in lstm(x)[1][0][-1 - lstm.bidirectional:]]
            return self.fc(torch.cat(last, 1))
        pixels = images.reshape(-1, 784, 1)
        x = {"rows": images, "columns": images.mT, "pixels": pixels,
             "permuted": pixels[:, self.order]}[self.read]
        return self.fc(self.lstm(x)[0][:, -1, :])


def losses(data, seed=0, dropout=0.0, bidirectional=False, projection=0, smoothing=0.0,
           clip=None, decay=0.0, schedule=None, decoupled=False, read="rows", hidden=128,
           layers=2, column_layers=1):
    """Losses and learning rates of the first steps."""
    torch.manual_seed(seed)
    loader = DataLoader(data, batch_size=64, shuffle=True)
    network = Network(read, hidden, layers, column_layers, projection, dropout=dropout,
                      bidirectional=bidirectional)
    parameters = list(network.parameters())
    optimiser = torch.optim.AdamW if decoupled else torch.optim.Adam
    adam = optimiser(parameters, lr=0.001, weight_decay=decay)
    scheduler = schedule(adam) if schedule else None
    values, rates = [], []
    for images, labels in loader:
        loss = nn.functional.cross_entropy(network(images), labels,
                                           label_smoothing=smoothing)
        adam.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(parameters, clip)
        rates.append(adam.param_groups[0]["lr"])
        adam.step()
        if scheduler:
            scheduler.step()
        values.append(loss.item())
        if len(values) == STEPS:
            return values, rates


def write_json(data):
    entries = []
    for options, meaning in OPTIONS.items():
        values, rates = losses(data, **meaning)
        entry = {"options": options, "losses": [round(value, 8) for value in values]}
        if "schedule" in meaning:
            entry["rates"] = rates
        entries.append(json.dumps(entry))
    print("[\n" + ",\n".join(entries) + "\n]")


def main():
    torch.set_num_threads(1)
    data = load(Path(sys.argv[1]))
    if sys.argv[2:] == ["json"]:
        return write_json(data)
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
        numbers = [f"{value:.8f}f" for value in losses(data, *variant)[0]]
        rows = [", ".join(numbers[i:i + 6]) for i in range(0, STEPS, 6)]
        print(f"    {{{seed}, {dropout}, {str(bidirectional).lower()}, {projection},\n"
              "     {" + ",\n      ".join(rows) + "}},")
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
