"""Finds comments and documents that name a function, file, option, macro or environment
variable that does not exist. A name exists if it occurs in code: anywhere in the tree outside
of comments, including strings.

usage: test_names.py
"""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import texts  # noqa: E402
from texts import ROOT  # noqa: E402

# Placeholders for names: lstm_X_create, set_NAME.c, MODEL.h, x.h.
PLACEHOLDER = re.compile(r"(^|_|\b)(X|NAME|x)(_|\.|\b)|^[A-Z]+\.\w+$")
# Names of other projects, which the texts mention and the code does not use.
FOREIGN = {"ToTensor", "init_genrand", "json_unpack"}
FOREIGN_FILES = {"halves.c", "recipe.c"}
FOREIGN_OPTIONS = {"--add-architecture", "--benchmark", "--variable"}
MESON_OPTIONS = {"werror", "buildtype", "default_library", "b_sanitize", "b_ndebug",
                 "b_lundef", "c_args", "prefix"}
FILE_ENDINGS = "c|h|py|md|sh|build|map|ini|golden|wrap|in"

FUNCTION = re.compile(r"(?<![\w.~$])([A-Za-z_]\w{2,})\(\)")
SYMBOL = re.compile(r"(?<![\w.$/<-])((?:lstm|mnist|common)_\w+|(?:LSTM|MNIST|TEST)_\w+)")
FILE = re.compile(rf"(?<![\w$.*/{{}}<>-])((?:\.\./)*(?:[\w.-]+/)*[\w-]+\.(?:{FILE_ENDINGS}))"
                  r"(?![\w*/(]|[.-]\w)")
QUOTED = re.compile(r"`([a-z]\w*_\w+)`")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+[a-z])")
# An option of the subproject lstm has its name before it.
MESON_OPTION = re.compile(r"(?<![\w-])-D(?:lstm:)?([a-z]\w+)")


class Names:
    """All names that the code of a tree has."""

    def __init__(self, files):
        code = [texts.split(path, text)[1] for path, text in files.items()
                if path.name != "test_names.py"]
        everything = "\n".join(code)
        self.words = set(re.findall(r"\w+", everything))
        self.options = set(OPTION.findall(everything))
        self.meson = MESON_OPTIONS | set(re.findall(
            r"option\('(\w+)'", (ROOT / "meson_options.txt").read_text()))
        self.paths = texts.tree()
        self.files = {path.name for path in self.paths}

    def has_file(self, name, where):
        if "/" not in name:
            return name in self.files | FOREIGN_FILES
        ends = "/" + name.lstrip("./")
        return any(path.as_posix().endswith(ends) for path in self.paths) or (
            where.parent / name).exists()


def wrong(names, where, text):
    """Names in a text that do not exist, each with its line."""
    found = []

    def check(pattern, exists):
        for match in pattern.finditer(text):
            each = text.count("\n", 0, match.start()) + 1, match[1]
            if not (exists(match[1]) or PLACEHOLDER.search(match[1]) or each in found):
                found.append(each)

    check(FUNCTION, lambda name: name in names.words | FOREIGN or name.isupper())
    check(SYMBOL, lambda name: name in names.words or name.endswith("_") or
          f"{name}.py" in names.files)
    check(QUOTED, lambda name: name in names.words or f"{name}.py" in names.files)
    check(FILE, lambda name: names.has_file(name, where))
    check(OPTION, lambda name: name in names.options | FOREIGN_OPTIONS)
    check(MESON_OPTION, lambda name: name in names.meson)
    return found


class Texts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = {path: path.read_text(encoding="utf-8") for path in texts.tree()
                     if path.suffix in texts.KINDS}
        cls.names = Names(cls.files)

    def wrong(self, path, text):
        people = texts.split(path, text)[0]
        return [f"{path.relative_to(ROOT)}:{line}: {name}"
                for line, name in wrong(self.names, path, people)]

    def test_comments_and_documents_name_what_exists(self):
        # The changelog also names what is gone.
        found = [each for path, text in self.files.items() if path.stem != "changelog"
                 for each in self.wrong(path, text)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_the_page_of_security_has_every_environment_variable(self):
        """Names in capital letters, in a file of C that reads variables or code of Python."""
        page, found = (ROOT / "docs/security.md").read_text(), set()
        for path in [*ROOT.glob("lib/**/*.c"), *ROOT.glob("examples/**/*.c"),
                     *ROOT.glob("examples/python/liblstm/**/*.py")]:
            text = path.read_text()
            if "getenv(" in text:
                found |= set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"', text))
            found |= set(re.findall(r'(?:environ[^\n]*|load\("\w+", )"([A-Z_]+)"', text))
        self.assertIn("SLURM_STEP_NUM_TASKS", found)
        self.assertEqual([name for name in sorted(found) if f"`{name}`" not in page], [])

    def test_planted_names_are_found(self):
        for name, planted in (("lib/lstm/nn/x.c", "/* See {}. */\nint a;"),
                              ("docs/x.md", "See `{}`."),
                              ("examples/python/x.py", 'a = 1  # See {}.\n'),
                              ("examples/python/y.py", 'def a():\n    """See {}."""\n'),
                              ("tests/x.sh", "# See {}.\na=1\n"),
                              ("lib/meson.build", "a = 1  # See {}\n")):
            for wanted, real in (("pack_turned_cell()", "lstm_layer_create()"),
                                 ("lstm_layer_forget", "lstm_layer_create"),
                                 ("LSTM_MOST_THREADS", "LSTM_MAX_THREADS"),
                                 ("layer_of_clay.c", "layer.c"),
                                 ("docs/poetry.md", "docs/guide.md"),
                                 ("--epoch-count", "--epochs"),
                                 ("-Dpoetry=true", "-Ddocs=true")):
                path, part = ROOT / name, re.match(r"(-D)?([\w./-]+)", wanted)[2]
                with self.subTest(name=name, wanted=wanted):
                    line = planted.split("{")[0].count("\n") + 1
                    self.assertIn(f"{name}:{line}: {part}",
                                  self.wrong(path, planted.format(wanted)))
                    self.assertEqual(self.wrong(path, planted.format(real)), [])

    def test_names_in_code_are_not_checked(self):
        path = ROOT / "lib/lstm/nn/x.c"
        self.assertEqual(self.wrong(path, 'call("no_such_name()"); no_such_call();'), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
