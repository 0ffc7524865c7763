"""Manual pages and completions have the options and choices of --help, and no warnings.

usage: test_manual.py FOLDER PROGRAM...
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

FOLDER, PROGRAMS = None, []


def output(*command, **variables):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env={**os.environ, **variables}).stdout


def name_of(program):
    return pathlib.PurePath(program).name


def options_of(program):
    """Names of the options in --help."""
    return set(re.findall(r"(?m)^  (?:-h, )?--([a-z-]+)", output(program, "--help")))


def choices_of(program, option):
    """What an option names as expected when it gets another value."""
    run = subprocess.run([program, f"--{option}", "?"], capture_output=True, text=True)
    found = re.search(rf"--{option} is '\?', expected ([a-z0-9, -]+)$", run.stderr.strip())
    return set(re.split(r", | or ", found.group(1))) if found else set()


def named_choices(program):
    """The options whose value is called NAME, WHICH or WHEN, with what they accept."""
    for option in re.findall(r"(?m)^  --([a-z-]+) (?:NAME|WHICH|WHEN)\b",
                             output(program, "--help")):
        choices = choices_of(program, option)
        if choices:
            yield option, choices


class Manual(unittest.TestCase):
    def each(self, suffix="", prefix=""):
        for program in PROGRAMS:
            yield program, FOLDER / f"{prefix}{name_of(program)}{suffix}"

    def test_the_page_has_the_options_of_help(self):
        for program, page in self.each(".1"):
            named = re.findall(r"(?m)^(?:\\fB\\-h\\fR, )?\\fB\\-\\-([a-z\\-]+?)\\fR", page.read_text())
            self.assertEqual({name.replace("\\", "") for name in named}, options_of(program))

    def test_the_overview_names_all_programs(self):
        text = (FOLDER / "lstm.7").read_text().replace("\\-", "-")
        for program in PROGRAMS:
            self.assertEqual(text.count(f".BR {name_of(program)} (1)"), 2, program)

    def test_pages_have_no_warnings_and_all_text(self):
        if not shutil.which("man"):
            self.skipTest("no man; install man-db")
        pages = [page for _, page in self.each(".1")] + [FOLDER / "lstm.7"]
        for page in pages:
            run = subprocess.run(["man", "--warnings", "-l", "-E", "UTF-8", str(page)],
                                 capture_output=True, text=True,
                                 env={**os.environ, "MANWIDTH": "100", "MANPAGER": "cat",
                                      "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""})
            self.assertEqual((run.returncode, run.stderr), (0, ""), page)
            self.assertIn("SEE ALSO", run.stdout)

    def test_notes_of_help_stand_in_the_page_as_they_are(self):
        for program, page in self.each(".1"):
            notes = output(program, "--help").split("print the version and exit\n")[1]
            plain = page.read_text().replace("\\-", "-").replace("\\e", "\\")
            self.assertIn(notes.strip(), plain)

    def complete(self, script, *words):
        """What bash completes the last word to."""
        function = "_" + script.name.replace("-", "_")
        array = " ".join(f"'{word}'" for word in (script.name, *words))
        text = output("bash", "--norc", "-c",
                      f"source '{script}'; COMP_WORDS=({array}); COMP_CWORD={len(words)}; "
                      f"{function}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        return {line.strip() for line in text.splitlines() if line.strip()}

    def test_bash_completes_options(self):
        for program, script in self.each():
            self.assertEqual(self.complete(script, "--"),
                             {f"--{name}" for name in options_of(program)})

    def test_bash_completes_choices(self):
        seen = 0
        for program, script in self.each():
            for option, choices in named_choices(program):
                seen += 1
                self.assertEqual(self.complete(script, f"--{option}", ""), choices)
                self.assertEqual(self.complete(script, f"--{option}", "=", ""), choices)
        self.assertGreater(seen, 3)

    def test_bash_completes_files_and_folders(self):
        for program, script in self.each():
            if "save" in options_of(program):
                self.assertEqual(self.complete(script, "--save", str(FOLDER / "lstm.")),
                                 {str(FOLDER / "lstm.7")})
                self.assertEqual(self.complete(script, "--data", str(FOLDER.parent / "manua")),
                                 {str(FOLDER)})

    def test_zsh_and_fish_have_the_options_of_help(self):
        for program, script in self.each(prefix="_"):
            named = re.findall(r"(?m)^  '--([a-z-]+?)(?:=-?)?\[", script.read_text())
            self.assertEqual(set(named), options_of(program))
        for program, script in self.each(".fish"):
            named = re.findall(r" -l ([a-z-]+)", script.read_text())
            self.assertEqual(set(named), options_of(program))

    def test_zsh_and_fish_accept_the_scripts(self):
        shells = [shell for shell in (["zsh", "-n"], ["fish", "--no-execute"])
                  if shutil.which(shell[0])]
        for shell, prefix, suffix in zip((["zsh", "-n"], ["fish", "--no-execute"]),
                                         ("_", ""), ("", ".fish")):
            for _, script in self.each(suffix, prefix) if shell in shells else ():
                output(*shell, str(script))
        if len(shells) < 2:
            self.skipTest("no zsh or no fish; install zsh and fish")

    def test_help_refuses_another_format(self):
        for program, _ in self.each():
            run = subprocess.run([program, "--help=html"], capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn("expected no value or table", run.stderr)


if __name__ == "__main__":
    FOLDER = pathlib.Path(sys.argv[1])
    PROGRAMS = [os.path.abspath(path) for path in sys.argv[2:]]
    del sys.argv[1:]
    unittest.main(verbosity=2)
