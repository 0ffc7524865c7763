"""Losses: cross-entropy, mean squared error, binary cross-entropy."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import byref, c_float
from math import prod
from typing import Any, Union, cast

from liblstm import _native as native
from liblstm._c import CrossEntropyConfig, LossOptions, Reduction, create, library
from liblstm._options import described, member, named_options
from liblstm._tensor import Array, Tensor, pointer_of, tensor_of

Reductions = Union[Reduction, int, str]


class CrossEntropy(native.Handle):
    """Cross-entropy of logits, as torch.nn.CrossEntropyLoss. reduction is "mean", "sum" or
    "none"; class_weights is [C]; rows whose target is ignore_index have loss 0, and None
    ignores no row; zero_mean_of_none makes the mean of no row 0 instead of NaN."""

    @named_options(weight="class_weights", size_average="reduction", reduce="reduction",
                   ignore="ignore_index", classes="class_weights")
    def __init__(self, reduction: Reductions = Reduction.MEAN,
                 class_weights: Sequence[float] | None = None,
                 ignore_index: int | None = None, *, label_smoothing: float = 0.0,
                 zero_mean_of_none: bool = False) -> None:
        self._reduction, self._rows = member(Reduction, "reduction", reduction), 0
        config = CrossEntropyConfig(
            reduction=self._reduction,
            label_smoothing=native.number_of("label_smoothing", label_smoothing),
            zero_mean_of_none=zero_mean_of_none)
        if class_weights is not None:
            config.classes = len(class_weights)
            config.class_weights = (c_float * len(class_weights))(*class_weights)
        if ignore_index is not None:
            config.ignore = True
            config.ignore_index = native.integer_of("ignore_index", ignore_index)
        self._shown = {
            "reduction": self._reduction if self._reduction else None,
            "class_weights": None if class_weights is None else
                             list(map(float, class_weights)),
            "ignore_index": ignore_index, "label_smoothing": label_smoothing or None,
            "zero_mean_of_none": zero_mean_of_none or None}
        super().__init__(create("lstm_cross_entropy_create", byref(config)),
                         library.lstm_cross_entropy_destroy)

    def _describe(self) -> str:
        return described(self, **self._shown)

    @named_options(input="logits", target="targets")
    def forward(self, logits: Array, targets: Array) -> float | list[float]:
        """logits [N, C] or [N, T, C], targets [N] or [N, T] int64 -> the loss, or a list
        of those of all rows with "none"."""
        logits = tensor_of("logits", logits)
        shape = logits.shape[:-1]
        if isinstance(targets, (list, tuple)):
            targets = native.integers_of("target", targets)
        targets = native.Memory("targets", targets, "int64").shaped(*shape)
        self._rows = prod(shape)
        return _values(self._reduction, self._rows, lambda value: (
            library.lstm_cross_entropy_forward(self.pointer, logits.pointer,
                                               targets.address, value)))

    def forward_probabilities(self, logits: Array,
                              targets: Array) -> float | list[float]:
        """logits and targets [N, C] or [N, T, C] -> the loss, or a list of those of all
        rows with "none"."""
        logits, targets = tensor_of("logits", logits), tensor_of("targets", targets)
        self._rows = prod(logits.shape[:-1])
        return _values(self._reduction, self._rows, lambda value: (
            library.lstm_cross_entropy_forward_probabilities(
                self.pointer, logits.pointer, targets.pointer, value)))

    def backward(self, dlogits: Array,
                 dvalue: float | Sequence[float] | None = None) -> None:
        """Computes dlogits in the shape of logits; dvalue is the gradient of the loss
        (default 1), one number, or a list for all rows with "none"."""
        dlogits = tensor_of("dlogits", dlogits, True)
        gradients = _gradients(dvalue, self._reduction, self._rows)
        library.lstm_cross_entropy_backward(self.pointer, gradients, dlogits.pointer)


def _values(reduction: Reduction, count: int,
            function: Callable[[Any], Any]) -> float | list[float]:
    """The value that a function writes, or all of them with "none"."""
    value = (c_float * (count if reduction is Reduction.NONE else 1))()
    function(value)
    return list(value) if reduction is Reduction.NONE else float(value[0])


def _gradients(dvalue: float | Sequence[float] | None, reduction: Reduction,
               count: int) -> Any:
    """The gradient of the loss for C."""
    if dvalue is None:
        return None
    # A NumPy array is no Sequence, and a number of NumPy no float.
    values = cast("Sequence[float]", dvalue if hasattr(dvalue, "__len__") else [dvalue])
    expected = count if reduction is Reduction.NONE else 1
    if len(values) != expected:
        raise ValueError(f"dvalue is [{len(values)}], expected [{expected}]")
    return (c_float * len(values))(*values)


class _Loss:
    """The tensors and options of a call."""

    def __init__(self, input: Array, target: Array, reduction: Reductions, mask: Array,
                 pos_weight: Sequence[float] | None = None) -> None:
        self.input, self.target = tensor_of("input", input), tensor_of("target", target)
        self.reduction = member(Reduction, "reduction", reduction)
        self.options = LossOptions(reduction=self.reduction)
        self.mask = None if mask is None else tensor_of("mask", mask)
        self.pointers = [pointer_of(tensor, Tensor)
                         for tensor in (self.input, self.target, self.mask)]
        if self.mask is not None:
            self.options.mask = self.pointers[2]
        if pos_weight is not None:
            self.options.classes = len(pos_weight)
            self.options.pos_weight = (c_float * len(pos_weight))(*pos_weight)

    def forward(self, function: Callable[..., Any]) -> float | list[float]:
        """Calls the C function of a forward."""
        return _values(self.reduction, len(self.input), lambda value: function(
            *self.pointers[:2], byref(self.options), value))

    def backward(self, function: Callable[..., Any], dinput: Array,
                 dvalue: float | Sequence[float] | None) -> None:
        """Calls the C function of a backward."""
        dinput = tensor_of("dinput", dinput, True)
        gradients = _gradients(dvalue, self.reduction, len(self.input))
        function(*self.pointers[:2], byref(self.options), gradients, dinput.pointer)


@named_options(size_average="reduction", reduce="reduction", weight="mask")
def mse(input: Array, target: Array, *, reduction: Reductions = Reduction.MEAN,
        mask: Array | None = None) -> float | list[float]:
    """Mean squared error, as torch.nn.MSELoss, of input and target of any one shape, or a
    list for all elements with reduction "none". Elements where the mask is 0 do not count;
    it is in the shape of input, or in that shape without the last axis."""
    return _Loss(input, target, reduction, mask).forward(library.lstm_mse_forward)


@named_options(size_average="reduction", reduce="reduction", weight="mask")
def mse_backward(input: Array, target: Array, dinput: Array,
                 dvalue: float | Sequence[float] | None = None, *,
                 reduction: Reductions = Reduction.MEAN,
                 mask: Array | None = None) -> None:
    """Computes dinput in the shape of input; dvalue is the gradient of the loss (default
    1)."""
    _Loss(input, target, reduction, mask).backward(library.lstm_mse_backward, dinput, dvalue)


@named_options(size_average="reduction", reduce="reduction", weight="mask")
def bce(input: Array, target: Array, *, reduction: Reductions = Reduction.MEAN,
        mask: Array | None = None,
        pos_weight: Sequence[float] | None = None) -> float | list[float]:
    """Binary cross-entropy of logits, as torch.nn.BCEWithLogitsLoss: input and target
    [..., C], pos_weight [C]; the rest as in mse()."""
    return _Loss(input, target, reduction, mask, pos_weight).forward(
        library.lstm_bce_forward)


@named_options(size_average="reduction", reduce="reduction", weight="mask")
def bce_backward(input: Array, target: Array, dinput: Array,
                 dvalue: float | Sequence[float] | None = None, *,
                 reduction: Reductions = Reduction.MEAN, mask: Array | None = None,
                 pos_weight: Sequence[float] | None = None) -> None:
    """Computes dinput in the shape of input; dvalue is the gradient of the loss (default
    1)."""
    _Loss(input, target, reduction, mask, pos_weight).backward(
        library.lstm_bce_backward, dinput, dvalue)
