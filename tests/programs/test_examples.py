"""Tests forecast as a program, and stream with its models.

usage: test_examples.py FORECAST STREAM
"""
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

FORECAST = STREAM = None


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=500, **options)


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def waves(self):
        path = self.folder / "waves.csv"
        lines = [f"{i},{3 + 2 * math.sin(i / 4):.6f}" for i in range(300)]
        path.write_text("time,height\n" + "\n".join(lines) + "\n")
        return path

    def test_forecast_predicts_the_next_values(self):
        drawing, model = self.folder / "waves.svg", self.folder / "waves.safetensors"
        done = run(FORECAST, self.waves(), 1, drawing, model)
        self.assertEqual(done.returncode, 0, done.stderr)
        error, naive = re.match(r"RMSE: (\S+), of repeating the previous value: (\S+)\n",
                                done.stdout).groups()
        self.assertLess(float(error), 0.5 * float(naive))
        future = re.findall(r"^(\d+): (\S+) \+- (\S+)$", done.stdout, re.MULTILINE)
        self.assertEqual([int(number) for number, _, _ in future], list(range(1, 21)))
        for number, value, _ in future[:3]:
            truth = 3 + 2 * math.sin((299 + int(number)) / 4)
            self.assertAlmostEqual(float(value), truth, delta=0.6)
        root = xml.etree.ElementTree.parse(drawing).getroot()
        # The held-out fifth, the predictions, and both limits of their interval.
        self.assertEqual([len(child.get("points").split()) for child in root],
                         [60, 80, 20, 20])

    def test_forecast_finds_columns_by_name(self):
        waves = self.waves()
        by_number = run(FORECAST, waves, 1)
        self.assertEqual(run(FORECAST, waves, "height").stdout, by_number.stdout)
        for column in ("heigh", "eight", "", "1x", "2"):
            done = run(FORECAST, waves, column)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"\Aforecast: .*column.*\n\Z")

    def test_forecast_reads_only_fields_that_are_numbers(self):
        """A date is not the number of its year; double precision is kept."""
        path = self.folder / "dates.csv"
        lines = [f"2024-01-{i % 28 + 1:02d},{16777216 + i % 2} ,{i}abc" for i in range(300)]
        path.write_text("date,value,text\n" + "\n".join(lines) + "\n")
        for column in ("date", "text"):
            done = run(FORECAST, path, column)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("fewer than 50 numbers", done.stderr)
        done = run(FORECAST, path, "value")
        self.assertEqual(done.returncode, 0, done.stderr)
        naive = float(re.search(r"previous value: (\S+)\n", done.stdout).group(1))
        self.assertAlmostEqual(naive, 1, delta=1e-3)

    def test_stream_prints_an_output_for_each_line(self):
        model = self.folder / "waves.safetensors"
        self.assertEqual(run(FORECAST, self.waves(), 1, self.folder / "a.svg",
                             model).returncode, 0)
        lines = [f"{3 + 2 * math.sin(i / 4):.6f}" for i in range(100)]
        done = run(STREAM, model, input="\n".join(lines) + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [float(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), 100)
        for i in range(50, 99):
            self.assertAlmostEqual(answers[i], float(lines[i + 1]), delta=0.6)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([FORECAST, self.waves(), "1"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=500)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: No space left on device", done.stderr)


if __name__ == "__main__":
    FORECAST, STREAM = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=2)
