"""A backtest is what live alerting did, to the evaluation: alertd under a fast clock, through a clean restart, a kill, reloads of its
rules, samples that arrive out of order; then the tuner over the folder it leaves.

What live alerting did is read from what it stored at each evaluation: ALERTS, and a recorded series that has a sample at each time
the group was evaluated (so the time that a restart took counts toward nothing in both).
"""

import json
import pathlib
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
from datetime import datetime

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import alertctl, until
from mixed_load import FastAlertd

SPEED = 10
AHEAD_S = 60
INTERVAL_S = 10
SOURCE = "live.yml"
SECONDS = 60  # as they go here
CLOCKS_MS = 60000
RULES = """groups:
- name: live
  interval: 10s
  rules:
  - record: live_evaluated
    expr: vector(1)
  - alert: Above
    expr: wave > 5
    for: 20s
  - alert: Kept
    expr: wave > 6
    for: 10s
    keep_firing_for: 30s
  - alert: AtOnce
    expr: max by (i) (wave) > 4 and on () vector(1) > 0
  - alert: Within
    expr: count(wave > 5) > 1
    for: 10s
"""
OTHER = """groups:
- name: other
  rules:
  - alert: Other{n}
    expr: wave > {n}
"""


class Waves:
    """Six series that go up and down at their own pace, one sample every 5 s of its time, each tenth one late. They come ahead of their
    time: what a busy machine pushes late would be in the past that is evaluated again, and was not there live."""

    def __init__(self, alertd):
        self.alertd, self.over = alertd, threading.Event()
        self.at_s, self.failed = int(alertd.now()), 0
        self.late = []

    def samples(self, at_s):
        for i in range(6):
            value = (at_s // (5 * (i + 2))) % 9
            yield f'wave{{i="{i}"}} {value} {at_s * 1000}'

    def push(self):
        now = int(self.alertd.now()) + AHEAD_S
        lines = []
        while self.at_s + 5 <= now:
            self.at_s += 5
            # one that comes late lies before another that is there already at each evaluation: no evaluation could have seen it
            is_late = self.at_s % 50 == 5
            (self.late if is_late else lines).extend(self.samples(self.at_s))
            if not is_late and self.at_s % 50 == 20:
                lines += self.late
                self.late = []
        if lines:
            self.alertd.push("\n".join(lines))

    def run(self):
        while not self.over.wait(0.05):
            try:
                self.push()
            except Exception:  # it is down: the samples of that time are lost, live as in the backtest
                self.failed += 1


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        (cls.folder / "rules.yml").write_text(RULES)
        cls.alertd = FastAlertd(SPEED, flags=["--storage.retention.time=0"])
        cls.alertd.start()
        cls.begin_s = int(cls.alertd.now())
        waves = Waves(cls.alertd)
        thread = threading.Thread(target=waves.run, daemon=True)
        thread.start()
        cls.alertd.import_rules(RULES, SOURCE)
        began = time.monotonic()
        cls.lives = []
        for n, what in enumerate((cls.alertd.stop, cls.alertd.kill, None)):
            until(lambda: time.monotonic() - began >= SECONDS * (n + 1) / 4, 60, "it lives")
            cls.alertd.import_rules(OTHER.replace("{n}", str(n)), "other.yml")  # the group beside is another one now
            cls.alertd.import_rules(RULES, SOURCE)
            if what:
                gone_s = cls.alertd.now()
                what()
                cls.alertd.start()
                cls.lives.append((gone_s - INTERVAL_S, cls.alertd.now() + 2 * INTERVAL_S))
        until(lambda: time.monotonic() - began >= SECONDS, 60, "it lives")
        waves.over.set()
        thread.join()
        cls.end_s = int(cls.alertd.now()) // INTERVAL_S * INTERVAL_S - 2 * INTERVAL_S
        cls.evaluated = {t for _, times in cls.stored('timestamp(live_evaluated) == time()') for t in times}
        cls.live = {rule: cls.transitions(rule) for rule in ("Above", "Kept", "AtOnce", "Within")}
        cls.alertd.stop()

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()
        cls.scratch.cleanup()

    @staticmethod
    def phase_s():
        """Where the group's evaluations lie between multiples of its interval (rule/phase.h)."""
        value = 14695981039346656037
        for text in (SOURCE, "live"):
            for byte in text.encode():
                value = (value ^ byte) * 1099511628211 % 2**64
            value = value * 1099511628211 % 2**64
        return value % (INTERVAL_S * 1000) / 1000

    @classmethod
    def stored(cls, expression):
        path = "/api/v1/query_range?" + urllib.parse.urlencode({"query": expression, "start": cls.begin_s // INTERVAL_S * INTERVAL_S + cls.phase_s(), "end": cls.end_s, "step": INTERVAL_S})
        return [(series["metric"], [round(t * 1000) for t, _ in series["values"]]) for series in cls.alertd.get(path)["data"]["result"]]

    @classmethod
    def transitions(cls, rule):
        """(labels, first evaluation at which it fires, first at which it does not): between evaluations nothing is known."""
        found = []
        steps = sorted(cls.evaluated)
        for labels, times in cls.stored(f'timestamp(ALERTS{{alertname="{rule}",alertstate="firing"}}) == time()'):
            own = tuple(sorted((k, v) for k, v in labels.items() if k not in ("__name__", "alertname", "alertstate")))
            fires, fired = set(times), None
            for t in steps:
                if t in fires and fired is None:
                    fired = t
                elif t not in fires and fired is not None:
                    found.append((own, fired, t))
                    fired = None
            if fired is not None:
                found.append((own, fired, None))
        return sorted(found)

    def backtest(self, rule):
        from_s = self.begin_s + 60
        done = alertctl("tune", self.folder / "rules.yml", "--json", f"--rule={rule}", f"--from={from_s}", f"--to={self.end_s}", f"--store={self.alertd.folder}",
                        "--evaluated=timestamp(live_evaluated) == time()", f"--source={SOURCE}")
        result = json.loads(done.stdout)

        def at(text):
            return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000) if text else None

        alerts = [(tuple(sorted(alert["labels"].items())), at(alert["fired_at"]), at(alert["resolved_at"])) for alert in result["alerts"]]
        return from_s, sorted(alerts)

    def gaps(self):
        """Where alertd ran and missed an evaluation, being too slow on this machine: that time counts live and in no backtest."""
        steps = sorted(self.evaluated)
        return [(before, after) for before, after in zip(steps, steps[1:]) if after - before > INTERVAL_S * 1000
                and not any(gone <= after / 1000 and before / 1000 <= back for gone, back in self.lives)]

    @staticmethod
    def is_clear_of(gaps, alert):
        """No clock of it (`for`, keep_firing_for: at most 30 s) ran across a gap."""
        _, fired, resolved = alert
        return not any(fired <= after + CLOCKS_MS and (resolved is None or resolved >= before) for before, after in gaps)

    def test_the_backtest_is_what_live_alerting_did(self):
        self.assertGreater(len(self.evaluated), SECONDS * SPEED / INTERVAL_S / 2)
        missed = (max(self.evaluated) - min(self.evaluated)) // (INTERVAL_S * 1000) + 1 - len(self.evaluated)
        gaps = self.gaps()
        n = 0
        for rule, live in self.live.items():
            with self.subTest(rule):
                from_s, alerts = self.backtest(rule)
                # one that is still there at the end may have been cut by it
                told = [alert for alert in live if alert[1] >= from_s * 1000 and self.is_clear_of(gaps, alert)]
                self.assertEqual(told, [alert for alert in alerts if self.is_clear_of(gaps, alert)])
                n += len(told)
        self.assertGreater(n, 20, f"{len(gaps)} gaps: too little was lived to say anything")
        print(f"{n} alerts over {len(self.evaluated)} evaluations, {missed} missed, {len(gaps)} of them while it ran", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
