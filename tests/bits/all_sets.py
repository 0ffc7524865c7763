"""One hash for each precision, over 1, 2, 3, 5, 8 and 16 threads and all sets of kernels:
prints the hashes of each program and set, and which sets could not run.

usage: all_sets.py PROGRAM... [--emulated PROGRAM]

PROGRAM is test-bits-bits of a build; that of another architecture runs with qemu-aarch64.
Plain C has these bits in the reproducible mode.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from arguments import existing  # noqa: E402

SETS = ("generic", "avx2", "avx512", "avx512bf16", "neon")
EMULATOR = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]


def run(command, name):
    """The hashes of a set; None if it cannot run here."""
    environment = {**os.environ, "LSTM_CPU": name}
    if name == "generic":
        environment["LSTM_REPRODUCIBLE"] = "1"
    done = subprocess.run([*command, "--hash"], env=environment, text=True,
                          capture_output=True)
    if done.stdout.startswith("1..0"):
        return None
    found = re.fullmatch(rf"{name} fp32 (\w+) bf16 (\w+)\n", done.stdout)
    if done.returncode or not found:
        sys.exit(f"{name}: {done.stdout}{done.stderr}")
    return found.groups()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="*", type=existing)
    parser.add_argument("--emulated", action="append", default=[], type=existing)
    options = parser.parse_args()
    if not options.programs + options.emulated:
        parser.error("no program")
    commands = [[str(program.resolve())] for program in options.programs]
    commands += [[*EMULATOR, str(program.resolve())] for program in options.emulated]
    found = {}
    for command in commands:
        for name in SETS:
            hashes = run(command, name)
            if hashes:
                found.setdefault(name, set()).add(hashes)
                print(f"{name:<12}fp32 {hashes[0]}  bf16 {hashes[1]}  {' '.join(command)}",
                      flush=True)
    for name in SETS:
        if name not in found:
            print(f"{name:<12}not run: this machine cannot, or the build does not have it")
    different = set().union(*found.values())
    print(f"{len(different)} pair of hashes, {len(found)} of {len(SETS)} sets, 6 numbers of "
          "threads")
    return 0 if len(different) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
