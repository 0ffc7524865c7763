"""Joins the pieces of code of docs/guide.md to the program that they are, compiles it as
it stands, and runs it.

usage: test_guide.py BUILD_FOLDER C_COMPILER...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def main():
    build, *compiler = sys.argv[1:]
    guide = (ROOT / "docs/guide.md").read_text()
    program = "".join(re.findall(r"```c\n(.*?)```", guide, re.S))
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "halves.c").write_text(program)
        library = f"{build}/lib/lstm"
        subprocess.run([*compiler, *FLAGS, folder / "halves.c", "-o", folder / "halves",
                        f"-I{ROOT / 'include'}", f"-L{library}", f"-Wl,-rpath,{library}",
                        "-llstm"], check=True)
        output = subprocess.run([folder / "halves"], cwd=folder, text=True, check=True,
                                stdout=subprocess.PIPE).stdout
        print(output, end="")
        right = int(re.search(r"^(\d+) of 32 new sequences are right$", output, re.M)[1])
        # A network that knows nothing gets 16 right, give or take 3.
        assert right >= 24, right
        assert (folder / "halves.safetensors").stat().st_size > 4 * 1250


if __name__ == "__main__":
    main()
