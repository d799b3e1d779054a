#!/usr/bin/env python3
"""Runs the peers' promqltest scripts when they are beside the checkout.

    promql_peers.py PROGRAM FOLDER

WATCHBILL_CONFORMANCE names another folder. Exit 77 (skipped) when there is none.
"""

import os
import pathlib
import subprocess
import sys


def main():
    folder = pathlib.Path(os.environ.get("WATCHBILL_CONFORMANCE", sys.argv[2]))
    scripts = sorted([*folder.glob("open/promqltest/*.test"), *folder.glob("open/recorded/*.test")])
    if not scripts:
        print(f"SKIP: no scripts in {folder}")
        return 77
    return subprocess.run([sys.argv[1], "--tags", folder / "tags.json", *scripts], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
