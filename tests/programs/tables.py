"""Tables for the tests of forecast, and what runs it on them."""
import csv
import datetime
import decimal
import io
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

COUNT = 120


def wave(i):
    return 20 + 4 * math.sin(i / 3) + .1 * (i % 5)


WAVE = [f"{wave(i):.4f}" for i in range(COUNT)]
DATES = [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(COUNT)]


def table(columns, names=None, delimiter=",", ending="\n", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerows(([names] if names else []) + list(zip(*columns)))
    return out.getvalue()


def german(texts):
    return [text.replace(".", ",") for text in texts]


class Forecast(unittest.TestCase):
    program = stream = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_text(self, text, *words, **options):
        path = self.folder / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.run_words(path, *words, **options)

    def run_words(self, *words, **options):
        return subprocess.run([self.program, *map(str, words)], capture_output=True, text=True,
                              timeout=500, **options)

    def first(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        return decimal.Decimal(re.search(r"^1: (\S+) \+- \S+$", done.stdout, re.M)[1])

    def check(self, text, *words, level=0.0, scale=1.0):
        """The first forecast is near the truth; returns what is said."""
        done = self.run_text(text, *words)
        truth = level + scale * wave(COUNT)
        self.assertAlmostEqual(float(self.first(done)), truth, delta=abs(scale))
        return done.stderr

    def refuse(self, text, *words, says):
        done = self.run_text(text, *words)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        last = done.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("forecast: "))
        for part in says:
            self.assertIn(part, last)


def main():
    Forecast.program, Forecast.stream = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
