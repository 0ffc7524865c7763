"""A model to convert: how it is written, and how the result is checked."""
from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

import liblstm
from liblstm.convert import Unsupported
from liblstm.convert._double import ACTIVATIONS, stack as double_stack

if TYPE_CHECKING:
    from liblstm.convert._double import Arrays, Results

LIMIT = 1e-5


@dataclasses.dataclass
class Stack:
    """LSTM layers of equal size, with H hidden units and D directions.

    layers has, for each layer and direction, the arrays input, recurrent and bias in the
    given layout (shapes in lstm/weights.h). With reverse, a stack of one direction reads
    from the last step to the first. h0 and c0 are [L*D, H], or None for zeros."""
    where: str
    layout: int
    layers: list[list[Arrays]]
    batch_first: bool = True
    reverse: bool = False
    h0: np.ndarray | None = None
    c0: np.ndarray | None = None

    @property
    def hidden(self) -> int:
        """H."""
        return int(self.layers[0][0][1].shape[0 if self.layout == liblstm.KERAS else 1])

    @property
    def inputs(self) -> int:
        """I."""
        return int(self.layers[0][0][0].shape[0 if self.layout == liblstm.KERAS else 1])

    @property
    def directions(self) -> int:
        """D."""
        return len(self.layers[0])

    def fits(self, other: Stack) -> bool:
        """Whether another stack can be the next layers of this one."""
        size = self.hidden, self.directions, self.reverse, self.layout
        return (size == (other.hidden, other.directions, other.reverse, other.layout)
                and other.inputs == self.directions * self.hidden)

    def text(self) -> str:
        """Size, for messages."""
        count = len(self.layers)
        return (f"{count} layer{'s' * (count > 1)} of {self.hidden} units"
                f"{', both directions' * (self.directions == 2)}{', reverse' * self.reverse}")

    def create(self) -> liblstm.Layer:
        """Creates the layer in liblstm, in evaluation mode."""
        layer = liblstm.Layer(
            self.inputs, self.hidden, len(self.layers), batch_first=self.batch_first,
            bidirectional=self.directions == 2,
            no_bias=all(arrays[2] is None for each in self.layers for arrays in each))
        for index, each in enumerate(self.layers):
            for direction, arrays in enumerate(each):
                layer.set_weights(index, direction, self.layout, *map(contiguous, arrays))
        layer.train(False)
        return layer


@dataclasses.dataclass
class Answer:
    """What the model gives for an input, as its framework or another program says.

    x is the input of the LSTM [T, N, I] (of the whole model, before in_gain); values are
    outputs by name. source names who says so."""
    source: str
    x: np.ndarray
    values: dict[str, np.ndarray]
    h0: np.ndarray | None = None
    c0: np.ndarray | None = None
    lengths: np.ndarray | None = None
    limit: float = LIMIT


@dataclasses.dataclass
class Model:
    """Stacks by prefix; with one stack, a head (weight [C, S], bias [C] or None), an
    embedding [count, I], and the keys of the metadata without "model.". answers yields
    what the result must agree with; without any, it is compared with NumPy."""
    stacks: dict[str, Stack]
    head: tuple[np.ndarray, np.ndarray | None] | None = None
    embedding: np.ndarray | None = None
    keys: dict[str, str] = dataclasses.field(default_factory=dict)
    answers: Callable[[Model], Iterator[Answer]] | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    # Which steps the model gives is not known.
    alone: bool = False
    # Parts after the LSTM, for the message when the outputs differ.
    after: str = ""

    def check_shapes(self) -> None:
        """Refuses parts that do not fit: NumPy would repeat an array that is too small."""
        sizes = {each.directions * each.hidden for each in self.stacks.values()}
        if self.head:
            weight, bias = self.head
            if weight.ndim != 2 or {weight.shape[1]} != sizes:
                raise Unsupported(f"the weight of the dense layer is {list(weight.shape)}, "
                                  f"expected [any, {', '.join(map(str, sizes))}]")
            if bias is not None and bias.shape != weight.shape[:1]:
                raise Unsupported(f"the bias of the dense layer is {list(bias.shape)}, "
                                  f"expected [{len(weight)}]")
        if self.embedding is not None and self.embedding.ndim != 2:
            raise Unsupported(f"the embedding is {list(self.embedding.shape)}, "
                              f"expected two axes")

    def params(self) -> liblstm.Params:
        """All tensors of the file."""
        params = liblstm.Params()
        for prefix, each in self.stacks.items():
            params.add(prefix, each.create())
            for name, state in (("h0", each.h0), ("c0", each.c0)):
                if state is not None:
                    tensor = liblstm.Tensor(*state.shape)
                    np.asarray(tensor)[...] = state
                    params.add_tensor(f"{prefix}.{name}", tensor)
        if self.head:
            weight, bias = self.head
            linear = liblstm.Linear(weight.shape[1], weight.shape[0], no_bias=bias is None)
            params.add("fc", linear)
            np.asarray(params.value("fc.weight"))[...] = weight
            if bias is not None:
                np.asarray(params.value("fc.bias"))[...] = bias
        if self.embedding is not None:
            params.add("embedding", liblstm.Embedding(*self.embedding.shape))
            np.asarray(params.value("embedding.weight"))[...] = self.embedding
        return params

    def metadata(self) -> dict[str, str]:
        """All keys of the file."""
        keys = dict(self.keys)
        reverse = [prefix for prefix, each in self.stacks.items() if each.reverse]
        if reverse:
            keys["reverse"] = " ".join(reverse)
        return {"format": "pt", **{f"model.{key}": text for key, text in keys.items()}}

    def finish(self, values: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Head, activation, skip and out_gain in double precision: values [.., S], x
        [.., I] -> [.., C]."""
        values = np.asarray(values, np.float64)
        if self.head:
            weight, bias = self.head
            values = values @ np.asarray(weight, np.float64).T
            values = values if bias is None else values + np.asarray(bias, np.float64)
        if "activation" in self.keys:
            values = ACTIVATIONS[self.keys["activation"]](values)
        skip = int(self.keys.get("skip", 0))
        if skip:
            values = values.copy()
            values[..., :skip] += x[..., :skip]
        return values * decibel(self.keys.get("out_gain", "0"))


def decibel(text: str) -> float:
    """Factor of a gain in dB."""
    return 10 ** (float(text) / 20)


def contiguous(array: np.ndarray | None) -> np.ndarray | None:
    """A contiguous float32 array; None stays None."""
    return array if array is None else np.ascontiguousarray(array, np.float32)


def bare(message: str) -> Unsupported:
    """A refusal that says how to take the LSTM alone."""
    return Unsupported(f"{message}; --lstm-only converts the LSTM alone")


def forward(layer: liblstm.Layer, each: Stack, answer: Answer, x: np.ndarray) -> Results:
    """out [T, N, S], hn and cn of a layer of a file, for x [T, N, I]."""
    rows, (steps, batch) = len(each.layers) * each.directions, x.shape[:2]
    h0, c0 = (contiguous(state if state is not None else
                         None if own is None else np.repeat(own[:, None], batch, 1))
              for state, own in ((answer.h0, each.h0), (answer.c0, each.c0)))
    x = reversed_steps(x, answer.lengths) if each.reverse else x
    out = np.empty((steps, batch, each.directions * each.hidden), np.float32)
    hn, cn = (np.empty((rows, batch, each.hidden), np.float32) for _ in range(2))

    def swap(a: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(a.swapaxes(0, 1) if each.batch_first else a)

    y, lengths = swap(out), None if answer.lengths is None else answer.lengths.tolist()
    layer.forward(swap(np.asarray(x, np.float32)), h0, c0, y, hn, cn, lengths)
    out = y.swapaxes(0, 1) if each.batch_first else y
    return (reversed_steps(out, answer.lengths) if each.reverse else out), hn, cn


def reversed_steps(x: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
    """x [T, N, ..] with each sequence from its last step to its first."""
    if lengths is None:
        return x[::-1]
    order = np.arange(len(x))[:, None]
    order = np.where(order < lengths, lengths - 1 - order, order)
    return np.take_along_axis(x, order[..., None], 0)


def outputs(model: Model, layer: liblstm.Layer, answer: Answer
            ) -> list[tuple[str, np.ndarray]]:
    """Outputs that a model of one stack can have, with the value of the key "output"; hn and
    cn are the states as they are."""
    each, = model.stacks.values()
    x = answer.x * decibel(model.keys.get("in_gain", "0"))
    out, hn, cn = forward(layer, each, answer, x)
    last = np.concatenate(list(hn[-each.directions:]), axis=1)
    found = [("steps", out, x), ("last", out[-1], x[-1]), ("states", last, x[-1])]
    if each.reverse:
        found += [("reversed", out[::-1], x[::-1])]
    each_direction = out.reshape(*out.shape[:2], each.directions, -1).transpose(0, 2, 1, 3)
    return [*((name, model.finish(y, x)) for name, y, x in found),
            ("steps", each_direction), ("hn", hn), ("cn", cn)]


def nearest(found: list[tuple[str, np.ndarray]], expected: np.ndarray) -> tuple[str, float]:
    """The output that is nearest to an answer in any order of its axes, and the difference
    as a fraction of the largest value."""
    best, largest = ("none of the outputs", np.inf), np.abs(expected).max() or 1
    for name, value in found:
        for order in itertools.permutations(range(value.ndim)):
            actual = value.transpose(order)
            if actual.size == expected.size:
                error = float(np.abs(actual.ravel() - expected.ravel()).max() / largest)
                best = min(best, (name, error), key=lambda pair: pair[1])
    return best


def double_answer(model: Model) -> Iterator[Answer]:
    """The answer of NumPy in double precision, for a random input."""
    rng, (each,) = np.random.default_rng(1), model.stacks.values()
    x = rng.uniform(-1, 1, (7, 3, each.inputs)).astype(np.float32)
    gained = x.astype(np.float64) * decibel(model.keys.get("in_gain", "0"))
    states = [None if state is None else np.repeat(state[:, None], 3, 1)
              for state in (each.h0, each.c0)]
    out, _, _ = double_stack(each.layout, each.layers,
                             gained[::-1] if each.reverse else gained, *states)
    out = out[::-1] if each.reverse else out
    yield Answer("NumPy in double precision", x, {"output": model.finish(out, gained)})


def check(model: Model, path: str) -> list[str]:
    """Loads a file and compares it with all answers of its model; fails if they differ.
    Returns a line for each."""
    lines = []
    for prefix, each in model.stacks.items():
        part = model if len(model.stacks) == 1 else Model({prefix: each},
                                                          answers=model.answers)
        layer = liblstm.Layer.load(path, prefix)
        layer.train(False)
        for answer in (part.answers or double_answer)(part):
            for name, expected in answer.values.items():
                which, error = nearest(outputs(part, layer, answer), np.asarray(expected))
                if not error <= answer.limit:
                    shape, after = list(np.shape(expected)), part.after and f" after {part.after}"
                    raise bare(f"{name} {shape}{after} is not what liblstm can give: " + (
                        f"it differs from {which} by {error:.2g} of the largest value, expected "
                        f"at most {answer.limit:g} ({answer.source})"
                        if np.isfinite(error) else "no output of liblstm has as many values"))
                if which not in ("hn", "cn") and not model.alone:
                    model.keys.setdefault("output", which)
                lines.append(f"{name} ({which}) differs from {answer.source} by {error:.1e}")
        layer.close()
    return lines


def write(model: Model, target: str | os.PathLike[str]) -> str:
    """Writes a model to a safetensors file after a check; returns a summary."""
    target = os.fspath(target)
    model.check_shapes()
    params, part = model.params(), target + ".part"
    try:
        params.save(part, metadata=model.metadata())
        lines = check(model, part)
        params.save(part, metadata=model.metadata())
        os.replace(part, target)
    finally:
        if os.path.exists(part):
            os.unlink(part)
    parts = [f"{prefix} ({each.where}): {each.text()}" for prefix, each in model.stacks.items()]
    keys = [f"{key[6:]} {text}" for key, text in model.metadata().items() if key != "format"]
    return "\n  ".join([f"{target}: {params.count} parameters", *parts, *(
        ["metadata: " + ", ".join(keys)] if keys else []), *lines, *model.notes])
