"""Tests charlm as a program. Losses and text are compared with a network in Python.

usage: test_charlm.py CHARLM
"""
import array
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402

CHARLM = None
FOX = "the quick brown fox jumps over the lazy dog\n"
# Two, three and four bytes for a character.
WORLD = "Zoë naïve – ärgerlich 日本語の文字 😀🎉 déjà vu\n"
EPOCH = re.compile(r"^Epoch \[(\d+)/(\d+)\], Bits per (\w+): ([\d.]+)(?:, held out: "
                   r"([\d.]+))?$", re.M)


def run(*words):
    words = [word if isinstance(word, bytes) else str(word) for word in words]
    done = subprocess.run([CHARLM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=500)
    done.error = done.stderr.decode()
    return done


def generated(done):
    """What comes after the epochs."""
    return re.sub(rb"\A(Epoch .*\n)*", b"", done.stdout)


class Network:
    """The network of a file, in double precision."""

    def __init__(self, path):
        found, self.metadata = models.decode(path.read_bytes())
        self.tensors = {name: self.rows(*each) for name, each in found.items()}
        self.hidden = len(self.tensors["lstm.weight_hh_l0"][0])
        self.start()

    @staticmethod
    def rows(shape, data):
        values = array.array("f", data).tolist()
        if len(shape) == 1:
            return values
        return [values[i:i + shape[1]] for i in range(0, len(values), shape[1])]

    def start(self):
        self.h, self.c = [0.0] * self.hidden, [0.0] * self.hidden

    def scores(self, byte):
        x = self.tensors["embedding.weight"][byte]
        self.h, self.c = models.step(self.tensors, "lstm", x, self.h, self.c)
        return models.head(self.tensors, self.h)

    def bits(self, text):
        """Mean bits per byte of a text after its first byte."""
        self.start()
        nats = 0.0
        for byte, following in zip(text, text[1:]):
            scores = self.scores(byte)
            nats += math.log(sum(map(math.exp, scores))) - scores[following]
        return nats / (len(text) - 1) / math.log(2)


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def text(self, content, name="text.txt"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def train(self, *words):
        done = run("--hidden", 16, *words)
        self.assertEqual(done.returncode, 0, done.error)
        return done

    def refuse(self, status, message, *words):
        done = run(*words)
        self.assertEqual((done.returncode, done.stdout), (status, b""), done.error)
        self.assertRegex(done.error, message)
        self.assertEqual(done.error.count("\n"), 1)


class Training(Base):
    def test_a_text_is_learnt(self):
        done = run(self.text(FOX * 400), 6, "the ")
        self.assertEqual(done.returncode, 0, done.error)
        found = EPOCH.findall(done.stdout.decode())
        self.assertEqual([(each[:3]) for each in found],
                         [(str(i), "6", "character") for i in range(1, 7)])
        self.assertLess(float(found[-1][3]), 0.3)
        self.assertLess(float(found[-1][4]), 0.3)
        self.assertIn(FOX.encode(), done.stdout)
        self.assertEqual(len(generated(done)), len("the ") + 200 + 1)

    def test_losses_are_those_of_the_network_in_python(self):
        """The held-out part is one section, so Python needs no batch."""
        model = self.folder / "model"
        for content in (FOX * 9, WORLD * 5, FOX.encode() * 9 + b"\xff"):
            text = self.text(content)
            done = self.train("--save", model, "--force", text, 2)
            data = text.read_bytes()
            rest = data[len(data) - int(len(data) * 0.1):]
            network = Network(model)
            unit, expected = "byte", network.bits(rest)
            if b"\xff" not in data:
                unit = "character"
                begun = sum(byte & 0xc0 != 0x80 for byte in rest)
                expected *= len(rest) / begun
            found = EPOCH.findall(done.stdout.decode(errors="replace"))[-1]
            self.assertEqual(found[2], unit)
            self.assertAlmostEqual(float(found[4]), expected, delta=6e-4)
            self.assertEqual(network.metadata["charlm.epochs"], "2")

    def test_the_most_probable_text_is_that_of_python(self):
        model = self.folder / "model"
        done = self.train("--save", model, "--temperature", 0, "--length", 30,
                          self.text(WORLD * 40), 3, "Zo")
        network, expected = Network(model), b""
        prompt, byte, occurs = b"Zo", 0, set(WORLD.encode())
        for i in range(60):
            byte = prompt[i] if i < len(prompt) else byte
            expected += bytes([byte])
            scores = network.scores(byte)
            allowed = [each for each in sorted(occurs)
                       if self.begins(expected + bytes([each]))]
            byte = max(allowed, key=scores.__getitem__)
        characters = expected.decode(errors="ignore")[:32]
        self.assertEqual(generated(done).decode(), characters + "\n")

    @staticmethod
    def begins(data):
        """Whether data is the beginning of valid UTF-8, as Python's decoder sees it."""
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return error.reason == "unexpected end of data"
        return True

    def test_small_texts(self):
        for content, bits in (("ab", None), ("é", None), ("a" * 50000, 0.05),
                              ("one line of text", None), ("\n\n", None),
                              (FOX * 2, None), (b"\0" * 40, None), (b"\xff\xfe", None)):
            done = self.train(self.text(content), 4)
            found = EPOCH.findall(done.stdout.decode(errors="replace"))
            self.assertEqual(len(found), 4)
            if bits:
                self.assertLess(float(found[-1][3]), bits)
        for content, size in (("", 0), ("x", 1)):
            self.refuse(1, f"text.txt: has {size} bytes, expected at least 2",
                        self.text(content))

    def test_every_byte_of_a_section_is_used(self):
        """The last chunk of a section is shorter than the others."""
        same = self.train("--held-out", 0, self.text("a" * 40 + "b")).stdout
        other = self.train("--held-out", 0, self.text("a" * 40 + "c")).stdout
        self.assertNotEqual(same, other)

    def test_the_held_out_share_is_not_trained_on(self):
        first, second = self.folder / "first", self.folder / "second"
        self.train("--save", first, self.text(FOX * 9 + "x" * 44))
        self.train("--save", second, self.text(FOX * 9 + "y" * 44))
        for name, rows in Network(first).tensors.items():
            self.assertEqual(rows, Network(second).tensors[name], name)


class Saving(Base):
    def test_a_resumed_run_has_the_bits_of_one_run(self):
        text, parts, whole = self.text(FOX * 60), self.folder / "a", self.folder / "b"
        first = self.train("--save", parts, "--threads", 1, text, 2)
        second = run("--resume", parts, "--save", parts, "--threads", 2, text, 5)
        once = self.train("--save", whole, text, 5)
        lines = first.stdout.splitlines()[:2], second.stdout.splitlines()
        together = b"\n".join([line.replace(b"/2]", b"/5]") for line in lines[0]] + lines[1])
        self.assertEqual(together + b"\n", once.stdout)
        self.assertEqual(parts.read_bytes(), whole.read_bytes())
        before = parts.stat()
        done = run("--resume", parts, "--save", parts, text, 5)
        self.assertEqual(done.stdout, generated(once))
        self.assertEqual(parts.stat().st_mtime_ns, before.st_mtime_ns)
        self.assertIn("has 5 epochs already: nothing is left to train", done.error)
        self.refuse(1, "EPOCHS is 4, expected at least 5", "--resume", parts, text, 4)
        self.refuse(1, "is the model of another text", "--resume", parts,
                    self.text(FOX * 60 + "x"), 9)

    def test_a_loaded_model_generates_the_same_text(self):
        model = self.folder / "model"
        trained = self.train("--save", model, "--seed", 7, self.text(FOX * 30), 2, "fox ")
        loaded = run("--load", model, "--seed", 7, "fox ")
        self.assertEqual((loaded.returncode, loaded.stdout), (0, generated(trained)))
        self.assertNotEqual(run("--load", model, "--seed", 8, "fox ").stdout, loaded.stdout)
        short = run("--load", model, "--seed", 7, "--length", 5, "fox ").stdout
        self.assertEqual(short, loaded.stdout[:9] + b"\n")
        self.assertEqual(run("--load", model, "--length", 0, "x").stdout, b"x\n")
        self.assertIn("the prompt has bytes that the text", run("--load", model, "X").error)
        self.assertIn("is the prompt, though a file has this name",
                      run("--load", model, model).error)

    def test_a_file_is_replaced_only_if_asked(self):
        text, model = self.text(FOX * 9), self.text("mine", "model")
        self.refuse(1, "model: the file exists; --force replaces it", "--save", model, text)
        self.assertEqual(model.read_text(), "mine")
        self.train("--force", "--save", model, text, 1)
        self.refuse(1, "none/m: No such file", "--save", self.folder / "none/m", text)
        self.refuse(1, "text.txt: is the text", "--save", text, "--force", text)

    def test_foreign_and_damaged_files_are_refused(self):
        text, model = self.text(FOX * 9), self.folder / "model"
        self.train("--save", model, text, 1)
        tensors, metadata = models.decode(model.read_bytes())
        tensors = {name: Network.rows(*each) for name, each in tensors.items()}
        own = {key: value for key, value in metadata.items() if "c32" not in key
               and key != "lstm.checksum"}
        for key in ("epochs", "size", "hash", "held_out", "encoding", "bytes"):
            for value in (None, "1x", "-1", "f" * 63):
                changed = {**own, f"charlm.{key}": value}
                if value is None:
                    del changed[f"charlm.{key}"]
                models.write(model, tensors, changed)
                self.refuse(1, f"model: metadata charlm.{key} is", "--load", model)
        self.refuse(1, "model: metadata charlm.bytes is", "--resume", model, text)
        for key in ("scale", "model.output", "model.foo", "model.activation", "model.read"):
            models.write(model, tensors, own | {key: "softmax"})
            self.refuse(1, f"model: metadata .*{key}", "--load", model)
            self.refuse(1, f"model: metadata .*{key}", "--resume", model, text)
        models.write(model, tensors | {"lstm.c0": [[0.5]]}, own)
        self.refuse(1, "model: has first states, lstm.c0, expected none", "--load", model)
        models.write(model, tensors | {"more": [0.5]}, own)
        self.refuse(1, "model: has the tensor more, which is not of the network", "--load",
                    model)
        layer = dict(tensors)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            layer[f"lstm.{name}_l0_reverse"] = tensors[f"lstm.{name}_l0"]
        models.write(model, layer, {key: value for key, value in own.items()
                                    if not key.startswith("lstm.layer")})
        self.refuse(1, "the LSTM has other options than those of charlm", "--load", model)
        models.write(model, {"x": [1.0]}, own)
        self.refuse(1, "lstm", "--load", model)
        self.refuse(1, "none: No such file", "--load", self.folder / "none")


class Encoding(Base):
    def test_the_output_is_valid_utf8(self):
        """At a high temperature every byte that may follow is drawn."""
        model = self.folder / "model"
        self.train("--save", model, self.text(WORLD * 20), 1)
        for seed in range(4):
            for prompt in ("", "Zoë", "日本語".encode()[:4], "😀".encode()[:3], b"\xf4"):
                done = run("--load", model, "--seed", seed, "--temperature", 100,
                           "--length", 300, prompt)
                self.assertEqual(done.returncode, 0, done.error)
                self.assertTrue(done.stdout.startswith(prompt if isinstance(prompt, bytes)
                                                       else prompt.encode()))
                text = done.stdout.decode()
                begun = prompt.decode(errors="ignore") if isinstance(
                    prompt, bytes) else prompt or "\n"
                self.assertEqual(len(text), len(begun) + 300 + 1)
        for prompt in (b"a\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5", b"\xe6\x97x"):
            self.refuse(1, "PROMPT is not valid UTF-8 at byte [012]; --bytes accepts it",
                        "--load", model, prompt)
            self.assertEqual(run("--load", model, "--bytes", prompt).returncode, 0)
        done = run("--load", model, "--bytes", "--temperature", 100, "--length", 300, "Z")
        self.assertEqual(len(done.stdout), 302)
        self.assertRaises(UnicodeDecodeError, done.stdout.decode)

    def test_other_encodings_are_bytes(self):
        latin = WORLD.encode("latin-1", "ignore") * 30
        for content in (latin, FOX.encode() * 9 + b"\xe6\x97", b"\xed\xa0\x80" * 40,
                        random.Random(1).randbytes(2000)):
            done = self.train("--temperature", 100, self.text(content), 1, b"\xff")
            self.assertIn("the text is not valid UTF-8: the output is bytes", done.error)
            self.assertIn(b"Bits per byte", done.stdout)
            self.assertEqual(len(generated(done)), 202)
            self.assertLessEqual(set(generated(done)), {255, 10, *content})


class Usage(Base):
    def test_arguments(self):
        text = self.text(FOX * 9)
        for epochs in ("0", "-1", "1x", "", "1e3", "1000001", "99999999999999999999", " 1"):
            self.refuse(2, f"EPOCHS is '{epochs}', expected an integer from 1 to 1000000",
                        "--", text, epochs)
        for words, message in (
                ([], "expected 1 to 3 arguments"), ([text, 1, "a", "b"], "expected 1 to 3"),
                (["--load", text, "--save", "x"], "--load cannot be combined"),
                (["--load", text, "--resume", text], "--load cannot be combined"),
                (["--resume", text, "--hidden", 3, text], "cannot be combined"),
                (["--load", text, "a", "b"], "one argument"),
                (["--save", "-", text], "--save is '-', expected the name of a file"),
                (["--temperature", "-1", text], "--temperature is '-1'"),
                (["--temperature", "nan", text], "--temperature is 'nan'"),
                (["--held-out", "0.6", text], "--held-out is '0.6'"),
                (["--length", "1.5", text], "--length is '1.5'"),
                (["--epochs", "3", text], "unknown option '--epochs'")):
            self.refuse(2, message, *words)
        self.assertIn(b"--resume FILE", run("-h").stdout)
        self.refuse(1, "none: No such file", self.folder / "none")
        self.refuse(1, "Is a directory", self.folder)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        text, model = self.text(FOX * 9), self.folder / "model"
        self.train("--save", model, text, 1)
        for words in ((text, 1), ("--load", model), ("--load", model, "--length", 100000)):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([CHARLM, *map(str, words)], stdout=full,
                                      stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr,
                             b"charlm: standard output: No space left on device\n")


if __name__ == "__main__":
    CHARLM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
