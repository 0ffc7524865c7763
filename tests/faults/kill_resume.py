"""Kills trainings at random moments, resumes them until they end, and compares their models
and logs with those of runs that nobody killed.

usage: kill_resume.py PROGRAM [--count N] [--seed N] [--jobs N] [--verbose]

PROGRAM is mnist-train. Each of the --count trainings has options drawn at random: threads,
dropout, schedule, precision, validation, sizes, order of pixels, changed images, shards. It is
killed by SIGTERM, SIGINT, SIGHUP or SIGKILL after a random share of the time of the whole run,
perhaps several times, each time with another number of threads and of ranks. The model must then
be equal byte for byte, and the log but for the seconds. A kill counts if it ended the program.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from arguments import existing  # noqa: E402

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)
SCHEDULES = ("step:every=2,gamma=0.5", "multistep:at=1,at=3,gamma=0.3", "cosine:warmup=1",
             "exponential:gamma=0.8", "one-cycle", "plateau:patience=0,threshold=0.1",
             "plateau:patience=0,cooldown=1")
LIMIT = 120


def draw(rng):
    """The options of a training."""
    words = [f"--synthetic={rng.choice((200, 333, 600))}", "--batch-size",
             str(rng.choice((16, 25, 64))), "--hidden", str(rng.choice((8, 17, 33))),
             "--epochs", str(rng.randint(3, 6)), "--seed", str(rng.randrange(1000)),
             "--no-progress", "--log-every", "5"]
    layers = rng.choice((1, 2, 2, 3))
    words += ["--layers", str(layers)]
    if layers > 1 and rng.random() < 0.5:
        words += ["--dropout", str(rng.choice((0.1, 0.5)))]
    schedule = rng.choice((None, *SCHEDULES))
    if schedule:
        words += ["--schedule", schedule]
    # A plateau needs an accuracy of each epoch.
    validated = rng.random() < 0.4 or (schedule or "").startswith("plateau")
    if validated:
        words += ["--validation", str(rng.choice((20, 50)))]
        if rng.random() < 0.5:
            words += ["--keep", "best"]
        if rng.random() < 0.3:
            words += ["--patience", "2"]
    for options, share in ((["--precision", "bf16"], 0.3), (["--bidirectional"], 0.2),
                           (["--proj", "5"], 0.2), (["--weight-decay", "0.01"], 0.2),
                           (["--clip-norm", "0.5"], 0.3), (["--reproducible"], 0.1),
                           (["--label-smoothing", "0.1"], 0.2), (["--ema", "0.9"], 0.2),
                           (["--augment", "shift:2,elastic:3"], 0.2), (["--tta", "5"], 0.1),
                           (["--read", rng.choice(("columns", "both", "both"))], 0.4),
                           (["--chrono", "28"], 0.1)):
        if rng.random() < share:
            words += options
    if rng.random() < 0.4:
        words += ["--shards", str(rng.randint(2, 9))]
    return words


def clear():
    """A shell starts programs in the background with Ctrl-C ignored."""
    for number in SIGNALS[:3]:
        signal.signal(number, signal.SIG_DFL)


def without_seconds(log):
    return re.sub(rb",[^,\n]*\n", b"\n", log)


class Training:
    def __init__(self, program, number, seed):
        self.rng = random.Random(f"{seed} {number}")
        self.program, self.words = program, draw(self.rng)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kill-"))
        self.kills = collections.Counter()

    def start(self, *words):
        return subprocess.Popen([self.program, *words], cwd=self.folder, preexec_fn=clear,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def threads(self):
        words = ["--threads", str(self.rng.randint(1, 4))]
        if "--shards" in self.words:
            shards = int(self.words[self.words.index("--shards") + 1])
            words += ["--ranks", str(self.rng.randint(1, min(shards, 4)))]
        return words

    def whole(self):
        """The run without kills: its seconds."""
        started = time.monotonic()
        process = self.start(*self.words, *self.threads(), "--save", "whole", "--log",
                             "whole.csv")
        _, stderr = process.communicate(timeout=LIMIT)
        if process.returncode:
            raise RuntimeError(f"cannot run: {stderr.decode()}")
        return time.monotonic() - started

    def part(self, first, delay):
        """Starts or resumes the run and kills it after a delay; None: lets it end. Returns
        whether it ended, and then the standard error."""
        words = self.words if first else ["--resume", "c"]
        process = self.start(*words, *self.threads(), "--save", "m", "--log", "l.csv",
                             "--checkpoint", "c", "--force", *self.every)
        if delay is not None:
            time.sleep(delay)
            number = self.rng.choice(SIGNALS)
            process.send_signal(number)
        _, stderr = process.communicate(timeout=LIMIT)
        if process.returncode == 0:
            return True
        # A signal that comes before the program handles it ends it at once.
        if delay is None or process.returncode not in (-number, 128 + number):
            raise RuntimeError(f"ends with {process.returncode}: {stderr.decode().strip()}")
        self.kills[number.name] += 1
        return False

    def run(self):
        seconds = self.whole()
        self.every = self.rng.choice(([], ["--checkpoint-every", "1"],
                                      ["--checkpoint-every", "3"]))
        for _ in range(self.rng.randint(1, 4)):
            first = not (self.folder / "c").exists()
            if self.part(first, self.rng.uniform(0, seconds)):
                break
        else:
            self.part(not (self.folder / "c").exists(), None)
        return self.compare()

    def compare(self):
        model, whole, log, whole_log = ((self.folder / name).read_bytes()
                                        for name in ("m", "whole", "l.csv", "whole.csv"))
        if model != whole:
            return "the model differs"
        if without_seconds(log) != without_seconds(whole_log):
            return "the log differs"
        left = {path.name for path in self.folder.iterdir()} - {
            "m", "whole", "l.csv", "whole.csv", "c"}
        return f"{', '.join(sorted(left))} stays" if left else None


def run(program, number, seed):
    training = Training(program, number, seed)
    try:
        fault = training.run()
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    finally:
        shutil.rmtree(training.folder)
    return training, fault


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=existing)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    program, same, kills, killed = os.path.abspath(options.program), 0, collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda number: run(program, number, options.seed),
                           range(options.count))
        for number, (training, fault) in enumerate(results):
            kills += training.kills
            killed += bool(training.kills)
            same += not fault
            if fault or options.verbose:
                print(f"{number}: {' '.join(training.words)}: "
                      f"{dict(training.kills)}: {fault or 'same'}", flush=True)
    print(f"{same} of {options.count} trainings have the same model and log; {killed} were "
          f"killed, {kills.total()} times: " +
          ", ".join(f"{name} {count}" for name, count in sorted(kills.items())))
    sys.exit(0 if same == options.count and killed else 1)


if __name__ == "__main__":
    main()
