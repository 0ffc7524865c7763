"""Prints which tests of Meson's logs were skipped, and why: once for each reason.

usage: skips.py TESTLOG.json...
"""
import json
import re
import sys

# As tests print it: of TAP, of skip.sh, of unittest.
REASON = re.compile(r"^(?:1\.\.0 # SKIP|skipped:|(?:SKIP|SKIPPED):?) *(.+)$"
                    r"|skipped ['\"](.+?)['\"]$", re.M)


def main():
    reasons = {}
    for path in sys.argv[1:]:
        with open(path) as lines:
            for line in lines:
                test = json.loads(line)
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
