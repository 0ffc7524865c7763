"""Compares the first losses of mnist-train on MNIST with PyTorch, for many options.

usage: test_parity.py PROGRAM LOSSES.json

Requires MNIST_DIR. golden/make_losses.py computed the expected losses with PyTorch
2.13.0 on one thread. Differences come from the order of summation and the last bits of
exp and tanh. liblstm computes learning rates in closed form, PyTorch by multiplication.
"""
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = CASES = None
TOLERANCE = 2e-5


def first_steps(options, count):
    """Trains until the log has count steps, and interrupts the run."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log.csv")
        process = subprocess.Popen([PROGRAM, *options.split(), "--epochs", "1", "--log", log,
                                    "--no-save", "--quiet", "--eval", "none"])
        lines = []
        while process.poll() is None and len(lines) <= count:
            time.sleep(0.05)
            if os.path.exists(log):
                with open(log, newline="") as file:
                    lines = file.read().splitlines()
        process.send_signal(signal.SIGINT)
        if process.wait(timeout=300) != 130:
            raise AssertionError("the run was not interrupted")
        return list(csv.DictReader(lines[:count + 1]))


class Parity(unittest.TestCase):
    def test_the_first_losses_equal_pytorch(self):
        for case in CASES:
            with self.subTest(options=case["options"]):
                steps = first_steps(case["options"], len(case["losses"]))
                self.assertEqual(len(steps), len(case["losses"]))
                largest = max(abs(float(step["loss"]) - loss)
                              for step, loss in zip(steps, case["losses"]))
                print(f"{case['options']}: losses differ by at most {largest:.1e}")
                self.assertLessEqual(largest, TOLERANCE)
                for step, rate in zip(steps, case.get("rates", [])):
                    self.assertAlmostEqual(float(step["lr"]) / rate, 1, delta=1e-9)

    def test_the_first_losses_of_shards_equal_pytorch(self):
        case = CASES[0]
        steps = first_steps(case["options"] + " --shards 7", len(case["losses"]))
        self.assertEqual(len(steps), len(case["losses"]))
        for step, loss in zip(steps, case["losses"]):
            self.assertAlmostEqual(float(step["loss"]), loss, delta=TOLERANCE)


if __name__ == "__main__":
    # A shell starts programs in the background with Ctrl-C ignored, and mnist-train keeps
    # it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not os.environ.get("MNIST_DIR"):
        print("skipped: MNIST_DIR is not set")
        sys.exit(77)
    PROGRAM, losses = os.path.abspath(sys.argv[1]), sys.argv[2]
    with open(losses) as content:
        CASES = json.load(content)
    unittest.main(argv=sys.argv[:1], verbosity=2)
