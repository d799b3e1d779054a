#!/usr/bin/env python3
"""Counts the cases of meson test runs: prints `passed failed skipped`, the sum over all logs named.
With --failures as the first argument it prints what failed instead, and what that said.

Reads meson's testlog.json (a row for each program). A program that speaks TAP, or is one of
Python's unittest, counts with its cases; any other counts as one. A program that ended badly
without a failed case counts as one failure; so does a log that is missing or empty.
"""

import json
import re
import sys

TAP_LINE = re.compile(r"^(not ok|ok)\b(.*)$", re.M)
UNITTEST_LINE = re.compile(r"^Ran (\d+) tests? in ", re.M)
FAILURE_LINE = re.compile(r"^(={70}$|\s*not ok\b)")  # unittest's and TAP's
LINES_OF_FAILURE, LINES_OF_PROGRAM = 40, 200


def number(text, name):
    found = re.search(rf"\b{name}=(\d+)", text)
    return int(found.group(1)) if found else 0


def tally_program(row):
    output = (row.get("stdout") or "") + "\n" + (row.get("stderr") or "")
    ended_well = row["result"] in ("OK", "EXPECTEDFAIL")
    passed = failed = skipped = 0
    for verdict, rest in TAP_LINE.findall(output):
        if "# SKIP" in rest.upper():
            skipped += 1
        elif verdict == "ok":
            passed += 1
        else:
            failed += 1
    ran = UNITTEST_LINE.search(output)
    if ran and not passed + failed + skipped:
        tail = output[ran.end():]
        failed = number(tail, "failures") + number(tail, "errors")
        skipped = number(tail, "skipped")
        passed = int(ran.group(1)) - failed - skipped
    if row["result"] == "SKIP":
        return 0, 0, max(skipped, 1)
    if not ended_well and not failed:
        failed = 1
    return (passed, failed, skipped) if passed + failed + skipped else (1, 0, 0)


def words_of_failure(row):
    """The lines behind each failure; of a program that names none, its last ones."""
    lines = ((row.get("stdout") or "") + "\n" + (row.get("stderr") or "")).splitlines()
    begins = [at for at, line in enumerate(lines) if FAILURE_LINE.match(line)]
    wanted = {at + more for at in begins for more in range(LINES_OF_FAILURE)}
    told = [line for at, line in enumerate(lines) if at in wanted] or lines[-LINES_OF_FAILURE:]
    return told[:LINES_OF_PROGRAM]


def read(path):
    try:
        with open(path, encoding="utf-8") as log:
            return [json.loads(line) for line in log if line.strip()]
    except (OSError, ValueError):
        return []


def failures(paths):
    for row in (row for path in paths for row in read(path)):
        if tally_program(row)[1]:
            print(f"-- {row['name']}: {row['result']}", *words_of_failure(row), sep="\n")


def tally(path):
    rows = read(path)
    if not rows:
        return 0, 1, 0
    return tuple(map(sum, zip(*map(tally_program, rows))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--failures"]:
        failures(sys.argv[2:])
        sys.exit()
    print(*map(sum, zip(*map(tally, sys.argv[1:]))))
