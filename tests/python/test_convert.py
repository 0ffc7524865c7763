"""Converts models of PyTorch to liblstm and back.

usage: test_convert.py PyTorch|Digits (with LIBLSTM and LIBMNIST in the
environment)

Without the framework the test is skipped with a message.
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
ENVIRONMENT = os.environ | {"PYTHONPATH": str(SCRIPTS)}


def needs(*names):
    missing = [name for name in names if not importlib.util.find_spec(name)]
    return unittest.skipIf(missing, f"{', '.join(missing)} not installed")


if importlib.util.find_spec("numpy"):
    import numpy as np
    import liblstm


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)


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
