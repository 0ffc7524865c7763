"""Reads models of audio programs: .nam, and the JSON of RTNeural, AIDA-X and GuitarML."""
from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import liblstm
from liblstm._keys import MAX_GAIN
from liblstm.convert import Unsupported
from liblstm.convert._model import Answer, Model, Stack, bare, decibel, double_answer

if TYPE_CHECKING:
    from liblstm.convert._double import Arrays

ACTIVATIONS = {"": "", "linear": "", "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu",
               "softmax": "softmax"}
# The answers that files carry were computed in float32, often with approximate functions.
CARRIED_LIMIT = 1e-4
FLOAT32_MAX = float(np.finfo(np.float32).max)


def read(path: str, lstm_only: bool = False) -> Model:
    """Reads a file, whichever of the formats it has."""
    try:
        with open(path, encoding="utf-8") as file:
            tree = json.load(file)
    except RecursionError:
        raise Unsupported("not valid JSON: arrays or objects are nested too deeply") from None
    except ValueError as error:
        raise Unsupported(f"not valid JSON: {error}") from None
    if not isinstance(tree, dict):
        raise Unsupported("the file is not a JSON object")
    try:
        if "architecture" in tree:
            return _nam(tree)
        if isinstance(tree.get("layers"), list):
            return _keras(tree, lstm_only)
        if "state_dict" in tree:
            return _guitarml(tree, lstm_only)
        return _state_dict(tree, lstm_only)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise Unsupported(f"a member is missing or not valid: {error}") from None


def _array(values: Any, where: str, *shape: int | None) -> np.ndarray:
    """A float32 array of a shape; None stands for any extent."""
    try:
        array = np.array(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        raise Unsupported(f"{where} is not an array of numbers") from None
    if not (np.abs(array) <= FLOAT32_MAX).all():
        raise Unsupported(f"{where} has a value that is not finite in float32")
    if array.ndim != len(shape) or any(
            wanted not in (None, extent) for wanted, extent in zip(shape, array.shape)):
        expected = ", ".join("any" if extent is None else str(extent) for extent in shape)
        raise Unsupported(f"{where} is {list(array.shape)}, expected [{expected}]")
    return array.astype(np.float32)


def _number(value: Any, where: str) -> float:
    """A number, which may be a text."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Unsupported(f"{where} is {value!r}, expected a number")
    return number


def _size(value: Any, where: str) -> int:
    """A size of a layer."""
    number = _number(value, where)
    if isinstance(value, bool) or number % 1 or not 1 <= number <= 2**24:
        raise Unsupported(f"{where} is {value!r}, expected 1 to {2**24}")
    return int(number)


def _rate(keys: dict[str, str], value: Any) -> None:
    """Sets the sample rate, if it is known."""
    rate = -1 if value in (None, "") else _number(value, "the sample rate")
    if rate > 0:
        keys["samplerate"] = f"{rate:g}" if rate % 1 else str(int(rate))


def _nam(tree: dict[str, Any]) -> Model:
    """Neural Amp Modeler: flat weights."""
    if tree["architecture"] != "LSTM":
        raise Unsupported(f"the architecture is {tree['architecture']}, expected LSTM: the "
                          f"file has no LSTM that could be converted")
    config = tree["config"]
    inputs, hidden, count = (_size(config[name], name) for name in
                             ("input_size", "hidden_size", "num_layers"))
    out = _size(config.get("out_channels", 1), "out_channels")
    flat = _array(tree["weights"], "weights", None)
    expected = (4 * hidden * (inputs + hidden * (2 * count - 1)) + 6 * hidden * count
                + out * (hidden + 1))
    if len(flat) != expected:
        raise Unsupported(f"weights has {len(flat)} numbers, expected {expected} for "
                          f"num_layers {count}, hidden_size {hidden} and out_channels {out}")
    layers: list[list[Arrays]] = []
    states, position = [], 0

    def take(*shape: int) -> np.ndarray:
        nonlocal position
        start, position = position, position + math.prod(shape)
        return flat[start:position].reshape(shape)

    for index in range(count):
        size = inputs if index == 0 else hidden
        both, bias = take(4 * hidden, size + hidden), take(4 * hidden)
        layers.append([(both[:, :size], both[:, size:],
                        np.stack([bias, np.zeros_like(bias)]))])
        states.append((take(hidden), take(hidden)))
    head = take(out, hidden), take(out)
    h0, c0 = (np.stack(each) for each in zip(*states))
    keys: dict[str, str] = {}
    _rate(keys, tree.get("sample_rate"))
    return Model({"lstm": Stack("weights", liblstm.PYTORCH, layers, h0=h0, c0=c0)}, head,
                 keys=keys)


def _chain(found: list[Stack], lstm_only: bool) -> dict[str, Stack]:
    """Joins consecutive LSTM layers of equal size to one stack, under the prefix lstm; with
    lstm_only, others get the prefixes lstm0, lstm1 and so on."""
    stacks: list[Stack] = []
    for each in found:
        if stacks and stacks[-1].fits(each):
            stacks[-1].layers += each.layers
        else:
            stacks.append(each)
    if not stacks:
        raise Unsupported("no LSTM layer found")
    if len(stacks) == 1:
        return {"lstm": stacks[0]}
    if not lstm_only:
        raise bare(f"the LSTM layers have different sizes: "
                   f"{', '.join(f'{each.where} has {each.text()}' for each in stacks)}")
    return {f"lstm{index}": each for index, each in enumerate(stacks)}


def _keras(tree: dict[str, Any], lstm_only: bool) -> Model:
    """RTNeural's layers, with the keys of AIDA-X at the top."""
    found, head, activation, size = [], None, "", tree["in_shape"][-1]
    for index, layer in enumerate(tree["layers"]):
        kind, where = layer["type"], f"layer {index} ({layer['type']})"
        if kind == "lstm":
            if head and not lstm_only:
                raise bare(f"{where} comes after a dense layer, expected it before")
            units = layer["shape"][-1]
            if len(layer["weights"]) != 3:
                raise Unsupported(f"{where} has {len(layer['weights'])} arrays, expected 3")
            kernel, recurrent, bias = layer["weights"]
            found.append(Stack(where, liblstm.KERAS, [[(
                _array(kernel, f"kernel of {where}", size, 4 * units),
                _array(recurrent, f"recurrent kernel of {where}", units, 4 * units),
                _array(bias, f"bias of {where}", 4 * units))]]))
        elif lstm_only:
            pass
        elif kind in ("dense", "time-distributed-dense") and found and not head:
            head, activation = _dense(layer, where, size), layer.get("activation", "")
        elif kind == "activation" and head and not activation:
            activation = layer.get("activation", "")
        elif kind in ("dense", "time-distributed-dense"):
            raise bare(f"{where} is {'a second' if head else 'a'} dense layer"
                       f"{'' if head else ' in front of the LSTM'}, expected LSTM layers and "
                       f"then at most one dense layer")
        else:
            raise bare(f"{where} is not an LSTM or dense layer" if found or any(
                each["type"] == "lstm" for each in tree["layers"]) else
                f"{where} is not an LSTM, and the file has none")
        size = (layer.get("shape") or [size])[-1]
    stacks = _chain(found, lstm_only)
    if lstm_only:
        return Model(stacks, alone=True)
    model = Model(stacks, head, keys=_aida_keys(tree, activation))
    if "input_batch" in tree:
        model.answers = _carried(tree)
    return model


def _dense(layer: dict[str, Any], where: str, size: int) -> tuple[np.ndarray, np.ndarray | None]:
    kernel, *bias = layer["weights"]
    out = layer["shape"][-1]
    return (_array(kernel, f"kernel of {where}", size, out).T,
            _array(bias[0], f"bias of {where}", out) if bias else None)


def _aida_keys(tree: dict[str, Any], activation: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    if activation not in ACTIVATIONS:
        raise bare(f"the dense layer has activation {activation}, expected one of "
                   f"{', '.join(filter(None, ACTIVATIONS))}")
    if ACTIVATIONS[activation]:
        keys["activation"] = ACTIVATIONS[activation]
    skip = _number(tree.get("in_skip") or 0, "in_skip")
    if skip not in (0, 1):
        raise Unsupported(f"in_skip is {skip:g}, expected 0 or 1")
    if skip:
        keys["skip"] = "1"
    for name in ("in_gain", "out_gain"):
        if gain := _number(tree.get(name) or 0, name):
            if abs(gain) > MAX_GAIN:
                raise Unsupported(f"{name} is {gain:g} dB, expected -{MAX_GAIN} to {MAX_GAIN}")
            keys[name] = f"{gain:.9g}"
    metadata = tree.get("metadata") or {}
    _rate(keys, metadata.get("samplerate", tree.get("samplerate")))
    return keys


def _carried(tree: dict[str, Any]) -> Callable[[Model], Iterator[Answer]]:
    """The answers of an AIDA-X file, which are those without gains in some files."""
    def answers(model: Model) -> Iterator[Answer]:
        yield from double_answer(model)
        each, = model.stacks.values()
        x = _array(tree["input_batch"], "input_batch", None)
        y = _array(tree["output_batch"], "output_batch", len(x))
        if each.inputs != 1:
            return
        from liblstm.convert._double import stack

        best, found = math.inf, y
        for gains in (True, False):
            inside = x * decibel(model.keys.get("in_gain", "0")) if gains else x
            out, _, _ = stack(each.layout, each.layers, inside[:, None, None])
            ours = model.finish(out, inside[:, None, None])[:, 0, 0]
            outside = decibel(model.keys.get("out_gain", "0"))
            difference = np.abs(ours / (1 if gains else outside) - y).max()
            if difference < best:
                best, found = difference, y if gains else ours
        if best > CARRIED_LIMIT * max(1, np.abs(y).max()):
            raise bare(f"output_batch of the file differs from the model by {best:.2g}, "
                       f"expected at most {CARRIED_LIMIT:g}")
        yield Answer("output_batch of the file", x[:, None, None],
                     {"the answer to input_batch": found[:, None, None]},
                     limit=CARRIED_LIMIT)
    return answers


def _guitarml(tree: dict[str, Any], lstm_only: bool) -> Model:
    """GuitarML: PyTorch's state dict with a description."""
    data = tree.get("model_data") or {}
    kind = data.get("unit_type", "LSTM")
    if kind != "LSTM":
        raise Unsupported(f"unit_type is {kind}, expected LSTM: the file has no LSTM that "
                          f"could be converted")
    model = _state_dict(tree["state_dict"], lstm_only)
    each = next(iter(model.stacks.values()))
    for name, actual in (("input_size", each.inputs), ("hidden_size", each.hidden),
                         ("num_layers", len(each.layers))):
        if name in data and data[name] != actual:
            raise Unsupported(f"{name} is {data[name]}, but the tensors have {actual}")
    if not lstm_only:
        outputs = len(model.head[0]) if model.head else each.hidden
        skip = int(_number(data.get("skip") or 0, "skip"))
        if not 0 <= skip <= min(each.inputs, outputs):
            raise Unsupported(f"skip is {skip}, expected 0 to {min(each.inputs, outputs)}: "
                              f"the number of inputs that are added to the outputs")
        if skip:
            model.keys["skip"] = str(skip)
        _rate(model.keys, data.get("sample_rate", tree.get("samplerate")))
    return model


def _state_dict(tree: dict[str, Any], lstm_only: bool) -> Model:
    """A state dict of PyTorch: one nn.LSTM and at most one nn.Linear, whatever the names."""
    lstms = [name[:-len("weight_ih_l0")] for name in tree if name.endswith("weight_ih_l0")]
    if not lstms:
        raise Unsupported("no LSTM found: expected layers (RTNeural, AIDA-X), state_dict "
                          "(GuitarML), architecture (.nam), or a name that ends in "
                          "weight_ih_l0 (a state dict of PyTorch)")
    rest = [name for name in tree if not any(
        re.fullmatch(re.escape(prefix) + r"(weight|bias)_(ih|hh)_l\d+(_reverse)?", name)
        for prefix in lstms)]
    found = [_torch_stack(tree, prefix) for prefix in lstms]
    if lstm_only:
        return Model(_chain(found, True), alone=True)
    if len(found) > 1:
        raise bare(f"the file has {len(found)} LSTMs "
                   f"({', '.join(each.where for each in found)}), expected one")
    weights = [name for name in rest if re.search(r"(^|\.)weight$", name)]
    biases = [name[:-len("weight")] + "bias" for name in weights]
    others = [name for name in rest if name not in weights + biases]
    if len(weights) > 1 or others:
        raise bare(f"the file has other parts beside the LSTM: "
                   f"{', '.join(others or weights)}; expected one linear layer")
    size, head = found[0].directions * found[0].hidden, None
    if weights:
        weight = _array(tree[weights[0]], weights[0], None, size)
        head = weight, (_array(tree[biases[0]], biases[0], len(weight))
                        if biases[0] in tree else None)
    return Model(_chain(found, False), head)


def _torch_stack(tree: dict[str, Any], prefix: str) -> Stack:
    """The LSTM under a prefix, which ends with a dot unless it is empty."""
    layers: list[list[Arrays]] = []
    hidden = np.shape(tree[prefix + "weight_hh_l0"])[-1]
    gates, where = 4 * hidden, prefix.rstrip(".") or "the LSTM"
    if len(tree[prefix + "weight_hh_l0"]) == 3 * hidden:
        raise Unsupported(f"{where} has three gates, as a GRU, expected an LSTM")
    bidirectional = prefix + "weight_ih_l0_reverse" in tree
    while f"{prefix}weight_ih_l{len(layers)}" in tree:
        inputs = None if not layers else hidden * (1 + bidirectional)
        layers.append([])
        for suffix in ("", "_reverse")[:1 + bidirectional]:
            name = f"{{}}_l{len(layers) - 1}{suffix}"
            weight, recurrent, *biases = (prefix + name.format(part) for part in (
                "weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            bias = np.stack([_array(tree[each], each, gates) for each in biases]) \
                if any(each in tree for each in biases) else None
            layers[-1].append((_array(tree[weight], weight, gates, inputs),
                               _array(tree[recurrent], recurrent, gates, hidden), bias))
    return Stack(where, liblstm.PYTORCH, layers)
