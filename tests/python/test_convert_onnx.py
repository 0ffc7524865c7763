"""Converts ONNX models: nodes made by hand, and exports of PyTorch.

usage: test_convert_onnx.py Nodes|Exports (with LIBLSTM in the environment)

Each result is compared with ONNX Runtime if it is installed, else with the NumPy of the
converter; Exports compares with PyTorch. Without the packages the tests are skipped with a
message.
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))


def needs(*names):
    missing = [name for name in names if not importlib.util.find_spec(name)]
    return unittest.skipIf(missing, f"{', '.join(missing)} not installed")


if importlib.util.find_spec("numpy"):
    import numpy as np
    import liblstm
    from liblstm import convert


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.source, self.target = self.path / "model.onnx", self.path / "out.safetensors"
        self.rng = np.random.default_rng(6)

    def convert(self, lstm_only=False):
        return convert.convert(self.source, self.target, lstm_only)

    def refused(self, message, lstm_only=False):
        with self.assertRaisesRegex(convert.Unsupported, message):
            self.convert(lstm_only)
        self.assertEqual([path.suffix for path in self.path.iterdir()], [".onnx"])

    def metadata(self):
        with liblstm.File(self.target) as file:
            return {key[6:]: text for key, text in file.metadata().items()
                    if key.startswith("model.")}

    def layers(self):
        with liblstm.File(self.target) as file:
            return {prefix: file.layer_config(prefix).layers for prefix in file.layers()}


@needs("numpy", "onnx")
class Nodes(Folder):
    """An LSTM of 5 inputs and 7 units with nodes around it."""

    def lstm(self, name="lstm", x="x", direction="forward", inputs=5, initial=(), lengths="",
             y=None, **options):
        """A node and its weights; initial are names of states."""
        from onnx import helper

        count = 1 + (direction == "bidirectional")
        self.constant(f"{name}.w", self.array(count, 28, inputs))
        self.constant(f"{name}.r", self.array(count, 28, 7))
        self.constant(f"{name}.b", self.array(count, 56))
        self.nodes.append(helper.make_node(
            "LSTM", [x, f"{name}.w", f"{name}.r", f"{name}.b", lengths, *initial],
            [y or f"{name}.y", f"{name}.hn", f"{name}.cn"], name=name,
            **{"hidden_size": 7, "direction": direction} | options))

    def setUp(self):
        super().setUp()
        self.nodes, self.tensors, self.inputs = [], [], [("x", ("T", "N", 5))]

    def array(self, *shape):
        return self.rng.uniform(-0.7, 0.7, shape).astype(np.float32)

    def constant(self, name, value):
        from onnx import numpy_helper

        self.tensors.append(numpy_helper.from_array(np.asarray(value), name))

    def node(self, kind, inputs, outputs, **options):
        from onnx import helper

        name = kind.lower() + str(len(self.nodes)) * (kind == "Expand")
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, **options))

    def save(self, *outputs):
        import onnx
        from onnx import TensorProto, helper

        kinds = {"lengths": TensorProto.INT32, "ids": TensorProto.INT64}
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "net",
            [info(name, kinds.get(name, TensorProto.FLOAT), shape)
             for name, shape in self.inputs],
            [info(name, TensorProto.FLOAT, None) for name in outputs], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.save(onnx.shape_inference.infer_shapes(model), self.source)

    def head(self, source):
        """MatMul and Add after the last step."""
        self.constant("axis", np.array([0]))
        self.constant("fc", self.array(7, 3))
        self.constant("bias", self.array(3))
        self.node("Squeeze", [source, "axis"], ["last"])
        self.node("MatMul", ["last", "fc"], ["product"])
        self.node("Add", ["product", "bias"], ["logits"])

    def both(self, lstm_only=False):
        """Converts with and without ONNX Runtime; returns the summary of the first."""
        summary = self.convert(lstm_only)
        with mock.patch.dict(sys.modules, {"onnxruntime": None}):
            self.assertIn("NumPy in double precision", self.convert(lstm_only))
        return summary

    def test_directions_and_layouts(self):
        for direction in ("forward", "reverse", "bidirectional"):
            for layout in (0, 1):
                with self.subTest(direction=direction, layout=layout):
                    self.setUp()
                    self.lstm(direction=direction, layout=layout)
                    self.save("lstm.y", "lstm.hn", "lstm.cn")
                    self.assertIn("lstm.cn (cn)", self.both())
                    self.assertEqual(self.metadata().get("reverse"),
                                     "lstm" if direction == "reverse" else None)
                    with liblstm.Layer.load(self.target) as layer:
                        self.assertEqual(layer.config.batch_first, bool(layout))
                    self.both(lstm_only=True)

    def test_a_reverse_model_is_no_stream(self):
        self.lstm(direction="reverse")
        self.save("lstm.y")
        self.convert()
        with self.assertRaisesRegex(ValueError, "from the last step to the first"):
            liblstm.Stream.load(self.target)

    def test_lengths(self):
        for direction in ("forward", "reverse", "bidirectional"):
            with self.subTest(direction):
                self.setUp()
                self.inputs.append(("lengths", ("N",)))
                self.lstm(direction=direction, lengths="lengths")
                self.save("lstm.y", "lstm.hn")
                self.assertIn("lstm.hn (hn)", self.both())

    def test_a_clip_that_does_nothing(self):
        self.lstm(clip=9999.0)
        self.save("lstm.y")
        self.both()
        self.setUp()
        self.lstm(clip=0.5)
        self.save("lstm.y")
        self.refused(r"lstm \(LSTM\) has clip 0.5, expected none or at least 20")
        self.refused("clip 0.5", lstm_only=True)

    def test_initial_states(self):
        states = [self.array(1, 1, 7) for _ in range(2)]
        self.constant("h", states[0])
        self.constant("c", states[1])
        self.node("Shape", ["x"], ["shape"], start=1, end=2)
        self.constant("one", np.array([1]))
        self.node("Concat", ["one", "shape", "one"], ["sizes"], axis=0)
        for name in "hc":
            self.node("Expand", [name, "sizes"], [name + "0"])
        self.lstm(initial=("h0", "c0"))
        self.save("lstm.y")
        self.both()
        with liblstm.File(self.target) as file:
            np.testing.assert_array_equal(np.asarray(file.read("lstm.h0")), states[0][0])
            np.testing.assert_array_equal(np.asarray(file.read("lstm.c0")), states[1][0])
        self.setUp()
        self.inputs += [("h", (1, "N", 7)), ("c", (1, "N", 7))]
        self.lstm(initial=("h", "c"))
        self.save("lstm.y", "lstm.cn")
        self.both()
        with liblstm.File(self.target) as file:
            self.assertNotIn("lstm.h0", file.tensors())

    def test_activations_of_the_head(self):
        for kind, name in (("Sigmoid", "sigmoid"), ("Tanh", "tanh"), ("Relu", "relu"),
                           ("Softmax", "softmax"), ("LogSoftmax", "log_softmax")):
            with self.subTest(kind):
                self.setUp()
                self.lstm()
                self.head("lstm.hn")
                self.node(kind, ["logits"], ["out"])
                self.save("out")
                self.both()
                self.assertEqual(self.metadata(), {"activation": name, "output": "last"})

    def test_the_input_is_added(self):
        self.lstm()
        self.constant("axis", np.array([1]))
        self.constant("fc", self.array(7, 2))
        for name, value in (("zero", 0), ("two", 2), ("last", -1)):
            self.constant(name, np.array([value]))
        self.node("Squeeze", ["lstm.y", "axis"], ["y"])
        self.node("MatMul", ["y", "fc"], ["product"])
        self.node("Slice", ["x", "zero", "two", "last"], ["first"])
        self.node("Add", ["product", "first"], ["out"])
        self.save("out")
        self.both()
        self.assertEqual(self.metadata(), {"skip": "2", "output": "steps"})

    def test_an_embedding(self):
        self.inputs = [("ids", ("N", "T"))]
        self.constant("table", self.array(20, 5))
        self.node("Gather", ["table", "ids"], ["rows"])
        self.node("Transpose", ["rows"], ["x"], perm=[1, 0, 2])
        self.lstm()
        self.save("lstm.y")
        self.both()
        with liblstm.File(self.target) as file:
            self.assertEqual(file.tensors()["embedding.weight"], ("F32", (20, 5)))

    def test_weights_that_are_computed_from_constants(self):
        self.lstm()
        weights = self.tensors[0]
        weights.name = "half"
        self.constant("two", np.float32(2))
        self.node("Mul", ["half", "two"], ["lstm.w"])
        self.nodes.insert(0, self.nodes.pop())
        self.save("lstm.y")
        self.both()

    def test_a_node_in_a_branch(self):
        """The weights are those of the graph around the branch."""
        from onnx import TensorProto, helper

        self.lstm()
        info = helper.make_tensor_value_info
        graphs = [helper.make_graph(nodes, name, [], [info(out, TensorProto.FLOAT, [None] * 4)])
                  for nodes, name, out in (
                      (self.nodes, "yes", "lstm.y"),
                      ([helper.make_node("Unsqueeze", ["x", "one"], ["other"])], "no", "other"))]
        self.constant("one", np.array([1]))
        self.constant("condition", np.array(True))
        self.nodes = [helper.make_node("If", ["condition"], ["out"], name="if",
                                       then_branch=graphs[0], else_branch=graphs[1])]
        self.save("out")
        self.refused(r"node if \(If\).*--lstm-only converts the LSTM node lstm alone")
        self.assertIn("1 layer of 7 units", self.both(lstm_only=True))

    def test_layers_that_do_not_fit_are_taken_alone(self):
        self.lstm("first")
        self.constant("axis", np.array([1]))
        self.node("Squeeze", ["first.y", "axis"], ["y"])
        self.lstm("second", "y", inputs=7)
        self.lstm("third", "x", "reverse")
        self.save("second.y", "third.y")
        self.refused(r"third \(LSTM\) reads the input, which another LSTM reads, too; "
                     r"--lstm-only converts the LSTM nodes first, second, third alone")
        self.both(lstm_only=True)
        self.assertEqual(self.layers(), {"lstm0": 2, "lstm1": 1})
        self.assertEqual(self.metadata()["reverse"], "lstm1")

    def test_what_no_key_can_say_is_named(self):
        for kind in ("Erf", "Relu"):
            self.setUp()
            self.lstm()
            self.constant("axis", np.array([1]))
            self.constant("fc", self.array(7, 3))
            self.node("Squeeze", ["lstm.y", "axis"], ["y"])
            self.node(kind, ["y"], ["z"])
            self.node("MatMul", ["z", "fc"], ["out"])
            self.save("out")
            self.refused({"Erf": r"erf \(Erf\) is not something", "Relu":
                          r"matmul \(MatMul\) is a dense layer after an activation"}[kind]
                         + ".*--lstm-only converts the LSTM node lstm alone")
            self.both(lstm_only=True)
            self.assertEqual(self.layers(), {"lstm": 1})
            self.target.unlink()
        self.setUp()
        self.node("Relu", ["x"], ["out"])
        self.save("out")
        self.refused("the model has no LSTM node")
        self.refused("the model has no LSTM node", lstm_only=True)
        self.setUp()
        self.lstm(activations=["Sigmoid", "Relu", "Tanh"])
        self.save("lstm.y")
        self.refused("custom activations")

    def test_outputs_that_liblstm_cannot_compute(self):
        for indices, message in (([6, 5, 4, 3, 2, 1, 0], "it differs from .* by"),
                                 ([0, 1], "no output of liblstm has as many values")):
            self.setUp()
            self.lstm()
            self.constant("indices", np.array(indices))
            self.node("Gather", ["lstm.y", "indices"], ["out"], axis=3)
            self.save("out")
            self.refused(r"output out .* after node gather \(Gather\) is not what liblstm can "
                         f"give: {message}.*--lstm-only")
        self.source.write_bytes(b"junk")
        self.refused("not a valid model")

    def test_outputs_in_another_order(self):
        self.lstm()
        self.node("Transpose", ["lstm.y"], ["out"], perm=[3, 2, 1, 0])
        self.save("out")
        self.both()

    def test_gains(self):
        for kind, value in (("Mul", 0.5), ("Div", 4.0)):
            self.setUp()
            self.constant("gain", np.float32(value))
            self.node(kind, ["x", "gain"], ["scaled"])
            self.lstm(x="scaled")
            self.head("lstm.hn")
            self.nodes[-1].output[0] = "sum"
            self.node("Identity", ["sum"], ["same"])
            self.nodes.append(type(self.nodes[0])())
            self.nodes[-1].CopyFrom(self.nodes[0])
            self.nodes[-1].name = "second"
            self.nodes[-1].input[:] = ["same", "gain"]
            self.nodes[-1].output[:] = ["out"]
            self.save("out")
            self.both()
            decibels = 20 * np.log10(value if kind == "Mul" else 1 / value)
            found = self.metadata()
            self.assertAlmostEqual(float(found["in_gain"]), decibels, places=6)
            self.assertAlmostEqual(float(found["out_gain"]), decibels, places=6)
        self.setUp()
        self.constant("gain", np.float32(-1))
        self.node("Mul", ["x", "gain"], ["scaled"])
        self.lstm(x="scaled")
        self.save("lstm.y")
        self.refused(r"mul \(Mul\) is not a gain: expected one positive factor")

    def test_a_branch_that_only_moves_values(self):
        """What PyTorch's exporter makes of squeeze() with dynamic axes."""
        from onnx import TensorProto, helper

        self.lstm()
        self.constant("axis", np.array([1]))
        self.constant("condition", np.array(True))
        branches = [helper.make_graph([helper.make_node(*node)], name, [], [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
            for node, name in ((("Squeeze", ["lstm.y", "axis"], ["yes"]), "yes"),
                               (("Identity", ["lstm.y"], ["no"]), "no"))]
        self.node("If", ["condition"], ["out"], then_branch=branches[0],
                  else_branch=branches[1])
        self.save("out")
        with mock.patch("onnx.checker.check_model"):
            self.assertIn("output out (steps)", self.convert())

    def test_states_of_a_fixed_batch(self):
        self.inputs += [("h", (1, 4, 7)), ("c", (1, 4, 7))]
        self.lstm(initial=("h", "c"))
        self.save("lstm.y")
        self.both()

    def test_a_model_that_does_not_run(self):
        self.inputs += [("h", (1, "N", 6)), ("c", (1, "N", 7))]
        self.lstm(initial=("h", "c"))
        self.save("lstm.y")
        self.refused("the model does not run: .*lstm")
        self.assertIn("warning: the model does not run", self.convert(lstm_only=True))

    def test_the_command(self):
        self.lstm()
        self.save("lstm.y")
        done = subprocess.run(
            [sys.executable, "-m", "liblstm.convert", "--lstm-only", self.source, self.target],
            capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "examples/python")})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("lstm (node lstm (LSTM)): 1 layer of 7 units", done.stdout)


@needs("numpy", "torch", "onnx", "onnxscript")
class Exports(Folder):
    """torch.onnx.export() with both exporters, dynamic axes or not."""

    def net(self, layers, bidirectional, batch_first, output, activation):
        import torch

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = torch.nn.LSTM(5, 7, layers, batch_first=batch_first,
                                         bidirectional=bidirectional)
                self.fc = torch.nn.Linear(7 * (1 + bidirectional), 3)

            def forward(self, x):
                out, (hn, _) = self.rnn(x)
                if output == "last":
                    out = out[:, -1] if batch_first else out[-1]
                elif output == "states":
                    out = torch.cat(list(hn[-1 - bidirectional:]), 1)
                y = self.fc(out)
                return y if activation is None else getattr(torch, activation)(
                    y, *[-1] * activation.endswith("softmax"))

        torch.manual_seed(7)
        return Net().eval()

    def export(self, net, x, dynamo, dynamic):
        import torch

        options = {}
        if dynamic and dynamo:
            each = torch.export.Dim.AUTO
            options["dynamic_shapes"] = ({0: each, 1: each},)
        elif dynamic:
            options["dynamic_axes"] = {"x": {0: "a", 1: "b"}}
        torch.onnx.export(net, (x,), self.source, dynamo=dynamo, input_names=["x"],
                          verbose=False, **options)

    def compare(self, net, x, batch_first):
        """The file computes what PyTorch does at all steps, without activation."""
        layer, linear = liblstm.Layer.load(self.target, "lstm"), \
            liblstm.Linear.load(self.target, "fc")
        layer.train(False)
        self.assertEqual(layer.config.batch_first, batch_first)
        out = np.empty((*x.shape[:2], layer.output_size), np.float32)
        layer.forward(x.numpy(), out=out)
        y = np.empty((*x.shape[:2], 3), np.float32)
        linear.forward(out.reshape(-1, layer.output_size), y.reshape(-1, 3))
        np.testing.assert_allclose(y, net(x).detach().numpy(), atol=1e-5)

    def test_exports_of_both_exporters(self):
        import torch

        cases = ((1, False, True, "steps", None), (2, False, False, "last", "sigmoid"),
                 (3, True, True, "states", "log_softmax"), (2, True, True, "steps", None),
                 (1, True, False, "last", "softmax"), (2, False, True, "states", "relu"))
        for index, case in enumerate(cases):
            for dynamo in (True, False):
                dynamic = index % 2 == dynamo
                with self.subTest(case=case, dynamo=dynamo, dynamic=dynamic):
                    net, x = self.net(*case), torch.rand(4, 6, 5)
                    self.export(net, x, dynamo, dynamic)
                    self.convert()
                    found = self.metadata()
                    self.assertEqual(found.get("activation"), case[4])
                    # In one direction the final state is the last step.
                    self.assertEqual(found["output"], "last" if case[3] == "states" and
                                     not case[1] else case[3])
                    if case[3:] == ("steps", None):
                        self.compare(net, x, case[2])


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, warnings="ignore").result
    if len(result.skipped) == result.testsRun:
        print(f"skipped: {result.skipped[0][1]}")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
