#!/usr/bin/env python3
"""Puts the bundled dashboard into the program.

    embed.py DIST OUT.S OUT.c [DEPFILE]

Every file below DIST becomes a row of web_assets[] (web_assets.h), its bytes taken in by
.incbin, beside a gzipped copy when that is smaller. DIST/index.html is "/index.html"; files
below DIST/assets carry a content hash in their names, so they may be cached for ever.
The same input gives the same output, byte for byte.
"""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}


def assembly(blobs):
    """The .S: one label before and one after each file."""
    yield "/* Made by web/embed.py: the dashboard's files. */"
    yield '\t.section .rodata.web_assets,"a",%progbits'
    for name, path in blobs:
        yield f"\t.balign 16\n\t.globl {name}\n\t.hidden {name}\n{name}:"
        yield f'\t.incbin "{path}"'
        yield f"\t.globl {name}_end\n\t.hidden {name}_end\n{name}_end:\n\t.byte 0"
    yield '\t.section .note.GNU-stack,"",%progbits'


def table(rows, blobs):
    """The .c: the rows, sorted by path."""
    yield "/* Made by web/embed.py: the table of the dashboard's files. */"
    yield '#include "web/web_assets.h"'
    for name, path in blobs:
        yield f"extern const unsigned char {name}[]; /* {path.stat().st_size} bytes */"
    yield "const struct web_asset web_assets[] = {"
    for row in rows:
        squeezed = f"{row['gzip']}, {row['gzip_len']}" if row["gzip"] else "0, 0"
        immutable = "true" if row["immutable"] else "false"
        yield (f'    {{"{row["path"]}", "{row["type"]}", {row["bytes"]}, {row["len"]}, '
               f'{squeezed}, "\\"{row["etag"]}\\"", {immutable}}},')
    yield "};"
    yield "const size_t n_web_assets = sizeof web_assets / sizeof web_assets[0];"


def main():
    dist, out_s, out_c = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
    squeezed_dir = out_s.parent / "web_gzip"
    squeezed_dir.mkdir(exist_ok=True)
    files = sorted(p for p in dist.rglob("*") if p.is_file() and p.suffix in TYPES)
    rows, blobs = [], []
    for i, path in enumerate(files):
        content = path.read_bytes()
        blobs.append((f"web_file_{i}", path))
        row = {
            "path": "/" + path.relative_to(dist).as_posix(),
            "type": TYPES[path.suffix],
            "bytes": f"web_file_{i}",
            "len": len(content),
            "gzip": None,
            "gzip_len": 0,
            "etag": hashlib.sha256(content).hexdigest()[:20],
            "immutable": path.parent.name == "assets",
        }
        squeezed = gzip.compress(content, 9, mtime=0)
        if len(squeezed) < len(content) * 9 // 10:
            target = squeezed_dir / f"{i}.gz"
            target.write_bytes(squeezed)
            blobs.append((f"web_gzip_{i}", target))
            row |= {"gzip": f"web_gzip_{i}", "gzip_len": len(squeezed)}
        rows.append(row)
    out_s.write_text("\n".join(assembly(blobs)) + "\n")
    out_c.write_text("\n".join(table(rows, blobs)) + "\n")
    if len(sys.argv) > 4:
        names = " ".join(str(p) for p in files)
        pathlib.Path(sys.argv[4]).write_text(f"{out_s.name} {out_c.name}: {names}\n")


if __name__ == "__main__":
    sys.exit(main())
