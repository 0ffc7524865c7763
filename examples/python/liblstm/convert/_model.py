"""A model to convert, and the check of its results."""
from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

import numpy as np

import liblstm
from liblstm.convert import Unsupported

LIMIT = 1e-5


def hidden_size(layers: list[list[tuple]], axis: int) -> int:
    """H, the extent of an axis of the recurrent arrays; fails if layers differ."""
    if not layers:
        raise Unsupported("no LSTM layer found")
    hidden = {arrays[1].shape[axis] for layer in layers for arrays in layer}
    if len(hidden) > 1 or len({len(layer) for layer in layers}) > 1:
        raise Unsupported(f"layers have {sorted(hidden)} units, expected the same number of "
                          f"units and directions in all layers")
    return hidden.pop()


@dataclasses.dataclass
class Model:
    """The model to convert, with H hidden units, D directions, S = D*H.

    layers has, for each layer and direction, the arrays input, recurrent and bias in the
    given layout (shapes in lstm/weights.h). head is (weight [C, S], bias [C]). probe is
    the shape of a test input. run computes the output for x [N, T, I] or [T, N, I]."""
    layout: int
    inputs: int
    hidden: int
    layers: list[list[tuple]]
    batch_first: bool
    head: tuple | None
    softmax: bool
    probe: tuple[int, int, int]
    run: Callable

    def create(self) -> tuple[liblstm.Layer, liblstm.Linear | None, liblstm.Params]:
        """Creates the model in liblstm, in evaluation mode."""
        layer = liblstm.Layer(
            self.inputs, self.hidden, len(self.layers), batch_first=self.batch_first,
            bidirectional=len(self.layers[0]) == 2,
            no_bias=all(arrays[2] is None for each in self.layers for arrays in each))
        for index, directions in enumerate(self.layers):
            for direction, arrays in enumerate(directions):
                layer.set_weights(index, direction, self.layout, *map(contiguous, arrays))
        layer.train(False)
        params, linear = liblstm.Params(lstm=layer), None
        if self.head:
            weight, bias = self.head
            linear = liblstm.Linear(weight.shape[1], weight.shape[0])
            params.add("fc", linear)
            np.asarray(params.value("fc.weight"))[...] = weight
            np.asarray(params.value("fc.bias"))[...] = bias
        return layer, linear, params


def contiguous(array: np.ndarray | None) -> np.ndarray | None:
    """A contiguous float32 array; None stays None."""
    return array if array is None else np.ascontiguousarray(array, np.float32)


def outputs(model: Model, layer: liblstm.Layer, linear: liblstm.Linear | None,
            x: np.ndarray) -> dict[str, np.ndarray]:
    """Possible outputs of a model: of all steps, of the last step, or the final states."""
    directions, (first, second) = len(model.layers[0]), x.shape[:2]
    batch = first if model.batch_first else second
    out = np.empty((first, second, directions * model.hidden), np.float32)
    hn = np.empty((len(model.layers) * directions, batch, model.hidden), np.float32)
    layer.forward(x, out=out, hn=hn)
    found = {"all steps": out, "the last step": out[:, -1] if model.batch_first else out[-1],
             "the final states": np.concatenate(list(hn[-directions:]), axis=1)}
    return {name: apply_head(model, linear, value) for name, value in found.items()}


def apply_head(model: Model, linear: liblstm.Linear | None, values: np.ndarray) -> np.ndarray:
    """Applies the head and softmax, if any, to values [..., S]."""
    if linear:
        rows = np.ascontiguousarray(values.reshape(-1, values.shape[-1]))
        y = np.empty((len(rows), model.head[0].shape[0]), np.float32)
        linear.forward(rows, y)
        values = y.reshape(*values.shape[:-1], -1)
    if model.softmax:
        values = np.exp(values - values.max(-1, keepdims=True))
        values /= values.sum(-1, keepdims=True)
    return values


def check(model: Model, layer: liblstm.Layer, linear: liblstm.Linear | None) -> tuple[str, float]:
    """Returns which output of liblstm equals that of the model, and their difference as a
    fraction of the largest value."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, model.probe).astype(np.float32)
    expected, best = np.asarray(model.run(x)), ("all outputs of liblstm", np.inf)
    for name, actual in outputs(model, layer, linear, x).items():
        if actual.size == expected.size:
            error = np.abs(actual.ravel() - expected.ravel()).max()
            best = min(best, (name, float(error / np.abs(expected).max())),
                       key=lambda pair: pair[1])
    if not best[1] <= LIMIT:
        raise Unsupported(f"the output {list(expected.shape)} for an input {list(x.shape)} "
                          f"differs from {best[0]} by {best[1]:.2g} of the largest value, "
                          f"expected at most {LIMIT:g}")
    return best


def write(model: Model, target: str | os.PathLike[str]) -> str:
    """Checks a model and writes it to a safetensors file; returns a summary."""
    layer, linear, params = model.create()
    which, error = check(model, layer, linear)
    params.save(target, metadata={"format": "pt"})
    count = len(model.layers)
    return (f"{os.fspath(target)}: {count} layer{'s' * (count > 1)} of {model.hidden} units, "
            f"{params.count} parameters; its output ({which}) differs by {error:.1e}")
