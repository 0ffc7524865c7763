"""Tests mnist-train as a program: options, output, files, interruption, failure.

usage: test_train.py PROGRAM
"""
import csv
import json
import math
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SMALL = ["--synthetic=400", "--batch-size", "64", "--hidden", "8", "--layers", "1",
         "--epochs", "2", "--seed", "7", "--log-every", "3", "--force"]
STEPS = 7  # 400 samples: six batches of 64 and one of 16
OPTIONS = """--data --dataset --split --synthetic --epochs --batch-size --shards --ranks --hidden --layers
    --bidirectional --proj --dropout --label-smoothing --augment --clean-epochs --lr --schedule
    --weight-decay --decoupled --ema --clip-norm --precision --seed --threads --reproducible --log-every --log --report --tensorboard --save
    --no-save --load --checkpoint --checkpoint-every --resume --force --eval --validation --keep --patience --offline --limit --quiet --no-progress --help
    --version""".split()
WRONG = [
    "--unknown", "--limit 0", "--limit x", "--epochs", "word", "--batch-size 0", "--shards 0", "--shards 65", "--shards 1025", "--shards x", "--ranks 0", "--ranks x",
    "--batch-size 8 --shards 9", "--batch-size 1.5", "--lr nan",
    "--lr inf", "--lr 1e999", "--lr 0", "--lr -1", "--lr 0x1p-3", "--lr 1e-3x", "--hidden 0",
    "--hidden 99999999999999999999999", "--layers 0", "--epochs -1", "--epochs 1x",
    "--epochs +1", "--threads 0", "--threads 10000", "--seed -1", "--seed 1.5",
    "--seed 18446744073709551616", "--log-every 0", "--clip-norm 0", "--clip-norm nan",
    "--weight-decay -1", "--precision fp16", "--precision", "--eval sometimes", "--quiet=1", "--synthetic=0", "--synthetic=x",
    "--bidirectional=1", "--proj 0", "--proj 128", "--hidden 8 --proj 8", "--dropout -0.1",
    "--dropout 1.1", "--dropout nan", "--dropout", "--label-smoothing 2",
    "--label-smoothing x", "--decoupled=1", "--ema", "--ema 0", "--ema 1", "--ema -0.5",
    "--ema nan", "--ema 0.9x", "--ema 0.99999999999999999999",  "--schedule", "--schedule=", "--schedule nothing",
    "--schedule step:", "--schedule step:every", "--schedule step:every=",
    "--schedule step:every=0", "--schedule step:every=1,", "--schedule step:rise=0.3",
    "--schedule step:gamma=nan", "--schedule step:gamma=0x1", "--schedule step:gamma=1.5x",
    "--schedule step:gamma=-1", "--schedule step,gamma=1", "--schedule multistep",
    "--schedule multistep:at=-1", "--schedule multistep:" + ",".join(["at=1"] * 33),
    "--schedule cosine:min=1e999", "--schedule cosine:warmup=10",
    "--schedule one-cycle:rise=1", "--schedule one-cycle:warmup=1",
    "--schedule plateau:factor=1", "--schedule plateau:patience=x",
    "--checkpoint=", "--resume=", "--resume a --load b", "--resume a --epochs 0",
    "--validation 0", "--validation -1", "--validation 1.5", "--validation nan", "--keep best",
    "--keep first", "--patience 3", "--patience 0", "--validation 9 --epochs 0",
    "--synthetic --data somewhere", "--data=", "--save=", "-x", "--dataset nothing",
    "--dataset emnist", "--split letters", "--dataset kmnist --split letters",
    "--dataset emnist --split words", "--augment", "--augment=", "--augment shift",
    "--augment shift:", "--augment shift:0", "--augment shift:-1", "--augment shift:nan",
    "--augment shift:inf", "--augment shift:1e999", "--augment shift=1", "--augment shift:1,",
    "--augment ,shift:1", "--augment shift:1,shift:1", "--augment shift:1;rotate:2",
    "--augment rotate:181", "--augment scale:1", "--augment shear:2.1", "--augment blur:1",
    "--augment shift:1:2", "--augment shift:0x1", "--augment shift:" + "1" * 60, "--clean-epochs 1",
    *(f"--augment shift:1 --clean-epochs {wrong}" for wrong in ("0", "11", "x", "1.5"))]


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=500, **options)


def losses(path):
    with open(path, newline="") as file:
        return [row["loss"] for row in csv.DictReader(file)]


def rates(path):
    """The learning rates of a log, as numbers."""
    with open(path, newline="") as file:
        return [float(row["lr"]) for row in csv.DictReader(file)]


class Train(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="train-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = self.folder / "model.safetensors"
        self.log = self.folder / "log.csv"

    def train(self, *arguments, status=0, save=True, **environment):
        saving = ["--save", self.model] if save else ["--no-save"]
        result = run(*SMALL, *saving, *arguments, env={**os.environ, **environment})
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def assert_fails(self, result, *parts, status=1):
        """Checks for one line on stderr and none on stdout."""
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\Amnist-train: .+\n\Z")
        for part in parts:
            self.assertIn(str(part), result.stderr)

    def test_help_lists_every_option_once(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for option in OPTIONS:
            self.assertEqual(len(re.findall(rf"^  (-h, )?{option}\b(?!-)", result.stdout, re.M)), 1,
                             option)
        self.assertIn("--epochs N", result.stdout)
        self.assertIn("(default mnist-lstm.safetensors)", result.stdout)
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 88)

    def test_bf16_is_reported_and_gives_nearly_the_same_losses(self):
        plain = self.train("--log", self.log, save=False)
        self.assertNotIn("products in", plain.stderr)
        exact = losses(self.log)
        rounded = self.train("--log", self.log, "--precision", "bf16", save=False)
        self.assertIn("products in bf16, ", rounded.stderr)
        self.assertNotEqual(losses(self.log), exact)
        for a, b in zip(map(float, exact), map(float, losses(self.log)), strict=True):
            self.assertLess(abs(a - b), 0.01 * a)
        slow = self.train("--precision", "bf16", "--reproducible", save=False,
                          LSTM_CPU="generic")
        self.assertIn("not faster than fp32", slow.stderr)
        self.assertEqual(slow.stdout, rounded.stdout)

    def test_version(self):
        self.assertRegex(run("--version").stdout, r"\Amnist-train \d+\.\d+\.\d+\n\Z")

    def test_unknown_options_and_arguments_are_named(self):
        for words, message in (("--unknown", "unknown option '--unknown'; see --help"),
                               ("word", "unexpected argument 'word'; see --help"),
                               ("--lr", "--lr requires a value: X"),
                               ("--quiet=1", "--quiet does not take a value"),
                               ("--epochs x", "--epochs is 'x', expected an integer"),
                               ("--schedule step:x=1", "unknown option 'x=1' of step")):
            self.assert_fails(run(*words.split()), message, status=2)

    def test_invalid_usage_exits_with_2_before_data_is_read(self):
        for words in WRONG:
            with self.subTest(words):
                # Reading this missing folder would fail with another status.
                data = [] if "--data" in words or "--synthetic" in words else [
                    "--data", self.folder / "missing"]
                if "--dataset" in words:
                    data = ["--offline"]
                self.assert_fails(run(*data, *words.split(" ")), status=2)

    def test_standard_output_has_losses_and_accuracies(self):
        result = self.train()
        lines = result.stdout.splitlines()
        expected = []
        for epoch in (1, 2):
            expected += [rf"Epoch \[{epoch}/2\], Step \[{step}/{STEPS}\], Loss: \d+\.\d{{4}}"
                         for step in (3, 6)]
            expected += [rf"Epoch \[{epoch}/2\], Test accuracy: \d+\.\d\d% \(\d+/66\)"]
        self.assertEqual(len(lines), len(expected), result.stdout)
        for line, pattern in zip(lines, expected):
            self.assertRegex(line, rf"\A{pattern}\Z")
        self.assertIn("seed 7", result.stderr)
        self.assertNotIn("\r", result.stderr)

    def test_the_log_contains_every_step(self):
        stdout = self.train("--log", self.log).stdout
        lines = self.log.read_text().splitlines()
        self.assertEqual(lines[0], "epoch,step,loss,lr,accuracy,seconds")
        rows = [line.split(",") for line in lines[1:]]
        self.assertEqual([(int(row[0]), int(row[1])) for row in rows],
                         [(epoch, step) for epoch in (1, 2) for step in range(1, STEPS + 1)])
        self.assertIn(f"Step [3/{STEPS}], Loss: {float(rows[2][2]):.4f}", stdout)
        # %.9g represents a float exactly.
        for row in rows:
            value = struct.unpack("f", struct.pack("f", float(row[2])))[0]
            self.assertEqual(f"{value:.9g}", row[2])

    def test_neither_threads_nor_testing_change_the_training(self):
        logs = []
        for arguments in (["--threads", "1"], ["--threads", "3"], ["--eval", "none"],
                          ["--eval", "end", "--quiet"]):
            self.train("--log", self.log, *arguments, save=False)
            logs.append(losses(self.log))
        for other in logs[1:]:
            self.assertEqual(other, logs[0])

    def test_the_reproducible_mode_does_not_depend_on_the_kernels(self):
        logs = []
        for arguments, environment in (
                (["--reproducible"], {}),
                (["--reproducible"], {"LSTM_CPU": "generic"}),
                ([], {"LSTM_CPU": "generic", "LSTM_REPRODUCIBLE": "1"})):
            self.train("--log", self.log, "--hidden", "32", "--layers", "2",
                       *arguments, save=False, **environment)
            logs.append(losses(self.log))
        self.assertEqual(logs[1], logs[0])
        self.assertEqual(logs[2], logs[0])

    def test_another_seed_gives_other_losses(self):
        self.train("--log", self.log, save=False)
        first = losses(self.log)
        self.train("--log", self.log, "--seed", "8", save=False)
        self.assertNotEqual(losses(self.log), first)

    def test_a_random_seed_is_printed_and_repeats_the_run(self):
        shorter = [word for word in SMALL if word not in ("--seed", "7")]
        first = run(*shorter, "--no-save")
        seed = re.search(r"^seed (\d+)", first.stderr, re.M).group(1)
        self.assertEqual(self.train("--seed", seed, save=False).stdout, first.stdout)

    def test_options_of_the_optimiser_change_the_losses(self):
        self.train("--log", self.log, save=False)
        usual = losses(self.log)
        for option in (["--lr", "0.01"], ["--weight-decay", "0.1"], ["--clip-norm", "0.001"],
                       ["--weight-decay", "0.1", "--decoupled"]):
            self.train("--log", self.log, *option, save=False)
            self.assertEqual(losses(self.log)[0], usual[0])
            self.assertNotEqual(losses(self.log)[-1], usual[-1], option)

    def test_options_of_the_network_change_the_losses(self):
        self.train("--log", self.log, "--layers", "2", save=False)
        usual = losses(self.log)
        for option in (["--bidirectional"], ["--proj", "5"], ["--dropout", "0.5"],
                       ["--label-smoothing", "0.5"]):
            self.train("--log", self.log, "--layers", "2", *option, save=False)
            self.assertNotEqual(losses(self.log)[0], usual[0], option)

    def test_a_saved_model_needs_no_options(self):
        """The second run takes all options of the network from the file."""
        for network in (["--bidirectional", "--layers", "2", "--dropout", "0.3"],
                        ["--proj", "5", "--layers", "3"], ["--hidden", "11", "--bidirectional"]):
            trained = self.train(*network).stdout.splitlines()[-1]
            result = run("--synthetic=400", "--load", self.model, "--epochs", "0")
            self.assertEqual(result.stdout, trained.replace("[2/2]", "[0/0]") + "\n",
                             result.stderr)

    def test_the_precision_of_a_saved_model_is_kept(self):
        trained = self.train("--precision", "bf16").stdout.splitlines()[-1]
        for option, expected in ([], True), (["--precision", "fp32"], False):
            result = run("--synthetic=400", "--load", self.model, "--epochs", "0", *option)
            self.assertEqual("matrix products in bf16" in result.stderr, expected)
            if expected:
                self.assertEqual(result.stdout, trained.replace("[2/2]", "[0/0]") + "\n")

    def test_dropout_of_a_saved_model_is_kept(self):
        self.train("--layers", "2", "--dropout", "0.5")
        shorter = ["--synthetic=400", "--seed", "7", "--epochs", "1", "--log", self.log,
                   "--load", self.model, "--no-save", "--force"]
        runs = []
        for option in ([], ["--dropout", "0.5"], ["--dropout", "0"]):
            self.assertEqual(run(*shorter, *option).returncode, 0)
            runs.append(losses(self.log))
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], runs[2])

    def test_options_that_differ_from_a_saved_model_are_refused(self):
        self.train()
        for option in (["--bidirectional"], ["--layers", "2"], ["--proj", "3"]):
            result = run("--synthetic=400", "--load", self.model, "--no-save", *option)
            self.assert_fails(result, self.model, "lstm.weight")

    def test_schedules_set_the_rate_of_each_step(self):
        """Two epochs of seven steps from 0.001; PyTorch's rates are in test_parity.py."""
        expected = {
            "step": [1] * 7 + [0.1] * 7,
            "step:every=0.5,gamma=0.5": [0.5 ** (step // 4) for step in range(14)],
            "multistep:at=1,gamma=3,at=1.5714": [1] * 7 + [3] * 4 + [9] * 3,
            "exponential:gamma=0.5": [0.5 ** (step / 7) for step in range(14)],
            "cosine": [(1 + math.cos(math.pi * step / 14)) / 2 for step in range(14)],
            "step:warmup=1": [1 / 3 + 2 / 3 * step / 7 for step in range(7)] + [1] * 7,
            "plateau": [1] * 14,
        }
        for schedule, factors in expected.items():
            with self.subTest(schedule):
                self.train("--log", self.log, "--schedule", schedule, save=False)
                for rate, factor in zip(rates(self.log), factors, strict=True):
                    self.assertAlmostEqual(rate, 0.001 * factor, delta=1e-15)

    def test_a_plateau_lowers_the_rate_between_epochs(self):
        """No loss improves by 90%, so every epoch after the first reduces the rate."""
        self.train("--log", self.log, "--epochs", "4", "--schedule",
                   "plateau:threshold=0.9,patience=0,factor=0.5,min=0.0003", save=False)
        expected = [0.001] * 14 + [0.0005] * 7 + [0.0003] * 7
        for rate, wanted in zip(rates(self.log), expected, strict=True):
            self.assertAlmostEqual(rate, wanted, delta=1e-15)

    def test_eval_selects_when_to_test(self):
        for when, count in (("epoch", 2), ("end", 1), ("none", 0)):
            stdout = self.train("--eval", when, save=False).stdout
            self.assertEqual(stdout.count("Test accuracy"), count)

    def test_a_saved_model_has_the_same_accuracy(self):
        trained = self.train().stdout.splitlines()[-1]
        before = self.model.read_bytes()
        tested = self.train("--load", self.model, "--epochs", "0", save=False).stdout
        self.assertEqual(tested, trained.replace("[2/2]", "[0/0]") + "\n")
        self.assertEqual(self.model.read_bytes(), before)

    def test_testing_alone_saves_no_model_unless_save_is_given(self):
        arguments = [*SMALL, "--epochs", "0"]
        self.assertEqual(run(*arguments, cwd=self.folder).returncode, 0)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertEqual(run(*arguments, "--save", "initial", cwd=self.folder).returncode, 0)
        self.assertTrue((self.folder / "initial").exists())

    def test_the_model_has_a_default_name(self):
        self.assertEqual(run(*SMALL, cwd=self.folder).returncode, 0)
        self.assertEqual([path.name for path in self.folder.iterdir()],
                         ["mnist-lstm.safetensors"])

    def test_quiet_does_not_change_standard_output(self):
        loud, quiet = self.train(save=False), self.train("--quiet", save=False)
        self.assertEqual(quiet.stdout, loud.stdout)
        self.assertEqual(quiet.stderr, "")

    def test_an_interrupted_run_saves_the_model_and_exits_with_130(self):
        command = [PROGRAM, *SMALL, "--epochs", "100000", "--save", str(self.model)]
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=500)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted", stderr)
        self.assertIn(f"saved {self.model}", stderr)
        self.train("--load", self.model, "--epochs", "0", save=False)

    def test_a_run_whose_output_fails_saves_the_model(self):
        """A log in a pipe, or the standard output, loses its reader."""
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        for log, said in ((fifo, str(fifo)), (None, "standard output")):
            self.model.unlink(missing_ok=True)
            command = [PROGRAM, *SMALL, "--epochs", "1000", "--save", str(self.model)]
            with subprocess.Popen(command + (["--log", str(log)] if log else []), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                if log:
                    with open(log) as reader:
                        reader.readline()
                else:
                    process.stdout.readline()
                    process.stdout.close()
                    process.stdout = None
                _, stderr = process.communicate(timeout=500)
            self.assertEqual(process.returncode, 1, stderr)
            self.assertIn(f"{said}: Broken pipe", stderr)
            self.assertIn("the run ends after step", stderr)
            self.assertIn(f"saved {self.model}", stderr)
            self.train("--load", self.model, "--epochs", "0", save=False)

    def set_weights(self, value, name=None):
        """Sets the first number of a tensor in the model, or all numbers."""
        content = bytearray(self.model.read_bytes())
        header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
        del header["__metadata__"]  # it has the checksums
        size = max(entry["data_offsets"][1] for entry in header.values())
        data = content[-size:]
        first = header[name]["data_offsets"][0] if name else 0
        for at in range(first, first + 4 if name else size, 4):
            data[at:at + 4] = struct.pack("<f", value)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self.model.write_bytes(len(text).to_bytes(8, "little") + text + data)

    def test_a_loss_that_is_no_number_ends_the_run(self):
        self.train()
        self.set_weights(3e38)
        start = self.model.rename(self.folder / "start")
        result = self.train("--load", start, status=1)
        self.assertRegex(result.stderr, r"epoch 1, step 1: the loss is -?(nan|inf), "
                                        "expected a finite number: .*try --lr 0.0001 or --clip-norm 1")
        self.assertFalse(self.model.exists())

    def test_weights_that_are_no_numbers_are_refused(self):
        self.train()
        self.set_weights(float("nan"), "fc.bias")
        for epochs in ("0", "1"):
            result = self.train("--load", self.model, "--epochs", epochs, save=False, status=1)
            self.assertIn("fc.bias has the value nan, expected finite numbers", result.stderr)

    def stop(self, send, *arguments):
        """Sends a signal after some epochs; returns the losses so far."""
        log = self.folder / "first.csv"
        with subprocess.Popen([PROGRAM, *map(str, arguments), "--log", str(log)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for _ in range(37):  # seven epochs and six steps
                process.stdout.readline()
            process.send_signal(send)
            process.communicate(timeout=500)
        return losses(log)

    def test_a_run_resumes_from_its_checkpoint_bit_for_bit(self):
        """After Ctrl-C in the middle of an epoch, and after SIGKILL from its last epoch."""
        checkpoint = self.folder / "checkpoint"
        wanted = ["--synthetic=400", "--hidden", "16", "--batch-size", "33", "--epochs", "30",
                  "--seed", "5", "--log-every", "3", "--dropout", "0.3", "--bidirectional",
                  "--clip-norm", "2", "--label-smoothing", "0.1", "--weight-decay", "0.001",
                  "--decoupled", "--ema", "0.98", "--augment", "shift:2,elastic:3",
                  "--schedule", "plateau:patience=0,threshold=0.02,factor=0.7", "--threads", "1",
                  "--eval", "epoch", "--save", self.model]
        whole = run(*wanted, "--log", self.log)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        expected, model = losses(self.log), self.model.read_bytes()
        self.assertLess(rates(self.log)[-1], 0.001)
        for send in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(send):
                first = self.stop(send, *wanted, "--checkpoint", checkpoint, "--force")
                self.assertLess(len(first), len(expected), "the run ended before the signal")
                self.model.unlink(missing_ok=True)
                self.log.unlink(missing_ok=True)
                result = run("--resume", checkpoint, "--log", self.log, "--save", self.model)
                self.assertEqual(result.returncode, 0, result.stderr)
                second = losses(self.log)
                self.assertEqual(second, expected[-len(second):])
                if send == signal.SIGINT:
                    self.assertEqual(first + second, expected)
                self.assertGreaterEqual(len(first) + len(second), len(expected))
                self.assertTrue(whole.stdout.endswith(result.stdout))
                self.assertEqual(self.model.read_bytes(), model)

    def test_a_finished_run_resumes_with_more_epochs(self):
        checkpoint = self.folder / "checkpoint"
        long = self.train("--epochs", "4", save=False)
        self.train("--checkpoint", checkpoint, save=False)
        self.assertEqual(run("--resume", checkpoint).stdout, "")
        result = run("--resume", checkpoint, "--epochs", "4")
        self.assertEqual(result.stdout.splitlines(), long.stdout.splitlines()[6:])

    def test_invalid_checkpoints_are_refused(self):
        self.train()
        checkpoint = self.folder / "checkpoint"
        self.assert_fails(run("--resume", self.model), self.model, "mnist-train is missing")
        self.assert_fails(run("--resume", checkpoint), checkpoint, "No such file")
        self.train("--checkpoint", checkpoint, save=False)
        damaged = checkpoint.read_bytes()
        checkpoint.write_bytes(damaged.replace(b"samples 400", b"samples x00"))
        self.assert_fails(run("--resume", checkpoint), checkpoint, "damaged")
        name = os.fsencode(self.folder / "name") + b"\xff"
        result = subprocess.run([PROGRAM, *SMALL, "--no-save", "--checkpoint", name],
                                capture_output=True, timeout=500)
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertIn(b"is not valid UTF-8", result.stderr)

    def test_a_missing_folder_is_an_error(self):
        missing = self.folder / "missing"
        self.assert_fails(run("--data", missing, "--save", self.model), missing)
        self.assertFalse(self.model.exists())

    def test_a_damaged_data_set_is_an_error(self):
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                     "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
            (self.folder / name).write_bytes(b"")
        self.assert_fails(run("--data", self.folder, "--save", self.model), self.folder)
        self.assertFalse(self.model.exists())

    def test_an_unwritable_model_path_is_reported_before_training(self):
        absent = self.folder / "absent" / "model"
        for path in (absent, self.folder, "/dev/null"):
            self.log.unlink(missing_ok=True)
            result = run(*SMALL, "--save", path, "--log", self.log)
            self.assert_fails(result, path)
            self.assertFalse(self.log.exists())
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_failed_run_replaces_no_file(self):
        self.log.write_text("old log")
        self.model.write_text("no model")
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        result = run(*SMALL, "--load", self.model, "--no-save", "--log", self.log)
        self.assert_fails(result, self.model)
        after = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self.assertEqual(after, before)

    def test_a_model_of_a_different_size_is_refused(self):
        self.train()
        words = list(SMALL)
        words[words.index("--hidden") + 1] = "9"
        self.assert_fails(run(*words, "--load", self.model, "--no-save"),
                          self.model, "lstm.weight_ih_l0", "[32, 28]", "[36, 28]")

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_a_failed_write_to_the_output_is_an_error(self):
        result = run(*SMALL, "--no-save", "--log", "/dev/full")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/dev/full: No space left", result.stderr)
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, *SMALL, "--no-save"], stdout=full, text=True,
                                    stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output: No space left", result.stderr)

    def test_a_fallback_to_synthetic_digits_prints_a_warning(self):
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        result = run("--offline", "--quiet", "--epochs", "0", env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("SYNTHETIC", result.stderr)


if __name__ == "__main__":
    # A shell starts programs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A shell starts programs in the background with Ctrl-C ignored, and mnist-train keeps
    # it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
