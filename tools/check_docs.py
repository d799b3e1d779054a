#!/usr/bin/env python3
"""The manual says what the program says.

docs/alertd.md holds the table of flags exactly as `alertd --help-markdown` prints it, docs/receivers.md
the config file's keys as `alertd --config-markdown` does, docs/lints.md the checks as
`alertctl check rules --list --format=markdown` does, and docs/api.md names every route of
`alertd --dump-routes`.

usage: check_docs.py ALERTD|ALERTCTL ROOT [--write]      (--write puts the present tables into the pages)
"""

import json
import pathlib
import re
import subprocess
import sys

TABLES = {  # program: page -> what stands between its markers, and the call that prints it
    "alertd": {
        "docs/alertd.md": ("flags", "--help-markdown"),
        "docs/receivers.md": ("keys", "--config-markdown"),
    },
    "alertctl": {"docs/lints.md": ("checks", "check rules --list --format=markdown")},
}


def output(program, call):
    return subprocess.run([program, *call.split()], capture_output=True, text=True, check=True).stdout


def check_table(program, path, what, call, write):
    before, after = f"<!-- {what}: made by tools/check_docs.py --write -->\n", f"<!-- end of {what} -->\n"
    text = path.read_text()
    begin, end = text.find(before), text.find(after)
    if begin < 0 or end < begin:
        yield f"{path}: the markers around its table are gone"
        return
    wanted = text[: begin + len(before)] + output(program, call) + text[end:]
    if write:
        path.write_text(wanted)
    elif wanted != text:
        yield f"{path}: not as {call} prints it; run tools/check_docs.py {program} . --write"


def routes_in(text):
    """"METHOD /path" of every call the page names, arguments made equal; {a,b} are alternatives."""
    found = set()
    for span in re.findall(r"`([^`]+)`", text):
        match = re.match(r"(?:([A-Z,]+) )?(/\S*)", span)
        if not match:
            continue
        methods = (match[1] or "GET").split(",")
        paths = [match[2].split("?")[0]]
        choice = re.search(r"\{([^{}]*,[^{}]*)\}", paths[0])
        if choice:
            paths = [paths[0].replace(choice[0], one) for one in choice[1].split(",")]
        for path in paths:
            path = re.sub(r"\{[^}]*\}(\.svg)?|(?<=/label/)N(?=/)", "{}", path)
            found |= {f"{method} {path}" for method in methods}
            found.add(f"any {path}")
    return found


def check_routes(alertd, root):
    text = (root / "docs/api.md").read_text()
    named = routes_in(text)
    for route in json.loads(output(alertd, "--dump-routes")):
        path = re.sub(r"\{[^}]*\}", "{}", route["pattern"])
        if f"{route['method']} {path}" in named:
            continue
        if route["safe_post"] and f"any {path}" in named:
            continue  # "GET and POST form alike"
        yield f"docs/api.md: {route['method']} {route['pattern']} is not named ({route['doc']})"


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    name = pathlib.Path(program).name
    found = [*check_routes(program, root)] if name == "alertd" else []
    for page, (what, call) in TABLES[name].items():
        found += check_table(program, root / page, what, call, "--write" in sys.argv)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
