#!/usr/bin/env python3
"""Trains the recipes of mnist-train, and prints the tables of docs/results.md.

usage: ablation.py PROGRAM FOLDER [--only TEXT]... [--minutes N] [--threads N] [--data DIR]
                   [--add OPTIONS] [--list]

The runs, in this order:
  best       --recipe best on all training images, seeds 0 to 4; the test set is read once,
             at the end, without and with --tta 5
  whole, no-...  the same on all but the last 5,000 training images, seeds 0 and 1: the
             recipe, and the recipe without one of its parts; validation at the end alone
  pixels, permuted  --recipe pixels and --recipe permuted, seed 0, with the test set

FOLDER has what they write. A run that is finished is skipped, and one that was interrupted
goes on from its checkpoint. --minutes ends after that time, with the exit status 3 if runs
are left; --only takes those whose name begins with TEXT, as no- or best-3. --add sets
options of all trainings, for trials. Results of other options in FOLDER are refused.
"""
import argparse
import csv
import json
import pathlib
import re
import shlex
import signal
import statistics
import subprocess
import sys
import time

SEEDS, PAIR, HELD, LEFT = range(5), range(2), 5000, 3
VALIDATION = {"validation": str(HELD)}
# What is left out, and the options that say so: new values, or None for an option that is
# taken away.
PARTS = {
    "no-columns": ("the LSTM over columns", {"read": "rows"}),
    "no-directions": ("the reverse directions", {"bidirectional": None}),
    "no-width": ("a third of the units", {"hidden": "128"}),
    "no-augment": ("all changes of images", {"augment": None, "clean-epochs": None}),
    "no-elastic": ("the elastic change", {"augment": re.compile(r",elastic:[^,]*")}),
    "no-affine": ("shift, rotate, scale and shear",
                  {"augment": re.compile(r"(shift|rotate|scale|shear):[^,]*,")}),
    "no-clean": ("the epochs on images as they are", {"clean-epochs": None}),
    "no-smoothing": ("label smoothing", {"label-smoothing": None}),
    "no-decay": ("weight decay", {"weight-decay": None, "decoupled": None}),
    "no-schedule": ("the schedule", {"schedule": None, "lr": "0.001"}),
    "no-ema": ("the average of the weights", {"ema": None}),
}


class Stopped(Exception):
    """The time is over."""


def recipe(program, name):
    """The options of a recipe, as --help spells them out."""
    text = subprocess.run([program, "--help"], check=True, capture_output=True,
                          text=True).stdout
    found = re.search(rf"\n  {name}\n((    --.*\n)+)", text)
    if not found:
        sys.exit(f"{program}: --help has no recipe {name}")
    return parse(shlex.split(found[1]))


def parse(words):
    """Options by name; the value of a flag is an empty text."""
    options = {}
    while words:
        name, words = words[0].removeprefix("--"), words[1:]
        name, equal, value = name.partition("=")
        if not equal and words and not words[0].startswith("--"):
            value, words = words[0], words[1:]
        options[name] = value
    return options


def spell(options):
    return [word for name, value in options.items()
            for word in ([f"--{name}={value}"] if value else [f"--{name}"])]


def changed(options, changes):
    """Options with new values, or without those of None."""
    options = dict(options)
    for name, value in changes.items():
        if value is None:
            options.pop(name, None)
        elif isinstance(value, re.Pattern):
            options[name] = value.sub("", options[name])
        else:
            options[name] = value
    return options


class Run:
    """A training: name, seed, options, and whether the test set is read."""

    def __init__(self, name, seed, options, added, tests):
        self.name, self.group, self.tests = f"{name}-{seed}", name, tests
        self.options = options | {"seed": str(seed), "eval": "none"} | {
            name: value for name, value in added.items()
            if name != "validation" or name in options}


def list_runs(program, added):
    best = recipe(program, "best")
    runs = [Run("best", seed, best, added, ["1", "5"]) for seed in SEEDS]
    leave = {"whole": ("nothing", {})} | PARTS
    for seed in PAIR:
        for name, (_, changes) in leave.items():
            runs.append(Run(name, seed, changed(best, changes) | VALIDATION, added, []))
    for name in "pixels", "permuted":
        runs.append(Run(name, 0, recipe(program, name), added, ["1"]))
    return runs


class Trainer:
    def __init__(self, arguments):
        self.program, self.folder = arguments.program, pathlib.Path(arguments.folder)
        self.end = time.monotonic() + 60 * arguments.minutes
        self.data = spell({"data": arguments.data} if arguments.data else {})
        self.common = [*self.data, "--threads", str(arguments.threads), "--no-progress"]

    def path(self, run, ending):
        return self.folder / f"{run.name}.{ending}"

    def call(self, words, output):
        """Runs the program; the time limit ends it as Ctrl-C does, with a checkpoint."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise Stopped
        with subprocess.Popen([self.program, *map(str, words), *self.common], stdout=output,
                              stderr=subprocess.STDOUT) as process:
            try:
                status = process.wait(left)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                process.wait()
                raise Stopped from None
            except BaseException:
                process.send_signal(signal.SIGTERM)
                raise
        if status:
            raise RuntimeError(f"{' '.join(map(str, words))}: status {status}")

    def train(self, run):
        point, model = self.path(run, "checkpoint"), self.path(run, "safetensors")
        words = ["--resume", point] if point.exists() else \
            [*spell(run.options), "--checkpoint", point, "--checkpoint-every", "5m"]
        with open(self.path(run, "out"), "a") as output:
            self.call([*words, "--save", model, "--log", self.path(run, "csv"), "--force"],
                      output)

    def measure(self, run, places):
        """Images of the test set that the model reads right, and their number."""
        output = self.path(run, f"test{places}")
        data = [] if "synthetic" not in run.options else \
            spell({"synthetic": run.options["synthetic"]})
        with open(output, "w") as file:
            self.call(["--load", self.path(run, "safetensors"), "--epochs", "0", "--tta",
                       places, *data], file)
        found = re.search(r"Test accuracy: .*\((\d+)/(\d+)\)", output.read_text())
        return int(found[1]), int(found[2])

    def finish(self, run):
        """The result of a run, which is computed unless it is there."""
        wanted, result = self.path(run, "options"), self.path(run, "json")
        text = shlex.join(spell(run.options))
        if wanted.exists() and wanted.read_text() != text:
            sys.exit(f"{wanted}: has '{wanted.read_text()}', expected '{text}': name another "
                     "folder, or remove the files of this run")
        if result.exists():
            return json.loads(result.read_text())
        wanted.write_text(text)
        print(f"{run.name}: {text}", flush=True)
        self.train(run)
        with open(self.path(run, "csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        found = {"seconds": float(rows[-1]["seconds"]),
                 "test": {places: self.measure(run, places) for places in run.tests}}
        if "validation" in run.options:
            found["validation"] = float(rows[-1]["accuracy"])
        result.write_text(json.dumps(found))
        return found


def percent(values):
    return ", ".join(f"{100 * value:.2f}%" for value in values)


def print_seeds(results, group, places):
    shares = [right / of for right, of in
              (result["test"][places] for name, result in results if name == group)]
    if not shares:
        return
    spread = statistics.stdev(shares) if len(shares) > 1 else 0
    print(f"| `{group}`{', --tta ' + places if places != '1' else ''} | {percent(shares)} | "
          f"{100 * statistics.mean(shares):.3f}% | {100 * spread:.3f} |")


def print_parts(results):
    found = {}
    for group, result in results:
        if "validation" in result:
            found.setdefault(group, []).append(result["validation"])
    whole = statistics.mean(found["whole"]) if "whole" in found else None
    print("\n| left out | validation, each seed | mean | less than the whole |\n"
          "| --- | --- | --- | --- |")
    for group, shares in found.items():
        mean = statistics.mean(shares)
        name = PARTS[group][0] if group in PARTS else "nothing"
        less = f"{100 * (whole - mean):.2f}" if whole is not None else "?"
        print(f"| {name} | {percent(shares)} | {100 * mean:.2f}% | {less} |")


def print_tables(results):
    print("\n| recipe | test, each seed | mean | standard deviation, in points |\n"
          "| --- | --- | --- | --- |")
    for places in "1", "5":
        print_seeds(results, "best", places)
    for group in "pixels", "permuted":
        print_seeds(results, group, "1")
    print_parts(results)
    times = [result["seconds"] / 60 for group, result in results if group == "best"]
    if times:
        print(f"\nA training of `best` takes {min(times):.1f} to {max(times):.1f} minutes.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("folder")
    parser.add_argument("--only", action="append")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data")
    parser.add_argument("--add", default="")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    runs = [run for run in list_runs(arguments.program, parse(shlex.split(arguments.add)))
            if not arguments.only or run.name.startswith(tuple(arguments.only))]
    if not runs:
        sys.exit(f"no run has a name that begins with {' or '.join(arguments.only)}")
    if arguments.list:
        for run in runs:
            print(f"{run.name}: {shlex.join(spell(run.options))}")
        return 0
    pathlib.Path(arguments.folder).mkdir(parents=True, exist_ok=True)
    trainer, results = Trainer(arguments), []
    try:
        for run in runs:
            results.append((run.group, trainer.finish(run)))
    except Stopped:
        pass
    print_tables(results)
    print(f"\n{len(results)} of {len(runs)} runs are finished.")
    return 0 if len(results) == len(runs) else LEFT


if __name__ == "__main__":
    sys.exit(main())
