"""Moves a PyTorch model with an LSTM and a linear head to liblstm and back.

usage: python3 -m liblstm.convert.from_torch [--data DIR] [--epochs E] [--steps S]
           [--seed S] [--folder DIR]

Trains nn.LSTM and nn.Linear on MNIST in PyTorch, writes a safetensors file, loads it into
liblstm and compares the logits of all test images. Then continues the training in liblstm,
saves, and loads the file into the PyTorch model with load_state_dict(). The exit status is
0 if both libraries predict the same class for every test image, both times.

to_liblstm() and to_torch() work with any such model. Requires torch, numpy, safetensors.
"""
from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import liblstm
from liblstm import mnist

BATCH, HIDDEN, LAYERS = 64, 128, 2
# Logits are sums of a few hundred products, which the libraries add in different orders.
LIMIT = 1e-4


class Classifier(nn.Module):
    """x [N, T, I] -> logits [N, C], from the output of the last step."""

    def __init__(self, inputs: int, hidden: int, layers: int, classes: int):
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.rnn(x)[0][:, -1])
        return logits


def parts(model: nn.Module) -> tuple[str, nn.LSTM, str, nn.Linear]:
    """The only LSTM and the only linear layer of a model, with their names."""
    found: list[Any] = []
    for kind in (nn.LSTM, nn.Linear):
        of_kind = [(name, part) for name, part in model.named_modules()
                   if isinstance(part, kind)]
        if len(of_kind) != 1:
            raise ValueError(f"the model has {len(of_kind)} {kind.__name__}, expected 1")
        found += of_kind[0]
    return found[0], found[1], found[2], found[3]


def names(model: nn.Module) -> dict[str, str]:
    """Maps prefixes of names in liblstm to prefixes in the state dict of the model."""
    rnn, _, head, _ = parts(model)
    return {"lstm.": f"{rnn}.", "fc.": f"{head}."}


def to_liblstm(model: nn.Module, path: pathlib.Path | str, rng: liblstm.Rng | None = None
               ) -> tuple[liblstm.Layer, liblstm.Linear, liblstm.Params]:
    """Creates the LSTM and the head of a model in liblstm, through a file at path. A model
    with dropout requires rng."""
    save_file({name: value.contiguous() for name, value in model.state_dict().items()},
              path, metadata={"format": "pt"})
    _, rnn, _, head = parts(model)
    layer = liblstm.Layer(rnn.input_size, rnn.hidden_size, rnn.num_layers, rng=rng,
                       no_bias=not rnn.bias, batch_first=rnn.batch_first,
                       dropout=rnn.dropout, bidirectional=rnn.bidirectional,
                       proj_size=rnn.proj_size)
    linear = liblstm.Linear(head.in_features, head.out_features)
    params = liblstm.Params(lstm=layer, fc=linear)
    params.load(path, rename=names(model), allow_surplus=True)
    return layer, linear, params


def to_torch(params: liblstm.Params, model: nn.Module, path: pathlib.Path | str) -> None:
    """Loads the values of params into a model, through a file at path."""
    params.save(path, rename=names(model), metadata={"format": "pt"})
    model.load_state_dict(load_file(path), strict=False)


def read_images(split: str, folder: str | None) -> tuple[Any, Any]:
    """All normalised images of a split, [N, 28, 28], and their labels, [N]."""
    data = mnist.Dataset.open(split, folder)
    print(data.origin, file=sys.stderr)
    images = np.empty((len(data), data.rows, data.cols), np.float32)
    labels = np.empty(len(data), np.int64)
    loader = mnist.Loader(data, len(data))
    loader.start()
    loader.next(images, labels)
    return images, labels


def batches(count: int, limit: int, rng: Any) -> list[Any]:
    """Indices of full batches in random order; at most limit batches unless it is 0."""
    order = rng.permutation(count)
    return [order[i:i + BATCH] for i in range(0, count - BATCH + 1, BATCH)][:limit or None]


def train_torch(model: nn.Module, images: Any, labels: Any, order: list[Any]) -> float:
    """Trains on each batch with Adam; returns the last loss."""
    adam, criterion = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    for rows in order:
        loss = criterion(model(torch.from_numpy(images[rows])),
                         torch.from_numpy(labels[rows]))
        adam.zero_grad()
        loss.backward()
        adam.step()
    return float(loss.item())


def train_liblstm(layer: liblstm.Layer, linear: liblstm.Linear, params: liblstm.Params,
                  images: Any, labels: Any, order: list[Any]) -> Any:
    """Trains on each batch with liblstm; returns the last loss."""
    adam, criterion = liblstm.Adam(params, lr=0.001), liblstm.CrossEntropy()
    hn, dhn = (np.zeros((LAYERS, BATCH, HIDDEN), np.float32) for _ in range(2))
    logits, dlogits = (np.empty((BATCH, 10), np.float32) for _ in range(2))
    layer.train()
    for rows in order:
        layer.forward(images[rows], hn=hn)
        linear.forward(hn[-1], logits)
        loss = criterion.forward(logits, labels[rows])
        criterion.backward(dlogits)
        params.zero_grad()
        linear.backward(dlogits, dhn[-1])
        layer.backward(dhn=dhn)
        adam.step()
    return loss


def compare(model: nn.Module, layer: liblstm.Layer, linear: liblstm.Linear, images: Any,
            labels: Any) -> bool:
    """Compares logits and predictions of all images, and prints the differences."""
    hn = np.empty((LAYERS, len(images), HIDDEN), np.float32)
    ours = np.empty((len(images), 10), np.float32)
    layer.train(False)
    layer.forward(images, hn=hn)
    linear.forward(hn[-1], ours)
    with torch.no_grad():
        theirs = model.eval()(torch.from_numpy(images)).numpy()
    model.train()
    difference = np.abs(ours - theirs).max()
    same = int((ours.argmax(1) == theirs.argmax(1)).sum())
    print(f"  test: PyTorch {int((theirs.argmax(1) == labels).sum())}, liblstm "
          f"{int((ours.argmax(1) == labels).sum())} of {len(images)} correct; {same} of "
          f"{len(images)} predictions equal, logits differ by at most "
          f"{difference:.1e}", flush=True)
    return same == len(images) and difference <= LIMIT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder with the four files of MNIST")
    parser.add_argument("--epochs", type=int, default=1,
                        help="epochs in each library (default 1)")
    parser.add_argument("--steps", type=int, default=0,
                        help="steps per epoch (default all)")
    parser.add_argument("--seed", type=int, default=0, help="seed (default 0)")
    parser.add_argument("--folder", help="folder for the files (default temporary)")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    images, labels = read_images("train", options.data)
    test = read_images("test", options.data)
    model = Classifier(images.shape[2], HIDDEN, LAYERS, 10)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(options.folder or scratch)
        for _ in range(options.epochs):
            loss: Any = train_torch(model, images, labels,
                               batches(len(images), options.steps, rng))
        print(f"trained in PyTorch, last loss {loss:.4f}; loaded into liblstm", flush=True)
        layer, linear, params = to_liblstm(model, folder / "from-torch.safetensors")
        equal = compare(model, layer, linear, *test)
        for _ in range(options.epochs):
            loss = train_liblstm(layer, linear, params, images, labels,
                                 batches(len(images), options.steps, rng))
        print(f"trained in liblstm, last loss {loss:.4f}; loaded into PyTorch", flush=True)
        to_torch(params, model, folder / "from-liblstm.safetensors")
        return 0 if compare(model, layer, linear, *test) and equal else 1


if __name__ == "__main__":
    sys.exit(main())
