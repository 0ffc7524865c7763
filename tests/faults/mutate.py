#!/usr/bin/env python3
"""Changes the libraries in small ways, one at a time, and counts the changes that tests find.

usage: mutate.py [--count N] [--seed S] [--only GLOB] [--build FOLDER] [--quick]
                 [--suites NAME,NAME] [--plain]
                 [--resume FILE] [--again FILE] [--list]

A mutant differs from the source by one comparison, operator, constant, condition or dropped
statement. The kernels are left out: their tests compare every result with plain C. Each
mutant is built in a copy of the tree; the tests that run the mutated function, which a build
that counts lines has found out, run one after the other until one fails, those that name the
mutated file first. A mutant that survives is built and tested once more with the sanitizers of
addresses and undefined behaviour. A test that runs ten times as long as before counts as
failed. A mutant that compiles to the same code as the source is not counted. --quick leaves out
tests that take more than 10 s of a processor, with sanitizers 50 s, and runs each test program
with one set of kernels. --suites has only tests of these suites. A mutant that only a test
finds which was left out counts as a survivor. --plain does not build with sanitizers.
--resume FILE continues after an output of the same seed,
--again FILE tries the survivors once more which an output of this program names, and prints
those that the source no longer has.

Survivors are printed as a line of the file and its change. A survivor that SURVIVORS
explains is counted as explained; all others make the exit status 1.
"""
import argparse
import collections
import contextlib
import fnmatch
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from reach import Reach

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from arguments import existing, refuse_nothing  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SURVIVORS = pathlib.Path(__file__).with_name("survivors.txt")
LEFT_OUT = ["lib/lstm/kernels/*"]
# Suites and tests that no mutant needs: they check kernels, texts or packages.
NOT_USED = {"kernel", "bench", "headers", "install", "abi", "lstm-verify"}
SLOWEST = 10
QUICK_SECONDS = 10

# Pattern in code, and what replaces it. The first group is what changes.
CHANGES = [
    ("comparison", r"(?<![<>=!-])(<)(?![<=])", "<="),
    ("comparison", r"(?<![<>-])(>)(?![>=])", ">="),
    ("comparison", r"(?<!<)(<=)", "<"),
    ("comparison", r"(?<!>)(>=)", ">"),
    ("comparison", r"(==)", "!="),
    ("comparison", r"(!=)", "=="),
    ("operator", r"(&&)", "||"),
    ("operator", r"(\|\|)", "&&"),
    ("operator", r"(?<=[\w)\]] )(\+)(?= [\w(*])", "-"),
    ("operator", r"(?<=[\w)\]] )(-)(?= [\w(*])", "+"),
    ("operator", r"(?<=[\w)\]] )(\*)(?= [\w(])", "+"),
    ("operator", r"(?<=[\w)\]] )(/)(?= [\w(])", "*"),
    ("operator", r"(\+=)", "-="),
    ("operator", r"(?<=\()(!)(?=\w)", ""),
    ("constant", r"(?<![\w.])(0)(?![\w.])", "1"),
    ("constant", r"(?<![\w.])(1)(?![\w.])", "2"),
    ("constant", r"(?<![\w.])(\d{1,9})(?![\w.])", lambda text: str(int(text) + 1)),
    ("constant", r"\b(true)\b", "false"),
    ("constant", r"\b(false)\b", "true"),
]
DROPPED = re.compile(r"^\s+(?!return\b|goto\b|break\b|continue\b|case\b|default\b|static\b|const\b)"
                     r"[\w*(][\w>.*\[\]()-]*(?: [-+*|&]?= .+|\(.*\));$")


def code_of(text):
    """The text with comments, strings and preprocessor lines blanked."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group())
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.DOTALL)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text)
    return re.sub(r"(?m)^#.*(?:\\\n.*)*$", blank, text)


def mutants_of(path):
    """All mutants of a file: (kind, line number, mutated text)."""
    text = (ROOT / path).read_text()
    code = code_of(text)
    starts = [0] + [found.end() for found in re.finditer("\n", text)]
    inside = [False]
    depth = 0
    for line in code.split("\n"):
        depth += line.count("{") - line.count("}")
        inside.append(depth > 0 and not re.match(r"^\s*(static )?const\b", line))
    found = []
    for kind, pattern, new in CHANGES:
        for match in re.finditer(pattern, code):
            old = match.group(1)
            line = text.count("\n", 0, match.start(1)) + 1
            if not inside[line]:
                continue
            replaced = new(old) if callable(new) else new
            found.append((kind, line,
                          text[:match.start(1)] + replaced + text[match.end(1):]))
    for number, line in enumerate(code.split("\n"), 1):
        if inside[number] and DROPPED.match(line):
            start = starts[number - 1]
            end = start + len(line)
            found.append(("dropped", number, text[:start] + "    ;" + text[end:]))
    return found


def run(*command, timeout=600, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, **options)


def copy_changed(source, target):
    """Copies a file whose content differs, so that ninja builds what changed."""
    if not target.exists() or source.read_bytes() != target.read_bytes():
        shutil.copy(source, target)


class Tree:
    """A copy of the tree with a build folder, and its tests.

    With sanitizers its tests are the C programs, which then find leaks and bad accesses.
    """

    def __init__(self, folder, options, *settings, programs_only=False):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.programs_only = programs_only
        self.longest = QUICK_SECONDS * (5 if programs_only else 1) if options.quick else 600
        self.suites = set(options.suites.split(",")) if options.suites else None
        self.source = folder / "source"
        self.build = folder / "build"
        self.left_out = []
        if not self.source.exists():
            shutil.copytree(ROOT, self.source, symlinks=True,
                            ignore=shutil.ignore_patterns("build*", ".git"))
        # A run that was killed leaves its mutant in the copy.
        for path in (*ROOT.glob("lib/**/*.[ch]"), *ROOT.glob("tests/**/*.[ch]")):
            copy_changed(path, self.source / path.relative_to(ROOT))
        if not (self.build / "build.ninja").exists():
            done = run("meson", "setup", self.build, self.source, "-Db_ndebug=false",
                       "-Dwarning_level=0", "-Db_lundef=false", *settings)
            if done.returncode:
                sys.exit(done.stdout + done.stderr)
        built = json.loads((self.build / "meson-info/intro-targets.json").read_text())
        self.known = {name for target in built for name in target["filename"]}
        self.tests = self.find_tests()
        if options.quick:
            self.tests = self.each_once()
        targets = {target for test in self.tests for target in self.targets(test)}
        # Without names ninja builds everything.
        if not self.builds(*sorted(targets if self.suites else []), timeout=3600):
            sys.exit(f"the build in {self.build} fails without a change")

    def measure(self, test):
        """Runs a test without a change; sets whether it is used, and its time limit."""
        saved = self.folder / "measured.json"
        measured = json.loads(saved.read_text()) if saved.exists() else {}
        if self.label(test) in measured:
            test.update(measured[self.label(test)])
        else:
            self.run_once(test)
            keys = ("used", "limit", "seconds")
            measured[self.label(test)] = {key: test[key] for key in keys}
            saved.write_text(json.dumps(measured))
        if not test["used"]:
            self.left_out.append(self.label(test))

    def run_once(self, test):
        start, before = time.monotonic(), os.times()
        test["used"] = self.builds(*self.targets(test)) and self.passes(test, 600)
        after = os.times()
        test["limit"] = SLOWEST * (time.monotonic() - start) + 5
        # Other programs of the machine do not count.
        test["seconds"] = (after.children_user + after.children_system
                           - before.children_user - before.children_system)
        test["used"] = test["used"] and test["seconds"] <= self.longest

    def used(self, path, line, reach):
        """The tests for a mutant, those that name the file first."""
        tests = [test for test in self.tests if reach.enters(self.label(test), path, line)]
        for test in tests:
            if "used" not in test:
                self.measure(test)
        return self.order([test for test in tests if test["used"]], path)

    @staticmethod
    def label(test):
        return f"{','.join(test['suites'])} {test['name']}"

    def each_once(self):
        """Each program with the kernels that the library chooses, instead of with each set."""
        kept = {}
        for test in self.tests:
            rest = {name: value for name, value in test["environment"].items()
                    if name not in ("LSTM_CPU", "OPENBLAS_CORETYPE")}
            kept.setdefault((*test["command"], *sorted(rest.items())),
                            {**test, "environment": rest})
        return list(kept.values())

    def find_tests(self):
        tests = json.loads((self.build / "meson-info/intro-tests.json").read_text())
        known = {suite.split(":")[-1] for test in tests for suite in test["suite"]}
        for name in self.suites or ():
            refuse_nothing(name in known, "--suites", name, sorted(known))
        found = []
        for test in tests:
            suites = [suite.split(":")[-1] for suite in test["suite"]]
            if {*suites, test["name"]} & NOT_USED:
                continue
            if self.suites and not self.suites & set(suites):
                continue
            if "tests/faults" in " ".join(test["cmd"]) and test["name"] not in {"functions", "unload"}:
                continue
            if self.programs_only and self.build not in pathlib.Path(
                    test["cmd"][0]).parents:
                continue
            found.append({"name": test["name"], "suites": suites, "command": test["cmd"],
                          "environment": test["env"], "depends": test["depends"],
                          "folder": test["workdir"] or str(self.build)})
        return found

    def passes(self, test, limit, **more):
        environment = {**os.environ, **test["environment"], "MALLOC_PERTURB_": "85", **more}
        process = subprocess.Popen(test["command"], cwd=test["folder"], env=environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            return process.wait(limit) in (0, 77)
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def objects(self, path):
        """The compiled code of a source file, in every library that has it."""
        name = path.replace("lib/", "", 1).split("/", 1)[1].replace("/", "_") + ".o"
        result = {}
        for found in sorted(self.build.rglob("*" + name)):
            code = self.folder / "code"
            run("objcopy", "-O", "binary", "--only-section=.text*", "--only-section=.rodata*",
                found, code)
            dump = run("objdump", "-drw", "--no-show-raw-insn", found).stdout
            result[str(found)] = (
                dump.split("\n", 3)[-1], code.read_bytes() if code.exists() else b"")
        return result

    @staticmethod
    def order(tests, path):
        """The tests, those that name the file first, then the fastest."""
        words = set(re.split(r"[_./]", path.split("/", 1)[1])) - {"lstm", "mnist", "c", "nn",
                                                                  "io", "core", "tensor"}
        stem = pathlib.PurePath(path).stem

        def rank(test):
            name = set(re.split(r"[ _-]", test["name"]))
            exact = stem.replace("_", " ") in test["name"].replace("_", " ")
            program = "programs" in test["suites"] or "install" in test["suites"]
            return not exact, not words & name, program, test.get("seconds", 0)
        return sorted(tests, key=rank)

    def targets(self, test):
        """What ninja builds of the command of a test."""
        paths = [str(self.build / word) for word in test["command"]]
        return [path for path in paths if path in self.known]

    def builds(self, *targets, timeout=900):
        names = [pathlib.Path(target).relative_to(self.build) for target in targets]
        return run("ninja", "-C", self.build, *names, timeout=timeout).returncode == 0

    def verdict(self, path, line, text, objects, reach):
        """What finds the mutant: a test, "compiler", "same code", or None."""
        tests = self.used(path, line, reach)
        source = self.source / path
        original = (ROOT / path).read_text()
        source.write_text(text)
        try:
            libraries = [found for found in self.build.glob("lib/*/lib*.so.*.*")
                         if found.is_file()]
            if objects and not self.builds(*objects):
                return "compiler"
            if objects and self.objects(path) == objects:
                return "same code"
            if not self.builds(*libraries):
                return "compiler"
            for test in tests:
                if not self.builds(*self.targets(test)):
                    return "compiler"
                if not self.passes(test, test["limit"]):
                    return test["name"]
            return None
        finally:
            source.write_text(original)


def change_of(path, line, text):
    old = (ROOT / path).read_text().split("\n")
    new = text.split("\n")
    return f"{path}: {old[line - 1].strip()} -> {new[line - 1].strip()}"


def verdicts_of(output):
    """What an output of this program says of each mutant: a test, or None for survivors."""
    found = re.findall(r"(?m)^ *\d+ (?:killed by (.*?)|SURVIVED): (\S+?):(\d+): (.*)$",
                       output.read_text())
    return {(path, int(line), f"{path}: {change}"): test or None
            for test, path, line, change in found}


def survivors_of(output):
    """The changes that an output of this program says to have survived."""
    return {re.sub(r":\d+: ", ": ", line.split("SURVIVED: ", 1)[1], count=1)
            for line in output.read_text().splitlines() if "SURVIVED: " in line}


def explanations():
    if not SURVIVORS.exists():
        return {}
    found, key = {}, None
    for line in SURVIVORS.read_text().splitlines():
        if line.startswith("    ") and key:
            found[key] = (found[key] + " " + line.strip()).strip()
        elif line and not line.startswith("#"):
            key = line.strip()
            found[key] = ""
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="*", help="pattern of the files, like lib/lstm/io/*")
    parser.add_argument("--build", type=pathlib.Path, help="folder to keep the copy in")
    parser.add_argument("--quick", action="store_true", help="leave out slow tests")
    parser.add_argument("--suites", help="only tests of these")
    parser.add_argument("--plain", action="store_true", help="without sanitizers")
    parser.add_argument("--resume", type=existing, help="output of a run that was stopped")
    parser.add_argument("--again", type=existing, help="output with survivors to try again")
    parser.add_argument("--list", action="store_true",
                        help="print the number of mutants of each file, and of all")
    options = parser.parse_args()
    paths = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "lib").rglob("*.c"))]
    known = [path for path in paths
             if not any(fnmatch.fnmatch(path, pattern) for pattern in LEFT_OUT)]
    paths = [path for path in known if fnmatch.fnmatch(path, options.only)]
    refuse_nothing(paths, "--only", options.only, known)
    mutants = [(path, *mutant) for path in paths for mutant in mutants_of(path)]
    again = survivors_of(options.again) if options.again else None
    if again is not None:
        refuse_nothing(again, "--again", options.again, ["lines with SURVIVED"])
    if options.list:
        for path, count in collections.Counter(path for path, *_ in mutants).items():
            print(f"{count:6} {path}")
        print(f"{len(mutants)} mutants in {len(paths)} files")
        return 0
    random.Random(options.seed).shuffle(mutants)
    folder = options.build or pathlib.Path(tempfile.mkdtemp(prefix="mutate-"))
    # A shell starts programs in the background with Ctrl-C ignored, which tests inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tree = Tree(folder, options, "-Dbuildtype=debugoptimized")
    reach = Reach(Tree(folder / "counted", options, "-Dbuildtype=debug", "-Db_coverage=true"))
    sanitized = None
    explained = explanations()
    gone = (again or set()) - {change_of(path, line, text) for path, _, line, text in mutants}
    for change in sorted(gone):
        print(f"     GONE: {change}")
    resumed = verdicts_of(options.resume) if options.resume else {}
    objects, counts, survivors = {}, {}, []
    tried = 0
    for path, kind, line, text in mutants:
        if tried == options.count:
            break
        if again is not None and change_of(path, line, text) not in again:
            continue
        if path not in objects:
            objects[path] = tree.objects(path)
        # Files of other systems and other options.
        if not objects[path]:
            continue
        change = change_of(path, line, text)
        known = (path, line, change) in resumed
        found = resumed[path, line, change] if known else tree.verdict(
            path, line, text, objects[path], reach)
        if found in ("compiler", "same code"):
            continue
        if found is None and not known and not options.plain:
            sanitized = sanitized or Tree(folder / "sanitized", options,
                                          "-Dbuildtype=debugoptimized",
                                          "-Db_sanitize=address,undefined", programs_only=True)
            found = sanitized.verdict(path, line, text, None, reach)
        tried += 1
        counts[kind] = counts.get(kind, 0) + 1
        if found is None:
            survivors.append(change)
        print(f"{tried:4} {'killed by ' + found if found else 'SURVIVED'}: "
              f"{path}:{line}: {change.split(': ', 1)[1]}", flush=True)
    killed = tried - len(survivors)
    left_out = tree.left_out + (sanitized.left_out if sanitized else [])
    print("tests that fail without a change or are slow, left out:", ", ".join(left_out) or "none")
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    print(f"{tried} mutants, {killed} killed ({100 * killed / max(tried, 1):.1f}%), "
          f"{len(survivors)} survived")
    unknown = [change for change in survivors if not explained.get(change)]
    for change in survivors:
        print(f"  {change}\n      {explained.get(change) or 'NOT EXPLAINED'}")
    if not options.build:
        shutil.rmtree(folder)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
