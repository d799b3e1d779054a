#!/usr/bin/env python3
"""Who waits for whom: pushes, instant queries and rounds of rules, alone and beside heavy work, in one run.

usage: bench_waits.py [--series=5000] [--steps=1440] [--interval=60] [--seconds=10] [--rounds=3] [--without-past] [--against=ALERTD]

Alone, each of the three runs by itself. Together, all run at once, beside a range query of 24 hours over all series that is
asked again and again, and samples of an older day that are sent, and sealed where there are enough of them. The table has milliseconds and the
ratio of together to alone. --against names another alertd, which takes turns with ours; on a busy machine only ratios of
one run say something.
"""

import argparse
import concurrent.futures
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import peers as bench

HEAVY = 'count by (__name__) ({__name__=~".+"} > 0)'
RULES = """groups:
- name: waits
  interval: 1s
  rules:
""" + "".join(f"  - {{record: 'waits:{i}', expr: 'count({{__name__=~\".+\", instance=~\"host-.*{i}\"}})'}}\n" for i in range(5))


class Client:
    """One connection that stays."""

    def __init__(self, server):
        self.link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)

    def ask(self, method, path, body=None, kind="text/plain"):
        self.link.request(method, path, body, {"Content-Type": kind} if body else {})
        reply = self.link.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise RuntimeError(f"{path[:60]}: {reply.status} {text[:300].decode()}")
        return text


def timed(client, *call):
    started = time.monotonic()
    client.ask(*call)
    return (time.monotonic() - started) * 1000


def pushes(server, until_s, told):
    client, n = Client(server), 0
    while time.monotonic() < until_s:
        n += 1
        now_ms = int(time.time() * 1000)
        told.append(timed(client, "POST", "/api/v1/import/prometheus", "".join(f'waits{{i="{i}"}} {n} {now_ms}\n' for i in range(100))))
        time.sleep(0.02)


def queries(server, until_s, told):
    client = Client(server)
    path = "/api/v1/query?" + urllib.parse.urlencode({"query": 'count({__name__="waits"})'})
    while time.monotonic() < until_s:
        told.append(timed(client, "GET", path))
        time.sleep(0.02)


def rule_rounds(server, until_s, told):
    client, last = Client(server), None
    while time.monotonic() < until_s:
        group = json.loads(client.ask("GET", "/api/v1/rules"))["data"]["groups"][0]
        if last not in (None, group["lastEvaluation"]):
            told.append(group["evaluationTime"] * 1000)
        last = group["lastEvaluation"]
        time.sleep(0.2)


def heavy_query(server, until_s, told):
    client, end_s = Client(server), int(time.time())
    path = "/api/v1/query_range?" + urllib.parse.urlencode({"query": HEAVY, "start": end_s - 86400, "end": end_s, "step": 300, "timeout": "100s"})
    while time.monotonic() < until_s:
        told.append(timed(client, "GET", path))


def run(server, seconds, jobs):
    """Each job's times, all at once."""
    until_s = time.monotonic() + seconds
    told = [[] for _ in jobs]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job, server, until_s, told[i]) for i, job in enumerate(jobs)]:
            done.result()
    return told


def disk_work(rwload, server, options, turn):
    """What seals beside the queries: a day of the past that comes in."""
    start_ms = (int(time.time()) // 86400 - 4 - turn) * 86400000
    return subprocess.Popen([rwload, "-u", server.url + "/api/alertd/v1/samples/history", "-n", str(options.series), "-m", "360", "-i", "60000",
                             "-s", str(start_ms), "-t", "20"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def main():
    parser = argparse.ArgumentParser()
    for name, value in (("series", 5000), ("steps", 1430), ("interval", 60), ("seconds", 10), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--against", default=None)
    parser.add_argument("--without-past", action="store_true", help="only the range query beside")
    options = parser.parse_args()
    ours = bench.ALERTD
    jobs = [("push", pushes), ("instant query", queries), ("round of rules", rule_rounds)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rwload, _ = bench.tools(folder)
        with open(f"{folder}/waits.yml", "w", encoding="utf-8") as file:
            file.write(RULES)
        servers = []
        try:
            for name, program in [("this alertd", ours)] + ([("the other", options.against)] if options.against else []):
                bench.ALERTD = program
                flags = [f"--rules.import={folder}/waits.yml", "--storage.retention.time=30d"]
                server = bench.start_alertd(f"{folder}/{len(servers)}", flags)
                server.name = name
                servers.append(server)
                bench.load(rwload, server, options.series, options.steps, options.interval * 1000, int(time.time()) * 1000)
            times = {(server.name, job, how): [] for server in servers for job, _ in jobs for how in ("alone", "together")}
            heavy = {server.name: [] for server in servers}
            for turn in range(options.rounds):
                for server in servers:
                    for name, job in jobs:
                        times[server.name, name, "alone"] += run(server, options.seconds, [job])[0]
                    past = None if options.without_past else disk_work(rwload, server, options, turn)
                    told = run(server, 2 * options.seconds, [job for _, job in jobs] + [heavy_query])
                    if past:
                        past.wait()
                    for i, (name, _) in enumerate(jobs):
                        times[server.name, name, "together"] += told[i]
                    heavy[server.name] += told[-1]
            print(bench.heading("tests/bench/bench_waits.py " + " ".join(sys.argv[1:])))
            print("| | who | alone p50 | p99 | max | together p50 | p99 | max | p50 x | p99 x | max x |\n" + "|---" * 11 + "|")
            for server in servers:
                for name, _ in jobs:
                    cells = [[percentile(times[server.name, name, how], share) for share in (0.5, 0.99, 1)] for how in ("alone", "together")]
                    row = [f"{value:.1f}" for part in cells for value in part] + [f"{b / a:.1f}" for a, b in zip(*cells)]
                    print(f"| {server.name} | {name} | " + " | ".join(row) + " |", flush=True)
                print(f"\nthe range query beside: {statistics.median(heavy[server.name]):.0f} ms, {len(heavy[server.name])} times\n")
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
