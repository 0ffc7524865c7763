"""Joins the pieces of code of docs/guide.md to the program that they form, compiles it as
C11 and as C++20, and runs it.

usage: test_guide.py BUILD_FOLDER C_COMPILER... [++ C++_COMPILER...]
"""
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import printed  # noqa: E402


def main():
    build, *words = sys.argv[1:]
    source = "".join(printed.blocks("docs/guide.md"))
    for standard, compiler in printed.compilers(words).items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            printed.compile(source, folder / "halves", standard, compiler, build)
            output = printed.run(folder / "halves", folder)
            right = int(re.search(r"^(\d+) of 32 new sequences are right$", output, re.M)[1])
            # Random answers give 16, with a standard deviation of 3.
            assert right >= 24, right
            assert (folder / "halves.safetensors").stat().st_size > 4 * 1250


if __name__ == "__main__":
    main()
