"""Names of files that would control a terminal, in what programs print.

usage: test_names.py FOLDER_OF_PROGRAMS
"""
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unicodedata
import unittest

FOLDER = None
# Titles and colours of terminals, in two encodings; an end of a line; directions of text; and
# bytes that are not UTF-8.
NAMES = [b"a\x1b]0;title\x07", b"b\x1b[31mred", b"c\xc2\x9b31mred", b"d\x9b31mred",
         b"e\nerror: not a line", b"f\x7f\x08\x08", "g\u202egnp.exe".encode(),
         "h\u2066i\u2069".encode(), b"i\xff\xfe\xc0\xaf", b"j\xe2\x80\xa8line"]
COMMANDS = [["mnist-train", "--epochs", "0", "--load"], ["mnist-train", "--data"],
            ["mnist-train", "--resume"], ["mnist-predict", "none"], ["mnist-predict"],
            ["lstm-embed"], ["lstm-amp", "play"], ["stream"], ["charlm"], ["charlm", "--load"]]
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def controls(text):
    return [c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp") or
            unicodedata.bidirectional(c) in DIRECTIONS]


class Names(unittest.TestCase):
    def test_messages_are_lines_that_a_terminal_only_prints(self):
        for command in COMMANDS:
            for name in NAMES:
                path = b"/absent/" + name
                words = [*command, path]
                if command[:2] in (["mnist-predict"], ["charlm", "--load"], ["lstm-amp", "play"]):
                    words += ["none", "1"]
                with self.subTest(command=command, name=name):
                    result = subprocess.run([FOLDER / words[0], *words[1:]],
                                            stdin=subprocess.DEVNULL, capture_output=True)
                    self.assertIn(result.returncode, (1, 2))
                    for line in result.stderr.decode().removesuffix("\n").split("\n"):
                        self.assertEqual(controls(line), [])
                        self.assertFalse(line.startswith("error: not a line"))

    def test_answers_on_a_terminal_are_lines_that_it_only_prints(self):
        with tempfile.TemporaryDirectory() as scratch:
            model = pathlib.Path(scratch, "model")
            subprocess.run([FOLDER / "mnist-train", "--synthetic=100", "--hidden=4",
                            "--layers=1", "--epochs=1", "--quiet", "--save", model], check=True)
            image = b"P5 28 28 255 " + bytes(28 * 9) + (bytes(12) + b"\xff" * 4 + bytes(12)) * 10
            for name in NAMES:
                path = os.fsencode(scratch) + b"/" + name
                with open(path, "wb") as file:
                    file.write(image + bytes(28 * 9))
                control, terminal = pty.openpty()
                with self.subTest(name=name):
                    subprocess.run([FOLDER / "mnist-predict", model, path], check=True,
                                   stdin=subprocess.DEVNULL, stdout=terminal)
                    text = os.read(control, 1 << 16).decode().removesuffix("\r\n")
                    self.assertEqual(controls(text), [])
                    piped = subprocess.run([FOLDER / "mnist-predict", model, path], check=True,
                                           stdin=subprocess.DEVNULL, capture_output=True)
                    self.assertTrue(piped.stdout.startswith(path + b": "))
                os.close(control)
                os.close(terminal)


if __name__ == "__main__":
    FOLDER = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
