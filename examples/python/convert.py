#!/usr/bin/env python3
"""Converts an LSTM of Keras or ONNX to a safetensors file of liblstm, and checks it.

usage: convert.py MODEL.keras|MODEL.h5|MODEL.onnx OUT.safetensors

The model is a chain of LSTM layers of one width, in one or both directions, and perhaps
a dense layer at its end. The file has them as "lstm" and "fc", for lstm_layer_load() and
lstm_linear_load(), or PyTorch. Before it is written, both sides get the same random
input: the answers have to agree within 1e-5 of the largest.

Keras files need keras and one of its backends; ONNX files onnx, and onnxruntime for the
check. Both need numpy.
"""
from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable

import lstm
import numpy as np

LIMIT = 1e-5


class Unsupported(Exception):
    """What liblstm has nothing for."""


def hidden_size(layers: list[list[tuple]], axis: int) -> int:
    """H, which the recurrent arrays of all layers must have along an axis."""
    if not layers:
        raise Unsupported("there is no LSTM layer")
    hidden = {arrays[1].shape[axis] for ways in layers for arrays in ways}
    if len(hidden) > 1 or len({len(ways) for ways in layers}) > 1:
        raise Unsupported(f"its layers have {sorted(hidden)} units, expected all the same "
                          f"and all in as many directions")
    return hidden.pop()


@dataclasses.dataclass
class Model:
    """A model of somebody's: with H hidden units, D directions, S = D*H.

    layers has for each layer, for each direction, the arrays input, recurrent, bias in
    the layout (shapes in lstm/weights.h); head is weight [C, S] and bias [C]; answer
    takes x [N, T, I] or [T, N, I] and gives what the model does."""
    layout: int
    inputs: int
    hidden: int
    layers: list[list[tuple]]
    batch_first: bool
    head: tuple | None
    softmax: bool
    probe: tuple[int, int, int]
    answer: Callable

    def create(self) -> tuple[lstm.Layer, lstm.Linear | None, lstm.Params]:
        """The same in liblstm, in evaluation mode."""
        layer = lstm.Layer(
            self.inputs, self.hidden, len(self.layers), batch_first=self.batch_first,
            bidirectional=len(self.layers[0]) == 2,
            no_bias=all(arrays[2] is None for way in self.layers for arrays in way))
        for index, ways in enumerate(self.layers):
            for direction, arrays in enumerate(ways):
                layer.set_weights(index, direction, self.layout, *map(contiguous, arrays))
        layer.train(False)
        params, linear = lstm.Params(lstm=layer), None
        if self.head:
            weight, bias = self.head
            linear = lstm.Linear(weight.shape[1], weight.shape[0])
            params.add("fc", linear)
            np.asarray(params.value("fc.weight"))[...] = weight
            np.asarray(params.value("fc.bias"))[...] = bias
        return layer, linear, params


def contiguous(array: np.ndarray | None) -> np.ndarray | None:
    """float32 without gaps."""
    return array if array is None else np.ascontiguousarray(array, np.float32)


def answers(model: Model, layer: lstm.Layer, linear: lstm.Linear | None,
            x: np.ndarray) -> dict[str, np.ndarray]:
    """What a model may give: outputs of every step, of the last step, or last states."""
    ways, (first, second) = len(model.layers[0]), x.shape[:2]
    batch = first if model.batch_first else second
    out = np.empty((first, second, ways * model.hidden), np.float32)
    hn = np.empty((len(model.layers) * ways, batch, model.hidden), np.float32)
    layer.forward(x, out=out, hn=hn)
    given = {"every step": out, "the last step": out[:, -1] if model.batch_first else out[-1],
             "the last states": np.concatenate(list(hn[-ways:]), axis=1)}
    return {name: finish(model, linear, value) for name, value in given.items()}


def finish(model: Model, linear: lstm.Linear | None, values: np.ndarray) -> np.ndarray:
    """Head and softmax of [..., S]."""
    if linear:
        rows = np.ascontiguousarray(values.reshape(-1, values.shape[-1]))
        y = np.empty((len(rows), model.head[0].shape[0]), np.float32)
        linear.forward(rows, y)
        values = y.reshape(*values.shape[:-1], -1)
    if model.softmax:
        values = np.exp(values - values.max(-1, keepdims=True))
        values /= values.sum(-1, keepdims=True)
    return values


def check(model: Model, layer: lstm.Layer, linear: lstm.Linear | None) -> tuple[str, float]:
    """Which answer the model's is, and by how much of the largest they differ."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, model.probe).astype(np.float32)
    expected, best = np.asarray(model.answer(x)), ("none of ours", np.inf)
    for name, actual in answers(model, layer, linear, x).items():
        if actual.size == expected.size:
            error = np.abs(actual.ravel() - expected.ravel()).max()
            best = min(best, (name, float(error / np.abs(expected).max())),
                       key=lambda pair: pair[1])
    if not best[1] <= LIMIT:
        raise Unsupported(f"the answer to a probe {list(x.shape)} is {list(expected.shape)}, "
                          f"and differs from {best[0]} by {best[1]:.2g} of the largest, "
                          f"expected at most {LIMIT:g}")
    return best


def convert(source: str, target: str) -> str:
    """Reads, checks, writes; what there is to say about it."""
    if source.endswith(".onnx"):
        from convert_onnx import read
    else:
        from convert_keras import read
    model = read(source)
    layer, linear, params = model.create()
    which, error = check(model, layer, linear)
    params.save(target, metadata={"format": "pt"})
    count = len(model.layers)
    return (f"{target}: {count} layer{'s' * (count > 1)} of {model.hidden} units, "
            f"{params.count} values; its answer, {which}, differs by {error:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", metavar="MODEL", help="a .keras, .h5 or .onnx file")
    parser.add_argument("target", metavar="OUT", help="the safetensors file to write")
    options = parser.parse_args()
    try:
        print(convert(options.source, options.target))
    except (Unsupported, lstm.Error, OSError, ImportError) as error:
        sys.exit(f"convert.py: {options.source}: {error}")


if __name__ == "__main__":
    # The readers import this file, and have to see the classes of this run.
    sys.modules["convert"] = sys.modules["__main__"]
    main()
