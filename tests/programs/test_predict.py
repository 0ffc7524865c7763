"""Tests mnist-predict as a program: pictures, predictions, invalid usage, damaged files.

Predictions are compared with a double-precision network in plain Python.

usage: test_predict.py PROGRAM
"""
import gzip
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


def probabilities(tensors, image):
    """Class probabilities of an image, [28, 28] bytes."""
    steps = [[(v / 255 - 0.1307) / 0.3081 for v in image[i * SIDE:(i + 1) * SIDE]]
             for i in range(SIDE)]
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
    draw = random.Random(seed)
    return [draw.randrange(256) if 3 < i // SIDE < 24 and 3 < i % SIDE < 24 else 0
            for i in range(SIDE * SIDE)]


class Predict(unittest.TestCase):
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

    def test_dark_on_light_is_inverted_and_reported(self):
        image = noise(5)
        file = self.write("a.pgm", p5([255 - v for v in image], SIDE))
        answer, = self.answers(file, stderr=file + b": inverted (dark on light)\n")
        self.assert_answer(answer, probabilities(self.tensors, image))
        file = self.write("b", idx([image, [255 - v for v in image]]))
        for answer in self.answers(
                file, stderr=file + b": inverted 1 of 2 images (dark on light)\n"):
            self.assert_answer(answer, probabilities(self.tensors, image))

    def test_other_sizes_are_cropped_scaled_and_centred(self):
        image = frame()
        expected = probabilities(self.tensors, image)
        for factor, left, below in [(1, 30, 0), (3, 0, 7), (10, 100, 50)]:
            cols = SIDE * factor + left
            big = [image[i // factor * SIDE + k // factor] if k < SIDE * factor else 0
                   for i in range(SIDE * factor) for k in range(cols)] + [0] * below * cols
            with self.subTest(factor=factor):
                answer, = self.answers(self.write("big.pgm", p5(big, cols)))
                self.assert_answer(answer, expected)
                # A grey pen on grey paper: the background becomes 0, the pen 255.
                grey = [200 - v * 150 // 255 for v in big]
                file = self.write("grey.pgm", p5(grey, cols))
                answer, = self.answers(file, stderr=file + b": inverted (dark on light)\n")
                for got, want in zip(answer["probabilities"], expected, strict=True):
                    self.assertAlmostEqual(got, want, delta=5e-3)

    def test_specks_on_the_background_are_ignored(self):
        image = frame()
        cols = 100
        page = [8 * ((i * 7 + k * 3) % 5) for i in range(cols) for k in range(cols)]
        for i in range(SIDE):
            for k in range(SIDE):
                if image[i * SIDE + k]:
                    page[(i + 40) * cols + k + 10] = 255
        answer, = self.answers(self.write("page.pgm", p5(page, cols)))
        white = [255 if v else 0 for v in image]
        self.assert_answer(answer, probabilities(self.tensors, white))

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
            self.assertEqual(len(re.findall(rb"^  %s\b" % option, result.stdout, re.M)), 1)
        self.assertRegex(run("--version").stdout, rb"\Amnist-predict \d+\.\d+\.\d+\n\Z")

    def test_invalid_usage_exits_with_2(self):
        for words in [[], [self.model], ["--json"], ["--json", self.model], ["--unknown"],
                      ["--json=1", self.model, self.model], ["-x", self.model, self.model]]:
            with self.subTest(words):
                self.assert_fails(run(*words), status=2)

    def test_errors_in_files_are_reported_with_their_names(self):
        header = b"P5 28 28 255\n"
        cases = {
            b"": "has 0 bytes",
            b"P": "has 1 bytes",
            b"\x89PNG": "0x89 0x50",
            b"P6 1 1 255 abc": "expected it to begin with P2 or P5",
            b"P5": "ends before the width",
            b"P5 28": "ends before the height",
            b"P5 28 28": "ends before the maximum",
            b"P5 0 28 255 ": "width is 0, expected 1 to 65535",
            b"P5 28 65536 255 ": "height is at least 65536, expected 1 to 65535",
            b"P5 99999999999999999999 1 255 ": "width is at least",
            b"P5 28 28 0 ": "maximum is 0, expected 1 to 65535",
            b"P5 28 28 65536 ": "maximum is at least 65536",
            b"P5 -1 28 255 ": "0x2d",
            b"P5 2x 28 255 ": "0x78",
            header + bytes(783): "has 783 bytes of pixels, expected 784",
            header + bytes(785): "has 1 bytes after the last pixel",
            b"P5 65535 65535 255 ": "expected 4294836225 for 65535 by 65535",
            b"P5 2 1 300 " + b"\1\0\2\0": "pixel is 512, expected 0 to 300",
            b"P2 2 1 9 3": "bytes of pixels, expected at least 3",
            b"P2 2 1 9 3 12": "pixel is at least 12, expected 0 to 9",
            b"P2 2 1 9 3 x": "0x78",
            b"P5 2 2 255 " + bytes(4): "is blank",
            struct.pack(">4I", 0x803, 2, SIDE, SIDE) + bytes(784): "has 800 bytes, expected 1584",
            gzip.compress(idx([noise(1)]))[:-3]: "bad",
            struct.pack(">4I", 0x803, 1, 2, 2) + bytes(4): "image 0: is blank",
        }
        for content, part in cases.items():
            with self.subTest(part):
                file = self.write("bad", content)
                self.assert_fails(run(self.model, file), file, part)
        self.assert_fails(run(self.model, self.folder / "none"), "none: No such file")
        self.assert_fails(run(self.model, self.folder), "Is a directory")
        self.assert_fails(run(self.model, "-"), "standard input: has 0 bytes")

    def test_a_bad_file_does_not_stop_the_others(self):
        good = self.write("good.pgm", p5(noise(6), SIDE))
        result = run("--json", self.model, good, self.folder / "none", good)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(json.loads(result.stdout)), 2)
        self.assertEqual(result.stderr.count(b"\n"), 1)

    def test_errors_in_models_are_reported_with_their_names(self):
        image = self.write("a.pgm", p5(noise(1), SIDE))
        whole = safetensors(self.tensors)
        missing, surplus = dict(self.tensors), dict(self.tensors)
        del missing["fc.weight"]
        surplus["more"] = ([1], [0.0])
        huge = {**self.tensors, "lstm.weight_hh_l0": ([240000, 60000], [0.0])}
        cases = {
            "empty": (b"", "bad.safetensors"),
            "truncated": (whole[:-4], "bad.safetensors"),
            "trailing": (whole + b"1234", "bad.safetensors"),
            "text": (b"no model at all", "bad.safetensors"),
            "missing": (safetensors(missing), "fc.weight"),
            "surplus": (safetensors(surplus), "more"),
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
