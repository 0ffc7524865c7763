"""Tests --ranks of mnist-train: the same bits for any number of ranks, and what happens
when one ends.

usage: test_ranks.py PROGRAM
       test_ranks.py --full PROGRAM [NAME=MPIRUN,PROGRAM...]

--full compares the models of ranks x threads, also of other programs that are started by
mpirun, and prints their hashes.
"""
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402

PROGRAM = None
# mpirun of Open MPI as root, and with more processes than processors.
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
       "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
       "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
       "OMPI_MCA_btl_base_warn_component_unused": "0"}
# 300 images: four batches of 64 and one of 44.
SMALL = ["--synthetic=300", "--batch-size", "64", "--hidden", "8", "--layers", "2",
         "--seed", "7", "--lr", "0.01", "--force"]
# Everything that draws random numbers or keeps something between steps.
FULL = ["--dropout", "0.3", "--bidirectional", "--clip-norm", "0.5", "--ema", "0.9",
        "--augment", "shift:2,rotate:12", "--schedule", "plateau:patience=0,threshold=0.5",
        "--label-smoothing", "0.1", "--weight-decay", "0.01", "--validation", "50",
        "--keep", "best"]
LONG = [*SMALL, "--epochs", "5000", "--threads", "1", "--log-every", "1", "--shards", "6",
        "--eval", "none"]


def group_of(process):
    """The processes of a group that have not ended, in the order of their start. Numbers of
    processes begin again after the largest one."""
    found = []
    numbers = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text())
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == process and fields[0] != "Z":
            found.append(int(path.parent.name))
    return sorted(found, key=lambda number: (number - process) % numbers)


class Ranks(InFolder):
    def model(self, *words, epochs=2):
        self.run_program(*SMALL, "--epochs", epochs, "--save", "m", *words)
        return (self.folder / "m").read_bytes()

    def start(self, *words, lines=4, before=None):
        """Starts a run in a group of its own, and waits until it has printed some lines."""
        process = subprocess.Popen([PROGRAM, *LONG, *map(str, words)], text=True,
                                   cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True,
                                   preexec_fn=before)
        self.addCleanup(lambda: [os.kill(p, signal.SIGKILL) for p in group_of(process.pid)])
        for _ in range(lines):
            process.stdout.readline()
        return process

    def finish(self, process, status):
        """What a run printed as errors, after all of its ranks have ended."""
        started = time.monotonic()
        self.output, errors = process.communicate(timeout=100)
        while group_of(process.pid) and time.monotonic() < started + 10:
            time.sleep(0.05)
        self.assertEqual(group_of(process.pid), [])
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(process.returncode, status, errors)
        return errors

    def goes_on(self, words, whole, ranks, *more):
        """The run of the checkpoint ends with the model of a run without interruption."""
        self.run_program("--resume", "c", "--epochs", "5000", "--ranks", ranks, *more,
                         "--save", "r", "--force", *words)
        self.assertEqual((self.folder / "r").read_bytes(), whole)


class Bits(Ranks):
    def test_ranks_and_threads_keep_the_bits(self):
        whole = self.model("--shards", "8")
        self.assertNotEqual(whole, self.model("--shards", "4"))
        for ranks, threads in (2, 1), (3, 2), (4, 1), (8, 1):
            with self.subTest(ranks=ranks, threads=threads):
                self.assertEqual(self.model("--shards", "8", "--ranks", ranks, "--threads",
                                            threads), whole)

    def test_uneven_shards_and_all_options_keep_the_bits(self):
        """The last batch has fewer images than shards."""
        for more, numbers in ([], (2, 3, 5, 7)), (["--read", "both"], (3,)):
            words = [*FULL, *more, "--batch-size", "41", "--shards", "7", "--epochs", "4"]
            whole = self.model(*words)
            for ranks in numbers:
                with self.subTest(ranks=ranks, more=more):
                    self.assertEqual(self.model(*words, "--ranks", ranks), whole)

    def test_fewer_images_than_ranks(self):
        words = ["--synthetic=5", "--shards", "8"]
        self.assertEqual(self.model(*words, "--ranks", "8"), self.model(*words))

    def test_output_and_log_are_those_of_one_rank(self):
        words = [*SMALL, *FULL, "--epochs", "3", "--shards", "5", "--no-save", "--log-every",
                 "2"]
        one = self.run_program(*words, "--log", "one")
        two = self.run_program(*words, "--log", "two", "--ranks", "3")
        self.assertEqual(one.stdout, two.stdout)
        columns = [[line.split(",")[:4] for line in (self.folder / name).read_text().splitlines()]
                   for name in ("one", "two")]
        self.assertEqual(*columns)
        self.assertRegex(two.stderr, r"seed 7, 3 ranks of 1 thread, ")
        self.assertRegex(two.stderr, r"epoch 1: 4 steps in .* ms each, \d+\.\d+ ms of it in "
                                     r"the exchange\n")
        self.assertNotIn("exchange", one.stderr)

    def test_patience_ends_all_ranks(self):
        words = [*SMALL, "--validation", "50", "--patience", "1", "--lr", "1e-30", "--epochs",
                 "50", "--shards", "4", "--no-save"]
        result = self.run_program(*words, "--ranks", "4")
        self.assertEqual(result.stdout, self.run_program(*words).stdout)
        self.assertIn("the validation has not improved for 1 epoch", result.stderr)

    def test_a_resumed_run_keeps_the_bits_with_other_ranks(self):
        words = ["--shards", "6", *FULL]
        whole = self.model(*words, epochs=3)
        self.run_program(*SMALL, *words, "--epochs", "1", "--no-save", "--checkpoint", "c",
                         "--ranks", "4")
        for ranks in 1, 3:
            (self.folder / "d").write_bytes((self.folder / "c").read_bytes())
            self.run_program("--resume", "d", "--epochs", "3", "--save", "r", "--force",
                             "--ranks", ranks)
            self.assertEqual((self.folder / "r").read_bytes(), whole)

    def test_the_page_of_a_training_has_the_ranks(self):
        self.run_program(*SMALL, "--epochs", "1", "--shards", "4", "--ranks", "2",
                         "--threads", "1", "--no-save", "--report", "p.html")
        self.assertIn("2 ranks of 1 thread", (self.folder / "p.html").read_text())


class Ends(Ranks):
    """Runs that end before their last epoch. They are resumed to an early end: the epochs
    of a checkpoint can only grow, so a second run without interruption is compared."""

    def check_resumed(self, ranks):
        """A checkpoint goes on with the same bits with any number of ranks, a little."""
        state = (self.folder / "c").read_bytes()
        logs = []
        for number in 1, ranks:
            (self.folder / "c").write_bytes(state)
            log = f"log-{number}"
            process = subprocess.Popen(
                [PROGRAM, "--resume", "c", "--ranks", str(number), "--threads", "1", "--force",
                 "--log", log], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, start_new_session=True)
            for _ in range(15):
                process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=100)
            self.assertEqual(process.returncode, 143)
            lines = (self.folder / log).read_text().splitlines()[1:11]
            logs.append([line.split(",")[:4] for line in lines])
        self.assertEqual(len(logs[0]), 10)
        self.assertEqual(*logs)

    def test_a_signal_to_any_rank_ends_all_with_a_checkpoint(self):
        for rank, number in (0, signal.SIGTERM), (0, signal.SIGINT), (2, signal.SIGTERM):
            with self.subTest(rank=rank, signal=number):
                process = self.start("--ranks", "3", "--no-save", "--checkpoint", "c")
                os.kill(group_of(process.pid)[rank], number)
                errors = self.finish(process, 128 + number)
                self.assertIn(f"interrupted by {number.name}", errors)
        self.check_resumed(2)

    def test_a_signal_to_all_ranks_ends_all_with_a_checkpoint(self):
        process = self.start("--ranks", "3", "--save", "m", "--checkpoint", "c")
        os.killpg(process.pid, signal.SIGINT)
        self.assertIn("interrupted by SIGINT", self.finish(process, 130))
        self.assertTrue((self.folder / "m").exists())
        self.check_resumed(6)

    def test_a_rank_that_is_killed_ends_all(self):
        """Also if the shell ignores the end of its processes."""
        ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        process = self.start("--ranks", "3", "--no-save", "--checkpoint", "c", before=ignore)
        ranks = group_of(process.pid)
        self.assertEqual(len(ranks), 3)
        os.kill(ranks[2], signal.SIGKILL)
        errors = self.finish(process, 1)
        self.assertIn(f"mnist-train: rank 2, process {ranks[2]}, was killed by signal 9 "
                      "(Killed)\n", errors)
        self.check_resumed(2)

    def test_a_rank_that_is_killed_while_rank_0_evaluates_ends_all(self):
        """After the last step of the epoch the others only wait."""
        process = self.start("--ranks", "2", "--no-save", "--synthetic=60000", "--validation",
                             "59000", "--shards", "2", "--hidden", "64", lines=16)
        os.kill(group_of(process.pid)[1], signal.SIGKILL)
        self.assertIn("rank 1, process", self.finish(process, 1))
        self.assertEqual(self.output, "")

    def test_the_others_end_after_rank_0(self):
        process = self.start("--ranks", "3", "--no-save", "--checkpoint", "c")
        process.kill()
        errors = self.finish(process, -9)
        said = f"rank 0, process {process.pid}, has ended: the other ranks end too\n"
        self.assertEqual(errors.count(said), 1)
        # The files are no longer locked.
        self.run_program("--resume", "c", "--ranks", "2", "--epochs", "5000", "--patience",
                         "1", status=2)

    def test_a_rank_that_stands_still_ends_nothing(self):
        process = self.start("--ranks", "2", "--no-save")
        rank = group_of(process.pid)[1]
        os.kill(rank, signal.SIGSTOP)
        time.sleep(1)
        self.assertEqual(len(group_of(process.pid)), 2)
        os.kill(rank, signal.SIGCONT)
        process.stdout.readline()
        process.terminate()
        self.finish(process, 143)

    def test_the_others_have_no_files_of_rank_0(self):
        """Neither its log nor the locks of its files."""
        process = self.start("--ranks", "2", "--no-save", "--checkpoint", "c", "--log", "l")
        first, other = (os.listdir(f"/proc/{rank}/fd") for rank in group_of(process.pid))
        self.assertGreater(len(first), 3)
        self.assertEqual(sorted(other), ["0", "1", "2"])
        process.terminate()
        self.finish(process, 143)

    def test_a_failure_of_rank_0_ends_all(self):
        process = self.start("--ranks", "3", "--no-save", "--log", "/dev/full", lines=0)
        self.assertIn("/dev/full", self.finish(process, 1))

    def test_a_run_that_diverges_ends_all(self):
        words = [*SMALL, "--epochs", "9", "--shards", "3", "--no-save", "--lr", "1e6",
                 "--weight-decay", "1e6", "--decoupled"]
        one = self.run_program(*words, status=1)
        many = self.run_program(*words, "--ranks", "3", status=1)
        self.assertIn("the run diverged", many.stderr)
        self.assertEqual(one.stdout, many.stdout)

    def change_weights(self, process, pattern):
        """Flips a bit of each copy of some bytes in the memory of a process."""
        found = 0
        with open(f"/proc/{process}/mem", "r+b", buffering=0) as memory:
            for line in pathlib.Path(f"/proc/{process}/maps").read_text().splitlines():
                first, end, flags = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
                start, size = int(first, 16), int(end, 16) - int(first, 16)
                if not flags.startswith("rw-p") or size > 1 << 28:
                    continue
                try:
                    memory.seek(start)
                    data = memory.read(size)
                except OSError:
                    continue
                for match in re.finditer(re.escape(pattern), data):
                    memory.seek(start + match.start())
                    memory.write(bytes([pattern[0] ^ 1]))
                    found += 1
        return found

    def test_other_parameters_end_all(self):
        """A network that does not learn keeps its weights, which are then changed in the
        memory of one rank."""
        words = ["--lr", "1e-30", "--shards", "6"]
        model = self.model(*words)
        weights = model[-360:-328]  # of the linear layer
        process = self.start("--ranks", "3", "--save", "n", "--checkpoint", "c", *words)
        try:
            found = self.change_weights(group_of(process.pid)[1], weights)
        except PermissionError:
            self.skipTest("the memory of another process cannot be read")
        self.assertGreater(found, 0)
        errors = self.finish(process, 1)
        self.assertRegex(errors, r"mnist-train: step \d+ of epoch \d+: rank 1 has other "
                                 r"parameters than rank 0\n\Z")
        self.assertFalse((self.folder / "n").exists())


class Refusals(Ranks):
    def test_ranks_that_do_not_fit_are_refused(self):
        for words, message in (
                (["--ranks", "2"], "--ranks is 2, expected at most --shards 1"),
                (["--ranks", "5", "--shards", "4"], "--ranks is 5, expected at most --shards 4"),
                (["--ranks", "65", "--shards", "65"],
                 "--ranks is '65', expected an integer from 1 to 64"),
                (["--ranks", "2", "--shards", "2", "--epochs", "0"],
                 "--ranks cannot be combined with --epochs 0")):
            result = self.run_program(*words, "--synthetic=9", "--no-save", status=2)
            self.assertIn(f"mnist-train: {message}", result.stderr)

    def test_a_checkpoint_with_fewer_shards_is_refused(self):
        self.run_program(*SMALL, "--epochs", "1", "--shards", "2", "--no-save", "--checkpoint",
                         "c")
        result = self.run_program("--resume", "c", "--epochs", "2", "--ranks", "3", status=2)
        self.assertIn("--ranks is 3, expected at most --shards 2", result.stderr)

    def test_a_rank_that_cannot_be_started_ends_all(self):
        """As root no limit of processes applies."""
        if os.geteuid() == 0:
            self.skipTest("for root no limit of processes applies")
        import resource
        limit = lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        result = subprocess.run([PROGRAM, *SMALL, "--shards", "2", "--ranks", "2", "--no-save"],
                                text=True, capture_output=True, preexec_fn=limit,
                                cwd=self.folder, timeout=100)
        self.assertEqual(result.returncode, 1)
        self.assertIn("rank 1 cannot be started", result.stderr)


def train(name, command):
    """Runs a training of --full; ends the script with what it printed if it fails."""
    try:
        done = subprocess.run(command, timeout=300, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, env={**os.environ, **MPI})
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"test_ranks.py: {name}: {error}")
    if done.returncode:
        sys.exit(f"test_ranks.py: {name}: {' '.join(command)} ends with {done.returncode}:\n"
                 f"{done.stdout[-1000:]}{done.stderr[-3000:]}")


def compare(programs):
    """Trains with ranks x threads x transports; returns the number of different models."""
    # Batches of 100 and one of 50, which 8 shards do not divide evenly.
    words = ["--synthetic=750", "--batch-size", "100", "--hidden", "24", "--shards", "8",
             "--seed", "3", "--epochs", "2", "--eval", "none", "--force", "--quiet", *FULL[:-4]]
    hashes = {}
    for name, command in programs:
        for ranks in 1, 2, 3, 4, 8:
            for threads in 1, 2:
                with tempfile.TemporaryDirectory(prefix="ranks-") as folder:
                    model = os.path.join(folder, "m")
                    train(name, [*command(ranks), *words, "--threads", str(threads),
                                 "--save", model])
                    data = pathlib.Path(model).read_bytes()
                digest = hashlib.sha256(data).hexdigest()[:16]
                hashes.setdefault(digest, []).append((name, ranks, threads))
                print(f"{digest}  {name}, {ranks} x {threads}", flush=True)
    count = sum(map(len, hashes.values()))
    print(f"{count} combinations, {len(hashes)} model{'s' if len(hashes) > 1 else ''}")
    return len(hashes)


def full(program, others):
    programs = [("shared memory", lambda ranks: [program, "--ranks", str(ranks)])]
    for other in others:
        name, _, command = other.partition("=")
        start, _, path = command.partition(",")
        if not path:
            sys.exit(f"test_ranks.py: '{other}' is not NAME=MPIRUN,PROGRAM")
        programs.append((name, lambda ranks, start=start, path=path: [
            *start.split(), "-n", str(ranks), os.path.abspath(path)]))
    return compare(programs) != 1


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1:] in (["--full"], ["-h"], ["--help"]):
        print(__doc__.split("\n\n", 1)[1].strip())
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    if sys.argv[1] == "--full":
        sys.exit(full(os.path.abspath(sys.argv[2]), sys.argv[3:]))
    # A shell starts programs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    PROGRAM = InFolder.program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
