#!/usr/bin/env python3
"""The sample store side by side: alertd, Prometheus and VictoriaMetrics, the same samples in one run.

usage: bench_store.py [--series=10000] [--steps=1440] [--interval=30] [--peers=FOLDER] [--alone]

Each program in turn, in a new folder:
    push      one sample of each series a step, as agents do: samples a CPU second, resident memory
    kill -9   right behind the last acknowledgement, then a start: seconds until it is ready, CPU seconds up to there,
              samples that are missing
    disk      bytes a sample of what lies there after that start and a clean stop (Prometheus: write-ahead log included)
The generator's own CPU is spent before the clock starts. alertd syncs every acknowledgement to disk; the peers do not.
"""

import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import peers as bench


def start(name, found, folder):
    if name == "alertd":
        return bench.start_alertd(folder)
    return bench.start_prometheus(found, folder) if name == "Prometheus" else bench.start_victoria(found, folder)


def push(rwload, server, options, start_ms):
    """Samples a CPU second, p99 of an acknowledgement in ms."""
    done = subprocess.run([rwload, "-p", "-u", server.url + server.write, "-n", str(options.series), "-m", str(options.steps),
                           "-i", str(options.interval * 1000), "-s", str(start_ms), "-P", str(server.pid)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{server.name} refused the load: {done.stdout[-400:]} {done.stderr[-400:]}")
    told = dict(re.findall(r"(\w+)=(\S+)", done.stdout))
    return float(told["samples_per_cpu_s"]), float(told["samples_per_s"]), float(told["p99_ms"])


def count_metric(server, metric, at_s, span_s):
    reply = bench.request("GET", f"{server.url}/api/v1/query?query=sum(count_over_time({metric}%7Binstance%3D~%22host-.%2B%22%7D%5B{span_s}s%5D))&time={at_s}", timeout=120)
    result = reply.json["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


def count_stored(server, options, start_ms):
    """All samples of the fleet's series, metric by metric, six hours at a time."""
    end_s = (start_ms + options.steps * options.interval * 1000) // 1000
    metrics = bench.request("GET", f"{server.url}/api/v1/label/__name__/values?start={start_ms // 1000}&end={end_s}").json["data"]
    spans = range(start_ms // 1000 - 1, end_s, 6 * 3600)
    return sum(count_metric(server, metric, min(at + 6 * 3600, end_s), min(6 * 3600, end_s - at)) for metric in metrics for at in spans)


def disk_bytes(folder):
    return sum(path.stat().st_blocks * 512 for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.name != "prometheus.yml")


def measure(name, found, rwload, options):
    start_ms = (int(time.time()) - options.steps * options.interval) // 60 * 60000
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = start(name, found, folder)
        rate, wall, p99 = push(rwload, server, options, start_ms)
        rss = server.rss_mb()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        began = time.monotonic()
        server = start(name, found, folder)
        ready, ready_cpu = time.monotonic() - began, server.cpu_s()
        missing = options.series * options.steps - count_stored(server, options, start_ms)
        server.stop()
        size = disk_bytes(folder)
    return rate, wall, p99, rss, ready, ready_cpu, missing, size / (options.series * options.steps)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=10000)
    parser.add_argument("--steps", type=int, default=1440)
    parser.add_argument("--interval", type=int, default=30, help="seconds")
    parser.add_argument("--peers", default=None)
    parser.add_argument("--alone", action="store_true", help="without the peers, for profiling")
    options = parser.parse_args()
    found = None if options.alone else bench.find_peers(options.peers)
    print(bench.heading("tests/bench/bench_store.py " + " ".join(sys.argv[1:])))
    print("| | k samples a CPU-s | k samples/s | p99 ms | RSS MB | KB a series | ready after kill -9, s | of CPU | missing | disk B a sample |")
    print("|---" * 10 + "|")
    for name in ["alertd"] + ([] if options.alone else ["Prometheus", "VictoriaMetrics"]):
        with tempfile.TemporaryDirectory(prefix="bench-tools-") as folder:
            rwload, _ = bench.tools(folder)
            rate, wall, p99, rss, ready, ready_cpu, missing, size = measure(name, found, rwload, options)
        print(f"| {name} | {rate / 1e3:.0f} | {wall / 1e3:.0f} | {p99:.1f} | {rss:.0f} | {rss * 1024 / options.series:.2f} | {ready:.2f} | {ready_cpu:.2f} | "
              f"{missing} | {size:.2f} |", flush=True)
    print(f"\n{options.series} series, {options.steps} samples each. " + (bench.versions(found) if found else ""))


if __name__ == "__main__":
    main()
