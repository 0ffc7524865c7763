"""The first losses of mnist-train on real MNIST are those of PyTorch.

usage: test_parity.py PROGRAM

Only runs with MNIST_DIR. The losses are those of PyTorch 2.13.0 on one thread; the
sources of difference are the order of summation and the last bit of exp and tanh.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None
TOLERANCE = 2e-5
LOSSES = {
    0: """2.298242 2.307575 2.302520 2.297793 2.285914 2.293642 2.290982 2.281541 2.280422
          2.263125 2.250611 2.254171 2.210341 2.245930 2.157051 2.144760 2.143420 2.199254
          2.083452 2.045555""",
    42: """2.299716 2.290430 2.300912 2.309469 2.292409 2.269237 2.296181 2.294808 2.264807
           2.278814 2.272668 2.255997 2.247965 2.269301 2.179975 2.196981 2.184623 2.191863
           2.024542 2.113875""",
}


def first_losses(seed, count):
    """Trains until the log has so many lines, and ends the run with Ctrl-C."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log.csv")
        process = subprocess.Popen([PROGRAM, "--seed", str(seed), "--epochs", "1", "--log",
                                    log, "--no-save", "--quiet", "--eval", "none"])
        lines = []
        while process.poll() is None and len(lines) <= count:
            time.sleep(0.05)
            if os.path.exists(log):
                with open(log) as file:
                    lines = file.read().splitlines()
        process.send_signal(signal.SIGINT)
        if process.wait(timeout=60) != 130:
            raise AssertionError("the run was not interrupted")
        return [float(line.split(",")[2]) for line in lines[1:count + 1]]


class Parity(unittest.TestCase):
    def test_the_first_losses_are_those_of_pytorch(self):
        for seed, text in LOSSES.items():
            with self.subTest(seed=seed):
                expected = [float(word) for word in text.split()]
                actual = first_losses(seed, len(expected))
                self.assertEqual(len(actual), len(expected))
                for ours, theirs in zip(actual, expected):
                    # Half a unit of the sixth digit is what printing took from theirs.
                    self.assertAlmostEqual(ours, theirs, delta=TOLERANCE + 5e-7)


if __name__ == "__main__":
    if not os.environ.get("MNIST_DIR"):
        print("skipped: MNIST_DIR is not set")
        sys.exit(77)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
