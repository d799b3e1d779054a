"""What a published postmortem keeps, on a real alertd: retention deletes the samples, and the document, its graphs
and the frozen window are what they were; actions are reminded of long after, through a real receiver; a rule that an
action promises is done when it is live and would have fired earlier.
"""

import contextlib
import json
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, Alertd, until
from receivers import Webhook

API = "/api/alertd/v1"
FAST_CLOCK = str(BUILD / "tests/fault/fast_clock.so")
DAY_MS = 24 * 3600 * 1000
RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {alert: DiskFills, expr: 'disk_free_ratio < 0.1', labels: {severity: critical}}
"""
EARLIER = """groups:
  - name: h
    interval: 1s
    rules:
      - {alert: DiskWillFill, expr: 'disk_free_ratio < 0.5', for: 1m}
"""
DRAFT = "- alert: DiskWillFill\n  expr: disk_free_ratio < 0.5\n  for: 1m\n"


@contextlib.contextmanager
def later(days):
    """A program started in here lives that many days later."""
    now = int(time.time() * 1000)
    before = dict(os.environ)
    os.environ.update(LD_PRELOAD=FAST_CLOCK, FAST_CLOCK=f"{now} {now + days * DAY_MS} 1")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Kept(unittest.TestCase):
    def setUp(self):
        self.ntfy = self.enterContext(Webhook())
        config = f"route: {{receiver: team, group_wait: 0s}}\nreceivers:\n  - name: team\n    ntfy_configs:\n      - {{url: 'http://127.0.0.1:{self.ntfy.port}', topic: night}}\n"
        self.alertd = Alertd(config=config, flags=["--storage.retention.time=5d", "--postmortem.remind-to=team"])
        self.addCleanup(self.alertd.close)
        self.alertd.start()

    def incident(self):
        now = int(time.time() * 1000)
        lines = [f'disk_free_ratio{{instance="db-1"}} {max(0.04, 0.6 - 0.01 * i)} {now - 1800_000 + i * 30_000}' for i in range(60)]
        lines += [f'disk_writes_total{{instance="db-1"}} {i} {now - 1800_000 + i * 30_000}' for i in range(60)]
        self.alertd.push("\n".join(lines))
        self.alertd.import_rules(RULES)
        find = lambda: self.alertd.get(f"{API}/incidents?status=all")["incidents"]
        key = until(lambda: find() and find()[0]["key"], 20, "an incident")
        self.ntfy.wait(lambda calls: len(calls) >= 1)
        self.alertd.post(f"{API}/incidents/{key}/ack")
        self.alertd.post(f"{API}/incidents/{key}/notes", {"text": "deleted old segments"})
        self.alertd.push('disk_free_ratio{instance="db-1"} 0.7')
        until(lambda: find()[0]["status"] == "resolved", 20, "its end")
        return key

    def publish(self, key):
        doc = self.alertd.post(f"{API}/postmortems", {"incident": key, "template": "quick"})
        path = f"{API}/postmortems/{doc['id']}"
        for section in ("happened", "surprised", "actions"):
            self.alertd.call("PUT", f"{path}/sections/{section}", {"markdown": "Said.\n", "revision": 1})
        added = self.alertd.post(f"{path}/actions", {"text": "Alert half an hour earlier", "type": "detect", "tag": "alerting", "owner": "ana", "done_when": "the rule is live",
                                                     "due_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5.9 * 86400)), "rule_draft": DRAFT})
        self.alertd.post(f"{path}/publish", {"alone": True})
        return path, added["actions"][0]

    def kept(self, key, path):
        version = self.alertd.get(f"{path}/versions/1")
        frozen = self.alertd.get(f"{API}/frozen/{key}?samples=true")
        graph = version["graphs"][0]["id"]
        return {"version": version, "frozen": frozen, "markdown": self.alertd.get(path)["markdown"],
                "svg": self.alertd.call("GET", f"{path}/graphs/{graph}.svg").text,
                "html": self.alertd.call("GET", f"{path}/export?format=html").text}

    def test_retention_takes_the_samples_and_nothing_else(self):
        key = self.incident()
        path, action = self.publish(key)
        before = self.kept(key, path)
        earlier = self.alertd.get(f"{API}/incidents/{key}/metrics")["earlier"]
        self.assertTrue(before["version"]["unchanged"], before["version"]["trouble"])
        self.assertEqual(before["frozen"]["sha256"], before["version"]["samples_sha256"])
        names = {one["metric"]["__name__"] for one in before["frozen"]["series"]}
        self.assertLessEqual({"disk_free_ratio", "disk_writes_total"}, names, "what else was measured on the instance")
        free = next(one for one in before["frozen"]["series"] if one["metric"]["__name__"] == "disk_free_ratio")
        self.assertGreaterEqual(len(free["t_ms"]), 60)
        days = sorted(one.name for one in (self.alertd.folder / "samples").iterdir() if one.suffix == ".db")
        self.assertTrue(days)
        self.ntfy.calls.clear()

        with self.subTest("twenty days later"):
            self.alertd.stop()
            with later(20):
                self.alertd.start()
            until(lambda: not any((self.alertd.folder / "samples" / day).exists() for day in days), 90, "retention has deleted the days")
            gone = self.alertd.get(f"/api/v1/query_range?query=disk_free_ratio&start={time.time() - 3600}&end={time.time()}&step=30")["data"]["result"]
            self.assertEqual(gone, [])
            after = self.kept(key, path)
            self.assertEqual(after, before)
            self.assertNotEqual(earlier, [], "what would have fired earlier was found while there were samples")
            self.assertEqual(self.alertd.call("POST", f"{API}/incidents/{key}/look").json["earlier"], earlier, "a look that knows less is not kept")

        with self.subTest("it is reminded of, though the incident is long over"):
            call = self.ntfy.wait(lambda calls: next((one for one in calls if "Alert half an hour earlier" in json.dumps(one["body"])), None), 90)
            self.assertIn("Overdue", json.dumps(call["body"]))
            self.assertIn(path.rsplit("/", 1)[1], json.dumps(call["body"]))
            self.assertIn('alertd_postmortem_actions{state="open",overdue="true"} 1', self.alertd.call("GET", "/metrics").text)

        with self.subTest("the promised rule: not before it is live, and it would have fired earlier"):
            action_path = f"{API}/postmortem-actions/{action['id']}"
            refused = self.alertd.call("PUT", action_path, {"state": "done", "revision": action["revision"]})
            self.assertEqual(refused.status, 409, refused)
            self.assertIn("no rule DiskWillFill is live", refused.json["error"])
            self.alertd.import_rules(EARLIER.replace("0.5", "0.01"), "h.yml")
            self.assertIn("another expression", self.alertd.call("PUT", action_path, {"state": "done", "revision": action["revision"]}).json["error"])
            self.alertd.import_rules(EARLIER, "h.yml")
            done = self.alertd.call("PUT", action_path, {"state": "done", "revision": action["revision"]})
            self.assertEqual(done.status, 200, done)
            self.assertEqual(done.json["actions"][0]["state"], "done")
            self.assertEqual(self.alertd.post(f"{path}/status", {"status": "closed"})["status"], "closed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
