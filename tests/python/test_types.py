"""Checks the type hints of the package with mypy --strict, without any exception.

usage: test_types.py
"""
import importlib.util
import os
import pathlib
import re
import subprocess
import sys

MODULES = pathlib.Path(__file__).resolve().parents[2] / "examples/python"


def main():
    # The package's types depend on the types of these modules.
    for module in ("mypy", "numpy", "onnx", "safetensors", "torch"):
        if not importlib.util.find_spec(module):
            print(f"skipped: {module} is not installed")
            sys.exit(77)
    relaxed = [str(path) for path in sorted((MODULES / "liblstm").rglob("*.py"))
               if re.search(r"# *(mypy|type): *\w", path.read_text(encoding="utf-8"))]
    if relaxed:
        sys.exit(f"comments relax the checks in {', '.join(relaxed)}")
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict",
                           f"--cache-dir={os.devnull}", MODULES / "liblstm"], cwd=MODULES)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
