#!/usr/bin/env python3
"""Unit tests of rules: alertctl beside promtool, on the same files, by turns.

    bench_unit_tests.py FOLDER [--rounds=5] [--alertctl=PATH]

FOLDER is searched for unit-test files (a line `tests:`). promtool is found by tests/lib/peer_programs.py
(WATCHBILL_PEERS or PATH); where it is not, the script says so and skips (exit 77). Prints a
table for docs/bench.md: the medians of the rounds, and the ratios of the medians.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from machine import machine
from peer_programs import peer

ROOT = pathlib.Path(__file__).resolve().parents[2]


def unit_test_files(folder):
    return [path for path in sorted(folder.glob("**/*.y*ml"))
            if any(line.startswith("tests:") for line in path.read_text(errors="replace").splitlines())]


def run(program, files):
    """Seconds, CPU-seconds and the largest memory in MB of one run; its verdict is not judged here."""
    began = time.monotonic()
    process = subprocess.Popen([program, "test", "rules", *files], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{program} ended with {process.returncode}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alertctl", default=str(ROOT / "build/ctl/alertctl"))
    options = parser.parse_args()
    promtool = peer("promtool")
    files = unit_test_files(options.folder) if options.folder.exists() else []
    if not promtool or not files:
        print("SKIP: " + ("promtool is not here: set WATCHBILL_PEERS" if files else f"no unit-test files in {options.folder}"))
        return 77
    programs = {"**alertctl**": options.alertctl, "promtool": promtool}
    runs = {name: [] for name in programs}
    load = os.getloadavg()[0]
    for _ in range(options.rounds):
        for name, program in programs.items():
            runs[name].append(run(program, files))
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in runs.items()}
    ours, theirs = medians.values()
    version = subprocess.run([promtool, "--version"], capture_output=True, text=True).stdout.split()[2]
    print(f"{machine()}; "
          f"`tests/bench/bench_unit_tests.py FOLDER --rounds={options.rounds}`; {len(files)} files; promtool {version}; "
          f"load before: {load:.2f}\n")
    print("| | seconds | CPU-s | peak RSS MB |\n|---|---|---|---|")
    for name, (wall, cpu, memory) in medians.items():
        print(f"| {name} test rules | {wall:.2f} | {cpu:.2f} | {memory:.0f} |")
    print(f"| ratio | {theirs[0] / ours[0]:.0f} | {theirs[1] / ours[1]:.0f} | {theirs[2] / ours[2]:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
