"""Tests --precision int8 of mnist-train, which quantises and tests a trained model.

usage: test_int8.py PROGRAM
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SYNTHETIC = "--synthetic=400"


def run(*arguments, status=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=500)
    assert done.returncode == status, done.stderr
    return done


def accuracy(text):
    return float(re.search(r"Test accuracy: ([\d.]+)%", text)[1])


class Int8(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="int8-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.model, cls.small = cls.folder / "model", cls.folder / "small"
        cls.trained = run(SYNTHETIC, "--epochs", 2, "--hidden", 24, "--lr", "0.01", "--seed", 1,
                          "--save", cls.model).stdout
        cls.tested = run(SYNTHETIC, "--load", cls.model, "--precision", "int8", "--epochs", 0,
                         "--save", cls.small)

    def test_a_trained_model_is_tested_and_saved(self):
        self.assertIn("weights in int8", self.tested.stderr)
        last = self.trained.splitlines()[-1]
        self.assertAlmostEqual(accuracy(self.tested.stdout), accuracy(last), delta=2)
        self.assertLess(self.small.stat().st_size, 0.5 * self.model.stat().st_size)
        self.assertIn(b'"dtype":"I8"', self.small.read_bytes())

    def test_the_saved_model_keeps_its_precision(self):
        again = run(SYNTHETIC, "--load", self.small, "--epochs", 0)
        self.assertEqual(again.stdout, self.tested.stdout)

    def test_training_is_refused(self):
        needs = "--precision int8 has no training: it needs --load and --epochs 0"
        for options, message in (
                (["--load", self.model, "--precision", "int8"], needs),
                (["--precision", "int8"], needs), (["--precision", "int8", "--epochs", 0], needs),
                (["--load", self.small], "the precision of the model is int8, which has no")):
            self.assertIn(message, run(SYNTHETIC, *options, status=1).stderr)

    def test_training_continues_in_another_precision(self):
        run(SYNTHETIC, "--load", self.small, "--epochs", 1, "--precision", "fp32",
            "--save", self.folder / "tuned")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
