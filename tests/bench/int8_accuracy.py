"""Compares models with int8 weights (LSTM_INT8) with the same models in float32.

usage: int8_accuracy.py charlm MODEL TEXT
       int8_accuracy.py amp MODEL DRY.wav WET.wav

charlm prints the bits per character of the last tenth of TEXT. amp prints the
error-to-signal ratio (ESR) of the sounds, and that of int8 to the sound of float32.
The environment has LIBLSTM. MNIST: mnist-train --load MODEL --epochs 0 --precision int8.
"""
import pathlib
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "examples/python"), str(HERE.parent / "support")]

import liblstm
import sounds


def layers_of(path, precision):
    """The layer of a model in a precision, and its head."""
    file = liblstm.File(path)
    loaded = liblstm.Layer.load(file)
    config = loaded.config
    layer = liblstm.Layer(config.inputs, config.hidden, config.layers, precision=precision)
    params = liblstm.Params(lstm=layer)
    params.load(path, allow_surplus=True)
    layer.train(False)
    return layer, liblstm.Linear.load(file, "fc")


def outputs(path, precision, x):
    """The outputs of the head at each step of one sequence [T, I]."""
    layer, head = layers_of(path, precision)
    hidden = numpy.zeros((len(x), 1, layer.output_size), numpy.float32)
    layer.forward(x[:, None], out=hidden)
    y = numpy.zeros((len(x), head.config.outputs), numpy.float32)
    head.forward(hidden[:, 0], y)
    return y


def charlm(path, text):
    codes = numpy.frombuffer(pathlib.Path(text).read_bytes(), numpy.uint8)
    codes = codes[-(len(codes) // 10):]
    x = numpy.array(liblstm.File(path).read("embedding.weight"))[codes[:-1]]
    for precision in "fp32", "int8":
        logits = outputs(path, precision, x).astype(float)
        largest = logits.max(axis=1)
        total = largest + numpy.log(numpy.exp(logits - largest[:, None]).sum(axis=1))
        loss = (total - logits[numpy.arange(len(x)), codes[1:]]).mean() / numpy.log(2)
        print(f"{precision}: {loss:.4f} bits per byte")


def esr(found, wanted):
    return ((found - wanted)**2).sum() / (wanted**2).sum()


def amp(path, dry, wet):
    x, wanted = (numpy.array(sounds.read(pathlib.Path(each)), numpy.float32)
                 for each in (dry, wet))
    played = {precision: x + outputs(path, precision, x[:, None])[:, 0]
              for precision in ("fp32", "int8")}
    for precision, sound in played.items():
        print(f"{precision}: ESR {esr(sound, wanted):.3g}")
    print(f"int8 to fp32: ESR {esr(played['int8'], played['fp32']):.3g}")


if __name__ == "__main__":
    if sys.argv[1:2] not in (["charlm"], ["amp"]):
        sys.exit(__doc__)
    {"charlm": charlm, "amp": amp}[sys.argv[1]](*sys.argv[2:])
