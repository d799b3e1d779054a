"""Paging-path drills on a real alertd with real receivers: a marked page reaches every contact of everybody whom a
policy would page, who answers is known by the method they answered by, who could not be reached is told, and nothing
of it counts as a page.
"""

import contextlib
import json
import os
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, Alertd, alertctl, request, until
from receivers import Webhook

V1 = "/api/alertd/v1"
DAY_MS = 24 * 3600 * 1000
FAST_CLOCK = str(BUILD / "tests/fault/fast_clock.so")


def call_text(call):
    return str(call["body"])


class Paths(unittest.TestCase):
    def setUp(self):
        self.first, self.second = self.enterContext(Webhook()), self.enterContext(Webhook())
        self.alertd = Alertd()
        self.addCleanup(self.alertd.close)
        self.alertd.start()
        self.person("ana", self.topic(self.first, "ana-1"), self.topic(self.second, "ana-2"))
        self.person("bob", {"method": "ntfy", "address": "http://127.0.0.1:1/nobody-listens"})
        self.person("cid")
        self.alertd.post(f"{V1}/policies", {"name": "night", "steps": [
            {"delay_ms": 300_000, "targets": [{"person": "ana"}]},
            {"delay_ms": 300_000, "targets": [{"person": "bob"}, {"person": "cid"}, {"person": "ana"}]}]})

    def topic(self, hook, name):
        return {"method": "ntfy", "address": f"http://127.0.0.1:{hook.port}/{name}"}

    def person(self, name, *contacts):
        self.alertd.post(f"{V1}/people", {"name": name, "contacts": list(contacts)})

    def drill(self, within_ms=60_000):
        return self.alertd.post(f"{V1}/oncall/drills", {"policy": "night", "within_ms": within_ms})["id"]

    def report(self, id):
        return self.alertd.get(f"{V1}/oncall/drills/{id}")

    def sent(self, id):
        return until(lambda: all(page["state"] != "due" for page in self.report(id)["pages"]) and self.report(id), 30, "all pages sent")

    def test_every_contact_once_and_who_answers_by_which(self):
        id = self.drill()
        report = self.sent(id)
        for hook in (self.first, self.second):
            hook.wait(lambda calls: len(calls) >= 1)
            self.assertEqual(len(hook.calls), 1)
            self.assertIn("DRILL for ana, nothing is wrong", call_text(hook.calls[0]))
        self.assertEqual([(page["step"], page["person"], page["method"]) for page in report["pages"]],
                         [(1, "ana", "ntfy"), (1, "ana", "ntfy"), (2, "bob", "ntfy"), (2, "cid", None)])
        self.assertEqual({(one["who"], one["step"]) for one in report["unreached"]}, {("bob", 2), ("cid", 2)})
        link = re.search(r"/c/([\w-]+)", call_text(self.second.calls[0])).group(0)
        self.assertIn(request("POST", self.alertd.url + link).status, (200, 303))
        answered = self.report(id)
        self.assertEqual([(one["person"], one["answered_by"]) for one in answered["people"] if one["answered_at"]], [("ana", "ntfy")])
        self.assertEqual([bool(page["answered_at"]) for page in answered["pages"]], [False, True, False, False])

    def test_who_does_not_answer_in_time_is_told(self):
        id = self.drill(within_ms=3000)
        over = until(lambda: self.report(id)["state"] == "ended" and self.report(id), 30, "the end")
        self.assertIn(("ana", "no answer"), {(one["who"], one["why"]) for one in over["unreached"]})
        ready = self.alertd.get(f"{V1}/readiness/ana")["counters"]
        self.assertIsNotNone(ready["paging_drill_at"])
        self.assertIsNone(ready["paging_drill_answered_at"])

    def test_nothing_counts_it(self):
        before = self.alertd.get(f"{V1}/report?week={time.strftime('%G-W%V', time.gmtime())}")
        self.sent(self.drill())
        self.first.wait(lambda calls: len(calls) >= 1)
        self.assertEqual(self.alertd.get(f"{V1}/incidents?status=all")["incidents"], [])
        self.assertEqual(self.alertd.get(f"{V1}/outbox")["notifications"], [])
        after = self.alertd.get(f"{V1}/report?week={time.strftime('%G-W%V', time.gmtime())}")
        for volatile in ("now", "made_at", "generated_at"):
            before.pop(volatile, None), after.pop(volatile, None)
        self.assertEqual(before, after)

    def test_one_at_a_time_and_only_of_a_policy(self):
        self.drill()
        self.assertEqual(self.alertd.call("POST", f"{V1}/oncall/drills", {"policy": "night"}).status, 409)
        self.assertEqual(self.alertd.call("POST", f"{V1}/oncall/drills", {"policy": "day"}).status, 404)
        self.assertEqual(self.alertd.call("POST", f"{V1}/oncall/drills", {"policy": "night", "within_ms": 1}).status, 400)
        self.assertEqual(self.alertd.call("GET", f"{V1}/oncall/drills/99").status, 404)

    def test_a_kill_in_the_middle_sends_the_rest(self):
        id = self.drill()
        self.alertd.kill()
        self.alertd.start()
        report = self.sent(id)
        self.assertEqual(len(report["pages"]), 4)
        self.first.wait(lambda calls: len(calls) >= 1)
        self.second.wait(lambda calls: len(calls) >= 1)

    def test_command_line(self):
        begun = alertctl("oncall", "drill", "night", "--within=1m", alertd=self.alertd)
        self.assertIn("--show=1", begun.stdout)
        self.sent(1)
        shown = alertctl("oncall", "drill", "--show=1", alertd=self.alertd, check=False)
        self.assertEqual(shown.returncode, 3, shown.stderr)
        self.assertIn("not reached: step 2, cid: has no contact", shown.stdout)
        shown = alertctl("oncall", "drill", "--show=1", "--json", alertd=self.alertd, check=False)
        self.assertEqual(shown.returncode, 3, shown.stderr)
        self.assertIn("cid", {one["who"] for one in json.loads(shown.stdout)["unreached"]})
        self.assertIn("night", alertctl("oncall", "drill", alertd=self.alertd).stdout)


@contextlib.contextmanager
def at_the_hour():
    """A program started in here lives on the next Wednesday, a minute behind ten."""
    now = int(time.time() * 1000)
    then = now - now % DAY_MS + DAY_MS + 10 * 3600_000 + 60_000
    while time.gmtime(then / 1000).tm_wday != 2:
        then += DAY_MS
    before = dict(os.environ)
    os.environ.update(LD_PRELOAD=FAST_CLOCK, FAST_CLOCK=f"{now} {then} 1")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Weekly(unittest.TestCase):
    def test_its_hour_begins_one_and_only_one(self):
        with Webhook() as hook:
            alertd = Alertd(flags=["--paging-drill.policy=night"])
            self.addCleanup(alertd.close)
            with at_the_hour():
                alertd.start()
                alertd.post(f"{V1}/people", {"name": "ana", "contacts": [{"method": "ntfy", "address": f"http://127.0.0.1:{hook.port}/x"}]})
                alertd.post(f"{V1}/policies", {"name": "night", "steps": [{"delay_ms": 300_000, "targets": [{"person": "ana"}]}]})
                hook.wait(lambda calls: len(calls) >= 1)
                alertd.stop()
                alertd.start()
                time.sleep(7)  # it looks every five seconds
                self.assertEqual([one["by"] for one in alertd.get(f"{V1}/oncall/drills")["drills"]], ["alertd"])
            self.assertEqual(len(hook.calls), 1)


if __name__ == "__main__":
    unittest.main()
