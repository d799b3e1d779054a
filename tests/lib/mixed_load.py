"""Everything at once, done to an alertd whose days pass in minutes: agents push, rules are evaluated and change, people ask,
acknowledge, watch streams and make backups, while days are sealed, compacted and go.

    with FastAlertd(speed=500, flags=[...]) as alertd:
        load = Load(alertd, n_agents=2, n_series=10000, seconds=60)
        load.start(); ...; load.stop()
        load.missing(day)       # words about what was acknowledged and is not there, hour by hour
"""

import collections
import contextlib
import http.client
import itertools
import os
import pathlib
import shutil
import subprocess
import threading
import time
import urllib.parse

from daemon import BUILD, Alertd

DAY_S = 86400
OURS = "/api/alertd/v1"

CONFIG = """
receivers:
  - name: team
    webhook_configs:
      - url: {hook}
route:
  receiver: team
  group_by: [alertname, agent]
  group_wait: 0s
  group_interval: 10m
"""

# `{n}` is another number each time they change.
RULES = """
groups:
  - name: recorded
    interval: 10m
    rules:
      - record: agent:soak_requests:rate1h
        expr: sum by (agent) (rate(soak_requests_total[1h]))
      - record: agent:soak_degrees:max
        expr: max by (agent) (max_over_time(soak_degrees[30m]))
  - name: alerts
    interval: 10m
    rules:
      - alert: Always
        expr: count by (agent) (soak_queue) > 0
        for: 20m
      - alert: Sometimes
        expr: hour() % 4 < 2 and on() (count(soak_queue) > {n})
      - alert: Hot
        expr: soak_degrees{{i=~".*{n}2"}} > 102
        keep_firing_for: 30m
  - name: changing {n}
    interval: 15m
    rules:
      - alert: Changing
        expr: sum by (agent) (soak_part) > {n}
"""

QUERIES = [
    "count(soak_queue)", "sum by (agent) (rate(soak_requests_total[30m]))", "topk(5, soak_degrees)",
    "agent:soak_requests:rate1h", "quantile(0.9, soak_part)", "ALERTS", "count_over_time(up[6h])",
    "sum(soak_requests_total offset 1d)", "max_over_time(soak_queue{i=~\"1.\"}[3h])"]

# What an hour is compared by.
COLUMNS = {"samples": "sum(count_over_time({job=\"soak\",__name__=~\"soak_.+\"}[1h]))", "counters": "sum(count_over_time(soak_requests_total[1h]))",
           "sum": "sum(sum_over_time(soak_requests_total[1h]))"}


class FastAlertd(Alertd):
    """Its wall clock starts at a midnight and goes `speed` times as fast."""

    def __init__(self, speed, flags=(), **options):
        # its canary would fly as much faster, hundreds of times a second
        super().__init__(auth="off", flags=[f"--canary.interval={30 * speed}s", *flags], **options)
        self.speed, self.from_s = speed, int(time.time())
        self.to_s = (self.from_s // DAY_S + 1) * DAY_S

    def now(self):
        return self.to_s + (time.time() - self.from_s) * self.speed

    def environment(self):
        return {"LD_PRELOAD": str(BUILD / "tests/fault/fast_clock.so"), "FAST_CLOCK": f"{self.from_s * 1000} {self.to_s * 1000} {self.speed}"}

    def command(self):
        return ["env", *(f"{name}={value}" for name, value in self.environment().items()), *super().command()]

    def samples_days(self):
        return sorted(path.name[:10] for path in (self.folder / "samples").glob("*.db"))

    def disk_bytes(self):
        n = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a day that just went
                n += path.stat().st_blocks * 512
        return n


class Load:
    """soak_load and the people. What goes wrong with any of them is in `wrong`."""

    def __init__(self, alertd, n_agents, n_series, seconds, pause_s=0.25):
        self.alertd, self.n_agents, self.seconds, self.pause_s = alertd, n_agents, seconds, pause_s
        self.command = [BUILD / "tests/fault/soak_load", str(alertd.port), str(n_agents), str(n_series), str(seconds)]
        self.hours = collections.defaultdict(collections.Counter)  # hour in s -> what -> of all agents
        self.done_s = {}  # agent -> hour in s it was the last to be done with
        self.acked, self.skipped, self.peak, self.step_s = 0, 0, 0, 0
        self.wrong, self.counts, self.over = [], collections.Counter(), threading.Event()
        self.process, self.threads = None, []

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, env={**os.environ, **self.alertd.environment()})
        parts = [self.read_ledger, *(self.until_over(part) for part in (self.ask, self.change_rules, self.acknowledge, self.back_up))]
        self.threads = [threading.Thread(target=part, daemon=True) for part in [*parts, self.watch, self.watch]]
        for thread in self.threads:
            thread.start()

    def running(self):
        return self.process.poll() is None

    def stop(self):
        """After soak_load has ended by itself."""
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.wrong.append(f"{thread.name} hangs")
        self.process.stdout.close()
        if self.process.wait() != 0:
            self.wrong.append(f"soak_load ended with {self.process.returncode}")

    def read_ledger(self):
        for line in self.process.stdout:
            word, *numbers = line.split()
            numbers = [int(n) for n in numbers]
            if word == "peak":
                self.peak, self.step_s = numbers[0], numbers[1] / 1000
            elif word == "acked":
                self.acked, self.skipped = numbers
            else:
                self.hours[numbers[1] // 1000].update(dict(zip(COLUMNS, numbers[2:])))
                self.done_s[numbers[0]] = numbers[1] // 1000

    # --- people ---

    def until_over(self, step):
        """One person who does it again and again."""
        def person():
            for number in itertools.count():
                try:
                    pause_s = step(number)
                except Exception as error:  # whatever it is, the test has to say so
                    self.wrong.append(f"{step.__name__}: {type(error).__name__}: {error}"[:500])
                    pause_s = 1
                if self.over.wait(pause_s or self.pause_s):
                    return
        return person

    def ask(self, number):
        now = self.alertd.now()
        query = QUERIES[number % len(QUERIES)]
        spans = {"start": now - (6 * 3600 if number % 16 else DAY_S), "end": now, "step": 600}
        calls = [("query", {"query": query, "time": now}), ("query_range", {"query": query, **spans}),
                 ("series", {"match[]": "soak_queue{i=~\"1.\"}", "start": now - 7200, "end": now}), ("label/pod/values", {"start": now - 7200, "end": now}),
                 ("rules", {}), ("alerts", {})]
        path, parameters = calls[number % len(calls)]
        self.alertd.get(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=60)
        if number % 7 == 0:
            self.alertd.get(f"{OURS}/overview", timeout=60)
            self.alertd.get("/api/v1/labels", timeout=60)
        self.counts["answers"] += 1

    def change_rules(self, number):
        self.alertd.import_rules(RULES.format(n=number % 10), source="soak.yml")
        self.counts["rule files"] += 1
        return max(self.pause_s * 12, 2)

    def acknowledge(self, number):
        for one in self.alertd.get(f"{OURS}/incidents?status=open&limit=20", timeout=60)["incidents"]:
            if one["status"] == "triggered":
                # it may have been resolved meanwhile
                self.alertd.call("POST", f"{OURS}/incidents/{one['key']}/{'ack' if number % 3 else 'notes'}", {"text": "looking"} if number % 3 == 0 else {}, timeout=60)
                self.counts["acknowledged"] += 1
        return self.pause_s * 4

    def back_up(self, number):
        folder = self.alertd.folder.parent / f"{self.alertd.folder.name}.backup-{number}"
        try:
            files = self.alertd.post(f"{OURS}/backup", {"folder": str(folder)}, timeout=120)["files"]
            if number % 4 == 0 and not files:
                self.wrong.append("an empty backup")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.counts["backups"] += 1
        return max(self.seconds / 20, 2)

    def watch(self):
        """An event stream, a new one now and then."""
        while not self.over.is_set():
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.alertd.port, timeout=30)) as connection:
                try:
                    connection.request("GET", f"{OURS}/events")
                    reply = connection.getresponse()
                    for _ in range(40):
                        if self.over.is_set() or not reply.readline():
                            break
                        self.counts["event lines"] += 1
                except (OSError, http.client.HTTPException) as error:
                    if not self.over.is_set():
                        self.wrong.append(f"stream: {error}")
                        self.over.wait(1)

    # --- the ledger ---

    def days(self):
        return sorted({hour_s - hour_s % DAY_S for hour_s in list(self.hours)})

    def is_done(self, day_s):
        """All agents are in the next day."""
        return len(self.done_s) == self.n_agents and min(self.done_s.values()) >= day_s + DAY_S

    def stored_of(self, hour_s):
        at = hour_s + 3600 - 0.001
        return {what: int(self.alertd.query(query, at=at).get((), 0)) for what, query in COLUMNS.items()}

    def missing(self, day_s):
        """Words for each hour of a day that is not as it was acknowledged."""
        words = []
        for hour_s in range(day_s, day_s + DAY_S, 3600):
            acked, stored = {what: self.hours[hour_s][what] for what in COLUMNS}, self.stored_of(hour_s)
            if acked != stored:
                words.append(f"{time.strftime('%Y-%m-%dT%H', time.gmtime(hour_s))}: acknowledged {acked}, stored {stored}, once more {self.stored_of(hour_s)}")
        return words


def day_text(day_s):
    return time.strftime("%Y-%m-%d", time.gmtime(day_s))


def errors_of(log):
    return [line for line in log.splitlines() if "level=error" in line]


def process_numbers(pid):
    """Resident MB, threads, files that are no sockets."""
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    files = 0
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            files += not os.readlink(path).startswith("socket:")
    return int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]), files
