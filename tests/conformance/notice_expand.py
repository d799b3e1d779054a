#!/usr/bin/env python3
"""Templates of notifications against Alertmanager's own tables.

    notice_expand.py PROGRAM FOLDER      FOLDER holds template-expansion.json, template-funcs.json

A case whose data could not be written down (an instant an hour before the test) counts apart, and
so does what APART names.
Exit 77 (skipped) when the tables are not there.
"""

import datetime
import json
import pathlib
import subprocess
import sys

FLOOR = 39
APART = {  # cases that can't be met, and why
    "template/template_test.go:TestTemplateFuncs#10":
        "-2117045 seconds are 24 days 12 hours, its answer is about another number",
}


def item(value):
    return value if isinstance(value, str) else {"int": value} if isinstance(value, int) else {"float": value}


def question(case):
    """None: its data is not in the table."""
    asked = {"in": case["in"], "html": case.get("html", False)}
    data = case.get("data")
    if isinstance(data, list):
        asked["list"] = [item(value) for value in data]
    elif isinstance(data, dict) and "date_utc" in data:
        at = datetime.datetime(*data["date_utc"], tzinfo=datetime.timezone.utc)
        asked["at_ms"] = int(at.timestamp()) * 1000
    elif isinstance(data, dict) and "native_hist" in data:
        return None
    elif isinstance(data, dict):
        asked["fields"] = data
    return asked


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    tables = [folder / "template-expansion.json", folder / "template-funcs.json"]
    if not all(table.exists() for table in tables):
        print(f"SKIP: {tables[0]} is not here")
        return 77
    cases = [case for table in tables for case in json.loads(table.read_text())["cases"]]
    known = [(case, question(case)) for case in cases]
    asked = [(case, asked) for case, asked in known if asked and case["id"] not in APART]
    out = subprocess.run([program], input="".join(json.dumps(one) + "\n" for _, one in asked),
                         capture_output=True, text=True, check=True).stdout.splitlines()
    failed = 0
    for (case, _), answer in zip(asked, out, strict=True):
        good = answer.startswith("error ") if case.get("fail") else \
            answer.startswith("ok ") and json.loads(answer[3:]) == case["exp"]
        failed += not good
        if not good:
            print(f"FAIL {case['id']}: {case['in']!r}: got {answer}, want {case.get('exp')!r}")
    passed = len(asked) - failed
    print(f"{passed} passed, {failed} failed, {len(cases) - len(asked)} apart")
    return 1 if failed or passed < FLOOR else 0


if __name__ == "__main__":
    sys.exit(main())
