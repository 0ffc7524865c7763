"""Converts models of Keras and PyTorch to liblstm, and back to PyTorch.

usage: test_convert.py Keras|PyTorch|Digits (with LIBLSTM and LIBMNIST in the
environment)

The converters check their results; these tests make the checks fail. Without the framework
the test is skipped with a message.
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "examples/python"
sys.path.insert(0, str(SCRIPTS))
os.environ.setdefault("KERAS_BACKEND", "jax")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(SCRIPTS)}


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

    def convert(self, name):
        """Converts a file to out.safetensors; returns the summary."""
        return convert.convert(self.path / name, self.path / "out.safetensors")

    def refused(self, name, message):
        with self.assertRaisesRegex(convert.Unsupported, message):
            self.convert(name)
        self.assertFalse((self.path / "out.safetensors").exists())


@needs("numpy", "keras", "jax")
class Keras(Folder):
    def save(self, *layers, name="model.keras"):
        import keras

        model = keras.Sequential([keras.layers.Input((6, 5)), *layers])
        rng = np.random.default_rng(4)
        model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])
        model.save(self.path / name)
        return model

    def test_two_layers_and_a_head_equal_keras(self):
        from keras import layers

        model = self.save(layers.LSTM(7, return_sequences=True), layers.LSTM(7),
                          layers.Dense(3))
        self.convert("model.keras")
        path = self.path / "out.safetensors"
        layer, linear = liblstm.Layer.load(path, "lstm"), liblstm.Linear.load(path, "fc")
        x = np.random.default_rng(5).normal(size=(4, 6, 5)).astype(np.float32)
        hn, y = np.empty((2, 4, 7), np.float32), np.empty((4, 3), np.float32)
        layer.forward(x, hn=hn)
        linear.forward(hn[1], y)
        np.testing.assert_allclose(y, model.predict(x, verbose=0), atol=1e-5)

    def test_both_directions_softmax_and_hdf5(self):
        from keras import layers

        self.save(layers.Bidirectional(layers.LSTM(7, return_sequences=True)),
                  layers.Dropout(0.5), layers.Bidirectional(layers.LSTM(7)),
                  layers.Dense(3, activation="softmax"))
        self.assertIn("(states)", self.convert("model.keras"))
        self.save(layers.LSTM(7, return_sequences=True, use_bias=False), name="model.h5")
        self.assertIn("(steps)", self.convert("model.h5"))

    def test_unsupported_features_are_named(self):
        from keras import layers

        self.save(layers.GRU(7))
        self.refused("model.keras", "gru.* is a GRU, expected LSTM")
        self.save(layers.LSTM(7, activation="relu"))
        self.refused("model.keras", "activation relu, expected tanh")
        self.save(layers.LSTM(7, return_sequences=True), layers.LSTM(8))
        self.refused("model.keras", r"\[7, 8\] units")
        self.save(layers.LSTM(7, go_backwards=True))
        self.refused("model.keras", "go_backwards True")


@needs("numpy", "torch", "safetensors")
class Digits(unittest.TestCase):
    @unittest.skipUnless(os.environ.get("MNIST_DIR"), "MNIST_DIR is not set")
    def test_both_libraries_predict_the_same_digits(self):
        done = subprocess.run(
            [sys.executable, "-m", "liblstm.convert.from_torch", "--steps", "30"],
            capture_output=True, text=True,
            env=ENVIRONMENT | {"OMP_NUM_THREADS": "1", "LSTM_NUM_THREADS": "1"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("10000 of 10000 predictions equal"), 2)


@needs("numpy", "torch", "safetensors")
class PyTorch(Folder):
    def test_models_with_any_names_and_options_convert_both_ways(self):
        import torch
        from liblstm.convert.from_torch import parts, to_liblstm, to_torch

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.deep = torch.nn.ModuleDict({"rnn": torch.nn.LSTM(
                    5, 7, 2, bidirectional=True, proj_size=3, batch_first=True)})
                self.out = torch.nn.Sequential(torch.nn.Linear(6, 4))
                self.norm = torch.nn.LayerNorm(4)

            def forward(self, x):
                return self.out(self.deep["rnn"](x)[0][:, -1])

        torch.manual_seed(8)
        net, x = Net(), torch.rand(3, 4, 5)
        self.assertEqual(parts(net)[::2], ("deep.rnn", "out.0"))
        layer, linear, params = to_liblstm(net, self.path / "a.safetensors")
        out, y = np.empty((3, 4, 6), np.float32), np.empty((3, 4), np.float32)
        layer.forward(x.numpy(), out=out)
        linear.forward(out[:, -1], y)
        np.testing.assert_allclose(y, net(x).detach(), atol=1e-6)
        with liblstm.Rng(9) as rng:
            for name in params.names():
                rng.uniform(params.value(name), -1.0, 1.0)
        to_torch(params, net, self.path / "b.safetensors")
        layer.forward(x.numpy(), out=out)
        linear.forward(out[:, -1], y)
        np.testing.assert_allclose(y, net(x).detach(), atol=1e-5)


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, warnings="ignore").result
    if len(result.skipped) == result.testsRun:
        print(f"skipped: {result.skipped[0][1]}")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
