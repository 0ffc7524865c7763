"""Reads ONNX models."""
from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

import liblstm
from liblstm.convert import Unsupported
from liblstm.convert._model import Answer, Model, Stack, hidden_size

# Nodes that only move values between the layers.
PLUMBING = {"Transpose", "Squeeze", "Unsqueeze", "Reshape", "Slice", "Gather", "Shape",
            "Concat", "ConstantOfShape", "Expand", "Constant", "Identity", "Flatten",
            "Cast"}


def read(path: str, lstm_only: bool = False) -> Model:
    """Reads a sequence of LSTM nodes with an optional Gemm or MatMul and Add at its end."""
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf and the checker raise many types.
        raise Unsupported(f"not a valid model: {str(error).splitlines()[0]}") from None
    constants = _constants(model.graph)
    layers, softmax, dense = [], False, []
    for node in model.graph.node:
        if node.op_type == "LSTM":
            layers.append(_arrays(node, constants))
        elif node.op_type in ("Gemm", "MatMul", "Add"):
            dense.append(node)
        elif node.op_type == "Softmax":
            softmax = True
        elif node.op_type not in PLUMBING:
            raise Unsupported(f"node {node.name or node.output[0]} is a {node.op_type}, "
                              f"expected LSTM nodes and a final Gemm or MatMul")
    hidden_size(layers, 1)
    inputs = layers[0][0][0].shape[1]
    batch_first, run = _batch_first(model.graph), _runner(path, len(layers))
    probe = _probe(model.graph, inputs)
    each = Stack("LSTM nodes", liblstm.ONNX, layers, batch_first)

    def answers(_):
        x = np.random.default_rng(1).uniform(-1, 1, probe).astype(np.float32)
        yield Answer("ONNX Runtime", x.swapaxes(0, 1) if batch_first else x, {"output": run(x)})

    keys = {"activation": "softmax"} if softmax else {}
    return Model({"lstm": each}, _head(dense, constants), keys=keys, answers=answers)


def _constants(graph):
    """Values of initialisers and of Constant nodes, by name."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _arrays(node, constants):
    """W, R and B of each direction of a node."""
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    inputs = [*node.input, *[""] * 8][:8]
    direction = attributes.get("direction", b"forward").decode()
    for wrong, text in (
            (direction == "reverse", "direction reverse"),
            ("activations" in attributes and [name.lower() for name in attributes["activations"]]
             != [b"sigmoid", b"tanh", b"tanh"] * (1 + (direction == "bidirectional")),
             "custom activations"),
            ("clip" in attributes, "clip"), (attributes.get("input_forget"), "input_forget"),
            (attributes.get("layout"), "layout 1"), (inputs[4], "sequence_lens"),
            (inputs[7], "peepholes")):
        if wrong:
            raise Unsupported(f"node {node.name or node.output[0]} has {text}")
    for name in (*inputs[1:3], inputs[3]):
        if name and name not in constants:
            raise Unsupported(f"{name} is computed, expected a constant; run constant "
                              f"folding first")
    for state in inputs[5:7]:
        if state in constants and constants[state].any():
            raise Unsupported(f"initial state {state} is not zero; liblstm takes initial "
                              f"states as arguments of forward")
    weights, recurrent = constants[inputs[1]], constants[inputs[2]]
    bias = constants[inputs[3]].reshape(len(weights), 2, -1) if inputs[3] else None
    return [(weights[d], recurrent[d], None if bias is None else bias[d])
            for d in range(len(weights))]


def _head(nodes, constants):
    """weight [C, S] and bias [C] of a Gemm, or of a MatMul with an optional Add."""
    if not nodes:
        return None
    first = nodes[0]
    known = [constants[name] for node in nodes for name in node.input if name in constants]
    if first.op_type == "Add" or len(nodes) > 1 + (first.op_type == "MatMul") \
            or not known or known[0].ndim != 2:
        raise Unsupported(f"{', '.join(node.op_type for node in nodes)} after the LSTM "
                          f"nodes, expected one dense layer")
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in first.attribute}
    if attributes.get("alpha", 1) != 1 or attributes.get("beta", 1) != 1 or attributes.get("transA"):
        raise Unsupported("Gemm has alpha, beta or transA, expected their defaults")
    weight = known[0] if attributes.get("transB") else known[0].T
    return weight, known[1] if len(known) > 1 else np.zeros(len(weight))


def _batch_first(graph):
    """Whether the input is transposed before it reaches the first LSTM node."""
    name = next(node.input[0] for node in graph.node if node.op_type == "LSTM")
    swapped = False
    while producer := next((n for n in graph.node if name in n.output), None):
        swapped ^= producer.op_type == "Transpose"
        name = producer.input[0]
    return swapped


def _probe(graph, inputs):
    """Shape of a test input: the fixed extents of the model, and 3 and 7 otherwise."""
    extents = [axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim]
    if len(extents) != 3:
        raise Unsupported(f"the input has {len(extents)} axes, expected 3")
    return extents[0] or 3, extents[1] or 7, inputs


def _runner(path, layers):
    """A function that runs the model with ONNX Runtime, with zeros for initial states."""
    def run(x):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        first, *states = session.get_inputs()
        batch = x.shape[0 if states and states[0].shape[1] == x.shape[0] else 1]
        zeros = {state.name: np.zeros(
            [extent if isinstance(extent, int) else batch for extent in state.shape],
            np.float32) for state in states}
        return session.run(None, {first.name: x} | zeros)[0]

    return run
