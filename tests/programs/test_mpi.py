"""Tests mnist-train with mpirun: the bits of one process, and how a run ends.

usage: test_mpi.py MPIRUN PROGRAM PLAIN

PROGRAM is built with the MPI of MPIRUN. PLAIN may be built with another one.
"""
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import test_ranks

MPIRUN = PROGRAM = PLAIN = None
ENVIRONMENT = {**os.environ, **test_ranks.MPI}
LIMIT = 100


class Mpi(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mpi-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, ranks, *words, program=None):
        """A run in a session of its own, so that all of it can be ended."""
        process = subprocess.Popen(
            [MPIRUN, "-n", str(ranks), program or PROGRAM, *map(str, words)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            cwd=self.folder, env=ENVIRONMENT, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        for rank in self.ranks():
            os.kill(rank, signal.SIGKILL)

    def ranks(self):
        """The processes of the program in the folder of this test."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (os.readlink(path / "cwd") == str(self.folder) and
                        os.readlink(path / "exe") == str(PROGRAM) and
                        ") Z" not in (path / "stat").read_text()):
                    rank = dict(item.split("=", 1) for item in (
                        path / "environ").read_text().split("\0") if "=" in item)
                    number = rank.get("OMPI_COMM_WORLD_RANK", rank.get("PMI_RANK"))
                    if number:  # a process that ends has no environment
                        found.append((int(number), int(path.name)))
            except OSError:
                continue
        return [process for _, process in sorted(found)]

    def finish(self, process, status):
        started = time.monotonic()
        output, errors = process.communicate(timeout=LIMIT)
        if status is None:
            self.assertNotEqual(process.returncode, 0)
        else:
            self.assertEqual(process.returncode, status, errors)
        while self.ranks() and time.monotonic() < started + 10:
            time.sleep(0.05)
        self.assertEqual(self.ranks(), [])
        return output, errors

    def run_mpi(self, ranks, *words, status=0, program=None):
        return self.finish(self.start(ranks, *words, program=program), status)

    def run_plain(self, *words):
        subprocess.run([PLAIN, *map(str, words)], check=True, cwd=self.folder, timeout=LIMIT,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def test_the_bits_are_those_of_one_process(self):
        words = [*test_ranks.SMALL, *test_ranks.FULL, "--batch-size", "41", "--shards", "7",
                 "--epochs", "3", "--threads", "1"]
        self.run_plain(*words, "--save", "m")
        for ranks in 2, 3:
            output, errors = self.run_mpi(ranks, *words, "--save", "n")
            self.assertEqual(self.read("n"), self.read("m"))
            self.assertEqual(output.count("Epoch [1/3], Validation"), 1)
            self.assertIn(f"{ranks} ranks of 1 thread", errors)
            self.assertEqual(errors.count("saved n"), 1)

    def test_a_random_seed_is_the_same_everywhere(self):
        words = ["--synthetic=200", "--hidden", "8", "--shards", "2", "--epochs", "1"]
        _, errors = self.run_mpi(2, *words, "--save", "m")
        seed = errors.split("\nseed ")[1].split(",")[0]
        self.run_plain(*words, "--seed", seed, "--save", "n")
        self.assertEqual(self.read("m")[8 + int.from_bytes(self.read("m")[:8], "little"):],
                         self.read("n")[8 + int.from_bytes(self.read("n")[:8], "little"):])

    def test_a_run_goes_on_with_other_ranks(self):
        words = [*test_ranks.SMALL, *test_ranks.FULL, "--shards", "4", "--threads", "1"]
        self.run_plain(*words, "--epochs", "3", "--save", "m")
        self.run_mpi(2, *words, "--epochs", "1", "--no-save", "--checkpoint", "c")
        self.run_mpi(3, "--resume", "c", "--epochs", "2", "--threads", "1")
        self.run_plain("--resume", "c", "--epochs", "3", "--save", "n", "--ranks", "2")
        self.assertEqual(self.read("n"), self.read("m"))
        self.run_mpi(2, "--resume", "c", "--epochs", "3")

    def wait_for_lines(self, process, count):
        for _ in range(count):
            process.stdout.readline()

    def long(self, *words):
        return [*test_ranks.SMALL, "--epochs", "5000", "--threads", "1", "--log-every", "1",
                "--shards", "4", "--eval", "none", *words]

    def test_a_rank_that_is_killed_ends_all(self):
        process = self.start(3, *self.long("--no-save", "--checkpoint", "c"))
        self.wait_for_lines(process, 12)
        ranks = self.ranks()
        self.assertEqual(len(ranks), 3)
        started = time.monotonic()
        os.kill(ranks[1], signal.SIGKILL)
        output, errors = self.finish(process, None)
        self.assertLess(time.monotonic() - started, 10)
        # MPICH's mpirun does not name the rank.
        self.assertRegex(output + errors, r"process rank 1 with PID .* signal 9|"
                                          r"Killed \(signal 9\)")
        # The checkpoint is that of an epoch, with which other ranks go on.
        process = subprocess.Popen([PLAIN, "--resume", "c", "--ranks", "2"], cwd=self.folder,
                                   text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        self.assertRegex(process.stdout.readline(), r"Epoch \[\d+/5000\], Step \[1/5\]")
        process.terminate()
        process.communicate(timeout=LIMIT)

    def test_a_signal_to_a_rank_ends_all_with_a_checkpoint(self):
        process = self.start(2, *self.long("--no-save", "--checkpoint", "c"))
        self.wait_for_lines(process, 12)
        os.kill(self.ranks()[1], signal.SIGTERM)
        _, errors = self.finish(process, None)
        self.assertIn("interrupted by SIGTERM", errors)

    def test_a_failure_of_rank_0_ends_all(self):
        _, errors = self.run_mpi(2, *self.long("--no-save", "--log", "/dev/full"), status=None)
        self.assertIn("/dev/full", errors)

    def test_a_program_without_this_mpi_is_refused(self):
        """It would train several times, and each would write the same files."""
        process = self.start(2, "--synthetic=90", "--shards", "2", "--epochs", "1", "--save",
                             "m", program=PLAIN)
        _, errors = process.communicate(timeout=LIMIT)
        if process.returncode == 0:
            self.assertEqual(errors.count("2 ranks of"), 1)
        else:
            self.assertRegex(errors, "started as one of 2 processes(, but built without| by "
                                     "another) MPI")

    def test_ranks_with_other_images_are_refused(self):
        """Of the same number and size, as on machines with other files."""
        for rank in range(2):
            place = self.folder / f"data{rank}"
            place.mkdir()
            for part in ("train", "t10k"):
                (place / f"{part}-images-idx3-ubyte").write_bytes(
                    struct.pack(">4I", 0x803, 8, 5, 5) + bytes([rank]) * 200)
                (place / f"{part}-labels-idx1-ubyte").write_bytes(
                    struct.pack(">2I", 0x801, 8) + bytes(range(8)))
        own = "MNIST_DIR=data${OMPI_COMM_WORLD_RANK:-$PMI_RANK} exec "
        same = own.replace("data$", "data0 ignored=$")
        for command, status in ((same, 0), (own, None)):
            _, errors = self.run_mpi(2, "-c", f'{command}"$0" "$@"', PROGRAM, "--shards", "2",
                                     "--epochs", "1", "--hidden", "4", "--batch-size", "4",
                                     "--seed", "1", "--no-save", program="sh", status=status)
            self.assertEqual(errors.count("rank 1 has other options, data or a checkpoint"),
                             int(command == own), errors)

    def test_what_does_not_fit_is_refused_once(self):
        for words, message in (
                (["--shards", "2"], "mpirun started 3 ranks, expected at most --shards 2"),
                (["--shards", "4", "--ranks", "2"],
                 "--ranks cannot be combined with mpirun, which started 3 ranks"),
                (["--shards", "4", "--epochs", "0"], "mpirun cannot be combined with --epochs 0"),
                (["--shards", "x"], "--shards is 'x', expected an integer from 1 to 1024")):
            _, errors = self.run_mpi(3, "--synthetic=90", "--no-save", *words, status=None)
            self.assertEqual(errors.count(f"mnist-train: {message}"), 1, errors)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    MPIRUN, PROGRAM, PLAIN = map(os.path.abspath, sys.argv[1:4])
    unittest.main(argv=sys.argv[:1])
