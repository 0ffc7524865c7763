"""Common parts of test_torch_uses.py and test_torch_modules.py, which use liblstm.torch.LSTM
and nn.LSTM side by side: each use has the same result, or raises an error that names nn.LSTM.
"""
import importlib.util
import logging
import os
import pathlib
import subprocess
import sys
import unittest
import warnings

MODULES = pathlib.Path(__file__).resolve().parents[2] / "examples/python"
sys.path.insert(0, str(MODULES))
try:
    import numpy  # noqa: F401
    import torch
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed")
    sys.exit(77)
from torch import nn  # noqa: E402

from liblstm.torch import LSTM  # noqa: E402

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")


class Model(nn.Module):
    """[2, 5, 3] -> [2, 5, 2]"""

    def __init__(self, kind, **options):
        super().__init__()
        torch.manual_seed(0)
        self.lstm = kind(3, 4, 2, batch_first=True, **options)
        self.fc = nn.Linear(4 * (1 + self.lstm.bidirectional), 2)

    def forward(self, x):
        out, (hn, _) = self.lstm(x)
        return self.fc(out), hn


def random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


X, Y = random(2, 5, 3), random(2, 5, 3, seed=2)


def grads(model, *outputs):
    """The sum's gradients of all parameters."""
    sum(output.sum() for output in outputs).backward()
    return [parameter.grad for parameter in model.parameters()]


def run(program, *args):
    """Runs a Python program in a process of its own."""
    return subprocess.run([sys.executable, "-c", program, *args], capture_output=True,
                          text=True, env=os.environ | {"PYTHONPATH": MODULES})


def has(*modules):
    return all(map(importlib.util.find_spec, modules))


class Sides(unittest.TestCase):
    def same(self, use, **options):
        """use(model) has equal results for both kinds of module."""
        theirs, ours = (use(Model(kind, **options)) for kind in (nn.LSTM, LSTM))
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)

    def refused(self, use, error, message, **options):
        """use(model) works for nn.LSTM, and raises an error that names it for ours."""
        use(Model(nn.LSTM, **options))
        self.wrong_for_ours(use, error, message, **options)

    def wrong(self, use, error, message, **options):
        """use(model) raises for both."""
        with self.assertRaises(Exception):
            use(Model(nn.LSTM, **options))
        self.wrong_for_ours(use, error, message, **options)

    def wrong_for_ours(self, use, error, message, **options):
        with self.assertRaisesRegex(error, message):
            use(Model(LSTM, **options))
