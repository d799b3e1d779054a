"""alertd is killed while an alert is pending, fires, and is kept firing: its state and the moment it fires are what
they were to be, later by as long as nobody evaluated, whatever its `for`. And killed while what it watches is away:
what fires goes on, nobody is paged that agents have fallen silent, and the end is told when it is seen.
"""

import itertools
import pathlib
import sqlite3
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, until
from mixed_load import FastAlertd
from receivers import Webhook

CONFIG = """
receivers:
  - {{name: team, webhook_configs: [{{url: '{hook}'}}]}}
route: {{receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 10000h}}
"""

RULES = """
groups:
  - name: lives
    interval: {interval}s
    rules:
      - alert: Life
        expr: vector(1) and on() (vector(time()) >= {begin}) and on() (vector(time()) < {end})
        for: {for_s}s
        keep_firing_for: {for_s}s
"""

# `for` in s, how many times as fast, the group's interval: each wait takes about ten seconds. Twelve hours of 240 s take
# a slot every 55 ms: evaluations come late by many of them, as on a machine that has too much to do.
LIVES = [(20, 2, 1), (300, 30, 10), (43200, 4320, 1440), (43200, 4320, 240)]


class Life:
    """One alert through a whole life with three kills, each with two seconds of nobody."""

    def __init__(self, for_s, speed, interval):
        self.for_s, self.speed, self.interval = for_s, speed, interval
        self.down, self.words, self.told = [], None, []
        self.starts_s = 0  # how long it took from a start to an evaluation: alertd was there, and did not look yet

    def read(self, query):
        base = sqlite3.connect(f"file:{self.alertd.folder}/state.db?mode=ro", uri=True)
        try:
            return base.execute(query).fetchall()
        finally:
            base.close()

    def row(self):
        rows = self.read("SELECT state, active_ms, fired_ms, keep_firing_since_ms FROM alert")
        return rows[0] if rows else (None,) * 4

    def evaluated(self):
        return self.read("SELECT last_evaluation_ms FROM rule")[0][0] / 1000

    def kill(self):
        """Returns its state before and after. It was down from the last evaluation that is stored to the next."""
        before = self.row()[0]
        self.alertd.kill()
        began = self.evaluated()
        time.sleep(2)
        started = time.monotonic()
        self.alertd.start()
        after = self.row()[0]
        until(lambda: self.evaluated() > began, 60, "an evaluation")
        self.starts_s += time.monotonic() - started
        self.down.append(self.evaluated() - began)
        return before, after

    def until_waited(self, part):
        """Until it is pending for so much of its `for`, if nobody was away."""
        until(lambda: self.row()[0] == "pending", 60, "pending")
        active_s = self.row()[1] / 1000
        until(lambda: self.alertd.now() - active_s >= part * self.for_s, 60, "it waits")

    def live(self, hook):
        now = self.alertd.now()
        begin, end = now + 2 * self.interval, now + 2 * self.interval + 4 * self.for_s
        self.alertd.import_rules(RULES.format(interval=self.interval, begin=begin, end=end, for_s=self.for_s))
        until(lambda: self.row()[0] == "pending", 60, "pending")
        first_s = self.row()[1] / 1000
        self.pending = []
        for part in (0.3, 0.6):
            self.until_waited(part)
            self.pending.append(self.kill())
        until(lambda: self.row()[0] == "firing", 120, "it fires")
        self.fired_after = self.row()[2] / 1000 - first_s
        self.down_pending, self.starts_pending = sum(self.down), self.starts_s * self.speed
        fired_ms = self.row()[2]
        self.firing = self.kill()
        self.same_moment = self.row()[2] == fired_ms
        until(lambda: self.row()[3] is not None, 120, "it is kept firing")
        self.kept = self.kill()
        until(lambda: hook.calls and hook.calls[-1]["body"]["status"] == "resolved", 120, "its end is told")
        # a page that was out when alertd was killed comes again, under the same key
        self.told = list({call["headers"]["Idempotency-Key"]: call["body"]["status"] for call in hook.calls}.values())

    def run(self):
        try:
            with Webhook() as hook, FastAlertd(self.speed, config=CONFIG.format(hook=hook.url)) as self.alertd:
                self.live(hook)
        except Exception as error:
            self.words = f"{type(error).__name__}: {error}"


class Restarts(unittest.TestCase):
    def test_a_life_in_spite_of_kills(self):
        lives = [Life(*one) for one in LIVES]
        threads = [threading.Thread(target=one.run) for one in lives]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in lives:
            with self.subTest(for_s=one.for_s):
                self.assertIsNone(one.words)
                self.assertEqual(one.pending, [("pending", "pending")] * 2)
                self.assertEqual(one.firing, ("firing", "firing"))
                self.assertTrue(one.same_moment, "it fired again")
                self.assertEqual(one.kept, ("firing", "firing"))
                self.assertEqual(one.told, ["firing", "resolved"])
                # neither anew, nor as if somebody had looked all the while
                waited, steps = one.fired_after - one.down_pending, 8 * one.interval + one.starts_pending + one.speed  # a second of looking
                self.assertGreater(waited, one.for_s - steps)
                self.assertLess(waited, 1.25 * one.for_s + steps)

    def test_what_it_watches_is_not_back_yet(self):
        """Ten minutes, in which samples have grown too old to be seen and agents are silent: it has just started."""
        rules = "groups:\n  - {name: t, interval: 5s, rules: [{alert: Trouble, expr: trouble == 1}, {alert: Gone, expr: up == 0}]}\n"
        with Webhook() as hook, FastAlertd(60, config=CONFIG.format(hook=hook.url)) as alertd:
            alertd.import_rules((ROOT / "rules/alertd/alerts.yml").read_text(), "alertd.yml")
            alertd.import_rules(rules)

            def push(value):
                now_ms = round(alertd.now() * 1000)
                for n in range(10):
                    headers = {"Content-Type": "text/plain", "X-Watchbill-Agent": f"a{n}", "X-Watchbill-Interval": "15000"}
                    reply = alertd.call("POST", "/api/v1/import/prometheus", f'trouble{{n="{n}"}} {value} {now_ms}\n', headers)
                    self.assertEqual(reply.status, 204, reply)

            def troubles():
                return [call["body"] for call in hook.calls if call["body"]["groupLabels"]["alertname"] == "Trouble"]

            push(1)
            until(lambda: troubles() and len(troubles()[-1]["alerts"]) == 10, 30, "ten troubles")
            # what was told and is not noted yet is told again behind a kill: that is not what is tested
            until(lambda: all(one["state"] == "sent" for one in alertd.get("/api/alertd/v1/deliveries")["deliveries"]), 30, "and it is noted")
            told = len(troubles())
            alertd.kill()
            alertd.start()
            began = alertd.now()
            while alertd.now() < began + 600:
                alerts = alertd.get("/api/v1/alerts")["data"]["alerts"]
                states = {one["labels"]["alertname"]: one["state"] for one in alerts}
                of_agents = {name: state for name, state in states.items() if not name.startswith("Alertd")}  # a busy machine has others
                self.assertEqual(of_agents, {"Trouble": "firing"})
                time.sleep(0.2)
            self.assertEqual(alertd.query("trouble"), {}, "the samples can still be seen: nothing is tested")
            push(1)
            time.sleep(1)
            self.assertEqual(len(troubles()), told)
            push(0)
            until(lambda: troubles()[-1]["status"] == "resolved", 30, "the end")
            # on a busy machine one after the other ends; none begins anew
            fire = [{one["labels"]["n"] for one in body["alerts"] if one["status"] == "firing"} for body in troubles()[told - 1:]]
            self.assertEqual((len(fire[0]), fire[-1]), (10, set()))
            self.assertTrue(all(later < before for before, later in itertools.pairwise(fire)), fire)


if __name__ == "__main__":
    unittest.main(verbosity=2)
