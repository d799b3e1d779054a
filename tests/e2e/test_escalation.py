"""Escalation of an incident over people: a real alertd, two people whose contacts are webhooks. Whoever
is on call is paged, then the next one; an acknowledgement stops it, and being killed between two
steps costs no page and sends none twice.
"""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl, until
from receivers import Webhook

V1 = "/api/alertd/v1"
CONFIG = """
receivers:
  - name: oncall
    oncall_configs:
      - policy: shop
route:
  receiver: oncall
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
"""
RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: Down
        expr: shop_down > 0
        labels: {severity: critical}
"""


class Escalation(unittest.TestCase):
    def setUp(self):
        self.ana, self.bob = Webhook(), Webhook()
        for hook in (self.ana, self.bob):
            hook.start()
            self.addCleanup(hook.stop)
        rules = tempfile.NamedTemporaryFile("w", suffix=".yml")
        self.addCleanup(rules.close)
        rules.write(RULES)
        rules.flush()
        self.alertd = Alertd(config=CONFIG, flags=[f"--rules.import={rules.name}"])
        self.addCleanup(self.alertd.close)
        self.alertd.start()

    def send(self, method, path, body=None, status=None):
        reply = self.alertd.call(method, V1 + path, body)
        self.assertEqual(reply.status, status or 201, reply)
        return reply.json

    def roster(self, delay_ms=1000, **policy):
        for name, hook in (("ana", self.ana), ("bob", self.bob)):
            self.send("POST", "/people", {"name": name, "contacts": [{"method": "webhook", "address": hook.url}]})
        self.send("POST", "/schedules", {"name": "web", "zone": "Europe/Berlin", "layers": [{"name": "all", "rotation": {
            "unit": "weeks", "every": 1, "first_turn": "2020-01-06T09:00", "people": ["ana"]}}]})
        self.send("POST", "/policies", {"name": "shop", **policy, "steps": [
            {"delay_ms": delay_ms, "targets": [{"schedule": "web"}]},
            {"delay_ms": delay_ms, "targets": [{"person": "bob"}]}]})

    def fire(self, value=1):
        self.alertd.push(f"shop_down {value}")

    def incident(self):
        listed = self.alertd.call("GET", V1 + "/incidents?status=all").json["incidents"]
        return self.alertd.call("GET", f"{V1}/incidents/{listed[0]['key']}").json if listed else None

    def story(self):
        return [event["text"] for event in self.incident()["timeline"] if event["kind"] == "escalation"]

    def test_the_next_one_is_paged_until_somebody_acknowledges(self):
        self.roster()
        self.fire()
        self.ana.wait(lambda calls: len(calls) == 1, what="the page of who is on call")
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the next one")
        key = self.incident()["key"]
        self.send("POST", f"/incidents/{key}/ack", status=200)
        until(lambda: all(row["state"] in ("sent", "superseded") for row in self.incident()["notifications"]), what="no page waits")
        self.assertEqual(self.story()[:2], ["step 1 of shop pages ana (schedule web) by webhook",
                                            "step 2 of shop pages bob by webhook"])
        self.assertEqual(self.ana.calls[0]["body"]["status"], "firing")
        self.fire(0)
        for hook in (self.ana, self.bob):
            hook.wait(lambda calls: calls[-1]["body"]["status"] == "resolved", what="the end")
            self.assertEqual(len(hook.calls), 2)

    def test_killed_between_two_steps(self):
        self.roster(delay_ms=3000)
        self.fire()
        self.ana.wait(lambda calls: len(calls) == 1, what="the page of who is on call")
        until(lambda: any(row["state"] == "sent" for row in self.incident()["notifications"]), what="it is marked")
        self.alertd.kill()
        self.alertd.start()
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the next one")
        self.assertEqual(len(self.ana.calls), 1)
        self.assertEqual(len([text for text in self.story() if text.startswith("step 1")]), 1)

    def test_people_decide(self):
        self.roster(delay_ms=600000)
        self.fire()
        self.ana.wait(lambda calls: len(calls) == 1, what="the page of who is on call")
        key = self.incident()["key"]
        self.assertIn("next step", alertctl("incident", "escalate", key, alertd=self.alertd).stdout)
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the next one")
        alertctl("incident", "snooze", key, "1s", alertd=self.alertd)
        self.ana.wait(lambda calls: len(calls) == 2, what="the page when the snooze is over")
        self.assertEqual(self.incident()["status"], "triggered")
        self.assertEqual(self.alertd.call("POST", f"{V1}/incidents/{key}/snooze", {"duration_ms": 5}).status, 400)
        alertctl("incident", "takeover", key, alertd=self.alertd)
        self.assertEqual(self.incident()["status"], "acknowledged")
        self.assertTrue(any("took it over" in text for text in self.story()))

    def test_who_refuses_is_not_waited_for(self):
        self.roster(delay_ms=600000)
        self.ana.answer = lambda n: 403
        self.fire()
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the next one")
        self.assertIn("nobody could be told of this step: the next one is not waited for", self.story())

    def test_a_policy_nobody_made_is_a_banner(self):
        banners = self.alertd.get(V1 + "/overview")["banners"]
        self.assertTrue(any('the policy "shop", which nobody made' in banner["text"] for banner in banners), banners)
        self.roster()
        self.assertEqual([one for one in self.alertd.get(V1 + "/overview")["banners"] if one["level"] != "info"], [])

    def test_a_contact_that_is_gone_says_so(self):
        self.roster(delay_ms=600000)
        self.ana.answer = lambda n: 503
        self.fire()
        self.ana.wait(lambda calls: len(calls) >= 1, what="a try")
        self.send("PUT", "/people/ana?revision=1", {"name": "ana", "contacts": []}, status=200)
        until(lambda: any(event["kind"] == "notify.undelivered" and "no webhook there any more" in event["text"]
                          for event in self.incident()["timeline"]), what="the page is given up")


if __name__ == "__main__":
    unittest.main()
