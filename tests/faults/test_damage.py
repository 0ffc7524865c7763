"""Flips each bit of files that the project reads, and cuts them at each byte: a model and a
checkpoint of mnist-train, images and labels in gzip files.

usage: test_damage.py DAMAGE MNIST_TRAIN [--full] [FILE...]

DAMAGE is the program of damage.c. Without --full it draws a sample of the places of large
files. Further files are tried as well, for example t10k-labels-idx1-ubyte.gz.
"""
import argparse
import gzip
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from arguments import existing  # noqa: E402

SAMPLE = "20000"


def train(program, folder):
    """A small model and its checkpoint."""
    subprocess.run(
        [os.path.abspath(program), "--synthetic=60", "--hidden", "2", "--layers", "2", "--bidirectional",
         "--epochs", "1", "--threads", "1", "--seed", "1", "--eval", "none", "--quiet",
         "--save", "model", "--checkpoint", "checkpoint"],
        cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env=os.environ | {"MNIST_DIR": ""})
    return [folder / "model", folder / "checkpoint"]


def compress(folder):
    """Images and labels as gzip files have them: a name, several members, stored data."""
    count, side = 3, 8
    pixels = bytes((7 * i * i) % 251 if i % 5 else 0 for i in range(count * side * side))
    images = struct.pack(">IIII", 0x803, count, side, side) + pixels
    labels = struct.pack(">II", 0x801, count) + b"\x01\x00\x02"
    whole = gzip.compress(images, mtime=1)
    named = whole[:3] + b"\x08" + whole[4:10] + b"images\0" + whole[10:]
    files = {"images": whole, "named": named, "stored": gzip.compress(images, 0, mtime=0),
             "members": gzip.compress(images[:40], mtime=0) + gzip.compress(images[40:], mtime=0),
             "labels": gzip.compress(labels, mtime=0)}
    for name, data in files.items():
        (folder / f"{name}.gz").write_bytes(data)
    return [folder / f"{name}.gz" for name in files]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("damage", type=existing, help="the program of damage.c")
    parser.add_argument("program", type=existing, help="mnist-train")
    parser.add_argument("files", type=existing, nargs="*", help="further files")
    parser.add_argument("--full", action="store_true", help="all places of large files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = train(options.program, folder) + compress(folder)
        command = [options.damage.resolve()] + ([] if options.full else ["--sample", SAMPLE])
        status = subprocess.run([*command, *map(str, files)], check=False).returncode
        if options.files:
            status |= subprocess.run([*command, *options.files], check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
