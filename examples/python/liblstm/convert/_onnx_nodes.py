"""LSTM nodes of ONNX models, with what is around them or alone."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

import liblstm
from liblstm.convert import Unsupported
from liblstm.convert import _onnx_graph as graphs
from liblstm.convert._model import Answer, Model, Stack
from liblstm.convert._onnx_graph import attributes, label

# Nodes that only move values.
PLUMBING = {"Transpose", "Squeeze", "Unsqueeze", "Reshape", "Slice", "Gather", "Concat",
            "Expand", "Identity", "Flatten", "Cast", "Dropout", "Split", "GatherND", "CastLike"}
# sigmoid(20) and tanh(20) are 1 in float32: a clip of at least that changes nothing.
CLIP = 20


@dataclasses.dataclass
class Node:
    """An LSTM node: what Stack takes, and where its states and lengths come from."""
    node: onnx.NodeProto
    stack: Stack
    layout: int

    def name(self, index: int) -> str:
        """Name of an input, "" if it is not there."""
        names: list[str] = [*self.node.input, *[""] * 8]
        return names[index]


def lstm_node(node: onnx.NodeProto, known: dict[str, np.ndarray]) -> Node:
    """An LSTM node, if liblstm has all that it computes."""
    options = attributes(node)
    inputs = [*node.input, *[""] * 8][:8]
    direction = options.get("direction", b"forward").decode()
    names = [name.lower() for name in options.get("activations", [])]
    default = [b"sigmoid", b"tanh", b"tanh"] * (1 + (direction == "bidirectional"))
    peepholes = inputs[7] and not (inputs[7] in known and not known[inputs[7]].any())
    for wrong, text in ((names and names != default, "custom activations"),
                        (options.get("clip", CLIP) < CLIP,
                         f"clip {options.get('clip'):g}, expected none or at least {CLIP}"
                         if "clip" in options else ""),
                        (options.get("input_forget"), "input_forget"),
                        (peepholes, "peepholes")):
        if wrong:
            raise Unsupported(f"{label(node)} has {text}")
    for name in (*inputs[1:3], inputs[3]):
        if name and name not in known:
            raise Unsupported(f"{label(node)}: {name} is computed from data, expected constant "
                              f"weights")
    weights, recurrent = known[inputs[1]], known[inputs[2]]
    bias = known[inputs[3]].reshape(len(weights), 2, -1) if inputs[3] else None
    if weights.ndim != 3 or recurrent.shape != (*weights.shape[:2], weights.shape[1] // 4):
        raise Unsupported(f"{label(node)}: R is {list(recurrent.shape)}, expected "
                          f"{[*weights.shape[:2], weights.shape[1] // 4]}; a projection cannot "
                          f"be said in ONNX")
    arrays = [(weights[d], recurrent[d], None if bias is None else bias[d])
              for d in range(len(weights))]
    return Node(node, Stack(label(node), liblstm.ONNX, [arrays], False,
                            direction == "reverse"), options.get("layout", 0))


def all_graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and all graphs inside its nodes."""
    yield graph
    for node in graph.node:
        for inner in graphs.subgraphs(node):
            yield from all_graphs(inner)


def lstm_nodes(model: onnx.ModelProto) -> Model:
    """All LSTM nodes of a model and its subgraphs. Nodes that follow each other become one
    stack if they can."""
    found: list[list[Node]] = []
    notes: list[str] = []
    _collect(model.graph, {}, graphs.opset(model), found, notes)
    if not found:
        raise Unsupported("; ".join(notes) or "the model has no LSTM node")
    stacks, sources = {}, {}
    for index, nodes in enumerate(found):
        whole = dataclasses.replace(
            nodes[0].stack, layers=[layer for each in nodes for layer in each.stack.layers],
            where=", ".join(each.stack.where for each in nodes))
        prefix = "lstm" if len(found) == 1 else f"lstm{index}"
        stacks[prefix], sources[prefix] = whole, nodes

    def answers(part: Model) -> Iterator[Answer]:
        (prefix, whole), = part.stacks.items()
        yield _alone(sources[prefix], whole, graphs.opset(model))

    return Model(stacks, answers=answers, alone=True, notes=[f"left out: {note}" for note in notes])


def _collect(graph: onnx.GraphProto, outer: dict[str, np.ndarray], opset: int,
             found: list[list[Node]], notes: list[str]) -> None:
    known = graphs.constants(graph, outer, opset)
    producers = {name: node for node in graph.node for name in node.output if name}
    own: list[list[Node]] = []
    for node in graph.node:
        for inner in graphs.subgraphs(node):
            _collect(inner, known, opset, found, notes)
        if node.op_type != "LSTM":
            continue
        try:
            each = lstm_node(node, known)
        except Unsupported as error:
            notes.append(str(error))
            continue
        for index, member in ((5, "h0"), (6, "c0")):
            state = known.get(each.name(index))
            if state is not None and state.any():
                state = state.swapaxes(0, 1) if each.layout else state
                if not np.ptp(state, axis=1).any():
                    setattr(each.stack, member, state[:, 0].astype(np.float32))
        before = _origin(node, producers, known)
        chain = next((nodes for nodes in own if nodes[-1].node is before), None)
        plain = each.stack.h0 is None and each.stack.c0 is None
        if chain and plain and all(n.stack.h0 is None and n.stack.c0 is None for n in chain) \
                and chain[-1].stack.fits(each.stack):
            chain.append(each)
        else:
            own.append([each])
    found += own


def _origin(node: onnx.NodeProto, producers: dict[str, onnx.NodeProto],
            known: dict[str, np.ndarray]) -> onnx.NodeProto | None:
    """The LSTM node whose output Y is the input of another one, moved at most."""
    name = node.input[0]
    while (producer := producers.get(name)) is not None:
        if producer.op_type == "LSTM":
            return producer if name == producer.output[0] else None
        if producer.op_type not in PLUMBING:
            return None
        name = producer.input[0]
    return None


def _alone(nodes: list[Node], stack: Stack, opset: int) -> Answer:
    """The answer of LSTM nodes alone, one after the other."""
    rng, steps, batch = np.random.default_rng(1), 7, 3
    x = rng.uniform(-1, 1, (steps, batch, stack.inputs)).astype(np.float32)
    made, tensors, name = [], [numpy_helper.from_array(np.array([0, 0, -1]), "shape")], "x"
    for k, each in enumerate(nodes):
        (arrays,), options = each.stack.layers, attributes(each.node)
        inputs: dict[str, Any] = {}
        for part, index in (("w", 0), ("r", 1), ("b", 2)):
            given = [array for each_direction in arrays
                     if (array := each_direction[index]) is not None]
            if given:
                inputs[part] = np.stack(given)
        if "b" in inputs:
            inputs["b"] = inputs["b"].reshape(len(arrays), -1)
        for part, state in (("h", each.stack.h0), ("c", each.stack.c0)):
            if state is not None:
                rows = np.repeat(state[:, None], batch, 1)
                inputs[part] = rows.swapaxes(0, 1) if each.layout else rows
        tensors += [numpy_helper.from_array(np.ascontiguousarray(value, np.float32), f"{part}{k}")
                    for part, value in inputs.items()]
        named = [f"{part}{k}" if part in inputs else "" for part in ("w", "r", "b", "", "h", "c")]
        if each.layout:
            made.append(helper.make_node("Transpose", [name], [f"n{k}"], perm=[1, 0, 2]))
            name = f"n{k}"
        made += [helper.make_node("LSTM", [name, *named], [f"y{k}"], **options),
                 helper.make_node("Transpose", [f"y{k}"], [f"t{k}"],
                                  perm=[1, 0, 2, 3] if each.layout else [0, 2, 1, 3]),
                 helper.make_node("Reshape", [f"t{k}", "shape"], [f"x{k}"])]
        name = f"x{k}"
    value = helper.make_tensor_value_info
    graph = helper.make_graph(made, "lstm", [value("x", onnx.TensorProto.FLOAT, x.shape)],
                              [value(name, onnx.TensorProto.FLOAT, None)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", max(opset, 14))])
    model.ir_version = 8
    try:
        source, run = graphs.run(model, {"x": x}, [name])
    except Exception as error:  # ONNX Runtime and NumPy raise many types.
        raise Unsupported(f"the LSTM does not run: {error}") from None
    return Answer(source, x, {"output": run[name]})
