#!/usr/bin/env python3
"""Compares the host probe with Prometheus' node_exporter on this machine: names, labels, types, values.

usage: compare_node_exporter.py ALERT_AGENT [NODE_EXPORTER]

Both look at the same moment. Each series of the families the host probe has must exist on both
sides with the same labels and type, and its value must be near: counters and clocks move on
between the two looks. Exit status 0: no difference beyond those listed as known.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

PORT = 21901
LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
OURS_ONLY = {"job", "instance"}  # what a scrape would add to theirs

# family pattern -> why a difference is expected
KNOWN = [
    (r"node_scrape_collector_.*", "collectors differ: they have more, ours are the nineteen of the host probe"),
    (r"node_network_.*\{.*device=\"lo\".*", "1.5.0 leaves lo out of netdev (netlink); newer versions and we have it"),
    (r"node_filesystem_.*mountpoint=\"/(mnt|media|run)/.*", "Debian's build leaves these mount points out, upstream does not"),
    (r"node_time_seconds|node_boot_time_seconds", "clock"),
]
# what the two may disagree by, relative, because things happen between the looks
MOVES = re.compile(r"_total$|^node_(memory|load|filefd|procs|sockstat|netstat|vmstat|filesystem|nf_conntrack|disk_io_now|entropy|timex|pressure)")


def read(text):
    series, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            types[name] = kind
        found = LINE.match(line)
        if not found or line.startswith("#"):
            continue
        name, labels, value = found.groups()
        pairs = {k: v for k, v in PAIR.findall(labels or "") if k not in OURS_ONLY and v != ""}
        series[(name, tuple(sorted(pairs.items())))] = float(value)
    return series, types


def theirs(node_exporter):
    process = subprocess.Popen([node_exporter, f"--web.listen-address=127.0.0.1:{PORT}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5).read().decode()
            except OSError:
                time.sleep(0.05)
        raise SystemExit("node_exporter does not answer")
    finally:
        process.terminate()
        process.wait()


def ours(agent):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "agent.yml")
        with open(path, "w") as out:
            out.write("push: {url: 'http://127.0.0.1:1/'}\nprobes: [{name: host, kind: host}]\n")
        return subprocess.run([agent, "--config.file", path, "--once"], check=True, capture_output=True, text=True).stdout


def printed(key):
    name, labels = key
    return name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels) + "}" if labels else "")


def is_known(key):
    return any(re.fullmatch(pattern, printed(key)) for pattern, _ in KNOWN)


def near(name, a, b):
    if a == b:
        return True
    room = 0.25 if MOVES.search(name) else 0.0
    return abs(a - b) <= room * max(abs(a), abs(b)) + (200 if MOVES.search(name) else 0)


def main():
    agent = sys.argv[1]
    node_exporter = sys.argv[2] if len(sys.argv) > 2 else shutil.which("prometheus-node-exporter")
    if not node_exporter:
        print("skipped: prometheus-node-exporter is not installed")
        return 77
    they, their_types = read(theirs(node_exporter))
    we, our_types = read(ours(agent))
    families = {name for name, _ in we if name.startswith("node_")}
    known = differences = same = 0
    for key in sorted(set(we) | set(they)):
        if key[0] not in families:
            continue
        if is_known(key):
            known += 1
        elif key not in they:
            differences += 1
            print(f"only ours:   {printed(key)} {we[key]}")
        elif key not in we:
            differences += 1
            print(f"only theirs: {printed(key)} {they[key]}")
        elif our_types[key[0]] != their_types[key[0]]:
            differences += 1
            print(f"type:        {printed(key)} ours {our_types[key[0]]}, theirs {their_types[key[0]]}")
        elif not near(key[0], we[key], they[key]):
            differences += 1
            print(f"value:       {printed(key)} ours {we[key]}, theirs {they[key]}")
        else:
            same += 1
    missing = sorted({name for name, _ in they if name.startswith("node_")} - families)
    print(f"{len(families)} families, {same} series the same, {known} with known differences, {differences} different")
    print(f"families only node_exporter has ({len(missing)}): {' '.join(missing)}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
