"""Campaigns that would try nothing are refused: a selection of nothing, and missing files.

usage: test_campaigns.py CHECK_ACTIVATIONS
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from cases import CASES

TESTS = pathlib.Path(__file__).resolve().parents[1]
# Files that exist; no script comes so far that it uses them.
HERE, MISSING = str(TESTS / "faults"), "/nowhere/missing"
SCRIPTS = {"faults/run_faults.py": [HERE, HERE], "faults/run_downloads.py": [HERE, HERE],
           "faults/power_loss.py": [HERE, HERE], "faults/kill_resume.py": [HERE],
           "faults/unload.py": [HERE], "faults/test_damage.py": [HERE, HERE],
           "bits/all_sets.py": [HERE]}
ACTIVATIONS = None


class Campaigns(unittest.TestCase):
    def run_script(self, name, *words, **options):
        start = ["sh"] if name.endswith(".sh") else [sys.executable]
        result = subprocess.run([*start, TESTS / name, *words], text=True, timeout=100,
                                capture_output=True, **options)
        self.assertNotIn("Traceback", result.stderr)
        return result

    def refuse(self, name, *words, says):
        result = self.run_script(name, *words)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        self.assertIn(says, result.stderr)

    def test_a_selection_of_nothing_is_refused(self):
        for name in "faults/run_faults.py", "faults/power_loss.py":
            self.refuse(name, HERE, HERE, "--only", "no such", says="--only 'no such'")
        self.refuse("faults/run_faults.py", HERE, HERE, "--error", "ENOTHING", says="ENOTHING")
        self.refuse("fuzz/run.py", "--only", "nothing", says="unknown harness nothing")
        for option in "--only", "--again":
            self.refuse("faults/mutate.py", "--list", option, "/dev/null" if option == "--again"
                        else "lib/lstm/kernels/*", says=f"{option} ")
        self.refuse("bits/all_sets.py", says="no program")
        self.refuse("lint.sh", "nothing", says="unknown tool 'nothing'")
        if ACTIVATIONS:
            result = subprocess.run([ACTIVATIONS, "nothing"], text=True, capture_output=True)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("usage: check-activations", result.stderr)

    def test_a_missing_file_is_named(self):
        for name, words in SCRIPTS.items():
            for at in range(len(words)):
                with self.subTest(name=name, at=at):
                    self.refuse(name, *words[:at], MISSING, *words[at + 1:], says=MISSING)

    def test_help_is_printed(self):
        loads = ["fuzz/fuzz_converters.py"] if "LIBLSTM" in os.environ else []
        for name in [*SCRIPTS, "faults/mutate.py", "fuzz/run.py", *loads]:
            with self.subTest(name=name):
                result = self.run_script(name, "--help")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("usage: ", result.stdout)
        for name in "run.sh", "lint.sh", "coverage.sh":
            with self.subTest(name=name):
                result = self.run_script(name, "--help", env={"PATH": "/bin:/usr/bin"})
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn(f"sh tests/{name}", result.stdout)

    def test_the_page_has_the_sizes_of_campaigns(self):
        page = (TESTS.parent / "docs/reliability.md").read_text()
        tables = "".join(path.read_text() for path in (TESTS / "abi").glob("lib*-1.txt"))
        functions = len(re.findall(r"(?m)^function \w+:", tables))
        self.assertIn(f"in {functions} functions |", page)
        self.assertIn(f"all programs, {len(CASES)} command lines |", page)
        networks = (TESTS / "golden/bits.h").read_text().count("{UINT64_C(")
        words = {11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen"}
        self.assertEqual(page.count(f"| {words[networks]} networks"), 2)

    def test_a_list_has_the_number_of_each_file(self):
        result = self.run_script("faults/mutate.py", "--list", "--only", "lib/lstm/io/*")
        *files, last = result.stdout.splitlines()
        total, where = sum(int(line.split()[0]) for line in files), len(files)
        self.assertGreater(where, 5)
        self.assertEqual(last, f"{total} mutants in {where} files")

    def test_tests_that_failed_are_named(self):
        tests = {"good": "OK", "bad": "FAIL", "slow one": "TIMEOUT", "left out": "SKIP"}
        with tempfile.TemporaryDirectory() as name:
            log = pathlib.Path(name, "testlog.json")
            log.write_text("".join(
                json.dumps({"name": f"api - lstm:{test}", "result": result}) + "\n"
                for test, result in tests.items()))
            result = self.run_script("support/skips.py", "--failed", log)
        self.assertEqual(result.stdout, "bad, slow one (timeout)\n")

    def test_a_tool_that_was_asked_for_has_to_be_there(self):
        """In a copy with a build folder, which the script makes otherwise."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for path in "tests/lint.sh", "examples/packages.sh":
                (folder / path).parent.mkdir(parents=True)
                shutil.copy(TESTS.parent / path, folder / path)
            (folder / "build-tests/lint").mkdir(parents=True)
            (folder / "build-tests/lint/compile_commands.json").write_text("[]")
            (folder / "bin").mkdir()
            for tool in "sh", "dirname", "getconf", "mktemp", "rm", "sed":
                os.symlink(shutil.which(tool), folder / "bin" / tool)
            run = lambda *tools: subprocess.run(
                [folder / "bin/sh", folder / "tests/lint.sh", *tools], text=True,
                capture_output=True, env={"PATH": str(folder / "bin")})
            everything, one = run(), run("shellcheck")
        self.assertEqual(everything.returncode, 0, everything.stderr)
        self.assertIn("SKIPPED: shellcheck: install shellcheck", everything.stderr)
        self.assertEqual(one.returncode, 1)
        self.assertIn("shellcheck is not installed: install shellcheck", one.stderr)


if __name__ == "__main__":
    ACTIVATIONS = sys.argv.pop(1) if len(sys.argv) > 1 else None
    unittest.main(verbosity=2)
