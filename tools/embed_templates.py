#!/usr/bin/env python3
"""Postmortem templates as a C table: embed_templates.py OUTPUT.c FILE.md...

The table is what alertd/postmortem/template.h declares as template_builtin[].
"""

import pathlib
import sys


def literal(text):
    """C string literals, one for each line, so that the generated file can be read."""
    lines = text.splitlines(keepends=True) or [""]
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?") for line in lines)
    return "\n".join(f'        "{line}"' for line in escaped)


def main():
    output, *names = sys.argv[1:]
    rows = [f'    {{\n        "{path.name}",\n{literal(path.read_text(encoding="utf-8"))},\n    }},\n' for path in map(pathlib.Path, names)]
    pathlib.Path(output).write_text(
        "/* Made by tools/embed_templates.py from postmortems/. */\n\n"
        '#include "alertd/postmortem/template.h"\n\n'
        "const struct template_file template_builtin[] = {\n" + "".join(rows) + "};\n\n"
        f"const size_t template_n_builtin = {len(rows)};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
