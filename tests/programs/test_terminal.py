"""The progress line of mnist-train on a terminal: its width, and where there is none.

usage: test_terminal.py PROGRAM
"""
import fcntl
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
import unittest

PROGRAM = None
# An epoch takes seconds, in which the line stays.
OPTIONS = ["--synthetic=6000", "--batch-size", "1", "--no-save", "--seed", "1",
           "--epochs", "100", "--log-every", "100000", "--threads", "1"]


def cells(text):
    """Columns that a text takes, by Python's tables."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def resize(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class Terminal(unittest.TestCase):
    def run_for(self, seconds, columns, *options, later=None, usual=OPTIONS, **environment):
        """Runs on a terminal; returns what it wrote there before and after a resize."""
        control, terminal = pty.openpty()
        resize(terminal, columns)
        kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "TERM", "MNIST_DIR")}
        process = subprocess.Popen(
            [PROGRAM, *usual, *options], stdout=subprocess.DEVNULL, stderr=terminal,
            stdin=subprocess.DEVNULL, env={**kept, "TERM": "xterm", **environment})
        self.addCleanup(process.kill)
        os.set_blocking(control, False)
        written = []
        for width in (None, later)[:1 if later is None else 2]:
            if width:
                resize(terminal, width)
            data, end = b"", None
            # The time counts from the first output: a busy machine begins late.
            latest = time.monotonic() + (0 if "--quiet" in options else 60)
            while end is None or time.monotonic() < end:
                time.sleep(0.05)
                try:
                    data += os.read(control, 1 << 16)
                except BlockingIOError:
                    pass
                if end is None and (data or time.monotonic() >= latest):
                    end = time.monotonic() + seconds
            written.append(data.decode())
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        os.close(terminal)
        os.close(control)
        return written

    @staticmethod
    def drawn(text):
        """The progress lines in an output."""
        return [line for line in re.findall(r"\r([^\r\n\033]+)\033\[K", text)]

    def test_the_line_fits_and_has_the_step_at_every_width(self):
        for columns in 12, 20, 30, 40, 60, 80, 200:
            text, = self.run_for(1.5, columns)
            lines = self.drawn(text)
            self.assertGreater(len(lines), 1, text)
            for line in lines:
                self.assertLess(cells(line), columns)
                self.assertRegex(line, r"^(epoch )?\d+/")
                if columns >= 30:
                    self.assertRegex(line, r"\d+/100 +(step )?\d+/6000 .*\d+\.\d+.* \d+:\d\d")
            self.assertEqual("samples/s" in lines[-1], columns >= 80)

    def test_the_line_follows_the_width_of_the_terminal(self):
        before, after = self.run_for(1.5, 100, later=30)
        longest = max(map(len, self.drawn(before)))
        self.assertGreater(longest, 60)
        first, *others = self.drawn(after)[:5]
        self.assertTrue(others)
        for line in others:
            self.assertLess(cells(line), 30)
        # The rows that the old line has taken since are cleared.
        self.assertIn("\033[A\033[A\033[J", before + after)
        self.assertTrue(self.run_for(1.5, 20, later=120)[1].count("samples/s"))

    def test_wide_names_are_cut(self):
        """The name of a folder in which another process downloads."""
        with tempfile.TemporaryDirectory(prefix="terminal-") as folder:
            cache = pathlib.Path(folder, "\u6f22\u5b57e\u0301\U0001f600" * 9, "mnist")
            cache.mkdir(parents=True)
            with open(cache / ".lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                text, = self.run_for(4, 40, usual=["--no-save"],
                                     XDG_CACHE_HOME=str(cache.parent))
        lines = [line for line in self.drawn(text) if line.startswith("waiting for ")]
        if "built without libcurl" in text:
            self.skipTest("built without download")
        self.assertTrue(lines, text)
        for line in lines:
            self.assertLess(cells(line), 40)
            self.assertGreater(cells(line), 36)

    def test_columns_is_the_width_of_a_terminal_without_one(self):
        text, = self.run_for(1.5, 0, COLUMNS="25")
        self.assertLess(max(map(cells, self.drawn(text))), 25)
        for columns in "", "x", "0", "-3", "99999999999999999999":
            text, = self.run_for(0.8, 0, COLUMNS=columns)
            self.assertIn("samples/s", text)

    def test_there_is_no_line_where_it_is_not_wanted(self):
        for options, environment in ((["--quiet"], {}), (["--no-progress"], {}),
                                     ([], {"TERM": "dumb"}), ([], {"TERM": ""})):
            text, = self.run_for(0.8, 80, *options, **environment)
            self.assertNotIn("\033", text)
            self.assertEqual(self.drawn(text), [])
            self.assertEqual(text == "", "--quiet" in options)

    def test_there_are_no_colours(self):
        for environment in {}, {"NO_COLOR": "1"}:
            text, = self.run_for(0.8, 80, **environment)
            self.assertEqual(re.findall(r"\033\[[\d;]*m", text), [])


if __name__ == "__main__":
    # A shell starts programs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
