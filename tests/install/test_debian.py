"""Debian's packages: built, looked at by lintian, installed, used and removed.

usage: test_debian.py C_COMPILER

The packages are those of the last commit. They are installed into an empty root.
"""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("program.c")
COMPILER = []
NEEDED = {"dpkg-buildpackage": "dpkg-dev", "dh": "debhelper", "dh_python3": "dh-python",
          "lintian": "lintian", "git": "git", "pkg-config": "pkg-config"}
# Tools of the system, also where another Python or Meson comes first.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def output(*command, **variables):
    environment = {"PATH": f"{PATH}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", **variables}
    result = subprocess.run([str(word) for word in command], text=True, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        raise AssertionError(f"{shlex.join(map(str, command))}\n{result.stdout[-8000:]}")
    return result.stdout


class Debian(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        missing = [package for command, package in NEEDED.items() if not shutil.which(command)]
        if not (ROOT / ".git").exists():
            raise unittest.SkipTest("this tree is not a repository of git")
        if missing:
            raise unittest.SkipTest(f"install {' '.join(missing)}")
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="debian-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        # -d: the build tools may come from elsewhere than packages.
        output("sh", ROOT / "docs/packaging/deb.sh", cls.scratch, "-b", "-d",
               DEB_BUILD_OPTIONS="noautodbgsym", HOME=str(cls.scratch))
        cls.packages = {path.name.split("_")[0]: path
                        for path in cls.scratch.glob("*.deb")}

    def test_all_packages_are_built(self):
        self.assertEqual(set(self.packages), {"liblstm1", "libmnist1", "liblstm-dev",
                                              "lstm-tools", "python3-liblstm"})

    def test_lintian_finds_nothing(self):
        found = output("lintian", "--allow-root", "--fail-on", "none",
                       *self.scratch.glob("*.changes"))
        self.assertEqual(found, "")

    def dpkg(self, root, *words):
        output("dpkg", f"--root={root}", "--force-depends", "--force-script-chrootless",
               "--force-not-root", *words)

    def files(self, root):
        return {path.relative_to(root).as_posix() for path in root.rglob("*")
                if not path.is_dir() and "var/lib/dpkg" not in path.as_posix()
                and "var/log" not in path.as_posix()}

    def test_installed_used_and_removed(self):
        root = self.scratch / "root"
        for folder in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "var/log"):
            (root / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        names = ["liblstm1", "libmnist1", "liblstm-dev", "lstm-tools"]
        self.dpkg(root, "--install", *(self.packages[name] for name in names))
        libraries = next(root.rglob("liblstm.so.1")).parent
        flags = output("pkg-config", "--cflags", "--libs", "lstm", "mnist",
                       PKG_CONFIG_SYSROOT_DIR=str(root),
                       PKG_CONFIG_PATH=str(libraries / "pkgconfig")).split()
        program = self.scratch / "program"
        output(*COMPILER, PROGRAM, "-o", program, *flags)
        self.assertEqual(output(program, LD_LIBRARY_PATH=str(libraries)),
                         "both libraries work\n")
        for tool in ("mnist-train", "mnist-predict", "lstm-amp", "lstm-embed", "lstm-verify"):
            self.assertIn(tool, output(root / "usr/bin" / tool, "--help",
                                       LD_LIBRARY_PATH=str(libraries)))
            self.assertTrue((root / f"usr/share/man/man1/{tool}.1.gz").is_file())
        self.dpkg(root, "--purge", *names)
        self.assertEqual(self.files(root), set())

    def test_the_python_package_finds_the_libraries(self):
        root = self.scratch / "python"
        for name in ("liblstm1", "libmnist1", "python3-liblstm"):
            output("dpkg-deb", "--extract", self.packages[name], root)
        libraries = next(root.rglob("liblstm.so.1")).parent
        code = ("import liblstm, liblstm.mnist; "
                "liblstm.Layer(2, 3, rng=liblstm.Rng(0)); print(liblstm.__file__)")
        said = output("/usr/bin/python3", "-c", code, LD_LIBRARY_PATH=str(libraries),
                      PYTHONPATH=str(root / "usr/lib/python3/dist-packages"))
        self.assertIn(str(root), said)


if __name__ == "__main__":
    COMPILER = shlex.split(sys.argv.pop(1))
    unittest.main(verbosity=2)
