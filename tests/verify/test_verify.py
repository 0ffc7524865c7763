"""lstm-verify passes here, and finds libraries and file systems that are broken on purpose.

usage: test_verify.py PROGRAM LIBRARY SOURCES COMPILER...
"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

# One element of the table of the exponential, 2^(1/8), as the kernels have it.
CONSTANT = struct.pack("<I", 0x3f7b95c2)
# A call that fails, for LD_PRELOAD.
FAULT = """
#include <errno.h>
int {name}({arguments})
{{
    errno = EIO;
    return -1;
}}
"""
FAULTS = {"fsync": "int file", "rename": "const char *from, const char *to"}


def run(*words, **variables):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=500,
                          env={**os.environ, **variables})
    return done


def checks(*words, **variables):
    done = run("--json", *words, **variables)
    return done, json.loads(done.stdout)["checks"]


class Verify(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def failed(self, found):
        return {check["check"] for check in found if check["result"] == "failed"}

    def test_this_build_passes(self):
        done, found = checks("--folder", str(self.folder))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(self.failed(found), set())
        groups = {check["group"] for check in found if check["result"] == "passed"}
        self.assertLessEqual({"arithmetic", "generic", "files", "speed"}, groups)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_table_is_readable(self):
        done = run("--only", "arithmetic")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^passed    arithmetic  not-a-number stays so ")
        self.assertRegex(done.stdout, r"\n3 passed, 0 failed, 0 not on this machine; \d+ s\n$")

    def test_a_wrong_constant_is_found(self):
        content = LIBRARY.read_bytes()
        self.assertIn(CONSTANT, content)
        library = self.folder / LIBRARY.name
        library.write_bytes(content.replace(CONSTANT, struct.pack("<I", 0x3f7b95c3)))
        (self.folder / "liblstm.so.1").symlink_to(library.name)
        done, found = checks("--only", "kernels", LD_LIBRARY_PATH=str(self.folder))
        self.assertEqual(done.returncode, 1)
        self.assertIn("trainings against stored hashes", self.failed(found))
        self.assertIn("Report the table", done.stderr)

    def test_a_failing_file_system_is_found(self):
        for name, arguments in FAULTS.items():
            with self.subTest(name):
                source = self.folder / f"{name}.c"
                source.write_text(FAULT.format(name=name, arguments=arguments))
                fault = source.with_suffix(".so")
                subprocess.run([*COMPILER, "-shared", "-fPIC", source, "-o", fault],
                               check=True)
                done, found = checks("--only", "files", LD_PRELOAD=str(fault))
                self.assertEqual(done.returncode, 1)
                self.assertEqual(self.failed(found), {"save, kill, resume"})
                self.assertIn("Input/output error", found[0]["found"])

    def test_a_folder_that_does_not_exist_is_named(self):
        done, found = checks("--only", "files", "--folder", str(self.folder / "none"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.failed(found), {str(self.folder / "none")})

    @unittest.skipUnless(shutil.which("meson") and shutil.which("ninja"), "needs Meson")
    def test_fast_mathematics_is_found(self):
        build = self.folder / "build"
        subprocess.run(
            ["meson", "setup", build, SOURCES, "-Dkernels=generic", "-Dtests=false",
             "-Dexamples=false", "-Dblas=builtin", "-Ddownload=disabled",
             "-Dc_args=-ffast-math", "-Dbuildtype=release", "-Ddefault_library=shared"],
            env={**os.environ, "CC": " ".join(COMPILER)}, check=True, capture_output=True)
        subprocess.run(["ninja", "-C", build, f"lib/lstm/{LIBRARY.name}"], check=True,
                       capture_output=True)
        done, found = checks("--only", "arithmetic", LD_LIBRARY_PATH=str(build / "lib/lstm"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("not-a-number stays so", self.failed(found))
        done, found = checks("--only", "kernels", LD_LIBRARY_PATH=str(build / "lib/lstm"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("outputs against double precision", self.failed(found))

    def test_usage(self):
        self.assertEqual(run("-h").returncode, 0)
        for words in (["x"], ["--only", "x"], ["--part"], ["--part", "x"], ["--folder"]):
            self.assertEqual(run(*words).returncode, 2, words)


if __name__ == "__main__":
    PROGRAM, LIBRARY, SOURCES, *COMPILER = sys.argv[1:]
    LIBRARY = pathlib.Path(LIBRARY)
    unittest.main(argv=sys.argv[:1], verbosity=2)
