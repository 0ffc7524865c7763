"""Checks the rules of the tree: which files may include which, allocate or print, and how
long files are.

usage: test_layers.py [ROOT]
"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else __file__).resolve()
if ROOT.is_file():
    ROOT = ROOT.parents[2]

FOLDERS = ["include", "lib", "examples", "tests", "docs"]
KINDS = {".c", ".h", ".py", ".sh", ".md", ".build"}
MOST_LINES = 500

# Folder: prefixes of the project's files that its files may include. The longest matching
# folder applies. A file of nn/ may also include files of its folder whose names begin with
# the same word, so that one object can have several files.
LOW = ["lib/common/", "lib/lstm/core/"]
MAY_INCLUDE = {
    "include/lstm": ["lstm/"],
    "include/mnist": ["mnist/"],
    "lib/common": ["lib/common/"],
    "lib/lstm/core": [*LOW, "lstm/"],
    "lib/lstm/kernels": [*LOW, "lib/lstm/kernels/", "lstm/threads.h"],
    "lib/lstm/tensor": [*LOW, "lib/lstm/kernels/", "lib/lstm/tensor/", "lstm/"],
    "lib/lstm/nn": [*LOW, "lib/lstm/kernels/", "lib/lstm/tensor/",
                    "lib/lstm/nn/parameter.h", "lib/lstm/nn/inference.h", "lstm/"],
    "lib/lstm/io": [*LOW, "lib/lstm/kernels/", "lib/lstm/tensor/",
                    "lib/lstm/nn/parameter.h", "lib/lstm/io/", "lstm/"],
    "lib/wasi": [],
    "lib/mnist": ["lib/common/", "lib/mnist/", "mnist/"],
    "examples": ["examples/", "lstm/", "mnist/"],
    "examples/common": ["examples/common/", "lib/common/file.h", "lib/common/hash.h",
                        "lib/common/message.h", "lib/common/reason.h", "lstm/"],
    "tests": ["lib/", "tests/", "examples/", "lstm/", "mnist/"],
    "tests/api": ["tests/support/", "tests/golden/", "lstm/", "mnist/"],
    "tests/install": ["lstm/", "mnist/"],
}
# The parts of a layer in nn/, each of which may include the headers of those before it, as
# the map in layer.h says. Their .c files may include all of them but stream.h.
PARTS = ["cell", "blocked", "batch", "weights", "tape", "partition", "copy", "pass", "layer",
         "stream"]
PARTS_SOURCES = {"backward", "dropout", "forward", "gradients", "panels", "plan", "weight",
                 "workspace"}
PUBLIC_SYSTEM_HEADERS = {"stdbool.h", "stddef.h", "stdint.h"}

CALL = r"(?<![\w.>])({})\s*\("
ALLOCATING = re.compile(CALL.format(
    "malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup|strndup|asprintf"))
ENDING = re.compile(CALL.format(
    "printf|fprintf|vfprintf|puts|fputs|putchar|perror|exit|_exit|abort|signal"))
# In parts, so that this file does not match.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"]) +
                        r")\b")


def files(*kinds, under=FOLDERS):
    for folder in under:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in (kinds or KINDS):
                yield path.relative_to(ROOT).as_posix(), path.read_text()


def code(text):
    """C text without comments and strings."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found.group().count("\n"), text,
                  flags=re.DOTALL)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def rule(name):
    folders = [folder for folder in MAY_INCLUDE if name.startswith(folder + "/")]
    return MAY_INCLUDE[max(folders, key=len)]


def same_object(name, included):
    """Whether both files are in one folder and begin with the same word."""
    one, other = pathlib.PurePath(name), pathlib.PurePath(included)
    return one.parent == other.parent and (
        re.split(r"[_.]", one.name)[0] == re.split(r"[_.]", other.name)[0])


def part_of_the_layer(name, included):
    """Whether a file of nn/ includes the header of a part that it may know."""
    one, other = pathlib.PurePath(name), pathlib.PurePath(included)
    if one.parent.as_posix() != "lib/lstm/nn" or other.parent != one.parent:
        return False
    word, part = re.split(r"[_.]", one.name)[0], other.stem
    if part not in PARTS or word not in {*PARTS, *PARTS_SOURCES}:
        return False
    if one.suffix == ".h":
        return PARTS.index(part) < PARTS.index(word)
    return part != "stream" or word == "stream"


class Layers(unittest.TestCase):
    def report(self, found):
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_files_include_only_their_own_folder_and_those_below(self):
        found = []
        for name, text in files(".c", ".h"):
            for included in re.findall(r'#include ["<]([\w/.]+)[">]', text):
                project = "/" in included and included.split("/")[0] in (
                    "lib", "lstm", "mnist", "examples", "tests")
                allowed = any(included.startswith(prefix) for prefix in rule(name))
                allowed = (allowed or same_object(name, included)
                           or part_of_the_layer(name, included))
                if project and not allowed:
                    found.append(f"{name} includes {included}")
        self.report(found)

    def test_quoted_includes_begin_at_the_root(self):
        self.report([f"{name} includes \"{included}\""
                     for name, text in files(".c", ".h")
                     for included in re.findall(r'#include "(.+?)"', text)
                     if not (ROOT / included).exists()])

    def test_public_headers_include_three_of_the_system(self):
        self.report([f"{name} includes <{included}>"
                     for name, text in files(".h", under=["include"])
                     for included in re.findall(r"#include <([^/>]+)>", text)
                     if included not in PUBLIC_SYSTEM_HEADERS])

    def test_one_file_knows_blas(self):
        self.report([name for name, text in files(".c", ".h", under=["lib"])
                     if "<cblas.h>" in text and name != "lib/lstm/kernels/blas.c"])

    def test_libraries_allocate_in_one_place(self):
        self.report([f"{name}: {call}()" for name, text in files(".c", ".h", under=["lib"])
                     for call in ALLOCATING.findall(code(text))
                     if name != "lib/common/memory.c"])

    def test_libraries_neither_print_nor_end_the_process(self):
        self.report([f"{name}: {call}()" for name, text in files(".c", ".h", under=["lib"])
                     for call in ENDING.findall(code(text))])

    def test_no_file_is_long(self):
        self.report([f"{name}: {len(text.splitlines())} lines" for name, text in files()
                     if len(text.splitlines()) > MOST_LINES])

    def test_messages_of_tests_are_comments_of_tap(self):
        """Meson reports other lines as a fault of the test."""
        for name, text in files(".c", ".h", under=["tests"]):
            self.assertNotRegex(text, r'print_message\((?!"# )', name)

    def test_nothing_is_marked_as_unfinished(self):
        self.report([f"{name}: {mark}" for name, text in files()
                     for mark in UNFINISHED.findall(text)])

    def test_links_between_pages_lead_somewhere(self):
        pages = [("README.md", (ROOT / "README.md").read_text()), *files(".md")]
        self.report([f"{name}: {link}" for name, text in pages
                     for link in re.findall(r"\]\(([^)#:]+)\)", text)
                     if not (ROOT / name).parent.joinpath(link).exists()])

    def test_lines_end_clean(self):
        self.report([f"{name}:{number}" for name, text in files()
                     for number, line in enumerate(text.split("\n"), 1)
                     if line != line.rstrip() or "\t" in line])

    def test_c_lines_have_at_most_88_columns(self):
        self.report([f"{name}:{number}" for name, text in files(".c", ".h")
                     for number, line in enumerate(text.split("\n"), 1) if len(line) > 88])


if __name__ == "__main__":
    unittest.main(verbosity=2)
