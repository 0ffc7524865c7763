#!/usr/bin/env python3
"""Compares the speed of liblstm and other libraries on the same workloads.

usage: compare.py [--what WHAT] [--threads 1,2] [--rounds R] [--seconds S]
                  [--bench FILE] [--json FILE]

WHAT is
  experiment  a training step of the experiment: 64 sequences of 28 steps
  sweep       training steps of many shapes, with PyTorch at its best
  drop-in     a training step in PyTorch, with liblstm.torch.LSTM and with nn.LSTM
  inference   1,000 sequences, and one sequence, of 28 steps
  streaming   one step of one sequence with carried state, and the head
  lengths     forward and backward of 64 sequences of 1 to 100 steps, evenly spread, and
              of 64 sequences of 100 steps; PyTorch packs and unpacks them

Each library runs in its own process. PyTorch "at its best" uses fused Adam and environment
variables that make malloc() keep freed memory, so that a step has no page faults. ONNX
Runtime has its inputs and outputs bound to memory. lstm-bench measures liblstm, without
Python. In each round, each library runs for S seconds and reports a median. The table
shows the median of the rounds, and its ratio to the first line. With one thread, times are
CPU times, which other programs affect less; with more, they are wall-clock times.
Libraries that are not installed are reported and skipped.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from works import LIBRARIES, missing

EXPERIMENT = (64, 28, 28, 128, 2)  # N, T, I, H, L
# The workload and the shapes of each WHAT.
WHAT = {
    "experiment": ("train", [EXPERIMENT]),
    "sweep": ("train", []),
    "drop-in": ("train", [EXPERIMENT]),
    "inference": ("infer", [(1000, *EXPERIMENT[1:]), (1, *EXPERIMENT[1:])]),
    "streaming": ("stream", [(1, 1, *EXPERIMENT[2:])]),
    "lengths": ("lengths", [(64, 100, 28, 128, 1), (64, 100, 128, 128, 2)]),
}
# Makes malloc() keep freed memory. By default it returns memory to the system after each
# step, and half of the time of a step is page faults.
KEEP_MEMORY = {
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "536870912",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
}


# The contenders -----------------------------------------------------------------------


class Other:
    """Another library, in processes that live until the end of the comparison."""
    liblstm = ""

    def __init__(self, library, best=True, bf16=False):
        _, name, self.works = LIBRARIES[library]
        self.library, self.best, self.bf16 = library, best, bf16
        self.name = name + " bf16" * bf16
        if LIBRARIES[library][0] == "torch":
            self.name += ", at its best" if best else ", as installed"
        self.processes = {}

    def run(self, work, shape, threads, seconds):
        if work not in self.works:
            return None
        if threads not in self.processes:
            self.processes[threads] = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("works.py"), self.library,
                 str(threads)],
                env=os.environ | {"LIBLSTM": self.liblstm} |
                (KEEP_MEMORY if self.best else {}),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = self.processes[threads]
        job = {"work": work, "shape": shape, "seconds": seconds, "best": self.best,
               "bf16": self.bf16}
        print(json.dumps(job), file=process.stdin, flush=True)
        answer = process.stdout.readline()
        if not answer:
            sys.exit(f"compare.py: {self.name}: the process ended")
        return json.loads(answer)

    def close(self):
        for process in self.processes.values():
            process.stdin.close()
            process.wait()


class Library:
    """liblstm through lstm-bench, with a process per run."""

    def __init__(self, bench, bf16=False):
        self.name = "liblstm" + " bf16" * bf16
        self.command = [bench, "--json", "-"] + ["--bf16"] * bf16

    def run(self, work, shape, threads, seconds):
        command = self.command + [
            "--shape", ",".join(map(str, shape)), "--work", work,
            "--threads", str(threads), "--seconds", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return None
        return json.loads(done.stdout)["results"][0]

    def close(self):
        pass


class As:
    """A library under another name, with its own workload."""

    def __init__(self, runner, name, work):
        self.runner, self.name, self.work = runner, name, work

    def run(self, work, *arguments):
        return self.runner.run(self.work, *arguments)

    def close(self):
        self.runner.close()


def others(*wanted):
    """Those of (library, options) that are installed; prints the missing ones."""
    found = []
    for library, options in wanted:
        module = missing(library)
        if module is None:
            found.append(Other(library, **options))
        elif options.get("best", True) and not options.get("bf16"):
            print(f"{module} is not installed; skipping {LIBRARIES[library][1]}",
                  file=sys.stderr)
    return found


TORCH = [("torch", {}), ("torch", {"best": False})]
TORCH_BF16 = [("torch", {"bf16": True}), ("torch", {"best": False, "bf16": True})]


def contenders(what, bench):
    """The libraries to compare; the first one is the reference."""
    if what == "sweep":
        return [Library(bench), *others(TORCH[0])]
    if what == "drop-in":
        return others(("drop-in", {}), TORCH[0], ("drop-in", {"best": False}), TORCH[1])
    if what == "lengths":
        runners = [Library(bench), *others(("drop-in", {}), *TORCH)]
        return [As(runner, f"{runner.name}, {work}", work)
                for runner in runners for work in ("lengths", "padded")]
    found = [Library(bench)]
    if Library(bench, True).run("train", (2, 2, 2, 16, 1), 1, 0.01):
        found.append(Library(bench, True))
    else:
        print("this build of liblstm has no bf16", file=sys.stderr)
    return found + others(("onnxruntime", {}), ("keras", {}), *TORCH, *TORCH_BF16)


# The comparisons ----------------------------------------------------------------------


def measure(runners, work, shape, threads, rounds, seconds):
    """Results of each library in all rounds; None if it does not support the workload."""
    results = {runner: [] for runner in runners}
    for _ in range(rounds):
        for runner in runners:
            results[runner].append(runner.run(work, shape, threads, seconds))
    return results


def summary(results, threads):
    """Median of the rounds, and its fraction of the peak if the peak is known."""
    if None in results:
        return None
    which = "cpu_ms" if threads == 1 else "median_ms"
    entry = {"median_ms": statistics.median(r[which] for r in results)}
    if "peak_gflops" in results[0]:
        peak = statistics.median(r["peak_gflops"] for r in results)
        flop = results[0]["flop"]
        entry["of_peak"] = flop / entry["median_ms"] / 1e6 / peak
    return entry


def compare(runners, work, shapes, options):
    """Compares all libraries on some shapes: a table per number of threads."""
    rows = []
    for shape in shapes:
        for threads in options.threads:
            results = measure(runners, work, shape, threads, options.rounds,
                              options.seconds)
            print(f"\n{work}, N {shape[0]}, T {shape[1]}, I {shape[2]}, H {shape[3]}, "
                  f"L {shape[4]}, {threads} thread{'s' * (threads > 1)}: median of "
                  f"{options.rounds} rounds{', CPU time' * (threads == 1)}")
            first = None
            for runner in runners:
                entry = summary(results[runner], threads)
                if entry is None:
                    continue
                first = first or entry["median_ms"]
                peak = (f" {entry['of_peak']:7.1%} of peak"
                        if "of_peak" in entry and work != "stream" else "")
                print(f"  {runner.name:30} {entry['median_ms']:10.4f} ms "
                      f"{entry['median_ms'] / first:7.2f} x{peak}", flush=True)
                rows.append({"work": work, "shape": shape, "threads": threads,
                             "name": runner.name, **entry})
    return rows


def sweep(runners, shapes, options):
    """Compares liblstm and PyTorch at its best on many shapes: a row per shape."""
    rows = []
    print("\nTraining: ms per step, fraction of peak, liblstm / PyTorch at its best\n\n"
          "| N | T | I | H | L | threads | liblstm | of peak | PyTorch | ratio |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape in shapes:
        for threads in options.threads:
            results = measure(runners, "train", shape, threads, options.rounds,
                              options.seconds)
            entries = [summary(results[runner], threads) for runner in runners]
            times = [entry["median_ms"] for entry in entries]
            ratio = times[0] / times[1] if len(times) > 1 else 0
            batch, steps, _, hidden, _ = shape
            large = batch >= 32 and hidden >= 64 and steps >= 10
            short = " below 70%" if large and entries[0]["of_peak"] < 0.7 else ""
            slower = " slower" if ratio > 1 else ""
            print("| " + " | ".join(map(str, shape)) +
                  f" | {threads} | {times[0]:.3f} | {entries[0]['of_peak']:.0%} | " +
                  (f"{times[1]:.3f}" if len(times) > 1 else "") +
                  f" | {ratio:.2f}{slower}{short} |", flush=True)
            rows.append({"work": "train", "shape": shape, "threads": threads,
                         **entries[0], "torch_ms": times[-1], "ratio": ratio})
    slower = sum(row["ratio"] > 1 for row in rows)
    print(f"\n{len(rows)} rows, slower than PyTorch in {slower}")
    return rows


def find_bench():
    """Path of lstm-bench in the newest build folder."""
    root = Path(__file__).resolve().parents[2]
    found = sorted(root.glob("build*/tests/bench/lstm-bench"),
                   key=lambda path: path.stat().st_mtime)
    return str(found[-1]) if found else None


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--what", default="experiment", choices=WHAT,
                        help="the workload (default experiment)")
    parser.add_argument("--threads", default="1,2",
                        type=lambda text: [int(word) for word in text.split(",")],
                        help="numbers of threads (default 1,2)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="seconds per measurement (default 1)")
    parser.add_argument("--bench", default=find_bench(), help="path of lstm-bench")
    parser.add_argument("--json", help="output file for the results")
    return parser.parse_args()


def main():
    options = parse()
    if not options.bench:
        sys.exit("compare.py: build*/tests/bench/lstm-bench not found; build the tests "
                 "or set --bench")
    Other.liblstm = str(Path(options.bench).resolve().parents[2] /
                        "lib/lstm/liblstm.so.1")
    work, shapes = WHAT[options.what]
    runners = contenders(options.what, options.bench)
    if options.what == "sweep":
        listed = subprocess.run([options.bench, "--list"], check=True,
                                capture_output=True, text=True).stdout.split()
        rows = sweep(runners, [tuple(map(int, line.split(","))) for line in listed],
                     options)
    else:
        rows = compare(runners, work, shapes, options)
    for runner in runners:
        runner.close()
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
