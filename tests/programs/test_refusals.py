"""What programs refuse or say instead of doing something else without a word.

usage: test_refusals.py FOLDER_OF_PROGRAMS
"""
import gzip
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402
from models import change  # noqa: E402

FOLDER = None
SMALL = ["--synthetic=100", "--batch-size", "50", "--hidden", "4", "--layers", "1", "--seed",
         "7", "--threads", "1", "--eval", "none"]
TEXT = b"abcab " * 60


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

    def run_program(self, program, *words, status=0, text=b"", more=None, **options):
        environment = {key: value for key, value in os.environ.items()
                       if key != "MNIST_DIR" and not key.startswith("LSTM_")}
        environment |= {"XDG_CACHE_HOME": str(self.folder)} | (more or {})
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


class Models(Base):
    def test_a_network_without_a_layer_is_no_smaller_network(self):
        self.train("--layers", "3", "--epochs", "1", "--save", "m")

        def remove(tensors, metadata):
            for name in list(tensors):
                if name.endswith("_l1"):
                    del tensors[name]
            metadata.clear()

        self.picture()
        change(self.folder / "m", remove)
        message = r"m: unexpected tensor lstm\.bias_hh_l2: .*has 1 layer"
        self.refuse(message, "stream", "m", text=b"0\n")
        self.refuse(message, "mnist-predict", "m", "one.pgm")
        self.refuse(message, "mnist-train", *SMALL, "--load", "m", "--epochs", "1")

    def test_moments_that_adam_cannot_have_are_refused(self):
        (self.folder / "text").write_bytes(TEXT)
        self.run_program("charlm", "--hidden", "4", "--save", "c", "text", "1")
        self.train("--epochs", "1", "--checkpoint", "t", "--no-save")
        commands = {"c": ["charlm", "--resume", "c", "--save", "c", "text", "2"],
                    "t": ["mnist-train", "--resume", "t", "--epochs", "2"]}
        for path, words in commands.items():
            before = (self.folder / path).read_bytes()
            for name, value, shown in (("exp_avg_sq", -1, "-1"), ("exp_avg", math.inf, "inf"),
                                       ("exp_avg_sq", math.nan, "-?nan")):
                with self.subTest(path=path, name=name, value=value):
                    (self.folder / path).write_bytes(before)
                    tensor = f"__adam__.{name}.lstm.weight_hh_l0"
                    change(self.folder / path, put(value, tensor))
                    self.refuse(rf"{path}: tensor {tensor} has the value {shown}, expected "
                                "finite", *words)

    def test_a_position_that_is_not_one_is_refused(self):
        self.train("--epochs", "1", "--checkpoint", "t", "--no-save")
        before = (self.folder / "t").read_bytes()
        for old, new in (("loss ", "loss nan "), ("seconds ", "seconds -"),
                         ("seconds ", "seconds inf "), ("samples", "of samples")):
            (self.folder / "t").write_bytes(before)
            change(self.folder / "t", lambda _, metadata: metadata.update(
                {"mnist-train": metadata["mnist-train"].replace(old, new)}))
            self.refuse("t: metadata mnist-train is damaged", "mnist-train", "--resume", "t",
                        "--epochs", "2")

    def test_weights_that_are_not_finite_are_refused(self):
        (self.folder / "text").write_bytes(TEXT)
        self.run_program("charlm", "--hidden", "4", "--save", "c", "text", "1")
        before = (self.folder / "c").read_bytes()
        for name in ("embedding.weight", "lstm.weight_ih_l0", "fc.bias"):
            for value in (math.nan, -math.inf):
                (self.folder / "c").write_bytes(before)
                change(self.folder / "c", put(value, name))
                message = f"c: {name} has the value -?(nan|inf), expected finite numbers"
                self.refuse(message, "charlm", "--load", "c")
                self.refuse(message, "charlm", "--resume", "c", "text", "2")
        for name in ("lstm.weight_hh_l0", "lstm.bias_ih_l0", "fc.weight"):
            change(self.model(), put(math.inf, name))
            self.refuse(f"model: {name} has the value inf, expected", "stream", "model",
                        text=b"1\n")


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


class Trainings(Base):
    def test_a_resumed_run_says_that_it_saves_no_model(self):
        self.train("--epochs", "1", "--checkpoint", "t", "--no-save")
        says = "no model is saved without --save; t has its weights"
        for words, said in ((["--epochs", "2"], True), (["--epochs", "2"], True),
                            (["--epochs", "3", "--no-save"], False),
                            (["--epochs", "4", "--save", "m"], False)):
            done = self.run_program("mnist-train", "--resume", "t", *words)
            self.assertEqual(says in done.stderr, said, words)
        (self.folder / "text").write_bytes(TEXT)
        self.run_program("charlm", "--hidden", "4", "--save", "c", "text", "1")
        done = self.run_program("charlm", "--resume", "c", "text", "2")
        self.assertIn("no model is saved without --save; c stays as it is", done.stderr)

    def write_data(self):
        """A small data set in the folder."""
        for part, count in (("train", 100), ("t10k", 50)):
            images = struct.pack(">4I", 0x803, count, 28, 28) + bytes(range(196)) * 4 * count
            labels = struct.pack(">2I", 0x801, count) + bytes(i % 10 for i in range(count))
            (self.folder / f"{part}-images-idx3-ubyte").write_bytes(images)
            (self.folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))

    def test_tensors_of_no_network_are_refused(self):
        self.train("--epochs", "1", "--save", "m", "--checkpoint", "c", "--keep", "best",
                   "--validation", "0.5", "--ema", "0.5")
        # A checkpoint has the best weights and the average, too.
        self.run_program("mnist-train", "--synthetic=60", "--load", "c", "--epochs", "0")

        def add(tensors, metadata):
            tensors["more"] = tensors["fc.bias"]
        for name, words in (("m", ["--load", "m", "--epochs", "0"]),
                            ("c", ["--load", "c", "--epochs", "0"]),
                            ("c", ["--resume", "c", "--epochs", "2"])):
            change(self.folder / name, add)
            if words[0] == "--load":
                words = ["--synthetic=60", *words]
            self.refuse(f"^mnist-train: {name}: has the tensor more, which is not of the "
                        "network", "mnist-train", *words)

    def test_no_output_replaces_a_file_of_the_data(self):
        self.write_data()
        (self.folder / "link").symlink_to("t10k-images-idx3-ubyte")
        os.link(self.folder / "train-labels-idx1-ubyte.gz", self.folder / "hard")
        names = ["train-images-idx3-ubyte", "./t10k-labels-idx1-ubyte.gz", "link", "hard"]
        before = {name: (self.folder / name).read_bytes() for name in names}
        for option in "--save", "--checkpoint", "--report", "--log":
            for name in names:
                words = [] if option == "--save" else ["--no-save"]
                self.refuse(f"{re.escape(name)}: is .*ubyte.* of the data, which {option} "
                            "would replace", "mnist-train", "--data", ".", "--epochs", "1",
                            "--hidden", "2", "--force", *words, option, name)
        self.refuse("link: is ./t10k-images-idx3-ubyte of the data, which --save", "mnist-train",
                    "--data", ".", "--load", self.model("s"), "--epochs", "0", "--save", "link",
                    "--force")
        self.assertEqual(before, {name: (self.folder / name).read_bytes() for name in names})
        self.run_program("mnist-train", "--data", ".", "--epochs", "1", "--hidden", "2",
                         "--force", "--save", "s", "--log", "l.csv")

    def test_of_two_files_the_one_that_is_read_is_named(self):
        self.write_data()
        words = ["mnist-train", "--data", ".", "--no-save", "--epochs", "1", "--hidden", "2"]
        self.assertNotIn("not read", self.run_program(*words).stderr)
        (self.folder / "train-images-idx3-ubyte.gz").write_bytes(b"other")
        (self.folder / "t10k-labels.idx1-ubyte").write_bytes(b"other")
        lines = [line for line in self.run_program(*words).stderr.splitlines()
                 if "not read" in line]
        self.assertEqual(lines, [
            "./train-images-idx3-ubyte.gz: not read, because ./train-images-idx3-ubyte is "
            "there",
            "./t10k-labels.idx1-ubyte: not read, because ./t10k-labels-idx1-ubyte.gz is there"])

    def test_a_key_of_a_schedule_twice_is_refused(self):
        for text, key in (("step:every=1,every=2", "every"), ("cosine:min=0,warmup=1,min=0",
                                                             "min")):
            self.refuse(f"{key} is given twice", "mnist-train", *SMALL, "--schedule", text,
                        status=2)
        self.train("--epochs", "1", "--no-save", "--schedule", "multistep:at=1,gamma=2,at=2")

    def test_an_option_that_replaces_another_is_said(self):
        done = self.train("--epochs", "1", "--no-save", "--save", "m", "--layers", "2",
                          "--layers", "2")
        self.assertEqual([line for line in done.stderr.splitlines() if "applies" in line], [
            "--no-save and --save are given: the last one applies",
            "--layers is given twice, '1' and '2': the last one applies"])
        done = self.run_program("stream", "--quiet", "--quiet", self.model("s"))
        self.assertEqual(done.stderr, "")

    def test_options_without_effect_are_refused_or_said(self):
        for word in ("--log", "--checkpoint"):
            self.refuse(f"{word} cannot be combined with --epochs 0", "mnist-train", *SMALL,
                        "--epochs", "0", word, "x", status=2)
        self.refuse("--eval none cannot be combined with --epochs 0", "mnist-train", *SMALL,
                    "--epochs", "0", status=2)
        done = self.train("--eval", "end", "--epochs", "0")
        self.assertIn("--epochs 0 without --load tests random weights", done.stderr)
        done = self.train("--epochs", "1", "--no-save", "--schedule", "multistep:at=0.5,at=1")
        self.assertIn("--schedule has at=1, which 1 epoch does not reach\n", done.stderr)
        self.assertNotIn("at=0.5, which", done.stderr)
        self.refuse("patience is '1.5', expected an integer", "mnist-train", *SMALL,
                    "--schedule", "plateau:patience=1.5", status=2)
        self.refuse("--force needs --save", "charlm", "--force", "text", status=2)
        self.model("m", 28, 3, 10)
        self.picture()
        self.refuse("one.pgm: is a picture, expected an IDX file for --transpose",
                    "mnist-predict", "--transpose", "m", "one.pgm")

    def test_a_checkpoint_in_place_of_a_model_is_said(self):
        self.train("--epochs", "1", "--checkpoint", "t", "--save", "m")
        for name, said in (("t", True), ("m", False)):
            done = self.train("--epochs", "1", "--no-save", "--load", name)
            self.assertEqual(f"{name}: is a checkpoint, of which --load takes only the weights"
                             in done.stderr, said)

    def test_a_name_that_a_checkpoint_cannot_store_is_named(self):
        self.refuse("t: cannot store the options of the run: .*save is not valid UTF-8",
                    "mnist-train", *SMALL, "--epochs", "1", "--checkpoint", "t", "--save",
                    os.fsdecode(b"\xff"))

    def test_a_lock_is_not_the_name_of_another_file(self):
        for word, name in (("--checkpoint", "m.lock"), ("--log", "c.lock")):
            self.refuse(f"{word} is {name}, the lock of --(save|checkpoint)", "mnist-train",
                        *SMALL, "--force", "--save", "m", "--checkpoint", "c", word, name,
                        status=2)

    def test_variables_that_are_not_obeyed_are_named(self):
        model = self.model("s")
        for name, text, said in (
                ("LSTM_NUM_THREADS", "two", "is 'two', expected 1 to 64: it is not used"),
                ("LSTM_NUM_THREADS", "2", ""), ("LSTM_REPRODUCIBLE", "1", ""),
                ("LSTM_REPRODUCIBLE", "yes", "is 'yes', expected 0 or 1: it is not used"),
                ("LSTM_CPU", "fast", "is 'fast', but the kernels are "), ("LSTM_CPU", "generic", "")):
            done = self.run_program("stream", "--quiet", model, more={name: text})
            self.assertRegex(done.stderr, rf"\A{name} {said}\S*\n\Z" if said else r"\A\Z")

    def test_dropout_without_effect_is_said(self):
        says = "a dropout of 0.5 has no effect: it is between layers"
        for words, said in ((["--dropout", "0.5"], True), ([], False),
                            (["--dropout", "0.5", "--layers", "2"], False)):
            done = self.train("--epochs", "1", "--no-save", "--quiet", *words)
            self.assertEqual(says in done.stderr, said, words)

    def test_a_file_with_the_name_of_a_lock_stays(self):
        (self.folder / "m.lock").write_text("mine")
        self.train("--epochs", "1", "--save", "m")
        self.assertEqual((self.folder / "m.lock").read_text(), "mine")
        self.train("--epochs", "1", "--save", "n")
        self.assertFalse((self.folder / "n.lock").exists())

    def test_a_name_that_is_too_long_is_refused_before_the_training(self):
        name = "m" * 256
        for word in ("--save", "--checkpoint"):
            self.refuse(f"{name}: cannot be written: File name too long", "mnist-train", *SMALL,
                        "--epochs", "100000", word, name)

    def test_a_circle_of_links_is_refused_before_the_training(self):
        (self.folder / "one").symlink_to("other")
        (self.folder / "other").symlink_to("one")
        for word in ("--save", "--checkpoint", "--report", "--log"):
            said = "" if word == "--log" else "cannot be written: "
            self.refuse(f"one: {said}Too many levels of symbolic links", "mnist-train", *SMALL,
                        "--epochs", "100000", "--no-save", word, "one")

    def test_what_is_standard_output_is_no_file_of_its_own(self):
        message = "/dev/stdout: is standard output, which has other lines, expected another file"
        self.refuse(message, "mnist-train", *SMALL, "--epochs", 1, "--no-save", "--log",
                    "/dev/stdout")
        self.run_program("mnist-train", *SMALL, "--epochs", 1, "--save", "model")
        (self.folder / "digit.pgm").write_bytes(b"P5 28 28 255\n" + bytes(range(196)) * 4)
        self.refuse(message, "mnist-predict", "--explain", "/dev/stdout", "model", "digit.pgm")
        (self.folder / "t.csv").write_text("".join(f"{i % 7}\n" for i in range(100)))
        self.refuse(message, "forecast", "t.csv", "1", "/dev/stdout")
        with open(self.folder / "both.csv", "wb") as both:
            done = subprocess.run([FOLDER / "mnist-train", *SMALL, "--epochs", "1", "--no-save",
                                   "--log", "both.csv"], cwd=self.folder, stdout=both,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("both.csv: is standard output", done.stderr)

    def test_a_limit_of_file_sizes_is_an_error(self):
        """Not the signal SIGXFSZ. A build that counts lines must not end its files here."""
        command = "ulimit -f 1; exec \"$@\""
        done = subprocess.run(["bash", "-c", command, "-", FOLDER / "mnist-train", *SMALL,
                               "--epochs", "1", "--save", "m"], cwd=self.folder, text=True,
                              capture_output=True, env=os.environ | {"GCOV_PREFIX": "none"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("m: File too large", done.stderr)

    def test_a_file_that_cannot_be_locked_is_named(self):
        name = "m" * 253
        (self.folder / "c.lock").mkdir()
        done = self.train("--epochs", "1", "--save", name, "--checkpoint", "c")
        self.assertIn(f"{name}: cannot be locked: File name too long; another run", done.stderr)
        self.assertIn("c: cannot be locked: Is a directory; another run", done.stderr)
        self.assertTrue((self.folder / name).exists())


class Names(Base):
    def test_a_picture_in_place_of_the_model(self):
        self.train("--epochs", "1", "--save", "m")
        self.picture()
        self.refuse("one.pgm: .*not a safetensors file.*; m is a model: MODEL comes before FILE",
                    "mnist-predict", "one.pgm", "m")
        self.refuse("; m is a model", "mnist-predict", "none", "one.pgm", "m")
        done = self.run_program("mnist-predict", "one.pgm", "one.pgm", status=1)
        self.assertNotIn("is a model", done.stderr)

    def test_links_to_nothing_are_named(self):
        os.symlink("gone/file", self.folder / "link")
        (self.folder / "text").write_bytes(TEXT)
        self.picture()
        says = "link: .*a symbolic link to 'gone/file', which does not exist"
        self.model("m", 28, 3, 10)
        for words in (["stream", "link"], ["stream", "--state", "link", "m"],
                      ["charlm", "link"], ["charlm", "--load", "link"],
                      ["charlm", "--resume", "link", "text"], ["mnist-predict", "link", "one.pgm"],
                      ["mnist-train", "--epochs", "0", "--load", "link"],
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
            tried = subprocess.run([FOLDER / "charlm", "--version"], preexec_fn=become_nobody,
                                   check=True, capture_output=True)
        except (OSError, subprocess.SubprocessError):
            self.skipTest("nobody cannot run the programs")
        # A program that counts its lines says that it cannot write the counts.
        if tried.stderr:
            self.skipTest("programs of nobody print other messages")
        for words in (["charlm", "--hidden", "4", "--save", "m", "text", "1"],
                      ["mnist-train", *SMALL, "--save", "m"],
                      ["mnist-train", *SMALL, "--no-save", "--log", "m"]):
            self.refuse("m: .*no permission to write in its folder", *words,
                        preexec_fn=become_nobody)

    def test_empty_names_are_named(self):
        self.model("m", 28, 3, 10)
        for words, status in ((["stream", ""], 2), (["mnist-predict", "", "m"], 2),
                              (["charlm", ""], 1)):
            self.refuse("empty file name", *words, status=status)
        done = self.run_program("mnist-predict", "m", "", status=1)
        self.assertIn("'': empty file name", done.stderr)

    def test_a_hyphen_is_no_name_of_a_file(self):
        self.model("m", 28, 3, 10)
        (self.folder / "text").write_bytes(TEXT)
        for words in (["stream", "-"], ["stream", "--save-state", "-", "m"],
                      ["stream", "--state", "-", "m"], ["charlm", "--save", "-", "text"],
                      ["charlm", "--load", "-"], ["charlm", "--resume", "-", "text"],
                      ["mnist-predict", "-", "m"], ["mnist-predict", "--labels", "-", "m", "x"],
                      ["mnist-train", *SMALL, "--save", "-"],
                      ["mnist-train", *SMALL, "--log", "-"]):
            with self.subTest(words):
                self.refuse("is '-', expected the name of a file; ./- is a file of this name",
                            *words, status=2)
        self.run_program("charlm", "--hidden", "4", "--save", "./-", "text", "1")
        self.assertTrue((self.folder / "-").exists())


if __name__ == "__main__":
    FOLDER = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
