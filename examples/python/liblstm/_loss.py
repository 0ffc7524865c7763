"""Losses of liblstm."""
from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_float, c_int64
from math import prod
from typing import Any

from liblstm import _native as native
from liblstm._c import MEAN, NONE, CrossEntropyConfig, LossOptions, create, library
from liblstm._tensor import Array, tensor_of


class CrossEntropy(native.Handle):
    """Cross-entropy of logits, as torch.nn.CrossEntropyLoss. class_weights is [C].
    Options: label_smoothing, zero_mean_of_none."""

    def __init__(self, reduction: int = MEAN,
                 class_weights: Sequence[float] | None = None,
                 ignore_index: int | None = None, **options: Any) -> None:
        config = CrossEntropyConfig(reduction=reduction, **options)
        if class_weights is not None:
            config.classes = len(class_weights)
            config.class_weights = (c_float * len(class_weights))(*class_weights)
        if ignore_index is not None:
            config.ignore, config.ignore_index = True, ignore_index
        super().__init__(create("lstm_cross_entropy_create", byref(config)),
                         library.lstm_cross_entropy_destroy)
        self._reduction, self._rows = reduction, 0

    def _forward(self, function, logits, targets):
        value = (c_float * (self._rows if self._reduction == NONE else 1))()
        function(self.pointer, logits.pointer, targets, value)
        return list(value) if self._reduction == NONE else value[0]

    def forward(self, logits: Array, targets: Array) -> float | list[float]:
        """logits [N, C] or [N, T, C], targets [N] or [N, T] int64 -> the loss, or a list
        of those of all rows with NONE."""
        logits = tensor_of("logits", logits)
        shape = logits.shape[:-1]
        if isinstance(targets, (list, tuple)):
            targets = (c_int64 * len(targets))(*targets)
        targets = native.Memory("targets", targets, "int64").shaped(*shape)
        self._rows = prod(shape)
        return self._forward(library.lstm_cross_entropy_forward, logits, targets.address)

    def forward_probabilities(self, logits: Array,
                              targets: Array) -> float | list[float]:
        """logits and targets [N, C] or [N, T, C] -> the loss, or a list of those of all
        rows with NONE."""
        logits, targets = tensor_of("logits", logits), tensor_of("targets", targets)
        self._rows = prod(logits.shape[:-1])
        return self._forward(library.lstm_cross_entropy_forward_probabilities, logits,
                             targets.pointer)

    def backward(self, dlogits: Array,
                 dvalue: float | Sequence[float] | None = None) -> None:
        """Computes dlogits in the shape of logits; dvalue is the gradient of the loss
        (default 1), one number, or a list for all rows with NONE."""
        dlogits = tensor_of("dlogits", dlogits, True)
        dvalue = _gradients(dvalue, self._rows if self._reduction == NONE else 1)
        library.lstm_cross_entropy_backward(self.pointer, dvalue, dlogits.pointer)


def _gradients(dvalue, expected):
    if dvalue is None:
        return None
    values = dvalue if isinstance(dvalue, (list, tuple)) else [dvalue]
    if len(values) != expected:
        raise ValueError(f"dvalue is [{len(values)}], expected [{expected}]")
    return (c_float * len(values))(*values)


def _options(reduction, mask, pos_weight):
    """The options as C takes them, and the mask, which has to live during the call."""
    options, mask = LossOptions(reduction=reduction), tensor_of("mask", mask)
    if mask is not None:
        options.mask = mask.pointer
    if pos_weight is not None:
        options.classes = len(pos_weight)
        options.pos_weight = (c_float * len(pos_weight))(*pos_weight)
    return options, mask


def _forward(function, input, target, reduction, mask, pos_weight=None):
    input, target = tensor_of("input", input), tensor_of("target", target)
    options, _kept = _options(reduction, mask, pos_weight)
    value = (c_float * (len(input) if reduction == NONE else 1))()
    function(input.pointer, target.pointer, byref(options), value)
    return list(value) if reduction == NONE else value[0]


def _backward(function, input, target, dinput, dvalue, reduction, mask, pos_weight=None):
    input, target = tensor_of("input", input), tensor_of("target", target)
    dinput = tensor_of("dinput", dinput, True)
    options, _kept = _options(reduction, mask, pos_weight)
    dvalue = _gradients(dvalue, len(input) if reduction == NONE else 1)
    function(input.pointer, target.pointer, byref(options), dvalue, dinput.pointer)


def mse(input: Array, target: Array, *, reduction: int = MEAN,
        mask: Array | None = None) -> float | list[float]:
    """Mean squared error, as torch.nn.MSELoss, or a list for all elements with NONE.
    Elements where the mask is 0 do not count; it is in the shape of input, or in that shape
    without the last axis."""
    return _forward(library.lstm_mse_forward, input, target, reduction, mask)


def mse_backward(input: Array, target: Array, dinput: Array,
                 dvalue: float | Sequence[float] | None = None, *, reduction: int = MEAN,
                 mask: Array | None = None) -> None:
    """Computes dinput; dvalue is the gradient of the loss (default 1)."""
    _backward(library.lstm_mse_backward, input, target, dinput, dvalue, reduction, mask)


def bce(input: Array, target: Array, *, reduction: int = MEAN, mask: Array | None = None,
        pos_weight: Sequence[float] | None = None) -> float | list[float]:
    """Binary cross-entropy of logits, as torch.nn.BCEWithLogitsLoss; pos_weight is [C]."""
    return _forward(library.lstm_bce_forward, input, target, reduction, mask, pos_weight)


def bce_backward(input: Array, target: Array, dinput: Array,
                 dvalue: float | Sequence[float] | None = None, *, reduction: int = MEAN,
                 mask: Array | None = None,
                 pos_weight: Sequence[float] | None = None) -> None:
    """Computes dinput; dvalue is the gradient of the loss (default 1)."""
    _backward(library.lstm_bce_backward, input, target, dinput, dvalue, reduction, mask,
              pos_weight)
