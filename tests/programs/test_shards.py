"""Tests --shards of mnist-train.

usage: test_shards.py PROGRAM
"""
import csv
import os
import pathlib
import signal
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402

PROGRAM = None
# 300 images: four batches of 64 and one of 44.
SMALL = ["--synthetic=300", "--batch-size", "64", "--hidden", "8", "--layers", "2",
         "--seed", "7", "--lr", "0.01"]
# Everything that draws random numbers or keeps something between steps.
FULL = ["--dropout", "0.3", "--bidirectional", "--clip-norm", "0.5", "--ema", "0.9",
        "--augment", "shift:2,rotate:12", "--schedule", "plateau:patience=0,threshold=0.5",
        "--label-smoothing", "0.1", "--weight-decay", "0.01"]


class Shards(InFolder):
    def train(self, *words, epochs=2, status=0):
        return self.run_program(*SMALL, "--epochs", epochs, "--threads", "1", *words,
                                status=status)

    def model(self, *words, epochs=2):
        self.train("--force", "--save", "m", "--eval", "none", *words, epochs=epochs)
        return (self.folder / "m").read_bytes()

    def losses(self, *words):
        self.train("--no-save", "--force", "--log", "l", *words)
        with open(self.folder / "l", newline="") as file:
            return [float(row["loss"]) for row in csv.DictReader(file)]

    def test_the_losses_are_those_without_shards_up_to_rounding(self):
        """Also with less samples than shards in the last batch, and with the mean over a
        batch, not over its shards."""
        words = ["--clip-norm", "0.5", "--label-smoothing", "0.1", "--batch-size", "59"]
        usual, found = self.losses(*words), {}
        for shards in 2, 3, 5, 7, 16, 59:
            losses = found[shards] = self.losses(*words, "--shards", shards)
            self.assertEqual(len(losses), len(usual))
            for step, (loss, expected) in enumerate(zip(losses, usual)):
                self.assertAlmostEqual(loss, expected, delta=2e-5,
                                       msg=f"{shards} shards, step {step + 1}")
        self.assertGreater(len({tuple(losses) for losses in found.values()}), 3)

    def test_one_shard_is_none(self):
        weights = [data[8 + int.from_bytes(data[:8], "little"):]
                   for data in (self.model(), self.model("--shards", "1"))]
        self.assertEqual(*weights)

    def test_threads_keep_the_bits(self):
        for words in ["--shards", "3"], ["--shards", "8", *FULL]:
            self.assertEqual(self.model(*words), self.model(*words, "--threads", "2"))

    def write_equal_images(self, count):
        """A training set of one image again and again."""
        image = bytes(i * 37 % 256 for i in range(28 * 28))
        (self.folder / "train-images-idx3-ubyte").write_bytes(
            struct.pack(">HBB3I", 0, 8, 3, count, 28, 28) + image * count)
        (self.folder / "train-labels-idx1-ubyte").write_bytes(
            struct.pack(">HBBI", 0, 8, 1, count) + b"\3" * count)

    def test_each_shard_has_masks_of_its_own(self):
        """If all shards had the same masks, the mean loss of equal images would not depend
        on their number."""
        words = ["--hidden", "8", "--layers", "2", "--seed", "7", "--data", self.folder,
                 "--no-save", "--eval", "none", "--log", "l", "--force", "--epochs", "1"]
        for dropout, equal in ("0", True), ("0.5", False):
            first = []
            for count in 2, 8:
                self.write_equal_images(count)
                self.run_program(*words, "--batch-size", count, "--shards", count, "--dropout",
                                 dropout)
                first.append((self.folder / "l").read_text().splitlines()[1].split(",")[2])
            self.assertEqual(first[0] == first[1], equal, first)

    def test_masks_depend_on_the_seed(self):
        words = ["--dropout", "0.5", "--shards", "4", "--lr", "1e-30"]
        losses = self.losses(*words)
        self.assertEqual(self.losses(*words), losses)
        self.assertNotEqual(self.losses(*words, "--seed", "8"), losses)
        self.assertNotEqual(losses[:5], losses[5:])

    def test_a_resumed_run_keeps_the_bits(self):
        for words in ["--shards", "5"], ["--shards", "8", *FULL]:
            whole = self.model(*words, epochs=3)
            self.train("--no-save", "--eval", "none", "--checkpoint", "c", "--force", *words,
                       epochs=1)
            self.run_program("--resume", "c", "--epochs", "3", "--save", "r", "--eval", "none",
                             "--force")
            self.assertEqual((self.folder / "r").read_bytes(), whole)

    def test_a_run_goes_on_in_the_middle_of_an_epoch(self):
        words = ["--shards", "6", *FULL, "--log-every", "1", "--eval", "none"]
        whole = self.model(*words, epochs=100)
        process = subprocess.Popen([PROGRAM, *SMALL, "--threads", "1", "--epochs", "100",
                                    "--no-save", "--checkpoint", "c", *words], text=True,
                                   cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        for _ in range(8):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=500)
        self.assertEqual(process.returncode, 130)
        self.run_program("--resume", "c", "--save", "r")
        self.assertEqual((self.folder / "r").read_bytes(), whole)

    def test_images_are_changed_as_without_shards(self):
        """A network that does not learn has the mean loss of the same images."""
        words = ["--augment", "shift:4,elastic:3", "--lr", "1e-30"]
        for loss, usual in zip(self.losses("--shards", "7", *words), self.losses(*words)):
            self.assertAlmostEqual(loss, usual, delta=2e-6)

    def test_fewer_images_than_shards(self):
        model = self.model("--synthetic=5", "--shards", "8")
        self.assertEqual(self.model("--synthetic=5", "--shards", "8", "--threads", "2"), model)

    def test_the_number_of_shards_cannot_change(self):
        self.train("--no-save", "--shards", "4", "--checkpoint", "c")
        for words in ["--shards", "8"], ["--shards", "1"]:
            result = self.run_program("--resume", "c", "--epochs", "3", *words, status=2)
            self.assertIn(f"--shards is '{words[1]}', expected '4'", result.stderr)

    def test_more_shards_than_samples_are_refused(self):
        result = self.train("--shards", "65", "--no-save", status=2)
        self.assertEqual(result.stderr,
                         "mnist-train: --shards is 65, expected at most --batch-size 64\n")

    def test_the_page_of_a_training_has_the_shards(self):
        for words, has in (["--shards", "4"], True), ([], False):
            self.train("--no-save", "--report", "p.html", "--force", *words)
            self.assertEqual("batches of 64 in 4 shards;" in
                             (self.folder / "p.html").read_text(), has)


if __name__ == "__main__":
    # A shell starts programs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    PROGRAM = InFolder.program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
