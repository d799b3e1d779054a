#!/usr/bin/env python3
"""Pushes and queries beside the work on a day that is over: its sealing, and its compaction with roll-ups, in one run.

usage: bench_compact.py [--series=5000] [--interval=30] [--seconds=20]

A full day before yesterday comes in as history. Alone, pushes and instant queries and graphs of the last hour run for --seconds; then the
clock is set a quarter of an hour ahead, so that the day is due, and they go on until it is compact. What alertd says of its days parts the
times: while the journal is there the day is sealed, then it is compacted. The table has milliseconds and the ratio to alone.
"""

import argparse
import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import bench_waits as waits
import peers as bench

from daemon import ALERTD, BUILD, free_port

DAY_S = 86400
LOOK_S = 0.25
LONGEST_S = 900


def start(folder, clock):
    port = free_port()
    return bench.Server("alertd", ["env", f"LD_PRELOAD={BUILD / 'tests/fault/fast_clock.so'}", f"CLOCK_SET=/proc/{os.getpid()}/fd/{clock.fileno()}",
                                   str(ALERTD), f"--storage.path={folder}/alertd", "--storage.retention.time=30d", "--auth.mode=off",
                                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"], port, "/-/ready")


def graphs(server, over, told):
    client = waits.Client(server)
    while not over():
        now = int(time.time())
        path = "/api/v1/query_range?" + urllib.parse.urlencode({"query": 'sum({__name__="waits"})', "start": now - 3600, "end": now, "step": 15})
        told.append((time.monotonic(), waits.timed(client, "GET", path)))
        time.sleep(0.02)


def queries(server, over, told):
    client = waits.Client(server)
    path = "/api/v1/query?" + urllib.parse.urlencode({"query": 'count({__name__="waits"})'})
    while not over():
        told.append((time.monotonic(), waits.timed(client, "GET", path)))
        time.sleep(0.02)


def pushes(server, over, told):
    client, n = waits.Client(server), 0
    while not over():
        n += 1
        body = "".join(f'waits{{i="{i}"}} {n} {int(time.time() * 1000)}\n' for i in range(100))
        told.append((time.monotonic(), waits.timed(client, "POST", "/api/v1/import/prometheus", body)))
        time.sleep(0.02)


JOBS = (("push", pushes), ("instant query", queries), ("graph of an hour", graphs))


def day_of(server, text):
    data = json.loads(waits.Client(server).ask("GET", "/api/v1/status/tsdb"))["data"]
    days = data["watchbill"]["days"]
    return next(day for day in days if day["day"] == text)


def watch(server, text):
    """When the day was sealed, and when it was compact."""
    sealed_s, deadline_s = None, time.monotonic() + LONGEST_S
    while True:
        day = day_of(server, text)
        if sealed_s is None and day["journal_bytes"] == 0 and day["chunks"] > 0:
            sealed_s = time.monotonic()
        if day["compact"]:
            return sealed_s or time.monotonic(), time.monotonic()
        if time.monotonic() > deadline_s:
            raise SystemExit(f"{text} is not compact within {LONGEST_S} s: {day}")
        time.sleep(LOOK_S)


def measure(server, options, clock, text):
    """Times of each job alone, while the day is sealed and while it is compacted."""
    over = threading.Event()
    told = {name: [] for name, _ in JOBS}
    threads = [threading.Thread(target=job, args=(server, over.is_set, told[name])) for name, job in JOBS]
    for thread in threads:
        thread.start()
    try:
        time.sleep(options.seconds)
        due_s, cpu_s = time.monotonic(), server.cpu_s()
        clock[:8] = struct.pack("=q", 900 * 1000)
        sealed_s, compact_s = watch(server, text)
        cpu_s = server.cpu_s() - cpu_s
    finally:
        over.set()
        for thread in threads:
            thread.join()
    spans = {"alone": (0, due_s), "sealing": (due_s, sealed_s), "compacting": (sealed_s, compact_s)}
    times = {(name, span): [ms for at, ms in told[name] if begin <= at < end] for name, _ in JOBS for span, (begin, end) in spans.items()}
    return times, sealed_s - due_s, compact_s - sealed_s, cpu_s


def main():
    parser = argparse.ArgumentParser()
    for name, value in (("series", 5000), ("interval", 30), ("seconds", 20)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    start_s = (int(time.time()) // DAY_S - 3) * DAY_S
    text = time.strftime("%Y-%m-%d", time.gmtime(start_s))
    print(bench.heading("tests/bench/bench_compact.py " + " ".join(sys.argv[1:])))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, tempfile.TemporaryFile() as clock_file:
        clock_file.write(bytes(24))
        clock_file.flush()
        clock = mmap.mmap(clock_file.fileno(), 24)
        rwload, _ = bench.tools(folder)
        server = start(folder, clock_file)
        try:
            subprocess.run([rwload, "-u", server.url + "/api/alertd/v1/samples/history", "-n", str(options.series), "-m", str(DAY_S // options.interval),
                            "-i", str(options.interval * 1000), "-s", str(start_s * 1000), "-t", "20"], check=True, stdout=subprocess.DEVNULL)
            times, sealing_s, compacting_s, cpu_s = measure(server, options, clock, text)
        finally:
            server.stop()
    print("| | while | n | p50 | p95 | p99 | max | p50 x | p95 x | p99 x | max x |\n" + "|---" * 11 + "|")
    shares = (0.5, 0.95, 0.99, 1)
    for name, _ in JOBS:
        alone = [waits.percentile(times[name, "alone"], share) for share in shares]
        for span in ("alone", "sealing", "compacting"):
            cells = [waits.percentile(times[name, span], share) for share in shares]
            ratios = " | ".join(f"{b / a:.1f}" for a, b in zip(alone, cells)) if span != "alone" else " | | | "
            print(f"| {name} | {span} | {len(times[name, span])} | " + " | ".join(f"{ms:.1f}" for ms in cells) + f" | {ratios} |")
    print(f"\n{options.series} series, a sample every {options.interval} s ({options.series * DAY_S // options.interval / 1e6:.1f} M): sealed in {sealing_s:.1f} s, "
          f"compacted in {compacting_s:.1f} s, {cpu_s:.1f} CPU-s with the pushes and queries beside.")


if __name__ == "__main__":
    main()
