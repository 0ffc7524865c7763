"""Builds the API reference as -Ddocs=true -Dwerror=true does, where a warning of Doxygen is an
error, and looks for every function and page in it.

usage: test_docs.py DOXYGEN
"""
import html
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import declarations  # noqa: E402

ROOT = declarations.ROOT
DOXYGEN = None
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def build(folder):
    """Runs Doxygen; returns what it printed, which is nothing but warnings."""
    text = (ROOT / "docs/Doxyfile.in").read_text()
    for name, value in {"version": "1", "source": ROOT, "output": folder,
                        "warnings": "FAIL_ON_WARNINGS",
                        "python": sys.executable}.items():
        text = text.replace(f"@{name}@", str(value))
    result = subprocess.run([DOXYGEN, "-"], input=text, text=True, cwd=folder,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="docs-")
        cls.addClassCleanup(scratch.cleanup)
        cls.status, cls.output = build(scratch.name)
        cls.pages = {path.name: html.unescape(re.sub("<[^>]*>", "", path.read_text()))
                     for path in pathlib.Path(scratch.name).rglob("*.html")}

    def test_there_is_no_warning(self):
        self.assertEqual((self.status, self.output), (0, ""))

    def test_every_function_is_in_the_group_of_its_object(self):
        for library in ("lstm", "mnist"):
            for path in declarations.headers(library):
                group = library if path.stem == library else f"{library}_{path.stem}"
                page = self.pages.get(f"group__{group.replace('_', '__')}.html", "")
                text = declarations.without_comments(path.read_text())
                for name in re.findall(rf"\b({library}_\w+)\(", text):
                    self.assertTrue(name in page, f"{name} of {path}")

    def test_the_main_page_leads_to_headers_and_pages(self):
        for path in declarations.headers("lstm"):
            if path.name not in ("lstm.h", "export.h"):
                self.assertTrue(path.name in self.pages["index.html"],
                                f"the table in lstm.h has no {path.name}")
        for page in PAGES:
            title = re.search("^# (.*)", (ROOT / page).read_text())[1]
            self.assertTrue(title in self.pages["index.html"], title)

    def test_a_change_of_any_page_builds_the_reference_anew(self):
        inputs = (ROOT / "docs/meson.build").read_text()
        for page in PAGES:
            self.assertIn(f"'{page.removeprefix('docs/').replace('READ', '../READ')}'",
                          inputs)


if __name__ == "__main__":
    DOXYGEN = sys.argv.pop(1)
    unittest.main(verbosity=2)
