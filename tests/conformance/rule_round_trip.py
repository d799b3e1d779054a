#!/usr/bin/env python3
"""Rule files of others, read, printed and read again: field for field the same.

    rule_round_trip.py PROGRAM FOLDER

Exit 77 (skipped) when the folder is not there.
"""

import pathlib
import subprocess
import sys


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (folder / "rulefmt").exists():
        print(f"SKIP: {folder} is not here")
        return 77
    files = [path for path in sorted(folder.glob("**/*.y*ml"))
             if any(line.startswith("groups:") for line in path.read_text(errors="replace").splitlines())]
    return subprocess.run([program, *files], timeout=120).returncode


if __name__ == "__main__":
    sys.exit(main())
