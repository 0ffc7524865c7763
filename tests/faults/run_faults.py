"""Lets every call of every program fail, and checks what the programs make of it.

usage: run_faults.py SHIM FOLDER [--seconds N] [--seed N] [--only TEXT] [--skip PROGRAM]
                     [--class NAME] [--jobs N] [--verbose]

FOLDER has the programs. A point is: call number k of a class (memory, open, read, write, ...)
fails with an error number, alone or with all after it; or a read or write is short; or the
program is killed before the call. Each point is a run of a program.

The program must give the same answer as without the fault, or exit with 1 and a last line on
standard error that says what failed; then standard output is a beginning of the right one, and
each file is the old one, the right one or, for logs, a beginning of the right one. It must not
crash or hang. A run without fault after it works and leaves the same files as ever.

Without --seconds all points run; otherwise a random choice, for about this time.
"""
import argparse
import concurrent.futures
import dataclasses
import errno
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402
from arguments import existing, refuse_nothing  # noqa: E402
from cases import CASES, prepare  # noqa: E402

CLASSES = ("memory open read write sync close rename unlink stat owner truncate map thread "
           "random").split()
# For each class: errors that a call can have for ever, and those that it has only once.
# "short" reads and writes half of what they are asked for; "KILL" kills the program before
# the call.
ERRORS = {
    "memory": (["ENOMEM"], []), "open": (["EACCES", "EMFILE", "EIO"], ["EINTR", "KILL"]),
    "read": (["EIO", "short"], ["EAGAIN", "EINTR", "KILL"]),
    "write": (["ENOSPC", "EIO", "EDQUOT", "short"], ["EAGAIN", "EFBIG", "EINTR", "KILL"]),
    "sync": (["EIO", "ENOSPC", "EDQUOT"], ["EINTR", "KILL"]),
    "close": (["EIO", "ENOSPC"], ["EINTR", "KILL"]),
    "rename": (["EACCES", "EIO", "ENOSPC"], ["EXDEV", "KILL"]),
    "unlink": (["EACCES", "EIO"], ["KILL"]),
    "stat": (["EACCES", "EIO"], ["KILL"]), "owner": (["EPERM", "EIO"], ["KILL"]),
    "truncate": (["EIO", "ENOSPC"], ["KILL"]), "map": (["ENOMEM"], []), "thread": (["EAGAIN"], []),
    "random": (["ENOSYS"], ["EAGAIN", "EINTR"])}
REPORT = struct.Struct(f"<{len(CLASSES) + 1}Q32s")
TIME_LIMIT = 60
# The names of files that may have only a beginning after a failure.
MAY_END_EARLY = (".csv", ".jsonl", "events")


@dataclasses.dataclass(frozen=True)
class Point:
    kind: str
    error: str
    always: bool
    at: int

    def environment(self):
        """The variables that tell the shim to make this fault."""
        special = {"short": 0, "KILL": -1}
        error = special.get(self.error) if self.error in special else getattr(errno, self.error)
        return {"FAULTS_CLASS": self.kind, "FAULTS_AT": str(self.at),
                "FAULTS_MODE": "always" if self.always else "once", "FAULTS_ERRNO": str(error)}

    def __str__(self):
        return f"{self.kind} {self.at} {self.error} {'always' if self.always else 'once'}"


@dataclasses.dataclass
class Result:
    status: int
    stdout: bytes
    stderr: str
    # Content by name.
    files: dict[str, bytes]
    counts: dict[str, int]
    failed: int


def records(content):
    """The complete records of a file of events without their times, which come first."""
    at = 0
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at:at + 8], "little") + 4
        if end > len(content):
            break
        yield content[at + 21:end - 4]
        at = end


def without_times(name, content):
    """A log or a checkpoint without the seconds in it, which differ from run to run."""
    if name.endswith(".csv") and b",seconds" in content:
        return re.sub(rb",[^,\n]*\n", b",\n", content)
    if name.endswith(".jsonl"):
        return re.sub(rb"\"seconds\": [^\n]*\n", b"\n", content)
    if name.endswith(".html"):
        # A processor whose name cannot be read is called unknown.
        content = re.sub(rb"<dt>Machine</dt><dd>[^,]*", b"", content)
        return re.sub(rb"<time>[^<]*</time>", b"", content)
    if "tfevents" in name:
        return b"".join(records(content))
    if b" seconds 0x" not in content[:100000]:
        return content
    try:
        tensors, metadata = models.decode(content)
    except (ValueError, KeyError):
        return content
    metadata.pop("lstm.checksum", None)
    return re.sub(" seconds [^ ]+", "", repr((tensors, metadata))).encode()


def plain_name(name):
    """The name of a file of events without time, machine and process."""
    return re.sub(r"events\.out\.tfevents\..*", "events", name)


def read_files(folder):
    """The content of each file without times, by its name without times."""
    return {plain_name(str(path.relative_to(folder))): without_times(path.name,
                                                                     path.read_bytes())
            for path in sorted(folder.rglob("*")) if path.is_file()}


def is_part(text, right):
    """Whether a JSON array has only elements of another one, and errors without answer."""
    try:
        return all(each in json.loads(right) or (each.get("error") and each["class"] is None)
                   for each in json.loads(text))
    except ValueError:
        return False


def points_of(counts):
    """All points of a run that made these numbers of calls."""
    for kind in CLASSES:
        ever, once = ERRORS[kind]
        for error in ever + once:
            for always in ((False, True) if error in ever else (False,)):
                for at in range(counts[kind]):
                    yield Point(kind, error, always, at)


class Campaign:
    def __init__(self, shim, programs, base, work):
        self.shim, self.programs, self.base, self.work = shim, programs, base, work

    def run(self, case, folder, point=None):
        report = folder.with_suffix(".report")
        report.unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LD_PRELOAD": self.shim,
                       "FAULTS_REPORT": str(report), "XDG_CACHE_HOME": str(folder / "cache"),
                       "TMPDIR": str(self.work),
                       "LSTM_CPU": os.environ.get("LSTM_CPU", "")}
        if point:
            environment |= point.environment()
        text = case.input(self.base)
        try:
            done = subprocess.run([self.programs[case.program], *case.words], cwd=folder,
                                  input=text, env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=TIME_LIMIT)
            status, output, messages = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            status, output, messages = "time", b"", b""
        *counts, failed, _ = REPORT.unpack(report.read_bytes())
        report.unlink()
        return Result(status, output, messages.decode(errors="replace"), read_files(folder),
                      dict(zip(CLASSES, counts)), failed)

    def fresh(self, case):
        """A new folder with the files of a case."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        for name in case.files:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(self.base / name, folder / name)
        return folder

    def learn(self, case):
        """The right result; None after a message if there is none."""
        results = []
        for _ in range(2):
            folder = self.fresh(case)
            results.append(self.run(case, folder))
            shutil.rmtree(folder)
        first, second = results
        if first.status != 0:
            print(f"{case.name}: cannot run: {first.stderr.strip()}")
            return None
        if (first.stdout, first.files) != (second.stdout, second.files):
            print(f"{case.name}: two runs without faults differ")
            return None
        return first

    def check(self, case, right, point):
        """Runs a point: the kind of its result, and what is wrong with it or None."""
        folder = self.fresh(case)
        old = {name: without_times(name, (folder / name).read_bytes()) for name in case.files}
        try:
            result = self.run(case, folder, point)
            wrong = self.judge(case, right, old, point, result)
            # A file that cannot be removed stays.
            left = set(result.files) - set(right.files) - set(old)
            killed = point.error == "KILL"
            if not wrong and ((left and point.kind != "unlink") or killed):
                wrong = self.run_again(case, right, folder)
        finally:
            shutil.rmtree(folder)
        kind = {0: "same", 1: "refused"}.get(result.status, "killed")
        return kind if result.failed else "not reached", wrong

    def run_again(self, case, right, folder):
        """A run in a folder with left-over files: they disappear."""
        for name in set(right.files) - set(case.files):
            (folder / name).unlink(missing_ok=True)
        result = self.run(case, folder)
        if result.status != 0:
            return f"the next run fails: {result.stderr.strip()}"
        left = set(result.files) - set(right.files)
        return f"the next run leaves {', '.join(sorted(left))}" if left else None

    def judge(self, case, right, old, point, result):
        if result.status == 0:
            # Without random numbers the seed is another one.
            if result.stdout != right.stdout and point.kind != "random":
                return "exit 0 with another standard output"
            if set(right.files) - set(result.files):
                return f"exit 0 without {set(right.files) - set(result.files)}"
            differ = [name for name, content in right.files.items()
                      if result.files[name] != content]
            return f"exit 0 with another {', '.join(differ)}" if differ else None
        if point.error == "KILL" and result.status == -9:
            return self.judge_files(right, old, result)
        if result.status != 1:
            return f"ends with {result.status}: {result.stderr.strip()[-300:]}"
        if point.error == "short":
            return f"a short count is taken for a failure: {result.stderr.strip()}"
        return (self.judge_output(case, right, result) or
                self.judge_message(case, point, result) or
                self.judge_files(right, old, result))

    @staticmethod
    def judge_output(case, right, result):
        if right.stdout.startswith(result.stdout):
            return None
        if "--json" in case.words and is_part(result.stdout, right.stdout):
            return None
        lines = iter(right.stdout.splitlines())
        if case.several and all(line in lines for line in result.stdout.splitlines()):
            return None
        return f"exit 1 after a wrong output {result.stdout[-80:]!r}"

    def judge_message(self, case, point, result):
        lines = result.stderr.strip().splitlines()
        last = next((line for line in reversed(lines)
                     if line.startswith(f"{case.program}: ")), "")
        if not last:
            return f"exit 1 without a line of {case.program}: {lines}"
        reason = os.strerror(getattr(errno, point.error))
        names = [pathlib.PurePath(name).name.removesuffix(".gz") for name in case.files]
        if reason in last or (point.kind == "memory" and "memory" in last) or any(
                name in last for name in names + ["standard output", "standard input"]):
            return None
        return f"the message does not say what failed ({reason}): {last}"

    @staticmethod
    def judge_files(right, old, result):
        for name, content in old.items():
            if name not in result.files:
                return f"{name} is gone"
        for name, content in result.files.items():
            if content in (old.get(name), right.files.get(name)):
                continue
            if name not in right.files:
                continue
            # A page is written after each epoch.
            if name.endswith(".html") and content.endswith(b"</html>\n"):
                continue
            if name.endswith(MAY_END_EARLY) and right.files[name].startswith(content):
                continue
            try:
                if name.endswith(".aidax"):
                    json.loads(content)
                elif not content.startswith(b"({"):
                    models.decode(content)
            except (ValueError, KeyError) as error:
                return f"{name} is broken: {error}"
        return None


def choose(pairs, seed):
    """All points in random order, the classes in turns, so that few of them are typical."""
    rng = random.Random(seed)
    groups = {}
    for case, point in pairs:
        groups.setdefault((case.name, point.kind), []).append((case, point))
    for group in groups.values():
        rng.shuffle(group)
    order, names = [], list(groups)
    while names:
        rng.shuffle(names)
        order += [groups[name].pop() for name in names]
        names = [name for name in names if groups[name]]
    return order


def report(table, total, wrong):
    print(f"{'program':<14}{'class':<10}{'points':>8}{'same':>8}{'refused':>9}"
          f"{'killed':>8}{'not reached':>13}")
    sums = {}
    for (program, kind), counts in sorted(table.items()):
        print(f"{program:<14}{kind:<10}{sum(counts.values()):>8}{counts.get('same', 0):>8}"
              f"{counts.get('refused', 0):>9}{counts.get('killed', 0):>8}"
              f"{counts.get('not reached', 0):>13}")
        for name, count in counts.items():
            sums[name] = sums.get(name, 0) + count
    print(f"{sum(sums.values())} of {total} points: {sums.get('same', 0)} same answer, "
          f"{sums.get('refused', 0)} refused with a line, {sums.get('killed', 0)} killed, "
          f"{sums.get('not reached', 0)} not reached, {len(wrong)} wrong")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("shim", type=existing)
    parser.add_argument("folder", type=existing)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", default=[], action="append")
    parser.add_argument("--class", dest="kind", choices=CLASSES)
    parser.add_argument("--error", choices=sorted({name for lists in ERRORS.values()
                                                   for names in lists for name in names}),
                        help="only points with this error, short or KILL")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    cases = [case for case in CASES
             if (options.only in case.name or options.only == case.program)
             and case.program not in options.skip]
    refuse_nothing(cases, "--only", f"{options.only!r} without {options.skip}",
                   [case.name for case in CASES])
    programs = {path.name: str(path.resolve()) for path in options.folder.iterdir()}
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    table, wrong, pairs, rights = {}, [], [], {}
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        base, work = pathlib.Path(scratch, "base"), pathlib.Path(scratch, "work")
        base.mkdir()
        work.mkdir()
        prepare(base, programs)
        campaign = Campaign(str(options.shim.resolve()), programs, base, work)
        started = time.monotonic()
        for case in cases:
            right = campaign.learn(case)
            if right is None:
                wrong += [] if case.optional else [case.name]
                continue
            rights[case.name] = right
            pairs += [(case, point) for point in points_of(right.counts)
                      if options.kind in (None, point.kind)
                      and options.error in (None, point.error)]
        if not pairs:
            sys.exit("run_faults.py: no program makes such a call: nothing to try")
        order = choose(pairs, options.seed) if options.seconds else pairs

        def run(pair):
            if options.seconds and time.monotonic() - started > options.seconds:
                return None
            return campaign.check(pair[0], rights[pair[0].name], pair[1])

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for (case, point), done in zip(order, pool.map(run, order)):
                if done is None:
                    continue
                kind, fault = done
                counts = table.setdefault((case.program, point.kind), {})
                counts[kind] = counts.get(kind, 0) + 1
                if fault:
                    wrong.append(f"{case.name}: {point}: {fault}")
                    print(wrong[-1], flush=True)
                elif options.verbose:
                    print(f"{case.name}: {point}: {kind}")
    report(table, len(pairs), wrong)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
