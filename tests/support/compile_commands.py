"""Prints the C files that a build compiles, or commands for the analyzer of gcc.

usage: compile_commands.py BUILD files|analyzer FOLDER...

Only files in these folders are printed. A set of kernels is all bodies with the flags of an
instruction set, so one set stands for all: generic.
"""
import json
import pathlib
import re
import shlex
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = re.compile(r"-(I|D|U|std=|isystem)")
# Of the analyzer of gcc 12: it takes shifts of vectors for shifts of single bytes, does not see
# that loops fill arrays, nor that a function of another file returns NULL only with an error.
DISABLED = [f"-Wno-analyzer-{check}" for check in (
    "shift-count-overflow", "use-of-uninitialized-value", "null-dereference")]
OTHER_SET = re.compile(r"/set_(?!generic)\w+\.c$")


def entries(build, folders):
    seen = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (build / entry["file"]).resolve()
        name = path.relative_to(ROOT).as_posix()
        if name not in seen and name.startswith(folders) and not OTHER_SET.search(name):
            seen.add(name)
            yield name, entry


def main():
    build, what = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    for name, entry in entries(build, tuple(sys.argv[3:])):
        if what == "files":
            print(name)
            continue
        flags = [word.replace("-I..", f"-I{build}/..") if word.startswith("-I..") else word
                 for word in shlex.split(entry["command"]) if KEPT.match(word)]
        print(shlex.join(["gcc", *flags, "-O1", "-fanalyzer", *DISABLED, "-S", "-o", "/dev/null",
                          str(ROOT / name)]))


if __name__ == "__main__":
    main()
