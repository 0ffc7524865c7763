"""Tests --precision of mnist-train: int8, which quantises a trained model, and auto.

usage: test_precision.py PROGRAM
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SYNTHETIC = "--synthetic=400"


def run(*arguments, status=0, **environment):
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=500, env=os.environ | environment)
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


class Auto(unittest.TestCase):
    def test_auto_is_bf16_with_native_instructions_and_else_fp32(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)

            def train(precision):
                done = run(SYNTHETIC, "--hidden", 8, "--epochs", 1, "--seed", 1, "--force",
                           "--checkpoint", folder / "c", "--save", folder / "model",
                           "--precision", precision, LSTM_CPU=cpu)
                return done.stderr, (folder / "model").read_bytes()

            for cpu in "avx512bf16", "avx2", "generic":
                messages, model = train("auto")
                # Another machine resumes with the same precision.
                self.assertNotIn(b"auto", (folder / "c").read_bytes())
                native = "bf16, with native" in messages
                self.assertEqual("avx512bf16 kernels" in messages, native)
                expected = {name: train(name)[1] for name in ("fp32", "bf16")}
                self.assertNotEqual(*expected.values())
                self.assertEqual(model, expected["bf16" if native else "fp32"])

    @unittest.skipUnless("GenuineIntel" in pathlib.Path("/proc/cpuinfo").read_text(),
                         "not a processor of Intel")
    def test_the_slow_instruction_of_intel_is_used_only_if_asked_for(self):
        environment = {name: text for name, text in os.environ.items() if name != "LSTM_CPU"}
        done = subprocess.run([PROGRAM, SYNTHETIC, "--epochs", "0", "--no-save"],
                              capture_output=True, text=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("avx512bf16 kernels", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
