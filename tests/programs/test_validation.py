"""Tests --validation, --keep and --patience of mnist-train, and the columns of its log.

usage: test_validation.py PROGRAM
"""
import csv
import itertools
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
COUNT, HELD, SIDE = 330, 90, 8
COLUMNS = ["epoch", "step", "loss", "lr", "accuracy", "seconds"]
OPTIONS = ["--hidden", "8", "--layers", "1", "--batch-size", "32", "--seed", "3",
           "--lr", "0.01", "--threads", "1"]
ACCURACY = re.compile(r"Epoch \[(\d+)/\d+\], (Test|Validation) accuracy: "
                      r"[\d.]+% \((\d+)/(\d+)\)")


def write(folder, split, images, labels):
    (folder / f"{split}-images-idx3-ubyte").write_bytes(
        struct.pack(">4I", 0x803, len(labels), SIDE, SIDE) + b"".join(images))
    (folder / f"{split}-labels-idx1-ubyte").write_bytes(
        struct.pack(">2I", 0x801, len(labels)) + bytes(labels))


def noisy_rows(count):
    """Images with a row that names the label, under so much noise that a network does
    not learn all of them."""
    numbers = random.Random(5)
    labels = [numbers.randrange(SIDE) for _ in range(count)]
    return [bytes(numbers.randrange(200) + (55 if i // SIDE == label else 0)
                  for i in range(SIDE * SIDE)) for label in labels], labels


def weights(path):
    """A model without its header, which has the number of the run."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little"):]


class Validation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Three data sets: all images; those left without the validation set; both with
        the validation set as their test set."""
        cls.own = tempfile.TemporaryDirectory(prefix="validation-")
        cls.all, cls.rest = (pathlib.Path(cls.own.name, name) for name in ("all", "rest"))
        images, labels = noisy_rows(COUNT)
        for folder, end in (cls.all, COUNT), (cls.rest, COUNT - HELD):
            folder.mkdir()
            write(folder, "train", images[:end], labels[:end])
            write(folder, "t10k", images[-HELD:], labels[-HELD:])

    @classmethod
    def tearDownClass(cls):
        cls.own.cleanup()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="validation-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.numbers = itertools.count()

    def train(self, *arguments, data=None, epochs=6, status=0):
        """Returns standard output, the rows of the log, and the weights."""
        number = next(self.numbers)
        log, model = self.folder / f"{number}.csv", self.folder / f"{number}.safetensors"
        result = subprocess.run(
            [PROGRAM, "--data", data or self.all, *OPTIONS, "--epochs", str(epochs),
             "--log", log, "--save", model, *map(str, arguments)],
            text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=500)
        self.assertEqual(result.returncode, status, result.stderr)
        self.errors = result.stderr
        return (result.stdout, self.rows(log), weights(model)) if status == 0 else None

    def rows(self, log):
        with open(log, newline="") as file:
            reader = csv.DictReader(file)
            self.assertEqual(reader.fieldnames, COLUMNS)
            return list(reader)

    @staticmethod
    def steps(rows):
        """What a resumed run repeats bit for bit: all but the seconds."""
        return [{key: row[key] for key in COLUMNS[:-1]} for row in rows]

    @staticmethod
    def accuracies(output, which):
        return [(int(epoch), int(correct), int(count)) for epoch, kind, correct, count
                in ACCURACY.findall(output) if kind == which]

    def test_the_end_of_the_training_set_is_validated_and_not_trained_on(self):
        """A test set of the same images has the same accuracy, and a training set
        without them the same losses."""
        for held in HELD, HELD / COUNT:
            output, rows, model = self.train("--validation", held, "--eval", "epoch")
            self.assertIn(f"validation on {HELD} images", self.errors)
            found = self.accuracies(output, "Validation")
            self.assertEqual([epoch for epoch, _, _ in found], [1, 2, 3, 4, 5, 6])
            self.assertEqual(found, self.accuracies(output, "Test"))
            _, other, smaller = self.train(data=self.rest)
            self.assertEqual(self.steps(rows), self.steps(other))
            self.assertEqual(model, smaller)

    def test_the_log_has_an_accuracy_at_the_last_step_of_each_evaluated_epoch(self):
        for arguments, count, epochs in (
                (["--validation", HELD], HELD, {1, 2, 3, 4, 5, 6}), ([], HELD, {1, 2, 3, 4, 5, 6}),
                (["--eval", "end"], HELD, {6}), (["--eval", "none"], HELD, set())):
            output, rows, _ = self.train(*arguments)
            wanted = {epoch: correct / count for epoch, correct, _ in self.accuracies(
                output, "Validation" if "--validation" in arguments else "Test")}
            self.assertEqual(set(wanted), epochs)
            last = max(int(row["step"]) for row in rows)
            for row in rows:
                expected = wanted.get(int(row["epoch"])) if int(row["step"]) == last else None
                self.assertEqual(row["accuracy"],
                                 "" if expected is None else f"{expected:.9g}")
            seconds = [float(row["seconds"]) for row in rows]
            self.assertEqual(seconds, sorted(seconds))
            self.assertLess(0 < seconds[-1], 100)
            self.assertEqual({float(row["lr"]) for row in rows}, {0.01})

    def test_with_validation_the_test_set_is_used_at_the_end_only(self):
        output, _, _ = self.train("--validation", HELD)
        self.assertEqual([epoch for epoch, _, _ in self.accuracies(output, "Test")], [6])
        self.assertRegex(output.splitlines()[-1], "Test accuracy")

    def test_keep_best_saves_the_first_epoch_with_the_best_validation(self):
        output, _, last = self.train("--validation", HELD, epochs=12)
        found = self.accuracies(output, "Validation")
        best = max(correct for _, correct, _ in found)
        epoch = next(epoch for epoch, correct, _ in found if correct == best)
        self.assertLess(epoch, 12, "the best epoch is the last one")
        output, _, kept = self.train("--validation", HELD, "--keep", "best", epochs=12)
        self.assertEqual(self.accuracies(output, "Test"), [(epoch, best, HELD)])
        self.assertIn(f"the best epoch is {epoch}\n", self.errors)
        self.assertNotEqual(kept, last)
        # Without a schedule, a shorter run has the same weights after its last epoch.
        self.assertEqual(kept, self.train("--validation", HELD, epochs=epoch)[2])

    def test_of_equal_validations_the_earlier_is_kept(self):
        """A validation set of one image has only two results."""
        output, _, _ = self.train("--validation", 1, epochs=8)
        found = self.accuracies(output, "Validation")
        self.assertLess(len({correct for _, correct, _ in found}), 3)
        first = max(found, key=lambda line: line[1])[0]
        _, _, kept = self.train("--validation", 1, "--keep", "best", epochs=8)
        self.assertEqual(kept, self.train("--validation", 1, epochs=first)[2])

    def test_patience_ends_the_run(self):
        output, rows, _ = self.train("--validation", HELD, epochs=30)
        found = [correct for _, correct, _ in self.accuracies(output, "Validation")]
        for patience in 1, 2, 4:
            best, bad, end = -1, 0, 0
            while bad < patience:
                best, bad = (found[end], 0) if found[end] > best else (best, bad + 1)
                end += 1
            self.assertLess(end, 30)
            shorter, some, _ = self.train("--validation", HELD, "--patience", patience, epochs=30)
            self.assertEqual([correct for _, correct, _ in
                              self.accuracies(shorter, "Validation")], found[:end])
            self.assertEqual(self.accuracies(shorter, "Test")[0][0], end)
            self.assertEqual(self.steps(some), self.steps(rows)[:len(some)])
            ending = "" if patience == 1 else "s"
            self.assertIn(f"validation has not improved for {patience} epoch{ending}\n",
                          self.errors)

    def test_a_validation_that_does_not_fit_is_refused(self):
        for held, message in ((COUNT, f"{COUNT} of {COUNT} images, expected 1 to {COUNT - 1}"),
                              (10 ** 6, "expected 1 to"), (0.0001, "0 of 330 images"),
                              (0.9999, f"{COUNT} of {COUNT} images")):
            self.train("--validation", held, status=2)
            self.assertIn(f"--validation is {held:g}, ", self.errors)
            self.assertIn(message, self.errors)

    def stop(self, send, lines, *arguments):
        with subprocess.Popen([PROGRAM, *map(str, arguments)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for _ in range(lines):
                process.stdout.readline()
            process.send_signal(send)
            process.communicate(timeout=500)
        return process.returncode

    def test_a_run_with_validation_resumes_bit_for_bit(self):
        """Also before the best epoch, after it, and when its patience counts."""
        checkpoint, log = self.folder / "checkpoint", self.folder / "log.csv"
        model = self.folder / "model"
        options = ["--data", self.all, *OPTIONS, "--validation", HELD, "--keep", "best",
                   "--patience", "7", "--epochs", "400", "--log-every", "1", "--dropout", "0.2",
                   "--layers", "2", "--schedule", "plateau:patience=1,threshold=0.02",
                   "--save", model]
        whole = subprocess.run([PROGRAM, *map(str, options), "--log", log], text=True,
                               capture_output=True, timeout=500)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        expected, kept = self.steps(self.rows(log)), model.read_bytes()
        lines = len(whole.stdout.splitlines())
        best = int(re.search(r"the best epoch is (\d+)", whole.stderr)[1])
        self.assertGreater(best, 2)
        for send, part in itertools.product((signal.SIGINT, signal.SIGKILL), (0.2, 0.5, 0.8)):
            with self.subTest(send=send, part=part):
                for path in model, log, checkpoint, self.folder / "second.csv":
                    path.unlink(missing_ok=True)
                code = self.stop(send, int(lines * part), *options, "--checkpoint", checkpoint,
                                 "--log", log)
                self.assertNotEqual(code, 0, "the run ended before the signal")
                first = self.steps(self.rows(log))
                model.unlink(missing_ok=True)
                again = subprocess.run([PROGRAM, "--resume", checkpoint, "--data", self.all,
                                        "--log", self.folder / "second.csv", "--save", model],
                                       text=True, capture_output=True, timeout=500)
                self.assertEqual(again.returncode, 0, again.stderr)
                second = self.steps(self.rows(self.folder / "second.csv"))
                self.assertEqual(second, expected[-len(second):])
                if send == signal.SIGINT:
                    self.assertEqual(first + second, expected)
                self.assertTrue(whole.stdout.endswith(again.stdout))
                self.assertEqual(model.read_bytes(), kept)

    def test_an_interrupted_evaluation_is_repeated(self):
        """Ctrl-C between the validation of the best epoch and the end of a long test."""
        data = self.folder / "long"
        images, labels = noisy_rows(COUNT)
        data.mkdir()
        write(data, "train", images, labels)
        write(data, "t10k", images * 100, labels * 100)
        checkpoint, log, model = (self.folder / name for name in ("checkpoint", "log", "model"))
        options = ["--data", data, *OPTIONS, "--validation", HELD, "--keep", "best", "--eval",
                   "epoch", "--epochs", "30", "--patience", "2", "--quiet", "--log-every",
                   "1000", "--save", model]
        whole = subprocess.run([PROGRAM, *map(str, options), "--log", log], text=True,
                               capture_output=True, timeout=500)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        expected, kept = self.steps(self.rows(log)), model.read_bytes()
        steps = max(int(row["step"]) for row in expected)
        for epoch in range(1, 1 + len(expected) // steps):
            for path in model, log:
                path.unlink()
            (self.folder / "second.csv").unlink(missing_ok=True)
            with subprocess.Popen([PROGRAM, *map(str, options), "--force", "--log", log,
                                   "--checkpoint", checkpoint], text=True,
                                  stdout=subprocess.PIPE) as process:
                lines = [process.stdout.readline() for _ in range(2 * epoch - 1)]
                process.send_signal(signal.SIGINT)
                lines += process.communicate(timeout=500)[0].splitlines(True)
            self.assertRegex(lines[-1], rf"\[{epoch}/30\], Validation accuracy")
            first = self.steps(self.rows(log))
            self.assertEqual(first, expected[:len(first)])
            self.assertEqual(len(first), epoch * steps - 1)
            model.unlink(missing_ok=True)
            again = subprocess.run([PROGRAM, "--resume", checkpoint, "--data", data, "--log",
                                    self.folder / "second.csv", "--save", model, "--force"],
                                   text=True, capture_output=True, timeout=500)
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(first + self.steps(self.rows(self.folder / "second.csv")), expected)
            self.assertEqual("".join(lines[:-1]) + again.stdout, whole.stdout)
            self.assertEqual(model.read_bytes(), kept)


if __name__ == "__main__":
    # A shell starts programs in the background with Ctrl-C ignored, and mnist-train keeps
    # it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
