"""Tests that mnist-train keeps what it made: resumed runs, checkpoints of others, logs,
signals, files of other runs, modes and links. Files are compared byte for byte.

usage: test_resume.py PROGRAM
"""
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SMALL = ["--synthetic=400", "--batch-size", "64", "--hidden", "8", "--layers", "1",
         "--seed", "7", "--log-every", "3", "--threads", "1"]


def clear():
    """A shell starts programs in the background with Ctrl-C ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="resume-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_program(self, *words, status=0, cwd=None, env=None):
        result = subprocess.run([PROGRAM, *map(str, words)], text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, timeout=500,
                                cwd=cwd or self.folder, env=env)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def train(self, *words, **options):
        return self.run_program(*SMALL, "--epochs", "2", *words, **options)

    def start(self, *words, before=clear, wait=True):
        process = subprocess.Popen([PROGRAM, *SMALL, *map(str, words)], text=True,
                                   cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=before)
        if wait:
            for _ in range(5):  # in the second or third epoch
                process.stdout.readline()
        return process

    def read(self, name):
        return (self.folder / name).read_bytes()

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.is_file()}

    def refuse(self, *words, parts=(), status=1):
        """The command fails with one line, and no file changes."""
        before = self.files()
        result = self.run_program(*words, status=status)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\Amnist-train: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, result.stderr)
        self.assertEqual(self.files(), before)
        return result


class Resume(Folder):
    def test_a_resumed_run_writes_only_what_is_named(self):
        """The checkpoint names a model, a log and another checkpoint."""
        self.train("--save", "m", "--log", "l", "--checkpoint", "c")
        for name in ("m", "l"):
            (self.folder / name).write_text("of somebody else")
        os.rename(self.folder / "c", self.folder / "foreign")
        (self.folder / "c").write_text("also")
        before = self.files()
        result = self.run_program("--resume", "foreign", "--epochs", "3")
        after = self.files()
        self.assertNotEqual(after.pop("foreign"), before.pop("foreign"))
        self.assertEqual(after, before)
        self.assertIn("mnist-train --resume foreign --log l --save m --checkpoint c\n",
                      result.stderr)

    def test_the_command_line_that_goes_on_is_quoted(self):
        name = "it's a $(touch x) & `y`; \"z\""
        self.train("--save", name, "--log", "plain.csv", "--checkpoint", "c")
        line = [line for line in self.run_program("--resume", "c").stderr.splitlines()
                if "--resume" in line][0]
        words = line[line.index("mnist-train --resume"):]
        self.assertEqual(shlex.split(words), ["mnist-train", "--resume", "c", "--log",
                                              "plain.csv", "--save", name])
        shell = subprocess.run(["sh", "-c", "printf '%s\\n' " + words], text=True,
                               capture_output=True, cwd=self.folder)
        self.assertEqual(shell.stdout.splitlines()[-1], name)
        self.assertFalse((self.folder / "x").exists())

    def hint(self, *words):
        """The words of the command line that a resumed run prints."""
        said = self.run_program("--resume", "c", *words).stderr
        return shlex.split(re.search("mnist-train (--resume .*)", said)[1])

    def test_the_files_of_before_are_not_forgotten(self):
        self.train("--save", "m", "--log", "l", "--checkpoint", "c")
        before = ["--resume", "c", "--log", "l", "--save", "m"]
        self.assertEqual(self.hint("--epochs", "3"), before)
        self.assertEqual(self.hint("--epochs", "4"), before)
        self.assertEqual(self.hint("--epochs", "5", "--log", "new"),
                         ["--resume", "c", "--log", "new", "--save", "m"])
        self.assertEqual(self.hint("--epochs", "6", "--no-save"),
                         ["--resume", "c", "--log", "new", "--no-save"])
        self.assertEqual(self.hint("--epochs", "7"), ["--resume", "c", "--log", "new"])

    def test_names_with_control_characters_are_not_printed(self):
        for name in ("a\033[31mb", "a\nb", "a\u202eb", "a\x9bb"):
            with self.subTest(name):
                self.train("--no-save", "--log", name, "--checkpoint", "c", "--force")
                stderr = self.run_program("--resume", "c").stderr
                self.assertIn("the --log of before has a name with control characters", stderr)
                self.assertNotIn(name, stderr)

    def test_a_folder_of_data_is_named_again(self):
        """The run reads from a folder only if the command line names it."""
        place = self.folder / "place"
        place.mkdir()
        for name, count in (("train", 64), ("t10k", 16)):
            (place / f"{name}-images-idx3-ubyte").write_bytes(
                struct.pack(">4I", 0x803, count, 28, 28) + bytes(range(256)) * (count * 49 // 16))
            (place / f"{name}-labels-idx1-ubyte").write_bytes(
                struct.pack(">2I", 0x801, count) + bytes(i % 10 for i in range(count)))
        words = ["--hidden", "4", "--batch-size", "8", "--epochs", "1"]
        self.run_program(*words, "--data", "place", "--checkpoint", "c", "--no-save")
        self.refuse("--resume", "c", "--epochs", "2", status=2,
                    parts=["--data must name again: mnist-train --resume c --data place\n"])
        self.run_program("--resume", "c", "--epochs", "2", "--data", "place")

    def test_a_finished_run_changes_nothing(self):
        self.train("--save", "m", "--log", "l", "--checkpoint", "c")
        before = self.files()
        for words in ([], ["--save", "m"], ["--save", "m", "--log", "l", "--epochs", "2"]):
            result = self.run_program("--resume", "c", *words)
            self.assertEqual(result.stdout, "")
            self.assertIn("the run is finished after epoch 2", result.stderr)
            self.assertEqual(self.files(), before)

    def test_a_finished_run_gives_a_model_that_was_lost(self):
        self.train("--save", "m", "--checkpoint", "c")
        model = self.read("m")
        os.unlink(self.folder / "m")
        self.run_program("--resume", "c", "--save", "m")
        self.assertEqual(self.read("m"), model)

    def test_a_finished_run_replaces_the_model_of_an_earlier_part(self):
        """As after a kill between the last checkpoint and the last model."""
        self.train("--save", "m", "--checkpoint", "c")
        model = self.read("m")
        self.train("--save", "part", "--epochs", "1")
        self.assertNotEqual(self.read("part"), model)
        os.replace(self.folder / "part", self.folder / "m")
        self.run_program("--resume", "c", "--save", "m")
        self.assertEqual(self.read("m"), model)

    def test_options_that_change_the_run_are_refused(self):
        self.train("--no-save", "--checkpoint", "c")
        for words, parts in ((["--hidden", "9"], ["'9'", "'8'"]),
                             (["--lr", "0.1"], ["'0.1'", "'0.001'"]),
                             (["--seed", "8"], ["is 8", "expected 7"]),
                             (["--epochs", "1"], ["is 1", "at least 2"]),
                             (["--bidirectional"], ["'given'", "'not given'"]),
                             (["--schedule", "cosine"], ["'cosine'", "'not given'"]),
                             (["--validation", "9"], ["'9'"]),
                             (["--precision", "bf16"], ["'bf16'", "'fp32'"]),
                             (["--synthetic=300"], ["'300'", "'400'"])):
            with self.subTest(words):
                self.refuse("--resume", "c", *words, parts=[words[0].split("=")[0], *parts],
                            status=2)
        self.run_program("--resume", "c", "--hidden", "8", "--seed", "7", "--threads", "2",
                         "--batch-size", "64", "--quiet", "--eval", "none")

    def test_other_files_are_no_checkpoints(self):
        self.train("--save", "m", "--checkpoint", "c")
        self.refuse("--resume", "m", parts=["m: metadata mnist-train is missing"])
        (self.folder / "text").write_text("text")
        self.refuse("--resume", "text", parts=["text"])

    def test_the_log_is_continued(self):
        """After SIGKILL the log has steps that the checkpoint does not have, and after a
        loss of power anything."""
        self.run_program(*SMALL, "--epochs", "20", "--save", "whole", "--log", "whole.csv")
        columns = lambda name: [line.rsplit(b",", 1)[0]  # noqa: E731
                                for line in self.read(name).splitlines()]
        for number, rest in ((signal.SIGKILL, b"19,7"),
                             (signal.SIGTERM, bytes(500) + b"\xff,\n" + bytes(9))):
            with self.subTest(number):
                process = self.start("--epochs", "20", "--save", "m", "--log", "l.csv",
                                     "--checkpoint", "c", "--force")
                process.send_signal(number)
                process.communicate(timeout=500)
                self.assertLess(len(columns("l.csv")), 141, "the run ended too early")
                with open(self.folder / "l.csv", "ab") as file:
                    file.write(rest)
                self.run_program("--resume", "c", "--log", "l.csv", "--save", "m", "--force")
                self.assertEqual(columns("l.csv"), columns("whole.csv"))
                self.assertEqual(self.read("m"), self.read("whole"))

    def test_the_log_of_another_run_is_refused(self):
        self.train("--no-save", "--log", "l", "--checkpoint", "c")
        self.run_program(*SMALL, "--epochs", "4", "--seed", "8", "--no-save", "--log", "other")
        resume = ["--quiet", "--resume", "c", "--epochs", "4", "--log"]
        self.refuse(*resume, "other", parts=["other: the log is of another run"])
        lines = self.read("l").splitlines(True)
        (self.folder / "short").write_bytes(b"".join(lines[:-1]))
        self.refuse(*resume, "short", parts=["ends at step 6 of epoch 2", "expected step 7"])
        (self.folder / "text").write_text("a,b\n1,2\n")
        self.refuse(*resume, "text", parts=["is not a log"])
        self.train("--no-save", "--log", "m", "--force")
        self.refuse(*SMALL, "--no-save", "--log", "l", parts=["l: the log exists", "--force"])


class Signals(Folder):
    def test_each_signal_saves_and_is_the_status(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process = self.start("--epochs", "100000", "--save", "m", "--checkpoint", "c",
                                     "--log", "l", "--force")
                process.send_signal(number)
                _, stderr = process.communicate(timeout=500)
                self.assertEqual(process.returncode, 128 + number, stderr)
                self.assertIn(f"interrupted by {number.name}", stderr)
                self.assertIn("saved m", stderr)
                lines = self.read("l").splitlines()
                epoch = int(lines[-1].split(b",")[0])
                self.run_program("--resume", "c", "--epochs", "100000", "--log", "l", "--data",
                                 "none", status=2)
                self.run_program("--load", "m", "--epochs", "0", "--synthetic=400")
                self.assertGreater(epoch, 0)

    def test_ignored_signals_stay_ignored(self):
        """As under nohup."""
        def ignore():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        process = self.start("--epochs", "20", "--save", "m", before=ignore)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        _, stderr = process.communicate(timeout=500)
        self.assertEqual(process.returncode, 0, stderr)

    def test_a_lost_terminal_does_not_lose_the_model(self):
        process = self.start("--epochs", "100000", "--save", "m", "--checkpoint", "c")
        process.stdout.close()
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        process.wait(timeout=500)
        self.assertTrue((self.folder / "c").exists())

    def test_checkpoints_come_between_epochs(self):
        process = self.start("--epochs", "100000", "--eval", "none", "--no-save",
                             "--checkpoint", "c", "--checkpoint-every", "2")
        process.kill()
        process.communicate(timeout=500)
        result = self.run_program("--resume", "c", "--epochs", "100000", "--batch-size", "32",
                                  status=2)
        self.assertIn("--batch-size", result.stderr)
        for text in ("0", "x", "10h", "1.5", "-1", "s", ""):
            self.run_program("--checkpoint", "d", f"--checkpoint-every={text}", status=2)
        self.run_program("--checkpoint-every", "9", status=2)
        for text in ("600s", "10m", "1000"):
            self.train("--no-save", "--checkpoint", "d", "--checkpoint-every", text, "--force")


class Others(Folder):
    def test_a_file_of_another_run_is_refused(self):
        for option, name in (("--save", "m"), ("--checkpoint", "c"), ("--log", "l")):
            saving = [] if option == "--save" else ["--no-save"]
            self.train(option, name, *saving)
            self.refuse(*SMALL, option, name, *saving, parts=[name, "exists", "--force"])
            self.refuse(*SMALL, option, f"../{self.folder.name}/{name}", *saving,
                        parts=["exists"])
            self.train(option, name, *saving, "--force")
        self.train()
        self.refuse(*SMALL, parts=["mnist-lstm.safetensors", "--force"])

    def test_a_resumed_run_replaces_its_own_model_only(self):
        self.train("--save", "m", "--checkpoint", "c")
        self.run_program("--resume", "c", "--epochs", "3", "--save", "m")
        self.train("--save", "n", "--seed", "8")
        self.refuse("--resume", "c", "--epochs", "4", "--save", "n",
                    parts=["n: exists and is not of this run"])

    def test_one_file_for_two_things_is_refused(self):
        os.symlink("new", self.folder / "link")
        for name in ("save", "log", "checkpoint"):
            self.refuse(*SMALL, "--" + name, "-", parts=[f"--{name} is '-', expected"], status=2)
        for first, second in ((["--save", "x"], ["--checkpoint", "./x"]),
                              (["--save", "x"], ["--log", self.folder / "x"]),
                              (["--log", "x"], ["--checkpoint", "x"])):
            self.refuse(*SMALL, *first, *second, parts=["are the same file"], status=2)
        self.train("--save", "m", "--checkpoint", "c")
        os.link(self.folder / "m", self.folder / "hard")
        os.symlink("m", self.folder / "soft")
        for name in ("m", "hard", "soft"):
            self.refuse(*SMALL, "--load", "m", "--save", name, parts=["same file"], status=2)
        self.refuse("--resume", "c", "--save", "c", parts=["same file"], status=2)

    def test_a_model_that_another_program_wrote_is_kept(self):
        """The run saves beside it."""
        process = self.start("--epochs", "100000", "--save", "m.safetensors")
        (self.folder / "m.safetensors").write_text("other")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=500)
        self.assertIn("saved m-1.safetensors", stderr)
        self.assertEqual(self.read("m.safetensors"), b"other")
        self.run_program("--load", "m-1.safetensors", "--epochs", "0", "--synthetic=400")

    def test_a_file_that_another_run_writes_is_refused(self):
        """Also over a link. The lock of a killed run does not count."""
        self.train("--no-save", "--checkpoint", "c", "--log", "l")
        os.symlink("m", self.folder / "soft")
        wanted = ["--resume", "c", "--epochs", "100000", "--save", "m", "--log", "l"]
        process = subprocess.Popen([PROGRAM, *wanted], cwd=self.folder, preexec_fn=clear,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()

        def names():
            """Without those of saves of the process that runs."""
            return {name for name in os.listdir(self.folder) if not name.endswith(".tmp")}

        before = names()
        other = [*SMALL, "--epochs", "1", "--force"]
        for name, words in (("c", ["--resume", "c", "--epochs", "100000", "--no-save"]),
                            ("c", [*other, "--checkpoint", "c", "--no-save"]),
                            ("m", [*other, "--save", "m"]), ("soft", [*other, "--save", "soft"]),
                            ("l", [*other, "--no-save", "--log", "l"])):
            with self.subTest(words):
                result = self.run_program(*words, status=1)
                self.assertIn(f"mnist-train: {name}: another run uses it", result.stderr)
        self.assertEqual(names(), before)
        process.kill()
        process.wait(timeout=500)
        process.stdout.close()
        self.run_program(*other, "--checkpoint", "c", "--save", "m", "--log", "l")
        self.assertEqual(sorted(self.files()), ["c", "l", "m", "soft"])

    def test_a_log_that_fails_does_not_take_the_model(self):
        """A limit of the size of files is a disk that is full for the log alone."""
        def limit():
            clear()
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
        process = self.start("--epochs", "300", "--hidden", "4", "--log", "l", "--save", "m",
                             "--checkpoint", "c", before=limit, wait=False)
        stdout, stderr = process.communicate(timeout=500)
        self.assertEqual(process.returncode, 1)
        self.assertIn("mnist-train: l: File too large", stderr)
        self.assertEqual(sorted(self.files()), ["c", "l", "m"])
        lines = self.read("l").decode().splitlines()
        epoch, step = map(int, lines[-2].split(",")[:2])
        result = self.run_program("--resume", "c", "--save", "m")
        place = re.search(r"after step (\d+) of epoch (\d+)", result.stderr)
        self.assertIn(7 * int(place[2]) + int(place[1]) - 7 * epoch - step, (1, 2))

    def test_an_output_that_fails_does_not_take_the_model(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, *SMALL, "--save", "m", "--checkpoint", "c"],
                                    cwd=self.folder, stdout=full, stderr=subprocess.PIPE,
                                    text=True, timeout=500)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output: No space left", result.stderr)
        self.assertEqual(sorted(self.files()), ["c", "m"])
        self.run_program("--resume", "c", "--save", "m")

    def test_the_command_line_of_long_names_is_whole(self):
        name = "/".join(["'" * 250] * 9)
        (self.folder / name).mkdir(parents=True)
        paths = {f"--{kind}": f"{name}/{kind}" for kind in ("save", "log")}
        self.train("--checkpoint", "c", *[word for pair in paths.items() for word in pair])
        line = [line for line in self.run_program("--resume", "c").stderr.splitlines()
                if "--resume" in line][0]
        words = shlex.split(line[line.index("mnist-train --resume"):])
        self.assertGreater(len(line), 18000)
        self.assertEqual(dict(zip(words[3::2], words[4::2])), paths)

    def test_a_folder_that_vanishes_does_not_take_the_model(self):
        place, safe = self.folder / "place", self.folder / "safe"
        place.mkdir()
        safe.mkdir()
        process = subprocess.Popen([PROGRAM, *SMALL, "--epochs", "100000", "--save",
                                    str(place / "m.safetensors")], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=clear, env={**os.environ, "TMPDIR": str(safe)})
        process.stdout.readline()
        shutil.rmtree(place)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=500)
        self.assertEqual(process.returncode, 1)
        self.assertIn("place/m.safetensors: No such file", stderr)
        self.assertIn("safe/m-1.safetensors instead", stderr)
        self.run_program("--load", safe / "m-1.safetensors", "--epochs", "0", "--synthetic=400")

    def test_modes_and_links_stay(self):
        self.train("--save", "m", "--checkpoint", "c")
        os.chmod(self.folder / "m", 0o600)
        os.chmod(self.folder / "c", 0o640)
        os.symlink("m", self.folder / "link")
        self.run_program("--resume", "c", "--epochs", "3", "--save", "link")
        mode = lambda name: stat.S_IMODE((self.folder / name).stat().st_mode)  # noqa: E731
        self.assertEqual((mode("m"), mode("c")), (0o600, 0o640))
        self.assertTrue((self.folder / "link").is_symlink())
        self.run_program("--load", "m", "--epochs", "0", "--synthetic=400")
        os.chmod(self.folder / "m", 0o444)
        self.refuse("--resume", "c", "--epochs", "4", "--save", "m", "--force",
                    parts=["write-protected (mode 444)"])

    def test_what_a_killed_save_left_is_removed(self):
        self.train("--save", "m")
        for number in range(3):
            (self.folder / f"m.{number + 1}.0.tmp").write_text("x")
        self.train("--save", "m", "--force")
        self.assertEqual(sorted(self.files()), ["m"])


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
