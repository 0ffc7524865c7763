"""What programs refuse or say instead of doing something else without a word.

usage: test_refusals.py FOLDER_OF_PROGRAMS
"""
import json
import math
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402

FOLDER = None
SMALL = ["--synthetic=100", "--batch-size", "50", "--hidden", "4", "--layers", "1", "--seed",
         "7", "--threads", "1", "--eval", "none"]
TEXT = b"abcab " * 60


def change(path, edit):
    """Rewrites a file without checksums: edit takes the tensors, pairs of a shape and bytes,
    and the metadata."""
    tensors, metadata = models.decode(path.read_bytes())
    metadata = {key: text for key, text in metadata.items()
                if not key.startswith("lstm.c")}
    edit(tensors, metadata)
    header, data = {"__metadata__": metadata}, b""
    for name, (shape, values) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def put(value, name):
    """An edit of change(): the last number of a tensor gets a value."""
    def edit(tensors, _):
        shape, data = tensors[name]
        tensors[name] = shape, data[:-4] + struct.pack("<f", value)
    return edit


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_program(self, program, *words, status=0, text=b"", **options):
        environment = {key: value for key, value in os.environ.items()
                       if key != "MNIST_DIR"} | {"XDG_CACHE_HOME": str(self.folder)}
        done = subprocess.run([FOLDER / program, *map(str, words)], input=text,
                              capture_output=True, timeout=500, cwd=self.folder,
                              env=environment, **options)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def refuse(self, message, program, *words, status=1, **options):
        """The program fails with a line that has the message, and changes no file."""
        before = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        done = self.run_program(program, *words, status=status, **options)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr.splitlines()[-1], message)
        after = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        self.assertEqual(after, before)

    def train(self, *words, **options):
        return self.run_program("mnist-train", *SMALL, *words, **options)

    def model(self, name="model", inputs=1, hidden=3, outputs=1, seed=1, **metadata):
        tensors = models.lstm(random.Random(seed), inputs, hidden, outputs)
        return models.write(self.folder / name, tensors,
                            {key.replace("__", "."): text for key, text in metadata.items()})

    def picture(self, name="one.pgm"):
        rows = [[255 if 13 <= x <= 14 and 4 <= y <= 23 else 0 for x in range(28)]
                for y in range(28)]
        path = self.folder / name
        path.write_bytes(b"P5 28 28 255\n" + bytes(value for row in rows for value in row))
        return path


class States(Base):
    def test_states_of_another_model_are_refused(self):
        self.model("a")
        self.run_program("stream", "--save-state", "s", "a", text=b"1\n2\n")
        own = models.decode((self.folder / "s").read_bytes())[1]["stream.model"]
        self.assertRegex(own, r"\A[0-9a-f]{16}\Z")
        self.assertEqual(self.run_program("stream", "--state", "s", "a", text=b"1\n").stderr
                         .count("\n"), 1)
        message = rf"s: has states of the model {own}, expected those of \S*, the model "
        self.model("b", seed=2)
        self.refuse(message, "stream", "--state", "s", "b", text=b"1\n")
        self.model("b", scale="0 2")
        self.refuse(message, "stream", "--state", "s", "b", text=b"1\n")
        self.model("b", note="the same model")
        self.run_program("stream", "--state", "s", "b", text=b"1\n")

    def test_states_without_a_model_are_accepted_with_a_note(self):
        self.model("a")
        models.write(self.folder / "s", {"lstm.h0": [[0.1] * 3], "lstm.c0": [[0.2] * 3]})
        done = self.run_program("stream", "--state", "s", "--quiet", "a", text=b"1\n")
        self.assertRegex(done.stderr, r"\As: has no metadata stream\.model, so it is not known "
                                      r"whether these are states of a\n\Z")

    def test_states_that_are_not_finite_are_refused(self):
        self.model("a")
        self.run_program("stream", "--save-state", "s", "a", text=b"1\n2\n")
        before = (self.folder / "s").read_bytes()
        for name in ("lstm.h0", "lstm.c0"):
            (self.folder / "s").write_bytes(before)
            change(self.folder / "s", put(math.nan, name))
            self.refuse(f"s: {name} has the value -?nan, expected finite", "stream", "--state",
                        "s", "a", text=b"1\n")
        tensors = models.lstm(random.Random(1), 1, 3) | {"lstm.c0": [[0.0, 0.0, math.inf]]}
        models.write(self.folder / "a", tensors)
        self.refuse("a: lstm.c0 has the value inf", "stream", "a", text=b"1\n")


class Names(Base):
    def test_links_to_nothing_are_named(self):
        os.symlink("gone/file", self.folder / "link")
        (self.folder / "text").write_bytes(TEXT)
        self.picture()
        says = "link: .*a symbolic link to 'gone/file', which does not exist"
        self.model("m", 28, 3, 10)
        for words in (["stream", "link"], ["stream", "--state", "link", "m"],
                      ["charlm", "link"], ["charlm", "--load", "link"],
                      ["charlm", "--resume", "link", "text"], ["mnist-predict", "link", "one.pgm"],
                      ["mnist-train", "--resume", "link"], ["mnist-train", "--data", "link"]):
            with self.subTest(words):
                self.refuse(says, *words)
        for words in (["stream", "--save-state", "link", "m"], ["charlm", "--save", "link", "text"],
                      ["mnist-train", *SMALL, "--save", "link"]):
            with self.subTest(words):
                self.refuse("link: .*a symbolic link to 'gone/file', whose folder does not exist",
                            *words)
        done = self.run_program("mnist-predict", "m", "link", status=1)
        self.assertRegex(done.stderr, says)

    def test_what_may_not_be_written_is_named(self):
        (self.folder / "text").write_bytes(TEXT)
        self.run_program("charlm", "--hidden", "4", "--save", "m", "text", "1")
        (self.folder / "m").chmod(0o444)
        for words in (["charlm", "--hidden", "4", "--force", "--save", "m", "text", "1"],
                      ["mnist-train", *SMALL, "--force", "--save", "m"]):
            self.refuse(r"m: .*write-protected \(mode 444\)", *words)

    @unittest.skipIf(os.geteuid(), "only root can become somebody else")
    def test_a_folder_that_may_not_be_written_is_named(self):
        def become_nobody():
            os.setgid(65534)
            os.setuid(65534)

        (self.folder / "text").write_bytes(TEXT)
        self.folder.chmod(0o755)
        try:
            subprocess.run([FOLDER / "charlm", "--version"], preexec_fn=become_nobody,
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            self.skipTest("nobody cannot run the programs")
        for words in (["charlm", "--hidden", "4", "--save", "m", "text", "1"],
                      ["mnist-train", *SMALL, "--save", "m"],
                      ["mnist-train", *SMALL, "--no-save", "--log", "m"]):
            self.refuse("m: .*no permission to write in its folder", *words,
                        preexec_fn=become_nobody)


if __name__ == "__main__":
    FOLDER = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
