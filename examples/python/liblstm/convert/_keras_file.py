"""Reads the layers of Keras files with h5py: .keras, .h5, and files of weights only."""
from __future__ import annotations

import dataclasses
import importlib
import io
import itertools
import json
import re
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from liblstm.convert import DAMAGED, Unsupported

# The module has no types.
h5py: Any = importlib.import_module("h5py")

if TYPE_CHECKING:
    class Group(Mapping[str, Any]):
        """What is used of h5py.Group: groups, or data sets, by name."""
        attrs: Mapping[str, Any]

LSTMS = ("LSTM", "CuDNNLSTM")


@dataclasses.dataclass
class KerasLayer:
    """A layer with its arrays in Keras's order; config is empty in files of weights only."""
    name: str
    kind: str
    config: dict[str, Any]
    arrays: list[np.ndarray]
    inbound: list[str] | None = None


@dataclasses.dataclass
class KerasFile:
    """Layers in order. Files of weights only have no configs."""
    layers: list[KerasLayer]
    weights_only: bool


def read_file(path: str) -> KerasFile:
    """Reads any of the kinds of files."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
                weights = io.BytesIO(archive.read("model.weights.h5"))
            with h5py.File(weights, "r") as file:
                return KerasFile(_new_layers(config, file), False)
        with h5py.File(path, "r") as file:
            if "model_config" in file.attrs:
                return KerasFile(_old_layers(json.loads(file.attrs["model_config"]),
                                             file["model_weights"]), False)
            if "layer_names" in file.attrs:
                return KerasFile(_old_weights(file), True)
            return KerasFile(_new_weights(file), True)
    except (OSError, zipfile.BadZipFile, *DAMAGED) as error:
        raise Unsupported(f"not a Keras file that can be read: {error}") from None


def _configs(model: dict[str, Any]) -> list[KerasLayer]:
    """The layers of a config, without arrays."""
    if model["class_name"] not in ("Sequential", "Functional", "Model"):
        raise Unsupported(f"the model is a {model['class_name']}, expected Sequential or "
                          f"Functional")
    config, found = model["config"], []
    for each in config if isinstance(config, list) else config["layers"]:
        inbound = sorted(_names(each["inbound_nodes"])) if "inbound_nodes" in each else None
        found.append(KerasLayer(each["config"].get("name", each.get("name", "")),
                                each["class_name"], each["config"], [], inbound))
    return found


def _names(tree: Any) -> set[str]:
    """Layers that a layer reads: ["name", 0, 0] in the nodes of its config."""
    if isinstance(tree, dict):
        return set().union(*map(_names, tree.values()))
    if not isinstance(tree, list):
        return set()
    if len(tree) > 2 and isinstance(tree[0], str) and all(isinstance(i, int) for i in tree[1:3]):
        return {tree[0]}
    return set().union(*map(_names, tree))


def snake_case(name: str) -> str:
    """Name of a class as Keras names folders: TimeDistributed is time_distributed."""
    name = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _numbers(data: Any, name: str) -> np.ndarray:
    """The values of a data set, which are numbers."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiu":
        raise Unsupported(f"array {name} has values of type {array.dtype}, expected numbers")
    return array


def _variables(group: Group) -> list[np.ndarray]:
    """Arrays of a layer of Keras 3, its inner layers first to last."""
    for inner in ("cell", "layer", "forward_layer"):
        if inner in group:
            return [array for name in (inner, "backward_layer") if name in group
                    for array in _variables(group[name])]
    variables = group.get("vars", {})
    # An old container named the cell's variables after the layer.
    return [_numbers(variables[key], key) for key in sorted(variables, key=int)]


def _container(file: Group) -> Group:
    for name in ("layers", "_layer_checkpoint_dependencies"):
        if name in file:
            group: Group = file[name]
            return group
    raise Unsupported("the file has no layers: expected a model or weights of Keras")


def _new_layers(model: dict[str, Any], file: Group) -> list[KerasLayer]:
    """Layers of a .keras file: folders are numbered by class, and may carry the name."""
    container = _container(file)
    used: dict[str, int] = {}
    named = {group["vars"].attrs["name"]: group for group in container.values()
             if "vars" in group and "name" in group["vars"].attrs}
    layers = _configs(model)
    for layer in layers:
        folder = snake_case(layer.kind)
        number = used[folder] = used.get(folder, -1) + 1
        folder += f"_{number}" * (number > 0)
        group = named.get(layer.name, container.get(folder))
        layer.arrays = [] if group is None else _variables(group)
    return layers


def _old_arrays(group: Group) -> tuple[list[str], list[np.ndarray]]:
    """Names and arrays of a layer of an .h5 file."""
    names = [name.decode() if isinstance(name, bytes) else str(name)
             for name in group.attrs.get("weight_names", [])]
    return names, [_numbers(group[name], name) for name in names]


def _old_layers(model: dict[str, Any], weights: Group) -> list[KerasLayer]:
    layers = _configs(model)
    for layer in layers:
        if layer.name in weights:
            layer.arrays = _old_arrays(weights[layer.name])[1]
    return layers


def _old_weights(file: Group) -> list[KerasLayer]:
    """Weights only, with the order and the names of arrays."""
    layers = []
    for name in file.attrs["layer_names"]:
        name = name.decode() if isinstance(name, bytes) else str(name)
        names, arrays = _old_arrays(file[name])
        if arrays:
            layers.append(KerasLayer(name, _kind(name, names, arrays), {}, arrays))
    return layers


def _has_four_gates(recurrent: np.ndarray) -> bool:
    return recurrent.ndim == 2 and recurrent.shape[1] == 4 * recurrent.shape[0]


def _kind(name: str, names: list[str], arrays: list[np.ndarray]) -> str:
    """Class of a layer, from the names of its arrays."""
    recurrent = [array for each, array in zip(names, arrays) if "recurrent" in each]
    if recurrent and all(map(_has_four_gates, recurrent)):
        return "Bidirectional" if len(recurrent) == 2 else "LSTM"
    if not recurrent and "embeddings" in names[0]:
        return "Embedding"
    if not recurrent and "kernel" in names[0] and arrays[0].ndim == 2:
        return "Dense"
    return f"layer with the arrays {', '.join(str(list(each.shape)) for each in arrays)}"


def _new_weights(file: Group) -> list[KerasLayer]:
    """Weights only of Keras 3: the order is that in which the sizes fit."""
    ends: dict[str, list[KerasLayer]] = {"Embedding": [], "Dense": []}
    middle, container = [], _container(file)
    for folder in sorted(container, key=_natural):
        group, arrays = container[folder], _variables(container[folder])
        if not arrays:
            continue
        names = {"cell": "LSTM", "forward_layer": "Bidirectional"}
        kind = next((kind for inner, kind in names.items() if inner in group), "")
        each = len(arrays) // (1 + (kind == "Bidirectional"))
        four = kind and each > 1 and all(map(_has_four_gates, arrays[1::each]))
        if kind and four:
            middle.append(KerasLayer(folder, kind, {}, arrays))
        elif folder.startswith("embedding"):
            ends["Embedding"].append(KerasLayer(folder, "Embedding", {}, arrays))
        elif folder.startswith(("dense", "time_distributed")) and arrays[0].ndim == 2:
            ends["Dense"].append(KerasLayer(folder, "Dense", {}, arrays))
        else:
            middle.append(KerasLayer(folder, folder, {}, arrays))
    return [*ends["Embedding"], *_ordered(middle), *ends["Dense"]]


def _natural(name: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name + "_0")]


def _ordered(layers: list[KerasLayer]) -> list[KerasLayer]:
    """The first order in which each layer takes what the one before it gives."""
    def gives(layer: KerasLayer) -> int:
        return int(layer.arrays[1].shape[0]) * (1 + (layer.kind == "Bidirectional"))

    if len(layers) > 6 or any(layer.kind not in ("LSTM", "Bidirectional") for layer in layers):
        return layers
    return next((list(order) for order in itertools.permutations(layers) if all(
        gives(a) == b.arrays[0].shape[0] for a, b in zip(order, order[1:]))), layers)
