"""Escalation of an incident over people: a real alertd, two people whose contacts are webhooks. Whoever
is on call is paged, then the next one; an acknowledgement stops it, and being killed between two
steps costs no page and sends none twice.
"""

import pathlib
import sys
import tempfile
import time
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
        return reply.json if reply.body else None

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

    def test_the_report_counts_people_by_their_own_nights_and_their_turns(self):
        """Ana's clock shows two in the morning, Bob's noon; the schedule is changed after the pages."""
        hour = time.gmtime().tm_hour
        zones = {name: f"Etc/GMT{(hour - wall + 11) % 24 - 11:+d}" for name, wall in (("ana", 2), ("bob", 12))}
        self.roster()
        for name, hook in (("ana", self.ana), ("bob", self.bob)):
            revision = self.send("GET", f"/people/{name}", status=200)["revision"]
            self.send("PUT", f"/people/{name}?revision={revision}", {"name": name, "zone": zones[name],
                      "contacts": [{"method": "webhook", "address": hook.url}]}, status=200)
        self.fire()
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the second step")
        until(lambda: sum(row["state"] == "sent" for row in self.incident()["notifications"]) >= 2, what="both are marked")
        web = self.send("GET", "/schedules/web", status=200)
        spec = {key: value for key, value in web["spec"].items() if key != "overrides"}
        spec["layers"][0]["rotation"]["people"] = ["bob"]
        self.send("PUT", f"/schedules/web?revision={web['revision']}", spec, status=200)
        report = self.alertd.get(f"{V1}/report")
        self.assertEqual({("ana", True, 1, 1), ("bob", True, 1, 0)},
                         {(one["who"], one["is_person"], one["pages"], one["night_pages"]) for one in report["people"]})
        self.assertEqual([("ana", "web", 1, 1), ("bob", "web", 0, 0)],
                         [(one["who"], one["schedule"], one["pages"], one["night_pages"]) for one in report["shifts"]])
        self.assertEqual(report["shifts"][0]["to"], report["shifts"][1]["from"])
        self.assertEqual(2, sum(day["pages"] for day in report["days"]))
        text = alertctl("report", alertd=self.alertd).stdout
        self.assertRegex(text, r"Shifts\n.*\n +\w+ \S+ \S+ +ana +web +1 +1 +1\n")

    def test_the_log_says_what_became_of_every_page(self):
        self.roster(delay_ms=1000)
        self.fire()
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the second step")
        key = self.incident()["key"]
        log = lambda more="": self.alertd.get(f"{V1}/deliveries?{more}")["deliveries"]
        until(lambda: len(log("state=sent")) == 2, what="both are marked")
        newest, oldest = log()
        self.assertEqual([("bob", None), ("ana", None)], [(one["person"], one["receiver"]) for one in (newest, oldest)])
        self.assertEqual((key, "webhook", "page", "escalation", "sent", 1, None), tuple(oldest[name] for name in
                         ("incident", "kind", "lane", "reason", "state", "attempts", "acknowledged_at")))
        self.assertEqual([oldest["id"]], [one["id"] for one in log(f"before={newest['id']}")])
        self.assertEqual([newest["id"]], [one["id"] for one in log("person=bob")])
        self.assertEqual(([], []), (log("person=eve"), log("state=failed")))
        self.assertEqual([newest["id"]], [one["id"] for one in log("limit=1")])
        for wrong, words in (("state=gone", "state"), ("limit=0", "limit"), ("before=x", "before"), ("person=a&receiver=b", "person")):
            reply = self.alertd.call("GET", f"{V1}/deliveries?{wrong}")
            self.assertEqual((400, True), (reply.status, words in reply.text), wrong)
        self.send("POST", f"/incidents/{key}/snooze", {"duration_ms": 3600000}, status=200)
        (escalation,) = self.incident()["escalations"]
        self.assertEqual(("shop", "snoozed", "first admin", 2), tuple(escalation[name] for name in ("policy", "status", "person", "steps")))
        self.assertGreater(escalation["next_at"], oldest["sent_at"])
        of_it = self.alertd.get(f"{V1}/incidents/{key}/deliveries")["deliveries"]
        self.assertEqual(["first admin"] * 2, [one["acknowledged_by"] for one in of_it if one["state"] == "sent"])
        self.send("POST", f"/incidents/{key}/takeover", status=200)
        self.assertEqual("taken", self.incident()["escalations"][0]["status"])

    def test_what_failed_while_somebody_acknowledged_pages_nobody(self):
        """An attempt under way cannot be taken back; that it failed is no reason to page once more. Nor is a kill."""
        self.roster(delay_ms=600000)
        for kill in (False, True):
            with self.subTest(kill=kill):
                name, n = f"Down{kill}", len(self.ana.calls)
                self.ana.hang, self.ana.answer = 3, lambda n: 503
                self.alertd.post("/api/v2/alerts", [{"labels": {"alertname": name}, "endsAt": "2099-01-01T00:00:00Z"}])
                self.ana.wait(lambda calls: len(calls) == n + 1, what="an attempt")
                (key,) = [one["key"] for one in self.alertd.get(f"{V1}/incidents?status=open")["incidents"] if name in one["title"]]
                self.send("POST", f"/incidents/{key}/ack", status=200)
                if kill:
                    self.alertd.kill()
                    self.alertd.start()
                rows = lambda: [one["state"] for one in self.alertd.get(f"{V1}/incidents/{key}")["notifications"]]
                until(lambda: rows() == ["superseded"], what="it is not needed any more")
                self.ana.hang = 0
                time.sleep(4)  # an attempt that failed first is tried again within two seconds
                self.assertEqual(len(self.ana.calls), n + 1)

    def test_its_events_are_data_too(self):
        self.roster(delay_ms=1000)
        self.fire()
        self.bob.wait(lambda calls: len(calls) == 1, what="the page of the second step")
        key = self.incident()["key"]
        self.send("POST", f"/incidents/{key}/snooze", {"duration_ms": 3600000}, status=200)
        events = [event for event in self.incident()["timeline"] if event["kind"] == "escalation"]
        self.assertEqual(events[0]["data"], {"policy": "shop", "move": "page", "step": 1, "round": 1,
                                             "targets": [{"kind": "schedule", "name": "web", "person": "ana"}]})
        self.assertEqual((events[1]["data"]["step"], events[1]["data"]["targets"]), (2, [{"kind": "person", "name": "bob", "person": "bob"}]))
        snooze = next(event for event in events if event["data"].get("deed"))
        self.assertEqual((snooze["data"]["policy"], snooze["data"]["deed"], snooze["data"]["until"][:4].isdigit()), ("shop", "snooze", True))
        self.assertRegex(snooze["text"], r"^snoozed until (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC: nobody is paged before$")

    def test_an_override_that_was_taken_back_counts_until_then(self):
        self.roster()
        soon = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        made = self.send("POST", "/schedules/web/overrides", {"person": "bob", "from": soon(-3600), "to": soon(3600)})
        time.sleep(1.5)
        self.send("DELETE", f"/schedules/web/overrides/{made['id']}", status=204)
        time.sleep(1.5)
        shifts = self.alertd.get(f"{V1}/report")["shifts"]
        self.assertEqual([one["who"] for one in shifts], ["bob", "ana"])
        self.assertEqual(shifts[0]["to"], shifts[1]["from"])

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
