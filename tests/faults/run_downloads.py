"""Lets every call of a download fail, and checks what comes of it.

usage: run_downloads.py SHIM CLIENT [--seconds N] [--seed N] [--class NAME] [--jobs N]

CLIENT is the test program that downloads a data set of two files from a local server and
reads it. The points are those of run_faults.py, which include calls that libcurl makes. Without
--class all classes run but memory: OpenSSL and libcurl crash at a few of its points.

The client must read the right data, or fail with a message; it must not crash or hang. A file
of the cache has its name only with the right bytes. A run without fault after it works and
leaves the files of the set and the lock.

glibc ends a process that has no memory for the thread-local data of a library, such as
libcurl's; these points are counted apart, and the cache is checked after them, too.

Without --seconds all points run; otherwise a random choice, for about this time.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from arguments import existing  # noqa: E402
from mirror import IMAGES, LABELS, Server, make_certificate  # noqa: E402
from run_faults import CLASSES, REPORT, points_of  # noqa: E402

TIME_LIMIT = 60
FILES = {"images-idx3.gz": IMAGES, "labels-idx1.gz": LABELS}
# Three images, the last label is 7.
DATA = ["3", "7"]
# The client could not write what came of it.
OUTPUT_LOST = 3


class Campaign:
    def __init__(self, shim, client, server, certificate, work):
        self.shim, self.work = shim, work
        self.command = [client, "--open", certificate, f"{server.address}/set/"]
        for content in FILES.values():
            self.command += [str(len(content)), hashlib.sha256(content).hexdigest()]

    def run(self, folder, point=None):
        """Status, output, messages, counts of calls and how many failed."""
        report = folder.with_suffix(".report")
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LD_PRELOAD": self.shim,
                       "FAULTS_REPORT": str(report), "XDG_CACHE_HOME": str(folder / "cache"),
                       "TMPDIR": str(self.work)}
        if point:
            environment |= point.environment()
        try:
            done = subprocess.run(self.command, env=environment, capture_output=True, text=True,
                                  errors="replace", timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return "time", "", "", {}, 1
        counts, failed = {}, 1
        if report.exists():
            *numbers, failed, _ = REPORT.unpack(report.read_bytes())
            counts = dict(zip(CLASSES, numbers))
            report.unlink()
        return done.returncode, done.stdout, done.stderr, counts, failed

    def check(self, point):
        """The kind of the result of a point, and what is wrong with it or None."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        try:
            status, output, messages, _, failed = self.run(folder, point)
            kind, wrong = self.judge(point, status, output, messages)
            wrong = wrong or self.judge_cache(folder) or self.run_again(folder)
            return kind if failed else "not reached", wrong
        finally:
            shutil.rmtree(folder)

    @staticmethod
    def judge(point, status, output, messages):
        if point.error == "KILL" and status == -9:
            return "killed", None
        if point.kind == "memory" and status == 127 and "thread-local data" in messages:
            return "ended by the C library", None
        if point.kind == "write" and status == OUTPUT_LOST:
            return "refused", None
        lines = output.splitlines()
        if status != 0 or len(lines) != 3:
            return "other", f"ends with {status}: {output!r} {messages[-200:]!r}"
        name, message, numbers = lines
        if name == "MNIST_OK":
            read = numbers.split()[1:]
            return "same", None if read == DATA else f"reads {read}, expected {DATA}"
        return "refused", None if message else f"{name} without a message"

    @staticmethod
    def judge_cache(folder):
        for path in folder.rglob("*"):
            if path.name in FILES and path.read_bytes() != FILES[path.name]:
                return f"{path.name} has other bytes"
        return None

    def run_again(self, folder):
        status, output, *_ = self.run(folder)
        lines = output.splitlines()
        if status != 0 or lines[:1] != ["MNIST_OK"] or lines[2].split()[1:] != DATA:
            return f"the next run ends with {status}: {output!r}"
        left = {path.name for path in folder.rglob("*") if path.is_file()}
        names = {name for name in left if name not in FILES and not name.endswith("lock")}
        if not FILES.keys() <= left or names:
            return f"the next run leaves {sorted(left)}"
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shim", type=existing)
    parser.add_argument("client", type=existing)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--class", dest="kind", choices=CLASSES)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    table, wrong = {}, []
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        base = pathlib.Path(scratch)
        server = Server(make_certificate(base))
        work = base / "work"
        work.mkdir()
        campaign = Campaign(str(options.shim.resolve()), str(options.client.resolve()), server,
                            str(base / "certificate.pem"), work)
        folder = pathlib.Path(tempfile.mkdtemp(dir=work))
        status, output, _, counts, _ = campaign.run(folder)
        if status != 0 or not output.startswith("MNIST_OK"):
            sys.exit(f"run_downloads.py: the download fails without a fault: {output}")
        order = [point for point in points_of(counts)
                 if point.kind == (options.kind or point.kind)
                 and (options.kind or point.kind != "memory")]
        if not order:
            sys.exit(f"run_downloads.py: the download makes no call of class {options.kind}")
        if options.seconds:
            random.Random(options.seed).shuffle(order)
        started = time.monotonic()

        def run(point):
            if options.seconds and time.monotonic() - started > options.seconds:
                return None
            return campaign.check(point)

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for point, done in zip(order, pool.map(run, order)):
                if done is None:
                    continue
                kind, fault = done
                table.setdefault(point.kind, {}).setdefault(kind, 0)
                table[point.kind][kind] += 1
                if fault:
                    wrong.append(f"{point}: {fault}")
                    print(wrong[-1], flush=True)
        server.stop()
    for kind, found in table.items():
        print(f"{kind:10}", ", ".join(f"{number} {name}" for name, number in found.items()))
    tried = sum(sum(found.values()) for found in table.values())
    print(f"{tried} of {len(order)} points, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
