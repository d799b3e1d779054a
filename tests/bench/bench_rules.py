#!/usr/bin/env python3
"""A thousand alert rules side by side: alertd, Prometheus, and vmalert over VictoriaMetrics, in one run.

usage: bench_rules.py [--series=100000] [--rules=1000] [--steps=240] [--rounds=6] [--peers=FOLDER]

Each program gets the same samples (an hour, one every 15 s, up to now) and the same rule file (the shared folder's
rulegen.py: ten templates, ten groups, every 15 s), one program at a time. Prints CPU seconds a round of all rules,
resident memory, and how many alerts were active, which must agree.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import peers as bench

INTERVAL_S = 15


def write_rules(folder, n):
    if not (bench.SHARED / "rulegen.py").exists():
        bench.skip(f"no rule generator in {bench.SHARED}")
    path = pathlib.Path(folder) / "rules.yml"
    path.write_text(subprocess.run([sys.executable, str(bench.SHARED / "rulegen.py"), "-R", str(n)], check=True, capture_output=True, text=True).stdout)
    return path


def active_alerts(url):
    return len(bench.request("GET", url + "/api/v1/alerts", timeout=60).json["data"]["alerts"])


def measure(servers, alerts_url, rounds):
    """CPU seconds a round of each server, after two rounds to warm up; memory; active alerts."""
    time.sleep(2 * INTERVAL_S + 2)
    before = [server.cpu_s() for server in servers]
    time.sleep(rounds * INTERVAL_S)
    used = [(server.cpu_s() - was) / rounds for server, was in zip(servers, before)]
    return used, [server.rss_mb() for server in servers], active_alerts(alerts_url)


def load(options, rwload, server):
    bench.load(rwload, server, options.series, options.steps, INTERVAL_S * 1000, int(time.time()) * 1000)


def run_alertd(options, rwload, folder, rules, found):
    server = bench.start_alertd(folder, [f"--rules.import={rules}"])
    try:
        load(options, rwload, server)
        return measure([server], server.url, options.rounds)
    finally:
        server.stop()


def run_prometheus(options, rwload, folder, rules, found):
    server = bench.start_prometheus(found, folder, f"global: {{evaluation_interval: {INTERVAL_S}s}}\nrule_files: ['{rules}']\n")
    try:
        load(options, rwload, server)
        return measure([server], server.url, options.rounds)
    finally:
        server.stop()


def run_vmalert(options, rwload, folder, rules, found):
    store = bench.start_victoria(found, folder)
    servers = [store]
    try:
        load(options, rwload, store)
        port = bench.free_port()
        servers.append(bench.Server("vmalert", [str(found / "victoria-metrics/usr/bin/vmalert"), f"-rule={rules}", f"-datasource.url={store.url}", "-notifier.blackhole",
                                                f"-remoteWrite.url={store.url}", f"-remoteRead.url={store.url}", f"-evaluationInterval={INTERVAL_S}s",
                                                f"-httpListenAddr=127.0.0.1:{port}", "-loggerLevel=ERROR"], port, "/health"))
        return measure(servers, servers[1].url, options.rounds)
    finally:
        for server in reversed(servers):
            server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=100000)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--peers", default=None)
    parser.add_argument("--alone", action="store_true", help="without the peers, for profiling")
    options = parser.parse_args()
    found = None if options.alone else bench.find_peers(options.peers)
    print(bench.heading("tests/bench/bench_rules.py " + " ".join(sys.argv[1:])))
    print("| | CPU-s a round | RSS MB | active alerts | x CPU | x RSS |\n|---|---|---|---|---|---|")
    ours = None
    runs = [("alertd", run_alertd)] + ([] if options.alone else [("Prometheus", run_prometheus), ("vmalert and VictoriaMetrics", run_vmalert)])
    for name, run in runs:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            rwload, _ = bench.tools(folder)
            used, memory, alerts = run(options, rwload, folder, write_rules(folder, options.rules), found)
        cpu, rss = sum(used), sum(memory)
        ours = ours or (cpu, rss)
        print(f"| {name} | {cpu:.2f} | {rss:.0f} | {alerts} | {cpu / ours[0]:.1f} | {rss / ours[1]:.1f} |", flush=True)
    print(f"\n{options.rules} rules, {options.series} series. " + (bench.versions(found) if found else ""))


if __name__ == "__main__":
    main()
