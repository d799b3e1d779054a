#!/usr/bin/env python3
"""From POST /api/v2/alerts to the webhook: alertd beside Alertmanager, each alert a group of its own.

usage: bench_paging.py [--rounds=3] [--paced=2000] [--flood=5000] [--held=15000] [--peers=FOLDER] [--only=alertd|Alertmanager]

Each round starts both anew, by turns, and asks three things:

  paced    200 alerts a second, one a POST, over eight connections: milliseconds from the POST's beginning to the webhook
  flood    one alert a POST over 32 connections, as fast as they are taken: alerts a second until the last one is told
  held     then alerts in posts of 64 until `held` of them are active: resident memory

alertd commits every transition to disk, synced, before the webhook; Alertmanager syncs nothing. Both have group_wait 0 and one
webhook; alertd runs without a login, as Alertmanager does.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import peers as bench

from daemon import ALERTD, BUILD, free_port
from peer_programs import alertmanager_command, peer

CONFIG = """
route:
  receiver: hook
  group_by: [alertname, seq]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:%d/hook
"""
# As fast as the receiver takes them, one by one: Alertmanager has no other way.
UNPACED = "        max_per_second: 0\n        digest_above: 0\n"
LOAD = BUILD / "tests/bench/page_load"


def start(name, folder, hook_port):
    port = free_port()
    path = pathlib.Path(folder) / f"{name}.yml"
    path.write_text(CONFIG % hook_port + (UNPACED if name == "alertd" else ""))
    if name == "alertd":
        command = [ALERTD, f"--storage.path={folder}/alertd", f"--config.file={path}", "--auth.mode=off",
                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    else:
        command = alertmanager_command(f"--config.file={path}", f"--storage.path={folder}/alertmanager", f"--web.listen-address=127.0.0.1:{port}",
                                       "--cluster.listen-address=", "--log.level=error")
    return bench.Server(name, command, port, "/-/ready")


def load(server, hook_port, n, per_post, connections, rate=None):
    """What page_load says, and the server's CPU seconds."""
    before = server.cpu_s()
    done = subprocess.run([LOAD, str(server.port), str(hook_port), str(n), str(per_post), str(connections), *([str(rate)] if rate else [])],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{server.name}: not all were told: {done.stdout}{done.stderr}")
    return {**json.loads(done.stdout), "cpu_s": server.cpu_s() - before}


def one_round(name, options):
    with tempfile.TemporaryDirectory(prefix="bench-paging-") as folder:
        hook_port = free_port()
        server = start(name, folder, hook_port)
        try:
            idle_mb = server.rss_mb()
            load(server, hook_port, 50, 1, 1)  # connections, caches
            paced = load(server, hook_port, options.paced, 1, 8, 200)
            flood = load(server, hook_port, options.flood, 1, options.senders)
            rest = options.held - options.paced - options.flood - 50
            posts = load(server, hook_port, rest, 64, 2)
            rss_mb = server.rss_mb()
        finally:
            server.stop()
    return {"median_ms": paced["median_ms"], "p99_ms": paced["p99_ms"], "max_ms": paced["max_ms"], "paced_cpu_ms": paced["cpu_s"] / paced["n"] * 1e3,
            "accepted": flood["n"] / flood["accepted_s"], "told": flood["n"] / flood["delivered_s"], "flood_cpu_ms": flood["cpu_s"] / flood["n"] * 1e3,
            "posts_told": posts["n"] / posts["delivered_s"], "idle_mb": idle_mb, "rss_mb": rss_mb}


ROWS = [("200 a second: median, ms", "median_ms", "{:.2f}"), ("200 a second: p99, ms", "p99_ms", "{:.2f}"), ("200 a second: longest, ms", "max_ms", "{:.1f}"),
        ("200 a second: CPU ms an alert", "paced_cpu_ms", "{:.3f}"), ("flood: accepted a second", "accepted", "{:.0f}"),
        ("flood: told a second", "told", "{:.0f}"), ("flood: CPU ms an alert", "flood_cpu_ms", "{:.3f}"),
        ("posts of 64: told a second", "posts_told", "{:.0f}"), ("idle, MB", "idle_mb", "{:.1f}"), ("with all of them active, MB", "rss_mb", "{:.1f}")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--paced", type=int, default=2000)
    parser.add_argument("--flood", type=int, default=5000)
    parser.add_argument("--senders", type=int, default=32)
    parser.add_argument("--held", type=int, default=15000)
    parser.add_argument("--peers", default=None)
    parser.add_argument("--only", default=None)
    options = parser.parse_args()
    if options.peers:
        os.environ["WATCHBILL_PEERS"] = options.peers
    program = peer("prometheus-alertmanager")
    if not program and options.only != "alertd":
        bench.skip("no prometheus-alertmanager (--peers or WATCHBILL_PEERS)")
    if not LOAD.exists():
        bench.skip(f"no load generator: ninja -C {BUILD} tests/bench/page_load")
    names = [name for name in ("alertd", "Alertmanager") if options.only in (None, name)]
    told = {name: [] for name in names}
    print(bench.heading("tests/bench/bench_paging.py " + " ".join(sys.argv[1:])))
    for _ in range(options.rounds):
        for name in names:
            told[name].append(one_round(name, options))
            print(f"# {name}: " + ", ".join(f"{k} {v:.3g}" for k, v in told[name][-1].items()), file=sys.stderr, flush=True)
    print("| | " + " | ".join(names) + (" | alertd / Alertmanager" if len(names) > 1 else "") + " |\n|---" + "|---" * (len(names) + (len(names) > 1)) + "|")
    for title, key, form in ROWS:
        medians = [statistics.median(one[key] for one in told[name]) for name in names]
        print(f"| {title} | " + " | ".join(form.format(one) for one in medians) + (f" | {medians[0] / medians[1]:.2f}" if len(names) > 1 else "") + " |")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split("\n")[0] if program else ""
    print(f"\n{options.rounds} rounds, medians. {version}")


if __name__ == "__main__":
    main()
