"""Time goes wrong: alertd's clock jumps an hour ahead and back, keeps being set back, the process stands still, an
agent's clock is two hours ahead. Nothing fires, ends or is paged for it, what waits goes on waiting, and it is told.
"""

import json
import mmap
import os
import pathlib
import signal
import struct
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, ROOT, Alertd, until
from receivers import Webhook

OURS = "/api/alertd/v1"
N_AGENTS, N_TROUBLES = 5, 10

RULES = """
groups:
  - name: fault
    interval: 1s
    rules:
      - {alert: Trouble, expr: trouble == 1}
      - {alert: Slow, expr: trouble == 1, for: 30m}
      - {alert: Held, expr: vector(1), for: 10m}
      - {alert: Later, expr: later == 1, for: 45s}
"""

LATE = """
groups:
  - {name: late, interval: 1s, rules: [{alert: Late, expr: vector(1), for: 20s}]}
"""

COUNTED = """
groups:
  - {name: counted, interval: 1s, rules: [{alert: Counted, expr: vector(1), for: 15m}]}
"""

CONFIG = """
receivers:
  - {{name: team, webhook_configs: [{{url: '{hook}'}}]}}
route: {{receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
"""


class SetAlertd(Alertd):
    """An alertd whose clock can be set while it runs."""

    def __init__(self, **options):
        super().__init__(**options)
        self.set_file = tempfile.TemporaryFile(prefix="watchbill-clock-")
        self.set_file.write(bytes(24))
        self.set_file.flush()
        self.set_map = mmap.mmap(self.set_file.fileno(), 24)
        self.ahead_s = 0

    def command(self):
        return ["env", f"LD_PRELOAD={BUILD / 'tests/fault/fast_clock.so'}", f"CLOCK_SET=/proc/{self.owner}/fd/{self.set_file.fileno()}",
                *super().command()]

    @property
    def owner(self):
        return os.getpid()

    def set_clock(self, ahead_s):
        self.ahead_s = ahead_s
        self.set_map[:] = struct.pack("=qqq", round(ahead_s * 1000), 0, 0)

    def jump_after(self, looks, seconds):
        """Ahead, or back, when evaluators have looked at the clock so often."""
        self.set_map[16:] = struct.pack("=q", round(seconds * 1000))
        self.set_map[8:16] = struct.pack("=q", looks)
        until(lambda: struct.unpack("=qqq", self.set_map[:])[1] <= 0, 20, "the clock is looked at")
        self.ahead_s += seconds

    def now(self):
        return time.time() + self.ahead_s

    def close(self):
        super().close()
        self.set_map.close()
        self.set_file.close()


class Agents(threading.Thread):
    """Push every half second, with the right time; one of them may be two hours ahead."""

    def __init__(self, alertd):
        super().__init__(daemon=True)
        self.alertd, self.values, self.ahead, self.over, self.wrong = alertd, {}, {}, False, []

    def run(self):
        sequence, epoch = 0, str(int(time.time()))
        while not self.over:
            sequence += 1
            for n in range(N_AGENTS):
                headers = {"X-Watchbill-Agent": f"a{n}", "X-Watchbill-Interval": "1000", "X-Watchbill-Epoch": epoch,
                           "X-Watchbill-Sequence": str(sequence)}
                values = dict(self.values) if n == 0 else {"alive": 1}
                at_ms = round((time.time() + self.ahead.get(n, 0)) * 1000)
                text = "".join(f"{name} {value} {at_ms}\n" for name, value in values.items())
                try:
                    reply = self.alertd.call("POST", "/api/v1/import/prometheus", text, {"Content-Type": "text/plain", **headers}, timeout=120)
                except OSError as error:
                    self.wrong.append(error)
                    continue
                if reply.status != 204 and n not in self.ahead:
                    self.wrong.append(reply)
            time.sleep(0.5)


class Time(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hook = Webhook().start()
        cls.alertd = SetAlertd(config=CONFIG.format(hook=cls.hook.url), auth="off").start()
        own = (ROOT / "rules/alertd/alerts.yml").read_text().replace("interval: 15s", "interval: 1s").replace("for: 2m", "for: 5s")
        cls.alertd.import_rules(own, "alertd.yml")
        cls.alertd.import_rules(RULES)
        cls.agents = Agents(cls.alertd)
        cls.agents.values = {**{f'trouble{{n="{n}"}}': 1 for n in range(N_TROUBLES)}, "later": 0}
        cls.agents.start()
        try:
            until(lambda: cls.states().get("Trouble") == ["firing"] * N_TROUBLES, 30, "troubles fire")
            until(lambda: cls.fires_told() == N_TROUBLES, 30, "and are told")
        except AssertionError:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.agents.over = True
        cls.agents.join(20)
        cls.alertd.close()
        cls.hook.stop()

    def tearDown(self):
        self.alertd.set_clock(0)

    @classmethod
    def states(cls):
        found = {}
        for one in cls.alertd.get("/api/v1/alerts", timeout=60)["data"]["alerts"]:
            found.setdefault(one["labels"]["alertname"], []).append(one["state"])
        return found

    @classmethod
    def fires_told(cls):
        last = [call["body"] for call in cls.hook.calls if call["body"]["groupLabels"]["alertname"] == "Trouble"]
        return len(last[-1]["alerts"]) if last else 0

    def calm(self, seconds, but=()):
        """Nothing is told and no state changes for so long, whatever the clock does; of alertd's own trouble it may speak."""
        told, states, until_s = len(self.hook.calls), {}, time.monotonic() + seconds
        while time.monotonic() < until_s:
            states = {name: values for name, values in self.states().items() if name not in but}
            self.assertEqual(states.get("Trouble"), ["firing"] * N_TROUBLES, states)
            self.assertEqual(states.get("Slow"), ["pending"] * N_TROUBLES, states)
            self.assertEqual(states.get("Held"), ["pending"], states)
            self.assertNotIn("AgentAbsent", states)
            time.sleep(0.25)
        news = [(call["body"]["status"], call["body"]["groupLabels"]) for call in self.hook.calls[told:]
                if call["body"]["groupLabels"]["alertname"] not in but and not call["body"]["groupLabels"]["alertname"].startswith("Alertd")]
        self.assertEqual(news, [])
        self.assertFalse(self.agents.wrong, self.agents.wrong[:3])

    def told_on_the_timeline(self, words):
        def there():
            for one in self.alertd.get(f"{OURS}/incidents?status=open&limit=200")["incidents"]:
                text = json.dumps(self.alertd.get(f"{OURS}/incidents/{one['key']}"))
                if words not in text:
                    return False
            return True
        until(there, 60, f"every open incident is told: {words}")

    def test_1_an_hour_ahead_and_back(self):
        # every agent is an hour behind us then, which is said
        self.alertd.set_clock(3600)
        self.told_on_the_timeline("clock was set 1 h ahead")
        self.calm(8, but=["AgentClockSkew"])
        self.alertd.set_clock(0)
        self.told_on_the_timeline("clock was set 1 h back")
        self.calm(8, but=["AgentClockSkew"])
        until(lambda: "AgentClockSkew" not in self.states(), 60, "the clocks agree again")

    def test_2_back_again_and_again(self):
        """30 s back every 6 s: what waits 20 s fires all the same."""
        self.alertd.import_rules(LATE, "late.yml")
        until(lambda: self.states().get("Late") == ["pending"], 20, "it waits")
        fired = False
        for n in range(1, 8):
            self.alertd.set_clock(-30 * n)
            self.calm(6, but=["Late", "AgentClockSkew"])
            fired = fired or self.states().get("Late") == ["firing"]
        self.assertTrue(fired, "for: 20s, and 42 s later it has not fired")
        metrics = self.alertd.call("GET", "/metrics").text
        jumps = [float(line.split()[1]) for line in metrics.splitlines() if line.startswith("alertd_clock_jumps_total ")]
        self.assertGreaterEqual(jumps[0], 6)

    def test_3_it_stands_still(self):
        """For longer than an agent may be silent and an alert has to wait."""
        self.calm(3, but=["Late", "AgentClockSkew"])
        self.agents.values["later"] = 1
        until(lambda: self.states().get("Later") == ["pending"], 20, "it waits")
        self.alertd.process.send_signal(signal.SIGSTOP)
        time.sleep(42)
        self.alertd.process.send_signal(signal.SIGCONT)
        self.calm(8, but=["Late", "Later", "AgentClockSkew"])
        self.assertEqual(self.states().get("Later"), ["pending"], "the standstill was counted")
        self.told_on_the_timeline("alertd stood still for ")

    def test_4_an_agent_two_hours_ahead(self):
        until(lambda: "AgentClockSkew" not in self.states(), 60, "the clocks agree")
        self.agents.ahead[3] = 7200

        def named():
            alerts = self.alertd.get("/api/v1/alerts")["data"]["alerts"]
            return [one["labels"]["agent"] for one in alerts if one["labels"]["alertname"] == "AgentClockSkew" and one["state"] == "firing"]
        until(lambda: named() == ["a3"], 60, "the skewed agent, and only it, is named")
        self.calm(3, but=["Late", "Later", "AgentClockSkew"])
        del self.agents.ahead[3]
        until(lambda: named() == [], 60, "its clock was put right")

    def test_5_between_any_two_looks(self):
        """Whenever in a turn the clock jumps, it is left out: ahead at the n-th look from now on, and back."""
        self.alertd.import_rules(COUNTED, "counted.yml")
        until(lambda: self.states().get("Counted") == ["pending"], 20, "it waits")
        for looks in range(1, 17):
            for seconds in (1800, -1800):
                self.alertd.jump_after(looks, seconds)
                time.sleep(1.2)
                self.assertEqual(self.states().get("Counted"), ["pending"], f"{seconds} s at look {looks}")


class HeldUp(Alertd):
    """An alertd whose pager's thread waits for its turn between any two things it does, as on a busy machine."""

    def command(self):
        return ["env", f"LD_PRELOAD={BUILD / 'tests/fault/fast_clock.so'}", "CLOCK_HOLDS=pager 150", *super().command()]


class Meanwhile(unittest.TestCase):
    def test_what_comes_while_another_is_told(self):
        """It is told when its own group_wait is over, and not when the pager looks around the next time, in a minute."""
        config = CONFIG.replace("group_wait: 0s, group_interval: 1s", "group_wait: 1s, group_interval: 5m")
        with Webhook() as hook, HeldUp(config=config.format(hook=hook.url), auth="off") as alertd:
            for number in range(1, 9):
                alertd.post("/api/v2/alerts", [{"labels": {"alertname": f"Down{number}"}}])
                until(lambda: len(hook.calls) == number, 20, f"alert {number}, which came when the one before had just been told, is told")


class FirstSecond(unittest.TestCase):
    """The clock is set right behind the start, as by a machine that boots and then asks for the time: the clock's pace is
    not known yet."""

    def setUp(self):
        self.alertd = SetAlertd(auth="off").start()
        self.addCleanup(self.alertd.close)
        self.alertd.import_rules(COUNTED)
        until(lambda: self.state() == "pending", 20, "it waits")

    def state(self):
        alerts = self.alertd.get("/api/v1/alerts")["data"]["alerts"]
        return alerts[0]["state"] if alerts else None

    def evaluations(self):
        lines = self.alertd.call("GET", "/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("alertd_rule_group_iterations_total{"))

    def test_set_behind_the_start(self):
        for behind_ms in range(0, 1200, 150):
            for seconds in (1800, -1800):
                self.alertd.stop()
                self.alertd.start()
                time.sleep(behind_ms / 1000)
                self.alertd.set_clock(self.alertd.ahead_s + seconds)
                seen = self.evaluations()
                until(lambda: self.evaluations() >= seen + 2, 20, "it is evaluated again")
                self.assertEqual(self.state(), "pending", f"{seconds} s, {behind_ms} ms behind the start")


if __name__ == "__main__":
    unittest.main(verbosity=2)
