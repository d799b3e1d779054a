#!/usr/bin/env python3
"""Unit tests of rules written here, run by promtool: what they expect is not only our opinion.

    peer_tests.py FILE...

Exit 77 (skipped) when promtool is not there (tests/lib/peer_programs.py).
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from peer_programs import peer


def main():
    promtool = peer("promtool")
    if not promtool:
        print("SKIP: promtool is not here: set WATCHBILL_PEERS")
        return 77
    done = subprocess.run([promtool, "test", "rules", *sys.argv[1:]], capture_output=True, text=True, timeout=120)
    print(done.stdout[-4000:] + done.stderr[-4000:])
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
