#!/usr/bin/env python3
"""The tuner beside those who answer a setting at a time: Prometheus by query_range, vmalert by replay.

usage: bench_tune.py [--series=1,100,1000] [--days=30] [--cells=3] [--peers=FOLDER] [--alone] [--promtool-series=1]

Each gets the same samples (node_load1 of so many hosts, one every 15 s, from the shared folder's generator). Ours is `alertctl tune --store`
over the folder alertd leaves, its days sealed and compacted by store_year under a clock of its own, as the daemon does ten minutes after
their last sample: every threshold and `for` in one go, and the rule's own setting alone (`--alone`), the program's start and the printing
of all cells among them; seconds of the wall and of the processors. A cell of Prometheus is what a person does today: the rule's expression by query_range over
the whole time, in as few requests as its limit of points allows. A cell of vmalert is a replay with the rule, its results
written back to VictoriaMetrics. A cell of promtool is a unit test of the rule with the same values as its series, for so few series as it
gets through. Then: how many times each says the alert began to fire, and the truth, counted here from the samples' own values.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

import peers as bench
from daemon import ALERTCTL, BUILD

STEP_S = 15
POINTS = 11000  # a request of Prometheus
FOR_S = 300
THRESHOLDS = (2.6, 2.4, 2.8)
RULE = """groups:
- name: bench
  interval: 15s
  rules:
  - alert: Busy
    expr: node_load1 > {threshold}
    for: 300s
"""


def load(rwload, server, series, steps, end_s):
    done = subprocess.run([rwload, "-u", server.url + server.write, "-n", str(series * 100), "-F", "58-58", "-m", str(steps), "-i", str(STEP_S * 1000),
                           "-s", str((end_s - steps * STEP_S) * 1000), "-t", "20", "-k", "1"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{server.name} refused the load: {done.stdout[-400:]} {done.stderr[-400:]}")
    if server.name == "VictoriaMetrics":
        bench.request("GET", server.url + "/internal/force_flush", timeout=60)


def timed(command):
    started, before = time.monotonic(), os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stdout[-400:]} {done.stderr[-800:]}")
    after = os.times()
    return time.monotonic() - started, done.stdout, after.children_user + after.children_system - before.children_user - before.children_system


def ours(folder, rules, from_s, to_s, *options):
    """Seconds, seconds of the processors, the result: of the quickest of three."""
    command = [ALERTCTL, "tune", str(rules), "--json", f"--store={folder}/alertd", f"--from={from_s}", f"--to={to_s}", *options]
    runs = [timed(command) for _ in range(3)]
    return min(run[0] for run in runs), min(run[2] for run in runs), json.loads(runs[0][1])


def pieces(from_s, to_s):
    for at in range(from_s, to_s + 1, POINTS * STEP_S):
        yield at, min(at + (POINTS - 1) * STEP_S, to_s)


def query_range(server, expression, from_s, to_s):
    """Series -> the steps at which it has a value, and the values."""
    found = {}
    for begin, end in pieces(from_s, to_s):
        query = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": STEP_S})
        for series in bench.request("GET", f"{server.url}/api/v1/query_range?{query}", timeout=600).json["data"]["result"]:
            found.setdefault(json.dumps(series["metric"], sort_keys=True), []).extend((int(t), float(v)) for t, v in series["values"])
    return found


def count_fired(found, threshold, first_s):
    """The state machine, once more, in its plainest words."""
    n = 0
    for points in found.values():
        since = last = None
        fires = False
        for t, value in points:
            if value <= threshold or (last is not None and t - last > STEP_S):
                since, fires = None, False
            last = t
            if value > threshold:
                since = t if since is None else since
                if not fires and t - since >= FOR_S:
                    fires = True
                    n += t >= first_s
    return n


def run_prometheus(options, rwload, folder, found, series, steps, span):
    from_s, to_s = span
    server = bench.start_prometheus(found, folder)
    try:
        load(rwload, server, series, steps, to_s)
        seconds = []
        for threshold in THRESHOLDS[:options.cells]:
            started = time.monotonic()
            query_range(server, f"node_load1 > {threshold}", from_s, to_s)
            seconds.append(time.monotonic() - started)
        values = query_range(server, "node_load1", from_s - 2 * FOR_S, to_s)
        return min(seconds), count_fired(values, THRESHOLDS[0], from_s), values
    finally:
        server.stop()


def count_written(server, from_s, to_s):
    """How often the alert began to fire, by the ALERTS that a replay wrote."""
    n = 0
    for points in query_range(server, 'ALERTS{alertname="Busy",alertstate="firing"}', from_s, to_s).values():
        last = None
        for t, _ in points:
            n += last is None or t - last > STEP_S
            last = t
    return n


def run_vmalert(options, rwload, folder, found, rules, series, steps, span):
    from_s, to_s = span
    server = bench.start_victoria(found, folder)
    try:
        load(rwload, server, series, steps, to_s)
        seconds, _, _ = timed([str(found / "victoria-metrics/usr/bin/vmalert"), f"-rule={rules}", f"-datasource.url={server.url}", f"-remoteWrite.url={server.url}",
                            f"-replay.timeFrom={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(from_s))}",
                            f"-replay.timeTo={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(to_s))}", "-replay.disableProgressBar", "-loggerLevel=ERROR"])
        bench.request("GET", server.url + "/internal/force_flush", timeout=60)
        return seconds, count_written(server, from_s, to_s)
    finally:
        server.stop()


def run_promtool(found, folder, rules, values, to_s):
    """A unit test of the rule: its series, and that at the end it fires or not as it does. Seconds."""
    first_s = to_s - (len(next(iter(values.values()))) - 1) * STEP_S
    end = f"{(to_s - first_s)}s"
    test = pathlib.Path(folder) / "rules.test.yml"
    series = "".join(f"  - series: 'node_load1{{i=\"{i}\"}}'\n    values: '{' '.join(str(value) for _, value in points)}'\n" for i, points in enumerate(values.values()))
    expected = [i for i, points in enumerate(values.values()) if all(value > THRESHOLDS[0] for _, value in points[-FOR_S // STEP_S - 1:])]
    alerts = "".join(f"\n      - exp_labels: {{i: \"{i}\"}}" for i in expected) or " []"
    test.write_text(f"rule_files: [{rules}]\nevaluation_interval: {STEP_S}s\ntests:\n- interval: {STEP_S}s\n  input_series:\n{series}"
                    f"  alert_rule_test:\n  - eval_time: {end}\n    alertname: Busy\n    exp_alerts:{alerts}\n")
    seconds, _, _ = timed([str(found / "promtool/usr/bin/promtool"), "test", "rules", str(test)])
    return seconds


def seal(folder, days, to_s):
    samples = pathlib.Path(folder) / "alertd/samples"
    subprocess.run([BUILD / "tests/lib/store_year", "roll", samples, str(days), str(STEP_S), str((to_s // 86400 + 1) * 86400)], check=True, capture_output=True)


def fill(rwload, folder, series, steps, to_s):
    """alertd takes the samples and leaves them in its folder, as they lie on disk."""
    server = bench.start_alertd(folder)
    try:
        load(rwload, server, series, steps, to_s)
    finally:
        server.stop()


def measure(options, found, series):
    to_s = int(time.time()) // 3600 * 3600
    steps = options.days * 86400 // STEP_S
    from_s = to_s - steps * STEP_S + 7200  # the warm-up is there for all
    row = {"series": series}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rwload, _ = bench.tools(folder)
        rules = pathlib.Path(folder) / "rules.yml"
        rules.write_text(RULE.format(threshold=THRESHOLDS[0]))
        fill(rwload, folder, series, steps, to_s)
        seal(folder, options.days, to_s)
        row["ours_s"], row["ours_cpu_s"], result = ours(folder, rules, from_s, to_s)
        row["alone_s"], row["alone_cpu_s"], alone = ours(folder, rules, from_s, to_s, "--alone")
        if len(alone["alerts"]) != len(result["alerts"]):
            raise SystemExit("the setting alone fires otherwise")
        row["cells"], row["ours_alerts"] = len(result["cells"]), len(result["alerts"])
        if found:
            row["prometheus_s"], row["truth"], values = run_prometheus(options, rwload, folder, found, series, steps, (from_s, to_s))
            if series <= options.promtool_series:
                row["promtool_s"] = run_promtool(found, folder, rules, values, to_s)
            row["vmalert_s"], row["vmalert_alerts"] = run_vmalert(options, rwload, folder, found, rules, series, steps, (from_s, to_s))
    return row


def say(row):
    per_cell = row["ours_s"] / row["cells"]
    words = [f"{row['series']:,}", f"{row['alone_s']:.2f} ({row['alone_cpu_s']:.2f})", f"{row['ours_s']:.2f} ({row['ours_cpu_s']:.2f})", str(row["cells"]),
             f"{per_cell * 1000:.2f}"]
    for name in ("prometheus", "vmalert", "promtool"):
        if f"{name}_s" in row:
            words += [f"{row[f'{name}_s']:.2f}", f"{row[f'{name}_s'] / per_cell:.0f}"]
        else:
            words += ["", ""]
    words += [str(row.get(name, "")) for name in ("ours_alerts", "truth", "vmalert_alerts")]
    print("| " + " | ".join(words) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", default="1,100,1000")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--cells", type=int, default=3, help="of Prometheus, the quickest counts")
    parser.add_argument("--peers", default=None)
    parser.add_argument("--promtool-series", type=int, default=1, help="promtool is asked for no more series than that")
    parser.add_argument("--alone", action="store_true", help="without the peers, for profiling")
    options = parser.parse_args()
    found = None if options.alone else bench.find_peers(options.peers)
    print(bench.heading("tests/bench/bench_tune.py " + " ".join(sys.argv[1:])))
    print("| series | ours, one setting: s (CPU) | ours, all cells: s (CPU) | cells | ours a cell: ms | Prometheus a cell: s | x | vmalert a cell: s | x"
          " | promtool a cell: s | x | alerts: ours | truth | vmalert |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    wrong = False
    for series in options.series.split(","):
        row = measure(options, found, int(series))
        say(row)
        wrong |= row.get("truth", row["ours_alerts"]) != row["ours_alerts"]
    print(f"\n{options.days} days at {STEP_S} s. " + (bench.versions(found) if found else ""))
    if wrong:
        sys.exit("our alerts are not the truth's")


if __name__ == "__main__":
    main()
