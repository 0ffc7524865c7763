"""Tests --tta of mnist-train and mnist-predict against an LSTM in Python.

usage: test_tta.py TRAIN PREDICT
"""
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402

TRAIN = PREDICT = None
SIDE, COUNT = 28, 20
PLACES = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]


def images():
    """Crosses in MNIST's form, so that mnist-predict reads them as they are."""
    for i in range(COUNT):
        arm, width = 14 + i % 2, 2 + i // 2 % 5
        yield [[255 - i if 4 <= y < 24 and 13 <= x <= 15 or
                y in (arm, arm + 1) and abs(x - 14) <= width else 0
                for x in range(SIDE)] for y in range(SIDE)]


def moved(image, down, right):
    def at(y, x):
        return image[y][x] if 0 <= y < SIDE and 0 <= x < SIDE else 0
    return [[at(y - down, x - right) for x in range(SIDE)] for y in range(SIDE)]


def probabilities(tensors, image):
    h = c = [0.0] * len(tensors["lstm.weight_hh_l0"][0])
    for row in image:
        h, c = models.step(tensors, "lstm", [(x / 255 - 0.1307) / 0.3081 for x in row], h, c)
    scores = models.head(tensors, h)
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


class Places(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tta-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.tensors = models.lstm(random.Random(3), SIDE, 4, 10)
        models.write(self.folder / "m", self.tensors)
        self.images = list(images())
        places = [[probabilities(self.tensors, moved(image, *place)) for place in PLACES]
                  for image in self.images]
        self.means = {count: [[sum(column) / count for column in zip(*rows[:count])]
                              for rows in places] for count in (1, 5, 9)}
        # Labels that the mean over nine places reads right and others do not always.
        self.labels = [mean.index(max(mean)) for mean in self.means[9]]
        pixels = b"".join(bytes(row) for image in self.images for row in image)
        for split in "train", "t10k":
            (self.folder / f"{split}-images-idx3-ubyte").write_bytes(
                struct.pack(">4I", 0x803, COUNT, SIDE, SIDE) + pixels)
            (self.folder / f"{split}-labels-idx1-ubyte").write_bytes(
                struct.pack(">2I", 0x801, COUNT) + bytes(self.labels))

    def call(self, program, *words, status=0):
        result = subprocess.run([program, *map(str, words)], text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, timeout=500, cwd=self.folder)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def test_predictions_are_the_mean_over_the_places(self):
        for count, means in self.means.items():
            text = self.call(PREDICT, "--json", "--tta", count, "m",
                             "t10k-images-idx3-ubyte").stdout
            for answer, mean in zip(json.loads(text), means):
                for found, wanted in zip(answer["probabilities"], mean):
                    self.assertAlmostEqual(found, wanted, delta=2e-6)
        self.assertNotAlmostEqual(self.means[1][0][0], self.means[5][0][0], delta=1e-4)

    def test_evaluations_count_the_answers_of_the_mean(self):
        rights = set()
        for count, means in self.means.items():
            right = sum(mean.index(max(mean)) == label
                        for mean, label in zip(means, self.labels))
            rights.add(right)
            result = self.call(TRAIN, "--load", "m", "--epochs", "0", "--data", ".", "--tta",
                               count, "--report", "p.html", "--force")
            self.assertIn(f"({right}/{COUNT})", result.stdout)
            page = (self.folder / "p.html").read_text()
            self.assertEqual(f"over {count} places" in page, count > 1)
        self.assertGreater(len(rights), 1)

    def test_scores_that_are_not_finite_are_refused(self):
        tensors = dict(self.tensors)
        # Of two classes with opposite weights, one has a score that is too large.
        tensors["fc.weight"] = [[-3e38 if i % 2 else 3e38] * len(row)
                                for i, row in enumerate(tensors["fc.weight"])]
        tensors["fc.bias"] = [3.4e38] * len(tensors["fc.bias"])
        models.write(self.folder / "large", tensors)
        message = "the network computes a score that is not finite"
        for words in [], ["--tta", "5"], ["--tta", "9"]:
            result = self.call(TRAIN, "--load", "large", "--data", ".", "--epochs", "0", *words,
                               status=1)
            self.assertNotIn("ccuracy", result.stdout)
            self.assertIn(f"{message}, for image 0\n", result.stderr)
            result = self.call(PREDICT, *words, "large", "t10k-images-idx3-ubyte", status=1)
            self.assertIn(message, result.stderr)
        # With several places a score is the logarithm of a probability, which may be 0.
        tensors["fc.weight"] = [[0.0] * len(row) for row in tensors["fc.weight"]]
        tensors["fc.bias"] = [1000.0] + [-1000.0] * (len(tensors["fc.bias"]) - 1)
        models.write(self.folder / "sure", tensors)
        for words in [], ["--tta", "5"]:
            self.call(TRAIN, "--load", "sure", "--data", ".", "--epochs", "0", *words)

    def test_the_training_stays_as_it_is(self):
        usual = ["--data", ".", "--epochs", "2", "--hidden", "4", "--layers", "1", "--seed",
                 "1", "--batch-size", "8", "--force", "--save", "m2"]
        self.call(TRAIN, *usual)
        before = (self.folder / "m2").read_bytes()
        self.call(TRAIN, *usual, "--tta", "5")
        found = (self.folder / "m2").read_bytes()
        self.assertEqual(models.decode(before)[0], models.decode(found)[0])

    def test_a_resumed_run_keeps_the_places(self):
        usual = ["--data", ".", "--hidden", "4", "--layers", "1", "--seed", "1"]
        self.call(TRAIN, *usual, "--epochs", "1", "--tta", "5", "--no-save", "--checkpoint", "c")
        result = self.call(TRAIN, "--resume", "c", "--data", ".", "--epochs", "2", "--tta", "9",
                           status=2)
        self.assertIn("--tta is '9', expected '5', as in c: it cannot change", result.stderr)
        result = self.call(TRAIN, "--resume", "c", "--data", ".", "--epochs", "2", "--report",
                           "p.html")
        self.assertIn("over 5 places", (self.folder / "p.html").read_text())

    def test_others_are_refused(self):
        picture = self.folder / "p.pgm"
        picture.write_bytes(b"P5 28 28 255\n" + bytes(sum(self.images[0], [])))
        for program, *words in ((TRAIN, "--epochs", "0", "--data", "."), (PREDICT, "m", "p.pgm")):
            result = self.call(program, "--tta", "4", *words, status=2)
            self.assertIn("--tta is '4', expected 1, 5 or 9", result.stderr)
        result = self.call(PREDICT, "--tta", "5", "--explain", "x.svg", "m", "p.pgm", status=2)
        self.assertIn("--explain and --tta exclude each other", result.stderr)


if __name__ == "__main__":
    TRAIN, PREDICT = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1], verbosity=2)
