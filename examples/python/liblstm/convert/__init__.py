"""Converts an LSTM from Keras or ONNX to a safetensors file, and checks the result.

usage: python3 -m liblstm.convert MODEL.keras|MODEL.h5|MODEL.onnx OUT.safetensors

The command liblstm-convert is the same. The model is a sequence of LSTM layers of equal
size, unidirectional or bidirectional, with an optional dense layer at its end. The output
file has the prefixes "lstm" and "fc", for lstm_layer_load(), lstm_linear_load() and
PyTorch. Before it is written, both models get the same random input; their outputs must
agree within 1e-5 of the largest value.

Keras files require keras and one of its backends; ONNX files require onnx and
onnxruntime. Both require numpy.
"""
from __future__ import annotations

import argparse
import os
import sys

import liblstm

__all__ = ["Unsupported", "convert", "main"]


class Unsupported(Exception):
    """The model has a feature that liblstm does not support."""


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> str:
    """Converts a file after a check; returns a summary."""
    # The reader and NumPy are imported only when there is something to convert.
    from liblstm.convert import _model

    source = os.fspath(source)
    if source.endswith(".onnx"):
        from liblstm.convert._onnx import read
    else:
        from liblstm.convert._keras import read
    return _model.write(read(source), target)


def main() -> None:
    """Runs the command: the arguments are those of sys.argv."""
    parser = argparse.ArgumentParser(prog="liblstm-convert",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", metavar="MODEL", help="input: .keras, .h5 or .onnx file")
    parser.add_argument("target", metavar="OUT", help="output: safetensors file")
    options = parser.parse_args()
    try:
        print(convert(options.source, options.target))
    except (Unsupported, liblstm.Error, OSError, ImportError) as error:
        sys.exit(f"liblstm-convert: {options.source}: {error}")
