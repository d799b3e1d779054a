#!/usr/bin/env python3
"""The tuner beside those who answer a setting at a time: Prometheus by query_range, vmalert by replay.

usage: bench_tune.py [--series=1,100,1000] [--days=30] [--cells=3] [--peers=FOLDER] [--alone] [--promtool-series=1] [--keep=FOLDER]

Each gets the same samples (node_load1 of so many hosts, one every 15 s, from the shared folder's generator). Ours is `alertctl tune --store`
over the folder alertd leaves, its days sealed and compacted by store_year under a clock of its own, as the daemon does ten minutes after
their last sample: every threshold and `for` in one go (--grid=64x32), and the rule's own setting alone (`--alone`), the program's start and
the printing of all cells among them; seconds of the wall and of the processors. A cell of Prometheus is what a person does today: the rule's
expression by query_range over the whole time, in as few requests as its limit of points allows, the answers read and not looked into. A cell
of vmalert is a replay with the rule, its results written back to VictoriaMetrics. A cell of promtool is a unit test of the rule with the same
values as its series, for so few series as it gets through. Then: how many times each says the alert began to fire, and the truth, counted by
tune_fleet.c from the generator's own values.

Loading a thousand series takes many times longer than asking: with --keep what was loaded stays in that folder and is asked again.
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
GRID = "--grid=64x32"
RULE = """groups:
- name: bench
  interval: 15s
  rules:
  - alert: Busy
    expr: node_load1 > {threshold}
    for: 300s
"""


class Past:
    """The samples of so many series in each one's own folder; a folder that was loaded whole is taken as it is."""

    def __init__(self, options, folder, series):
        self.folder = (pathlib.Path(options.keep) if options.keep else folder) / f"{series}x{options.days}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.series, self.days, self.steps = series, options.days, options.days * 86400 // STEP_S
        end = self.folder / "end"
        if not end.exists():
            end.write_text(str(int(time.time()) // 3600 * 3600))
        self.to_s = int(end.read_text())
        self.start_s = self.to_s - self.steps * STEP_S
        self.from_s = self.start_s + 7200  # the warm-up is there for all
        self.rwload, _ = bench.tools(folder)
        self.fleet = f"{folder}/tune_fleet"
        subprocess.run(["gcc", "-O2", f"-I{bench.SHARED}", "-o", self.fleet, str(pathlib.Path(__file__).with_name("tune_fleet.c")), "-lm"], check=True)

    def load(self, server):
        mark = self.folder / f"loaded-{server.name}"
        if mark.exists():
            return False
        done = subprocess.run([self.rwload, "-u", server.url + server.write, "-n", str(self.series * 100), "-F", "58-58", "-m", str(self.steps),
                               "-i", str(STEP_S * 1000), "-s", str(self.start_s * 1000), "-t", "40", "-k", "1", "-b", "250"], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{server.name} refused the load: {done.stdout[-400:]} {done.stderr[-400:]}")
        if server.name == "VictoriaMetrics":
            bench.request("GET", server.url + "/internal/force_flush", timeout=60)
        mark.touch()
        return True

    def ask_fleet(self, what, series, *more):
        command = [self.fleet, what, series, self.steps, STEP_S, self.start_s, self.from_s, self.to_s, *more]
        return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def timed(command):
    started, before = time.monotonic(), os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stdout[-400:]} {done.stderr[-800:]}")
    after = os.times()
    return time.monotonic() - started, done.stdout, after.children_user + after.children_system - before.children_user - before.children_system


def ours(past, rules, *options):
    """Seconds, seconds of the processors, the result: of the quickest of three."""
    command = [ALERTCTL, "tune", str(rules), "--json", f"--store={past.folder}/alertd", f"--from={past.from_s}", f"--to={past.to_s}", *options]
    runs = [timed(command) for _ in range(3)]
    return min(run[0] for run in runs), min(run[2] for run in runs), json.loads(runs[0][1])


def query_range(server, expression, past):
    """The answers, a request's after the other's."""
    for begin in range(past.from_s, past.to_s + 1, POINTS * STEP_S):
        end = min(begin + (POINTS - 1) * STEP_S, past.to_s)
        query = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": STEP_S})
        yield bench.request("GET", f"{server.url}/api/v1/query_range?{query}", timeout=600)


def run_prometheus(options, found, past):
    server = bench.start_prometheus(found, past.folder)
    try:
        past.load(server)
        seconds = []
        for threshold in THRESHOLDS[:options.cells]:
            started = time.monotonic()
            for answer in query_range(server, f"node_load1 > {threshold}", past):
                if answer.status != 200:
                    raise SystemExit(f"Prometheus: {answer.status}")
            seconds.append(time.monotonic() - started)
        return min(seconds)
    finally:
        server.stop()


def count_written(server, past):
    """How often the alert began to fire, by the ALERTS that a replay wrote."""
    times = {}
    for answer in query_range(server, 'ALERTS{alertname="Busy",alertstate="firing"}', past):
        for series in answer.json["data"]["result"]:
            times.setdefault(json.dumps(series["metric"], sort_keys=True), []).extend(int(t) for t, _ in series["values"])
    return sum(1 + sum(after - before > STEP_S for before, after in zip(at, at[1:])) for at in times.values())


def run_vmalert(found, rules, past):
    server = bench.start_victoria(found, past.folder)
    try:
        past.load(server)
        seconds, _, _ = timed([str(found / "victoria-metrics/usr/bin/vmalert"), f"-rule={rules}", f"-datasource.url={server.url}", f"-remoteWrite.url={server.url}",
                            f"-replay.timeFrom={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(past.from_s))}",
                            f"-replay.timeTo={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(past.to_s))}", "-replay.disableProgressBar", "-loggerLevel=ERROR"])
        bench.request("GET", server.url + "/internal/force_flush", timeout=60)
        return seconds, count_written(server, past)
    finally:
        server.stop()


def run_promtool(options, found, rules, past):
    """A unit test of the rule over some of the series: that at the end it fires or not as it does. Seconds."""
    values = [line.split() for line in past.ask_fleet("values", min(past.series, options.promtool_series)).splitlines()]
    test = past.folder / "rules.test.yml"
    series = "".join(f"  - series: 'node_load1{{i=\"{i}\"}}'\n    values: '{' '.join(own)}'\n" for i, own in enumerate(values))
    expected = [i for i, own in enumerate(values) if all(float(value) > THRESHOLDS[0] for value in own[-FOR_S // STEP_S - 1:])]
    alerts = "".join(f"\n      - exp_labels: {{i: \"{i}\"}}" for i in expected) or " []"
    test.write_text(f"rule_files: [{rules}]\nevaluation_interval: {STEP_S}s\ntests:\n- interval: {STEP_S}s\n  input_series:\n{series}"
                    f"  alert_rule_test:\n  - eval_time: {(len(values[0]) - 1) * STEP_S}s\n    alertname: Busy\n    exp_alerts:{alerts}\n")
    seconds, _, _ = timed([str(found / "promtool/usr/bin/promtool"), "test", "rules", str(test)])
    return seconds


def fill(past):
    """alertd takes the samples and leaves them in its folder, its days sealed and compacted as when they are over."""
    server = bench.start_alertd(past.folder)
    try:
        is_new = past.load(server)
    finally:
        server.stop()
    if is_new:
        subprocess.run([BUILD / "tests/lib/store_year", "roll", past.folder / "alertd/samples", str(past.days), str(STEP_S), str((past.to_s // 86400 + 1) * 86400)],
                       check=True, capture_output=True)


def measure(options, found, series):
    row = {"series": series}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        past = Past(options, pathlib.Path(folder), series)
        rules = past.folder / "rules.yml"
        rules.write_text(RULE.format(threshold=THRESHOLDS[0]))
        fill(past)
        row["ours_s"], row["ours_cpu_s"], result = ours(past, rules, GRID)
        row["alone_s"], row["alone_cpu_s"], alone = ours(past, rules, "--alone")
        if alone["alerts"] != result["alerts"]:
            raise SystemExit("the setting alone fires otherwise")
        row["cells"], row["ours_alerts"] = len(result["cells"]), len(result["alerts"])
        row["truth"] = int(past.ask_fleet("count", series, THRESHOLDS[0], FOR_S))
        if found:
            row["prometheus_s"] = run_prometheus(options, found, past)
            row["vmalert_s"], row["vmalert_alerts"] = run_vmalert(found, rules, past)
            if series <= options.promtool_series:
                row["promtool_s"] = run_promtool(options, found, rules, past)
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
    parser.add_argument("--keep", default=None, help="a folder for what was loaded, asked again the next time")
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
        wrong |= row["truth"] != row["ours_alerts"]
    print(f"\n{options.days} days at {STEP_S} s. " + (bench.versions(found) if found else ""))
    if wrong:
        sys.exit("our alerts are not the truth's")


if __name__ == "__main__":
    main()
