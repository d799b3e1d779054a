"""What an incident teaches, from the outside: what would have fired earlier by its own samples, where detection went,
what budgets burnt, what held and told nobody; and all of it in the documents, with every number in facts.json.
"""

import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, until
from receivers import Webhook

API = "/api/alertd/v1"
FIRES = """groups:
  - name: g
    interval: 2s
    rules:
      - {alert: DiskFills, expr: 'disk_free_ratio < 0.1', labels: {severity: critical}}
      - {alert: DiskBusy, expr: 'disk_busy_ratio > 0.9', for: 2h}
"""
LATER = """groups:
  - name: h
    interval: 2s
    rules:
      - {alert: DiskWillFill, expr: 'disk_free_ratio < 0.3', for: 1m}
      - {alert: OtherHost, expr: 'disk_free_ratio{instance="db-2"} > 0'}
"""
SHOP = {"owner": "shop team", "tier": 1, "description": "sells", "when_down": "orders are lost", "match": {"instance": "db-1"}, "depends_on": ["db"],
        "runbooks": [{"title": "make room", "url": "https://runbooks.example/disk"}],
        "slos": [{"name": "availability", "objective": 0.99, "window": "1d", "good": "sum(rate(shop_good_total[$window]))", "total": "sum(rate(shop_all_total[$window]))"}]}


def numbers(text):
    return set(re.findall(r"\d+", text))


class Learnt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hook = Webhook()
        cls.addClassCleanup(cls.hook.__exit__, None, None, None)
        cls.hook.__enter__()
        config = f"route:\n  receiver: nobody\n  group_wait: 0s\n  routes:\n    - {{matchers: ['severity=critical'], receiver: team}}\nreceivers:\n  - name: nobody\n  - name: team\n    webhook_configs:\n      - {{url: 'http://127.0.0.1:{cls.hook.port}/'}}\n"
        cls.alertd = Alertd(config=config)
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.begin_ms = int(time.time() * 1000) - 1500_000
        cls.alertd.call("PUT", f"{API}/services/shop", SHOP)
        cls.key = cls.incident()

    @classmethod
    def incident(cls):
        """The disk fills for 25 minutes (0.6 down to 0.1, then on), and the rule that watches it is live only then."""
        lines = []
        for i in range(51):
            at = cls.begin_ms + i * 30_000
            lines.append(f'disk_free_ratio{{instance="db-1"}} {0.59 - 0.01 * i:.2f} {at}')
            lines.append(f'disk_free_ratio{{instance="db-2"}} 0.8 {at}')
            lines.append(f'disk_busy_ratio{{instance="db-1"}} {0.95 if i > 10 else 0.1} {at}')
            lines.append(f"shop_all_total {300 * i} {at}")
            lines.append(f"shop_good_total {270 * i} {at}")
        cls.alertd.push("\n".join(lines))
        cls.alertd.import_rules(FIRES)
        find = lambda: cls.alertd.get(f"{API}/incidents?status=all")["incidents"]
        key = until(lambda: find() and find()[0]["key"], 20, "an incident")
        cls.hook.wait(lambda calls: len(calls) >= 1)
        cls.alertd.post(f"{API}/incidents/{key}/ack")
        cls.alertd.post(f"{API}/incidents/{key}/notes", {"text": "deleted old segments"})
        cls.alertd.push('disk_free_ratio{instance="db-1"} 0.7')
        until(lambda: find()[0]["status"] == "resolved", 20, "its end")
        cls.alertd.import_rules(LATER, "h.yml")
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((cls.begin_ms + 600_000) / 1000))
        reply = cls.alertd.call("PUT", f"{API}/incidents/{key}/marks", {"marks": {"impact_start": start}, "reason": "the first customer called then"})
        assert reply.status == 200, reply
        return key

    def test_1_what_would_have_fired_earlier(self):
        reply = self.alertd.call("POST", f"{API}/incidents/{self.key}/look")
        self.assertEqual(reply.status, 200, reply)
        metrics = self.alertd.get(f"{API}/incidents/{self.key}/metrics")
        self.assertEqual(metrics["earlier"], reply.json["earlier"])
        earlier = metrics["earlier"]
        by_rule = {}
        for one in earlier:
            by_rule.setdefault(one["rule"], []).append(one)
            self.assertEqual(one["formula"], "detected \u2212 fired_at")
            self.assertGreater(one["seconds_earlier"], 0, one)
        self.assertNotIn("OtherHost", by_rule, "another host's rule says nothing of this one")

        with self.subTest("a rule that came later, as it is now: below 0.3 at 15 min, and a minute of for"):
            rule = by_rule["DiskWillFill"][0]
            self.assertEqual(rule["setting"], "as it is now")
            fired = rule["fired_at"]
            first = next(i for i in range(51) if 0.59 - 0.01 * i < 0.2999)
            want = self.begin_ms / 1000 + first * 30 + 60
            self.assertLess(abs(self.seconds(fired) - want), 5, fired)
            self.assertEqual([rule[f"{what}_30d{then}"] for what in ("alerts", "pages") for then in ("", "_then")], [1, None, 0, None],
                             "it has no severity, and the route of the others tells nobody")
        with self.subTest("the rule that fired, with an easier threshold: when its own samples pass it"):
            rule = next(one for one in by_rule["DiskFills"] if one["setting"].startswith("threshold "))
            self.assertRegex(rule["setting"], r"^threshold [0-9.]+ instead of 0\.1$")
            threshold = float(rule["setting"].split()[1])
            self.assertIn(str(threshold), rule["query"])
            first = next(i for i in range(51) if round(0.59 - 0.01 * i, 2) < threshold)
            self.assertLess(abs(self.seconds(rule["fired_at"]) - (self.begin_ms / 1000 + first * 30)), 5, rule)
            self.assertEqual([rule[f"{what}_30d{then}"] for what in ("alerts", "pages") for then in ("", "_then")], [1, 1, 1, 1], "its severity pages the team")
        with self.subTest("what held and told nobody"):
            self.assertEqual([one["rule"] for one in metrics["signals"]], ["DiskBusy"])
            self.assertLess(abs(self.seconds(metrics["signals"][0]["breach_at"]) - (self.begin_ms / 1000 + 330)), 5)
        with self.subTest("budgets"):
            burn = metrics["slos"][0]
            self.assertTrue(burn["known"], burn)
            self.assertAlmostEqual(burn["bad"] / burn["total"], 0.1, 2)

    def seconds(self, iso):
        import datetime
        return datetime.datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()

    def test_2_in_the_document(self):
        draft = self.alertd.post(f"{API}/postmortems", {"incident": self.key, "template": "major"})
        facts = self.alertd.get(f"{API}/postmortems/{draft['id']}/facts")
        text = re.sub(r"\\(.)", r"\1", draft["markdown"])
        sections = {one["id"]: re.sub(r"\\(.)", r"\1", one["generated"]) for one in draft["sections"]}

        with self.subTest("every part of the way, with its share"):
            way = facts["detections"][0]
            self.assertEqual([part["step"] for part in way["parts"]], ["Evaluated", "Its for was over, it fired", "Grouped, a page was owed", "Page sent", "Acknowledged"])
            for part in way["parts"]:
                self.assertIn(part["step"], sections["detection"])
                self.assertIn(part["took"]["text"], sections["detection"])
        with self.subTest("earlier, budgets, signals, services"):
            self.assertIn("DiskWillFill", sections["earlier"])
            self.assertIn(facts["would_have"][0]["earlier"]["text"], sections["earlier"])
            self.assertRegex(sections["earlier"], r"\| DiskFills \|.*\| 1, as it was: 1 \| 1, as it was: 1 \|")
            self.assertRegex(sections["earlier"], r"\| DiskWillFill \|.*\| 1 \| 0 \|")
            self.assertIn("availability 99 % in 1d", sections["impact"])
            self.assertIn(facts["slos"][0]["burnt"], sections["impact"])
            self.assertIn("DiskBusy", sections["earlier"])
            self.assertIn("When it is down: orders are lost.", sections["services"])
            self.assertIn("[make room](<https://runbooks.example/disk>)", sections["services"])
        with self.subTest("every number stands in facts.json"):
            known = numbers(json.dumps(facts))
            for section in draft["sections"]:
                self.assertEqual(numbers(section["generated"]) - known, set(), section["id"])
        with self.subTest("no word claims a cause"):
            self.assertNotRegex(text.lower(), r"\b(because|due to|caused by|should have)\b")

    def test_2b_a_row_that_is_moved_takes_its_letter_along(self):
        """In the table, on the graph, in the marks and in the figures."""
        document = next(one["id"] for one in self.alertd.get(f"{API}/postmortems")["postmortems"] if one["incident"] == self.key)
        path = f"{API}/postmortems/{document}"
        graph = self.alertd.get(path)["graphs"][0]["id"]
        letters = lambda: [(row["letter"], row["text"]) for row in self.alertd.get(f"{path}/facts")["timeline"] if row["letter"]]
        drawn = lambda: re.findall(r"<title>([A-Z]): ([^<]*)</title>|>([A-Z])</text>", self.alertd.call("GET", f"{path}/graphs/{graph}.svg").text)
        engaged = lambda: self.alertd.get(f"{path}/facts")["mark"]["response_start"]["ms"]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        note = self.alertd.post(f"{API}/incidents/{self.key}/events", {"events": [{"t": now, "kind": "human.action", "text": "restarted the writer"}]})["events"][0]
        note["text"] = "restarted the writer"
        told, picture, response_ms = letters(), drawn(), engaged()
        self.assertNotEqual(told[0][1], note["text"])
        at_ms = self.begin_ms + 660_000
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000))
        reply = self.alertd.call("POST", f"{API}/incidents/{self.key}/events/{note['id']}/revs", {"op": "retime", "value": at, "reason": "the shell's history says so"})
        self.assertEqual(reply.status // 100, 2, reply)
        self.assertEqual(letters()[0], ("A", note["text"]))
        self.assertNotEqual(drawn(), [])
        self.assertNotEqual(self.alertd.call("GET", f"{path}/graphs/{graph}.svg").text.count(note["text"]), 0)
        self.assertNotEqual(drawn(), picture)
        self.assertEqual(engaged() // 1000, at_ms // 1000, "the response began with it")
        self.assertLess(engaged(), response_ms)

    def test_3_an_incident_that_repeats_it_inherits_what_is_open(self):
        documents = {one["incident"]: one["id"] for one in self.alertd.get(f"{API}/postmortems")["postmortems"]}
        self.alertd.post(f"{API}/postmortems/{documents[self.key]}/actions", {"text": "Grow the disk by itself", "type": "prevent", "tag": "capacity", "owner": "ben"})
        again = self.alertd.post(f"{API}/incidents", {"title": "The disk is full again", "recurrence_of": self.key, "labels": {"instance": "db-1"}})["key"]
        draft = self.alertd.post(f"{API}/postmortems", {"incident": again, "template": "standard"})
        similar = re.sub(r"\\(.)", r"\1", next(one["generated"] for one in draft["sections"] if one["id"] == "similar"))
        self.assertIn(self.key, similar)
        self.assertIn("one repeats the other", similar)
        self.assertIn("Grow the disk by itself", similar)
        facts = self.alertd.get(f"{API}/postmortems/{draft['id']}/facts")
        self.assertEqual([(one["from"], one["owner"]) for one in facts["inherited_actions"]], [(self.key, "ben")])

    def test_5_a_promised_rule_is_done_when_it_fires_earlier_in_this_incident(self):
        documents = {one["incident"]: one["id"] for one in self.alertd.get(f"{API}/postmortems")["postmortems"]}
        promise = {"type": "detect", "tag": "alerting", "owner": "ana", "done_when": "it is live", "due_at": "2030-01-01T00:00:00Z"}

        def done(name, condition):
            draft = f"- alert: {name}\n  expr: {condition}\n"
            made = self.alertd.post(f"{API}/postmortems/{documents[self.key]}/actions", {**promise, "text": name, "rule_draft": draft})
            action = next(one for one in made["actions"] if one["text"] == name)
            self.alertd.import_rules("groups:\n- name: " + name + "\n  rules:\n  " + draft.replace("\n", "\n  "), f"{name}.yml")
            return self.alertd.call("PUT", f"{API}/postmortem-actions/{action['id']}", {"state": "done", "revision": action["revision"]})

        late = done("MuchLater", "disk_free_ratio < 0.02")
        self.assertEqual(late.status, 409, late)
        self.assertIn("it does not fire", late.json["error"])
        with self.subTest("live, and it fires in this incident, but only when it was over"):
            at = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + s))
            self.alertd.post(f"{API}/postmortems/{documents[self.key]}/graphs", {"query": "disk_free_ratio", "from": at(-600), "to": at(20)})  # its last sample too
            same = done("NotEarlier", 'disk_free_ratio{instance="db-1"} > 0.65')
            self.assertEqual(same.status, 409, same)
            self.assertIn("it fires no earlier than the alert did", same.json["error"])
            actions = self.alertd.get(f"{API}/postmortems/{documents[self.key]}")["actions"]
            self.assertEqual([one["state"] for one in actions if one["text"] == "NotEarlier"], ["open"])
        with self.subTest("it would fire earlier, but it is not live"):
            draft = "- alert: NotLive\n  expr: disk_free_ratio < 0.4\n"
            made = self.alertd.post(f"{API}/postmortems/{documents[self.key]}/actions", {**promise, "text": "NotLive", "rule_draft": draft})
            action = next(one for one in made["actions"] if one["text"] == "NotLive")
            self.assertEqual(self.alertd.call("PUT", f"{API}/postmortem-actions/{action['id']}", {"state": "done", "revision": action["revision"]}).status, 409)
        self.assertEqual(done("MuchEarlier", "disk_free_ratio < 0.4").status, 200)

    def test_4_a_near_miss_asks_the_rules(self):
        at = lambda ms: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))
        key = self.alertd.post(f"{API}/incidents", {"title": "The disk was nearly full", "origin": "near_miss", "opened_at": at(self.begin_ms + 1200_000), "resolved_at": at(self.begin_ms + 1500_000)})["key"]
        draft = self.alertd.post(f"{API}/postmortems", {"incident": key})
        self.assertEqual(draft["template"], "near-miss")
        earlier = next(one["generated"] for one in draft["sections"] if one["id"] == "earlier")
        self.assertIn("DiskWillFill", earlier)
        self.assertIn("DiskBusy", next(one["generated"] for one in draft["sections"] if one["id"] == "signals"))

    def test_6_samples_that_are_set_aside_are_named(self):
        at = lambda ms: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))
        self.alertd.stop()
        days = sorted((self.alertd.folder / "samples").glob("????-??-??.db"))
        for day in days:
            day.rename(day.with_name(f"{day.name}.damaged-1"))
        self.alertd.start()
        key = self.alertd.post(f"{API}/incidents", {"title": "Of days that are gone", "origin": "near_miss", "opened_at": at(self.begin_ms + 1200_000), "resolved_at": at(self.begin_ms + 1500_000)})["key"]
        draft = self.alertd.post(f"{API}/postmortems", {"incident": key})
        earlier = next(one["generated"] for one in draft["sections"] if one["id"] == "earlier")
        more = f", and {len(days) - 1} more" if len(days) > 1 else ""
        self.assertIn(f"Not all was looked at: partition {days[0].stem} is quarantined ({days[0].name}.damaged-1){more}.", earlier)
        detection = self.alertd.get(f"{API}/incidents/{self.key}/metrics")["detection"]
        self.assertEqual({one["parts"][0]["why"] for one in detection}, {"not all samples of then could be read"})
        graph = self.alertd.post(f"{API}/postmortems/{draft['id']}/graphs", {"query": "vector(1) or disk_free_ratio", "title": "Room"})["graphs"][-1]
        self.assertEqual(graph["title"], f"Room (not all of it could be read: partition {days[0].stem} is quarantined ({days[0].name}.damaged-1){more})")


if __name__ == "__main__":
    unittest.main(verbosity=2)
