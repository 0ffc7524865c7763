"""Which tests run which functions of the libraries: each test once in a build that counts lines.

Used by mutate.py. Without optimisation some tests take long: those that do not end in
time may enter everything.
"""
import collections
import json
import os
import shutil
import subprocess

LONGEST = 60


def counted_functions(folder, build, root):
    """The functions that one run has entered: {file: [(first line, last line), ...]}."""
    files = sorted(folder.rglob("lib/*/lib*_core.a.p/*.gcda"))
    for path in files:
        notes = path.with_suffix(".gcno")
        notes.unlink(missing_ok=True)
        notes.symlink_to(build / notes.relative_to(folder))
    if not files:
        return {}
    text = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, files)], check=True,
                          capture_output=True, text=True, cwd=build).stdout
    found = {}
    for line in text.splitlines():
        for entry in json.loads(line)["files"] if line.startswith("{") else []:
            path = os.path.relpath(os.path.join(build, entry["file"]), root)
            entered = [(function["start_line"], function["end_line"])
                       for function in entry["functions"] if function["execution_count"]]
            if entered and path.startswith("lib/"):
                found.setdefault(path, []).extend(entered)
    return found


class Reach:
    """The tests of a tree that enter a function. A second run reads what the first has found."""

    def __init__(self, tree):
        self.ranges = collections.defaultdict(dict)
        self.unknown = set()
        saved = tree.folder / "reach.json"
        known = json.loads(saved.read_text()) if saved.exists() else {}
        for test in tree.tests:
            name = tree.label(test)
            if name not in known:
                known[name] = self.trace(tree, test)
                saved.write_text(json.dumps(known))
            if not known[name]:
                self.unknown.add(name)
            for path, ranges in known[name].items():
                self.ranges[path][name] = ranges

    @staticmethod
    def trace(tree, test):
        target = tree.folder / "traced"
        shutil.rmtree(target, ignore_errors=True)
        if tree.builds(*tree.targets(test)):
            tree.passes(test, LONGEST, GCOV_PREFIX=str(target),
                        GCOV_PREFIX_STRIP=str(len(tree.build.parts) - 1))
        return counted_functions(target, tree.build, tree.source)

    def enters(self, name, path, line):
        """Whether a test enters the function of a line; yes for lines outside of functions."""
        if name in self.unknown:
            return True
        ranges = self.ranges[path]
        everything = [pair for pairs in ranges.values() for pair in pairs]
        if not any(first <= line <= last for first, last in everything):
            return name in ranges
        return any(first <= line <= last for first, last in ranges.get(name, []))
