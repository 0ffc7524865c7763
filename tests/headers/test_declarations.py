"""Compares the headers with the libraries.

usage: test_declarations.py PROJECT_VERSION LIBLSTM LIBMNIST
"""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import declarations  # noqa: E402

VERSION, LIBRARIES = None, {}
# Limits on the number of functions.
MOST_FUNCTIONS = {"lstm": 115, "mnist": 30}
MOST_LINES = 400


class Declarations(unittest.TestCase):
    def each(self):
        for library in LIBRARIES:
            with self.subTest(library=library):
                yield library

    def test_the_version_equals_the_project(self):
        for library in self.each():
            numbers = [declarations.constant(library, f"{library.upper()}_VERSION_{part}")
                       for part in ("MAJOR", "MINOR", "PATCH")]
            self.assertEqual(".".join(map(str, numbers)), VERSION)

    def test_exactly_the_documented_names_are_exported(self):
        for library, path in LIBRARIES.items():
            with self.subTest(library=library):
                listing = subprocess.run(["nm", "-D", "--defined-only", path], text=True,
                                         check=True, capture_output=True).stdout
                names = [line.split() for line in listing.splitlines()]
                # Type "A" is the version node itself.
                exported = {name.split("@")[0] for *_, kind, name in names if kind != "A"}
                self.assertEqual(sorted(exported), sorted(declarations.functions(library)))

    def test_the_library_is_small(self):
        for library in self.each():
            self.assertLessEqual(len(declarations.functions(library)),
                                 MOST_FUNCTIONS[library])

    def test_no_header_is_long(self):
        for library in self.each():
            for path in declarations.headers(library):
                self.assertLessEqual(len(path.read_text().splitlines()), MOST_LINES, path)

    def test_the_umbrella_includes_every_header(self):
        for library in self.each():
            folder = declarations.ROOT / "include" / library
            found = {path.name for path in declarations.headers(library)}
            self.assertEqual(sorted(found), sorted(path.name for path in folder.iterdir()))

    def test_every_declaration_says_since_when(self):
        for library in self.each():
            text = declarations.cdef(library)
            self.assertGreaterEqual(text.count("@since"),
                                    len(declarations.functions(library)))

    def test_what_can_fail_documents_its_parameters_and_outcomes(self):
        for library in self.each():
            for comment, name, parameters in declarations.documented(library):
                words = re.findall(r"@param(?:\[out\])? (\w+)", comment)
                self.assertEqual(words, parameters, name)
                self.assertIn(f"@retval {library.upper()}_OK", comment, name)
                self.assertIn(f"@retval {library.upper()}_INVALID_ARGUMENT", comment, name)

    def test_cffi_reads_the_declarations(self):
        try:
            import cffi
        except ImportError:
            self.skipTest("cffi is not installed")
        for library in self.each():
            cffi.FFI().cdef(declarations.cdef(library))


if __name__ == "__main__":
    VERSION, *paths = sys.argv[1:]
    LIBRARIES = dict(zip(("lstm", "mnist"), paths, strict=True))
    unittest.main(argv=sys.argv[:1], verbosity=2)
