"""Compiles the program in README.md as C11 and as C++20, and runs it on a few images.

usage: test_readme.py BUILD_FOLDER C_COMPILER... [++ C++_COMPILER...]
"""
import os
import pathlib
import re
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import printed  # noqa: E402

COUNT = 150


def write_images(folder):
    """Images that encode their label: a bright row at one of ten heights."""
    pixels = bytearray()
    for i in range(COUNT):
        for row in range(28):
            pixels += bytes([255 if row // 2 == i % 10 + 2 else 0]) * 28
    for half in ("train", "t10k"):
        (folder / f"{half}-images-idx3-ubyte").write_bytes(
            struct.pack(">4I", 0x803, COUNT, 28, 28) + pixels)
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2I", 0x801, COUNT) + bytes(i % 10 for i in range(COUNT)))


def check(folder, source, standard, compiler, build):
    printed.compile(source, folder / "program", standard, compiler, build)
    write_images(folder)
    output = printed.run(folder / "program", folder,
                         env={**os.environ, "MNIST_DIR": str(folder)})
    loss = float(re.fullmatch(r"loss of the last batch: (\d\.\d{4})\n", output)[1])
    # Two steps from ln 10, the loss of an untrained network.
    assert 1.5 < loss < 2.4, loss
    assert (folder / "digits.safetensors").stat().st_size > 4 * 80000


def main():
    build, *words = sys.argv[1:]
    source = printed.blocks("README.md")[0]
    for standard, compiler in printed.compilers(words).items():
        with tempfile.TemporaryDirectory() as scratch:
            check(pathlib.Path(scratch), source, standard, compiler, build)


if __name__ == "__main__":
    main()
