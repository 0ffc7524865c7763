"""Tests of a program that run it in a folder of their own."""
import pathlib
import subprocess
import tempfile
import unittest


class InFolder(unittest.TestCase):
    program = None  # set by the file that has the tests

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="program-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_program(self, *words, status=0):
        result = subprocess.run([self.program, *map(str, words)], text=True,
                                capture_output=True, stdin=subprocess.DEVNULL, timeout=500,
                                cwd=self.folder)
        if status is not None:
            self.assertEqual(result.returncode, status, result.stderr)
        return result
