"""The line between an agent and alertd is cut for hours, and fifty agents vanish at once: who is silent is told, once;
when they are back, that is told, and what they measured meanwhile is there whole, each sample once.
"""

import contextlib
import pathlib
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, Agent, Alertd, free_port, until
from mixed_load import FastAlertd
from receivers import Webhook

CONFIG = """
receivers:
  - {{name: team, webhook_configs: [{{url: '{hook}'}}]}}
route: {{receiver: team, group_by: [alertname], group_wait: 0s, group_interval: {interval}, repeat_interval: 1000h}}
"""

AGENT = """
agent: web-1
push: {{url: "http://127.0.0.1:{port}/api/v1/write", interval: 500ms, timeout: 1s}}
spool: {{path: "{{folder}}/spool"}}
probes:
  - {{name: host, kind: host, interval: 500ms, timeout: 500ms}}
"""


class Line:
    """A TCP connection to `target` for each one that comes; cut: no byte goes either way, and nobody is told so."""

    def __init__(self, target):
        self.target, self.port, self.is_cut, self.over = target, free_port(), False, False
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.target)) if not self.is_cut else None
                for pair in ((near, far), (far, near)) if far else ():
                    threading.Thread(target=self.pump, args=pair, daemon=True).start()
                if not far:
                    threading.Thread(target=self.hold, args=(near,), daemon=True).start()

    def hold(self, end):
        """A connection that leads nowhere, until its caller gives up."""
        with end, contextlib.suppress(OSError):
            while end.recv(65536):
                pass

    def pump(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                if self.is_cut:
                    break  # lost; the rest of this connection with it
                b.sendall(data)
        while self.is_cut:
            time.sleep(0.05)
        for end in (a, b):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


class FastAgent(Agent):
    """Goes by the same clock as its alertd."""

    def __init__(self, config, alertd):
        super().__init__(config)
        self.environment = alertd.environment()

    def command(self):
        return ["env", *(f"{name}={value}" for name, value in self.environment.items()), *super().command()]


def told(hook, name):
    return [call["body"] for call in hook.calls if call["body"]["groupLabels"].get("alertname") == name]


class Partition(unittest.TestCase):
    def test_cut_for_hours(self):
        """At 240 times the pace: about three hours."""
        with Webhook() as hook, FastAlertd(240, config=CONFIG.format(hook=hook.url, interval="10s")) as alertd:
            alertd.import_rules((ROOT / "rules/alertd/alerts.yml").read_text(), "alertd.yml")
            line = Line(alertd.port)
            self.addCleanup(line.close)
            with FastAgent(AGENT.format(port=line.port), alertd) as agent:
                until(lambda: alertd.query('probe_success{probe="host"}'), 30, "samples come")
                began = alertd.now()
                line.is_cut = True
                until(lambda: told(hook, "AgentAbsent"), 90, "the silence is told")
                until(lambda: alertd.now() - began >= 3 * 3600, 60, "three hours")
                self.assertEqual(len(told(hook, "AgentAbsent")), 1)
                self.assertEqual(told(hook, "AgentAbsent")[0]["alerts"][0]["labels"]["instance"], "web-1")
                line.is_cut = False
                until(lambda: told(hook, "AgentAbsent")[-1]["status"] == "resolved", 60, "its return is told")
                until(lambda: self.backlog(alertd) == 0, 60, "the backlog has come")
                agent.stop()
                self.assertEqual([body["status"] for body in told(hook, "AgentAbsent")], ["firing", "resolved"])
            self.check_whole(alertd, began)

    def backlog(self, alertd):
        found = alertd.query("alert_agent_spool_batches")
        return max(found.values()) if found else None

    def check_whole(self, alertd, began):
        """As many samples as there were runs of the probe, from before the cut to the end."""
        end = alertd.now()
        runs = alertd.get(f'/api/v1/query?query=alert_agent_probe_runs_total{{probe="host"}}[40h]&time={end}')["data"]["result"]
        n_runs = sum(float(one["values"][-1][1]) for one in runs)
        last_s = max(one["values"][-1][0] for one in runs)
        samples = alertd.get(f'/api/v1/query?query=probe_success{{probe="host"}}[40h]&time={end}')["data"]["result"]
        times = [t for one in samples for t, _ in one["values"]]
        self.assertEqual(len(times), len(set(times)), "a sample twice")
        self.assertGreater(sum(t > began for t in times), 50, "hardly anything was measured: nothing is tested")
        self.assertAlmostEqual(sum(t <= last_s for t in times), n_runs, delta=1)


class Vanish(unittest.TestCase):
    def test_fifty_agents_vanish(self):
        with Webhook() as hook, Alertd(config=CONFIG.format(hook=hook.url, interval="3s"), auth="off") as alertd:
            alertd.import_rules((ROOT / "rules/alertd/alerts.yml").read_text().replace("interval: 15s", "interval: 3s"), "alertd.yml")

            def push():
                for n in range(50):
                    headers = {"Content-Type": "text/plain", "X-Watchbill-Agent": f"a{n}", "X-Watchbill-Interval": "2000"}
                    self.assertEqual(alertd.call("POST", "/api/v1/import/prometheus", "alive 1\n", headers).status, 204)

            def alerts():
                return [one for one in alertd.get("/api/v1/alerts")["data"]["alerts"] if one["labels"]["alertname"] == "AgentAbsent"]

            push()
            until(lambda: alertd.query("count(up == 1)") == {(): 50}, 30, "they are known")
            time.sleep(1)
            self.assertEqual(alerts(), [], "they were just here")
            alertd.kill()
            alertd.start()
            until(lambda: len(alerts()) == 50, 90, "all fifty are missed")
            until(lambda: told(hook, "AlertdBlind"), 30, "that alertd may be blind is told")
            n_pages = len(hook.calls)
            self.assertLessEqual(n_pages, 3, "they go as one")
            self.assertEqual(told(hook, "AgentAbsent"), [], "not one by one")
            alertd.kill()
            alertd.start()
            time.sleep(6)
            self.assertEqual(len(alerts()), 50)
            self.assertEqual(told(hook, "AgentAbsent"), [], "one by one, because of a restart")
            self.assertEqual(len(told(hook, "AlertdBlind")), 1, "told again, or told to be over, because of a restart")
            # back before a restarted alertd could have missed them: it knows that it told somebody
            alertd.kill()
            alertd.start()
            until(lambda: push() or told(hook, "AlertdBlind")[-1]["status"] == "resolved", 60, "the end is told")
            until(lambda: alerts() == [], 30, "they are back")
            self.assertEqual([body["status"] for body in told(hook, "AlertdBlind")], ["firing", "resolved"])
            until(lambda: alertd.get("/api/alertd/v1/silences?state=active")["silences"] == [], 60, "who really dies now is told")
            self.assertEqual(told(hook, "AgentAbsent"), [], "told by a rule that had not been evaluated since they came back")


if __name__ == "__main__":
    unittest.main(verbosity=2)
