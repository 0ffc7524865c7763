"""Checks the type hints of the package with mypy --strict.

usage: test_types.py
"""
import importlib.util
import os
import pathlib
import subprocess
import sys

MODULES = pathlib.Path(__file__).resolve().parents[2] / "examples/python"


def main():
    if not importlib.util.find_spec("mypy"):
        print("skipped: mypy is not installed")
        sys.exit(77)
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict",
                           f"--cache-dir={os.devnull}", MODULES / "liblstm"], cwd=MODULES)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
