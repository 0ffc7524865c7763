"""Tests --augment of mnist-train.

usage: test_recipe.py PROGRAM
"""
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SMALL = ["--synthetic=300", "--batch-size", "64", "--hidden", "8", "--layers", "1",
         "--seed", "7", "--threads", "1", "--lr", "0.01"]
AUGMENT = ["--augment", "shift:2,rotate:12,scale:0.12,shear:0.2,elastic:3"]


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="recipe-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_program(self, *words, status=0):
        result = subprocess.run([PROGRAM, *map(str, words)], text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, timeout=500, cwd=self.folder)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def train(self, *words, epochs=2, status=0):
        return self.run_program(*SMALL, "--epochs", epochs, *words, status=status)

    def weights(self, *words, epochs=2):
        """The model of a run without its header, which has the number of the run."""
        self.train("--force", "--save", "m", "--eval", "none", *words, epochs=epochs)
        data = (self.folder / "m").read_bytes()
        return data[8 + int.from_bytes(data[:8], "little"):]

    def losses(self, *words, epochs=2):
        self.train("--no-save", "--force", "--log", "l", *words, epochs=epochs)
        with open(self.folder / "l", newline="") as file:
            return [float(row["loss"]) for row in csv.DictReader(file)]

    def resumed(self, *words):
        """The weights of three epochs in two parts."""
        self.train("--no-save", "--eval", "none", "--checkpoint", "c", *words, epochs=1)
        self.run_program("--resume", "c", "--epochs", "3", "--save", "r")
        data = (self.folder / "r").read_bytes()
        return data[8 + int.from_bytes(data[:8], "little"):]

    def refuses(self, given, changed):
        self.train("--no-save", "--checkpoint", "c", *given, epochs=1)
        result = self.run_program("--resume", "c", "--epochs", "2", *changed, status=2)
        self.assertIn("it cannot change", result.stderr)


class Augment(Folder):
    def test_each_change_changes_the_losses_alone_and_repeats(self):
        usual = self.losses()
        for change in AUGMENT[1].split(","):
            with self.subTest(change):
                first = self.losses("--augment", change)
                self.assertNotEqual(first[0], usual[0])
                self.assertEqual(self.losses("--augment", change), first)
        self.assertEqual(self.losses(), usual)

    def test_threads_and_parts_of_a_run_keep_the_bits(self):
        whole = self.weights(*AUGMENT, epochs=3)
        self.assertEqual(self.weights(*AUGMENT, "--threads", "2", epochs=3), whole)
        self.assertEqual(self.resumed(*AUGMENT), whole)
        self.assertNotEqual(self.weights(epochs=3), whole)

    def test_validation_and_test_images_stay_as_they_are(self):
        """A network that does not learn has the same accuracies."""
        still = ["--lr", "1e-30", "--validation", "100", "--eval", "epoch", "--no-save"]
        usual = [line for line in self.train(*still).stdout.splitlines() if "ccuracy" in line]
        found = [line for line in self.train(*still, *AUGMENT).stdout.splitlines()
                 if "ccuracy" in line]
        self.assertEqual(len(usual), 4)
        self.assertEqual(found, usual)

    def test_a_resumed_run_keeps_its_changes(self):
        self.refuses(AUGMENT, ["--augment", "shift:2"])

    def test_changes_larger_than_the_images_are_refused(self):
        for change in "shift:29", "elastic:7.5":
            result = self.train("--no-save", "--augment", change, status=1)
            self.assertIn(f"loader: {change.split(':')[0]} is", result.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
