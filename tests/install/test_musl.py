"""Builds the tree with the C library musl, and checks its arithmetic there.

usage: test_musl.py MESON

zlib is built from Debian's sources. Skipped without musl-gcc or these sources.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = "deb-src http://deb.debian.org/debian stable main\n"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)


def check(*command, **options):
    """Output of a command that must succeed."""
    done = run(*command, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
    return done.stdout


def zlib_sources(folder):
    """The folder of zlib's sources, without a change to the lists of this machine."""
    (folder / "lists/partial").mkdir(parents=True)
    (folder / "sources.list").write_text(SOURCES)
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::SourceList={folder}/sources.list",
           "-o", "Dir::Etc::SourceParts=/dev/null", "-o", f"Dir::State::Lists={folder}/lists"]
    for words in (["update"], ["source", "--download-only", "zlib"]):
        if run(*apt, *words, cwd=folder).returncode:
            skip(f"apt-get {words[0]} failed: no sources of zlib")
    shutil.unpack_archive(next(folder.glob("zlib_*.orig.tar.*")), folder / "sources")
    return next((folder / "sources").iterdir())


def build_zlib(folder):
    """Where zlib for musl is installed."""
    sources, installed = zlib_sources(folder), folder / "zlib"
    check("env", "CC=musl-gcc", "CFLAGS=-O2 -fPIC", "./configure", "--static",
          f"--prefix={installed}", cwd=sources)
    check("make", "libz.a", "install", cwd=sources)
    return installed


def main():
    meson = sys.argv[1]
    missing = [name for name in ("musl-gcc", "apt-get", "make") if not shutil.which(name)]
    if missing:
        skip(f"{', '.join(missing)} not found; on Debian: apt-get install musl-tools make")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        zlib = build_zlib(folder)
        (folder / "musl.ini").write_text(
            "[binaries]\nc = 'musl-gcc'\npkg-config = 'pkg-config'\n"
            f"[properties]\npkg_config_libdir = '{zlib}/lib/pkgconfig'\n")
        build = folder / "build"
        check(meson, "setup", build, ROOT, "--native-file", folder / "musl.ini", "-Dwerror=true",
              "-Dblas=builtin", "-Dkernels=generic", "-Dtests=false", "-Ddownload=disabled",
              "-Dpng=disabled", "-Djpeg=disabled", "-Dmpi=disabled")
        check("ninja", "-C", build, "examples/mnist-train", "tests/verify/lstm-verify")
        assert "ld-musl" in check("readelf", "-l", build / "examples/mnist-train")
        # The thread stacks of musl are small, and its mathematics is not that of glibc.
        for group in ("arithmetic", "kernels"):
            print(check(build / "tests/verify/lstm-verify", "--only", group))


if __name__ == "__main__":
    main()
