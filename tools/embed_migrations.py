#!/usr/bin/env python3
"""Turns migrations/NNNN_name.sql into one C table, ordered by number.

usage: embed_migrations.py OUTPUT.c TABLE FILE.sql...
"""

import pathlib
import re
import sys


def c_string(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main():
    output, table, *files = sys.argv[1:]
    steps = {}
    for name in files:
        path = pathlib.Path(name)
        found = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not found:
            sys.exit(f"{path}: a migration is named NNNN_name.sql")
        number = int(found.group(1))
        if number in steps:
            sys.exit(f"{path}: number {number} is taken by {steps[number][0]}")
        steps[number] = (found.group(2), path.read_text().splitlines())
    out = [f"/* Made by tools/embed_migrations.py: {len(steps)} steps. */", "", '#include "alertd/db/db.h"', "",
           f"const struct db_migration db_{table}_migrations[] = {{"]
    for number, (name, lines) in sorted(steps.items()):
        out.append(f'    {{{number}, "{name}",')
        out += ["     " + c_string(line) for line in lines if line.strip() and not line.startswith("--")]
        out.append("    },")
    out += ["};", "", f"const size_t db_n_{table}_migrations = {len(steps)};", ""]
    pathlib.Path(output).write_text("\n".join(out))


if __name__ == "__main__":
    main()
