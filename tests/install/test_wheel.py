"""Installs examples/python with pip into an empty environment, and uses it.

usage: test_wheel.py

Builds from a copy of the sources. Skipped when pip cannot get the packages to build a wheel.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ["include", "lib", "examples", "docs", "subprojects"]
PROGRAM = """
import array, liblstm
from liblstm import _c, mnist
assert _c.library._name == f"{folder}/liblstm/_lib/liblstm.so.1", _c.library._name
assert mnist._library._name == f"{folder}/liblstm/_lib/libmnist.so.1"
layer, out = liblstm.Layer(2, 3, rng=liblstm.Rng(0)), liblstm.Tensor(1, 1, 3)
layer.forward(memoryview(array.array("f", [1, 2])).cast("B").cast("f", (1, 1, 2)), out=out)
assert any(out.tolist())
assert len(mnist.Dataset.synthetic(3)) == 3
print(liblstm.version())
"""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **options)


def main():
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
    project = (ROOT / "examples/python/pyproject.toml").read_text()
    needed = re.findall(r'"([^"]*)"', re.search(r"requires = \[(.*)\]", project)[1])
    assert f'version = "{version}"' in project, version
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        made = run(sys.executable, "-m", "venv", scratch / "venv")
        if made.returncode:
            skip("venv failed: " + made.stdout.strip().splitlines()[-1])
        python = scratch / "venv/bin/python"
        got = run(python, "-m", "pip", "download", "-q", "-d", scratch / "wheels", *needed)
        if got.returncode:
            skip(f"pip cannot get {', '.join(needed)}")
        for name in SOURCES:
            shutil.copytree(ROOT / name, scratch / "tree" / name,
                            ignore=shutil.ignore_patterns("build*", "__pycache__"))
        for name in ("meson.build", "meson_options.txt"):
            shutil.copy(ROOT / name, scratch / "tree" / name)
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("LIBLSTM", "LIBMNIST", "PYTHONPATH")}
        installed = run(python, "-m", "pip", "install", scratch / "tree/examples/python",
                        env=environment | {"PIP_NO_INDEX": "1",
                                           "PIP_FIND_LINKS": str(scratch / "wheels")})
        assert installed.returncode == 0, installed.stdout
        # The wheel contains the libraries and does not need the sources.
        shutil.rmtree(scratch / "tree")
        where = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        done = run(python, "-c", f"folder = {where.stdout.strip()!r}\n{PROGRAM}",
                   cwd=scratch, env=environment)
        print(done.stdout, end="")
        assert done.returncode == 0 and done.stdout.strip() == version


if __name__ == "__main__":
    main()
