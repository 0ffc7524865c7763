"""Tests mnist-train --report: what the page shows is compared with the log, with standard
output, with the files of the data, and with a network in double precision.

usage: test_report.py PROGRAM
"""
import csv
import math
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402
import report_page  # noqa: E402
from test_predict import probabilities  # noqa: E402

PROGRAM = None
# The test set has two batches.
SIDE, TRAIN, TEST = 28, 200, 140
SMALL = ["--data", "data", "--batch-size", "32", "--hidden", "8", "--layers", "1", "--seed",
         "7", "--threads", "1", "--lr", "0.02", "--quiet"]
STEPS = 7  # 200 images: six batches of 32 and one of 8


def write_data(folder):
    """Images with a bright row that names the label, under noise."""
    numbers = random.Random(5)
    folder.mkdir()
    images = {}
    for split, count in (("train", TRAIN), ("t10k", TEST)):
        labels = [numbers.randrange(10) for _ in range(count)]
        rows = [bytes(numbers.randrange(160) + (90 if i // SIDE == 9 + label else 0)
                      for i in range(SIDE * SIDE)) for label in labels]
        (folder / f"{split}-images-idx3-ubyte").write_bytes(
            struct.pack(">4I", 0x803, count, SIDE, SIDE) + b"".join(rows))
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2I", 0x801, count) + bytes(labels))
        images[split] = list(zip(rows, labels))
    return images


def tensors_of(path):
    tensors, _ = models.decode(path.read_bytes())
    return {name: (shape, struct.unpack(f"<{len(data) // 4}f", data))
            for name, (shape, data) in tensors.items()}


class Folder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.own = tempfile.TemporaryDirectory(prefix="report-data-")
        cls.images = write_data(pathlib.Path(cls.own.name, "data"))

    @classmethod
    def tearDownClass(cls):
        cls.own.cleanup()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="report-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "data").symlink_to(pathlib.Path(self.own.name, "data"))

    def run_program(self, *words, status=0, **options):
        result = subprocess.run([PROGRAM, *words], text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, timeout=500, cwd=self.folder, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def train(self, *words, epochs=3, **options):
        return self.run_program(*SMALL, "--epochs", str(epochs), *words, **options)

    def page(self, name="r.html"):
        return report_page.parse((self.folder / name).read_text())

    def log(self, name="l.csv"):
        with open(self.folder / name, newline="") as file:
            return list(csv.DictReader(file))


class Page(Folder):
    def test_the_page_shows_the_run(self):
        """Everything of one run, so that it is trained once."""
        words = ["--save", "m", "--log", "l.csv", "--schedule", "step:every=1,gamma=0.5"]
        plain = self.train(*words, "--force")
        model = (self.folder / "m").read_bytes()
        result = self.train(*words, "--report", "r.html", "--force")
        self.assertEqual((result.stdout, result.stderr), (plain.stdout, ""))
        self.assertEqual((self.folder / "m").read_bytes(), model)
        page = self.page()
        self.check_is_alone(page)
        self.check_facts(page)
        self.check_matrix(page, result.stdout)
        self.check_curves(page)
        self.check_worst(page)

    def check_is_alone(self, page):
        self.assertEqual(page.all("script") + page.all("link") + page.all("iframe"), [])
        for node in page.nodes():
            self.assertFalse([name for name in node.attributes if name.startswith("on")])
            for name in ("src", "href"):
                if name in node.attributes:
                    self.assertTrue(node[name].startswith("data:"))
        style = "".join(node.text() for node in page.all("style"))
        self.assertNotIn("url(", style)
        self.assertNotIn("@import", style)
        self.assertIn("default-src 'none'", page.all("meta")[2]["content"])

    def check_facts(self, page):
        facts = page.find("facts").text()
        for part in ("mnist-train --data data --batch-size 32", "200 images of 28 × 28, 10 "
                     "classes, data/train-images-idx3-ubyte", f"{TEST} images", "Seed",
                     "LSTM, 1 layer of 8 units", "1,306 parameters", "learning rate 0.02",
                     "batches of 32"):
            self.assertIn(part, facts)
        self.assertIn(", 1 thread, ", facts)

    def check_matrix(self, page, output):
        matrix = report_page.matrix(page)
        correct, count = re.findall(r"accuracy: .*\((\d+)/(\d+)\)", output)[-1]
        self.assertEqual([len(row) for row in matrix], [10] * 10)
        self.assertEqual(sum(map(sum, matrix)), int(count))
        self.assertEqual(sum(matrix[i][i] for i in range(10)), int(correct))
        self.assertEqual([sum(row) for row in matrix],
                         [[label for _, label in self.images["t10k"]].count(i)
                          for i in range(10)])
        self.assertIn(f"{correct} of {count}", page.find("headline").text())

        def percent(part, of):
            return f"{100 * part / of:.1f}%" if of else "–"

        for i, row in enumerate(report_page.table(page, "classes")):
            right, reads, labels = matrix[i][i], sum(r[i] for r in matrix), sum(matrix[i])
            self.assertEqual(row[:5], [str(i), str(labels), percent(right, reads),
                                       percent(right, labels),
                                       percent(2 * right, reads + labels)])
            wrong = [n if k != i else 0 for k, n in enumerate(matrix[i])]
            times = {0: None, 1: "once"}.get(max(wrong), f"{max(wrong)} times")
            self.assertEqual(row[5], f"as {wrong.index(max(wrong))}, {times}" if times else "–")
        read = [[0] * 10 for _ in range(10)]
        for (_, label), found in zip(self.images["t10k"], self.predictions()):
            read[label][found.index(max(found))] += 1
        self.assertEqual(matrix, read)

    def predictions(self):
        """Probabilities of the test images in double precision."""
        if not hasattr(self, "found"):
            tensors = tensors_of(self.folder / "m")
            self.found = [probabilities(tensors, image) for image, _ in self.images["t10k"]]
        return self.found

    def check_curves(self, page):
        log = self.log()
        curve, = page.find("loss").all("path", "steps")
        points = report_page.points(curve)
        losses = [float(row["loss"]) for row in log]
        self.assertEqual(len(points), 3 * STEPS)
        self.check_heights([y for _, y in points], losses)
        xs = [x for x, _ in points]
        for before, after in zip(xs, xs[1:]):
            self.assertAlmostEqual(after - before, (xs[-1] - xs[0]) / (len(xs) - 1), delta=0.11)
        self.assertEqual(len(page.find("loss").all("path", "mean")), 1)
        rates = [float(row["lr"]) for row in log if row["step"] == str(STEPS)]
        curve, = page.find("rate").all("path", "rate")
        self.check_heights([y for _, y in report_page.points(curve)], rates)
        accuracies = [float(row["accuracy"]) for row in log if row["accuracy"]]
        curve, = page.find("accuracy").all("path", "test")
        self.check_heights([y for _, y in report_page.points(curve)], accuracies)
        self.assertEqual(page.find("accuracy").all("path", "validation"), [])
        table = report_page.table(page, "epochs")
        for i, row in enumerate(table):
            part = losses[i * STEPS:(i + 1) * STEPS]
            mean = (sum(part[:-1]) * 32 + part[-1] * 8) / TRAIN
            self.assertEqual(row[:4], [str(i + 1), f"{mean:.4g}", f"{100 * accuracies[i]:.2f}%",
                                       f"{rates[i]:.4g}"])

    def check_heights(self, ys, values):
        """Heights are proportional to the values or to their logarithms."""
        for scale in (float, math.log):
            marks = [scale(value) for value in values]
            low, high = marks.index(min(marks)), marks.index(max(marks))
            if low == high:
                self.assertEqual(set(ys), {ys[0]})
                return
            slope = (ys[high] - ys[low]) / (marks[high] - marks[low])
            if all(abs(ys[low] + slope * (mark - marks[low]) - y) < 0.15
                   for y, mark in zip(ys, marks)):
                return
        self.fail(f"heights {ys} are not those of {values}")

    def check_worst(self, page):
        images, found = self.images["t10k"], self.predictions()
        figures = page.find("worst").all("figure")
        self.assertEqual(len(figures), 40)
        order = sorted(range(TEST), key=lambda i: found[i][images[i][1]])
        for figure, wanted in zip(figures, order):
            index, label = int(figure["data-index"]), images[int(figure["data-index"])][1]
            # Float32 may exchange images whose probabilities are equal to many digits.
            self.assertAlmostEqual(found[index][label], found[wanted][images[wanted][1]],
                                   delta=1e-4)
            picture, = figure.all("img")
            self.assertEqual(report_page.pixels(picture["src"]), (SIDE, SIDE, images[index][0]))
            read = found[index].index(max(found[index]))
            self.assertEqual(picture["alt"], f"image {index}: label {label}, read as {read}")
            shares = dict(re.findall(r"(\d): ([\d.]+)%", figure.text()))
            self.assertEqual(set(shares), {str(label), str(read)})
            for name, share in shares.items():
                self.assertAlmostEqual(float(share), 100 * found[index][int(name)], delta=0.06)
        self.assertEqual(len({figure["data-index"] for figure in figures}), 40)

    def test_validation_and_the_best_epoch(self):
        output = self.train("--no-save", "--report", "r.html", "--validation", "50", "--keep",
                            "best", "--log", "l.csv", epochs=4).stdout
        page, log = self.page(), self.log()
        curve, = page.find("accuracy").all("path", "validation")
        self.check_heights([y for _, y in report_page.points(curve)],
                           [float(row["accuracy"]) for row in log if row["accuracy"]])
        epoch, correct = re.findall(rf"\[(\d)/4\], Test accuracy: .*\((\d+)/{TEST}\)", output)[-1]
        self.assertIn(f"{correct} of {TEST}", page.find("headline").text())
        self.assertIn(f"test set after epoch {epoch}",
                      " ".join(node.text() for node in page.all("h2")))
        self.assertEqual(sum(map(sum, report_page.matrix(page))), TEST)

    def test_without_evaluation_there_are_curves_only(self):
        self.train("--no-save", "--report", "r.html", "--eval", "none")
        page = self.page()
        self.assertIn("No set was evaluated yet", page.text())
        self.assertEqual([len(page.all("path", "steps")), len(page.all("figure", "digit"))],
                         [1, 0])

    def test_one_step_is_a_dot(self):
        self.train("--no-save", "--report", "r.html", "--batch-size", "200", epochs=1)
        curve, = self.page().all("path", "steps")
        self.assertRegex(curve["d"], r"\AM[\d.]+ [\d.]+h0\Z")
        # The curve of the mean covers that of the steps, so the key has its line.
        self.assertEqual(len(self.page().all("span", "mean")), 1)
        self.assertEqual(self.page().all("span", "steps"), [])

    def test_a_model_is_tested(self):
        output = self.train("--save", "m", "--report", "r.html").stdout
        words = ["--data", "data", "--load", "m", "--epochs", "0", "--no-save", "--report"]
        tested = self.run_program(*words, "t.html")
        self.assertEqual(tested.stdout.split("accuracy")[1], output.split("accuracy")[-1])
        self.assertEqual(report_page.matrix(self.page("t.html")),
                         report_page.matrix(self.page()))
        self.assertEqual(self.page("t.html").all("path", "curve"), [])

    def test_names_from_outside_are_text(self):
        name = "<script>alert('1')<script>&\"b\" \x1b[31m"
        self.train("--no-save", "--report", "r.html", "--log", name)
        page = self.page()
        self.assertEqual(page.all("script"), [])
        self.assertIn("<script>alert('1')<script>&\"b\" ?[31m", page.find("facts").text())
        self.assertNotIn("\x1b", (self.folder / "r.html").read_text())

    def test_many_steps_are_drawn_as_columns(self):
        self.train("--no-save", "--report", "r.html", "--log", "l.csv", "--batch-size", "1",
                   "--hidden", "2", epochs=13)
        curve, = self.page().find("loss").all("path", "steps")
        points = report_page.points(curve)
        self.assertEqual((len(points), len(self.log())), (2400, 2600))
        losses = [float(row["loss"]) for row in self.log()]
        ends = [find(losses[at * 2600 // 1200:(at + 1) * 2600 // 1200])
                for at in range(1200) for find in (min, max)]
        ys = [y for pair in zip(points[::2], points[1::2])
              for y in sorted((y for _, y in pair), reverse=True)]
        bottom = max(ys)
        kept = [(y, end) for y, end in zip(ys, ends) if y < bottom - 0.2]
        self.assertGreater(len(kept), 2000)
        self.check_heights(*map(list, zip(*kept)))


class Course(Folder):
    """Pages of runs that go on, that are resumed, and that fail."""

    def test_a_resumed_run_has_the_whole_curve_with_its_log(self):
        self.train("--no-save", "--report", "whole.html", "--log", "w.csv", epochs=4)
        self.train("--no-save", "--report", "r.html", "--log", "l.csv", "--checkpoint", "c",
                   epochs=2)
        stderr = self.run_program("--resume", "c", "--epochs", "4", "--data", "data").stderr
        self.assertIn("--report r.html", stderr)
        self.train("--no-save", "--log", "l.csv", "--checkpoint", "c", "--force", epochs=2)
        self.run_program("--resume", "c", "--epochs", "4", "--data", "data", "--log", "l.csv",
                         "--report", "r.html")
        whole, page = self.page("whole.html"), self.page()
        for name in ("steps", "mean", "test"):
            self.assertEqual([curve["d"] for curve in page.all("path", name)],
                             [curve["d"] for curve in whole.all("path", name)])
        self.assertEqual([row[:4] for row in report_page.table(page, "epochs")],
                         [row[:4] for row in report_page.table(whole, "epochs")])
        self.assertEqual(report_page.matrix(page), report_page.matrix(whole))
        self.assertIn("--lr 0.02", page.find("facts").text())
        self.assertEqual(page.all("p", "note")[0].text(), whole.all("p", "note")[0].text())

    def test_without_the_log_the_page_says_where_the_curve_begins(self):
        self.train("--no-save", "--checkpoint", "c", epochs=2)
        self.run_program("--resume", "c", "--epochs", "4", "--data", "data", "--report",
                         "r.html")
        page = self.page()
        self.assertIn("The curve begins at step 1 of epoch 3", page.text())
        curve, = page.all("path", "steps")
        self.assertEqual(len(report_page.points(curve)), 2 * STEPS)

    def test_the_page_of_another_run_needs_force(self):
        self.train("--no-save", "--report", "r.html", "--checkpoint", "c")
        before = (self.folder / "r.html").read_bytes()
        for words in (["--seed", "8"], []):
            stderr = self.train("--no-save", "--report", "r.html", *words, status=1).stderr
            self.assertIn("r.html: exists and is not of this run; --force", stderr)
        self.assertEqual((self.folder / "r.html").read_bytes(), before)
        self.run_program("--resume", "c", "--epochs", "4", "--data", "data", "--report",
                         "r.html")
        self.assertNotEqual((self.folder / "r.html").read_bytes(), before)
        (self.folder / "r.html").write_text("<p>of somebody else")
        stderr = self.run_program("--resume", "c", "--epochs", "5", "--data", "data",
                                  "--report", "r.html", status=1).stderr
        self.assertIn("r.html: exists and is not of this run", stderr)

    def test_what_cannot_be_written_is_refused_first(self):
        os.mkdir(self.folder / "folder")
        for path, part in (("folder", "not a regular file"), ("none/r.html", "cannot be written"),
                           ("/dev/full", "not a regular file")):
            stderr = self.train("--no-save", "--report", path, status=1).stderr
            self.assertIn(part, stderr)
        for words in (["--log", "r.html"], ["--save", "r.html"]):
            stderr = self.train("--report", "r.html", *words, status=2).stderr
            self.assertIn("are the same file: r.html", stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["data", "folder"])

    def start(self, *words, before=None):
        return subprocess.Popen([PROGRAM, *SMALL, *words], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=before)

    def test_the_page_is_there_while_the_run_goes_on(self):
        process = self.start("--epochs", "100000", "--no-save", "--report", "r.html")
        for _ in range(3):
            process.stdout.readline()
        page = self.page()
        said = re.search(r"after epoch (\d+) of at most 100000", page.text())
        self.assertGreaterEqual(int(said[1]), 2)
        stderr = self.train("--no-save", "--report", "r.html", "--force", status=1).stderr
        self.assertIn("another run uses it", stderr)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=500)
        self.assertIn("The run was interrupted at step", self.page().text())
        self.assertEqual(sorted(os.listdir(self.folder)), ["data", "r.html"])

    def test_a_run_that_diverges_says_so_on_the_page(self):
        self.train("--no-save", "--report", "r.html", "--lr", "9")
        self.assertIn("The run diverges", self.page().find("advice").text())

    def test_a_page_that_fails_does_not_take_the_model(self):
        """A limit of the size of files is a disk that is full for the page alone: a model of
        this network is smaller."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

        result = self.train("--save", "m", "--report", "r.html", status=1, preexec_fn=limit)
        self.assertIn("mnist-train: r.html: File too large", result.stderr)
        self.assertIn("the run ends after step 7 of epoch 1", result.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["data", "m"])


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
