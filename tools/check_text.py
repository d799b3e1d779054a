#!/usr/bin/env python3
"""What a compiler does not check: lengths, file-top comments, banned calls, dead links.

Each breach is one `file:line: message`; exit status 0 when there is none.
"""

import pathlib
import re
import sys

TREES = ("lib", "agent", "alertd", "ctl", "tests")
FILE_LINES_MAX = 600
BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|atof|gmtime|localtime|ctime|asctime|rand|srand|setlocale)\s*\("
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")


def check_code(root, path):
    name = path.relative_to(root).as_posix()
    lines = path.read_text().splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield f"{name}:{FILE_LINES_MAX}: {len(lines)} lines: a file is one sitting, {FILE_LINES_MAX} at most"
    opening = [line for line in lines[:6] if line.strip() and not line.startswith("#pragma once")]
    if not opening or not opening[0].startswith("/*"):
        yield f"{name}:1: a file opens by teaching: what it is, its picture, its invariants"
    for number, line in enumerate(lines, 1):
        if not line.lstrip().startswith(("*", "/*", "//")):
            found = BANNED.search(line)
            if found:
                yield f"{name}:{number}: {found.group(1)}() is banned"
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line):
            yield f"{name}:{number}: a TODO carries an issue number: TODO(#12)"


def check_links(root, path):
    name = path.relative_to(root).as_posix()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for target, _ in LINK.findall(line):
            if "://" in target or target.startswith(("mailto:", "graph:", "{{")):
                continue
            if not (path.parent / target).exists():
                yield f"{name}:{number}: dead link: {target}"


def breaches(root):
    for top in TREES:
        for path in sorted((root / top).glob("**/*")):
            if path.suffix in (".c", ".h", ".cc"):
                yield from check_code(root, path)
    for path in [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("**/*.md")), *sorted((root / "rules").glob("**/*.md"))]:
        yield from check_links(root, path)


def main():
    found = list(breaches(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
