"""Converts models of other programs to safetensors files, and checks the result.

usage: python3 -m liblstm.convert [--lstm-only] MODEL OUT.safetensors

The command liblstm-convert is the same. It reads

- .onnx: what PyTorch's exporters and others write;
- .keras, .h5 and .weights.h5 of Keras, also weights only;
- .nam of Neural Amp Modeler; .json of RTNeural, AIDA-X and GuitarML.

The model is an LSTM of equal layers with an optional embedding in front of it, and an
optional linear layer with an activation behind it. The file has the prefixes "lstm", "fc"
and "embedding", and keys of the metadata for what is more than tensors (docs/file-format.md).
With --lstm-only, the LSTMs of any model are converted, without what is around them.

The file is loaded and compared with the model before it gets its name: with ONNX Runtime
or Keras if they are installed, with the answers in the file if there are any, and else with
NumPy in double precision. They must agree within 1e-5 of the largest value.

All formats require numpy; ONNX requires onnx, and Keras requires h5py.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import liblstm

if TYPE_CHECKING:
    from liblstm.convert._model import Model

__all__ = ["Unsupported", "convert", "main"]


# What reading an array or a member of the wrong form raises.
DAMAGED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Unsupported(Exception):
    """The model has a feature that liblstm does not support, or the file is damaged. The
    message is one line: control characters of the file become blanks."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(each if each.isprintable() else " " for each in message))


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str],
            lstm_only: bool = False) -> str:
    """Converts a file after a check; returns a summary. With lstm_only, only the LSTMs of
    the model are converted."""
    source = os.fspath(source)
    # The readers and NumPy are imported only when there is something to convert.
    read = _reader(source)
    if not os.path.exists(source):
        raise FileNotFoundError("there is no such file")
    from liblstm.convert import _model

    _check_target(source, os.fspath(target))
    try:
        return _model.write(read(source, lstm_only), target)
    except DAMAGED as error:
        raise Unsupported(f"a part of the file is missing or not valid: {error}") from error


def _check_target(source: str, target: str) -> None:
    """Refuses what the result must not replace: the model, folders and devices."""
    if not os.path.exists(target):
        return
    if os.path.exists(source) and os.path.samefile(source, target):
        raise Unsupported("MODEL and OUT are the same file")
    if not os.path.isfile(target):
        raise Unsupported(f"{target} is not a regular file: it cannot be replaced")


def _reader(source: str) -> Callable[[str, bool], Model]:
    """The function that reads a file, by the end of its name."""
    if source.endswith(".onnx"):
        from liblstm.convert._onnx import read
    elif source.endswith((".json", ".nam", ".aidax")):
        from liblstm.convert._json import read
    elif source.endswith((".keras", ".h5", ".hdf5")):
        from liblstm.convert._keras import read
    elif source.endswith(".safetensors"):
        raise Unsupported("a safetensors file needs no conversion: Layer.load(path, prefix) "
                          "reads it")
    elif source.endswith((".pt", ".pth", ".bin")):
        raise Unsupported("a file of PyTorch needs no conversion: "
                          "safetensors.torch.save_file(model.state_dict(), path) writes a "
                          "file that Layer.load(path, prefix) reads")
    else:
        raise Unsupported("unknown kind of file, expected .onnx, .keras, .h5, .json or .nam")
    return read


def main() -> None:
    """Runs the command: the arguments are those of sys.argv."""
    parser = argparse.ArgumentParser(prog="liblstm-convert",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", metavar="MODEL",
                        help="input: .onnx, .keras, .h5, .json or .nam file")
    parser.add_argument("target", metavar="OUT", help="output: safetensors file")
    parser.add_argument("--lstm-only", action="store_true",
                        help="convert the LSTMs alone, whatever is around them")
    options = parser.parse_args()
    try:
        print(convert(options.source, options.target, options.lstm_only))
    except ModuleNotFoundError as error:
        sys.exit(f"liblstm-convert: {options.source}: the conversion needs the package "
                 f"{error.name}: pip install {error.name}")
    except (Unsupported, liblstm.Error, OSError, ImportError) as error:
        sys.exit(f"liblstm-convert: {options.source}: {error}")
