"""LSTM layers and heads in double precision, with NumPy only.

The converters compare liblstm with this where no framework is installed. It shares no
code with the library: it reads the arrays of each layout by itself."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

import liblstm

if TYPE_CHECKING:
    from typing import Optional

    # input, recurrent and bias of one direction of a layer, in one of the layouts
    Arrays = tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]
    # results of a layer: out, hn and cn
    Results = tuple[np.ndarray, np.ndarray, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax along the last axis."""
    x = x - x.max(-1, keepdims=True)
    result: np.ndarray = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return result


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0),
    "softmax": lambda x: np.exp(log_softmax(x)), "log_softmax": log_softmax}


def gates(layout: int, arrays: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W [4H, I], R [4H, H] and b [4H] with the gates i, f, g, o, in double precision."""
    weight, recurrent = (np.asarray(a, np.float64) for a in arrays[:2])
    if layout == liblstm.KERAS:
        weight, recurrent = weight.T, recurrent.T
    rows = len(weight)
    bias = np.zeros(rows) if arrays[2] is None else \
        np.asarray(arrays[2], np.float64).reshape(-1, rows).sum(0)
    if layout == liblstm.ONNX:
        order = np.arange(rows).reshape(4, -1)[[0, 2, 3, 1]].ravel()
        weight, recurrent, bias = weight[order], recurrent[order], bias[order]
    return weight, recurrent, bias


def direction(parts: tuple[np.ndarray, np.ndarray, np.ndarray], x: np.ndarray,
              h: np.ndarray, c: np.ndarray, lengths: np.ndarray, reverse: bool) -> Results:
    """One direction: x [T, N, I], h and c [N, H], lengths [N] -> out [T, N, H], hn, cn."""
    weight, recurrent, bias = parts
    steps, batch = x.shape[:2]
    out = np.zeros((steps, batch, recurrent.shape[1]))
    h, c = np.array(h, np.float64), np.array(c, np.float64)
    for t in range(steps)[::-1 if reverse else 1]:
        i, f, g, o = np.split(x[t] @ weight.T + h @ recurrent.T + bias, 4, axis=1)
        runs = (t < lengths)[:, None]
        c = np.where(runs, sigmoid(f) * c + sigmoid(i) * np.tanh(g), c)
        h = np.where(runs, sigmoid(o) * np.tanh(c), h)
        out[t] = np.where(runs, h, 0)
    return out, h, c


def stack(layout: int, layers: list[list[Arrays]], x: np.ndarray,
          h0: np.ndarray | None = None, c0: np.ndarray | None = None,
          lengths: np.ndarray | None = None) -> Results:
    """All layers: x [T, N, I], states [L*D, N, H] -> out [T, N, D*H], hn, cn."""
    x = np.asarray(x, np.float64)
    hn: list[np.ndarray] = []
    cn: list[np.ndarray] = []
    lengths = np.full(x.shape[1], len(x)) if lengths is None else np.asarray(lengths)
    for each in layers:
        found = []
        for reverse, arrays in enumerate(each):
            parts, row = gates(layout, arrays), len(hn)
            zeros = np.zeros((x.shape[1], parts[1].shape[1]))
            out, h, c = direction(parts, x, zeros if h0 is None else h0[row],
                                  zeros if c0 is None else c0[row], lengths, bool(reverse))
            found.append(out)
            hn.append(h)
            cn.append(c)
        x = np.concatenate(found, 2)
    return x, np.stack(hn), np.stack(cn)
