"""Runs the Python of docs/guide.md as it stands, each piece by itself.

usage: test_guide.py (with LIBLSTM in the environment)
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    sys.path.insert(0, str(ROOT / "examples/python"))
    guide = (ROOT / "docs/guide.md").read_text()
    pieces = re.findall(r"```python\n(.*?)```", guide, re.S)
    assert len(pieces) >= 2, len(pieces)
    lacking = set()
    for piece in pieces:
        try:
            exec(compile(piece, "docs/guide.md", "exec"), {})
        except ModuleNotFoundError as missing:
            lacking.add(missing.name)
    assert lacking <= {"numpy", "torch"}, lacking
    if lacking:
        print(f"skipped: {', '.join(sorted(lacking))} not installed")
        sys.exit(77)


if __name__ == "__main__":
    main()
