"""Tests --augment, --ema and --recipe of mnist-train.

usage: test_recipe.py PROGRAM
"""
import csv
import json
import os
import pathlib
import re
import shlex
import signal
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402

SMALL = ["--synthetic=300", "--batch-size", "64", "--hidden", "8", "--layers", "1",
         "--seed", "7", "--threads", "1", "--lr", "0.01"]
AUGMENT = ["--augment", "shift:2,rotate:12,scale:0.12,shear:0.2,elastic:3"]


class Folder(InFolder):
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
        self.train("--no-save", "--force", "--checkpoint", "c", *given, epochs=1)
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

    def threads(self, *words):
        """The number of threads of a run that trains."""
        with subprocess.Popen([self.program, *SMALL, "--no-save", "--epochs", "1000", *words],
                              stdout=subprocess.PIPE, cwd=self.folder) as process:
            process.stdout.readline()
            number = len(os.listdir(f"/proc/{process.pid}/task"))
            process.kill()
        return number

    def test_a_worker_changes_the_images_of_the_next_batch(self):
        alone = self.threads()
        self.assertEqual(self.threads(*AUGMENT), alone + 1)
        self.assertEqual(self.threads(*AUGMENT, "--shards", "2"), alone + 1)
        self.assertEqual(self.threads("--shards", "2"), alone)

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

    def test_the_page_of_a_training_has_the_recipe(self):
        """The options of a resumed run come from its checkpoint."""
        recipe = "AdamW", "decay 0.1, average of the weights with decay 0.9", AUGMENT[1]
        words = [*AUGMENT, "--ema", "0.9", "--weight-decay", "0.1", "--decoupled"]
        self.train("--no-save", "--report", "p.html", "--checkpoint", "c", *words)
        self.run_program("--resume", "c", "--epochs", "3", "--report", "r.html")
        self.train("--no-save", "--report", "q.html")
        for name, has in ("p", True), ("r", True), ("q", False):
            page = (self.folder / f"{name}.html").read_text()
            for part in (*recipe, "training images changed by"):
                self.assertEqual(part in page, has, f"{name}: {part}")

    def test_the_last_epochs_have_images_as_they_are(self):
        """A network that does not learn has the losses of the same images."""
        still = ["--lr", "1e-30"]
        usual, changed = self.losses(*still, epochs=4), self.losses(*still, *AUGMENT, epochs=4)
        self.assertTrue(all(a != b for a, b in zip(usual, changed)))
        for clean, epochs in (1, 1), (3, 3), (4, 4), (0.12, 0), (0.4, 2):
            words = [*still, *AUGMENT, "--clean-epochs", clean]
            steps = len(usual) // 4 * (4 - epochs)
            self.assertEqual(self.losses(*words, epochs=4), changed[:steps] + usual[steps:])
            for loss, expected in zip(self.losses(*words, "--shards", "3", epochs=4),
                                      changed[:steps] + usual[steps:]):
                self.assertAlmostEqual(loss, expected, delta=2e-6)

    def test_threads_ranks_and_parts_of_a_run_keep_the_last_epochs(self):
        """An interruption in each of three epochs, two of them with images as they are."""
        for shards in "1", "2":
            words = [*AUGMENT, "--clean-epochs", "2", "--shards", shards, "--force"]
            whole = self.weights(*words, epochs=3)
            self.assertEqual(self.weights(*words, "--threads", "2", epochs=3), whole)
            if shards == "2":
                self.assertEqual(self.weights(*words, "--ranks", "2", epochs=3), whole)
            for lines in 3, 7, 12:
                with subprocess.Popen(
                        [self.program, *SMALL, "--epochs", "3", "--eval", "none", "--no-save",
                         "--checkpoint", "c", "--log-every", "1", *words],
                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                        cwd=self.folder) as process:
                    for _ in range(lines):
                        process.stdout.readline()
                    process.send_signal(signal.SIGINT)
                self.run_program("--resume", "c", "--save", "r", "--force")
                data = (self.folder / "r").read_bytes()
                self.assertEqual(data[8 + int.from_bytes(data[:8], "little"):], whole)

    def test_the_page_of_a_training_has_the_last_epochs(self):
        self.train("--no-save", "--report", "p.html", *AUGMENT, "--clean-epochs", "2")
        self.assertIn(f"changed by {AUGMENT[1]} before the last 2 epochs",
                      (self.folder / "p.html").read_text())

    def test_changes_larger_than_the_images_are_refused(self):
        for change in "shift:29", "elastic:7.5":
            result = self.train("--no-save", "--augment", change, status=1)
            self.assertIn(f"loader: {change.split(':')[0]} is", result.stderr)


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def averaged(decay, steps):
    """The average of the weights of steps, in float32. Python's double rounded after each
    operation is float32 for sums, differences and products."""
    share = float32(1 - decay)
    rest = float32(1 - share)
    average = steps[0]
    for weights in steps[1:]:
        differences = [float32(w - a) for w, a in zip(weights, average)]
        if share < 0.5:
            average = [float32(a + float32(share * d)) for a, d in zip(average, differences)]
        else:
            average = [float32(w - float32(d * rest)) for w, d in zip(weights, differences)]
    return average


class Average(Folder):
    """Epochs of one step, so that runs of other lengths have the weights of each step."""

    STEPS = 6
    ONE_STEP = ["--batch-size", "300"]

    def values(self, *words, epochs=STEPS):
        data = self.weights(*self.ONE_STEP, *words, epochs=epochs)
        return list(struct.unpack(f"<{len(data) // 4}f", data))

    def test_the_average_is_that_of_the_definition(self):
        steps = [self.values(epochs=i + 1) for i in range(self.STEPS)]
        for decay in 0.9, 0.5, 0.25:
            with self.subTest(decay):
                self.assertEqual(self.values("--ema", decay), averaged(decay, steps))
                self.assertEqual(self.values("--ema", decay, epochs=1), steps[0])

    def test_the_average_is_that_of_pytorch(self):
        try:
            import torch
            from torch.optim import swa_utils
        except ImportError:
            self.skipTest("torch is not installed")
        steps = [torch.tensor(self.values(epochs=i + 1)) for i in range(self.STEPS)]
        model = torch.nn.ParameterList([steps[0].clone()])
        for decay in 0.9, 0.25:
            average = swa_utils.AveragedModel(
                model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
            for weights in steps:
                model[0].data.copy_(weights)
                average.update_parameters(model)
            found = torch.tensor(self.values("--ema", decay))
            torch.testing.assert_close(found, average.module[0].data, rtol=1e-6, atol=1e-8)

    def test_steps_are_those_of_the_last_weights(self):
        self.assertEqual(self.losses("--ema", "0.9", epochs=3), self.losses(epochs=3))

    def test_a_resumed_run_keeps_the_average(self):
        ema = ["--ema", "0.9", "--weight-decay", "0.1", "--decoupled"]
        self.assertEqual(self.resumed(*ema), self.weights(*ema, epochs=3))
        self.refuses(ema, ["--ema", "0.8"])
        self.refuses(["--weight-decay", "0.1"], ["--decoupled"])

    def test_accuracies_are_those_of_the_saved_average(self):
        lines = self.train("--ema", "0.9", "--save", "m").stdout.splitlines()
        tested = self.run_program("--load", "m", "--epochs", "0", "--synthetic=300").stdout
        self.assertEqual(lines[-1].split(", ", 1)[1], tested.strip().split(", ", 1)[1])
        last = self.train("--save", "m", "--force").stdout.splitlines()[-1]
        self.assertNotEqual(last, lines[-1])

    def test_the_best_epoch_is_that_of_the_average(self):
        words = ["--lr", "0.1", "--ema", "0.5", "--validation", "100", "--eval", "end"]
        lines = self.train(*words, "--save", "b", "--keep", "best", epochs=8).stdout.splitlines()
        found = [line for line in lines if "Validation" in line]
        shares = [int(line.rsplit("(")[1].split("/")[0]) for line in found]
        best = shares.index(max(shares)) + 1
        self.train(*words, "--save", "e", epochs=best)
        models = [(self.folder / name).read_bytes() for name in "be"]
        self.assertEqual(*(data[8 + int.from_bytes(data[:8], "little"):] for data in models))


class Recipe(Folder):
    """--recipe best with small sizes beside it."""

    BESIDE = [*SMALL, "--epochs", "2", "--force", "--eval", "none"]

    def spelled(self, name="best"):
        """The options of --help, as they are typed."""
        text = self.run_program("--help").stdout
        return shlex.split(re.search(rf"\n  {name}\n((    --.*\n)+)", text)[1])

    def metadata(self, name):
        data = (self.folder / name).read_bytes()
        return json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"]

    def test_it_is_the_options_that_the_help_has(self):
        models = []
        for words in (["--recipe", "best", *self.BESIDE], [*self.BESIDE, "--recipe", "best"],
                      [*self.spelled(), *self.BESIDE]):
            self.run_program(*words, "--save", "m")
            models.append((self.folder / "m").read_bytes())
        self.assertEqual(models[1], models[0])
        # Also the number of the run, which follows from the options.
        self.assertEqual(models[2], models[0])
        self.run_program(*self.BESIDE, "--save", "m")
        self.assertNotEqual((self.folder / "m").read_bytes(), models[0])

    def test_others_are_the_options_that_the_help_has(self):
        beside = [*self.BESIDE[1:], "--synthetic=16"]
        for name in "pixels", "permuted":
            models = []
            for words in ["--recipe", name], self.spelled(name):
                self.run_program(*words, *beside, "--save", "m")
                models.append((self.folder / "m").read_bytes())
            self.assertEqual(*models)

    def test_each_option_works_alone_and_beside_it(self):
        options, words = [], self.spelled()
        while words:
            flag = len(words) == 1 or words[1].startswith("--")
            options.append([words.pop(0) for _ in range(1 if flag else 2)])
        self.assertGreater(len(options), 10)
        for option in options:
            changes = AUGMENT if option[0] == "--clean-epochs" else []
            self.run_program(*self.BESIDE, "--no-save", *changes, *option)
        for change in ("--read", "rows"), ("--dropout", "0"), ("--schedule", "cosine"):
            models = []
            for words in ["--recipe", "best"], self.spelled():
                self.run_program(*words, *self.BESIDE, *change, "--save", "m")
                models.append((self.folder / "m").read_bytes())
            self.assertEqual(*models)

    def test_a_checkpoint_has_its_options_and_goes_on_with_them(self):
        recipe = [*SMALL, "--recipe", "best", "--schedule", "step", "--force", "--eval", "none"]
        self.run_program(*recipe, "--save", "whole", "--epochs", "3")
        self.run_program(*recipe, "--no-save", "--epochs", "1", "--checkpoint", "c")
        found = self.metadata("c")
        self.assertNotIn("recipe", found)
        for name, text in (("read", "both"), ("ema", "0.998"), ("bidirectional", ""),
                           ("lr", "0.01"), ("schedule", "step"), ("hidden", "8")):
            self.assertEqual(found[name], text)
        self.run_program("--resume", "c", "--epochs", "3", "--save", "r")
        whole, resumed = ((self.folder / name).read_bytes() for name in ("whole", "r"))
        self.assertEqual(resumed, whole)

    def test_the_page_of_a_training_has_the_options(self):
        self.run_program("--recipe", "best", *self.BESIDE, "--no-save", "--report", "p.html")
        page = (self.folder / "p.html").read_text()
        self.assertIn("<code>--read</code> <code>both</code>",
                      page.split("Options of the whole run")[1])

    def test_what_cannot_be_is_refused(self):
        result = self.run_program("--recipe", "worst", status=2)
        self.assertIn("--recipe is 'worst', expected best, pixels or permuted", result.stderr)
        self.train("--no-save", "--checkpoint", "c", epochs=1)
        result = self.run_program("--resume", "c", "--recipe", "best", status=2)
        self.assertIn("--resume cannot be combined with --recipe", result.stderr)


if __name__ == "__main__":
    InFolder.program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
