"""A candidate beside its rule: silent, at the rule's own instants, across restarts, and harmless when it is broken."""

import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl

RULES = """groups:
- name: shop
  interval: 1s
  rules:
  - alert: Busy
    expr: load > 5
    labels: {team: shop}
  - alert: Beside
    expr: load > 100
"""
CONFIG = """receivers:
- {name: all, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}
route: {receiver: all, group_by: [host], group_wait: 0s, group_interval: 1s}
"""


def until(what, seconds=30):
    deadline = time.time() + seconds
    while not (found := what()):
        if time.time() > deadline:
            raise AssertionError("it did not come to pass")
        time.sleep(0.1)
    return found


class Canary(unittest.TestCase):
    def setUp(self):
        self.alertd = Alertd(auth="off", config=CONFIG)
        self.addCleanup(self.alertd.close)
        self.alertd.start()
        self.alertd.post("/api/alertd/v1/rules/import?source=shop.yml", RULES)
        self.id = next(rule["id"] for rule in self.rules() if rule["name"] == "Busy")
        self.path = f"/api/alertd/v1/rules/{self.id}/canary"

    def rules(self):
        return [rule for group in self.alertd.get("/api/alertd/v1/rules")["groups"] for rule in group["rules"]]

    def load(self, **hosts):
        self.alertd.push("".join(f'load{{host="{host}"}} {value} {int(time.time() * 1000)}\n' for host, value in hosts.items()))

    def canary(self):
        return self.alertd.get(self.path)

    def ran(self, n):
        return until(lambda: (found := self.canary())["evaluations"] >= n and found)

    def test_a_louder_candidate(self):
        self.load(a=7, b=1)
        until(lambda: any(rule["name"] == "Busy" and rule["n_firing"] == 1 for rule in self.rules()))
        made = self.alertd.post(self.path, {"expr": "load > 3"})
        self.assertIn("expr: load > 3", made["yaml"])
        self.ran(1)
        self.load(a=7, b=4)
        found = until(lambda: (found := self.canary())["candidate"]["alerts"] and found)
        # what fired before is no news of either
        self.assertEqual((found["current"]["alerts"], found["candidate"]["alerts"]), (0, 1))
        self.assertEqual((found["kept"], found["gained"], found["lost"]), (0, 1, 0))
        self.assertEqual(found["rows"][0]["labels"], {"alertname": "Busy", "host": "b", "team": "shop"})
        # silent: not among the alerts, the series, the incidents
        self.assertEqual([alert["labels"]["host"] for alert in self.alertd.get("/api/v1/alerts")["data"]["alerts"]], ["a"])
        series = self.alertd.get("/api/v1/query?query=ALERTS")["data"]["result"]
        self.assertEqual([one["metric"]["host"] for one in series], ["a"])
        self.assertEqual(len(self.alertd.get("/api/alertd/v1/incidents")["incidents"]), 1)
        self.load(a=7, b=8)
        found = until(lambda: (found := self.canary())["current"]["alerts"] and found)
        self.assertEqual((found["moved"], found["gained"]), (1, 0), found["rows"])
        self.assertGreater(found["rows"][0]["moved_ms"], -60000)
        self.assertLess(found["rows"][0]["moved_ms"], 0)
        listed = self.alertd.get("/api/alertd/v1/canaries")["canaries"]
        self.assertEqual([one["rule"] for one in listed], ["Busy"])

    def test_it_survives_a_restart(self):
        self.load(a=7)
        self.alertd.post(self.path, {"yaml": "- alert: Busy\n  expr: load > 6\n  labels: {team: shop}\n"})
        self.ran(2)
        before = until(lambda: (found := self.canary())["current"]["alerts"] + found["candidate"]["alerts"] == 2 and found)
        self.alertd.kill()
        self.alertd.start()
        self.load(a=7)
        after = self.ran(before["evaluations"] + 2)
        self.assertEqual((after["current"]["alerts"], after["candidate"]["alerts"]), (1, 1))  # still the same ones
        self.load(a=1)
        time.sleep(2.5)
        self.load(a=7)
        until(lambda: (found := self.canary())["candidate"]["alerts"] == 2 and found["current"]["alerts"] == 2)

    def test_a_broken_one_harms_nothing(self):
        self.alertd.post(self.path, {"expr": "load * on (host) group_left () {__name__=~\"load|other\"} > 3"})
        now = int(time.time() * 1000)
        self.alertd.push(f'load{{host="a"}} 7 {now}\nother{{host="a"}} 1 {now}\n')
        found = until(lambda: (found := self.canary())["failures"] > 1 and found)
        self.assertIn("many", found["last_error"])
        busy = next(rule for rule in self.rules() if rule["name"] == "Busy")
        self.assertEqual((busy["n_firing"], busy["health"], busy["last_error"]), (1, "ok", None))
        self.assertEqual([alert["labels"]["alertname"] for alert in self.alertd.get("/api/v1/alerts")["data"]["alerts"]], ["Busy"])

    def test_its_life(self):
        self.assertEqual(self.alertd.call("GET", self.path).status, 404)
        self.assertEqual(self.alertd.call("DELETE", self.path).status, 404)
        for body, words in (({"yaml": "- alert: Other\n  expr: load > 1\n"}, "called"), ({"expr": "load >"}, "parse"), ({"colour": 1}, "colour"),
                            ({"for_ms": -1}, "milliseconds"), ([], "object")):
            reply = self.alertd.call("POST", self.path, body)
            self.assertEqual(reply.status, 400, reply)
            self.assertIn(words, reply.text)
        self.assertEqual(self.alertd.call("POST", "/api/alertd/v1/rules/999/canary", {"for_ms": 1000}).status, 404)
        self.alertd.post(self.path, {"for_ms": 60000})
        self.ran(1)
        self.alertd.post("/api/alertd/v1/rules/import?source=shop.yml", RULES.replace("load > 5", "load > 6"))
        self.assertTrue(until(lambda: self.canary()["rule_changed"]))
        self.assertEqual(self.alertd.call("DELETE", self.path).status, 204)
        self.assertEqual(self.alertd.call("GET", self.path).status, 404)

    def test_by_the_command_line(self):
        folder = pathlib.Path(self.alertd.folder)
        (folder / "candidate.yml").write_text("alert: Busy\nexpr: load > 3\nlabels: {team: shop}\n")
        self.assertIn("runs beside", alertctl("canary", "start", "Busy", folder / "candidate.yml", alertd=self.alertd).stdout)
        self.ran(1)
        self.load(b=4)
        until(lambda: self.canary()["candidate"]["alerts"])
        self.assertIn("+1 pages (0 -> 1)", alertctl("canary", "show", self.id, alertd=self.alertd).stdout)
        self.assertIn("Busy", alertctl("canary", "list", alertd=self.alertd).stdout)
        self.assertEqual(json.loads(alertctl("canary", "show", "Busy", "--json", alertd=self.alertd).stdout)["rule"], "Busy")
        self.assertIn("ended", alertctl("canary", "stop", "Busy", alertd=self.alertd).stdout)
        self.assertIn("no canary", alertctl("canary", "list", alertd=self.alertd).stdout)
        self.assertEqual(alertctl("canary", "show", "Nobody", alertd=self.alertd, check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
