#!/usr/bin/env python3
"""What the checksums in pages of samples cost: alertd with and without them, by turns in one run.

usage: bench_page_sums.py [--series=5000] [--steps=720] [--rounds=3]

    push      CPU microseconds a sample, one sample of each series a step, as agents push; sealed on the way
    read      CPU nanoseconds a sample of queries over the whole time, from the files (memory has the last hour)
`Without` is tests/bench/no_page_sums.so, preloaded: no setting of alertd's.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time

import bench_store
import peers as bench
from daemon import BUILD

SHIM = BUILD / "tests/bench/no_page_sums.so"
READS = 5


def measure(rwload, options, with_sums):
    start_ms = (int(time.time()) - options.steps * options.interval) // 60 * 60000
    if with_sums:
        os.environ.pop("LD_PRELOAD", None)
    else:
        os.environ["LD_PRELOAD"] = str(SHIM)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = bench.start_alertd(folder)
        os.environ.pop("LD_PRELOAD", None)
        rate = bench_store.push(rwload, server, options, start_ms)[0]
        before = server.cpu_s()
        n = [bench_store.count_stored(server, options, start_ms) for _ in range(READS)]
        read_s = server.cpu_s() - before
        server.stop()
    if n != [options.series * options.steps] * READS:
        raise SystemExit(f"of {options.series * options.steps} samples {n} are there")
    return 1e6 / rate, read_s * 1e9 / sum(n)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=5000)
    parser.add_argument("--steps", type=int, default=720)
    parser.add_argument("--interval", type=int, default=30, help="seconds")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not SHIM.exists():
        bench.skip(f"no {SHIM}: ninja -C {BUILD} tests/bench/no_page_sums.so")
    with tempfile.TemporaryDirectory(prefix="bench-tools-") as folder:
        rwload, _ = bench.tools(folder)
        rows = [[measure(rwload, options, with_sums) for with_sums in (True, False)] for _ in range(options.rounds)]
    print(bench.heading("tests/bench/bench_page_sums.py " + " ".join(sys.argv[1:])))
    print("| | CPU us a sample pushed | CPU ns a sample read |\n|---|---|---|")
    medians = [[statistics.median(row[i][column] for row in rows) for column in (0, 1)] for i in (0, 1)]
    for name, (push, read) in zip(("with checksums", "without"), medians):
        print(f"| {name} | {push:.2f} | {read:.1f} |")
    print(f"| ratio | {medians[0][0] / medians[1][0]:.2f} | {medians[0][1] / medians[1][1]:.2f} |")
    print(f"\n{options.series} series, {options.steps} samples each; medians of {options.rounds} rounds by turns: "
          + "; ".join(f"{a[0]:.2f}/{b[0]:.2f} us, {a[1]:.1f}/{b[1]:.1f} ns" for a, b in rows))


if __name__ == "__main__":
    main()
