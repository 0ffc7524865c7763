"""ONNX graphs for _onnx.py: constants, runs, and the LSTM operator in NumPy."""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

import liblstm
from liblstm.convert import Unsupported
from liblstm.convert._double import stack

if TYPE_CHECKING:
    from liblstm.convert._double import Results

# Names of the domain of the standard operators.
DOMAINS = ("", "ai.onnx")


def load(path: str) -> onnx.ModelProto:
    """Loads and checks a model; local functions become nodes."""
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
        if model.functions:
            from onnx import inliner

            model = inliner.inline_local_functions(model)
    except Exception as error:  # protobuf and the checker raise many types.
        raise Unsupported(f"not a valid model: {str(error).splitlines()[0]}") from None
    return model


def label(node: onnx.NodeProto) -> str:
    """Name of a node, for messages."""
    return f"node {node.name or node.output[0]} ({node.op_type})"


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Attributes of a node, by name."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def subgraphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """Graphs inside a node: branches, bodies of loops."""
    return [graph for item in node.attribute for graph in [*item.graphs, item.g]
            if graph.node]


def needed(graph: onnx.GraphProto, names: set[str]) -> list[onnx.NodeProto]:
    """The nodes that values depend on, in order."""
    names, found = set(names), []
    for node in reversed(graph.node):
        if names.intersection(node.output):
            found.append(node)
            names.update(node.input, *(captured(inner) for inner in subgraphs(node)))
    return found[::-1]


def captured(graph: onnx.GraphProto) -> set[str]:
    """Names that a graph reads, its own among them."""
    names = {value.name for value in graph.output}
    for node in graph.node:
        names.update(node.input, *(captured(inner) for inner in subgraphs(node)))
    return names


def _values(tensor: onnx.TensorProto) -> np.ndarray:
    try:
        return numpy_helper.to_array(tensor)
    except Exception as error:  # NumPy and protobuf raise many types.
        raise Unsupported(f"tensor {tensor.name} is not valid: {error}") from None


def constants(graph: onnx.GraphProto, outer: dict[str, np.ndarray], opset: int
              ) -> dict[str, np.ndarray]:
    """Values of a graph that do not depend on its inputs, by name: initialisers, constants,
    and what is computed from them."""
    found = {**outer, **{tensor.name: _values(tensor) for tensor in graph.initializer}}
    for node in graph.node:
        if (node.op_type not in ("LSTM", "Shape") and node.domain in DOMAINS
                and all(name in found for name in node.input if name) and not subgraphs(node)):
            values = fold(node, found, opset)
            found.update(zip(node.output, values))
    return found


def fold(node: onnx.NodeProto, known: dict[str, np.ndarray], opset: int) -> list[np.ndarray]:
    """Outputs of a node with constant inputs; none if it cannot be computed."""
    from onnx.reference import ReferenceEvaluator

    names = [name for name in dict.fromkeys(node.input) if name]
    graph = helper.make_graph(
        [node], "fold", [onnx.ValueInfoProto(name=name) for name in names],
        [onnx.ValueInfoProto(name=name) for name in node.output if name])
    try:
        evaluator = ReferenceEvaluator(helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)]))
        return list(evaluator.run(None, {name: known[name] for name in names}))
    except Exception:  # Operators raise many types; the value is not known then.
        return []


def opset(model: onnx.ModelProto) -> int:
    """Version of the standard operators."""
    return next((each.version for each in model.opset_import if each.domain in DOMAINS), 17)


def run(model: onnx.ModelProto, feeds: dict[str, np.ndarray], names: list[str]
        ) -> tuple[str, dict[str, np.ndarray]]:
    """Computes values of a model, inner ones among them, with ONNX Runtime or else in NumPy;
    returns who computed them, too."""
    names = list(dict.fromkeys(names))
    part = onnx.ModelProto()
    part.CopyFrom(model)
    nodes = needed(model.graph, set(names))
    read = {name for node in nodes for name in node.input} | set(names)
    for node in nodes:
        read.update(*(captured(inner) for inner in subgraphs(node)))
    for field, kept in (("node", nodes), ("output", [onnx.ValueInfoProto(name=name)
                                                   for name in names]),
                        ("input", [each for each in model.graph.input if each.name in read]),
                        ("initializer", [each for each in model.graph.initializer
                                         if each.name in read])):
        part.graph.ClearField(field)
        getattr(part.graph, field).extend(kept)
    feeds = {name: value for name, value in feeds.items() if name in read}
    try:
        return "ONNX Runtime", dict(zip(names, _runtime(part, feeds)))
    except ImportError:
        pass
    except Exception as error:  # ONNX Runtime does not have all of ONNX, for example layout 1.
        if not any(text in str(error) for text in ("NOT_IMPLEMENTED", "not supported",
                                                   "does not support")):
            raise
    return "NumPy in double precision", dict(zip(names, _reference(part, feeds)))


def _runtime(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    # The module has no types.
    onnxruntime: Any = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return list(session.run(None, feeds))


def _reference(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    from onnx.reference import ReferenceEvaluator
    from onnx.reference.op_run import OpRun

    class LSTM(OpRun):
        """The operator with all directions, both layouts and lengths, in double precision."""
        op_domain = ""

        def _run(self, X: np.ndarray, W: np.ndarray, R: np.ndarray,
                 B: np.ndarray | None = None, sequence_lens: np.ndarray | None = None,
                 initial_h: np.ndarray | None = None, initial_c: np.ndarray | None = None,
                 P: np.ndarray | None = None, **options: Any) -> Results:
            options = {key: value for key, value in options.items() if value is not None}
            return lstm(X, W, R, B, sequence_lens, initial_h, initial_c, options)

    return list(ReferenceEvaluator(model, new_ops=[LSTM]).run(None, feeds))


def lstm(x: np.ndarray, weights: np.ndarray, recurrent: np.ndarray, bias: np.ndarray | None,
         lengths: np.ndarray | None, h: np.ndarray | None, c: np.ndarray | None,
         options: dict[str, Any]) -> Results:
    """The LSTM operator of ONNX; no peepholes, activations or clip."""
    if options.get("layout"):
        x = x.swapaxes(0, 1)
        h, c = (None if each is None else each.swapaxes(0, 1) for each in (h, c))
    lengths = np.full(x.shape[1], len(x)) if lengths is None else lengths
    parts = [(weights[d], recurrent[d], None if bias is None else bias[d])
             for d in range(len(weights))]
    direction = options.get("direction", "forward")
    if direction == "reverse":
        out, hn, cn = stack(liblstm.ONNX, [parts], flip(x, lengths), h, c, lengths)
        out = flip(out, lengths)
    else:
        out, hn, cn = stack(liblstm.ONNX, [parts], x, h, c, lengths)
    y = out.reshape(*out.shape[:2], len(parts), -1).transpose(0, 2, 1, 3)
    if options.get("layout"):
        y, hn, cn = y.transpose(2, 0, 1, 3), hn.swapaxes(0, 1), cn.swapaxes(0, 1)
    return y.astype(x.dtype), hn.astype(x.dtype), cn.astype(x.dtype)


def flip(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """x [T, N, ..] with each sequence in the reverse order, up to its length."""
    x = x.copy()
    for n, length in enumerate(lengths):
        x[:length, n] = x[:length, n][::-1].copy()
    return x
