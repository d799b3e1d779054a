#!/usr/bin/env python3
"""A day that is over on disk, alertd's beside VictoriaMetrics': bytes a sample of the same fleet.

usage: bench_disk.py [--series=2000] [--interval=30] [--peers=FOLDER] [--alone]

Yesterday's samples are pushed as history, twenty of a series at a time. alertd ends then, and the day is sealed, compacted and rolled
up by store_year under a clock of its own (the daemon does so ten minutes after the last sample); VictoriaMetrics is told to flush and
merge. Sizes of files, indices and all; of alertd's, what roll-ups take stands apart. CPU: of making a day small.
"""

import argparse
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import peers as bench

from daemon import BUILD

DAY_S = 86400
STORE_YEAR = BUILD / "tests/lib/store_year"


def push(rwload, server, options, start_s):
    done = subprocess.run([rwload, "-p", "-u", server.url + server.write, "-n", str(options.series), "-m", str(DAY_S // options.interval), "-i",
                           str(options.interval * 1000), "-s", str(start_s * 1000), "-t", "20"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{server.name} refused the load: {done.stdout[-400:]} {done.stderr[-400:]}")


def alertd_bytes(rwload, folder, options, start_s):
    """Of samples, of roll-ups; CPU seconds."""
    server = bench.start_alertd(folder)
    push(rwload, server, options, start_s)
    server.stop()
    day = pathlib.Path(folder) / "day"
    day.mkdir()
    for part in (pathlib.Path(folder) / "alertd/samples").glob(time.strftime("%Y-%m-%d", time.gmtime(start_s)) + "*"):
        shutil.copy(part, day)
    before = os.times()
    subprocess.run([STORE_YEAR, "roll", day, "1", str(options.interval), str(start_s + DAY_S)], check=True, capture_output=True)
    after = os.times()
    whole = sum(path.stat().st_size for path in day.iterdir())
    file = sqlite3.connect(next(day.glob("*.db")))
    rollups = file.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'rollup'").fetchone()[0]
    return whole - rollups, rollups, after.children_user + after.children_system - before.children_user - before.children_system


def victoria_bytes(rwload, found, folder, options, start_s):
    server = bench.start_victoria(found, folder)
    push(rwload, server, options, start_s)
    for what in ("force_flush", "force_merge"):
        bench.request("GET", f"{server.url}/internal/{what}", timeout=120)
    sizes = [0]
    while len(sizes) < 3 or sizes[-1] != sizes[-3]:  # it merges on its own time, and takes away what it merged
        time.sleep(5)
        sizes.append(sum(path.stat().st_size for part in ("data", "indexdb") for path in (pathlib.Path(folder) / "victoria" / part).rglob("*")
                         if path.is_file()))
    server.stop()
    return sizes[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--interval", type=int, default=30, help="seconds")
    parser.add_argument("--peers", default=None)
    parser.add_argument("--alone", action="store_true", help="without the peer")
    options = parser.parse_args()
    found = None if options.alone else bench.find_peers(options.peers)
    if not STORE_YEAR.exists():
        bench.skip(f"no clock of its own: ninja -C {BUILD} tests/lib/store_year")
    start_s = (int(time.time()) // DAY_S - 1) * DAY_S
    n = options.series * (DAY_S // options.interval)
    print(bench.heading("tests/bench/bench_disk.py " + " ".join(sys.argv[1:])))
    print("| | MB | B a sample |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, tempfile.TemporaryDirectory(prefix="bench-tools-") as tools:
        rwload, _ = bench.tools(tools)
        samples, rollups, cpu_s = alertd_bytes(rwload, folder, options, start_s)
        print(f"| alertd: samples (packs, their rows, series) | {samples / 1e6:.2f} | {samples / n:.3f} |")
        print(f"| alertd: roll-ups of 5 minutes and an hour | {rollups / 1e6:.2f} | {rollups / n:.3f} |", flush=True)
        if found:
            size = victoria_bytes(rwload, found, folder, options, start_s)
            print(f"| VictoriaMetrics, samples and index | {size / 1e6:.2f} | {size / n:.3f} |")
    print(f"\n{options.series} series, {n / 1e6:.2f} M samples; making the day small took {cpu_s:.1f} CPU-s. " + (bench.versions(found) if found else ""))


if __name__ == "__main__":
    main()
