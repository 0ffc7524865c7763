"""Converts models of audio programs, and runs the files as streams.

usage: test_convert_json.py (with LIBLSTM, and optionally STREAM, the example program, in the
environment)

The tests write models of each format and compute their outputs with NumPy in double
precision. Without NumPy they are skipped with a message.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))
try:
    import numpy as np
except ImportError:
    print("skipped: numpy not installed")
    sys.exit(77)

import liblstm
from liblstm import convert


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, w_ih, w_hh, b, h=None, c=None):
    """x [T, I] -> [T, H], PyTorch's layout; b is the sum of both biases."""
    hidden, out = w_hh.shape[1], []
    h, c = (np.zeros(hidden) if state is None else state.astype(float) for state in (h, c))
    for row in x:
        i, f, g, o = np.split(w_ih @ row + w_hh @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out)


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.target = self.path / "out.safetensors"
        self.rng = np.random.default_rng(3)

    def array(self, *shape):
        return self.rng.uniform(-0.7, 0.7, shape).astype(np.float32)

    def weights(self, inputs, hidden):
        return (self.array(4 * hidden, inputs), self.array(4 * hidden, hidden),
                self.array(4 * hidden))

    def convert(self, tree, name="model.json", **options):
        (self.path / name).write_text(json.dumps(tree))
        return convert.convert(self.path / name, self.target, **options)

    def refused(self, message, tree, name="model.json"):
        with self.assertRaisesRegex(convert.Unsupported, message):
            self.convert(tree, name)
        self.assertEqual([each.name for each in self.path.iterdir()], [name])

    def answers(self, x, expected):
        """The file answers so as a stream: by steps, as a block, after a reset, in C."""
        x = np.asarray(x, np.float32)
        with liblstm.Stream.load(self.target, batch=2) as stream:
            for _ in range(2):
                y = np.empty((len(x), 2, expected.shape[1]), np.float32)
                for row, each in zip(x, y):
                    stream.step(np.stack([row, row]), each)
                for column in range(2):
                    np.testing.assert_allclose(y[:, column], expected, atol=2e-6)
                stream.reset()
            stream.step(np.stack([x[0], x[0]]))
            stream.reset([True, False])
            block = np.empty((2, len(x), expected.shape[1]), np.float32)
            stream.step(np.stack([x, x]), block)
            np.testing.assert_allclose(block[0], expected, atol=2e-6)
            self.assertFalse(np.allclose(block[1], expected, atol=1e-4))
        if os.environ.get("STREAM"):
            lines = "".join(" ".join(map(repr, map(float, row))) + "\n" for row in x)
            done = subprocess.run([os.environ["STREAM"], self.target], input=lines,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            np.testing.assert_allclose(
                [[*map(float, line.split())] for line in done.stdout.splitlines()], expected,
                atol=2e-6)

    def metadata(self):
        with liblstm.File(self.target) as file:
            return {key[6:]: text for key, text in file.metadata().items()
                    if key.startswith("model.")}


class Nam(Base):
    def tree(self, x, inputs=1, hidden=5, count=2, outputs=1):
        flat, y = [], x.astype(float)
        for index in range(count):
            w_ih, w_hh, b = self.weights(inputs if index == 0 else hidden, hidden)
            h0, c0 = self.array(hidden), self.array(hidden)
            flat += [*np.hstack([w_ih, w_hh]).ravel(), *b, *h0, *c0]
            y = lstm(y, w_ih, w_hh, b, h0, c0)
        head, bias = self.array(outputs, hidden), self.array(outputs)
        flat += [*head.ravel(), *bias]
        config = {"input_size": inputs, "hidden_size": hidden, "num_layers": count}
        if outputs > 1:
            config["out_channels"] = outputs
        return {"version": "0.5.4", "architecture": "LSTM", "config": config,
                "weights": [float(value) for value in flat],
                "sample_rate": 48000}, y @ head.T + bias

    def test_initial_states_are_kept_and_obeyed(self):
        x = self.array(30, 1)
        tree, expected = self.tree(x)
        self.assertIn("2 layers of 5 units", self.convert(tree, "a.nam"))
        self.assertEqual(self.metadata(), {"samplerate": "48000", "output": "steps"})
        with liblstm.File(self.target) as file:
            self.assertEqual(file.tensors()["lstm.h0"], ("F32", (2, 5)))
        self.answers(x, expected)
        with liblstm.Stream.load(self.target) as stream:
            self.assertEqual(stream.samplerate, 48000)

    def test_sizes_of_real_files(self):
        for hidden, count, size in ((3, 1, 70), (16, 1, 1201), (8, 2, 905)):
            tree, _ = self.tree(self.array(1, 1), 1, hidden, count)
            self.assertEqual(len(tree["weights"]), size)
            self.convert(tree, "a.nam")

    def test_several_inputs_and_outputs_without_a_rate(self):
        x = self.array(30, 2)
        tree, expected = self.tree(x, 2, 4, 1, 3)
        tree["sample_rate"] = -1
        self.convert(tree, "a.nam")
        self.assertNotIn("samplerate", self.metadata())
        self.answers(x, expected)

    def test_other_files_are_refused(self):
        tree, _ = self.tree(self.array(1, 1))
        self.refused("the architecture is WaveNet, expected LSTM",
                     tree | {"architecture": "WaveNet"}, "a.nam")
        self.refused("the architecture is a b  c, expected LSTM",
                     tree | {"architecture": "a\nb\t\x9bc"}, "a.nam")
        self.refused(r"weights has 384 numbers, expected 386 for num_layers 2, hidden_size 5",
                     tree | {"weights": tree["weights"][2:]}, "a.nam")
        self.refused("missing or not valid: 'config'",
                     {"architecture": "LSTM"}, "a.nam")
        self.refused("weights has a value that is not finite",
                     tree | {"weights": [float("nan")] + tree["weights"][1:]}, "a.nam")
        self.refused("is not an array of numbers", tree | {"weights": "x"}, "a.nam")
        for value in (1e300, 10**400):
            self.refused("weights (has a value that is not finite|is not an array)",
                         tree | {"weights": [value] + tree["weights"][1:]}, "a.nam")
        for value in ("abc", float("nan"), float("inf"), 1.5, 0, True, 2**63):
            self.refused(f"num_layers is {value!r}, expected",
                         tree | {"config": tree["config"] | {"num_layers": value}}, "a.nam")

    def test_files_that_must_not_be_replaced(self):
        tree, _ = self.tree(self.array(1, 1))
        path = self.path / "own.nam"
        path.write_text(json.dumps(tree))
        os.mkfifo(path.with_suffix(".fifo"))
        for target, text in ((path, "same file"), (path.parent, "not a regular file"),
                             (path.with_suffix(".fifo"), "not a regular file")):
            with self.assertRaisesRegex(convert.Unsupported, text):
                convert.convert(path, target)
        self.assertEqual(json.loads(path.read_text()), tree)

    def test_deep_files(self):
        path = self.path / "deep.json"
        path.write_text("[" * 100000)
        with self.assertRaisesRegex(convert.Unsupported, "nested too deeply"):
            convert.convert(path, path.with_suffix(".safetensors"))


class RtNeural(Base):
    def tree(self, x, count=1, activation="", hidden=6, outputs=1):
        """Layers, and the output of the last one."""
        layers, inputs, y = [], x.shape[1], x.astype(float)
        for _ in range(count):
            w_ih, w_hh, b = self.weights(inputs, hidden)
            y = lstm(y, w_ih, w_hh, b)
            layers.append({"type": "lstm", "activation": "", "shape": [None, None, hidden],
                           "weights": [w_ih.T.tolist(), w_hh.T.tolist(), b.tolist()]})
            inputs = hidden
        head, bias = self.array(outputs, hidden), self.array(outputs)
        layers.append({"type": "dense", "activation": activation,
                       "shape": [None, None, outputs],
                       "weights": [head.T.tolist(), bias.tolist()]})
        return {"in_shape": [None, None, x.shape[1]], "layers": layers}, y @ head.T + bias

    def test_gains_skip_and_samplerate(self):
        x = self.array(40, 1)
        tree, expected = self.tree(x * 10 ** (6 / 20))
        self.convert(tree | {"in_gain": 6, "out_gain": -3.5, "in_skip": 1,
                             "metadata": {"samplerate": "44100"}})
        self.assertEqual(self.metadata(), {
            "skip": "1", "in_gain": "6", "out_gain": "-3.5", "samplerate": "44100",
            "output": "steps"})
        self.answers(x, (expected + x * 10 ** (6 / 20)) * 10 ** (-3.5 / 20))

    def test_activations_of_the_head(self):
        functions = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda v: np.maximum(v, 0),
                     "softmax": lambda v: np.exp(v) / np.exp(v).sum(1, keepdims=True)}
        for name, function in functions.items():
            with self.subTest(name):
                x = self.array(20, 2)
                tree, y = self.tree(x, 2, name, outputs=3)
                self.convert(tree)
                self.assertEqual(self.metadata()["activation"], name)
                self.answers(x, function(y))

    def test_the_answers_of_a_file_are_checked(self):
        x = self.array(40, 1)
        tree, y = self.tree(x)
        tree |= {"input_batch": x[:, 0].tolist(), "output_batch": y[:, 0].tolist()}
        self.assertIn("output_batch of the file", self.convert(tree))
        self.target.unlink()
        tree["output_batch"][20] += 0.01
        self.refused("output_batch of the file differs from the model by 0.01", tree)

    def test_what_no_key_can_say_is_refused(self):
        x = self.array(5, 1)
        tree, _ = self.tree(x)
        gru = {"type": "gru", "shape": [None, None, 6], "weights": []}
        conv = {"type": "conv1d", "shape": [None, None, 1], "weights": []}
        layer, dense = tree["layers"]
        for layers, message in (
                ([layer, dense, dense], r"layer 2 \(dense\) is a second dense layer"),
                ([dense, layer], r"layer 0 \(dense\) is a dense layer in front"),
                ([conv, layer, dense], r"layer 0 \(conv1d\) is not an LSTM or dense layer"),
                ([layer, dense | {"activation": "elu"}], "has activation elu")):
            self.refused(message + ".*--lstm-only", tree | {"layers": layers})
            self.assertIn("1 layer of 6 units", self.convert(
                tree | {"layers": layers}, lstm_only=True) if layers[0] is not dense else
                "1 layer of 6 units")
            self.target.unlink(missing_ok=True)
        self.refused(r"layer 0 \(gru\) is not an LSTM, and the file has none",
                     tree | {"layers": [gru, dense]})
        self.refused("kernel of layer 0 .* is .1, 24., expected .2, 24.",
                     tree | {"in_shape": [None, None, 2]})

    def test_layers_of_different_sizes(self):
        x = self.array(9, 1)
        tree, _ = self.tree(x)
        w_ih, w_hh, b = self.weights(6, 4)
        tree["layers"].insert(1, {"type": "lstm", "shape": [None, None, 4], "weights": [
            w_ih.T.tolist(), w_hh.T.tolist(), b.tolist()]})
        tree["layers"].pop()
        self.refused("different sizes: layer 0 .* 6 units, layer 1 .* 4 units", tree)
        self.convert(tree, lstm_only=True)
        with liblstm.File(self.target) as file:
            self.assertEqual(file.layers(), ["lstm0", "lstm1"])


class GuitarMl(Base):
    def tree(self, x, skip, count=1, hidden=7, outputs=1):
        state, inputs, y = {}, x.shape[1], x.astype(float)
        for index in range(count):
            w_ih, w_hh, b = self.weights(inputs, hidden)
            state |= {f"rec.weight_ih_l{index}": w_ih.tolist(),
                      f"rec.weight_hh_l{index}": w_hh.tolist(),
                      f"rec.bias_ih_l{index}": b.tolist(),
                      f"rec.bias_hh_l{index}": (b / 2).tolist()}
            y, inputs = lstm(y, w_ih, w_hh, 1.5 * b.astype(float)), hidden
        head, bias = self.array(outputs, hidden), self.array(outputs)
        state |= {"lin.weight": head.tolist(), "lin.bias": bias.tolist()}
        y = y @ head.T + bias
        y[:, :skip] += x[:, :skip]
        return {"model_data": {"model": "SimpleRNN", "input_size": x.shape[1], "skip": skip,
                               "output_size": outputs, "unit_type": "LSTM",
                               "num_layers": count, "hidden_size": hidden, "bias_fl": True},
                "state_dict": state}, y

    def test_skip_adds_the_first_inputs(self):
        for inputs, outputs, skip, count in ((1, 1, 1, 1), (3, 2, 1, 2), (2, 2, 2, 1),
                                             (2, 1, 0, 1)):
            x = self.array(25, inputs)
            tree, expected = self.tree(x, skip, count, 7, outputs)
            self.convert(tree)
            self.assertEqual(self.metadata().get("skip", "0"), str(skip))
            self.answers(x, expected)

    def test_bare_state_dicts(self):
        x = self.array(25, 2)
        tree, expected = self.tree(x, 0, 2)
        state = {name.replace("rec.", "lstm.").replace("lin.", "dense."): value
                 for name, value in tree["state_dict"].items()}
        self.convert(state)
        self.answers(x, expected)

    def test_two_linear_layers_and_others_are_refused(self):
        tree, _ = self.tree(self.array(3, 1), 0)
        state = tree["state_dict"]
        self.refused("other parts beside the LSTM: lin.weight, out.weight.*--lstm-only",
                     state | {"out.weight": [[1.0]], "out.bias": [0.0]})
        self.refused("other parts beside the LSTM: h0", state | {"h0": [1.0]})
        self.refused("unit_type is GRU", tree | {"model_data": {"unit_type": "GRU"}})
        self.refused("hidden_size is 8, but the tensors have 7",
                     tree | {"model_data": {"hidden_size": 8}})
        self.refused("skip is 2, expected 0 to 1", tree | {"model_data": {"skip": 2}})
        self.refused("no LSTM found", {"a": [1.0]})
        self.convert(state | {"out.weight": [[1.0]]}, lstm_only=True)
        with liblstm.File(self.target) as file:
            self.assertEqual(sum("lstm." in name for name in file.tensors()), 4)
            self.assertEqual(len(file.tensors()), 4)


class Command(Base):
    def run_command(self, *arguments):
        return subprocess.run([sys.executable, "-m", "liblstm.convert", *arguments],
                              capture_output=True, text=True,
                              env=os.environ | {"PYTHONPATH": str(ROOT / "examples/python")})

    def test_messages(self):
        path = self.path / "a.json"
        path.write_text("{")
        for name, message in ((path, "not valid JSON"), ("a.xyz", "unknown kind of file"),
                              ("a.pt", "save_file"), ("a.nam", "no such file"),
                              ("a.safetensors", "needs no conversion")):
            done = self.run_command(name, self.target)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, rf"^liblstm-convert: .*{message}.*\n$")

    def test_a_missing_package_is_named(self):
        (self.path / "numpy.py").write_text("raise ModuleNotFoundError(name='numpy')")
        done = subprocess.run(
            [sys.executable, "-m", "liblstm.convert", "a.nam", "b"], capture_output=True,
            text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(
                [str(self.path), str(ROOT / "examples/python")])})
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "liblstm-convert: a.nam: the conversion needs the "
                         "package numpy: pip install numpy\n")

    def test_keys_that_are_not_valid(self):
        layer, linear = liblstm.Layer(1, 2), liblstm.Linear(2, 1)
        for key, text in (("model.skip", "2"), ("model.skip", "-1"), ("model.in_gain", "x"),
                          ("model.out_gain", "1e300"),
                          ("model.in_gain", " 1"), ("model.in_gain", "1_0"),
                          ("model.in_gain", "\u0663"), ("model.in_gain", ""),
                          ("model.out_gain", "inf"), ("model.skip", "\u0661"),
                          ("model.activation", "elu"), ("model.activation", ""),
                          ("model.reverse", "lstm"), ("model.reverse", "a lstm"),
                          ("model.output", "reversed"), ("model.samplerate", "fast"),
                          ("model.samplerate", "-1"), ("scale", "1"), ("scale", "1 2 3"),
                          ("scale", "1 0x2"), ("scale", "1 nan"), ("scale", "1 -1"),
                          ("scale", "1,5 2"), ("model.key", "1"), ("model.", "1")):
            liblstm.Params(lstm=layer, fc=linear).save(self.target, metadata={key: text})
            with self.assertRaisesRegex(ValueError, key):
                liblstm.Stream.load(self.target)
            if os.environ.get("STREAM"):
                done = subprocess.run([os.environ["STREAM"], self.target], input="1\n",
                                      capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, f"metadata ({re.escape(key)} is '{text}'|has the "
                                 f"unknown key '{re.escape(key)}'), expected")

    def test_known_keys_that_a_stream_does_not_apply_are_not_unknown(self):
        layer, linear = liblstm.Layer(1, 3), liblstm.Linear(3, 1)
        for key, text in ("model.read", "columns"), ("model.differences", "1"):
            liblstm.Params(lstm=layer, fc=linear).save(self.target, metadata={key: text})
            with self.assertRaisesRegex(ValueError, f"metadata {key} is '{text}', expected "
                                        "none: liblstm.Stream does not apply it"):
                liblstm.Stream.load(self.target)

    def test_an_embedding_takes_indices(self):
        table, x = self.array(9, 3), np.array([4, 0, 8, 8, 1])
        w_ih, w_hh, b = self.weights(3, 5)
        layer = liblstm.Layer(3, 5, batch_first=True)
        layer.set_weights(0, 0, liblstm.PYTORCH, w_ih, w_hh, np.stack([b, 0 * b]))
        params = liblstm.Params(lstm=layer, embedding=liblstm.Embedding(9, 3))
        np.asarray(params.value("embedding.weight"))[...] = table
        params.save(self.target, metadata={"model.activation": "log_softmax"})
        y = lstm(table[x].astype(float), w_ih, w_hh, b)
        expected = y - np.log(np.exp(y).sum(1, keepdims=True))
        with liblstm.Stream.load(self.target) as stream:
            out = np.empty((1, 5, 5), np.float32)
            stream.step(x[None], out)
        np.testing.assert_allclose(out[0], expected, atol=2e-6)
        if os.environ.get("STREAM"):
            done = subprocess.run([os.environ["STREAM"], self.target], text=True,
                                  input="4\n0\n8\n8\n1\n9\n", capture_output=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("line 6: field 1 is '9', expected an index of the embedding, 0 to 8", done.stderr)
            np.testing.assert_allclose(
                [[*map(float, line.split())] for line in done.stdout.splitlines()], expected,
                atol=2e-6)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
