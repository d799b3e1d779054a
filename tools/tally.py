#!/usr/bin/env python3
"""Counts the cases of a meson test run: prints `passed failed skipped`.

meson's JUnit file has one <testcase> per TAP line and one per plain program, so a
program of forty cases counts as forty. A missing or empty file is one failure.
"""

import sys
import xml.etree.ElementTree as tree


def tally(path):
    try:
        root = tree.parse(path).getroot()
    except (OSError, tree.ParseError):
        return 0, 1, 0
    passed = failed = skipped = 0
    for suite in root.iter("testsuite"):
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
        # a program that crashed or timed out after its last line has no failed case of its own
        if suite.find("system-err") is not None and int(suite.get("errors", 0)) > 0:
            failed += 1
    return (passed, failed, skipped) if passed + failed + skipped else (0, 1, 0)


if __name__ == "__main__":
    print(*tally(sys.argv[1]))
