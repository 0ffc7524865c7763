"""LSTM networks on the CPU: the Python binding of liblstm, with ctypes only.

Names, shapes and rules are those of the C headers in include/lstm: T steps, N sequences,
I inputs, H hidden units, L layers, C classes. Every function that takes a tensor accepts
a Tensor, a float32 NumPy array, or any object with a buffer of floats, without a copy.
A failed call raises Error with the message of the library.

    rng = liblstm.Rng(0)
    net = liblstm.Layer(28, 128, layers=2, batch_first=True, rng=rng)
    net.forward(x, out=out)                # x [N, T, 28] -> out [N, T, 128]

A number of an option is that number: 0 is not a default, as it can be in C. liblstm.mnist
reads MNIST, liblstm.torch has a torch.nn.LSTM that computes here, and liblstm.convert
converts models of Keras, ONNX and PyTorch.
"""
from __future__ import annotations

from liblstm._c import (MAX_RANK, MAX_THREADS, Error, LayerConfig, Layout, LinearConfig,
                        Precision, Reduction, ScheduleKind, library)
from liblstm._file import File, file_metadata
from liblstm._layer import Layer, Tape
from liblstm._linear import Embedding, Linear
from liblstm._loss import CrossEntropy, bce, bce_backward, mse, mse_backward
from liblstm._native import size_of
from liblstm._params import Adam, Params
from liblstm._schedule import Plateau, Schedule
from liblstm._stream import Stream
from liblstm._tensor import Rng, Tensor

FLOAT32, BFLOAT16, INT8 = Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8
MEAN, SUM, NONE = Reduction.MEAN, Reduction.SUM, Reduction.NONE
PYTORCH, KERAS, ONNX, ONEDNN = Layout.PYTORCH, Layout.KERAS, Layout.ONNX, Layout.ONEDNN

__all__ = ["BFLOAT16", "FLOAT32", "INT8", "KERAS", "MAX_RANK", "MAX_THREADS", "MEAN", "NONE",
           "ONEDNN", "ONNX", "PYTORCH", "SUM", "Adam", "CrossEntropy", "Embedding", "Error",
           "File", "Layer", "LayerConfig", "Layout", "Linear", "LinearConfig", "Params",
           "Plateau", "Precision", "Reduction", "Rng", "Schedule", "ScheduleKind", "Stream",
           "Tape", "Tensor", "bce", "bce_backward", "file_metadata", "kernels_name", "mse",
           "mse_backward", "set_reproducible", "set_threads", "threads", "version"]


def version() -> str:
    """Version of the library."""
    return str(library.lstm_version().decode())


# The usual name of the same in Python.
__version__ = version()


def kernels_name() -> str:
    """Name of the kernels in use: avx512bf16, avx512, avx2, neon or generic."""
    return str(library.lstm_kernels_name().decode())


def threads() -> int:
    """Maximum number of threads of a call."""
    return int(library.lstm_threads())


def set_threads(count: int) -> None:
    """Sets the maximum number of threads of a call; 0 restores the default."""
    library.lstm_set_threads(size_of("count", count))


def set_reproducible(reproducible: bool = True) -> None:
    """Turns reproducible mode on or off: bit-identical results on every processor."""
    library.lstm_set_reproducible(reproducible)
