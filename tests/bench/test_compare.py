#!/usr/bin/env python3
"""Tests compare.py with contenders that are made up."""
import contextlib
import io
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import compare

# Answers like lstm-bench; fails with --bf16 like a build that does not have it.
BENCH = """#!/bin/sh
case " $* " in *" --bf16 "*) echo 'no bf16' >&2; exit 3 ;; esac
echo '{"results": [{"median_ms": 2, "cpu_ms": 1, "peak_gflops": 100, "flop": 1e6}]}'
"""


class Fixed:
    """A contender with given times and peaks, or one that fails in a round."""

    def __init__(self, name, times, peaks=None, fails=None):
        self.name, self.times, self.peaks, self.fails = name, times, peaks, fails
        self.calls = 0

    def run(self, work, shape, threads, seconds):
        call = self.calls
        self.calls += 1
        if call == self.fails:
            raise compare.Failure("exit status 1: no such instruction")
        peak = {"peak_gflops": self.peaks[call], "flop": 1e6} if self.peaks else {}
        return {"cpu_ms": self.times[call], "median_ms": self.times[call], **peak}


def measure(*runners, rounds=5):
    """The contenders that are left, the median of each, and what is printed."""
    left, text = list(runners), io.StringIO()
    with contextlib.redirect_stderr(text):
        results = compare.measure(left, "stream", (1, 1, 1, 8, 1), 1, rounds, 0.1)
    return left, [compare.summary(results[runner], 1)["median_ms"] for runner in left
                  ], text.getvalue()


class Compare(unittest.TestCase):
    def test_a_contender_that_fails_is_named_and_left_out(self):
        first = Fixed("first", [1] * 5)
        bad = Fixed("bad", [1] * 5, fails=2)
        last = Fixed("last", [4] * 5)
        left, medians, text = measure(first, bad, last)
        self.assertEqual(left, [first, last])
        self.assertEqual(medians, [1, 4])
        self.assertEqual(bad.calls, 3)
        self.assertIn("bad fails", text)
        self.assertIn("no such instruction", text)

    def test_rounds_with_a_lower_peak_do_not_count(self):
        ours = Fixed("ours", [1, 9, 1, 9, 2], [100, 60, 99, 70, 95])
        other = Fixed("other", [3, 8, 3, 8, 3])
        _, medians, text = measure(ours, other)
        self.assertEqual(medians, [1, 3])
        self.assertIn("60 to 100 GFLOP/s, 3 of 5 rounds are calm", text)

    def test_all_rounds_count_if_few_are_calm(self):
        ours = Fixed("ours", [1, 9, 9], [100, 60, 70])
        _, medians, text = measure(ours, rounds=3)
        self.assertEqual(medians, [9])
        self.assertIn("too few", text)

    def compare(self, what, library):
        """The result of a comparison with a library in an empty folder."""
        with tempfile.TemporaryDirectory() as folder:
            bench = Path(folder) / "build/tests/bench/lstm-bench"
            bench.parent.mkdir(parents=True)
            bench.write_text(BENCH)
            bench.chmod(0o755)
            done = subprocess.run(
                [sys.executable, compare.__file__, "--what", what, "--threads", "1",
                 "--rounds", "1", "--seconds", "0.01", "--build", Path(folder) / "build",
                 library, folder], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_library_that_cannot_be_compiled_is_named(self):
        done = self.compare("streaming", "--onednn")
        self.assertRegex(done.stderr, "oneDNN, .* does not compile: .*(dnnl.hpp|oneDNN 3)")
        done = self.compare("small", "--rtneural")
        self.assertEqual(done.stdout.count("liblstm  "), 14)
        for engine in "Eigen", "xsimd", "STL":
            self.assertRegex(done.stderr, f"RTNeural, {engine} does not compile: .*RTNeural")

    def test_the_reason_of_a_program_is_its_last_line(self):
        with self.assertRaisesRegex(compare.Failure, "^exit status 3: no bf16$"):
            compare.measured(["sh", "-c", BENCH, "sh", "--bf16"])
        with self.assertRaisesRegex(compare.Failure, "^ended by SIGILL$"):
            compare.measured(["sh", "-c", "kill -ILL $$"])


if __name__ == "__main__":
    unittest.main()
