"""Compiles each public header alone.

usage: test_compile.py STANDARD COMPILER...
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]


def main():
    standard, compiler = sys.argv[1], sys.argv[2:]
    language = "c++" if "++" in standard else "c"
    failed = 0
    for path in sorted((ROOT / "include").rglob("*.h")):
        name = path.relative_to(ROOT / "include")
        # Twice, to test the include guard.
        source = f"#include <{name}>\n#include <{name}>\nextern int not_empty;\n"
        command = [*compiler, f"-std={standard}", *FLAGS, f"-I{ROOT / 'include'}",
                   "-x", language, "-"]
        result = subprocess.run(command, input=source, text=True)
        print("ok" if result.returncode == 0 else "not ok", name, flush=True)
        failed += result.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
