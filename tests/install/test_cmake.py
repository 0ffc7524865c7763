"""A project of CMake finds the installed libraries with find_package(lstm).

usage: test_cmake.py BUILD_FOLDER NINJA
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(__file__).with_name("program.c")
BUILD, NINJA = None, None
PROJECT = """cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(lstm {version} REQUIRED)
add_executable(user {program})
target_link_libraries(user {libraries})
"""


def run(*command, **variables):
    return subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **variables})


def output(*command, **variables):
    result = run(*command, **variables)
    if result.returncode:
        raise AssertionError(result.stdout)
    return result.stdout


class CMake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("cmake"):
            raise unittest.SkipTest("no cmake; install cmake")
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="cmake-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        output(NINJA, "-C", BUILD, "install", DESTDIR=cls.scratch / "first")
        config = next((cls.scratch / "first").rglob("lstm-config.cmake"))
        # The prefix is where include is; it moves, as an archive of it would.
        prefix = next(path for path in config.parents if (path / "include").is_dir())
        cls.prefix = cls.scratch / "moved here"
        prefix.rename(cls.prefix)
        cls.archives = next(cls.prefix.rglob("liblstm.a"))

    def configure(self, name, libraries="lstm::lstm mnist::mnist", version="1"):
        folder = self.scratch / name
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text(PROJECT.format(
            program=PROGRAM, libraries=libraries, version=version))
        return folder, run("cmake", "-S", folder, "-B", folder / "build",
                           f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_C_STANDARD=11")

    def build(self, name, *arguments):
        folder, result = self.configure(name, *arguments)
        self.assertEqual(result.returncode, 0, result.stdout)
        output("cmake", "--build", folder / "build")
        program = folder / "build/user"
        self.assertEqual(output(program), "both libraries work\n")
        return output("ldd", program)

    def test_the_shared_libraries_are_linked(self):
        linked = self.build("shared")
        for name in ("lstm", "mnist"):
            self.assertIn(f"lib{name}.so.1 => {self.prefix}", linked)

    def test_the_static_libraries_are_linked(self):
        linked = self.build("static", "lstm::lstm_static mnist::mnist_static")
        self.assertNotIn("liblstm", linked)
        self.assertNotIn("libmnist", linked)

    def test_only_static_libraries_are_enough(self):
        hidden = self.scratch / "hidden"
        hidden.mkdir()
        shared = [path for path in self.archives.parent.iterdir() if ".so" in path.name]
        for path in shared:
            path.rename(hidden / path.name)
        try:
            self.assertNotIn("liblstm", self.build("only_static"))
        finally:
            for path in shared:
                (hidden / path.name).rename(path)

    def test_versions(self):
        for number, (version, status) in enumerate(
                [("1.0", 0), ("1.0.0 EXACT", 0), ("2", 1), ("1.1", 1), ("0.9", 1)]):
            _, result = self.configure(f"version{number}", version=version)
            self.assertEqual(result.returncode, status, result.stdout)
            if status:
                self.assertIn("1.0.0", result.stdout)


if __name__ == "__main__":
    BUILD, NINJA = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
