#!/usr/bin/env python3
"""Compares the speed of liblstm and other libraries on the same workloads.

usage: compare.py [--what WHAT] [--threads 1,2] [--rounds R] [--seconds S]
                  [--build FOLDER] [--rtneural FOLDER] [--onednn FOLDER]
                  [--json FILE]

WHAT is
  experiment  a training step of the experiment: 64 sequences of 28 steps
  sweep       training steps of many shapes, with PyTorch at its best
  drop-in     a training step in PyTorch, with liblstm.torch.LSTM and with nn.LSTM
  inference   1,000 sequences, and one sequence, of 28 steps
  streaming   one step of one sequence with carried state, and the head
  small       a step of streams with one input, 8 to 64 units and one output, in calls of
              one step and of 128, with RTNeural, compiled for each size
  lengths     forward and backward of 64 sequences of 1 to 100 steps, evenly spread, and
              of 64 sequences of 100 steps; nn.LSTM packs and unpacks them

Each library runs in its own process. PyTorch "at its best" uses fused Adam and environment
variables that make malloc() keep freed memory, so that a step has no page faults. ONNX
Runtime has its inputs and outputs bound to memory. lstm-bench measures liblstm, without
Python. In each round, each library runs for S seconds and reports a median. The table
shows the median of the rounds, and its ratio to the first line. With one thread, times are
CPU times, which other programs affect less; with more, they are wall-clock times.
Libraries that are not installed, and those that fail, are reported and left out. --onednn
is a folder with include and lib of oneDNN 3, such as an environment of Python after
pip install onednn-cpu-gomp onednn-devel-cpu-gomp; it is compared in experiment, inference
and streaming.

The peak that lstm-bench measures in each round tells whether the machine was disturbed.
Only rounds with at least 93% of the best peak count, if they are three or more.
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from native import OneDNN, RTNeural
from works import LIBRARIES, missing

EXPERIMENT = (64, 28, 28, 128, 2)  # N, T, I, H, L
# The workload and the shapes of each WHAT.
WHAT = {
    "experiment": ("train", [EXPERIMENT]),
    "sweep": ("train", []),
    "drop-in": ("train", [EXPERIMENT]),
    "inference": ("infer", [(1000, *EXPERIMENT[1:]), (1, *EXPERIMENT[1:])]),
    "streaming": ("stream", [(1, 1, *EXPERIMENT[2:])]),
    "small": ("stream", [(1, steps, 1, hidden, 1)
                         for hidden in (8, 16, 20, 24, 32, 40, 64) for steps in (1, 128)]),
    "lengths": ("lengths", [(64, 100, 28, 128, 1), (64, 100, 128, 128, 2)]),
}
# Makes malloc() keep freed memory. By default it returns memory to the system after each
# step, and half of the time of a step is page faults.
KEEP_MEMORY = {
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "536870912",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
}


CALM = 0.93  # of the best peak
ENOUGH = 3  # calm rounds


# The contenders -----------------------------------------------------------------------
# A contender has a name, and run(), which returns the medians of a workload, or None if it
# does not have the workload. It raises Failure if it fails.


class Failure(Exception):
    pass


def reason_of(process, text):
    """Why a process ended: its signal, and the last line that it wrote."""
    process.wait()
    lines = [line for line in text.splitlines() if line.strip()]
    end = (f"ended by {signal.Signals(-process.returncode).name}" if process.returncode < 0
           else f"exit status {process.returncode}")
    return ": ".join([end, *lines[-1:]])


class Other:
    """Another library, in processes that live until the end of the comparison."""
    liblstm = ""

    def __init__(self, library, best=True, bf16=False):
        _, name, self.works = LIBRARIES[library]
        self.library, self.best, self.bf16 = library, best, bf16
        self.name = name + " bf16" * bf16
        if LIBRARIES[library][0] == "torch":
            self.name += ", at its best" if best else ", as installed"
        self.processes, self.errors = {}, {}

    def run(self, work, shape, threads, seconds):
        if work not in self.works:
            return None
        if threads not in self.processes:
            self.errors[threads] = tempfile.TemporaryFile("w+")
            self.processes[threads] = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("works.py"), self.library,
                 str(threads)],
                env=os.environ | {"LIBLSTM": self.liblstm} |
                (KEEP_MEMORY if self.best else {}),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.errors[threads], text=True)
        process = self.processes[threads]
        job = {"work": work, "shape": shape, "seconds": seconds, "best": self.best,
               "bf16": self.bf16}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(job), file=process.stdin, flush=True)
        answer = process.stdout.readline()
        if not answer:
            self.errors[threads].seek(0)
            raise Failure(reason_of(process, self.errors[threads].read()))
        return json.loads(answer)

    def close(self):
        for process in self.processes.values():
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        for file in self.errors.values():
            file.close()


def measured(command, environment=None):
    """What a program prints as JSON."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=os.environ | (environment or {}), text=True) as process:
        out, errors = process.communicate()
    if process.returncode:
        raise Failure(reason_of(process, errors))
    return json.loads(out)


class Native:
    """A library of C++ in a program that lives for one run; see native.py."""

    def __init__(self, library):
        self.name, self.library = library.name, library

    def run(self, work, shape, threads, seconds):
        command = self.library.command(work, shape, threads, seconds)
        return command and measured(command, self.library.environment)

    def close(self):
        self.library.close()


class Library:
    """liblstm through lstm-bench, with a process per run."""

    def __init__(self, bench, precision=None, outputs=10):
        self.name = f"liblstm {precision}" if precision else "liblstm"
        self.command = [bench, "--json", "-", "--outputs", str(outputs)]
        self.command += [f"--{precision}"] if precision else []

    def run(self, work, shape, threads, seconds):
        command = self.command + [
            "--shape", ",".join(map(str, shape)), "--work", work,
            "--threads", str(threads), "--seconds", str(seconds)]
        return measured(command)["results"][0]

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


def contenders(what, bench, rtneural, onednn):
    """The libraries to compare; the first one is the reference."""
    if what == "small":
        if not rtneural:
            print("--rtneural is not given; skipping RTNeural", file=sys.stderr)
        return [Library(bench, outputs=1), *map(Native, RTNeural.all(rtneural))]
    if what == "sweep":
        return [Library(bench), *others(TORCH[0])]
    if what == "drop-in":
        return others(("drop-in", {}), TORCH[0], ("drop-in", {"best": False}), TORCH[1])
    if what == "lengths":
        runners = [Library(bench), *others(("drop-in", {}), *TORCH)]
        return [As(runner, f"{runner.name}, {work}", work)
                for runner in runners for work in ("lengths", "padded")]
    precisions = ["bf16"] if what == "experiment" else ["bf16", "int8"]
    return [Library(bench), *(Library(bench, each) for each in precisions),
            *map(Native, OneDNN.all(onednn)),
            *others(("onnxruntime", {}), ("keras", {}), *TORCH, *TORCH_BF16)]


# The comparisons ----------------------------------------------------------------------


def measure(runners, work, shape, threads, rounds, seconds):
    """Results of each library in the calm rounds; None if it does not support the
    workload. Removes a library that fails from the runners."""
    results = {runner: [] for runner in runners}
    for _ in range(rounds):
        for runner in list(runners):
            try:
                results[runner].append(runner.run(work, shape, threads, seconds))
            except Failure as failure:
                if runner is runners[0]:
                    sys.exit(f"compare.py: {runner.name} fails: {failure}")
                print(f"{runner.name} fails in {work}, shape {shape}: {failure}; it is "
                      "left out", file=sys.stderr)
                runners.remove(runner)
    return calm({runner: results[runner] for runner in runners})


def calm(results):
    """The rounds in which the first library has found the peak undisturbed."""
    peaks = [result and result.get("peak_gflops", 0) for result in
             next(iter(results.values()), [])]
    if not all(peaks):
        return results
    kept = [i for i, peak in enumerate(peaks) if peak >= CALM * max(peaks)]
    if len(kept) < len(peaks):
        print(f"the machine was disturbed: the peak was {min(peaks):.0f} to "
              f"{max(peaks):.0f} GFLOP/s, {len(kept)} of {len(peaks)} rounds are calm"
              + ("" if len(kept) >= ENOUGH else ", too few: all count"), file=sys.stderr)
    if len(kept) < ENOUGH:
        return results
    return {runner: [found[i] for i in kept] for runner, found in results.items()}


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
                print(f"  {runner.name:30} {entry['median_ms']:10.7f} ms "
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


def newest_build():
    """The build folder with the newest lstm-bench."""
    root = Path(__file__).resolve().parents[2]
    found = sorted(root.glob("build*/tests/bench/lstm-bench"),
                   key=lambda path: path.stat().st_mtime)
    return found[-1].parents[2] if found else None


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
    parser.add_argument("--build", type=Path, help="build folder (default the newest)")
    parser.add_argument("--rtneural", type=Path,
                        help="folder with the sources of RTNeural, for --what small")
    parser.add_argument("--onednn", type=Path,
                        help="folder with include and lib of oneDNN 3")
    parser.add_argument("--json", help="output file for the results")
    return parser.parse_args()


def main():
    options = parse()
    build = options.build or newest_build()
    bench = build and build.resolve() / "tests/bench/lstm-bench"
    if not bench or not bench.exists():
        sys.exit(f"compare.py: {bench or 'build*/tests/bench/lstm-bench'} not found; build "
                 "the tests, or name the folder with --build")
    Other.liblstm = str(build.resolve() / "lib/lstm/liblstm.so.1")
    work, shapes = WHAT[options.what]
    runners = contenders(options.what, bench, options.rtneural, options.onednn)
    if options.what == "sweep":
        listed = subprocess.run([bench, "--list"], check=True,
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
