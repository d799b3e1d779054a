#!/usr/bin/env python3
"""Rule files of others: does alertctl load what promtool loads, and refuse what it refuses?

    rule_files.py ALERTCTL FOLDER          FOLDER holds rulefmt/, mixins/ ...

Exit 77 (skipped) when the folder is not there.
"""

import json
import pathlib
import subprocess
import sys

# promtool 3.5.3 refuses these; every other file with groups in it loads there.
REFUSED = {"rules-fixtures/invalid_rules.yaml", "promtool/rules-bad.yml"}


def expectations(folder):
    table = json.loads((folder / "rulefmt" / "expected-errors.json").read_text())
    words = {f"rulefmt/{case['filename']}": case for case in table["cases"]}
    for path in sorted(folder.glob("**/*.y*ml")):
        if not any(line.startswith("groups:") for line in path.read_text(errors="replace").splitlines()):
            continue
        name = path.relative_to(folder).as_posix()
        case = words.get(name)
        if case:
            legacy = "Legacy" in str(case.get("nameValidationScheme"))
            yield path, name, None if legacy else case["errMsg"]
        else:
            yield path, name, "" if name in REFUSED else None


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (folder / "rulefmt").exists():
        print(f"SKIP: {folder} is not here")
        return 77
    passed = failed = rules = 0
    for path, name, words in expectations(folder):
        done = subprocess.run([program, "check", "rules", "--json", path], capture_output=True, text=True, timeout=60)
        report = json.loads(done.stdout)
        errors = [f["text"] for f in report["findings"] if f["severity"] == "error"]
        rules += report["rules"]
        good = done.returncode in (0, 3) if words is None else done.returncode == 1 and any(words in e for e in errors)
        passed += good
        failed += not good
        if not good:
            print(f"FAIL {name}: exit {done.returncode}, want {words!r}: {errors[:2]} {done.stderr[:200]}")
    print(f"{passed} passed, {failed} failed ({rules} rules)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
