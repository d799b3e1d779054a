#!/usr/bin/env python3
"""A year of a few series: its roll-up beside the same points from every sample, in one run.

usage: bench_rollup.py [--days=365] [--interval=30] [--rounds=5]

A folder is filled under a clock of its own (tests/lib/store_year) and rolled up, then one alertd answers by turns:
    roll-up        samples/rollup: least, greatest, sum and count of each step
    mean           query_range of avg_over_time(series[step]): the same means, from every sample
    all four       the three more queries that say what the roll-up says
    points         query_range of the bare series: one sample a step, as graphs were drawn before
Disk: the days' files compact (VACUUM of a copy) with the table of roll-ups and without it.
"""

import argparse
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import peers as bench
from daemon import BUILD

DAY = 86400
SERIES = ["queue_depth", "requests_total", "response_seconds", "config_version"]
FUNCTIONS = ["avg_over_time", "min_over_time", "max_over_time", "count_over_time"]
STEPS = [("12h", DAY // 2), ("2h", 7200)]


def ask(server, path, **form):
    """Milliseconds, and how many points came."""
    text = urllib.parse.urlencode(form)
    began = time.monotonic()
    reply = bench.request("GET", f"{server.url}{path}?{text}", timeout=120)
    took = (time.monotonic() - began) * 1e3
    if reply.status != 200:
        raise SystemExit(f"{path}: {reply}")
    return took, sum(len(one["values"]) for one in reply.json["data"]["result"])


def ask_promql(server, expr, start, end, step):
    return ask(server, "/api/v1/query_range", query=expr, start=start + step - 0.001, end=end - 0.001, step=step)


def measure(server, name, start, end, step, rounds):
    took = {"rollup": [], "mean": [], "four": [], "points": []}
    for _ in range(rounds):
        ms, n = ask(server, "/api/alertd/v1/samples/rollup", **{"match[]": name, "start": start, "end": end, "step": step})
        took["rollup"].append(ms)
        each = [ask_promql(server, f"{function}({name}[{step}s])", start, end, step) for function in FUNCTIONS]
        if {points for _, points in each} != {n}:
            raise SystemExit(f"{name}: {n} steps rolled up, {each} computed")
        took["mean"].append(each[0][0])
        took["four"].append(sum(one[0] for one in each))
        took["points"].append(ask_promql(server, name, start, end, step)[0])
    return {what: statistics.median(list_) for what, list_ in took.items()}, n


def compact_bytes(path, without):
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    base = sqlite3.connect(copy, isolation_level=None)
    if without:
        base.execute("DROP TABLE rollup")
    base.execute("VACUUM")
    base.close()
    size = copy.stat().st_size
    copy.unlink()
    return size


def body_bytes(path, table):
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    size = base.execute(f"SELECT coalesce(sum(length(body)), 0) FROM {table}").fetchone()[0]
    base.close()
    return size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--interval", type=int, default=30, help="seconds")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    end = int(time.time()) // DAY * DAY - 3 * DAY
    start = end - options.days * DAY
    print(bench.heading("tests/bench/bench_rollup.py " + " ".join(sys.argv[1:])))
    with tempfile.TemporaryDirectory(prefix="bench-rollup-") as folder:
        samples = pathlib.Path(folder) / "alertd/samples"
        samples.mkdir(parents=True)
        for word in ("fill", "roll"):
            subprocess.run([BUILD / "tests/lib/store_year", word, samples, str(options.days), str(options.interval), str(end)], check=True)
        days = sorted(samples.glob("*.db"))
        n_samples = options.days * DAY // options.interval * len(SERIES)
        with_rollups, without = (sum(compact_bytes(path, one) for path in days) for one in (False, True))
        rows, chunks = (sum(body_bytes(path, table) for path in days) for table in ("rollup", "chunk"))
        server = bench.start_alertd(folder)
        print("| series | step | points | roll-up ms | mean ms | all four ms | points ms | x mean | x all four |")
        print("|---|---|---|---|---|---|---|---|---|")
        for words, step in STEPS:
            for name in SERIES[:3]:
                ms, n = measure(server, name, start, end, step, options.rounds)
                print(f"| {name} | {words} | {n} | {ms['rollup']:.0f} | {ms['mean']:.0f} | {ms['four']:.0f} | {ms['points']:.0f} | "
                      f"{ms['mean'] / ms['rollup']:.1f} | {ms['four'] / ms['rollup']:.1f} |", flush=True)
        server.stop()
    print(f"\n{len(SERIES)} series, {options.days} days at {options.interval} s, {n_samples} samples. Chunks {chunks / n_samples:.3f} bytes a sample, "
          f"roll-ups {rows / n_samples:.3f}; in pages {(with_rollups - without) / n_samples:.3f} ({rows / options.days / len(SERIES):.0f} bytes a series and day).")


if __name__ == "__main__":
    main()
