"""What a model file says beside its tensors: the keys of docs/file-format.md."""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from ctypes import c_float

from liblstm._c import library
from liblstm._tensor import Tensor

# In dB, so that the factor is a float32.
MAX_GAIN = 700
ACTIVATIONS = ("sigmoid", "tanh", "relu", "softmax", "log_softmax")
# All keys that begin with "model.", and the values of output that a stream can give.
NAMES = ("activation", "in_gain", "out_gain", "output", "reverse", "skip", "samplerate")
# Those that change the outputs in a way that a stream does not compute.
OTHERS = ("read", "differences")
OUTPUTS = ("steps", "last", "states")
# A decimal number. float() also accepts blanks, underscores, and digits of other scripts.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def dense(values: Sequence[float], shape: Sequence[int]) -> Tensor:
    """A new tensor with values in row-major order."""
    tensor = Tensor(*shape)
    data = library.lstm_tensor_data(tensor.pointer)
    (c_float * len(values)).from_address(data)[:] = list(values)
    return tensor


class Keys:
    """Options of a model from the metadata of its file, and how a stream obeys them."""

    def __init__(self, metadata: dict[str, str], inputs: int, outputs: int) -> None:
        for key in metadata:
            if not key.startswith("model.") or key[len("model."):] in NAMES:
                continue
            if key[len("model."):] in OTHERS:
                raise ValueError(f"metadata {key} is {metadata[key]!r}, expected none: "
                                 f"liblstm.Stream does not apply it")
            raise ValueError(f"metadata has the unknown key {key!r}, expected only keys "
                             f"of docs/file-format.md after 'model.'")
        self.mean, self.deviation = 0.0, 1.0
        if "scale" in metadata:
            self.mean, self.deviation = self._scale(metadata["scale"])
        self.in_gain, self.out_gain = (
            10 ** (self._gain(metadata, f"model.{name}") / 20)
            for name in ("in_gain", "out_gain"))
        self.skip = self._skip(metadata.get("model.skip", "0"), min(inputs, outputs))
        self.activation = metadata.get("model.activation", "")
        if "model.activation" in metadata and self.activation not in ACTIVATIONS:
            raise ValueError(f"metadata model.activation is {self.activation!r}, expected one "
                             f"of {', '.join(ACTIVATIONS)}")
        self.reverse = metadata.get("model.reverse", "").split(" ")
        self.samplerate = self._number(metadata, "model.samplerate") or None
        if self.samplerate and self.samplerate < 0:
            raise ValueError(f"metadata model.samplerate is {metadata['model.samplerate']!r}, "
                             f"expected a number of at least 0")
        output = metadata.get("model.output", "steps")
        if output not in OUTPUTS:
            raise ValueError(f"metadata model.output is {output!r}, expected "
                             f"{', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}: a stream reads "
                             f"from the first step to the last")

    @staticmethod
    def _parse(text: str) -> float:
        """A finite decimal number; not-a-number for other text."""
        number = float(text) if NUMBER.fullmatch(text) else math.nan
        return number if math.isfinite(number) else math.nan

    @staticmethod
    def _number(metadata: dict[str, str], key: str) -> float:
        text = metadata.get(key, "0")
        number = Keys._parse(text)
        if math.isnan(number):
            raise ValueError(f"metadata {key} is {text!r}, expected a number")
        return number

    @staticmethod
    def _gain(metadata: dict[str, str], key: str) -> float:
        gain = Keys._number(metadata, key)
        if abs(gain) > MAX_GAIN:
            raise ValueError(f"metadata {key} is {metadata[key]!r}, expected -{MAX_GAIN} to "
                             f"{MAX_GAIN}")
        return gain

    @staticmethod
    def _scale(text: str) -> tuple[float, float]:
        numbers = [*map(Keys._parse, text.split())]
        if len(numbers) != 2 or math.isnan(sum(numbers)) or numbers[1] <= 0:
            raise ValueError(f"metadata scale is {text!r}, expected two numbers, the second "
                             f"above 0")
        return numbers[0], numbers[1]

    @staticmethod
    def _skip(text: str, most: int) -> int:
        if not (re.fullmatch("[0-9]{1,20}", text) and int(text) <= most):
            raise ValueError(f"metadata model.skip is {text!r}, expected 0 to {most}")
        return int(text)

    def before(self, x: Tensor) -> Tensor:
        """The input of the LSTM: x scaled, with in_gain."""
        if (self.mean, self.deviation, self.in_gain) == (0, 1, 1):
            return x
        return dense([(value - self.mean) / self.deviation * self.in_gain
                      for value in x.tolist()], x.shape)

    def after(self, y: Tensor, x: Tensor) -> None:
        """Applies the activation, skip, out_gain and scale to y. x is what before() gave."""
        if self.activation in ("sigmoid", "softmax"):
            getattr(y, self.activation)(y)
        elif self.activation:
            self._rows(y, getattr(self, f"_{self.activation}"))
        if self.skip:
            inputs, added = x.shape[-1], x.tolist()
            rows = [added[i:i + self.skip] for i in range(0, len(added), inputs)]
            each = iter(rows)
            self._rows(y, lambda row: [*map(sum, zip(row, next(each))), *row[self.skip:]])
        factor = self.out_gain * self.deviation
        if factor != 1 or self.mean:
            self._rows(y, lambda row: [value * factor + self.mean for value in row])

    @staticmethod
    def _rows(y: Tensor, function: Callable[[list[float]], list[float]]) -> None:
        values, size = y.tolist(), y.shape[-1]
        rows = (function(values[i:i + size]) for i in range(0, len(values), size))
        with dense([value for row in rows for value in row], y.shape) as changed:
            y.copy(changed)

    @staticmethod
    def _tanh(row: list[float]) -> list[float]:
        return [math.tanh(value) for value in row]

    @staticmethod
    def _relu(row: list[float]) -> list[float]:
        return [max(value, 0.0) for value in row]

    @staticmethod
    def _log_softmax(row: list[float]) -> list[float]:
        largest = max(row)
        total = largest + math.log(sum(math.exp(value - largest) for value in row))
        return [value - total for value in row]
