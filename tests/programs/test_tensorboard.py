"""Tests mnist-train --tensorboard: the frames and messages of its files with a reader of a few
lines here, and with that of TensorBoard (pip install tensorboard), if it is there.

usage: test_tensorboard.py PROGRAM
"""
import csv
import importlib.util
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402

SMALL = ["--synthetic=400", "--batch-size", "64", "--hidden", "8", "--layers", "1",
         "--seed", "7", "--threads", "1", "--quiet"]
STEPS = 7  # 400 samples: six batches of 64 and one of 16
MISSING = None if importlib.util.find_spec("tensorboard") else "tensorboard is not installed"


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def checksum(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def records(data):
    """The records of a TFRecord file, whose checksums must be right."""
    at = 0
    while at < len(data):
        head = data[at:at + 8]
        size, check = struct.unpack("<QI", data[at:at + 12])
        body = data[at + 12:at + 12 + size]
        assert check == checksum(head), "the length of a record has a wrong checksum"
        assert struct.unpack("<I", data[at + 12 + size:at + 16 + size])[0] == checksum(body)
        yield body
        at += 16 + size


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """The fields of a message: a list of values for each number."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                assert kind == 2, f"kind {kind} of a field"
                size, at = varint(data, at)
            value = data[at:at + size]
            assert len(value) == size, "a field is cut"
            at += size
            if kind != 2:
                value = struct.unpack("<d" if kind == 1 else "<f", value)[0]
        found.setdefault(key >> 3, []).append(value)
    return found


class Run:
    """The files of a folder, each event as its step and its fields."""

    def __init__(self, folder):
        self.files = sorted(folder.iterdir())
        self.events = [[fields(record) for record in records(path.read_bytes())]
                       for path in self.files]

    def scalars(self, tag, part=None):
        """Steps and values of a tag, of one file or of all."""
        found = []
        for event in sum(self.events, []) if part is None else self.events[part]:
            for summary in event.get(5, []):
                for value in map(fields, fields(summary)[1]):
                    if value[1][0].decode() == tag and 2 in value:
                        found.append((event.get(2, [0])[0], value[2][0]))
        return found

    def text(self, part=0):
        for event in self.events[part]:
            for summary in event.get(5, []):
                for value in map(fields, fields(summary)[1]):
                    if value[1][0] == b"run/text_summary":
                        return fields(value[8][0])[8][0].decode()
        return None

    def starts(self, part):
        """Steps from which a file replaces what earlier ones have."""
        return [event.get(2, [0])[0] for event in self.events[part] if 7 in event]


class Folder(InFolder):
    def train(self, *words, epochs=2, **options):
        return self.run_program(*SMALL, "--epochs", epochs, *words, **options)

    def column(self, name, key="loss"):
        with open(self.folder / name, newline="") as file:
            return [row[key] for row in csv.DictReader(file)]

    @staticmethod
    def as_floats(values):
        return [struct.unpack("<f", struct.pack("<f", float(value)))[0] for value in values]

    def check_losses(self, pairs, log):
        self.assertEqual([step for step, _ in pairs], list(range(1, len(pairs) + 1)))
        self.assertEqual([value for _, value in pairs], self.as_floats(self.column(log)))


class Frames(Folder):
    def test_the_checksum_is_that_of_its_standard(self):
        """The check value of CRC-32C, and a vector of RFC 3720."""
        self.assertEqual(crc32c(b"123456789"), 0xe3069283)
        self.assertEqual(crc32c(bytes(32)), 0x8a9136aa)

    def test_losses_accuracies_and_rates(self):
        words = ["--no-save", "--schedule", "step:every=1,gamma=0.5", "--validation", "80",
                 "--eval", "epoch", "--epochs", "3", "--lr", "0.01"]
        result = self.train(*words, "--tensorboard", "new/folder", "--log", "l.csv")
        run = Run(self.folder / "new/folder")
        self.assertEqual(run.events[0][0][3], [b"brain.Event:2"])
        self.check_losses(run.scalars("train/loss"), "l.csv")
        ends = [5, 10, 15]
        self.assertEqual(run.scalars("train/learning_rate"),
                         list(zip(ends, self.as_floats([0.01, 0.005, 0.0025]))))
        wanted = [float(value) for value in self.column("l.csv", "accuracy") if value]
        self.assertEqual(run.scalars("validation/accuracy"),
                         list(zip(ends, self.as_floats(wanted))))
        self.assertEqual([step for step, _ in run.scalars("test/accuracy")], ends)
        losses = [float(value) for value in self.column("l.csv")]
        means = [sum(losses[at:at + 5]) / 5 for at in (0, 5, 10)]
        for (step, value), end, mean in zip(run.scalars("train/epoch_loss"), ends, means):
            self.assertEqual(step, end)
            self.assertAlmostEqual(value, mean, places=5)
        self.assertIn("    mnist-train --synthetic=400 --batch-size 64", run.text())
        self.assertIn("seed 7, 320 training images", run.text())
        self.assertEqual(self.train(*words).stdout, result.stdout)

    def test_a_resumed_run_adds_a_file(self):
        self.train("--no-save", "--log", "l.csv", "--checkpoint", "c", "--tensorboard", "t")
        self.run_program("--resume", "c", "--epochs", "3", "--log", "l.csv", "--tensorboard",
                         "t")
        run = Run(self.folder / "t")
        self.assertEqual(len(run.files), 2)
        self.check_losses(run.scalars("train/loss"), "l.csv")
        self.assertEqual(sorted(run.starts(0) + run.starts(1)), [2 * STEPS + 1])

    def test_the_command_line_that_goes_on_has_the_folder(self):
        self.train("--no-save", "--checkpoint", "c", "--tensorboard", "t")
        stderr = self.run_program("--resume", "c", "--epochs", "3").stderr
        self.assertIn("mnist-train --resume c --tensorboard t", stderr)
        self.assertEqual(len(Run(self.folder / "t").files), 1)

    def test_a_folder_with_other_events_needs_force(self):
        self.train("--no-save", "--tensorboard", "t")
        before = (self.folder / "t").stat().st_mtime_ns
        stderr = self.train("--no-save", "--tensorboard", "t", "--log", "l", status=1).stderr
        self.assertIn("mnist-train: t: has events of another run; --force", stderr)
        self.assertEqual((self.folder / "t").stat().st_mtime_ns, before)
        self.assertFalse((self.folder / "l").exists())
        self.train("--no-save", "--tensorboard", "t", "--force")
        run = Run(self.folder / "t")
        self.assertEqual(sorted(run.starts(0) + run.starts(1)), [0])

    def test_what_is_no_folder_is_refused(self):
        (self.folder / "file").write_text("text")
        for path, part in (("file", "file: is not a folder"), ("file/t", "file/t: "),
                           ("l", "--tensorboard are the same file: l")):
            status = 2 if path == "l" else 1
            result = self.train("--no-save", "--log", "l", "--tensorboard", path, status=status)
            self.assertIn(part, result.stderr)
            self.assertEqual(os.listdir(self.folder), ["file"])
        self.assertIn("--tensorboard cannot be combined with --epochs 0",
                      self.train("--tensorboard", "t", epochs=0, status=2).stderr)

    def test_a_run_that_cannot_begin_leaves_no_folder(self):
        """Too few files may be open, at each place; folders that were there stay."""
        (self.folder / "old").mkdir()
        refused = 0
        for most in range(3, 12):
            for path in ("t", "t/a/b", "t/", "old/t", "old"):
                with self.subTest(most=most, path=path):
                    result = subprocess.run(
                        [self.program, *SMALL, "--epochs", "1", "--no-save", "--tensorboard",
                         path], cwd=self.folder, capture_output=True, stdin=subprocess.DEVNULL,
                        preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                        (most, most)))
                    if result.returncode == 0:
                        shutil.rmtree(self.folder / "t", ignore_errors=True)
                        shutil.rmtree(self.folder / "old")
                        (self.folder / "old").mkdir()
                    else:
                        refused += result.returncode == 1 and b": Too many open" in result.stderr
                        self.assertEqual(os.listdir(self.folder), ["old"])
                        self.assertEqual(os.listdir(self.folder / "old"), [])
        self.assertGreater(refused, 4)

    def test_two_runs_do_not_share_a_folder(self):
        first = subprocess.Popen([self.program, *SMALL, "--epochs", "100000", "--no-save",
                                  "--tensorboard", "t"], cwd=self.folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first.stdout.readline()
        result = self.train("--no-save", "--tensorboard", "t", "--force", status=1)
        self.assertIn("mnist-train: t: another run uses it", result.stderr)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=500)
        self.assertEqual(len(Run(self.folder / "t").files), 1)

    def test_what_is_no_text_is_replaced(self):
        name = b"\xff\x01l"
        subprocess.run([self.program, *SMALL, "--epochs", "1", "--no-save", "--tensorboard", "t",
                        "--log", name], cwd=self.folder, check=True, capture_output=True)
        self.assertIn("--log '??l'", Run(self.folder / "t").text())


@unittest.skipIf(MISSING, MISSING)
class TensorBoard(Folder):
    def reload(self, name="t"):
        from tensorboard.backend.event_processing import event_accumulator
        run = event_accumulator.EventAccumulator(
            str(self.folder / name), size_guidance={"scalars": 0, "tensors": 0})
        run.Reload()
        return run

    def losses(self, run):
        return [(event.step, event.value) for event in run.Scalars("train/loss")]

    def test_its_reader_reads_the_run(self):
        from tensorboard.plugins.hparams import plugin_data_pb2
        self.train("--no-save", "--log", "l.csv", "--tensorboard", "t", "--validation", "80",
                   "--eval", "epoch")
        run = self.reload()
        self.assertEqual(sorted(run.Tags()["scalars"]),
                         ["test/accuracy", "train/epoch_loss", "train/learning_rate",
                          "train/loss", "validation/accuracy"])
        self.check_losses(self.losses(run), "l.csv")
        text, = run.Tensors("run/text_summary")
        self.assertIn(b"mnist-train --synthetic=400", text.tensor_proto.string_val[0])
        content = run.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        found = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
        self.assertEqual(found["hidden"].number_value, 8)
        self.assertEqual(found["lr"].number_value, 0.001)
        self.assertEqual(found["seed"].string_value, "7")

    def test_steps_that_are_done_again_are_there_once(self):
        """The checkpoint is of an earlier moment than the events."""
        self.train("--no-save", "--log", "l.csv", "--checkpoint", "c", "--tensorboard", "t",
                   epochs=3)
        self.train("--no-save", "--checkpoint", "c", "--force")
        self.run_program("--resume", "c", "--epochs", "3", "--tensorboard", "t")
        self.check_losses(self.losses(self.reload()), "l.csv")

    def test_a_run_by_force_replaces_the_one_before(self):
        self.train("--no-save", "--tensorboard", "t", epochs=3)
        self.train("--no-save", "--tensorboard", "t", "--log", "l.csv", "--force", "--seed", "8",
                   epochs=1)
        self.check_losses(self.losses(self.reload()), "l.csv")


if __name__ == "__main__":
    InFolder.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
