"""Prints which tests of Meson's logs were skipped, and why: once for each reason.

usage: skips.py TESTLOG.json...
       skips.py --failed TESTLOG.json...     the names of the tests that failed, in a line
"""
import json
import re
import sys

# As tests print it: of TAP, of skip.sh, of unittest.
REASON = re.compile(r"^(?:1\.\.0 # SKIP|skipped:|(?:SKIP|SKIPPED):?) *(.+)$"
                    r"|skipped ['\"](.+?)['\"]$", re.M)


GOOD = {"OK", "EXPECTEDFAIL", "SKIP"}


def tests_of(paths):
    for path in paths:
        with open(path) as lines:
            yield from map(json.loads, lines)


def print_failed(paths):
    """A test that did not fail but ran out of time, or the like, has this behind its name."""
    names = []
    for test in tests_of(paths):
        if test["result"] not in GOOD:
            name = test["name"].split(":", 1)[-1]
            result = test["result"].lower()
            names.append(name if result == "fail" else f"{name} ({result})")
    print(", ".join(dict.fromkeys(names)) or "no test")


def main():
    if sys.argv[1:2] == ["--failed"]:
        return print_failed(sys.argv[2:])
    reasons = {}
    for test in tests_of(sys.argv[1:]):
        if test["result"] != "SKIP":
            continue
        found = REASON.search(test.get("stdout", "") + test.get("stderr", ""))
        reason = (found[1] or found[2]) if found else "no reason given"
        names = reasons.setdefault(reason, [])
        if test["name"] not in names:
            names.append(test["name"])
    for reason, names in reasons.items():
        print(f"SKIPPED: {', '.join(names[:4])}{', ...' if len(names) > 4 else ''} "
              f"({len(names)}): {reason}")


if __name__ == "__main__":
    main()
