"""Tests what mnist-train writes beside its model while it trains: logs as JSON lines, and what
it says of a run that diverges.

usage: test_log.py PROGRAM
"""
import csv
import json
import pathlib
import re
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402

SMALL = ["--synthetic=400", "--batch-size", "64", "--hidden", "8", "--layers", "1",
         "--seed", "7", "--threads", "1", "--quiet"]
STEPS = 7  # 400 samples: six batches of 64 and one of 16
KEYS = ["epoch", "step", "loss", "lr", "accuracy", "seconds"]


class Folder(InFolder):
    def train(self, *words, epochs=2, **options):
        return self.run_program(*SMALL, "--epochs", epochs, *words, **options)


class Lines(Folder):
    def lines(self, name):
        text = (self.folder / name).read_text()
        self.assertTrue(text.endswith("\n"))
        return [json.loads(line) for line in text.splitlines()]

    def rows(self, name):
        """The lines of a CSV file as JSON would have them."""
        with open(self.folder / name, newline="") as file:
            return [{key: json.loads(value or "null") for key, value in row.items()}
                    for row in csv.DictReader(file)]

    @staticmethod
    def without_seconds(lines):
        return [{key: line[key] for key in KEYS[:-1]} for line in lines]

    def test_json_lines_have_the_values_of_csv(self):
        rate = "0.00123456789012345"
        self.train("--no-save", "--lr", rate, "--log", "run.jsonl")
        self.train("--no-save", "--lr", rate, "--log", "run.csv")
        lines = self.lines("run.jsonl")
        self.assertEqual(len(lines), 2 * STEPS)
        self.assertTrue(all(list(line) == KEYS for line in lines))
        self.assertEqual(self.without_seconds(lines), self.without_seconds(self.rows("run.csv")))
        self.assertEqual({line["lr"] for line in lines}, {float(rate)})
        self.assertEqual([line["step"] for line in lines if line["accuracy"] is not None],
                         [STEPS, STEPS])

    def test_json_lines_are_continued(self):
        self.train("--no-save", "--log", "whole.jsonl", epochs=3)
        self.train("--no-save", "--log", "l.jsonl", "--checkpoint", "c")
        with open(self.folder / "l.jsonl", "a") as file:
            file.write('{"epoch": 3, "step": 1, "loss": 1')
        resume = ["--resume", "c", "--epochs", "3", "--log"]
        other = self.run_program(*resume, "l.csv", status=0)
        self.assertNotIn("removed", other.stderr)
        self.run_program("--resume", "c", "--epochs", "4", "--log", "other.jsonl")
        self.train("--no-save", "--checkpoint", "c", "--force")
        stderr = self.run_program(*resume, "l.jsonl").stderr
        self.assertIn("l.jsonl: removed the lines after step 7 of epoch 2", stderr)
        self.assertEqual(self.without_seconds(self.lines("l.jsonl")),
                         self.without_seconds(self.lines("whole.jsonl")))

    def test_other_files_are_not_continued_as_json_lines(self):
        self.train("--no-save", "--checkpoint", "c", "--log", "l.csv")
        shutil.copy(self.folder / "l.csv", self.folder / "l.jsonl")
        for text in (None, "[]\n", '{"epoch": 1, "step": 1}\n',
                     '{"epoch": 1, "step": 1, "loss": nan, "lr": 0.1, "accuracy": null, '
                     '"seconds": 1}\n',
                     '{"epoch": 1, "step": 1, "loss": 1, "lr": 0x1p3, "accuracy": null, '
                     '"seconds": 1}\n'):
            if text:
                (self.folder / "l.jsonl").write_text(text)
            before = (self.folder / "l.jsonl").read_bytes()
            stderr = self.run_program("--resume", "c", "--epochs", "3", "--log", "l.jsonl",
                                      status=1).stderr
            self.assertIn("l.jsonl: is not a log with the keys epoch,step,loss", stderr)
            self.assertEqual((self.folder / "l.jsonl").read_bytes(), before)

    def test_only_the_end_of_the_name_selects_the_format(self):
        for name in ("a.csv", "a", "jsonl", "json"):
            self.train("--no-save", "--log", name, epochs=1)
            self.assertEqual((self.folder / name).read_text().split("\n")[0], ",".join(KEYS))

    def test_a_name_that_promises_one_json_value_is_refused(self):
        stderr = self.train("--no-save", "--log", "a.json", epochs=1, status=1).stderr
        self.assertIn("a.json: a log is not one JSON value, expected a name with .jsonl", stderr)
        self.assertFalse((self.folder / "a.json").exists())


class Divergence(Folder):
    WARNING = re.compile(r"epoch (\d+): the mean loss is ([\d.e+]+), above ([\d.]+), (the loss "
                         r"of the first step|the loss of guessing|half the loss of guessing): "
                         r"the run diverges.*try --lr (\S+)( or --clip-norm 1)?;")

    def test_an_epoch_above_the_first_loss_is_said_with_a_cause(self):
        stderr = self.train("--no-save", "--lr", "5", "--log", "l.csv").stderr
        found = self.WARNING.findall(stderr)
        with open(self.folder / "l.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for epoch, mean, limit, what, advice, clip in found:
            losses = [float(row["loss"]) for row in rows if row["epoch"] == epoch]
            wanted = (sum(losses[:-1]) * 64 + losses[-1] * 16) / 400
            self.assertAlmostEqual(float(mean), wanted, delta=1e-3 * wanted)
            self.assertEqual((limit, what), (f"{float(rows[0]['loss']):.4g}",
                                             "the loss of the first step"))
            self.assertEqual((advice, clip), ("0.5", " or --clip-norm 1"))
        self.assertEqual([epoch for epoch, *_ in found], ["1", "2"])

    def test_a_rate_above_lr_is_said(self):
        """PyTorch takes such schedules, too."""
        for schedule, rate, step in (("cosine:min=1", r"0\.98\d*", 14),
                                     ("step:gamma=1e6", "1000", 14),
                                     ("step:gamma=1.5", r"0\.0015", 14),
                                     ("multistep:at=1,gamma=2", r"0\.002", 14),
                                     ("exponential:gamma=2", r"0\.00\d+", 14),
                                     ("one-cycle:div=1e-6", "1000", 1),
                                     ("one-cycle:final-div=1e-6", "40", 14)):
            stderr = self.train("--no-save", "--schedule", schedule, status=None).stderr
            name = schedule.split(":")[0]
            self.assertRegex(stderr, rf"\A--schedule {name} raises the learning rate "
                                     rf"above --lr 0\.001: it is {rate} at step {step} of 14\n")
        stderr = self.train("--no-save", "--schedule", "plateau:min=1").stderr
        self.assertEqual(stderr, "--schedule plateau has min=1, above --lr 0.001: the "
                                 "learning rate stays as it is\n")

    def test_the_advice_names_the_rate_in_use(self):
        stderr = self.train("--no-save", "--schedule", "step:gamma=1e6", status=None).stderr
        self.assertIn("(the rate is 1000 by --lr 0.001 and --schedule step); try a --schedule that "
                      "stays below --lr 0.001 or --clip-norm 1", stderr)
        stderr = self.train("--no-save", "--lr", "5", "--schedule", "step:gamma=0.9").stderr
        self.assertIn("(the rate is 5 by --lr 5 and --schedule step); try --lr 0.5", stderr)

    def test_a_run_that_learns_has_no_warning(self):
        for words in ([], ["--lr", "0.01"], ["--label-smoothing", "0.2"],
                      *(["--schedule", text] for text in (
                          "step", "cosine", "cosine:warmup=1", "exponential", "one-cycle",
                          "plateau", "multistep:at=1", "step:gamma=1", "cosine:min=0.001"))):
            self.assertEqual(self.train("--no-save", *words).stderr, "")

    def test_parts_of_a_run_are_compared_with_guessing(self):
        self.train("--save", "m", "--checkpoint", "c", "--lr", "5", "--clip-norm", "9")
        stderr = self.run_program("--resume", "c", "--epochs", "3", "--quiet").stderr
        self.assertEqual([(epoch, limit, what, clip) for epoch, _, limit, what, _, clip
                          in self.WARNING.findall(stderr)],
                         [("3", "2.303", "the loss of guessing", "")])


if __name__ == "__main__":
    InFolder.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
