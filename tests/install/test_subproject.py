"""Makes the release archive, and uses it as a subproject of another Meson project.

usage: test_subproject.py MESON
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("program.c")
MESON = None
PARENT = """
project('parent', 'c')
lstm = dependency('lstm', fallback: ['lstm', 'lstm_dep'])
mnist = dependency('mnist', fallback: ['lstm', 'mnist_dep'])
executable('program', 'program.c', dependencies: [lstm, mnist], install: true)
"""
# The parent finds no installed library of these names, and one set of kernels saves time.
SETUP = ["--force-fallback-for=lstm,mnist", "--prefix=/usr/local",
         "--libdir=lib", "-Dlstm:kernels=generic"]


def output(*command, **options):
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
    return done.stdout


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")
            if path.is_symlink() or not path.is_dir()}


class Subproject(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (ROOT / ".git").exists() or not shutil.which("git"):
            raise unittest.SkipTest("this tree is not a repository of git")
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="subproject-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.parent = cls.scratch / "parent"
        (cls.parent / "subprojects").mkdir(parents=True)
        (cls.parent / "meson.build").write_text(PARENT)
        shutil.copy(PROGRAM, cls.parent)
        cls.unpack()

    @classmethod
    def unpack(cls):
        """The archive of `meson dist`, in the place of a subproject."""
        build = cls.scratch / "build"
        output(MESON, "setup", build, ROOT, "-Dexamples=false", "-Dtests=false",
               "-Dkernels=generic")
        output(MESON, "dist", "-C", build, "--no-tests", "--allow-dirty", "--formats=gztar")
        archive, = (build / "meson-dist").glob("*.tar.gz")
        shutil.unpack_archive(archive, cls.scratch / "archive")
        unpacked, = (cls.scratch / "archive").iterdir()
        cls.lstm = unpacked.rename(cls.parent / "subprojects/lstm")

    def install(self, name, *options):
        """What the parent installs, and what it printed while it was configured."""
        build, installed = self.scratch / name, self.scratch / f"{name}-installed"
        printed = output(MESON, "setup", build, self.parent, *SETUP, *options)
        output("ninja", "-C", build, "install", env=os.environ | {"DESTDIR": str(installed)})
        prefix = installed / "usr/local"
        works = output(prefix / "bin/program",
                       env=os.environ | {"LD_LIBRARY_PATH": str(prefix / "lib")})
        self.assertEqual(works, "both libraries work\n")
        return files(prefix), printed

    def test_the_archive_has_all_files(self):
        tracked = output("git", "-C", ROOT, "ls-tree", "-r", "--name-only", "HEAD").split()
        self.assertEqual(files(self.lstm), set(tracked))

    def test_a_parent_gets_the_libraries_alone(self):
        installed, printed = self.install("plain")
        self.assertEqual(installed, {"bin/program"})
        for name in ("cmocka", "libpng", "doxygen"):
            self.assertNotIn(name, printed)

    def test_a_parent_installs_shared_libraries_that_it_asks_for(self):
        installed, _ = self.install("shared", "-Dlstm:default_library=shared")
        libraries = {f"lib/lib{name}.so{version}" for name in ("lstm", "mnist")
                     for version in ("", ".1", ".1.0.0")}
        self.assertEqual(installed, {"bin/program"} | libraries)


if __name__ == "__main__":
    MESON = sys.argv[1]
    unittest.main(argv=sys.argv[:1], verbosity=2)
