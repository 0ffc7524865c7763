"""Reads ONNX models for liblstm.convert.

A value of the graph is a constant, depends on the shape of the input only, or is data. The
reader follows the data from the input through an embedding, the LSTM nodes, a dense layer and
an activation to the outputs; nodes that only move values may be between them. Initial states
and lengths are computed by a run of the model, whatever nodes they come from."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import helper

from liblstm.convert import Unsupported
from liblstm.convert import _onnx_graph as graphs
from liblstm.convert._model import Answer, Model, Stack, decibel
from liblstm.convert._onnx_graph import attributes, label
from liblstm.convert._onnx_nodes import PLUMBING, Node, all_graphs, lstm_node, lstm_nodes

ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Softmax": "softmax",
               "LogSoftmax": "log_softmax"}
BROKEN = "the model does not run"
INPUT, EMBEDDED, LSTM, HEAD, ACTIVATED, ADDED, SCALED = range(7)
STAGES = ("the input", "the embedding", "the LSTM", "a dense layer", "an activation", "a skip",
          "a gain")


@dataclasses.dataclass
class Value:
    """How far data has come (a stage), from which inputs, and through which LSTM node.
    shape is for values that depend on the shape of the data only."""
    stage: int
    inputs: frozenset[str]
    lstm: int = -1
    shape: bool = False


def read(path: str, lstm_only: bool = False) -> Model:
    """Reads a model, or all of its LSTM nodes."""
    model = graphs.load(path)
    if not lstm_only:
        return Reader(model).read()
    found = lstm_nodes(model)
    try:
        Reader(model).read()
    except Unsupported as error:
        if str(error).startswith(BROKEN):
            found.notes.append(f"warning: {str(error).split('; --lstm-only')[0]}")
    return found


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
        self.after: list[str] = []
        self.x = ""

    def refuse(self, message: str) -> Unsupported:
        """A refusal that says what can be taken."""
        names = [node.name or node.output[0] for graph in all_graphs(self.graph)
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
        names = set(node.input).union(*map(graphs.captured, graphs.subgraphs(node)))
        found = [self.values[name] for name in sorted(names) if name in self.values]
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
        kind = node.op_type
        if kind == "If" and all(each.op_type in {*PLUMBING, "Constant"} for graph in
                                graphs.subgraphs(node) for each in graph.node):
            kind = "Identity"
        elif graphs.subgraphs(node):
            raise self.refuse(f"{label(node)} has branches or loops, which no key can say")
        top = max(data, key=lambda value: (value.stage, value.lstm))
        if top.stage >= LSTM and kind != "LSTM":
            self.after.append(label(node))
        if kind == "LSTM":
            return self.lstm(node)
        if kind == "Gather" and node.input[0] in self.known and top.stage == INPUT:
            return self.embedding(node, top)
        if kind in ("MatMul", "Gemm"):
            return self.dense(node, data, top)
        if kind == "Add":
            return self.add(node, data, top)
        if kind in ("Mul", "Div") and len(data) == 1:
            return self.gain(node, top)
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
        if top.stage != LSTM or self.weight is not None:
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

    def gain(self, node: onnx.NodeProto, top: Value) -> Value:
        """A positive factor of the input or of the output."""
        factor = next((self.known[name] for name in node.input if name in self.known),
                      np.zeros(2))
        key = "in_gain" if top.stage == INPUT else "out_gain"
        inverse = node.op_type == "Div"
        if factor.size != 1 or not factor.item() > 0 or key in self.keys or self.nodes == [] and (
                top.stage != INPUT) or (inverse and node.input[0] in self.known):
            raise self.refuse(f"{label(node)} is not a gain: expected one positive factor of the "
                              f"input and one of the output")
        self.keys[key] = f"{(-20 if inverse else 20) * np.log10(float(factor.item())):.12g}"
        return dataclasses.replace(top, stage=INPUT if top.stage == INPUT else SCALED)

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
            raise self.refuse(f"{BROKEN}: {errors[0] if errors else ''}")
        answer = Answer(source, x, {f"output {name}": run[name] for name in outputs})
        lengths = self.nodes[0].name(4)
        if lengths:
            found = run[lengths] if lengths in run else self.known[lengths]
            answer.lengths = None if (found == len(x)).all() else found
        self.states(run, stack, answer)
        head = None if self.weight is None else (self.weight, self.bias)
        return Model({"lstm": stack}, head, self.table, self.keys, lambda _: iter([answer]),
                     after=", ".join(self.after))

    def data_of(self, x: np.ndarray, run: dict[str, np.ndarray]) -> tuple[np.ndarray, bool]:
        """x [T, N, I] of the first LSTM, and whether the input of the model has N first."""
        first = self.nodes[0]
        actual = run[first.name(0)]
        actual = actual.swapaxes(0, 1) if first.layout else actual
        values, gain = x if self.table is None else self.table[x], self.keys.get("in_gain", "0")
        for batch_first, each in ((True, values.swapaxes(0, 1) if values.ndim == 3 else
                                   values[:, None]), (False, values)):
            if each.shape == actual.shape and np.allclose(each * decibel(gain), actual, rtol=1e-5,
                                                          atol=1e-6):
                return each, batch_first
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
        found.update(axis.dim_value for value in self.graph.input if value.name in self.values
                     for axis in value.type.tensor_type.shape.dim if 1 < axis.dim_value < 1000)
        others = sorted(found - {3, 7})[:6]
        for batch, steps in ((3, 7), *((3, n) for n in others), *((n, 7) for n in others),
                             *((n, m) for n in others for m in others)):
            yield batch, steps, True
            yield batch, steps, False

    def feeds(self, batch: int, steps: int, batch_first: bool) -> dict[str, np.ndarray]:
        """Random inputs of all graph inputs."""
        rng = np.random.default_rng(1)
        sizes: dict[str, int] = {}
        values = {value.name: value for value in self.graph.input if value.name in self.values}
        names = {index: frozenset().union(*(self.values[each.name(index)].inputs
                 for each in self.nodes if each.name(index) in self.values
                 and not self.values[each.name(index)].shape)) for index in (4, 5, 6)}
        default = [batch, steps] if batch_first else [steps, batch]
        if self.table is None and len(values[self.x].type.tensor_type.shape.dim) == 2:
            default = [steps, self.nodes[0].stack.inputs]
        x = self.extents(values[self.x], sizes, default)
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
