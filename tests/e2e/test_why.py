"""Why an alert was sent, or was not: a real alertd, and each way a page can go or end, asked now and
of a moment that is over.
"""

import json
import pathlib
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl, until
from receivers import Webhook

V1 = "/api/alertd/v1"
CONFIG = """
time_intervals:
  - name: always
    time_intervals: [{{months: ['1:12']}}]
receivers:
  - name: ops
    webhook_configs: [{{url: '{hook}'}}]
  - name: slow
    webhook_configs: [{{url: '{hook}'}}]
  - name: broken
    webhook_configs: [{{url: '{broken}'}}]
  - name: wall
  - name: oncall
    oncall_configs: [{{policy: shop}}]
inhibit_rules:
  - name: a node takes its services along
    source_matchers: [alertname="NodeDown"]
    target_matchers: [severity="warning"]
    equal: [node]
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - matchers: [team="quiet"]
      mute_time_intervals: [always]
    - matchers: [team="slow"]
      receiver: slow
      group_wait: 10m
    - matchers: [team="broken"]
      receiver: broken
    - matchers: [team="wall"]
      receiver: wall
    - matchers: [team="oncall"]
      receiver: oncall
"""
RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: Down
        expr: shop_down > 0
      - alert: Lasting
        expr: shop_down > 0
        for: 1h
"""


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class Why(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hook, cls.broken = Webhook(), Webhook()
        cls.broken.answer = lambda n: 403
        cls.rules = tempfile.NamedTemporaryFile("w", suffix=".yml")
        cls.rules.write(RULES)
        cls.rules.flush()
        for hook in (cls.hook, cls.broken):
            hook.start()
            cls.addClassCleanup(hook.stop)
        cls.alertd = Alertd(config=CONFIG.format(hook=cls.hook.url, broken=cls.broken.url),
                            flags=[f"--rules.import={cls.rules.name}"])
        cls.addClassCleanup(cls.rules.close)
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()

    def ask(self, at=None, status=200, **parameters):
        if "labels" in parameters:
            parameters["labels"] = json.dumps(parameters["labels"])
        if at is not None:
            parameters["at"] = at if isinstance(at, str) else f"{at:.3f}"
        reply = self.alertd.call("GET", f"{V1}/why?{urllib.parse.urlencode(parameters)}")
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def fire(self, ends=None, **labels):
        self.alertd.post("/api/v2/alerts", [{"labels": labels, **({"endsAt": stamp(ends)} if ends else {})}])

    def told(self, name, n=1):
        def count():
            return sum(1 for call in self.hook.calls
                       for alert in call["body"]["alerts"] if alert["labels"]["alertname"] == name) >= n
        until(count, what=f"{name} is told {n} times")

    def asked_until(self, verdict, **parameters):
        return until(lambda: (why := self.ask(**parameters))["verdict"] == verdict and why, 60, f"{parameters}: {verdict}")

    def step(self, why, step, result=None):
        found = [one for one in why["steps"] if one["step"] == step and result in (None, one["result"])]
        self.assertTrue(found, f"no {step} {result} in {json.dumps(why, indent=1)}")
        return found[-1]

    def test_sent(self):
        self.fire(alertname="Sent", severity="page")
        self.told("Sent")
        why = self.asked_until("sent", labels={"alertname": "Sent"})
        self.assertIn("Sent was sent to ops by webhook at ", why["words"])
        self.assertIn("alertmanager says so", self.step(why, "rule", "fires")["because"])
        self.assertIn('team="slow" does not match: the alert has no label team',
                      " ".join(one["because"] for one in why["steps"]))
        self.assertEqual(self.step(why, "delivery", "accepted")["receiver"], "ops")
        self.assertEqual(self.ask(incident=why["alert"]["incident"])["words"], why["words"])
        self.assertEqual(self.ask(fingerprint=why["alert"]["fingerprint"])["words"], why["words"])

    def test_silenced_and_after_it_was_removed(self):
        self.alertd.post(V1 + "/silences", {"matchers": ['alertname="Silenced"'], "duration_ms": 3600000, "comment": "the move"})
        self.fire(alertname="Silenced")
        why = self.asked_until("not sent", labels={"alertname": "Silenced"})
        self.assertIn('("the move")', why["words"])
        self.assertEqual(self.step(why, "silence", "silenced")["evidence"]["comment"], "the move")
        self.step(why, "incident", "none")
        asked_at = time.time()
        silence = self.step(why, "silence")["evidence"]["silence"]
        time.sleep(2.5)
        self.alertd.call("DELETE", f"{V1}/silences/{silence}")
        self.told("Silenced")
        after = self.asked_until("sent", labels={"alertname": "Silenced"})
        self.step(after, "silence", "silenced before")
        self.assertIn("muted when it fired", self.step(after, "incident", "held back")["because"])
        time.sleep(2.1)
        before = self.ask(labels={"alertname": "Silenced"}, at=asked_at)
        self.assertTrue(before["past"])
        self.assertEqual(before["verdict"], "not sent", before["words"])
        self.step(before, "silence", "silenced")
        self.step(before, "incident", "none")
        self.step(before, "config", "of then")

    def test_inhibited(self):
        self.fire(alertname="NodeDown", node="a")
        self.fire(alertname="Service", severity="warning", node="a")
        why = self.asked_until("not sent", labels={"alertname": "Service"})
        evidence = self.step(why, "inhibition", "inhibited")["evidence"]
        self.assertEqual(evidence["rule"], 0)
        self.assertEqual(evidence["source"], self.ask(labels={"alertname": "NodeDown"})["alert"]["fingerprint"])
        self.assertIn('it is inhibited while {alertname="NodeDown", node="a"} fires', why["words"])
        asked_at = time.time()
        time.sleep(2.1)
        self.assertIn("is inhibited", self.ask(labels={"alertname": "Service"}, at=asked_at)["words"])

    def test_muted_by_an_interval(self):
        self.fire(alertname="Quiet", team="quiet")
        why = self.asked_until("not sent", labels={"alertname": "Quiet"})
        self.assertIn("the interval always mutes its route", why["words"])
        self.assertIn("tells nobody for the next 8 days", self.step(why, "interval", "muted")["because"])

    def test_grouped_and_waiting(self):
        self.fire(alertname="Grouped", team="slow")
        why = self.asked_until("waiting", labels={"alertname": "Grouped"})
        self.assertIn("waits for its group: it is told first at ", why["words"])
        self.assertEqual(self.step(why, "group", "waits")["evidence"]["group_wait_ms"], 600000)
        self.step(why, "told", "not told")

    def test_told_before_until_it_is_repeated(self):
        self.fire(alertname="Told")
        self.told("Told")
        why = self.asked_until("sent", labels={"alertname": "Told"})
        self.assertIn("reminder is due", why["words"])
        self.assertIsNotNone(self.step(why, "told", "told")["evidence"]["reminder_at"])
        self.alertd.post(f"{V1}/incidents/{why['alert']['incident']}/ack")
        why = self.ask(labels={"alertname": "Told"})
        self.assertIn("acknowledged it at", why["words"])
        self.assertIn("reminders are off", self.step(why, "told", "told")["because"])
        self.step(why, "acknowledgement", "acknowledged")

    def test_a_policy_that_reaches_nobody(self):
        why = self.ask(labels={"alertname": "Nobody", "team": "oncall"})
        self.assertEqual((why["verdict"], why["alert"]["hypothetical"]), ("would not be sent", True), why)
        self.assertIn("there is no policy shop: it pages nobody", why["words"])
        self.alertd.post(V1 + "/people", {"name": "cat"})
        self.alertd.post(V1 + "/people", {"name": "dan", "contacts": [{"method": "webhook", "address": self.hook.url}]})
        self.alertd.post(V1 + "/schedules", {"name": "gap", "zone": "UTC", "layers": [{"name": "once", "shifts": [
            {"person": "dan", "from": "2090-01-06T09:00:00Z", "to": "2090-01-07T09:00:00Z"}]}]})
        self.alertd.post(V1 + "/policies", {"name": "shop", "steps": [
            {"delay_ms": 600000, "targets": [{"schedule": "gap"}, {"person": "cat"}]}]})
        why = self.ask(labels={"alertname": "Nobody", "team": "oncall"})
        self.assertEqual(why["verdict"], "would not be sent", why)
        self.fire(alertname="Nobody", team="oncall")
        why = self.ask(labels={"alertname": "Nobody"})
        self.assertEqual(why["verdict"], "not sent", why["words"])
        self.assertIn("reaches nobody", why["words"])
        self.assertIn("schedule gap", why["words"])
        self.assertIn("nobody is left to page", self.step(why, "escalation", "reaches nobody")["because"])

    def test_refused(self):
        self.fire(alertname="Refused", team="broken")
        why = self.asked_until("refused", labels={"alertname": "Refused"})
        self.assertIn("was refused by broken by webhook: ", why["words"])
        self.assertIn("403", self.step(why, "delivery", "refused")["evidence"]["error"])

    def test_on_the_dashboard_only(self):
        self.fire(alertname="Wall", team="wall")
        why = self.asked_until("not sent", labels={"alertname": "Wall"})
        self.assertIn("on the dashboard only", why["words"])

    def test_a_rule(self):
        self.alertd.push("shop_down 3")
        self.told("Down")
        why = self.asked_until("sent", labels={"alertname": "Down"})
        rule = self.step(why, "rule", "fires")
        self.assertEqual((rule["evidence"]["expr"], rule["evidence"]["value"]), ("shop_down > 0", 3))
        fired_at = time.time()
        why = self.asked_until("waiting", labels={"alertname": "Lasting"})
        self.assertIn("must hold for 1h", self.step(why, "rule", "pending")["because"])
        time.sleep(1.2)
        self.alertd.push("shop_down 0")
        until(lambda: self.ask(labels={"alertname": "Down"})["alert"]["state"] == "over", what="it is over")
        why = self.ask(labels={"alertname": "Down"})
        self.assertEqual(why["verdict"], "sent", why["words"])
        self.assertIn("it is over since", why["words"])
        until(lambda: self.ask(labels={"alertname": "Lasting"}, status=200)["alert"]["state"] != "pending", what="not pending")
        time.sleep(2.1)
        past = self.ask(labels={"alertname": "Lasting"}, at=fired_at)
        self.assertEqual(past["alert"]["state"], "hypothetical")  # of what never fired no row stays: its labels are asked
        self.assertIn("The rule Lasting (group shop) did not find these labels", self.step(past, "rule")["because"])
        past = self.ask(labels={"alertname": "Down"}, at=fired_at)
        self.assertEqual((past["alert"]["state"], past["verdict"]), ("firing", "sent"), past)
        past = self.ask(labels={"alertname": "Down"}, at=fired_at - 3600)
        self.assertNotEqual(past["verdict"], "sent", past)

    def test_what_was_never_seen_is_supposed(self):
        why = self.ask(labels={"alertname": "Never", "team": "slow"})
        self.assertEqual((why["verdict"], why["alert"]["hypothetical"]), ("would be sent", True))
        self.assertEqual(why["words"], "Never would be sent to slow.")
        self.fire(alertname="Sent2", severity="page")
        self.assertTrue(self.ask(labels={"alertname": "Sent2"}, supposed="true")["alert"]["hypothetical"])

    def test_one_receiver(self):
        self.fire(alertname="One")
        why = self.asked_until("sent", labels={"alertname": "One"}, receiver="ops")
        self.assertEqual(self.ask(labels={"alertname": "One"}, receiver="slow")["words"],
                         "One was not sent: no route of it leads to receiver slow.")
        self.assertEqual({step["receiver"] for step in why["steps"]}, {None, "ops"})

    def test_questions_that_cannot_be_answered(self):
        for parameters, status, words in (
                ({"fingerprint": "0123456789abcdef"}, 404, "no alert with fingerprint 0123456789abcdef is known"),
                ({"incident": "INC-1999-0001"}, 404, "INC-1999-0001"),
                ({}, 400, "one of fingerprint, labels and incident"),
                ({"fingerprint": "a", "incident": "b"}, 400, "one of fingerprint, labels and incident"),
                ({"labels": {"a": "b"}, "at": "noon"}, 400, "at: expected a time like"),
                ({"labels": {"a": "b"}, "at": stamp(time.time() + 3600)}, 400, "at: lies ahead"),
                ({"labels": {"a": "b"}, "receiver": "nobody"}, 400, 'receiver: there is none called "nobody"'),
                ({"labels": {"a": 1}}, 400, "labels: "),
                ({"labels": {}}, 400, "labels: at least one"),
                ({"incident": "a", "supposed": "true"}, 400, "supposed: ")):
            with self.subTest(parameters=parameters):
                self.assertIn(words, self.ask(status=status, **parameters)["error"])
        reply = self.alertd.call("GET", V1 + "/why?" + urllib.parse.urlencode({"labels": 'a=~"b.*"'}))
        self.assertEqual(reply.status, 400)
        self.assertIn("only name=", reply.text)

    def test_before_the_oldest_config(self):
        why = self.ask(labels={"alertname": "Never"}, at=1000000000)
        self.assertIn("not known: the config of that time is older", self.step(why, "config", "not known")["because"])

    def test_at_the_shell(self):
        self.fire(alertname="Shell", node="x")
        why = self.asked_until("sent", labels={"alertname": "Shell"})
        for argument in (["alertname=Shell", "node=x"], [why["alert"]["fingerprint"]], [why["alert"]["incident"]]):
            shown = alertctl("why", *argument, alertd=self.alertd).stdout
            self.assertTrue(shown.startswith("sent: Shell was sent to ops"), shown)
            self.assertIn("+ rule            fires               Shell fires", shown)
            self.assertNotIn("\033", shown)
        self.assertEqual(json.loads(alertctl("why", "alertname=Shell", "--json", alertd=self.alertd).stdout)["verdict"], "sent")
        self.assertIn("name an incident", alertctl("why", "Shell", alertd=self.alertd, check=False).stderr)
        self.assertIn("at: lies before 1970", alertctl("why", "a=b", "--at=1900-01-01T00:00:00Z", alertd=self.alertd, check=False).stderr)


if __name__ == "__main__":
    unittest.main()
