#!/usr/bin/env python3
"""The parser against tables made by others: accepted, refused (and where), printed.

    promql_parser.py PROGRAM FOLDER        FOLDER holds parse.json, print.json

Cases that use what Prometheus calls experimental must be refused with the name of its
flag, and count apart. Exit 77 (skipped) when the tables are not there.
"""

import json
import pathlib
import re
import subprocess
import sys

REFUSED = re.compile(r"\(promql-[a-z-]+\)|native histograms")


def escape(text):
    return "".join(f"%{b:02X}" if b < 32 or b in (37, 127) else chr(b) for b in text.encode()).encode("latin-1")


def position(text, byte):
    before = text.encode()[:byte].decode("utf-8", "replace")
    return before.count("\n") + 1, byte - (text.encode()[:byte].rfind(b"\n") + 1) + 1


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (folder / "parse.json").exists():
        print(f"SKIP: {folder} is not here")
        return 77
    parser = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(text):
        parser.stdin.write(escape(text) + b"\n")
        parser.stdin.flush()
        return parser.stdout.readline().decode("utf-8", "replace").rstrip("\n").split("\t")

    passed = failed = apart = 0
    places = words = errors = 0
    for case in json.loads((folder / "parse.json").read_text())["cases"]:
        text = case.get("input")
        if text is None:
            apart += 1  # kept as bytes that are not UTF-8
            continue
        answer = ask(text)
        refused = answer[0] == "error"
        if refused and REFUSED.search(answer[3]):
            apart += 1
        elif refused != case["fail"]:
            failed += 1
            print(f"FAIL {case['id']}: {text!r}: {answer}")
        else:
            passed += 1
            if refused:
                first = case["errors"][0]
                errors += 1
                same_place = (int(answer[1]), int(answer[2])) == position(text, first["position"].get("Start", 0))
                places += same_place
                words += answer[3].startswith(first["message"])  # and what to do
                if "-v" in sys.argv and not (same_place and answer[3].startswith(first["message"])):
                    print(f"NOTE {text!r}: {answer} for {first}")
    for case in json.loads((folder / "print.json").read_text())["cases"]:
        answer = ask(case["in"])
        if answer[0] == "error" and REFUSED.search(answer[3]):
            apart += 1
        elif answer != ["ok", case["out"]]:
            failed += 1
            print(f"FAIL {case['id']}: {case['in']!r}: {answer[1:]} for {case['out']!r}")
        else:
            passed += 1
    ast = folder / "ast.json"
    for case in json.loads(ast.read_text())["cases"] if ast.exists() else []:
        if "\n" in case["pretty"]:
            continue  # laid out over lines
        answer = ask(case["expr"])
        if answer[0] == "error" and REFUSED.search(answer[3]):
            apart += 1
        elif answer != ["ok", case["pretty"]]:
            failed += 1
            print(f"FAIL {case['id']}: {case['expr']!r}: {answer[1:]} for {case['pretty']!r}")
        else:
            passed += 1
    parser.stdin.close()
    parser.wait()
    print(f"{errors} refusals: {places} at the same place, {words} in the same words")
    print(f"{passed} passed, {failed} failed, {apart} apart (experimental or native histograms)")
    return 1 if failed or parser.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
