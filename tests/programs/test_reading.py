"""Tests --read and --chrono of mnist-train, and the programs that read its models.

usage: test_reading.py TRAIN PREDICT EMBED DESK

A network that reads columns equals one that reads the rows of transposed images, and one
that reads pixels one that reads rows of a single pixel: the same weights, bit for bit.
"""
import array
import json
import math
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
sys.path.insert(0, str(ROOT / "examples/web"))
import models  # noqa: E402
import page  # noqa: E402

TRAIN = PREDICT = EMBED = DESK = None
ORDERS = ["columns", "both", "pixels", "permuted"]
OPTIONS = ["--hidden", "5", "--batch-size", "16", "--epochs", "2", "--lr", "0.01",
           "--seed", "3", "--threads", "1", "--quiet"]
SIDE, COUNT = 28, 40


def randperm(count, seed=0):
    """torch.randperm after torch.manual_seed, in Python: mt19937 as its authors define it."""
    words = [seed]
    for i in range(1, 624):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) & 0xffffffff)

    def numbers():
        while True:
            for i in range(624):
                y = words[i] & 0x80000000 | words[(i + 1) % 624] & 0x7fffffff
                words[i] = words[(i + 397) % 624] ^ y >> 1 ^ (0x9908b0df if y & 1 else 0)
            for y in words:
                y ^= y >> 11
                y ^= y << 7 & 0x9d2c5680
                y ^= y << 15 & 0xefc60000
                yield (y ^ y >> 18) & 0xffffffff

    order, source = list(range(count)), numbers()
    for i in range(count - 1):
        other = i + next(source) % (count - i)
        order[i], order[other] = order[other], order[i]
    return order


def images(rows, cols):
    """Crosses whose arms name the label, in several greys. Those of 28 x 28 have MNIST's
    form, so that mnist-predict reads them as they are."""
    top, middle = rows * 4 // SIDE, cols // 2
    for i in range(COUNT):
        label = i % 10
        arm, width = rows // 2 + label % 2, (2 + label // 2) * cols // SIDE
        yield label, [[255 - i
                       if top <= y < rows - top and abs(x - middle) < 2 or
                       y in (arm, arm + 1) and abs(x - middle) <= width else 0
                       for x in range(cols)] for y in range(rows)]


def write(folder, all_images):
    """A data set in which the test images are the training images."""
    folder.mkdir()
    rows, cols = len(all_images[0][1]), len(all_images[0][1][0])
    pixels = b"".join(bytes(row) for _, image in all_images for row in image)
    labels = bytes(label for label, _ in all_images)
    for split in "train", "t10k":
        (folder / f"{split}-images-idx3-ubyte").write_bytes(
            struct.pack(">4I", 0x803, len(labels), rows, cols) + pixels)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2I", 0x801, len(labels)) + labels)


def values(data):
    return list(array.array("f", data))


def tensors_of(path):
    return models.decode(path.read_bytes())[0]


def matrices(path):
    """The tensors as nested lists, for models.step()."""
    result = {}
    for name, (shape, data) in tensors_of(path).items():
        flat = values(data)
        result[name] = flat if len(shape) == 1 else \
            [flat[i:i + shape[1]] for i in range(0, len(flat), shape[1])]
    return result


def last_state(tensors, prefix, steps, layer, reverse):
    """Outputs of all steps and the last state of a direction of a layer."""
    names = {name.replace(f"_l{layer}{'_reverse' * reverse}", "_l0"): value
             for name, value in tensors.items()
             if name.startswith(prefix) and name.endswith(f"_l{layer}{'_reverse' * reverse}")}
    hidden = len(names[f"{prefix}.weight_hh_l0"][0])
    h, c, outputs = [0.0] * hidden, [0.0] * hidden, []
    for x in reversed(steps) if reverse else steps:
        h, c = models.step(names, prefix, x, h, c)
        outputs.append(h)
    return outputs[::-1] if reverse else outputs, h


def joined(tensors, prefix, steps, layers):
    """The last states of both directions of the top layer."""
    for layer in range(layers):
        forward, first = last_state(tensors, prefix, steps, layer, False)
        backward, second = last_state(tensors, prefix, steps, layer, True)
        steps = [a + b for a, b in zip(forward, backward)]
    return first + second


class Reading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reading-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, program, *words, status=0):
        result = subprocess.run([program, *map(str, words)], text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, timeout=500, cwd=self.folder)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def train(self, *words, data="data", status=0):
        if not (self.folder / "data").exists():
            write(self.folder / "data", list(images(SIDE, SIDE)))
        return self.call(TRAIN, *OPTIONS, "--data", data, *words, status=status)

    def model(self, name, *words, data="data"):
        self.train("--save", name, "--force", "--eval", "none", *words, data=data)
        return tensors_of(self.folder / name)

    def compare(self, order, change, rows=SIDE, cols=SIDE):
        """A network that reads in an order equals one that reads the rows of changed
        images."""
        plain = list(images(rows, cols))
        write(self.folder / "plain", plain)
        write(self.folder / "changed", [(label, change(image)) for label, image in plain])
        for words in [], ["--bidirectional", "--layers", "1"]:
            found = self.model("a", "--read", order, *words, data="plain")
            self.assertEqual(found, self.model("b", *words, data="changed"), words)
            self.assertNotEqual(found, self.model("c", "--seed", "4", "--read", order, *words,
                                                  data="plain"))

    def test_columns_are_the_rows_of_transposed_images(self):
        self.compare("columns", lambda image: [list(row) for row in zip(*image)], 20, 28)

    def test_pixels_are_rows_of_one_pixel(self):
        self.compare("pixels", lambda image: [[x] for row in image for x in row], 12, 9)

    def test_permuted_pixels_follow_the_permutation_of_pytorch(self):
        order = randperm(12 * 10)
        self.assertEqual(sorted(order), list(range(120)))
        self.compare("permuted", lambda image: [[sum(image, [])[i]] for i in order], 12, 10)

    def test_both_equals_two_lstms_in_python(self):
        self.model("m", "--read", "both", "--bidirectional", "--column-layers", "1")
        tensors = matrices(self.folder / "m")
        self.assertEqual(len(tensors["fc.weight"][0]), 4 * 5)
        text = self.call(PREDICT, "--json", "m", "data/t10k-images-idx3-ubyte").stdout
        for (_, image), answer in list(zip(images(SIDE, SIDE), json.loads(text)))[:4]:
            pixels = [[(x / 255 - 0.1307) / 0.3081 for x in row] for row in image]
            last = joined(tensors, "lstm", pixels, 2) + \
                joined(tensors, "columns", [list(row) for row in zip(*pixels)], 1)
            scores = [b + models.dot(row, last)
                      for row, b in zip(tensors["fc.weight"], tensors["fc.bias"])]
            best = scores.index(max(scores))
            self.assertEqual(answer["class"], best)
            total = sum(math.exp(s - scores[best]) for s in scores)
            self.assertAlmostEqual(answer["probabilities"][best], 1 / total, delta=1e-5)

    def test_a_model_says_how_it_reads(self):
        for order in ORDERS:
            with self.subTest(order):
                result = self.train("--save", "m", "--force", "--read", order)
                last = result.stdout.splitlines()[-1]
                self.assertEqual(models.decode((self.folder / "m").read_bytes())[1]["model.read"],
                                 "permuted:0" if order == "permuted" else order)
                right = last.split("(")[1].split("/")[0]
                again = self.call(TRAIN, "--load", "m", "--epochs", "0", "--data", "data")
                self.assertIn(f"({right}/{COUNT})", again.stdout)
                read = self.call(PREDICT, "m", "data/t10k-images-idx3-ubyte").stdout
                self.assertIn(f"{right} of {COUNT} right", read)
                self.refused(order)
        self.train("--save", "m", "--force")
        self.assertNotIn("model.read", models.decode((self.folder / "m").read_bytes())[1])

    def refused(self, order):
        """By the programs that read row by row."""
        picture = self.folder / "p.pgm"
        picture.write_bytes(b"P5 28 28 255\n" + bytes(sum(next(images(SIDE, SIDE))[1], [])))
        result = self.call(PREDICT, "--explain", "x.svg", "m", "p.pgm", status=1)
        self.assertIn(f"m: reads {order}, expected rows: --explain draws", result.stderr)
        result = self.call(PREDICT, "--lstm", "lstm", "m", "p.pgm", status=1)
        self.assertIn(f"mnist-train --read {order}, which --lstm cannot", result.stderr)
        result = self.call(EMBED, "--standalone", "m", status=1)
        self.assertIn("2 LSTMs in the file" if order == "both" else "metadata model.read is",
                      result.stderr)
        with self.assertRaisesRegex(page.Refused, "metadata model.read is"):
            page.read_model(str(self.folder / "m"))
        result = self.call(TRAIN, "--load", "m", "--epochs", "0", "--read", "rows", "--data",
                           "data", status=1)
        self.assertIn(f"--read is rows, expected {order} as in m", result.stderr)

    def test_a_resumed_run_goes_on_with_the_same_bits(self):
        for order in ORDERS:
            words = ["--read", order, "--dropout", "0.3"]
            with self.subTest(order):
                whole = self.model("whole", *words, "--threads", "2")
                self.train("--no-save", "--eval", "none", "--force", "--checkpoint", "c",
                           "--epochs", "1", *words)
                result = self.call(TRAIN, "--resume", "c", "--epochs", "2", "--read", "rows",
                                   "--data", "data", status=2)
                self.assertIn("--read is 'rows', expected", result.stderr)
                self.call(PREDICT, "c", "data/t10k-images-idx3-ubyte")
                self.call(TRAIN, "--resume", "c", "--epochs", "2", "--save", "r", "--data",
                          "data", "--force")
                self.assertEqual(tensors_of(self.folder / "r"), whole)

    def test_a_loaded_model_gives_its_order_to_the_checkpoint(self):
        self.model("m", "--read", "columns")
        self.call(TRAIN, "--load", "m", "--data", "data", "--epochs", "1", "--no-save",
                  "--checkpoint", "c", "--quiet")
        self.assertEqual(models.decode((self.folder / "c").read_bytes())[1]["model.read"],
                         "columns")
        self.call(TRAIN, "--resume", "c", "--epochs", "2", "--save", "r", "--data", "data")
        self.assertEqual(models.decode((self.folder / "r").read_bytes())[1]["model.read"],
                         "columns")

    def test_what_cannot_be_is_refused(self):
        result = self.train("--no-save", "--column-layers", "2", status=2)
        self.assertIn("--column-layers needs --read both", result.stderr)
        self.model("m")
        result = self.call(TRAIN, "--load", "m", "--epochs", "0", "--data", "data",
                           "--column-layers", "2", status=1)
        self.assertIn("--column-layers needs --read both", result.stderr)
        tensors = models.lstm(random.Random(1), SIDE, 4, 10)
        for value, status in ("columns", 0), ("diagonals", 1), ("permuted:1", 1):
            models.write(self.folder / "m", tensors, {"model.read": value})
            for program, *words in ((TRAIN, "--load", "m", "--epochs", "0", "--data", "data"),
                                    (PREDICT, "m", "data/t10k-images-idx3-ubyte")):
                result = self.call(program, *words, status=status)
                if status:
                    self.assertIn(f"metadata model.read is '{value}', expected columns, both",
                                  result.stderr)
        models.write(self.folder / "m", tensors, {"model.read": "both"})
        for program, *words in ((TRAIN, "--load", "m", "--epochs", "0", "--data", "data"),
                                (PREDICT, "m", "data/t10k-images-idx3-ubyte")):
            self.assertIn("columns", self.call(program, *words, status=1).stderr)
        # A file of another program does not say how its network reads.
        models.write(self.folder / "m", tensors)
        self.call(TRAIN, "--load", "m", "--epochs", "0", "--data", "data", "--read", "columns")

    def other(self, hidden, directions, metadata, seed=1):
        """Writes and returns a model of another program, its head in fc."""
        rng = random.Random(seed)
        tensors = models.lstm(rng, SIDE, hidden, 0)
        if directions == 2:
            tensors |= {f"{name}_reverse": value for name, value in
                        models.lstm(rng, SIDE, hidden).items()}
        head = models.lstm(rng, 1, directions * hidden, 10)
        tensors |= {name: head[name] for name in ("fc.weight", "fc.bias")}
        models.write(self.folder / "m", tensors, metadata)
        return tensors

    def test_models_of_other_programs_are_read_as_their_keys_say(self):
        write(self.folder / "data", list(images(SIDE, SIDE)))
        for directions, keys in (
                (1, {}), (2, {}), (1, {"output": "last", "activation": "softmax"}),
                (2, {"output": "last", "samplerate": "1"}), (1, {"output": "states"}),
                (2, {"output": "states", "activation": "log_softmax"}),
                (1, {"output": "states", "reverse": "other"}),
                (1, {"output": "states", "reverse": "other lstm"}),
                (2, {"output": "states", "reverse": "lstm"})):
            with self.subTest(directions=directions, keys=keys):
                tensors = self.other(4, directions, {f"model.{key}": value
                                                     for key, value in keys.items()})
                text = self.call(PREDICT, "--json", "m", "data/t10k-images-idx3-ubyte").stdout
                back = "lstm" in keys.get("reverse", "").split()
                for (_, image), answer in list(zip(images(SIDE, SIDE), json.loads(text)))[:5]:
                    steps = [[(x / 255 - 0.1307) / 0.3081 for x in row] for row in image]
                    steps = steps[::-1] if back else steps
                    _, last = last_state(tensors, "lstm", steps, 0, False)
                    if directions == 2:
                        outputs, state = last_state(tensors, "lstm", steps, 0, True)
                        last = last + (state if keys.get("output") == "states"
                                       else outputs[-1])
                    scores = models.head(tensors, last)
                    whole = sum(map(math.exp, scores))
                    for score, found in zip(scores, answer["probabilities"]):
                        self.assertAlmostEqual(math.exp(score) / whole, found, delta=1e-5)

    def test_other_keys_are_refused_by_name(self):
        write(self.folder / "data", list(images(SIDE, SIDE)))
        digits = "data/t10k-images-idx3-ubyte"
        everywhere = [{"scale": "0 1"}, {"scale": "0.5 0"}, {"model.foo": "1"},
                      {"model.in_gain": "0"}, {"model.out_gain": "1"}, {"model.skip": "1"},
                      {"model.activation": "sigmoid"}, {"model.differences": "1"},
                      {"model.output": "reversed"}, {"model.output": "x"},
                      {"model.reverse": "lstm"},
                      {"model.read": "columns", "model.reverse": "lstm"}]
        for keys in everywhere:
            with self.subTest(keys):
                self.other(4, 1, keys)
                key = list(keys)[-1]
                self.assertIn("model: metadata ", self.call(DESK, "m", status=1).stdout)
                for program, *words in (
                        (PREDICT, "m", digits),
                        (TRAIN, "--load", "m", "--epochs", "0", "--data", "data"),
                        (TRAIN, "--load", "m", "--epochs", "1", "--data", "data",
                         "--no-save")):
                    error = self.call(program, *words, status=1).stderr
                    self.assertRegex(error, f"m: metadata .*{key}'? ?.*, expected")
                with self.assertRaisesRegex(page.Refused, "m: metadata "):
                    page.read_model(str(self.folder / "m"))
        self.other(4, 2, {"model.output": "states"})
        error = self.call(TRAIN, "--load", "m", "--epochs", "0", "--data", "data",
                          status=1).stderr
        self.assertIn("metadata model.output is 'states', expected steps or last", error)
        self.other(4, 2, {"model.output": "states", "model.read": "columns"})
        error = self.call(PREDICT, "m", digits, status=1).stderr
        self.assertIn("metadata model.output is 'states', expected steps or last", error)
        (self.folder / "p.pgm").write_bytes(
            b"P5 28 28 255\n" + bytes(sum(next(images(SIDE, SIDE))[1], [])))
        self.other(4, 1, {"model.output": "states", "model.reverse": "lstm"})
        error = self.call(PREDICT, "--explain", "x.svg", "m", "p.pgm", status=1).stderr
        self.assertIn("m: reads from the last row to the first, expected from the first",
                      error)

    def test_first_states_and_an_embedding_are_refused(self):
        write(self.folder / "data", list(images(SIDE, SIDE)))
        for name, order in (("lstm.h0", ""), ("lstm.c0", "columns"), ("embedding.weight", "")):
            with self.subTest(name):
                tensors = self.other(4, 1, {})
                models.write(self.folder / "m", tensors | {name: [[0.5] * 4]},
                             {"model.read": order} if order else {})
                for program, *words in ((PREDICT, "m", "data/t10k-images-idx3-ubyte"),
                                        (TRAIN, "--load", "m", "--data", "data")):
                    self.assertRegex(self.call(program, *words, status=1).stderr,
                                     rf"m: has .*{re.escape(name)}, expected")
                if not order:
                    self.assertIn(name, self.call(DESK, "m", status=1).stdout)
                with self.assertRaises(page.Refused):
                    page.read_model(str(self.folder / "m"))

    def test_a_key_that_is_not_saved_is_named(self):
        write(self.folder / "data", list(images(SIDE, SIDE)))
        self.other(4, 1, {"model.output": "last", "model.activation": "softmax"})
        words = ["--load", "m", "--epochs", "0", "--data", "data", "--quiet"]
        self.assertEqual(self.call(TRAIN, *words).stderr, "")
        error = self.call(TRAIN, *words, "--save", "n").stderr
        self.assertIn("m: metadata model.output is 'last', which the files of this run do "
                      "not have", error)
        self.assertIn("m: metadata model.activation is 'softmax', which", error)

    def test_the_page_of_a_training_says_how_it_reads(self):
        for words, text in (([], "row by row,"), (["columns"], "column by column,"),
                            (["both", "--column-layers", "2"],
                             "row by row, and column by column with 2 more layers,"),
                            (["permuted"], "pixel by pixel in a fixed random order,")):
            options = ["--read", *words] if words else []
            self.train("--no-save", "--force", "--report", "p.html", *options)
            self.assertIn(f"reads an image {text}", (self.folder / "p.html").read_text())

    def first_weights(self, *words):
        """The weights that a training begins with: its steps are too small to change one."""
        found = self.model("first", "--lr", "1e-40", "--epochs", "1", *words)
        return {name: values(data) for name, (_, data) in found.items()}

    def test_chrono_sets_the_biases_of_two_gates_alone(self):
        words = ["--read", "both", "--bidirectional", "--layers", "1"]
        usual, found = self.first_weights(*words), self.first_weights(*words, "--chrono", "100")
        draws = []
        for name, before in usual.items():
            after = found[name]
            if ".bias_" in name:
                first, forget = after[:5], after[5:10]
                if "_ih_" in name:
                    self.assertEqual([-value for value in first], forget)
                    draws += [math.exp(value) for value in forget]
                else:
                    self.assertLess(max(map(abs, first + forget)), 1e-30)
                after, before = after[10:], before[10:]
            self.assertEqual(after, before, name)
        self.assertEqual(len(set(draws)), 4 * 5)
        self.assertTrue(0.999 <= min(draws) < 25 and 75 < max(draws) < 99, draws)

    def test_chrono_draws_the_numbers_of_pytorch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("torch is not installed")
        found = self.first_weights("--layers", "1", "--chrono", "784")
        torch.manual_seed(3)
        torch.nn.LSTM(SIDE, 5)
        torch.nn.Linear(5, 10)
        wanted = torch.empty(5).uniform_(1, 783).log().tolist()
        for a, b in zip(found["lstm.bias_ih_l0"][5:10], wanted):
            self.assertAlmostEqual(a, b, delta=1e-6)

    def test_chrono_is_of_a_new_run(self):
        whole = self.model("whole", "--chrono", "50", "--dropout", "0.3")
        self.train("--no-save", "--eval", "none", "--checkpoint", "c", "--epochs", "1",
                   "--chrono", "50", "--dropout", "0.3")
        self.call(TRAIN, "--resume", "c", "--epochs", "2", "--save", "r", "--data", "data")
        self.assertEqual(tensors_of(self.folder / "r"), whole)
        result = self.call(TRAIN, "--load", "r", "--chrono", "50", "--data", "data", status=2)
        self.assertIn("--chrono cannot be combined with --load", result.stderr)
        self.train("--no-save", "--chrono", "2", status=2)


if __name__ == "__main__":
    TRAIN, PREDICT, EMBED, DESK = (str(pathlib.Path(path).resolve())
                                   for path in sys.argv[1:5])
    unittest.main(argv=sys.argv[:1], verbosity=2)
