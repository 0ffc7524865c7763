"""Runs each Python program in docs/guide.md.

usage: test_guide.py (with LIBLSTM in the environment)
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    sys.path.insert(0, str(ROOT / "examples/python"))
    guide = (ROOT / "docs/guide.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", guide, re.S)
    assert len(programs) >= 2, len(programs)
    missing_modules = set()
    for program in programs:
        try:
            exec(compile(program, "docs/guide.md", "exec"), {})
        except ModuleNotFoundError as missing:
            missing_modules.add(missing.name)
    assert missing_modules <= {"numpy", "torch"}, missing_modules
    if missing_modules:
        print(f"skipped: {', '.join(sorted(missing_modules))} not installed")
        sys.exit(77)


if __name__ == "__main__":
    main()
