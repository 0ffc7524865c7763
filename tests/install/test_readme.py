"""Extracts the program that the README shows, compiles it as it stands, and runs it on a
few images.

usage: test_readme.py BUILD_FOLDER C_COMPILER...
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]
COUNT = 150


def write_images(folder):
    """Images whose label can be read off: a bright row at ten heights."""
    pixels = bytearray()
    for i in range(COUNT):
        for row in range(28):
            pixels += bytes([255 if row // 2 == i % 10 + 2 else 0]) * 28
    for half in ("train", "t10k"):
        (folder / f"{half}-images-idx3-ubyte").write_bytes(
            struct.pack(">4I", 0x803, COUNT, 28, 28) + pixels)
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2I", 0x801, COUNT) + bytes(i % 10 for i in range(COUNT)))


def main():
    build, *compiler = sys.argv[1:]
    program = re.search(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "program.c").write_text(program)
        libraries = [f"{build}/lib/lstm", f"{build}/lib/mnist"]
        subprocess.run([*compiler, *FLAGS, folder / "program.c", "-o", folder / "program",
                        f"-I{ROOT / 'include'}", *(f"-L{path}" for path in libraries),
                        *(f"-Wl,-rpath,{path}" for path in libraries), "-llstm", "-lmnist"],
                       check=True)
        write_images(folder)
        output = subprocess.run([folder / "program"], cwd=folder, text=True, check=True,
                                stdout=subprocess.PIPE,
                                env={**os.environ, "MNIST_DIR": scratch}).stdout
        print(output, end="")
        loss = float(re.fullmatch(r"loss of the last batch: (\d\.\d{4})\n", output).group(1))
        # Two steps from ln 10, the loss of a network that knows nothing.
        assert 1.5 < loss < 2.4, loss
        assert (folder / "digits.safetensors").stat().st_size > 4 * 80000


if __name__ == "__main__":
    main()
