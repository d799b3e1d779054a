#!/usr/bin/env python3
"""Queries side by side: alertd, Prometheus and VictoriaMetrics over the same samples, in one run.

usage: bench_queries.py [--series=1000] [--steps=8640] [--interval=10] [--repeat=5] [--peers=FOLDER] [--only=TEXT]

Prints a Markdown table of each query's milliseconds of wall time and of the server's CPU, and ours as a ratio to
each peer's (above 1: we are that many times faster). The queries are the shared folder's q_day.tsv. The servers take
turns, one query each, so that a machine that is busy for a while is so for all of them.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import peers as bench


def read_queries(only):
    path = bench.SHARED / "q_day.tsv"
    if not path.exists():
        bench.skip(f"no queries in {path}")
    lines = [line.split("\t") for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return [line for line in lines if only in line[0]]


def ask(qlat, server, query, end_s, folder):
    """One query, several times: median wall ms, CPU ms, series in the answer."""
    path = pathlib.Path(folder) / "query.tsv"
    path.write_text("\t".join(query) + "\n")
    done = subprocess.run([qlat, "-u", server.url, "-f", str(path), "-r", "3", "-t", str(end_s), "-P", str(server.pid)], capture_output=True, text=True)
    fields = done.stdout.splitlines()[-1].split("\t")
    if done.stderr or fields[-1] == "FAILED":
        raise SystemExit(f"{server.name}: {query[0]}: {done.stderr}")
    return float(fields[1]), float(fields[7]), int(fields[6])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=8640)
    parser.add_argument("--interval", type=int, default=10, help="seconds between samples")
    parser.add_argument("--repeat", type=int, default=3, help="turns; the median counts")
    parser.add_argument("--peers", default=None)
    parser.add_argument("--only", default="")
    parser.add_argument("--alone", action="store_true", help="without the peers, for profiling")
    options = parser.parse_args()
    queries = read_queries(options.only)
    found = None if options.alone else bench.find_peers(options.peers)
    end_s = int(time.time()) // 60 * 60
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rwload, qlat = bench.tools(folder)
        servers = [bench.start_alertd(folder)]
        if found:
            servers += [bench.start_prometheus(found, folder), bench.start_victoria(found, folder)]
        try:
            for server in servers:
                bench.load(rwload, server, options.series, options.steps, options.interval * 1000, end_s * 1000)
            time.sleep(3 if found else 0)
            print(bench.heading("tests/bench/bench_queries.py " + " ".join(sys.argv[1:])))
            head = [server.name for server in servers]
            print("| query | series | " + " | ".join(f"{name} ms (CPU)" for name in head) + " | " + " | ".join(f"x {name}" for name in head[1:]) + " |")
            print("|---" * (2 + 2 * len(head) - 1) + "|")
            for query in queries:
                turns = [[ask(qlat, server, query, end_s, folder) for server in servers] for _ in range(options.repeat)]
                of = [[statistics.median(turn[i][j] for turn in turns) for j in (0, 1)] for i in range(len(servers))]
                series = {turn[i][2] for turn in turns for i in range(len(servers))}
                cells = [f"{wall:.2f} ({cpu:.1f})" for wall, cpu in of]
                ratios = [f"{wall / of[0][0]:.1f}" for wall, _ in of[1:]]
                print(f"| {query[0]} | {'/'.join(map(str, sorted(series)))} | " + " | ".join(cells + ratios) + " |", flush=True)
            print("\nRSS after: " + ", ".join(f"{server.name} {server.rss_mb():.0f} MB" for server in servers) + ". "
                  + (bench.versions(found) if found else ""))
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
