"""Installs into an empty folder, and uses the libraries through pkg-config.

usage: test_install.py BUILD_FOLDER NINJA C_COMPILER [C++_COMPILER]
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("program.c")
HOST = pathlib.Path(__file__).with_name("host.c")
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
BUILD, NINJA, COMPILERS = None, None, []
LIBRARIES = ("lstm", "mnist")


def output(*command, **variables):
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env={**os.environ, **variables})
    if result.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))}\n{result.stdout}")
    return result.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="install-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        output(NINJA, "-C", BUILD, "install", DESTDIR=str(cls.scratch))
        module = next(cls.scratch.rglob("lstm.pc"))
        cls.libraries = module.parents[1]
        lines = module.read_text().splitlines()
        prefix = next(line for line in lines if line.startswith("prefix=")).split("=")[1]
        cls.prefix = cls.scratch / prefix.lstrip("/")
        # A folder with only the static libraries, so that -l finds no shared one.
        cls.static = cls.scratch / "static"
        cls.static.mkdir()
        for name in LIBRARIES:
            shutil.copy(cls.libraries / f"lib{name}.a", cls.static)

    def flags(self, *options, library=LIBRARIES):
        return shlex.split(output(
            "pkg-config", f"--define-variable=prefix={self.prefix}", *options, *library,
            PKG_CONFIG_PATH=str(self.libraries / "pkgconfig")))

    def compile(self, standard, source, *linking, library=LIBRARIES):
        language = "c++" if "++" in standard else "c"
        for compiler in COMPILERS:
            if ("++" in compiler) == (language == "c++"):
                program = self.scratch / "program"
                output(*shlex.split(compiler), f"-std={standard}", *FLAGS, "-x", language,
                       source, "-x", "none", *self.flags("--cflags", library=library),
                       "-o", program, *linking)
                return program
        self.skipTest(f"no compiler for {standard}")

    def check(self, standard, *linking, **variables):
        program = self.compile(standard, PROGRAM, *linking)
        self.assertEqual(output(program, **variables), "both libraries work\n")
        return output("ldd", program, **variables)

    def check_shared(self, standard):
        linked = self.check(standard, *self.flags("--libs"),
                            LD_LIBRARY_PATH=str(self.libraries))
        for name in LIBRARIES:
            self.assertIn(f"lib{name}.so.1 => {self.libraries}", linked)

    def check_static(self, standard):
        linked = self.check(standard, f"-L{self.static}", *self.flags("--libs", "--static"))
        for name in LIBRARIES:
            self.assertNotIn(f"lib{name}.so", linked)

    def test_installed_programs_find_the_libraries(self):
        for name in ("lstm-amp", "lstm-embed", "lstm-verify", "mnist-train",
                     "mnist-predict"):
            self.assertIn(f"Usage: {name}", output(self.prefix / "bin" / name, "--help",
                                                     LD_LIBRARY_PATH=""))

    def test_a_c_program_links_the_shared_libraries(self):
        self.check_shared("c11")

    def test_a_cpp_program_links_the_shared_libraries(self):
        self.check_shared("c++17")

    def test_a_c_program_links_the_static_libraries(self):
        self.check_static("c11")

    def test_a_cpp_program_links_the_static_libraries(self):
        self.check_static("c++17")

    def test_the_makefile_of_the_guide_links_both_ways(self):
        if not shutil.which("make"):
            self.skipTest("make is not installed")
        lines = re.search(r"```make\n(.*?)```", (ROOT / "docs/guide.md").read_text(),
                          re.DOTALL).group(1)
        for static in False, True:
            folder = self.scratch / f"make-{static}"
            folder.mkdir()
            shutil.copy(PROGRAM, folder / "halves.c")
            (folder / "Makefile").write_text(lines)
            options = "--static" if static else ""
            output("make", "-C", folder, f"CC={COMPILERS[0]}",
                   f"PKG_CONFIG=pkg-config --define-variable=prefix={self.prefix} {options}",
                   f"LDFLAGS=-L{self.static}" if static else "LDFLAGS=",
                   PKG_CONFIG_PATH=str(self.libraries / "pkgconfig"))
            run = {} if static else {"LD_LIBRARY_PATH": str(self.libraries)}
            self.assertEqual(output(folder / "halves", **run), "both libraries work\n")
            linked = output("ldd", folder / "halves", **run)
            self.assertEqual("liblstm.so" in linked, not static)

    def test_all_global_names_of_static_libraries_have_a_prefix(self):
        for name in LIBRARIES:
            lines = output("nm", "--extern-only", "--defined-only", "--format=posix",
                           self.static / f"lib{name}.a").splitlines()
            # NAME TYPE VALUE SIZE; a line of one word is the name of a member.
            names = {line.split()[0] for line in lines if len(line.split()) > 2}
            self.assertGreater(len(names), 20)
            self.assertEqual([found for found in sorted(names)
                              if not found.startswith(f"{name}_")], [])

    def test_a_program_with_the_same_internal_names_links_the_static_libraries(self):
        program = self.compile("c11", HOST, f"-L{self.static}",
                               *self.flags("--libs", "--static"))
        self.assertEqual(output(program), "the host's names are its own\n")

    def test_one_library_does_not_need_the_other(self):
        for name, other in (LIBRARIES, LIBRARIES[::-1]):
            libs = self.flags("--libs", "--static", library=[name])
            self.assertIn(f"-l{name}", libs)
            self.assertNotIn(f"-l{other}", libs)

    def test_the_licence_and_the_pages_are_installed(self):
        documents = self.prefix / "share/doc/lstm"
        for name in ("LICENSE", "README.md"):
            self.assertEqual((documents / name).read_bytes(), (ROOT / name).read_bytes())
        self.assertEqual({path.name for path in (documents / "docs").iterdir()},
                         {path.name for path in (ROOT / "docs").iterdir()
                          if path.suffix in (".md", ".png")})

    def test_links_of_installed_pages_lead_to_pages_or_into_the_source_tree(self):
        documents = self.prefix / "share/doc/lstm"
        for page in documents.rglob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)[)#]", page.read_text()):
                target = (page.parent / link).resolve().relative_to(documents.resolve())
                self.assertTrue((documents / target).exists() or target.parts[0] in (
                    "include", "examples", "tests"), f"{page.name}: {link}")

    def test_nothing_stays_after_uninstall(self):
        folder = self.scratch / "removed"
        output(NINJA, "-C", BUILD, "install", DESTDIR=str(folder))
        self.assertTrue(folder.exists())
        output(NINJA, "-C", BUILD, "uninstall", DESTDIR=str(folder))
        self.assertEqual(list(folder.rglob("*")), [])

    def test_headers_and_links_are_installed(self):
        for name in LIBRARIES:
            installed = {path.name for path in (self.prefix / "include" / name).iterdir()}
            written = {path.name for path in (ROOT / "include" / name).iterdir()}
            self.assertEqual(installed, written)
            self.assertEqual(output("readlink", self.libraries / f"lib{name}.so").strip(),
                             f"lib{name}.so.1")


if __name__ == "__main__":
    BUILD, NINJA, *COMPILERS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
