#!/usr/bin/env python3
"""kill -9 while samples are pushed: alertd, Prometheus and VictoriaMetrics, how much of what was acknowledged is gone.

usage: bench_kill9.py [--kills=20] [--series=1000] [--rate=20000] [--seed=1] [--peers=FOLDER]

Each kill in a new folder: a start, pushing for 0.5 to 4 s at the same rate, kill -9 in the midst of it, a start, a count of every
series against the generator's ledger. The moments are the same for all three.
"""

import argparse
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import bench_store
import peers as bench


def one_kill(name, found, rwload, options, after_s):
    """Samples acknowledged, missing; seconds until it is ready again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = bench_store.start(name, found, folder)
        load = subprocess.Popen([rwload, "-x", "-u", server.url + server.write, "-n", str(options.series), "-m", "2000", "-i", "15000",
                                 "-r", str(options.rate), "-a", f"{folder}/acked"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(after_s)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        load.communicate()
        began = time.monotonic()
        server = bench_store.start(name, found, folder)
        ready_s = time.monotonic() - began
        done = subprocess.run([sys.executable, bench.SHARED / "rwverify.py", f"{folder}/acked", server.url], capture_output=True, text=True)
        server.stop()
    told = dict(re.findall(r"(\w+)=(\d+)", done.stdout))
    if "acked" not in told:
        raise SystemExit(f"{name}: cannot be counted: {done.stdout[-300:]}{done.stderr[-300:]}")
    return int(told["acked"]), int(told["missing"]), ready_s


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=20000, help="samples a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", default=None)
    options = parser.parse_args()
    found = bench.find_peers(options.peers)
    print(bench.heading("tests/bench/bench_kill9.py " + " ".join(sys.argv[1:])))
    print("| | kills | of them with loss | acknowledged | missing | of it, % | ready, s |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bench-tools-") as folder:
        rwload, _ = bench.tools(folder)
        for name in ("alertd", "Prometheus", "VictoriaMetrics"):
            moments = random.Random(options.seed)
            kills = [one_kill(name, found, rwload, options, moments.uniform(0.5, 4)) for _ in range(options.kills)]
            acked, missing, ready_s = zip(*kills)
            print(f"| {name} | {len(kills)} | {sum(n > 0 for n in missing)} | {sum(acked)} | {sum(missing)} | {100 * sum(missing) / sum(acked):.1f} | "
                  f"{statistics.median(ready_s):.2f} |", flush=True)
    print("\n" + bench.versions(found))


if __name__ == "__main__":
    main()
