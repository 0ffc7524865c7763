"""Tests that mnist-train resumes only what one of its runs has written, with the data of that
run.

usage: test_same_run.py PROGRAM
"""
import pathlib
import random
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402
import models  # noqa: E402

SMALL = ["--batch-size", "8", "--hidden", "4", "--layers", "1", "--seed", "7", "--threads", "1",
         "--no-save", "--quiet"]


class Data(InFolder):
    COUNTS = {"train": 60, "t10k": 20}

    def write(self, folder, part, kind, content):
        count = self.COUNTS[part]
        name, magic, sizes = (("images-idx3", 0x803, (count, 5, 7)) if kind == "images" else
                              ("labels-idx1", 0x801, (count,)))
        path = self.folder / folder / f"{part}-{name}-ubyte"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + content)

    def contents(self):
        """The same bytes at each call."""
        rng = random.Random(1)
        for part, count in self.COUNTS.items():
            yield part, "images", bytes(rng.randrange(256) for _ in range(count * 35))
            yield part, "labels", bytes(i % 4 for i in range(count))

    def make(self, folder, changed=None, at=0):
        for part, kind, content in self.contents():
            if changed == (part, kind):
                content = bytearray(content)
                content[at] ^= 1
            self.write(folder, part, kind, bytes(content))

    def setUp(self):
        super().setUp()
        self.make("own")

    def resume(self, folder, *words, status=0):
        return self.run_program("--resume", "c", "--data", folder, "--quiet", *words,
                                status=status).stderr

    def train(self, *words):
        self.run_program(*SMALL, "--data", "own", "--checkpoint", "c", "--epochs", "1", *words)
        self.before = (self.folder / "c").read_bytes()

    def metadata(self):
        return models.decode((self.folder / "c").read_bytes())[1]

    def test_other_images_or_labels_are_refused(self):
        """Whichever byte changed: the first, one within, and the last."""
        for words in ([], ["--validation", "16"]):
            self.train(*words, "--force")
            self.make("copy")
            for part, verb in (("train", "trained on"), ("t10k", "was tested on")):
                for kind, size in (("images", 35), ("labels", 1)):
                    for at in (0, self.COUNTS[part] * size // 2, self.COUNTS[part] * size - 1):
                        with self.subTest(words=words, part=part, kind=kind, at=at):
                            self.make("other", (part, kind), at)
                            self.assertEqual(
                                self.resume("other", "--epochs", "2", status=1),
                                f"mnist-train: c: the run {verb} other images or labels than those of other/"
                                f"{part}-images-idx3-ubyte, expected the same data\n")
                            self.assertEqual((self.folder / "c").read_bytes(), self.before)
            self.resume("copy", "--epochs", "2")

    def test_a_test_set_counts_only_where_there_was_one(self):
        self.make("other", ("t10k", "labels"))
        self.train("--eval", "none")
        self.assertNotIn("mnist-train.test", self.metadata())
        self.resume("own", "--epochs", "2", "--eval", "epoch")
        print_of_test = self.metadata()["mnist-train.test"]
        self.assertRegex(print_of_test, r"\A[0-9a-f]{16}\Z")
        self.resume("other", "--epochs", "3", "--eval", "none")
        self.assertEqual(self.metadata()["mnist-train.test"], print_of_test)
        self.resume("other", "--epochs", "4", "--eval", "epoch", status=1)
        self.resume("own", "--epochs", "4", "--eval", "epoch")

    def edit(self, **pairs):
        """Keys of the checkpoint get a value, or None: none."""
        def edit(_, metadata):
            for key, value in pairs.items():
                metadata["mnist-train." + key] = value
                if value is None:
                    del metadata["mnist-train." + key]
        (self.folder / "c").write_bytes(self.before)
        models.change(self.folder / "c", edit)

    def test_a_checkpoint_without_fingerprints_is_resumed(self):
        self.train()
        self.make("other", ("train", "images"))
        self.edit(train=None, test=None)
        self.resume("other", "--epochs", "2")
        self.assertIn("mnist-train.train", self.metadata())

    def test_a_fingerprint_that_is_not_one_is_refused(self):
        self.train()
        for value in ("", "0" * 15, "0" * 17, "g" * 16, "A" * 16):
            for key in ("train", "test"):
                self.edit(**{key: value})
                self.assertEqual(self.resume("own", "--epochs", "2", status=1),
                                 f"mnist-train: c: metadata mnist-train.{key} is damaged\n")


class Positions(InFolder):
    """The numbers of a checkpoint fit together, also in a file with right checksums."""
    NAMES = ("seed samples batch epoch step order loss of last plateau plateau_best "
             "plateau_bad cooling completed best correct bad seconds").split()

    def setUp(self):
        super().setUp()
        self.run_program("--synthetic=80", *SMALL, "--validation", "32", "--schedule",
                         "plateau:patience=1,cooldown=2", "--epochs", "3", "--checkpoint", "c")
        self.before = (self.folder / "c").read_bytes()
        self.values = self.position()

    def position(self):
        """The numbers as texts, by name."""
        words = models.decode((self.folder / "c").read_bytes())[1]["mnist-train"].split()
        numbers = [word for word in words if word[0].isdigit() or word[0] == "-"]
        return dict(zip(self.NAMES, numbers, strict=True))

    def change(self, **values):
        new = self.values | values
        def edit(_, metadata):
            metadata["mnist-train"] = (
                "seed {seed} samples {samples} batch {batch} epoch {epoch} step {step} order "
                "{order} loss {loss} of {of} last {last} plateau {plateau} {plateau_best} "
                "{plateau_bad} {cooling} completed {completed} best {best} {correct} {bad} "
                "seconds {seconds}").format(**new)
        (self.folder / "c").write_bytes(self.before)
        models.change(self.folder / "c", edit)

    def resume(self, status):
        return self.run_program("--resume", "c", "--quiet", "--epochs", "4",
                                status=status).stderr

    def refuse(self, **values):
        with self.subTest(**values):
            self.change(**values)
            edited = (self.folder / "c").read_bytes()
            self.assertRegex(self.resume(1), r"\Amnist-train: c: metadata mnist-train is damaged"
                                             r"(: not a checkpoint of mnist-train)?\n\Z")
            self.assertEqual((self.folder / "c").read_bytes(), edited)

    def test_the_numbers_of_a_run_are_taken(self):
        self.assertEqual([self.values[name] for name in (
            "seed", "samples", "batch", "epoch", "step", "of", "plateau", "completed")],
            ["7", "48", "8", "3", "6", "48", "1", "3"])
        self.change()
        self.resume(0)
        self.assertEqual(self.position()["epoch"], "4")

    def test_a_count_is_digits_of_a_number_of_64_bits(self):
        for name in self.NAMES:
            if not self.values[name].startswith("0x"):
                for text in ("-1", "+" + self.values[name], "0" + self.values[name],
                             "99999999999999999999", self.values[name] + " ", "x"):
                    self.refuse(**{name: text})

    def test_losses_are_finite(self):
        for name in ("loss", "last", "plateau_best", "seconds"):
            for text in ("nan", "-nan", "inf", "-inf", "1e3", "x"):
                self.refuse(**{name: text})
        self.refuse(seconds="-0x1p+0")
        self.refuse(last="0x1.00000000001p+0")  # not a number in single precision

    def test_what_no_run_can_write_is_refused(self):
        for values in (
                {"epoch": "0"}, {"epoch": "2"}, {"epoch": "4"}, {"completed": "1"},
                {"completed": "2"}, {"completed": "4"}, {"step": "0"}, {"step": "5"},
                {"step": "7"}, {"of": "0"}, {"of": "47"}, {"of": "18446744073709551615"},
                {"plateau": "0"}, {"plateau": "2"}, {"plateau_bad": "2"},
                {"plateau_bad": "18446744073709551615"}, {"cooling": "3"},
                {"cooling": "18446744073709551615"}, {"best": "0"}, {"best": "4"},
                {"correct": "33"}, {"bad": "3"},
                {"best": "1", "bad": "1"}, {"best": "3", "bad": "2"},
                {"epoch": "0", "step": "0", "of": "0", "completed": "0"}):
            self.refuse(**values)

    def test_a_run_without_validation_or_plateau_has_none(self):
        self.run_program("--synthetic=80", *SMALL, "--epochs", "1", "--checkpoint", "c",
                         "--force")
        self.before = (self.folder / "c").read_bytes()
        self.values = self.position()
        for values in ({"plateau": "1"}, {"plateau_best": "0x1p+0"}, {"plateau_bad": "1"},
                       {"cooling": "1"}, {"best": "1"}, {"correct": "1"}, {"bad": "1"}):
            self.refuse(**values)


class Patience(InFolder):
    """An end by --patience, which no --epochs changes."""
    WORDS = ["--synthetic=80", *SMALL[:-2], "--lr", "1e-30", "--validation", "32", "--quiet"]

    def said(self, *words):
        return self.run_program("--resume", "c", "--no-save", *words).stderr

    def test_it_is_continued_by_more_patience_only(self):
        self.run_program(*self.WORDS, "--patience", "4", "--epochs", "9", "--save", "long",
                         "--log", "long.csv")
        self.run_program(*self.WORDS, "--patience", "2", "--epochs", "9", "--save", "m", "--log",
                         "l.csv", "--checkpoint", "c")
        before = (self.folder / "c").read_bytes()
        message = "c: --patience 2 has ended the run after epoch 3; a --patience above 2 "
        for words in ([], ["--epochs", "20"]):
            self.assertIn(message + "continues it\n", self.said(*words))
        self.assertEqual((self.folder / "c").read_bytes(), before)
        self.run_program("--resume", "c", "--patience", "4", "--save", "m", "--log", "l.csv")
        self.assertIn("c: --patience 4 has ended the run after epoch 5", self.said())
        lines = [[line.rsplit(",", 1)[0] for line in (self.folder / name).read_text().split()]
                 for name in ("l.csv", "long.csv")]
        self.assertEqual(*lines)
        self.assertEqual((self.folder / "m").read_bytes(), (self.folder / "long").read_bytes())

    def test_both_may_end_a_run(self):
        self.run_program(*self.WORDS, "--patience", "2", "--epochs", "3", "--no-save",
                         "--checkpoint", "c")
        self.assertIn("a --patience above 2 and more --epochs continue it\n", self.said())


class Killed(InFolder):
    """A run that is killed between its first two checkpoints begins again."""
    WORDS = ["--synthetic=2000", "--batch-size", "8", "--hidden", "64", "--layers", "1", "--seed",
             "7", "--threads", "1", "--epochs", "2", "--quiet"]

    def kill(self, *words):
        """Kills a run that has a log l.csv and a checkpoint c, before it has another one."""
        log, limit = self.folder / "l.csv", time.monotonic() + 60
        while True:
            log.unlink(missing_ok=True)
            process = subprocess.Popen(
                [self.program, *self.WORDS, *words, "--log", "l.csv", "--checkpoint", "c",
                 "--force"],
                cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not log.exists() or log.read_bytes().count(b"\n") < 4:
                self.assertLess(time.monotonic(), limit)
            process.kill()
            process.wait()
            metadata = models.decode((self.folder / "c").read_bytes())[1]["mnist-train"]
            if " epoch 0 " in metadata:
                return

    def lines(self, name):
        """Without the seconds."""
        return [line.rsplit(",", 1)[0] for line in (self.folder / name).read_text().splitlines()]

    def resume(self, *words, status=0):
        return self.run_program("--resume", "c", *words, status=status).stderr

    def test_it_begins_again_and_rewrites_its_log(self):
        self.run_program(*self.WORDS, "--log", "whole.csv", "--save", "whole")
        for words in ([], ["--checkpoint-every", "100000"], ["--report", "r.html"],
                      ["--tensorboard", "tb"]):
            with self.subTest(words):
                self.kill("--save", "m", *words)
                stderr = self.resume("--log", "l.csv", "--save", "m", *words)
                self.assertIn("l.csv: removed the lines of steps, all of which are done again\n",
                              stderr)
                self.assertEqual(self.lines("l.csv"), self.lines("whole.csv"))
                self.assertEqual((self.folder / "m").read_bytes(),
                                 (self.folder / "whole").read_bytes())
                (self.folder / "m").unlink()

    def test_the_first_rate_of_a_schedule_is_known(self):
        for schedule in ("one-cycle", "plateau", "cosine:warmup=1"):
            self.kill("--no-save", "--schedule", schedule)
            self.resume("--log", "l.csv", "--no-save")

    def test_a_part_of_a_line_is_of_any_run(self):
        self.kill("--no-save")
        (self.folder / "l.csv").write_text("epoch,step,loss,lr,accuracy,seconds\n1,1,2.")
        self.resume("--log", "l.csv", "--no-save")

    def test_a_log_of_another_run_is_refused(self):
        self.kill("--no-save")
        log = self.folder / "l.csv"
        own = log.read_text()
        first = own.splitlines()[1]
        other = {"text": "x\n", "step": first.replace("1,1,", "1,2,", 1) + "\n",
                 "epoch": first.replace("1,1,", "2,1,", 1) + "\n",
                 "rate": first.replace(",0.001", ",0.002") + "\n"}
        for name, line in other.items():
            with self.subTest(name):
                log.write_text(own.splitlines()[0] + "\n" + line)
                before = log.read_bytes()
                self.assertIn("l.csv: the log is of another run: it does not begin with step 1 "
                              "of epoch 1 and the rate 0.001; --force removes its lines",
                              self.resume("--log", "l.csv", "--no-save", status=1))
                self.assertEqual(log.read_bytes(), before)
        log.rename(self.folder / "other.csv")
        (self.folder / "other.csv").write_text(own)
        self.assertIn("other.csv: the log cannot be compared with c, which has no step yet and "
                      "names another log; --force removes its lines",
                      self.resume("--log", "other.csv", "--no-save", status=1))
        self.assertEqual((self.folder / "other.csv").read_text(), own)
        self.resume("--log", "other.csv", "--no-save", "--force")


if __name__ == "__main__":
    InFolder.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
