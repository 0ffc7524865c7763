"""Tests mnist-predict as a program: pictures, predictions, invalid usage, damaged files.

Predictions are compared with a double-precision network in plain Python.

usage: test_predict.py PROGRAM
"""
import csv
import gzip
import io
import json
import math
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SIDE = 28


def run(*arguments, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=500, **options)


def network(hidden, layers, classes=10, inputs=SIDE, seed=1, directions=1, proj=0):
    """Names, shapes and values of a model with random weights."""
    draw = random.Random(seed)
    size = proj or hidden
    shapes = {}
    for layer in range(layers):
        for suffix in ("", "_reverse")[:directions]:
            name = f"l{layer}{suffix}"
            shapes[f"lstm.weight_ih_{name}"] = [4 * hidden,
                                                directions * size if layer else inputs]
            shapes[f"lstm.weight_hh_{name}"] = [4 * hidden, size]
            shapes[f"lstm.bias_ih_{name}"] = [4 * hidden]
            shapes[f"lstm.bias_hh_{name}"] = [4 * hidden]
            if proj:
                shapes[f"lstm.weight_hr_{name}"] = [proj, hidden]
    shapes["fc.weight"] = [classes, directions * size]
    shapes["fc.bias"] = [classes]
    # Values that float32 represents exactly.
    return {name: (shape, [draw.randint(-64, 64) / 128 for _ in range(math.prod(shape))])
            for name, shape in shapes.items()}


def safetensors(tensors):
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        content = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def rows_of(tensor):
    shape, values = tensor
    return [values[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def direction(tensors, name, steps):
    """Outputs of one direction of one layer, such as l0_reverse, for all time steps."""
    w_ih = rows_of(tensors[f"lstm.weight_ih_{name}"])
    w_hh = rows_of(tensors[f"lstm.weight_hh_{name}"])
    w_hr = f"lstm.weight_hr_{name}"
    bias = [a + b for a, b in zip(tensors[f"lstm.bias_ih_{name}"][1],
                                  tensors[f"lstm.bias_hh_{name}"][1])]
    n = len(bias) // 4
    h, c, out = [0.0] * len(w_hh[0]), [0.0] * n, []
    for x in steps:
        z = [dot(w_ih[k], x) + dot(w_hh[k], h) + bias[k] for k in range(4 * n)]
        c = [sigmoid(z[n + k]) * c[k] + sigmoid(z[k]) * math.tanh(z[2 * n + k])
             for k in range(n)]
        h = [sigmoid(z[3 * n + k]) * math.tanh(c[k]) for k in range(n)]
        if w_hr in tensors:
            h = [dot(row, h) for row in rows_of(tensors[w_hr])]
        out.append(h)
    return out


def probabilities(tensors, image, rows=SIDE):
    """Class probabilities of the first rows of an image, [28, 28] bytes."""
    steps = [[(v / 255 - 0.1307) / 0.3081 for v in image[i * SIDE:(i + 1) * SIDE]]
             for i in range(rows)]
    layer = 0
    while f"lstm.weight_ih_l{layer}" in tensors:
        out = direction(tensors, f"l{layer}", steps)
        if f"lstm.weight_ih_l{layer}_reverse" in tensors:
            back = direction(tensors, f"l{layer}_reverse", steps[::-1])[::-1]
            out = [a + b for a, b in zip(out, back)]
        steps = out
        layer += 1
    scores = [dot(w, steps[-1]) + b for w, b in zip(rows_of(tensors["fc.weight"]),
                                                    tensors["fc.bias"][1])]
    powers = [math.exp(s - max(scores)) for s in scores]
    return [p / sum(powers) for p in powers]


def p5(pixels, cols, head=b"P5\n%d %d\n255\n"):
    return head % (cols, len(pixels) // cols) + bytes(pixels)


def p2(pixels, cols, maximum=255):
    return (f"P2 # text\n# and a comment\n{cols} {len(pixels) // cols}\n{maximum}\n"
            + "\n".join(str(v * maximum // 255) for v in pixels)).encode()


def idx(images):
    return struct.pack(">4I", 0x803, len(images), SIDE, SIDE) + b"".join(map(bytes, images))


def frame():
    """A ring of 20 by 20 pixels in two greys, already normalised as in MNIST."""
    image = [0] * (SIDE * SIDE)
    for i in range(4, 24):
        for k in range(4, 24):
            if i in (4, 5, 22, 23) or k in (4, 5, 22, 23):
                image[i * SIDE + k] = 255 if (i + k) % 2 else 136
    return image


def noise(seed):
    """Symmetric noise in MNIST's box, so that fitting does not move it."""
    draw = random.Random(seed)
    half = [draw.randrange(256) if i // SIDE > 3 and 3 < i % SIDE < 24 else 0
            for i in range(SIDE * SIDE // 2)]
    return half + half[::-1]


def angle(cols, rows, left, top, size, paper=255, ink=0):
    """An L of strokes of a sixth of its size."""
    pen = size // 6
    return [ink if 0 <= i % cols - left < size * 2 // 3 and 0 <= i // cols - top < size
            and (i % cols - left < pen or i // cols - top >= size - pen) else paper
            for i in range(cols * rows)]


class Base(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="predict-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.tensors = network(6, 2)
        self.model = self.write("model.safetensors", safetensors(self.tensors))

    def write(self, name, content):
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        with open(path, "wb") as file:
            file.write(content)
        return path

    def answers(self, *files, model=None, stderr=b"", **options):
        result = run("--json", model or self.model, *files, **options)
        self.assertEqual((result.returncode, result.stderr), (0, stderr))
        return json.loads(result.stdout)

    def assert_answer(self, answer, expected):
        for got, want in zip(answer["probabilities"], expected, strict=True):
            self.assertAlmostEqual(got, want, delta=2e-6)
        self.assertEqual(answer["class"], expected.index(max(expected)))

    def assert_fails(self, result, *parts, status=1):
        """Checks for one line on stderr and none on stdout."""
        self.assertEqual((result.returncode, result.stdout), (status, b""), result.stderr)
        self.assertRegex(result.stderr, rb"\Amnist-predict: .+\n\Z")
        for part in parts:
            self.assertIn(os.fsencode(part), result.stderr)


class Predict(Base):
    def test_predictions_equal_the_reference_for_all_kinds_of_networks(self):
        image = self.write("a.pgm", p5(noise(1), SIDE))
        for hidden, layers, classes, directions, proj in [
                (6, 2, 10, 1, 0), (1, 1, 10, 1, 0), (17, 3, 10, 1, 0), (9, 1, 26, 1, 0),
                (5, 2, 10, 2, 0), (7, 2, 10, 1, 3), (6, 1, 10, 2, 4)]:
            tensors = network(hidden, layers, classes, SIDE, hidden, directions, proj)
            model = self.write("other.safetensors", safetensors(tensors))
            with self.subTest(hidden=hidden, layers=layers, classes=classes,
                              directions=directions, proj=proj):
                answer, = self.answers(image, model=model)
                self.assert_answer(answer, probabilities(tensors, noise(1)))

    def test_text_has_the_class_and_every_probability(self):
        expected = probabilities(self.tensors, noise(2))
        image = self.write("a.pgm", p5(noise(2), SIDE))
        result = run(self.model, image)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        name, answer = result.stdout.decode().rstrip("\n").rsplit(": ", 1)
        self.assertEqual(name, os.fsdecode(image))
        self.assertEqual(int(answer.split()[0]), expected.index(max(expected)))
        found = re.findall(r" (\d+) ([\d.]+)%", answer)
        self.assertEqual([int(digit) for digit, _ in found], list(range(10)))
        for (_, value), want in zip(found, expected, strict=True):
            self.assertAlmostEqual(float(value), 100 * want, delta=0.0051)

    def test_every_image_format_gives_the_same_prediction(self):
        image = noise(3)
        formats = {
            "plain": p5(image, SIDE),
            "comments": p5(image, SIDE, b"P5 # 1 2 3\n#\n%d#\n%d # 5\n255\n"),
            "text": p2(image, SIDE),
            "wide text": p2(image, SIDE, 65535),
            "wide": b"P5 28 28 65535 " + b"".join(struct.pack(">H", 257 * v) for v in image),
            "line end": p5(image, SIDE) + b"\n",
            "idx": idx([image]),
            "gzip": gzip.compress(idx([image])),
        }
        files = [self.write(name, content) for name, content in formats.items()]
        answers = self.answers(*files)
        self.assertEqual(len(answers), len(formats))
        expected = probabilities(self.tensors, image)
        for answer, file in zip(answers, files, strict=True):
            self.assertEqual(answer["file"], os.fsdecode(file))
            self.assertEqual("index" in answer, file.endswith((b"idx", b"gzip")))
            self.assert_answer(answer, expected)
        with open(files[0], "rb") as file:
            answer, = self.answers("-", stdin=file)
        self.assertEqual(answer["file"], "-")
        self.assert_answer(answer, expected)

    def test_a_small_maximum_is_scaled_to_white(self):
        image = [v // 17 for v in noise(4)]
        file = self.write("a.pgm", b"P5 28 28 15\n" + bytes(image))
        answer, = self.answers(file)
        self.assert_answer(answer, probabilities(self.tensors, [17 * v for v in image]))

    def test_every_image_of_an_idx_file_is_read(self):
        images = [noise(seed) for seed in range(300)]
        answers = self.answers(self.write("images", idx(images)))
        self.assertEqual([answer["index"] for answer in answers], list(range(300)))
        for index in (0, 1, 255, 256, 299):
            self.assert_answer(answers[index], probabilities(self.tensors, images[index]))
        result = run(self.model, self.write("two", idx(images[:2])))
        self.assertEqual(re.findall(rb"two\[(\d+)\]: ", result.stdout), [b"0", b"1"])

    def test_dark_on_light_is_inverted(self):
        image = noise(5)
        inverted = [255 - v for v in image]
        answer, = self.answers(self.write("a.pgm", p5(inverted, SIDE)))
        self.assert_answer(answer, probabilities(self.tensors, image))
        for answer in self.answers(self.write("b", idx([inverted, inverted]))):
            self.assert_answer(answer, probabilities(self.tensors, image))

    def test_an_idx_file_has_one_paper(self):
        image = noise(5)
        mostly = idx([image, image, [255 - v for v in image], image])
        result = run("--json", self.model, self.write("b", mostly))
        answers = json.loads(result.stdout)
        for i in (0, 1, 3):
            self.assert_answer(answers[i], probabilities(self.tensors, image))
        self.assertNotEqual(answers[2]["probabilities"], answers[0]["probabilities"])
        light = run("--json", "--paper", "light", self.model,
                    self.write("c", idx([[255 - v for v in image]])))
        self.assert_answer(json.loads(light.stdout)[0], probabilities(self.tensors, image))

    def test_size_place_and_paper_do_not_matter(self):
        pages = [angle(200, 150, 60, 30, 90), angle(500, 700, 10, 300, 270),
                 angle(90, 90, 20, 20, 60, 40, 230), angle(120, 160, 30, 30, 90, 150, 90)]
        answers = self.answers(*[self.write(f"{len(page)}.pgm", p5(page, cols)) for page, cols
                                 in zip(pages, (200, 500, 90, 120), strict=True)])
        for answer in answers[1:]:
            for got, want in zip(answer["probabilities"], answers[0]["probabilities"],
                                 strict=True):
                self.assertAlmostEqual(got, want, delta=0.01)

    def test_blank_pictures_do_not_stop_the_others(self):
        blank = self.write("blank.pgm", p5([255] * 900, 30))
        good = self.write("good.pgm", p5(noise(1), SIDE))
        result = run("--json", self.model, blank, good)
        self.assertEqual(result.returncode, 1)
        first, second = json.loads(result.stdout)
        self.assertIn("blank", first["error"])
        self.assertIsNone(first["class"])
        self.assert_answer(second, probabilities(self.tensors, noise(1)))
        result = run("--json", self.model, self.write("images", idx([[0] * 784, noise(1)])))
        self.assertEqual((result.returncode, len(json.loads(result.stdout))), (1, 2))
        self.assertIn(b"image 0: ", result.stderr)

    def test_several_digits_are_refused_or_read_from_left_to_right(self):
        page = [min(a, b) for a, b in zip(angle(300, 150, 30, 20, 100),
                                          angle(300, 150, 180, 30, 100), strict=True)]
        file = self.write("two.pgm", p5(page, 300))
        self.assert_fails(run(self.model, file), "has 2 digits, expected 1; --digits")
        result = run("--digits", "--json", self.model, file)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        answer, = json.loads(result.stdout)
        self.assertEqual(len(answer["digits"]), 2)
        self.assertLess(answer["digits"][0]["box"]["left"], answer["digits"][1]["box"]["left"])
        self.assertEqual(answer["number"],
                         "".join(str(digit["class"]) for digit in answer["digits"]))
        lines = run("--digits", self.model, file).stdout.decode().splitlines()
        self.assertEqual(lines[0].split(": ")[1], answer["number"])

    def labelled(self, images, labels, name="labels"):
        return (self.write("images", idx(images)),
                self.write(name, struct.pack(">2I", 0x801, len(labels)) + bytes(labels)))

    def test_labels_give_accuracy_confusion_and_the_wrong_ones(self):
        images = [noise(seed) for seed in range(20)]
        found = [answer["class"] for answer in self.answers(self.write("i", idx(images)))]
        labels = [(c + 1) % 10 if i in (3, 7) else c for i, c in enumerate(found)]
        file, given = self.labelled(images, labels)
        text = run("--labels", given, self.model, file).stdout.decode()
        self.assertIn("18 of 20 right (90.00%)", text)
        for i in (3, 7):
            self.assertRegex(text, rf"(?m)^ +{i} +{labels[i]} +{found[i]} +0\.\d+$")
        self.assertIn("confusion matrix", text)
        self.write("t10k-images-idx3-ubyte", idx(images))
        self.labelled(images, labels, "t10k-labels-idx1-ubyte")
        beside = run(self.model, self.folder / "t10k-images-idx3-ubyte")
        self.assertIn(b"18 of 20 right (90.00%)", beside.stdout)
        self.assertIn(b"labels from ", beside.stderr)
        labels_file = self.folder / "t10k-labels-idx1-ubyte"
        labels_file.unlink()
        labels_file.symlink_to("nowhere")
        dangling = run(self.model, self.folder / "t10k-images-idx3-ubyte")
        self.assertIn(b"t10k-labels-idx1-ubyte: not used: ", dangling.stderr)
        self.assertEqual(dangling.stdout.count(b"\n"), 20)
        file, given = self.labelled(images, [10, 255, *labels[2:]], "foreign")
        foreign = run("--labels", given, self.model, file)
        self.assertIn(b"2 labels are not among the 10 classes of the model", foreign.stderr)
        short, other = self.labelled(images, labels[:5], "short")
        self.assert_fails(run("--labels", other, self.model, short), "short")

    def test_csv_has_a_line_for_each_image(self):
        file = self.write("a, b.pgm", p5(noise(1), SIDE))
        result = run("--csv", self.model, file, self.folder / "none")
        rows = list(csv.DictReader(io.StringIO(result.stdout.decode())))
        self.assertEqual((result.returncode, len(rows)), (1, 2))
        self.assertEqual(rows[0]["file"], os.fsdecode(file))
        for i, want in enumerate(probabilities(self.tensors, noise(1))):
            self.assertAlmostEqual(float(rows[0][f"p{i}"]), want, delta=2e-6)
        self.assertIn("No such file", rows[1]["error"])

    def test_models_may_have_other_names_and_more_tensors(self):
        image = self.write("a.pgm", p5(noise(1), SIDE))
        expected = probabilities(self.tensors, noise(1))
        for lstm, head in (("rnn", "head"), ("module.lstm", "module.fc2")):
            tensors = {name.replace("lstm.", lstm + ".", 1).replace("fc.", head + ".", 1): value
                       for name, value in self.tensors.items()}
            tensors["norm.weight"] = ([3], [1.0, 1.0, 1.0])
            model = self.write("other.safetensors", safetensors(tensors))
            result = run("--json", model, image)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stderr, rb"norm.weight \[3\]\n\Z")
            self.assert_answer(json.loads(result.stdout)[0], expected)

    def test_numbers_that_are_not_finite_are_refused(self):
        tensors = dict(self.tensors)
        shape, values = tensors["fc.bias"]
        tensors["fc.bias"] = (shape, [math.nan, *values[1:]])
        model = self.write("nan.safetensors", safetensors(tensors))
        result = run("--json", model, self.write("a.pgm", p5(noise(1), SIDE)))
        self.assertEqual(result.returncode, 1)
        json.loads(result.stdout)
        self.assertRegex(result.stderr, rb"nan|not a number|finite")

    def test_show_draws_the_image_without_breaking_json(self):
        image = frame()
        file = self.write("a.pgm", p5(image, SIDE))
        lines = run("--show", self.model, file).stdout.decode().split("\n")
        self.assertEqual(len(lines), SIDE + 2)
        for i in range(SIDE):
            self.assertEqual(len(lines[i]), 2 * SIDE)
            for k in range(SIDE):
                ink = " " if image[i * SIDE + k] == 0 else "@" if image[i * SIDE + k] == 255 \
                    else "+"
                self.assertEqual(lines[i][2 * k:2 * k + 2], 2 * ink)
        result = run("--show", "--json", self.model, file)
        self.assertEqual(len(json.loads(result.stdout)), 1)
        self.assertEqual(result.stderr.decode().split("\n")[:SIDE], lines[:SIDE])

    def test_json_can_represent_any_file_name(self):
        for name, expected in [(b'quote"\\.pgm', 'quote"\\.pgm'), (b"line\n\x01", "line\n\x01"),
                               ("h\u00f8y\U0001f600".encode(), "h\u00f8y\U0001f600"),
                               (b"bad\xff\xc0\x80\xed\xa0\x80", "bad" + 6 * "\ufffd")]:
            with self.subTest(name=name):
                answer, = self.answers(self.write(name, p5(noise(1), SIDE)))
                self.assertTrue(answer["file"].endswith("/" + expected), answer["file"])

    def test_help_and_version(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for option in (b"--show", b"--json", b"--help", b"--version"):
            self.assertEqual(len(re.findall(rb"^  (?:-h, )?%s\b" % option, result.stdout, re.M)), 1)
        self.assertRegex(run("--version").stdout, rb"\Amnist-predict \d+\.\d+\.\d+\n\Z")

    def test_invalid_usage_exits_with_2(self):
        for words in [[], [self.model], ["--json"], ["--json", self.model], ["--unknown"],
                      ["--json=1", self.model, self.model], ["-x", self.model, self.model]]:
            with self.subTest(words):
                self.assert_fails(run(*words), status=2)

    def test_errors_in_files_are_reported_with_their_names(self):
        header = b"P5 28 28 255\n"
        cases = {
            b"": "0 bytes",
            b"P5 28 28": "ends before the maximum",
            b"P5 0 28 255 ": "width is 0, expected 1 to 65535",
            header + bytes(783): "783",
            header + bytes(785): "1 byte",
            b"RIFF\x10\0\0\0WEBPVP8 " + bytes(20): "a WebP picture; convert it with: dwebp",
            struct.pack(">4I", 0x803, 2, SIDE, SIDE) + bytes(784): "has 800 bytes, expected 1584",
            gzip.compress(idx([noise(1)]))[:-3]: "bad",
        }
        for content, part in cases.items():
            with self.subTest(part):
                file = self.write("bad", content)
                self.assert_fails(run(self.model, file), file, part)
        self.assert_fails(run(self.model, self.folder / "none"), "none: No such file")
        self.assert_fails(run(self.model, self.folder), "Is a directory")

    def test_a_gzip_file_with_a_large_ratio_needs_a_limit(self):
        content = struct.pack(">4I", 0x803, 981 << 10, 32, 32) + bytes(981 << 20)
        bomb = self.write("bomb", gzip.compress(content, 9))
        self.assertLess(os.path.getsize(bomb), 1 << 20)
        result = run(self.model, bomb)
        self.assert_fails(result, bomb, "expected at most 100 times")
        content = idx([[0] * SIDE * SIDE] * 99 + [noise(1)])
        small = self.write("ratio", gzip.compress(content))
        result = run(self.model, small, "--threads", "1")
        self.assert_fails(result, small, "; --limit can allow more")
        result = run(self.model, small, "--limit", str(len(content) - 1))
        self.assert_fails(result, small, f"expected at most {len(content) - 1}")
        result = run("--csv", self.model, small, "--limit", str(len(content)))
        self.assertIn(os.fsencode(small) + b",99,", result.stdout)

    def test_a_bad_file_does_not_stop_the_others(self):
        good = self.write("good.pgm", p5(noise(6), SIDE))
        result = run("--json", self.model, good, self.folder / "none", good)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(json.loads(result.stdout)), 3)
        self.assertEqual(result.stderr.count(b"\n"), 1)

    def test_errors_in_models_are_reported_with_their_names(self):
        image = self.write("a.pgm", p5(noise(1), SIDE))
        whole = safetensors(self.tensors)
        missing = dict(self.tensors)
        del missing["fc.weight"]
        huge = {**self.tensors, "lstm.weight_hh_l0": ([240000, 60000], [0.0])}
        cases = {
            "empty": (b"", "bad.safetensors"),
            "truncated": (whole[:-4], "bad.safetensors"),
            "trailing": (whole + b"1234", "bad.safetensors"),
            "text": (b"no model at all", "bad.safetensors"),
            "missing": (safetensors(missing), "has 0 linear layers with 6 inputs"),
            "inputs": (safetensors(network(6, 2, inputs=27)), "[24, 27]"),
            "huge": (safetensors(huge), "lstm.weight_hh_l0"),
        }
        for name, (content, part) in cases.items():
            with self.subTest(name):
                self.assert_fails(run(self.write("bad.safetensors", content), image),
                                  "bad.safetensors", part)
        self.assert_fails(run(self.folder / "none", image), "none")
        self.assert_fails(run(image, image), "a.pgm")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        image = self.write("a.pgm", p5(noise(1), SIDE))
        with open("/dev/full", "wb") as full:
            for words in [["--help"], ["--version"], [self.model, image]]:
                result = subprocess.run([PROGRAM, *words], stdout=full, timeout=500,
                                        stderr=subprocess.PIPE)
                self.assertEqual(result.returncode, 1)
                self.assertIn(b"standard output: No space left", result.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
