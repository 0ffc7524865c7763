"""Reads ONNX models for liblstm.convert.

A value of the graph is a constant, depends on the shape of the input only, or is data. The
reader follows the data from the input through an embedding, the LSTM nodes, a dense layer and
an activation to the outputs; nodes that only move values may be between them. Initial states
and lengths are computed by a run of the model, whatever nodes they come from."""
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs, allow-any-generics
# mypy: disable-error-code="import-not-found,import-untyped,no-any-return"
# mypy: disable-error-code="var-annotated,misc"
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
ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Softmax": "softmax",
               "LogSoftmax": "log_softmax"}
# sigmoid(20) and tanh(20) are 1 in float32: a clip of at least that changes nothing.
CLIP = 20
INPUT, EMBEDDED, LSTM, HEAD, ACTIVATED, ADDED = range(6)
STAGES = ("the input", "the embedding", "the LSTM", "a dense layer", "an activation", "a skip")


@dataclasses.dataclass
class Value:
    """How far data has come (a stage), from which inputs, and through which LSTM node.
    shape is for values that depend on the shape of the data only."""
    stage: int
    inputs: frozenset[str]
    lstm: int = -1
    shape: bool = False


@dataclasses.dataclass
class Node:
    """An LSTM node: what Stack takes, and where its states and lengths come from."""
    node: onnx.NodeProto
    stack: Stack
    layout: int

    def name(self, index: int) -> str:
        """Name of an input, "" if it is not there."""
        return [*self.node.input, *[""] * 8][index]


def read(path: str, lstm_only: bool = False) -> Model:
    """Reads a model, or all of its LSTM nodes."""
    model = graphs.load(path)
    return _lstm_nodes(model) if lstm_only else Reader(model).read()


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


class Reader:
    """Follows the data of a graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model, self.graph = model, model.graph
        self.known = graphs.constants(model.graph, {}, graphs.opset(model))
        self.nodes: list[Node] = []
        self.values: dict[str, Value] = {}
        self.weight: np.ndarray | None = None
        self.bias: np.ndarray | None = None
        self.table: np.ndarray | None = None
        self.keys: dict[str, str] = {}
        self.x = ""

    def refuse(self, message: str) -> Unsupported:
        """A refusal that says what can be taken."""
        names = [node.name or node.output[0] for graph in _all_graphs(self.graph)
                 for node in graph.node if node.op_type == "LSTM"]
        if not names:
            return Unsupported(f"{message}; the model has no LSTM node")
        return Unsupported(f"{message}; --lstm-only converts the LSTM node"
                           f"{'s' * (len(names) > 1)} {', '.join(names)} alone")

    def read(self) -> Model:
        """The whole model."""
        initial = {tensor.name for tensor in self.graph.initializer}
        for value in self.graph.input:
            if value.name not in initial:
                self.values[value.name] = Value(INPUT, frozenset([value.name]))
        outputs = [value.name for value in self.graph.output]
        for node in graphs.needed(self.graph, set(outputs)):
            if not all(name in self.known for name in node.output if name):
                self.visit(node)
        if not self.nodes:
            raise self.refuse("no LSTM found")
        return self.model_of([name for name in outputs if name in self.values and
                              not self.values[name].shape and self.values[name].stage >= LSTM])

    def visit(self, node: onnx.NodeProto) -> None:
        """Sets the values of the outputs of a node."""
        found = [self.values[name] for name in node.input if name in self.values]
        inputs = frozenset().union(*(value.inputs for value in found))
        if node.op_type in ("Shape", "Size") or (
                all(value.shape for value in found) and not graphs.subgraphs(node)):
            value = Value(INPUT, inputs, shape=True)
        else:
            data = [value for value in found if not value.shape]
            value = self.data(node, data)
        for name in node.output:
            self.values[name] = value

    def data(self, node: onnx.NodeProto, data: list[Value]) -> Value:
        """The value of a node that gets data."""
        if graphs.subgraphs(node):
            raise self.refuse(f"{label(node)} has branches or loops, which no key can say")
        top = max(data, key=lambda value: (value.stage, value.lstm))
        kind = node.op_type
        if kind == "LSTM":
            return self.lstm(node)
        if kind == "Gather" and node.input[0] in self.known and top.stage == INPUT:
            return self.embedding(node, top)
        if kind in ("MatMul", "Gemm"):
            return self.dense(node, data, top)
        if kind == "Add":
            return self.add(node, data, top)
        if kind in ACTIVATIONS and len(data) == 1:
            return self.activation(node, top)
        if kind not in PLUMBING:
            raise self.refuse(f"{label(node)} is not something that a file can say: expected "
                              f"an embedding, LSTM nodes, one dense layer and an activation")
        if len({value.stage for value in data}) > 1:
            raise self.refuse(f"{label(node)} joins values of different parts of the model")
        return Value(top.stage, frozenset().union(*(value.inputs for value in data)), top.lstm)

    def lstm(self, node: onnx.NodeProto) -> Value:
        """An LSTM node, the first one or after another."""
        try:
            each = lstm_node(node, self.known)
        except Unsupported as error:
            raise self.refuse(str(error)) from None
        x = self.values.get(each.name(0))
        if x is None or x.shape or x.stage not in (INPUT, EMBEDDED, LSTM):
            raise self.refuse(f"the input of {label(node)} comes from "
                              f"{STAGES[x.stage] if x and not x.shape else 'a constant'}")
        if x.stage == LSTM:
            if x.lstm != len(self.nodes) - 1:
                raise self.refuse(f"{label(node)} does not read the LSTM before it")
            whole = self.stack()
            if not whole.fits(each.stack):
                raise self.refuse(f"{label(node)} has {each.stack.text()}, the LSTM before it "
                                  f"{whole.text()}: expected the same units and directions")
        elif self.nodes:
            raise self.refuse(f"{label(node)} reads the input, which another LSTM reads, too")
        elif len(x.inputs) != 1:
            raise self.refuse(f"{label(node)} reads several inputs: {', '.join(sorted(x.inputs))}")
        else:
            self.x, = x.inputs
        for index in (4, 5, 6):
            state = self.values.get(each.name(index))
            if state and not state.shape and state.stage != INPUT:
                raise self.refuse(f"the initial state or lengths of {label(node)} come from "
                                  f"{STAGES[state.stage]}, expected an input or constants")
        self.nodes.append(each)
        return Value(LSTM, x.inputs, len(self.nodes) - 1)

    def stack(self) -> Stack:
        """All LSTM nodes as one stack."""
        first = self.nodes[0].stack
        return dataclasses.replace(first, layers=[
            layer for each in self.nodes for layer in each.stack.layers],
            where=", ".join(each.stack.where for each in self.nodes))

    def embedding(self, node: onnx.NodeProto, top: Value) -> Value:
        table = self.known[node.input[0]]
        if table.ndim != 2 or attributes(node).get("axis", 0) or self.table is not None:
            raise self.refuse(f"{label(node)} is not an embedding [count, size], or a second one")
        self.table = table
        return Value(EMBEDDED, top.inputs)

    def dense(self, node: onnx.NodeProto, data: list[Value], top: Value) -> Value:
        """A Gemm or MatMul with constant weights, after the LSTM."""
        options = attributes(node)
        weight = self.known.get(node.input[1])
        if len(data) > 1 or weight is None or weight.ndim != 2:
            raise self.refuse(f"{label(node)} multiplies data with data, expected weights [S, C]")
        if top.stage < LSTM or self.weight is not None or top.stage > HEAD:
            second = "second " * (self.weight is not None)
            raise self.refuse(f"{label(node)} is a {second}dense layer "
                              f"{'after' if top.stage > INPUT else 'on'} {STAGES[top.stage]}, "
                              f"expected one, after the LSTM")
        if options.get("alpha", 1) != 1 or options.get("beta", 1) != 1 or options.get("transA"):
            raise self.refuse(f"{label(node)} has alpha, beta or transA, expected the defaults")
        self.weight = weight if options.get("transB") else weight.T
        if node.op_type == "Gemm" and len(node.input) > 2 and node.input[2]:
            self.set_bias(node, self.known.get(node.input[2]))
        return Value(HEAD, top.inputs, top.lstm)

    def set_bias(self, node: onnx.NodeProto, bias: np.ndarray | None) -> None:
        assert self.weight is not None
        if bias is None or bias.size not in (1, len(self.weight)) or self.bias is not None:
            raise self.refuse(f"{label(node)} does not add a bias [{len(self.weight)}]")
        self.bias = np.broadcast_to(bias.ravel(), len(self.weight))

    def add(self, node: onnx.NodeProto, data: list[Value], top: Value) -> Value:
        """The bias of a dense layer, or the input that is added to the output."""
        if len(data) == 1 and top.stage == HEAD and self.bias is None:
            self.set_bias(node, next((self.known[name] for name in node.input
                                      if name in self.known), None))
            return top
        if len(data) == 2 and {value.stage for value in data} == {INPUT, top.stage} \
                and LSTM <= top.stage < ADDED and len(self.nodes) - 1 == top.lstm:
            outputs = len(self.weight) if self.weight is not None else \
                self.nodes[-1].stack.directions * self.nodes[-1].stack.hidden
            self.keys["skip"] = str(min(outputs, self.nodes[0].stack.inputs))
            return Value(ADDED, top.inputs, top.lstm)
        raise self.refuse(f"{label(node)} adds something to {STAGES[top.stage]}, expected the "
                          f"bias of a dense layer, or the input that is added to the output")

    def activation(self, node: onnx.NodeProto, top: Value) -> Value:
        if top.stage not in (LSTM, HEAD):
            raise self.refuse(f"{label(node)} comes after {STAGES[top.stage]}, expected one "
                              f"activation, after the LSTM or its dense layer")
        self.keys["activation"] = ACTIVATIONS[node.op_type]
        return Value(ACTIVATED, top.inputs, top.lstm)

    def model_of(self, outputs: list[str]) -> Model:
        """The model with its initial states, from a run with random inputs."""
        stack, errors = self.stack(), []
        wanted = outputs + [name for each in self.nodes for name in map(each.name, (0, 4, 5, 6))
                            if name in self.values]
        for batch, steps, batch_first in self.sizes():
            feeds = self.feeds(batch, steps, batch_first)
            try:
                source, run = graphs.run(self.model, feeds, wanted)
            except Exception as error:  # ONNX Runtime and NumPy raise many types.
                errors.append(str(error).splitlines()[0])
                continue
            x, stack.batch_first = self.data_of(feeds[self.x], run)
            if stack.batch_first == batch_first or x.shape[1] == 1:
                break
        else:
            raise self.refuse(f"the model does not run: {errors[0] if errors else ''}")
        answer = Answer(source, x, {f"output {name}": run[name] for name in outputs})
        lengths = self.nodes[0].name(4)
        if lengths:
            found = run[lengths] if lengths in run else self.known[lengths]
            answer.lengths = None if (found == len(x)).all() else found
        self.states(run, stack, answer)
        head = None if self.weight is None else (self.weight, self.bias)
        return Model({"lstm": stack}, head, self.table, self.keys, lambda _: iter([answer]))

    def data_of(self, x: np.ndarray, run: dict[str, np.ndarray]) -> tuple[np.ndarray, bool]:
        """x [T, N, I] of the first LSTM, and whether the input of the model has N first."""
        first = self.nodes[0]
        actual = run[first.name(0)]
        actual = actual.swapaxes(0, 1) if first.layout else actual
        values = x if self.table is None else self.table[x]
        for batch_first, each in ((True, values.swapaxes(0, 1) if values.ndim == 3 else
                                   values[:, None]), (False, values)):
            if each.shape == actual.shape and np.allclose(each, actual, rtol=1e-6, atol=1e-7):
                return actual, batch_first
        raise self.refuse(f"the input {self.x} {list(x.shape)} reaches {first.stack.where} in "
                          f"another arrangement, {list(actual.shape)}; expected [N, T, I] or "
                          f"[T, N, I]")

    def states(self, run: dict[str, np.ndarray], stack: Stack, answer: Answer) -> None:
        """Initial states: those of the file, and those that are inputs of the model."""
        for index, member in ((5, "h0"), (6, "c0")):
            rows, given = [], False
            for each in self.nodes:
                name = each.name(index)
                if not name:
                    rows.append(np.zeros((each.stack.directions, answer.x.shape[1], stack.hidden)))
                    continue
                value = run[name] if name in run else self.known[name]
                rows.append(value.swapaxes(0, 1) if each.layout else value)
                given |= name in self.values and not self.values[name].shape
            state = np.concatenate(rows).astype(np.float32)
            if given:
                setattr(answer, member, state)
            elif state.any():
                if np.ptp(state, axis=1).any():
                    raise self.refuse(f"the initial states of {stack.where} are not the same "
                                      f"for all sequences")
                setattr(stack, member, state[:, 0])

    def sizes(self) -> Iterator[tuple[int, int, bool]]:
        """Batch sizes, numbers of steps and batch_first to try: some exports run only with
        the sizes that they were made with, which are constants of their Reshape nodes."""
        found = {int(extent) for node in self.graph.node if node.op_type in ("Reshape", "Expand")
                 for extent in np.ravel(self.known.get(node.input[1], ())) if 1 < extent < 1000}
        others = sorted(found - {3, 7})[:6]
        for batch, steps in ((3, 7), *((3, n) for n in others), *((n, 7) for n in others),
                             *((n, m) for n in others for m in others)):
            yield batch, steps, True
            yield batch, steps, False

    def feeds(self, batch: int, steps: int, batch_first: bool) -> dict[str, np.ndarray]:
        """Random inputs of all graph inputs."""
        rng, sizes = np.random.default_rng(1), {}
        values = {value.name: value for value in self.graph.input if value.name in self.values}
        names = {index: frozenset().union(*(self.values[each.name(index)].inputs
                 for each in self.nodes if each.name(index) in self.values
                 and not self.values[each.name(index)].shape)) for index in (4, 5, 6)}
        x = self.extents(values[self.x], sizes,
                         [batch, steps] if batch_first else [steps, batch])
        rank = len(x) + (self.table is not None)
        if rank not in (2, 3):
            raise self.refuse(f"the input {self.x} has {len(x)} axes, expected [N, T, I], "
                              f"[T, N, I] or [T, I]")
        batch = 1 if rank == 2 else x[0 if batch_first else 1]
        steps = x[1 if batch_first and rank == 3 else 0]
        feeds = {}
        for name, value in values.items():
            kind = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            if name == self.x:
                shape = x
                high = len(self.table) if self.table is not None else 1
            elif name in names[4]:
                shape = self.extents(value, sizes, [batch])
            elif name in names[5] | names[6]:
                default = [len(self.nodes) * self.nodes[0].stack.directions, batch,
                           self.nodes[0].stack.hidden]
                shape = self.extents(value, sizes, default)
            else:
                shape = self.extents(value, sizes, [batch] * 9)
            if name in names[4]:
                feeds[name] = np.sort(rng.integers(1, steps + 1, shape))[::-1].astype(kind)
                feeds[name][0] = steps
            elif np.issubdtype(kind, np.integer):
                feeds[name] = rng.integers(0, high if name == self.x else 1, shape).astype(kind)
            else:
                feeds[name] = rng.uniform(-1, 1, shape).astype(kind)
        return feeds

    def extents(self, value: onnx.ValueInfoProto, sizes: dict[str, int], default: list[int]
                ) -> list[int]:
        """The shape of an input: what is fixed, the same size for the same name, else the
        default, and at last the size of the LSTM's input."""
        found = []
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            size = default[axis] if axis < len(default) else self.nodes[0].stack.inputs
            if dim.dim_param:
                size = sizes.setdefault(dim.dim_param, size)
            found.append(dim.dim_value or size)
        return found


def _all_graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for inner in graphs.subgraphs(node):
            yield from _all_graphs(inner)


def _lstm_nodes(model: onnx.ModelProto) -> Model:
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
            if arrays[0][index] is not None:
                inputs[part] = np.stack([a[index] for a in arrays])
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
    source, run = graphs.run(model, {"x": x}, [name])
    return Answer(source, x, {"output": run[name]})
