"""Runs all programs with closed standard streams: no file that they open takes the place of
one, so that no output gets into a file.

usage: test_closed.py FOLDER (with the programs)
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/faults")]
import models  # noqa: E402
from cases import CASES, prepare  # noqa: E402
from run_faults import MAY_END_EARLY, read_files, without_times  # noqa: E402

PROGRAMS = {}
STDIN, STDOUT, STDERR = range(3)


class Closed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        (cls.folder / "base").mkdir()
        prepare(cls.folder / "base", PROGRAMS)

    def run_case(self, case, *closed):
        """Status, standard output, messages and files. Without closed input, the program
        reads that of the case."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for name in case.files:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(self.folder / "base" / name, folder / name)
        text = case.input(self.folder / "base")

        def close():
            for file in closed:
                os.close(file)

        environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "HOME": str(folder)}
        environment.pop("MNIST_DIR", None)
        done = subprocess.run([PROGRAMS[case.program], *case.words], cwd=folder, input=text,
                              env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, preexec_fn=close)
        files = read_files(folder)
        return done.returncode, done.stdout, done.stderr.decode(), files

    def each(self):
        for case in CASES:
            # The seed of the first is another one in each run.
            if case.name != "train, no seed":
                right = self.run_case(case)
                if right[0] == 0:
                    yield case, right

    def test_without_standard_output_nothing_gets_into_a_file(self):
        for case, right in self.each():
            status, _, messages, files = self.run_case(case, STDOUT)
            self.assertEqual(status, 1, case.name)
            self.assertIn("standard output: Bad file descriptor", messages)
            for name, content in files.items():
                old = self.folder / "base" / name
                if name.endswith(MAY_END_EARLY) and name in right[3]:
                    self.assertTrue(right[3][name].startswith(content), name)
                elif content != right[3].get(name) and not (
                        old.exists() and content == without_times(name, old.read_bytes())):
                    # An earlier checkpoint; without_times() has decoded it already.
                    if not content.startswith(b"({"):
                        models.decode(content)

    def test_without_standard_error_the_answer_is_the_same(self):
        for case, right in self.each():
            status, output, _, files = self.run_case(case, STDERR)
            self.assertEqual((status, output, files), (0, right[1], right[3]), case.name)

    def test_without_standard_input(self):
        for case, right in self.each():
            status, output, messages, files = self.run_case(case, STDIN)
            if case.text:
                self.assertEqual((status, output), (1, b""))
                self.assertIn("standard input: Bad file descriptor", messages)
            else:
                self.assertEqual((status, output, files), (0, right[1], right[3]))


if __name__ == "__main__":
    PROGRAMS = {path.name: str(path.resolve())
                for path in pathlib.Path(sys.argv.pop(1)).iterdir()}
    unittest.main(verbosity=2)
