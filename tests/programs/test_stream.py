"""Tests stream as a program. The outputs are compared with an LSTM in Python.

usage: test_stream.py STREAM
"""
import math
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402

STREAM = None
INPUTS, HIDDEN, OUTPUTS = 2, 5, 2


def run(*words, text="", **options):
    text = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([STREAM, *map(str, words)], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=500, **options)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def numbers(text):
    return [[*map(float, line.split())] for line in text.splitlines()]


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.rng = random.Random(5)
        self.tensors = models.lstm(self.rng, INPUTS, HIDDEN, OUTPUTS)
        self.path = self.folder / "model.safetensors"
        self.save()

    def save(self, tensors=None, **metadata):
        models.write(self.path, tensors or self.tensors,
                     {key.replace("__", "."): text for key, text in metadata.items()})

    def steps(self, count=20):
        return [[round(self.rng.uniform(-1, 1), 6) for _ in range(INPUTS)]
                for _ in range(count)]

    def expected(self, steps, scale=(0, 1), gains=(1, 1), skip=0, h=None, c=None):
        h, c, outputs = h or [0.0] * HIDDEN, c or [0.0] * HIDDEN, []
        for step in steps:
            x = [(value - scale[0]) / scale[1] * gains[0] for value in step]
            h, c = models.step(self.tensors, "lstm", x, h, c)
            y = models.head(self.tensors, h)
            y = [value + (x[i] if i < skip else 0) for i, value in enumerate(y)]
            outputs.append([value * gains[1] * scale[1] + scale[0] for value in y])
        return outputs

    def check(self, text, expected, delta=2e-6):
        outputs = numbers(text)
        self.assertEqual(len(outputs), len(expected))
        for row, wanted in zip(outputs, expected):
            self.assertEqual(len(row), len(wanted))
            for value, right in zip(row, wanted):
                self.assertAlmostEqual(value, right, delta=delta)

    def refuse(self, message, *words, text="1 2\n", lines=0):
        done = run(*(words or [self.path]), text=text)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), lines)
        self.assertRegex(done.stderr, message)


class Outputs(Base):
    def test_each_line_has_an_output(self):
        steps = self.steps()
        done = run(self.path, text="".join(f"{a} {b}\n" for a, b in steps))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(done.stdout, self.expected(steps))
        self.assertRegex(done.stderr, r"\Astream: 20 steps, microseconds: p50 [\d.]+ "
                                      r"p90 [\d.]+ p99 [\d.]+ p99.9 [\d.]+\n\Z")
        self.assertEqual(run(self.path, "--quiet", text="1 2\n").stderr, "")

    def test_an_output_comes_before_the_next_line(self):
        with subprocess.Popen([STREAM, self.path], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for step, wanted in zip([[0.5, 1]] * 3, self.expected([[0.5, 1]] * 3)):
                process.stdin.write(" ".join(map(str, step)).encode() + b"\n")
                process.stdin.flush()
                self.check(process.stdout.readline().decode(), [wanted])
            process.communicate()
            self.assertEqual(process.returncode, 0)

    def test_fields_and_lines_may_be_written_in_many_ways(self):
        steps = [[1, 2]] * 3
        for text in ("1 2\n1\t2\n1,2\n", "1 , 2\r\n  1 2  \r\n1,2\r\n",
                     "\ufeff1 2\n+1.0 2e0\n.1e1 20e-1", "# x\n1 2\n1 2\n #\n1 2\n"):
            done = run(self.path, text=text)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check(done.stdout, self.expected(steps))
        done = run(self.path, "--skip-blank", text="\n1 2\n \r\n1 2\n\n1 2\n\n")
        self.check(done.stdout, self.expected(steps))
        self.assertEqual((run(self.path).returncode, run(self.path).stdout), (0, ""))

    def test_keys_are_obeyed(self):
        steps = self.steps()
        text = "".join(f"{a} {b}\n" for a, b in steps)
        self.save(scale="1.5 0.25", model__in_gain="-6", model__out_gain="20",
                  model__skip="1", model__output="last", model__samplerate="48000",
                  note="free text", modelled="yes")
        done = run(self.path, text=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        gains = 10 ** (-6 / 20), 10
        self.check(done.stdout, self.expected(steps, (1.5, 0.25), gains, 1), 2e-5)

    def test_large_values_keep_their_digits(self):
        self.save(scale="1000000000 0.5")
        steps = [[1e9 + round(a, 6), 1e9 + round(b, 6)] for a, b in self.steps()]
        done = run(self.path, text="".join(f"{a!r} {b!r}\n" for a, b in steps))
        self.check(done.stdout, self.expected(steps, (1e9, 0.5)), 1e-6)

    def test_a_layer_without_head_and_with_any_prefix(self):
        for prefix in ("", "a.rnn"):
            self.tensors = models.lstm(self.rng, 1, HIDDEN, 0, prefix)
            self.save()
            done = run(self.path, text="0.5\n")
            h, _ = models.step(self.tensors, prefix, [0.5], [0.0] * HIDDEN, [0.0] * HIDDEN)
            self.check(done.stdout, [h])

    def test_what_is_not_used_is_named(self):
        head = {name.replace("fc", "out"): rows for name, rows in self.tensors.items()}
        models.write(self.path, head)
        done = run(self.path, text="1 2\n")
        self.assertEqual(len(numbers(done.stdout)[0]), HIDDEN)
        self.assertIn(f"{self.path}: not used: out.weight, out.bias\n", done.stderr)
        done = run(self.path, "--head", "out", "--prefix", "lstm", text="1 2\n")
        self.check(done.stdout, self.expected([[1, 2]]))
        self.assertNotIn("not used", done.stderr)


class States(Base):
    def test_the_states_of_a_file_are_the_first(self):
        h, c = ([self.rng.uniform(-1, 1) for _ in range(HIDDEN)] for _ in range(2))
        steps = self.steps()
        text = "".join(f"{a} {b}\n" for a, b in steps)
        for given in ({"lstm.h0": [h]}, {"lstm.c0": [c]}, {"lstm.h0": [h], "lstm.c0": [c]}):
            self.save(self.tensors | given)
            wanted = self.expected(steps, h=given.get("lstm.h0", [None])[0],
                                   c=given.get("lstm.c0", [None])[0])
            self.check(run(self.path, text=text).stdout, wanted)
        # --state replaces them.
        self.save(self.tensors | {"lstm.h0": [c], "lstm.c0": [c]})
        state = models.write(self.folder / "state", {"lstm.h0": [h], "lstm.c0": [c]})
        self.check(run(self.path, "--state", state, text=text).stdout,
                   self.expected(steps, h=h, c=c))

    def test_a_run_in_two_parts_has_the_bits_of_one(self):
        lines = [f"{a} {b}\n" for a, b in self.steps(40)]
        state = self.folder / "state.safetensors"
        parts = [run(self.path, "--save-state", state, text="".join(lines[:17])),
                 run(self.path, "--state", state, "--save-state", state,
                     text="".join(lines[17:]))]
        self.assertEqual([part.returncode for part in parts], [0, 0], parts)
        whole = run(self.path, "--save-state", self.folder / "whole", text="".join(lines))
        self.assertEqual("".join(part.stdout for part in parts), whole.stdout)
        self.assertEqual(state.read_bytes(), (self.folder / "whole").read_bytes())
        tensors, _ = models.decode(state.read_bytes())
        self.assertEqual({name: shape for name, (shape, _) in tensors.items()},
                         {"lstm.h0": [1, HIDDEN], "lstm.c0": [1, HIDDEN]})

    def test_states_that_do_not_fit_are_refused(self):
        state = self.folder / "state"
        for tensors, message in (({"lstm.h0": [[0] * 4], "lstm.c0": [[0] * 5]}, "h0.*4.*5"),
                                 ({"lstm.h0": [[0] * 5]}, "lstm.c0"), ({"x": [1]}, "lstm.h0")):
            models.write(state, tensors)
            self.refuse(message, self.path, "--state", state)
            self.refuse("h0|c0|LSTM", state)
        self.refuse("none: No such file", self.path, "--state", self.folder / "none")
        self.save(self.tensors | {"lstm.h0": [0] * 5})
        self.refuse("lstm.h0", self.path)

    def test_states_are_saved_only_after_the_last_line(self):
        state = self.folder / "state"
        self.refuse("line 2", self.path, "--save-state", state, text="1 2\nx\n", lines=1)
        self.assertFalse(state.exists())
        for other, message in ((self.path, "is not a file of states"), (state, "not a safetensors file")):
            state.write_bytes(b"mine, and not a state")
            before = other.read_bytes()
            self.refuse(message, self.path, "--save-state", other)
            self.assertEqual(other.read_bytes(), before)
        self.refuse("none/state: No such", self.path, "--save-state",
                    self.folder / "none/state")


class Refusals(Base):
    def test_lines(self):
        for line, message in (
                ("2 3 4", "has 3 fields, expected 2"), ("2", "has 1 fields, expected 2"),
                ("", "is blank, expected 2 numbers; --skip-blank"), ("  ", "is blank"),
                (",2", "field 1 is ''"), ("2,", "field 2 is ''"), ("2,,3", "field 2 is ''"),
                ("2x 3", "field 1 is '2x', expected a finite number"),
                ("2 -nan", "field 2 is '-nan'"), ("inf 3", "field 1 is 'inf'"),
                ("1 1e999", "field 2 is '1e999'"), ("1 1e300", "range of float32"),
                ("0x1 2", "field 1 is '0x1'"), ("1.2.3 2", "field 1"), ("2-3 1", "field 1"),
                ("2024-01-05 1", "field 1"), ("1;2", "field 1 is '1;2'"),
                ("1 \x07\x1b[2J", r"field 2 is '\?\?\[2J'"), ("y" * 99, r"'y{40}\.\.\.'"),
                ("1 2\0", "contains a zero byte")):
            with self.subTest(line=line):
                self.refuse(f"stream: line 2: .*{message}", text=f"1 2\n{line}\n1 2\n",
                            lines=1)

    def test_a_line_that_does_not_end(self):
        self.refuse("line 1: has more than 1048576 bytes", text=b"1" * 3000000)
        done = run(self.path, text=b"#" * 1048575 + b"\n1 2\n")
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 1))

    def test_keys(self):
        for key, texts in {
                "scale": ["1", "", "0 0", "x 1", "1 -1", "1 2 3", "nan 1", "1 inf", "0x1 1"],
                "model.in_gain": ["", "6dB", "701", "nan"], "model.out_gain": ["-701"],
                "model.skip": ["3", "-1", "1.0", ""], "model.samplerate": ["-1", "fast"],
                "model.activation": ["elu", ""], "model.reverse": ["lstm", "other lstm"],
                "model.output": ["reversed", "all"]}.items():
            for text in texts:
                with self.subTest(key=key, text=text):
                    models.write(self.path, self.tensors, {key: text})
                    self.refuse(f"model.safetensors: metadata {key} is '{text}', expected")
        models.write(self.path, self.tensors, {"model.dropout": "0"})
        self.refuse("metadata has the unknown key 'model.dropout'")
        models.write(self.path, self.tensors, {"model.read": "columns"})
        self.refuse("metadata model.read is 'columns', expected none: this program does not "
                    "apply it")
        models.write(self.path, self.tensors, {"model.reverse": "other", "scale": " 0  1 "})
        self.assertEqual(run(self.path, text="1 2\n").returncode, 0)

    def test_models(self):
        self.refuse("none: No such file", self.folder / "none")
        self.refuse("Is a directory", self.folder)
        self.save(self.tensors | {"embedding.weight": [[1.0] * 3]})
        self.refuse("embedding.weight does not have 2 axes and 2 columns")
        self.save(models.lstm(self.rng, 2, 5, prefix="a") |
                  models.lstm(self.rng, 2, 5, prefix="b"))
        self.refuse("a.*b")
        second = models.lstm(self.rng, 5, 5, prefix="lstm")
        self.save(self.tensors | {name.replace("_l0", "_l2"): rows
                                  for name, rows in second.items()})
        self.refuse("unexpected tensor lstm.bias_hh_l2: .*the LSTM 'lstm' has 1 layer,")
        self.save(models.lstm(self.rng, 2, 5, prefix="a") |
                  models.lstm(self.rng, 2, 5, prefix="b"))
        self.assertEqual(run(self.path, "--prefix", "b", text="1 2\n").returncode, 0)
        self.tensors["fc.bias"][1] = math.nan
        self.save()
        self.refuse("model.safetensors: fc.bias has the value nan, expected finite numbers")
        self.tensors["fc.bias"][1] = 3e38
        self.tensors["fc.weight"][1] = [1e38] * HIDDEN
        self.save(scale="1e308 1e300")
        self.refuse("output 2 of the model is -?inf, expected a finite number", text="1 1\n")

    def test_usage(self):
        for words in ([], [self.path, self.path], ["--stats", "x", self.path],
                      ["--state"], [self.path, "--state", ""],
                      ["--save-state", "-", self.path]):
            self.assertEqual(run(*words).returncode, 2, words)
        self.assertIn("--save-state FILE", run("-h").stdout)


class Pipes(Base):
    def test_a_read_error_gives_no_answer_from_half_of_a_line(self):
        """Reading a folder as standard input fails with EISDIR."""
        folder = os.open(self.folder, os.O_RDONLY)
        done = subprocess.run([STREAM, self.path], stdin=folder, capture_output=True)
        os.close(folder)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertEqual(done.stderr, b"stream: standard input: Is a directory\n")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([STREAM, self.path], input=b"1 2\n1 2\n", stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.splitlines()[0],
                         b"stream: standard output: No space left on device")

    def test_the_reader_of_the_output_may_end_first(self):
        for ignored, status in ((False, -signal.SIGPIPE), (True, 1)):
            process = subprocess.Popen([STREAM, self.path], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       restore_signals=not ignored)
            process.stdout.close()
            process.stdin.write(b"1 2\n")
            process.stdin.close()
            error = process.stderr.read()
            process.stderr.close()
            self.assertEqual(process.wait(), status)
            self.assertEqual(b"standard output: Broken pipe" in error, ignored)


if __name__ == "__main__":
    STREAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
