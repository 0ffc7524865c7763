"""Reads Keras models for liblstm.convert."""
from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import liblstm
from liblstm.convert import Unsupported
from liblstm.convert._keras_file import LSTMS, KerasFile, KerasLayer, read_file
from liblstm.convert._model import Answer, Model, Stack, bare, double_answer

if TYPE_CHECKING:
    from liblstm.convert._double import Arrays

# Layers that do nothing when a model computes.
NOTHING = {"InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise",
           "AlphaDropout", "ActivityRegularization"}
ACTIVATIONS = ("sigmoid", "tanh", "relu", "softmax", "log_softmax")
EXPECTED = {"activation": "tanh", "recurrent_activation": "sigmoid", "return_state": False,
            "time_major": False}


def read(path: str, lstm_only: bool = False) -> Model:
    """Reads a model, or all of its LSTM layers."""
    file = read_file(path)
    if not any(layer.kind in (*LSTMS, "Bidirectional") for layer in file.layers):
        raise Unsupported("the model has no LSTM layer, but "
                          + ", ".join(f"{each.name} ({each.kind})" for each in file.layers))
    if not lstm_only:
        _check_chain(file)
    model = _model(file, lstm_only)
    whole = not lstm_only and not file.weights_only

    def answers(part: Model) -> Iterator[Answer]:
        yield from _answers(path if whole else None, part)

    model.answers, model.alone = answers, not whole
    if file.weights_only and not lstm_only:
        model.notes.append("the file has weights only: LSTM layers are taken as forward, with "
                           "tanh and sigmoid, the head without activation")
    return model


def _check_chain(file: KerasFile) -> None:
    """Fails unless each layer reads the one before it."""
    used: set[str] = set()
    for layer in file.layers:
        if layer.inbound is None:
            continue
        if len(layer.inbound) > 1:
            raise bare(f"layer {layer.name} ({layer.kind}) joins {', '.join(layer.inbound)}")
        if used.intersection(layer.inbound):
            raise bare(f"layer {layer.inbound[0]} is read by several layers, {layer.name} "
                       f"({layer.kind}) among them")
        used.update(layer.inbound)


def _model(file: KerasFile, lstm_only: bool) -> Model:
    stacks: list[Stack] = []
    model = Model({})
    for layer in file.layers:
        where = f"layer {layer.name} ({layer.kind})"
        if layer.kind in NOTHING:
            continue
        if layer.kind in (*LSTMS, "Bidirectional"):
            try:
                _append(stacks, _stack(layer, where), lstm_only or None)
            except Unsupported as error:
                if not lstm_only:
                    raise bare(str(error)) from None
                model.notes.append(f"left out: {error}")
            if model.head and not lstm_only:
                raise bare(f"{where} comes after a dense layer, expected it before")
        elif not lstm_only:
            _around(model, layer, where, bool(stacks))
    if not stacks:
        raise Unsupported("; ".join(model.notes))
    model.stacks = {"lstm": stacks[0]} if len(stacks) == 1 else {
        f"lstm{index}": each for index, each in enumerate(stacks)}
    return model


def _append(stacks: list[Stack], each: Stack, separate: bool | None) -> None:
    """Adds a layer to the last stack if it fits. A layer after one that goes backwards reads
    the steps in that order."""
    if stacks:
        last = stacks[-1]
        size = last.directions * last.hidden
        if (each.directions, each.hidden) == (last.directions, last.hidden) \
                and each.inputs == size and not each.reverse:
            last.layers += each.layers
            last.where += f", {each.where}"
            return
        if not separate:
            reason = "goes backwards after another LSTM" if each.reverse else \
                f"has {each.text()}, the LSTM before it {last.text()}"
            raise Unsupported(f"{each.where} {reason}")
    stacks.append(each)


def _stack(layer: KerasLayer, where: str) -> Stack:
    """One LSTM layer of one or two directions."""
    if layer.kind in LSTMS:
        _check(layer.config, where, layer.kind)
        return Stack(where, liblstm.KERAS, [[_arrays(layer.arrays, where)]],
                     reverse=bool(layer.config.get("go_backwards")))
    inner = layer.config.get("layer", {"class_name": "LSTM", "config": {}})
    if inner["class_name"] not in LSTMS or layer.config.get("merge_mode", "concat") != "concat":
        raise Unsupported(f"{where} has {inner['class_name']} layers and merge_mode "
                          f"{layer.config.get('merge_mode')}, expected LSTM and concat")
    backward = (layer.config.get("backward_layer") or inner)["config"]
    for config in (inner["config"], backward):
        _check(config, where, inner["class_name"])
    if inner["config"].get("go_backwards"):
        raise Unsupported(f"the forward layer of {where} goes backwards")
    half = len(layer.arrays) // 2
    return Stack(where, liblstm.KERAS, [[_arrays(layer.arrays[:half], where),
                                         _arrays(layer.arrays[half:], where)]])


def _check(config: dict[str, Any], where: str, kind: str) -> None:
    for name, value in EXPECTED.items():
        if kind == "LSTM" and config.get(name, value) != value:
            raise Unsupported(f"{where} has {name} {config[name]}, expected {value}")


def _arrays(arrays: list[np.ndarray], where: str) -> Arrays:
    """Kernel [I, 4H], recurrent kernel [H, 4H] and bias [4H] of one direction. cuDNN has two
    biases, [8H], and the memory of each gate's part of a kernel is [H, I]."""
    if len(arrays) not in (2, 3):
        raise Unsupported(f"{where} has {len(arrays)} arrays, expected 2 or 3")
    kernel, recurrent, *bias = arrays
    hidden = recurrent.shape[0]
    if recurrent.shape[1:] != (4 * hidden,) or kernel.shape[1:] != (4 * hidden,):
        raise Unsupported(f"{where} has arrays {list(kernel.shape)} and "
                          f"{list(recurrent.shape)}, expected [I, 4H] and [H, 4H]")
    if bias and bias[0].size == 8 * hidden:
        kernel, recurrent = (np.hstack([gate.reshape(hidden, -1).T for gate in
                                        np.hsplit(each, 4)]) for each in (kernel, recurrent))
        bias = [bias[0].reshape(2, -1).sum(0)]
    return kernel, recurrent, bias[0] if bias else None


def _around(model: Model, layer: KerasLayer, where: str, after: bool) -> None:
    """An embedding, the head, or its activation."""
    config, kind = layer.config, layer.kind
    if kind == "TimeDistributed" and config["layer"]["class_name"] == "Dense":
        config, kind = config["layer"]["config"], "Dense"
    if kind == "Embedding" and not after and model.embedding is None:
        if config.get("mask_zero"):
            raise bare(f"{where} has mask_zero, which leaves steps out")
        model.embedding = layer.arrays[0]
    elif kind == "Dense" and after and not model.head and "activation" not in model.keys:
        kernel, *bias = layer.arrays
        model.head = kernel.T, bias[0] if bias else None
        _activation(model, config.get("activation", "linear"), where)
    elif kind == "Dense":
        raise bare(f"{where} is {'a second' if model.head else 'a'} dense layer"
                   f"{'' if after else ' in front of the LSTM'}, expected one, after the LSTM")
    elif kind in ("Activation", "ReLU", "Softmax") and after:
        plain: dict[str, dict[str, int | None]] = {
            "ReLU": {"max_value": None, "negative_slope": 0, "threshold": 0},
            "Softmax": {"axis": -1}}
        if any(config.get(name) not in (None, value)
               for name, value in plain.get(kind, {}).items()):
            raise bare(f"{where} has other options than the defaults")
        _activation(model, config["activation"] if kind == "Activation" else kind.lower(), where)
    else:
        raise bare(f"{where} is not something that a file can say: expected an embedding, "
                   f"LSTM layers, one dense layer and an activation")


def _activation(model: Model, name: Any, where: str) -> None:
    name = name.get("config", name.get("class_name")) if isinstance(name, dict) else name
    if name in (None, "linear"):
        return
    if name not in ACTIVATIONS or "activation" in model.keys:
        raise bare(f"{where} has activation {name}, expected one of {', '.join(ACTIVATIONS)}"
                   f"{', and only one' * ('activation' in model.keys)}")
    model.keys["activation"] = name


def _keras() -> Any:
    """The module, or None without it or a backend."""
    installed = [name for name in ("tensorflow", "jax", "torch")
                 if importlib.util.find_spec(name)]
    if not installed or not importlib.util.find_spec("keras"):
        return None
    os.environ.setdefault("KERAS_BACKEND", installed[0])
    try:
        return importlib.import_module("keras")
    except ImportError:
        return None


def _answers(path: str | None, part: Model) -> Iterator[Answer]:
    """The answer of the model in Keras, or else of its LSTM layers in Keras, or else of
    NumPy."""
    keras = _keras()
    if keras is None:
        yield from double_answer(part)
        return
    if path is not None:
        try:
            model = keras.saving.load_model(path, compile=False)
        except (ValueError, TypeError, AttributeError):  # Keras does not know an older class.
            model = None
        if model is not None:
            yield _whole(model, part)
            return
    yield from double_answer(part)
    yield _layers(keras, part)


def _whole(model: Any, part: Model) -> Answer:
    """The answer of a model of Keras for a random input."""
    rng, shape = np.random.default_rng(1), list(model.input_shape)
    for axis, extent in enumerate((3, 7)):
        shape[axis] = shape[axis] or extent
    x: np.ndarray
    values: np.ndarray
    if part.embedding is None:
        values = x = rng.uniform(-1, 1, shape).astype(np.float32)
    else:
        x = rng.integers(0, len(part.embedding), shape)
        values = part.embedding[x]
    y = np.asarray(model.predict(x, batch_size=shape[0], verbose=0))
    return Answer("Keras", values.swapaxes(0, 1), {"output": y})


def _layers(keras: Any, part: Model) -> Answer:
    """The answer of LSTM layers that Keras makes with the same arrays."""
    (each,), rng = part.stacks.values(), np.random.default_rng(2)
    x = rng.uniform(-1, 1, (3, 7, each.inputs)).astype(np.float32)
    made = [keras.layers.Input((7, each.inputs))]
    for index, arrays in enumerate(each.layers):
        layer = keras.layers.LSTM(each.hidden, return_sequences=True,
                                  use_bias=arrays[0][2] is not None,
                                  go_backwards=each.reverse and index == 0)
        made.append(keras.layers.Bidirectional(layer) if len(arrays) == 2 else layer)
    model = keras.Sequential(made)
    model.set_weights([array for arrays in each.layers for one in arrays for array in one
                       if array is not None])
    y = np.asarray(model.predict(x, verbose=0), np.float64).swapaxes(0, 1)
    y = y[::-1] if each.reverse else y
    x = x.swapaxes(0, 1)
    return Answer("Keras's LSTM", x, {"output": part.finish(y, x)})
