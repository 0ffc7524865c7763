"""Compiles each public header alone; or each private header and each body of kernels.

usage: test_compile.py STANDARD COMPILER...
       test_compile.py private COMPILER...
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only",
         f"-I{ROOT / 'include'}"]
# The build defines both; this test uses the values of liblstm and of the plain C kernels.
PRIVATE = [f"-I{ROOT}", "-std=c11", "-D_GNU_SOURCE", "-Wno-unused-function",
           "-DCOMMON_LIBRARY=lstm", "-DKERNEL_SET=generic",
           '-DKERNEL_SIMD="lib/lstm/kernels/simd_generic.h"']
# Vectors of one instruction set compile only with its flags; set.h is a source;
# headers of WASI replace those of the system.
NOT_ALONE = re.compile(r".*/(simd_(avx|neon)\w*\.h|set\.h|libraries\.h|wasi/\w+\.h)")


def compiles(command, name, source):
    result = subprocess.run([*command, "-"], input=source, text=True)
    print("ok" if result.returncode == 0 else "not ok", name, flush=True)
    return result.returncode == 0


def check_public(standard, compiler):
    language = "c++" if "++" in standard else "c"
    for path in sorted((ROOT / "include").rglob("*.h")):
        name = path.relative_to(ROOT / "include")
        # The header is included twice: the second time its guard must hide it.
        yield compiles([*compiler, *FLAGS, f"-std={standard}", "-x", language], name,
                       f"#include <{name}>\n#include <{name}>\nextern int not_empty;\n")


def check_private(compiler):
    files = [*(ROOT / "lib").rglob("*.h"), *(ROOT / "lib").rglob("*_body.c")]
    for path in sorted(files):
        name = path.relative_to(ROOT)
        if not NOT_ALONE.fullmatch(path.as_posix()):
            yield compiles([*compiler, *FLAGS, *PRIVATE, "-x", "c"], name,
                           f'#include "{name}"\nextern int not_empty;\n')


def main():
    standard, compiler = sys.argv[1], sys.argv[2:]
    results = list(check_private(compiler) if standard == "private" else
                   check_public(standard, compiler))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
