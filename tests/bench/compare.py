#!/usr/bin/env python3
"""Times liblstm and PyTorch on the same work, in turns, in one run.

usage: compare.py [--what experiment|sweep|inference|streaming] [--threads 1,2]
                  [--rounds R] [--seconds S] [--bench FILE] [--json FILE]

Every contender is a process of its own, because what PyTorch does at its best is set by
its environment: memory that it freed stays with it, so that a step has no page faults,
and Adam is fused. In each round each contender runs for S seconds and gives a median;
the table shows the median of the rounds and how many times as long as the first line
each takes. With one thread these are times that the process computed, which other
programs on the machine disturb less than the time that passed; with more, the latter.
Programs that are not installed are named and left out.
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

EXPERIMENT = (64, 28, 28, 128, 2)  # N, T, I, H, L
CLASSES = 10
# Half of a step as installed goes into page faults: memory goes back to the system after
# each step. These keep it.
KEEP_MEMORY = {
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "536870912",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
}
OTHERS = {"onnxruntime": "ONNX Runtime", "keras": "Keras", "jax": "JAX"}


# What a worker process runs -----------------------------------------------------------


def torch_work(work, shape, fused, bf16):
    """A function that does the work once, for the inside of a worker."""
    import contextlib

    import torch
    from torch import nn

    batch, steps, inputs, hidden, layers = shape
    torch.manual_seed(0)
    lstm = nn.LSTM(inputs, hidden, layers, batch_first=True)
    head = nn.Linear(hidden, CLASSES)
    x = torch.rand(batch, steps, inputs) * 2 - 1
    targets = torch.arange(batch) % CLASSES
    criterion = nn.CrossEntropyLoss()
    parameters = [*lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.001, fused=fused or None)

    def precision():
        if bf16:
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def train():
        with precision():
            loss = criterion(head(lstm(x)[0][:, -1, :]), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def infer():
        with torch.inference_mode(), precision():
            head(lstm(x)[0][:, -1, :])

    state = [None]

    def stream():
        with torch.inference_mode(), precision():
            out, state[0] = lstm(x, state[0])
            head(out[:, -1, :])

    if work != "train":
        lstm.eval(), head.eval()
    return {"train": train, "infer": infer, "stream": stream}[work]


def time_work(run, seconds):
    """Medians in ms, of the time passed and of that computed, of at least three."""
    run()
    run()
    wall, cpu = [], []
    end = time.perf_counter() + seconds
    while len(wall) < 3 or time.perf_counter() < end:
        start, cpu_start = time.perf_counter(), time.process_time()
        run()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - start)
    return {"median_ms": statistics.median(wall) * 1e3,
            "cpu_ms": statistics.median(cpu) * 1e3}


def worker():
    """Answers jobs, one JSON line each, until stdin ends."""
    import torch

    jobs = {}
    for line in sys.stdin:
        job = json.loads(line)
        torch.set_num_threads(job["threads"])
        key = (job["work"], *job["shape"])
        if key not in jobs:
            jobs.clear()
            jobs[key] = torch_work(job["work"], job["shape"], job["fused"], job["bf16"])
        print(json.dumps(time_work(jobs[key], job["seconds"])), flush=True)


# The contenders -----------------------------------------------------------------------


class Torch:
    """PyTorch in a process that lives as long as the comparison."""

    def __init__(self, best, bf16):
        self.name = "PyTorch{}, {}".format(" bf16" if bf16 else "",
                                           "at its best" if best else "as installed")
        self.best, self.bf16 = best, bf16
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            env=os.environ | (KEEP_MEMORY if best else {}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, work, shape, threads, seconds):
        job = {"work": work, "shape": shape, "threads": threads, "seconds": seconds,
               "fused": self.best, "bf16": self.bf16}
        print(json.dumps(job), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"compare.py: {self.name}: the process ended")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Library:
    """liblstm through lstm-bench, a process for each run."""

    def __init__(self, bench, bf16):
        self.name = "liblstm bf16" if bf16 else "liblstm"
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


def contenders(bench, with_bf16, with_installed):
    """Those that can run here; liblstm first. Says what cannot."""
    found = [Library(bench, False)]
    if with_bf16:
        library = Library(bench, True)
        if library.run("train", (2, 2, 2, 16, 1), 1, 0.01):
            found.append(library)
        else:
            print("liblstm has no bf16 in this build", file=sys.stderr)
    for module, name in OTHERS.items():
        if importlib.util.find_spec(module):
            print(f"{name} is installed; there is no comparison with it here yet",
                  file=sys.stderr)
        else:
            print(f"{name} is not installed: left out", file=sys.stderr)
    if not importlib.util.find_spec("torch"):
        print("PyTorch is not installed: left out", file=sys.stderr)
        return found
    for bf16 in [False, True][:1 + with_bf16]:
        found.append(Torch(True, bf16))
        if with_installed:
            found.append(Torch(False, bf16))
    return found


# The comparisons ----------------------------------------------------------------------


def measure(runners, work, shape, threads, rounds, seconds):
    """Rounds of all in turn: for each its results, None where it cannot."""
    results = {runner: [] for runner in runners}
    for _ in range(rounds):
        for runner in runners:
            results[runner].append(runner.run(work, shape, threads, seconds))
    return results


def summary(results, threads):
    """Median of the rounds, and its share of the peak where that is known."""
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
    """All contenders on a few shapes: a table for each number of threads."""
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
                    print(f"  {runner.name:30} cannot")
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
    """liblstm and PyTorch at its best on many shapes: a row each."""
    rows = []
    print("\nTraining: ms of a step, share of peak, liblstm / PyTorch at its best\n\n"
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
    """lstm-bench of the newest build folder."""
    root = Path(__file__).resolve().parents[2]
    found = sorted(root.glob("build*/tests/bench/lstm-bench"),
                   key=lambda path: path.stat().st_mtime)
    return str(found[-1]) if found else None


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--what", default="experiment",
                        choices=["experiment", "sweep", "inference", "streaming"])
    parser.add_argument("--threads", default="1,2",
                        type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--bench", default=find_bench(), help="the program lstm-bench")
    parser.add_argument("--json", help="file for the results")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    if options.worker:
        worker()
        return
    if not options.bench:
        sys.exit("compare.py: there is no build*/tests/bench/lstm-bench: build the "
                 "tests, or give --bench")
    what = options.what
    runners = contenders(options.bench, what != "sweep", what != "sweep")
    if what == "sweep":
        listed = subprocess.run([options.bench, "--list"], check=True,
                                capture_output=True, text=True).stdout.split()
        rows = sweep(runners, [tuple(map(int, line.split(","))) for line in listed],
                     options)
    else:
        work = {"experiment": "train", "inference": "infer", "streaming": "stream"}[what]
        shapes = {"experiment": [EXPERIMENT],
                  "inference": [(1000, *EXPERIMENT[1:]), (1, *EXPERIMENT[1:])],
                  "streaming": [(1, 1, *EXPERIMENT[2:])]}[what]
        rows = compare(runners, work, shapes, options)
    for runner in runners:
        runner.close()
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
