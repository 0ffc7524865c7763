"""Runs all programs in a locale with a decimal comma: they give the same answers.

usage: test_locale.py FOLDER (with the programs)
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
from cases import CASES, prepare  # noqa: E402
from run_faults import read_files  # noqa: E402

NAME = "de_DE.UTF-8"
PROGRAMS = {}


def has_comma(environment):
    """Whether programs that set their locale print a decimal comma."""
    code = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.str(0.5))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout == "0,5\n"


def german(folder):
    """The environment of a German locale, of the system or made in a folder; None if there
    is none."""
    environment = os.environ | {"LC_ALL": NAME, "LANG": NAME}
    if has_comma(environment):
        return environment
    environment["LOCPATH"] = str(folder)
    try:
        subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / NAME],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    return environment if has_comma(environment) else None


class Locale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        (cls.folder / "base").mkdir()
        prepare(cls.folder / "base", PROGRAMS)
        cls.german = GERMAN
        cls.plain = {**os.environ, "LC_ALL": "C"}

    def run_case(self, case, environment):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for name in case.files:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(self.folder / "base" / name, folder / name)
        text = case.input(self.folder / "base")
        environment = {**environment, "XDG_CACHE_HOME": str(folder), "HOME": str(folder)}
        environment.pop("MNIST_DIR", None)
        done = subprocess.run([PROGRAMS[case.program], *case.words], cwd=folder, input=text,
                              env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        files = read_files(folder)
        return done.returncode, done.stdout, files

    def test_answers_and_files_are_the_same(self):
        for case in CASES:
            # Its seed is another one in each run.
            if case.name == "train, no seed":
                continue
            with self.subTest(case.name):
                plain = self.run_case(case, self.plain)
                german = self.run_case(case, self.german)
                self.assertTrue(case.optional or plain[0] == 0)
                self.assertEqual(plain, german)

    def test_options_have_a_decimal_point(self):
        for words in (["mnist-train", "--lr", "0,5"], ["charlm", "--temperature", "0,5", "x"]):
            for environment in (self.plain, self.german):
                done = subprocess.run([PROGRAMS[words[0]], *words[1:]], env=environment,
                                      stderr=subprocess.PIPE, text=True)
                self.assertEqual(done.returncode, 2)
                self.assertIn("'0,5'", done.stderr)


if __name__ == "__main__":
    PROGRAMS = {path.name: str(path.resolve())
                for path in pathlib.Path(sys.argv.pop(1)).iterdir()}
    with tempfile.TemporaryDirectory() as made:
        GERMAN = german(pathlib.Path(made))
        if GERMAN is None:
            print(f"skipped: no locale {NAME}, and localedef made none")
            sys.exit(77)
        unittest.main(verbosity=2)
