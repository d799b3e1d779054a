#!/usr/bin/env python3
"""Text files as a C table: embed_texts.py OUTPUT.c HEADER TYPE TABLE COUNT NAME=FILE...

Writes `const TYPE TABLE[]` with a row {name, text} for each file and `const size_t COUNT`,
as HEADER declares them.
"""

import pathlib
import sys


def literal(text):
    """C string literals, one for each line, so that the generated file can be read."""
    lines = text.splitlines(keepends=True) or [""]
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?") for line in lines)
    return "\n".join(f'        "{line}"' for line in escaped)


def main():
    output, header, kind, table, count, *pairs = sys.argv[1:]
    rows = []
    for name, file in (pair.split("=", 1) for pair in pairs):
        rows.append(f'    {{\n        "{name}",\n{literal(pathlib.Path(file).read_text(encoding="utf-8"))},\n    }},\n')
    pathlib.Path(output).write_text(
        "/* Made by tools/embed_texts.py. */\n\n"
        f'#include "{header}"\n\n'
        f"const {kind} {table}[] = {{\n{''.join(rows)}}};\n\n"
        f"const size_t {count} = {len(rows)};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
