#!/usr/bin/env python3
"""kill -9 while samples are pushed: alertd, Prometheus and VictoriaMetrics, how much of what was acknowledged is gone.

usage: bench_kill9.py [--kills=20] [--series=1000] [--rate=20000] [--longest=4] [--seed=1] [--peers=FOLDER] [--power-cut]

Each kill in a new folder: a start, pushing for half a second to --longest at the same rate, kill -9 in the midst of it, a start, a
count of every series against the generator's ledger. The moments are the same for all three. With --power-cut the folder is on
a disk whose power is cut before the kill (tests/lib/cut_disk.py).
"""

import argparse
import contextlib
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
from cut_disk import CutDisk, NoCutDisk


@contextlib.contextmanager
def place(options):
    """A folder for a server's data, one for what must survive, what is done to the disk before and behind a kill."""
    if options.power_cut:
        disk = CutDisk(1024)
        try:
            yield disk.mount, disk.beside, disk.cut, disk.power
        finally:
            disk.close()
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield folder, folder, lambda: None, lambda: None


def one_kill(name, found, rwload, options, after_s):
    """Samples acknowledged, missing; seconds until it is ready again."""
    with place(options) as (folder, beside, cut, power):
        server = bench_store.start(name, found, str(folder))
        load = subprocess.Popen([rwload, "-x", "-u", server.url + server.write, "-n", str(options.series), "-m", "2000", "-i", "15000",
                                 "-r", str(options.rate), "-a", f"{beside}/acked"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(after_s)
        cut()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        load.communicate()
        power()
        began = time.monotonic()
        server = bench_store.start(name, found, str(folder))
        ready_s = time.monotonic() - began
        done = subprocess.run([sys.executable, bench.SHARED / "rwverify.py", f"{beside}/acked", server.url], capture_output=True, text=True)
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
    parser.add_argument("--longest", type=float, default=4, help="seconds")
    parser.add_argument("--power-cut", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", default=None)
    options = parser.parse_args()
    found = bench.find_peers(options.peers)
    if options.power_cut:
        try:
            CutDisk().close()
        except NoCutDisk as no:
            bench.skip(str(no))
    print(bench.heading("tests/bench/bench_kill9.py " + " ".join(sys.argv[1:])))
    print("| | kills | of them with loss | acknowledged | missing | of it, % | ready, s |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bench-tools-") as folder:
        rwload, _ = bench.tools(folder)
        for name in ("alertd", "Prometheus", "VictoriaMetrics"):
            moments = random.Random(options.seed)
            kills = [one_kill(name, found, rwload, options, moments.uniform(0.5, options.longest)) for _ in range(options.kills)]
            acked, missing, ready_s = zip(*kills)
            print(f"| {name} | {len(kills)} | {sum(n > 0 for n in missing)} | {sum(acked)} | {sum(missing)} | {100 * sum(missing) / sum(acked):.1f} | "
                  f"{statistics.median(ready_s):.2f} |", flush=True)
    print("\n" + bench.versions(found))


if __name__ == "__main__":
    main()
