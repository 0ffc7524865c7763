"""lstm-verify passes here, and finds libraries and file systems that are broken on purpose.

usage: test_verify.py PROGRAM LIBRARY SOURCES COMPILER...
"""
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
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
# Parts, by their names, that do something else at their start, for LD_PRELOAD.
PART = """
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
__attribute__((constructor)) static void act(void)
{
    char line[4096] = "";
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t size = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    const char *option = line + strlen(line) + 1, *part = option + strlen(option) + 1;
    if (part < line + size && strcmp(option, "--part") == 0 && strstr("%s", part))
        %s;
}
"""
# What a part does to have only so many bytes of memory more.
LIMIT = """{
    unsigned long pages;
    FILE *memory = fopen("/proc/self/statm", "r");
    if (fscanf(memory, "%%lu", &pages) == 1) {
        struct rlimit most = {0};
        most.rlim_cur = most.rlim_max = pages * getpagesize() + %d;
        setrlimit(RLIMIT_AS, &most);
    }
    fclose(memory);
}"""
FAULTS = {"fsync": "int file", "rename": "const char *from, const char *to"}


def run(*words, limit=None, **variables):
    """Runs the program, perhaps with a limit: a resource and its value."""
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=500,
                          env={**os.environ, **variables},
                          preexec_fn=limit and (lambda: resource.setrlimit(
                              limit[0], (limit[1], limit[1]))))


def checks(*words, **variables):
    done = run("--json", *words, **variables)
    return done, json.loads(done.stdout)["checks"]


def results(found):
    return {check["result"] for check in found}


class Verify(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def failed(self, found):
        return {check["check"] for check in found if check["result"] == "failed"}

    def preload(self, source, name="fault"):
        path = self.folder / f"{name}.c"
        path.write_text(source)
        fault = path.with_suffix(".so")
        subprocess.run([*COMPILER, "-shared", "-fPIC", path, "-o", fault], check=True)
        return str(fault)

    def unchecked(self, done, found, reason):
        """Asserts that nothing is said of the library, and why."""
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertEqual(results(found) - {"passed", "absent"}, {"unchecked"})
        self.assertIn(reason, " ".join(check["found"] for check in found))
        self.assertIn("could not be checked: ", done.stderr)
        self.assertIn(reason, done.stderr)
        self.assertNotIn("do not use", done.stderr)

    def test_this_build_passes(self):
        done, found = checks("--folder", str(self.folder))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(self.failed(found), set())
        groups = {check["group"] for check in found if check["result"] == "passed"}
        self.assertLessEqual({"arithmetic", "generic", "files", "speed"}, groups)
        self.assertIn("bfloat16 gradients against float32",
                      {check["check"] for check in found if check["group"] == "generic"})
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_table_is_readable(self):
        done = run("--only", "arithmetic")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^passed    arithmetic  not-a-number stays so ")
        self.assertRegex(done.stdout, r"(?m)^3 passed, 0 failed, 0 not on this machine, "
                                      r"0 could not be checked; \d+ s$")
        self.assertRegex(done.stdout, r"\nA report of a fault needs all of the above\.\n$")

    def test_a_report_has_the_facts(self):
        done = run("--json", "--only", "arithmetic", "--folder", str(self.folder),
                   LSTM_CPU="generic", LSTM_NUM_THREADS="1")
        facts = json.loads(done.stdout)
        self.assertEqual(pathlib.Path(facts["library"]), LIBRARY.resolve())
        self.assertIn(os.uname().release, facts["system"])
        self.assertIn("buildtype=", facts["options"])
        self.assertEqual(facts["folder"], str(self.folder))
        self.assertRegex(facts["file system"], r"^\w+ \(0x[0-9a-f]+\)$")
        self.assertEqual((facts["kernels"], facts["LSTM_CPU"], facts["LSTM_NUM_THREADS"]),
                         ("generic", "generic", "1"))
        self.assertGreater(facts["processors"], 0)
        self.assertGreater(facts["seconds"], -1)
        self.assertEqual(facts["verdict"], "passed")
        self.assertLessEqual({"compiler", "C library"}, set(facts))

    def test_a_wrong_constant_is_found(self):
        content = LIBRARY.read_bytes()
        self.assertIn(CONSTANT, content)
        library = self.folder / LIBRARY.name
        library.write_bytes(content.replace(CONSTANT, struct.pack("<I", 0x3f7b95c3)))
        (self.folder / "liblstm.so.1").symlink_to(library.name)
        done, found = checks("--only", "kernels", LD_LIBRARY_PATH=str(self.folder),
                             LSTM_CPU="generic")
        self.assertEqual(done.returncode, 1)
        self.assertIn("trainings against stored hashes", self.failed(found))
        self.assertIn("generic: trainings against stored hashes: failed: ", done.stderr)
        self.assertIn("Report the table", done.stderr)
        self.assertEqual({check["group"] for check in found
                          if check["result"] != "absent"}, {"generic"})

    def test_a_failing_file_system_is_found(self):
        for name, arguments in FAULTS.items():
            with self.subTest(name):
                fault = self.preload(FAULT.format(name=name, arguments=arguments), name)
                done, found = checks("--only", "files", LD_PRELOAD=fault)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(self.failed(found), {"save, kill, resume"})
                self.assertIn("Input/output error", found[0]["found"])

    def test_a_part_that_does_not_do_its_work_is_found(self):
        for action, reason in (("_exit(0)", "ended before its last check"),
                               ("raise(SIGSEGV)", "ended by signal 11"),
                               ("pause()", "did not end in 2 s")):
            with self.subTest(action):
                fault = self.preload(PART % ("arithmetic", action), action[:4])
                done, found = checks("--only=arithmetic", "--limit=2", LD_PRELOAD=fault)
                self.assertEqual((done.returncode, results(found)), (1, {"failed"}))
                self.assertIn(reason, found[0]["found"])
                self.assertIn(reason, done.stderr)

    def test_a_part_that_is_killed_is_not_checked(self):
        fault = self.preload(PART % ("speed", "raise(SIGKILL)"))
        self.unchecked(*checks("--only", "speed", LD_PRELOAD=fault), "signal 9")
        # The limit of the parts' processor time, which their parent does not reach.
        done, found = checks("--only", "speed", limit=(resource.RLIMIT_CPU, 1))
        self.unchecked(done, found, "ended by signal")

    def test_trainings_that_nobody_kills_are_not_checked(self):
        fault = self.preload("int kill(int process, int number) { return 0; }")
        self.unchecked(*checks("--only", "files", LD_PRELOAD=fault), "0 kills")

    def test_a_folder_without_files_is_not_checked(self):
        none = self.folder / "none"
        self.unchecked(*checks("--only", "files", "--folder", str(none)), "No such file")
        self.unchecked(*checks("--only", "files", TMPDIR="/proc"), "No such file")
        self.assertIn(f"a new folder in {none} ", run("--only=files", f"--folder={none}").stdout)
        done, found = checks("--only", "files", "--folder", str(self.folder),
                             limit=(resource.RLIMIT_FSIZE, 100_000))
        self.unchecked(done, found, "File too large")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_limits_are_named(self):
        self.unchecked(*checks("--only", "arithmetic", limit=(resource.RLIMIT_NOFILE, 4)),
                       "Too many open files")
        for size in (0, 2_000_000, 8_000_000, 14_000_000):
            with self.subTest(size):
                fault = self.preload(PART % ("numbers bits", LIMIT % size), f"fault{size}")
                self.unchecked(*checks("--only", "kernels", LSTM_CPU="generic",
                                       LD_PRELOAD=fault), "memory")

    def test_names_cannot_control_a_terminal(self):
        name = "/\x1b[31m\n\u202e\x9b\x7f\t\udcffy"
        for words, variables in ((["--folder", name], {}), ([], {"TMPDIR": name})):
            for json_ in ([], ["--json"]):
                done = run("--only", "files", *json_, *words, **variables)
                text = done.stdout + done.stderr
                self.assertEqual({c for c in text if not c.isprintable()}, {"\n"})
                self.assertIn("/?[31m??????y", text)

    def test_an_end_by_a_signal_leaves_nothing_behind(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            with self.subTest(number):
                program = subprocess.Popen(
                    [PROGRAM, "--only", "files", "--folder", self.folder],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=True)
                while not list(self.folder.glob("*/*")):
                    time.sleep(0.01)
                if number == signal.SIGPIPE:
                    program.stdout.close()
                else:
                    program.send_signal(number)
                self.assertEqual(program.wait(timeout=100), -number)
                self.assertEqual(list(self.folder.iterdir()), [])
                program.stdout.close()
                program.stderr.close()

    @unittest.skipUnless(os.uname().machine == "x86_64", "sets a register of x86")
    def test_numbers_that_become_zero_are_found(self):
        action = "__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040)"
        fault = self.preload(PART % ("arithmetic", action))
        done, found = checks("--only", "arithmetic", LD_PRELOAD=fault)
        self.assertEqual((done.returncode, self.failed(found)),
                         (1, {"the smallest numbers are kept"}))
        self.assertIn("0: built with -ffast-math?", done.stderr)

    @unittest.skipUnless(shutil.which("meson") and shutil.which("ninja"), "needs Meson")
    def test_fast_mathematics_is_found(self):
        build = self.folder / "build"
        setup = ["meson", "setup", build, SOURCES, "-Dkernels=generic", "-Dtests=false",
                 "-Dexamples=false", "-Dblas=builtin", "-Ddownload=disabled",
                 "-Dbuildtype=release", "-Ddefault_library=shared"]
        how = {"env": {**os.environ, "CC": " ".join(COMPILER)}, "capture_output": True}
        refused = subprocess.run([*setup, "-Dc_args=-ffast-math"], text=True, **how)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("-ffast-math", refused.stdout.rsplit("ERROR:", 1)[1])
        # A build that hides it.
        shutil.rmtree(build)
        hidden = "-ffast-math -U__FAST_MATH__ -U__FINITE_MATH_ONLY__"
        subprocess.run([*setup, f"-Dc_args={hidden}"], check=True, **how)
        subprocess.run(["ninja", "-C", build, f"lib/lstm/{LIBRARY.name}"], check=True,
                       capture_output=True)
        done, found = checks("--only", "arithmetic", LD_LIBRARY_PATH=str(build / "lib/lstm"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("not-a-number stays so", self.failed(found))
        self.assertIn("built with -ffast-math?", done.stderr)
        done, found = checks("--only", "kernels", LD_LIBRARY_PATH=str(build / "lib/lstm"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("outputs against double precision", self.failed(found))

    def test_usage(self):
        self.assertEqual(run("-h").returncode, 0)
        for words in (["x"], ["--only", "x"], ["--part"], ["--part", "x"], ["--folder"],
                      ["--limit", "0"]):
            self.assertEqual(run(*words).returncode, 2, words)


if __name__ == "__main__":
    PROGRAM, LIBRARY, SOURCES, *COMPILER = sys.argv[1:]
    LIBRARY = pathlib.Path(LIBRARY)
    unittest.main(argv=sys.argv[:1], verbosity=2)
