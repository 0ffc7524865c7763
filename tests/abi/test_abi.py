"""Compares the binary interface of both libraries with that of 1.0.0: the tables and the
headers in this folder. Programs compiled for 1.0.0 run with the current library.

usage: test_abi.py [--update] LIBLSTM LIBMNIST C_COMPILER...

--update appends new lines to the tables and changes no line. It writes a missing table, and
the folder of headers if it is missing.
"""
import pathlib
import platform
import re
import shutil
import sys
import tempfile
import unittest

import interface
from interface import declarations

FOLDER = pathlib.Path(__file__).resolve().parent
INCLUDE = declarations.ROOT / "include"
FROZEN = FOLDER / "include-1"
LIBRARIES, COMPILER = {}, []
# 64-bit processors on which C lays out these types alike.
MACHINES = {"x86_64", "aarch64"}


def table_path(library):
    return FOLDER / f"lib{library}-1.txt"


def table(library):
    return table_path(library).read_text().splitlines()


def today(library):
    return [*interface.of_headers(library, COMPILER),
            *interface.symbols(LIBRARIES[library])]


def freeze_headers():
    """Copies the public headers without their comments."""
    for path in sorted(INCLUDE.rglob("*.h")):
        text = re.sub(r"/\*(?! cdef).*?\*/", "", path.read_text(), flags=re.DOTALL)
        copy = FROZEN / path.relative_to(INCLUDE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(re.sub(r"\n\s*\n+", "\n", text).lstrip())


def update():
    if not FROZEN.exists():
        freeze_headers()
    for library in LIBRARIES:
        old = table(library) if table_path(library).exists() else []
        broken, added = interface.compare(old, today(library))
        if broken:
            sys.exit("The table is not changed:\n" + "\n".join(broken))
        table_path(library).write_text("".join(f"{line}\n" for line in old + added))
        print(f"{table_path(library).name}: {len(added)} lines added")


def run(include, *options):
    """Runs the program that was compiled with the headers of a folder."""
    libraries = {pathlib.Path(path).resolve().parent for path in LIBRARIES.values()}
    return interface.run(
        COMPILER, (FOLDER / "program.c").read_text(), include, *options,
        *(f"-L{path}" for path in libraries), *(f"-Wl,-rpath,{path}" for path in libraries),
        "-llstm", "-lmnist")


class Interface(unittest.TestCase):
    def test_nothing_of_the_table_is_gone_or_changed(self):
        for library in LIBRARIES:
            broken, _ = interface.compare(table(library), today(library))
            self.assertEqual(broken, [], "\n" + "\n".join(broken))

    def test_the_table_has_everything(self):
        for library in LIBRARIES:
            _, added = interface.compare(table(library), today(library))
            self.assertEqual(added, [], f"\nadd these lines to {table_path(library).name} "
                             "(test_abi.py --update):\n" + "\n".join(added))

    def test_the_frozen_headers_are_in_the_table(self):
        for library in LIBRARIES:
            lines = interface.of_headers(library, COMPILER, FROZEN)
            self.assertEqual(set(lines) - set(table(library)), set())

    def test_a_program_of_the_frozen_headers_runs(self):
        self.assertEqual(run(FROZEN), "works\n")

    def test_a_program_of_later_headers_runs_without_their_options(self):
        with tempfile.TemporaryDirectory() as scratch:
            later = pathlib.Path(scratch) / "include"
            shutil.copytree(INCLUDE, later)
            for path in later.rglob("*.h"):
                path.write_text(re.sub(
                    r"uint64_t reserved\[(\d)\];",
                    lambda found: "uint64_t later; "
                                  f"uint64_t reserved[{int(found[1]) - 1}];",
                    path.read_text()))
            self.assertEqual(run(later), "works\n")
            self.assertEqual(run(later, "-DLATER=.later=0"), "works\n")
            self.assertEqual(run(later, "-DLATER=.later=5"),
                             "layer: reserved[0] is 5, expected 0: this version does not "
                             "know the option\n")


class Comparison(unittest.TestCase):
    OLD = ["constant MAX = 4", "enum status.OK = 0",
           "struct options: 88 bytes, reserved from 24", "struct plain: 16 bytes",
           "field options.size: size_t, 8 bytes at 0", "symbol f@@V_1",
           "function f: int (size_t)"]

    def check(self, change, broken=0, added=0):
        found = interface.compare(self.OLD, change(list(self.OLD)))
        self.assertEqual((len(found[0]), len(found[1])), (broken, added), found)

    def replaced(self, old, new):
        return lambda lines: [new if line == old else line for line in lines]

    def test_an_equal_interface_passes(self):
        self.check(lambda lines: lines[::-1])

    def test_removed_lines_are_found(self):
        for i in range(len(self.OLD)):
            self.check(lambda lines, i=i: lines[:i] + lines[i + 1:], broken=1)

    def test_changed_lines_are_found(self):
        for old, new in ((self.OLD[0], "constant MAX = 5"),
                         (self.OLD[1], "enum status.OK = 1"),
                         (self.OLD[2], "struct options: 96 bytes, reserved from 24"),
                         (self.OLD[2], "struct options: 88 bytes, reserved from 16"),
                         (self.OLD[2], "struct options: 88 bytes"),
                         (self.OLD[3], "struct plain: 24 bytes"),
                         (self.OLD[4], "field options.size: size_t, 8 bytes at 8"),
                         (self.OLD[6], "function f: int (int)")):
            self.check(self.replaced(old, new), broken=1)

    def test_an_option_may_take_a_part_of_the_tail(self):
        grown = self.replaced(self.OLD[2], "struct options: 88 bytes, reserved from 32")
        self.check(lambda lines: [*grown(lines), "field options.new: bool, 1 bytes at 24"],
                   added=1)

    def test_an_option_may_not_be_where_older_programs_write_no_zeros(self):
        self.check(lambda lines: [*lines, "field options.new: bool, 1 bytes at 9"],
                   broken=1, added=1)
        self.check(lambda lines: [*lines, "field plain.new: bool, 1 bytes at 9"],
                   broken=1, added=1)

    def test_new_lines_are_reported_as_added(self):
        self.check(lambda lines: [*lines, "symbol g@@V_1", "struct new: 8 bytes",
                                  "field new.a: int, 4 bytes at 0"], added=3)


if __name__ == "__main__":
    wants_update = "--update" in sys.argv
    lstm, mnist, *COMPILER = [word for word in sys.argv[1:] if word != "--update"]
    LIBRARIES = {"lstm": lstm, "mnist": mnist}
    if platform.machine() not in MACHINES or sys.maxsize < 2**32:
        print(f"skipped: the tables are not those of {platform.machine()}")
        sys.exit(77)
    if wants_update:
        update()
    else:
        unittest.main(argv=sys.argv[:1], verbosity=2)
