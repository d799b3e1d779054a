#!/usr/bin/env python3
"""The tuner over the alerting rules of others: classes counted, sampled ones checked cell by cell.

    tune_rules.py PROGRAM FOLDER [--each=N]

Exit 77 (skipped) when the folder is not there.
"""

import pathlib
import subprocess
import sys


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (folder / "mixins").exists():
        print(f"SKIP: {folder} is not here")
        return 77
    files = [path for path in sorted(folder.glob("**/*.y*ml"))
             if any(line.startswith("groups:") for line in path.read_text(errors="replace").splitlines())]
    return subprocess.run([program, *sys.argv[3:], *files], timeout=1100).returncode


if __name__ == "__main__":
    sys.exit(main())
