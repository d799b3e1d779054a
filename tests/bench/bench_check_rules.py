#!/usr/bin/env python3
"""What checking rule files costs: `alertctl check rules --advice` (all offline checks) beside `promtool check rules` (one).

usage: bench_check_rules.py --rules=FOLDER [--promtool=FILE] [--rounds=20] [--build=build]

The same files go to both in one call, the two by turns so that a busy machine is busy for both. Printed are medians of wall
time and of CPU (user and system, from the kernel's account of the ended process), their ratios, and a row for docs/bench.md.
promtool is found by tests/lib/peer_programs.py, the folder of rule files by WATCHBILL_RULES when --rules is not given.
Without either it says so and ends with 77 (skipped).
"""

import argparse
import json
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


def run(command):
    """(wall seconds, CPU seconds, bytes at the most) of one call; its output goes nowhere."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def measure(programs, rounds):
    """Medians by program, the programs by turns; one round first that isn't counted."""
    runs = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, command in programs.items():
            one = run(command)
            if turn:
                runs[name].append(one)
    return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in runs.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--promtool", default=peer("promtool"))
    parser.add_argument("--rules", type=pathlib.Path, default=os.environ.get("WATCHBILL_RULES"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--build", default=os.environ.get("WATCHBILL_BUILD", ROOT / "build"))
    options = parser.parse_args()
    alertctl = pathlib.Path(options.build) / "ctl/alertctl"
    files = sorted(options.rules.glob("**/*.y*ml")) if options.rules else []
    for missing, words in ((not options.promtool, "promtool is not here (--promtool=FILE or WATCHBILL_PEERS)"),
                           (not options.rules, "no folder of rule files is named (--rules=FOLDER or WATCHBILL_RULES)"),
                           (not files, f"no rule files in {options.rules}"),
                           (not alertctl.exists(), f"{alertctl} is not built (--build=FOLDER)")):
        if missing:
            print(f"SKIP: {words}")
            return 77
    report = json.loads(subprocess.run([alertctl, "check", "rules", "--advice", "--json", *files],
                                       capture_output=True, text=True, check=False).stdout)
    version = subprocess.run([options.promtool, "--version"], capture_output=True, text=True, check=False)
    version = (version.stdout + version.stderr).split()[2]
    programs = {"alertctl": [alertctl, "check", "rules", "--advice", *files],
                "promtool": [options.promtool, "check", "rules", *files]}
    load = os.getloadavg()[0]
    result = measure(programs, options.rounds)
    print(f"{machine()}; medians of {options.rounds} rounds by turns; load before: {load:.2f}\n")
    print(f"| {report['rules']} rules in {report['files']} files | wall ms | CPU ms | memory MB | findings |\n|---|---|---|---|---|")
    found = {"alertctl": report["errors"] + report["warnings"] + report["advice"], "promtool": "duplicates only"}
    for name, (wall, cpu, memory) in result.items():
        label = "**alertctl check rules --advice**" if name == "alertctl" else f"promtool {version} check rules"
        print(f"| {label} | {wall * 1000:.0f} | {cpu * 1000:.0f} | {memory / 1e6:.1f} | {found[name]} |")
    ours, theirs = result["alertctl"], result["promtool"]
    print(f"\npromtool takes {theirs[0] / ours[0]:.1f} times as long and {theirs[1] / ours[1]:.1f} times the CPU.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
