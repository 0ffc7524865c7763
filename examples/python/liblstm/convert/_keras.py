"""Reads Keras models."""
from __future__ import annotations

import importlib.util
import os

import numpy as np

import liblstm
from liblstm.convert import Unsupported
from liblstm.convert._model import Answer, Model, Stack, hidden_size


def read(path: str, lstm_only: bool = False) -> Model:
    """Reads a sequence of LSTM layers from a Keras 3 or HDF5 file."""
    installed = [name for name in ("tensorflow", "jax", "torch")
                 if importlib.util.find_spec(name)]
    if installed:
        os.environ.setdefault("KERAS_BACKEND", installed[0])
    import keras

    try:
        model = keras.saving.load_model(path, compile=False)
    except ValueError as error:
        raise Unsupported(str(error).splitlines()[0]) from None
    layers, head, softmax = [], None, False
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("InputLayer", "Dropout"):
            continue
        if head or kind not in ("LSTM", "Bidirectional", "Dense"):
            raise Unsupported(f"layer {layer.name} is a {kind}, expected LSTM layers and "
                              f"a final Dense")
        if kind == "Dense":
            head, softmax = _dense(layer)
        else:
            layers.append(_directions(layer))
    hidden_size(layers, 0)
    batch, steps, inputs = model.input_shape
    batch_first, probe = True, (batch or 3, steps or 7, inputs)
    each = Stack("LSTM layers", liblstm.KERAS, layers)

    def run(x):
        return np.asarray(model.predict(x, verbose=0))

    def answers(_):
        x = np.random.default_rng(1).uniform(-1, 1, probe).astype(np.float32)
        yield Answer("Keras", x.swapaxes(0, 1) if batch_first else x, {"output": run(x)})

    keys = {"activation": "softmax"} if softmax else {}
    return Model({"lstm": each}, head, keys=keys, answers=answers)


def _directions(layer):
    """Arrays of each direction."""
    if type(layer).__name__ == "LSTM":
        return [_arrays(layer, False)]
    if type(layer.forward_layer).__name__ != "LSTM" or layer.merge_mode != "concat":
        raise Unsupported(f"layer {layer.name} has merge_mode {layer.merge_mode}, expected "
                          f"two LSTM layers and concat")
    return [_arrays(layer.forward_layer, False), _arrays(layer.backward_layer, True)]


def _arrays(layer, backwards):
    config = layer.get_config()
    expected = {"activation": "tanh", "recurrent_activation": "sigmoid",
                "go_backwards": backwards, "return_state": False, "stateful": False}
    for name, value in expected.items():
        if config[name] != value:
            raise Unsupported(f"layer {layer.name} has {name} {config[name]}, expected "
                              f"{value}")
    kernel, recurrent, *bias = layer.get_weights()
    return kernel, recurrent, bias[0] if bias else None


def _dense(layer):
    activation = layer.get_config()["activation"]
    if activation not in ("linear", "softmax"):
        raise Unsupported(f"layer {layer.name} has activation {activation}, expected linear "
                          f"or softmax")
    kernel, *bias = layer.get_weights()
    head = kernel.T, bias[0] if bias else np.zeros(kernel.shape[1])
    return head, activation == "softmax"
