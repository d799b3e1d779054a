#!/usr/bin/env python3
"""Templates of labels and annotations against a table made by others.

    template_expand.py PROGRAM FOLDER        FOLDER holds template-expansion.json

Cases about native histograms and HTML consoles count apart: alertd has neither. Exit 77
(skipped) when the table is not there.
"""

import json
import pathlib
import subprocess
import sys

NUMBERS = {"math.MaxInt64": 2**63 - 1, "math.MinInt64": -(2**63), "math.MaxUint64": float(2**64)}


def item(value):
    if isinstance(value, str) and value not in NUMBERS:
        return value
    value = NUMBERS.get(value, value)
    return {"int": value} if isinstance(value, int) else {"float": value}


def main():
    program, table = sys.argv[1], pathlib.Path(sys.argv[2]) / "template-expansion.json"
    if not table.exists():
        print(f"SKIP: {table} is not here")
        return 77
    expander = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    passed = failed = apart = 0
    for case in json.loads(table.read_text())["cases"]:
        if case.get("native_hist") or (case.get("html") and case.get("output") == "" and "Foo" in case["text"]):
            apart += 1
            continue
        if isinstance(case.get("input"), list):
            case["input"] = [item(value) for value in case["input"]]
        expander.stdin.write(json.dumps(case).encode() + b"\n")
        expander.stdin.flush()
        answer = expander.stdout.readline().decode().rstrip("\n")
        if case.get("shouldFail"):
            good = answer.startswith("error ")
        else:
            good = answer.startswith("ok ") and json.loads(answer[3:]) == case["output"]
        passed += good
        failed += not good
        if not good:
            print(f"FAIL {case['id']}: {case['text']!r}: got {answer}, want {case.get('output')!r}")
    expander.stdin.close()
    expander.wait()
    print(f"{passed} passed, {failed} failed, {apart} apart")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
