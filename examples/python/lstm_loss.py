"""Losses of liblstm, for lstm.py."""
from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_float, c_int64
from typing import Any

import lstm_native as native
from lstm_c import MEAN, NONE, CrossEntropyConfig, create, library
from lstm_tensor import Array, tensor_of


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

    def forward(self, logits: Array, targets: Array) -> float | list[float]:
        """logits [N, C], targets [N] int64 -> the loss, or a list of N with NONE."""
        logits = tensor_of("logits", logits)
        rows = logits.shape[0]
        if isinstance(targets, (list, tuple)):
            targets = (c_int64 * len(targets))(*targets)
        targets = native.Memory("targets", targets, "int64").shaped(rows)
        value = (c_float * (rows if self._reduction == NONE else 1))()
        library.lstm_cross_entropy_forward(self.pointer, logits.pointer,
                                            targets.address, value)
        self._rows = rows
        return list(value) if self._reduction == NONE else value[0]

    def forward_probabilities(self, logits: Array,
                              targets: Array) -> float | list[float]:
        """logits and targets [N, C] -> the loss, or a list of N with NONE."""
        logits, targets = tensor_of("logits", logits), tensor_of("targets", targets)
        rows = logits.shape[0]
        value = (c_float * (rows if self._reduction == NONE else 1))()
        library.lstm_cross_entropy_forward_probabilities(self.pointer, logits.pointer,
                                                         targets.pointer, value)
        self._rows = rows
        return list(value) if self._reduction == NONE else value[0]

    def backward(self, dlogits: Array,
                 dvalue: float | Sequence[float] | None = None) -> None:
        """Computes dlogits [N, C]; dvalue is the gradient of the loss (default 1), one
        number, or [N] with NONE."""
        dlogits = tensor_of("dlogits", dlogits, True)
        if dvalue is not None:
            values = dvalue if isinstance(dvalue, (list, tuple)) else [dvalue]
            expected = self._rows if self._reduction == NONE else 1
            if len(values) != expected:
                raise ValueError(f"dvalue is [{len(values)}], expected [{expected}]")
            dvalue = (c_float * len(values))(*values)
        library.lstm_cross_entropy_backward(self.pointer, dvalue, dlogits.pointer)
