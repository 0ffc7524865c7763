"""Mutates models of other programs at random and converts them. A conversion succeeds, and
the file can be loaded; or it fails with an error of the converter, whose message is one line,
and leaves no file behind.

usage: fuzz_converters.py [--runs N] [--seconds S] [--seed N] [--only json|onnx|keras]
       (with LIBLSTM in the environment)

Each format is skipped if its package is missing: NumPy, onnx, h5py. The script prints a
table: format, executions, refused, seconds, findings; and each finding with its seed, with
which `--only FORMAT --seed SEED --runs 1` repeats it.
"""
import argparse
import copy
import importlib.util
import io
import json
import os
import pathlib
import random
import sys
import tempfile
import time
import traceback
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))

import liblstm
from liblstm import convert

ALLOWED = (convert.Unsupported, liblstm.Error, OSError)
NASTY = [None, True, False, 0, -1, 1, 2, 3, 0.5, 1e300, -1e300, 1e39, float("nan"), float("inf"),
         2**24, 2**31, 2**53 + 1, 10**400, "", "x", "1", "nan", "\n\x1b[2J", "é", [], [[]], {},
         [1], [[1, 2], [3]], {"a": 1}, "lstm", "dense", "tanh"]


def numbers(draw, *shape):
    if len(shape) == 1:
        return [round(draw.uniform(-0.5, 0.5), 3) for _ in range(shape[0])]
    return [numbers(draw, *shape[1:]) for _ in range(shape[0])]


def nam(draw, inputs=1, hidden=2, layers=2):
    count = (4 * hidden * (inputs + hidden * (2 * layers - 1)) + 6 * hidden * layers
             + hidden + 1)
    return {"version": "0.5.4", "architecture": "LSTM", "sample_rate": 48000,
            "config": {"input_size": inputs, "hidden_size": hidden, "num_layers": layers},
            "weights": numbers(draw, count)}


def aida(draw, hidden=2):
    return {"in_shape": [None, None, 1], "in_skip": 1, "in_gain": -3, "out_gain": 6,
            "metadata": {"samplerate": "48000"},
            "layers": [{"type": "lstm", "activation": "", "shape": [None, None, hidden],
                        "weights": [numbers(draw, 1, 4 * hidden),
                                    numbers(draw, hidden, 4 * hidden),
                                    numbers(draw, 4 * hidden)]},
                       {"type": "dense", "activation": "tanh", "shape": [None, None, 1],
                        "weights": [numbers(draw, hidden, 1), numbers(draw, 1)]}]}


def state_dict(draw, prefix="rec.", hidden=2, inputs=2):
    tree = {}
    for layer, size in ((0, inputs), (1, hidden)):
        tree |= {f"{prefix}weight_ih_l{layer}": numbers(draw, 4 * hidden, size),
                 f"{prefix}weight_hh_l{layer}": numbers(draw, 4 * hidden, hidden),
                 f"{prefix}bias_ih_l{layer}": numbers(draw, 4 * hidden),
                 f"{prefix}bias_hh_l{layer}": numbers(draw, 4 * hidden)}
    return tree | {"lin.weight": numbers(draw, 1, hidden), "lin.bias": numbers(draw, 1)}


def guitarml(draw):
    return {"model_data": {"model": "SimpleRNN", "input_size": 2, "skip": 1, "output_size": 1,
                           "unit_type": "LSTM", "num_layers": 2, "hidden_size": 2,
                           "bias_fl": True},
            "state_dict": state_dict(draw)}


def places(tree, found):
    """All containers of a tree that have something in them."""
    if isinstance(tree, (dict, list)) and tree:
        found.append(tree)
        for each in tree.values() if isinstance(tree, dict) else tree:
            places(each, found)
    return found


def mutate_tree(draw, tree):
    found = places(tree, [])
    if not found:
        return
    place = draw.choice(found)
    key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
    kind = draw.randrange(5)
    if kind == 0:
        del place[key]
    elif kind == 1:
        place[key] = copy.deepcopy(draw.choice(NASTY))
    elif kind == 2:
        place[key] = copy.deepcopy(draw.choice(found))
    elif kind == 3 and isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    elif kind == 3:
        place[draw.choice(["a", "type", "weight_ih_l0", "weight_ih_l2", "skip", "", "\t"])] = \
            place.pop(key)
    elif kind == 4 and isinstance(place[key], (int, float)) and abs(place[key]) < 1e300:
        place[key] = place[key] * draw.choice([-1, 2, 1e30, 1e-30]) + draw.choice([0, 1])
    else:
        place[key] = copy.deepcopy(draw.choice(NASTY))


def mutate_bytes(draw, data):
    data = bytearray(data)
    for _ in range(draw.randrange(1, 5)):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(4)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[at:at + draw.randrange(1, 9)]
        elif kind == 2:
            data[at:at] = data[at - draw.randrange(1, 9):at]
        elif draw.random() < 0.3:
            del data[at:]
    return bytes(data)


def json_file(draw):
    """The bytes and the ending of a mutated model of an audio program."""
    name, make = draw.choice([(".nam", nam), (".json", aida), (".json", guitarml),
                              (".json", state_dict)])
    tree = make(draw)
    for _ in range(draw.randrange(4)):
        mutate_tree(draw, tree)
    data = json.dumps(tree).encode()
    return mutate_bytes(draw, data) if draw.random() < 0.2 else data, name


def onnx_model(draw):
    """An LSTM and a linear layer, as PyTorch exports them."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
    hidden, inputs = 2, 2

    def tensor(name, *shape):
        return numpy_helper.from_array(
            np.array(numbers(draw, *shape), np.float32), name)
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", "B"], ["y", "h", "c"], hidden_size=hidden),
        helper.make_node("Squeeze", ["y", "axes"], ["s"]),
        helper.make_node("MatMul", ["s", "K"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["out"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["T", "N", inputs])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["T", "N", 1])],
        [tensor("W", 1, 4 * hidden, inputs), tensor("R", 1, 4 * hidden, hidden),
         tensor("B", 1, 8 * hidden), tensor("K", hidden, 1), tensor("b", 1),
         numpy_helper.from_array(np.array([1], np.int64), "axes")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def mutate_graph(draw, model):
    graph = model.graph
    node = draw.choice(list(graph.node) or [None])
    tensor = draw.choice(list(graph.initializer) or [None])
    kind = draw.randrange(8)
    if node and kind == 0:
        node.op_type = draw.choice(["LSTM", "GRU", "Relu", "Squeeze", "Gemm", "Transpose", ""])
    elif node and kind == 1 and node.input:
        node.input[draw.randrange(len(node.input))] = draw.choice(
            ["x", "y", "h", "W", "R", "K", "b", "", "nothing"])
    elif node and kind == 2 and node.attribute:
        draw.choice(list(node.attribute)).i = draw.choice([0, -1, 1, 3, 2**31, 2**62])
    elif node and kind == 3:
        graph.node.append(node)
    elif node and kind == 4:
        graph.node.remove(node)
    elif tensor and kind == 5 and tensor.dims:
        tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice([0, 1, -1, 7, 2**40])
    elif tensor and kind == 6:
        tensor.data_type = draw.randrange(17)
    elif tensor:
        tensor.raw_data = mutate_bytes(draw, tensor.raw_data)


def onnx_file(draw):
    model = onnx_model(draw)
    for _ in range(draw.randrange(4)):
        mutate_graph(draw, model)
    data = model.SerializeToString()
    return mutate_bytes(draw, data) if draw.random() < 0.3 else data, ".onnx"


def keras_file(draw):
    """Weights as Keras writes them to HDF5, damaged in the tree or in the bytes."""
    import h5py
    import numpy as np
    hidden = 2
    sizes = {"0": (1, 4 * hidden), "1": (hidden, 4 * hidden), "2": (4 * hidden,)}
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        cell = file.create_group("layers/lstm/cell/vars")
        dense = file.create_group("layers/dense/vars")
        for group, arrays in ((cell, sizes), (dense, {"0": (hidden, 1), "1": (1,)})):
            for name, shape in arrays.items():
                shape = draw.choice([shape] * 12 + [(), (0,), shape[::-1], (3,) + shape])
                kind = draw.choice(["<f4"] * 12 + ["<f8", "<i8", "S3"])
                values = np.zeros(shape, kind) if kind == "S3" else \
                    np.array(draw.choices(range(-2, 3), k=int(np.prod(shape)))) \
                    .reshape(shape).astype(kind)
                if draw.random() < 0.95:
                    group.create_dataset(name, data=values)
    data = stream.getvalue()
    return mutate_bytes(draw, data) if draw.random() < 0.5 else data, ".weights.h5"


FORMATS = {"json": (json_file, "numpy"), "onnx": (onnx_file, "onnx"),
           "keras": (keras_file, "h5py")}


def execute(make, seed, folder):
    """Converts one model; returns whether it is refused. Raises what is a finding."""
    draw = random.Random(seed)
    data, ending = make(draw)
    source, target = folder / f"model{ending}", folder / "out.safetensors"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    try:
        convert.convert(source, target, lstm_only=draw.random() < 0.2)
    except ALLOWED as error:
        text = str(error)
        assert text and text.isprintable(), f"message {text!r}"
        assert sorted(os.listdir(folder)) == [source.name], "files are left behind"
        source.unlink()
        return True
    with open(target, "rb") as file:
        assert file.read(1), "the file is empty"
    liblstm.File(target)
    source.unlink()
    return False


def fuzz(name, options):
    make, _ = FORMATS[name]
    refused = findings = runs = 0
    begin = time.monotonic()
    for seed in range(options.seed, options.seed + options.runs):
        if time.monotonic() - begin > options.seconds:
            break
        runs += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                refused += execute(make, seed, pathlib.Path(folder))
            except Exception:
                findings += 1
                if findings <= 10:
                    print(f"{name}: seed {seed}: finding", file=sys.stderr)
                    traceback.print_exc()
    print(f"{name:8} {runs:12,} {refused:12,} {time.monotonic() - begin:9.1f}  {findings}",
          flush=True)
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=10000, help="executions per format")
    parser.add_argument("--seconds", type=float, default=600, help="limit per format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(FORMATS))
    options = parser.parse_args()
    # A warning of NumPy would be a second line beside the message.
    warnings.simplefilter("error")
    findings = ran = 0
    missing = []
    print(f"{'format':8} {'executions':>12} {'refused':>12} {'seconds':>9}  findings")
    for name, (_, package) in FORMATS.items():
        if options.only in (None, name):
            if importlib.util.find_spec(package) is None:
                missing.append(package)
                print(f"{name:8} not run: {package} is not installed")
                continue
            ran += 1
            findings += fuzz(name, options)
    if not ran:
        print(f"skipped: {', '.join(missing)} not installed")
    return 1 if findings else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main())
