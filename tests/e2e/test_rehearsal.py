"""A rehearsal end to end, with nothing drilled: a real agent probes a real target, which fails; it pages, somebody
acknowledges, thinks two things, a deploy is told, something is done, it is over. Then the standard draft is read: what did nobody
have to write?
"""

import json
import os
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Agent, Alertd, request, until
from receivers import Webhook
from test_loop import AGENT, Shop

API = "/api/alertd/v1"
RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: ShopDown
        expr: probe_success{job="blackbox"} < 1
        for: 3s
        labels: {severity: sev2}
        annotations:
          summary: '{{ $labels.instance }} does not answer'
          runbook_url: http://runbooks.test/shop
"""
CONFIG = """
receivers:
  - name: team
    webhook_configs:
      - url: {hook}
route:
  receiver: team
  group_by: [alertname, job]
  group_wait: 0s
  group_interval: 1s
"""
SERVICE = {"owner": "shop team", "match": {"job": "blackbox"}, "when_down": "nobody can order", "runbooks": [{"title": "restart", "url": "http://runbooks.test/shop"}],
           "slos": [{"name": "answers", "objective": 0.9, "window": "1d", "good": 'sum(avg_over_time(probe_success{job="blackbox"}[$window]))', "total": 'count(last_over_time(probe_success{job="blackbox"}[$window]))'}]}
HUMAN = {"summary", "factors", "lessons", "actions"}


class Rehearsal(unittest.TestCase):
    def setUp(self):
        self.shop = Shop().open()
        self.addCleanup(self.shop.shut)
        self.hook = self.enterContext(Webhook())
        self.alertd = self.enterContext(Alertd(config=CONFIG.format(hook=self.hook.url)))
        self.alertd.import_rules(RULES)
        push = self.alertd.make_token("agent web-1", "push", agent="web-1")
        self.pipeline = self.alertd.make_token("pipeline", "push")
        self.agent = self.enterContext(Agent(AGENT.format(url=self.alertd.url, token=push, shop=self.shop.port)))
        reply = self.alertd.call("PUT", f"{API}/services/shop", SERVICE)
        self.assertLess(reply.status, 300, reply)

    def told(self, *events):
        return self.alertd.post(f"{API}/incidents/{self.key}/events", {"events": [{"t": self.now(), **event} for event in events]})["events"]

    def now(self):
        now = time.time()
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"

    def run_the_incident(self):
        up = lambda: self.alertd.query('probe_success{job="blackbox"}')
        until(lambda: 1.0 in up().values(), 30, "the shop answers")
        self.shop.shut()
        incidents = lambda: self.alertd.get(f"{API}/incidents?status=all")["incidents"]
        self.key = until(lambda: incidents() and incidents()[0]["key"], 60, "an incident")
        self.hook.wait(lambda calls: len(calls) >= 1, 30)
        self.alertd.post(f"{API}/incidents/{self.key}/ack")
        wrong, right = self.told({"kind": "human.hypothesis", "text": "the network is down"}, {"kind": "human.hypothesis", "text": "the new release does not start"})
        self.look_around()
        self.told({"kind": "hypothesis.refuted", "text": "ping answers", "about": wrong["id"]})
        reply = request("POST", f"{self.alertd.url}/api/v1/events", {"text": "shop v42 is out", "service": "shop", "ref": "deploy 42"}, {"Authorization": f"Bearer {self.pipeline}"})
        self.assertIn(reply.status, (200, 202), reply)
        self.told({"kind": "hypothesis.confirmed", "text": "v42 exits at once", "about": right["id"]}, {"kind": "cause.identified", "text": "v42 needs a setting that is not there"})
        self.told({"kind": "mitigation.applied", "text": "rolled back to v41", "outcome": "worked"})
        self.shop.open()
        until(lambda: incidents()[0]["status"] == "resolved", 60, "its end")

    def look_around(self):
        """What a responder asks of the samples is on the timeline of the incident they are at, once; what somebody else asks is not."""
        query = 'probe_duration_seconds{job="blackbox"}'
        other = self.alertd.make_token("ben", "read", "operate")
        asked = request("POST", f"{self.alertd.url}{API}/queries", {"query": "up"}, {"Authorization": f"Bearer {other}"})
        self.assertEqual((asked.status, asked.json["incidents"]), (200, []), asked)
        for _ in range(2):
            self.assertEqual(self.alertd.post(f"{API}/queries", {"query": query})["incidents"], [self.key])
        self.assertEqual(self.alertd.call("POST", f"{API}/queries", {"query": "up =="}).status, 400)
        rows = self.alertd.get(f"{API}/incidents/{self.key}/events?kinds=query.run&level=raw")["events"]
        self.assertEqual([(row["text"], row["evidence"]["query"]) for row in rows], [(query, query)])

    def test_what_nobody_has_to_write(self):
        self.run_the_incident()
        draft = self.alertd.post(f"{API}/postmortems", {"incident": self.key, "template": "standard"})
        facts = self.alertd.get(f"{API}/postmortems/{draft['id']}/facts")
        sections = {one["id"]: one for one in draft["sections"] if one["id"] != "head"}

        with self.subTest("only the prompts are left for people"):
            self.assertEqual({name for name, one in sections.items() if one["state"] == "needs_you" or one["open_prompts"]}, HUMAN)
        with self.subTest("every mark that such an incident has is known"):
            known = {name for name, mark in facts["mark"].items() if mark["known"]}
            self.assertEqual({"impact_start", "detected", "paged", "acked", "response_start", "cause_identified", "mitigated", "resolved"}, known)
            self.assertTrue(all(metric["known"] for metric in facts["metric"].values()))
        with self.subTest("what happened is in it"):
            text = re.sub(r"\\(.)", r"\1", draft["markdown"])
            for words in ("shop v42 is out", "the network is down", "hypothesis, refuted", "hypothesis, confirmed", "rolled back to v41", "Its for was over, it fired", "answers 90 % in 1d"):
                self.assertIn(words, text)
            digits = lambda words: set(re.findall(r"\d+", words))
            for name, section in sections.items():
                self.assertEqual(digits(section["generated"]) - digits(json.dumps(facts)), set(), name)
            self.assertNotIn("negative", text)
        self.measure(sections)
        with self.subTest("and it is somebody's drill: one click, played, its debrief exported"):
            self.practise()
        if os.environ.get("WATCHBILL_DRAFTS"):
            (pathlib.Path(os.environ["WATCHBILL_DRAFTS"]) / "rehearsal.md").write_text(draft["markdown"])

    def practise(self):
        """Through the API alone; the process that plays it lies beside alertd."""
        name = self.alertd.post(f"{API}/incidents/{self.key}/drill")["name"]
        drill = f"{API}/drills/{self.alertd.post(f'{API}/drills', {'drill': name, 'seed': 1, 'start': 'paused'})['id']}"
        self.alertd.post(f"{drill}/clock", {"state": "running", "speed": 60})
        until(lambda: self.alertd.get(drill)["pages"], 60, "the page comes again")
        self.alertd.post(f"{drill}/clock", {"state": "paused"})
        symptom, wrong, right = "the probe fails", "packets get lost on the network", "the new version lacks a config option"
        acts = ({"kind": "ack"}, *({"kind": "hypothesis", "text": text} for text in (symptom, wrong, right)), {"kind": "do", "text": "revert to v41"})
        for key, act in enumerate(acts):
            self.alertd.post(f"{drill}/acts", {**act, "key": str(key)})
        self.alertd.post(f"{drill}/end")
        score = self.alertd.get(f"{drill}/score")
        clocks = {one["clock"]: one["at_ms"] for one in score["clocks"]}
        for clock in ("ack", "hypothesis", "right", "mitigation"):
            self.assertIsNotNone(clocks[clock], clock)
        verdicts = {one["what"]: one.get("verdict") for one in score["moments"] if one.get("act") == "hypothesis"}
        self.assertEqual(verdicts[right], "good", "whoever says the cause in other words")
        self.assertEqual(verdicts[wrong], "bad")
        self.assertNotEqual(verdicts[symptom], "good", "whoever says what the alert says")
        debrief = self.alertd.call("GET", f"{drill}/debrief.md").text
        self.assertIn("revert to v41", debrief.replace("\\", ""))
        self.assertIn("<svg", self.alertd.call("GET", f"{drill}/debrief.html").text)

    def measure(self, sections):
        """Whole: facts alone; half: facts, and a person's words; nothing: a person's words alone. What leaves nothing in the document is no section."""
        there = {name: one for name, one in sections.items() if one["generated"].strip() or one["open_prompts"]}
        share = {name: (1 if one["mode"] == "generated" else 0.5) if one["generated"].strip() else 0 for name, one in there.items()}
        absent = {name for name in ("comms", "blind") if "is recorded" in there[name]["generated"]}
        self.assertEqual(share["factors"], 0.5, "what was named as a cause while it went on stands there already")
        told = sum(share.values()) - len(absent)
        print(f"sections {len(there)}, by machine {sum(share.values())} ({100 * sum(share.values()) / len(there):.0f} %), of them with more than that nothing is recorded {told} ({100 * told / len(there):.0f} %)")
        self.assertGreaterEqual(sum(share.values()) / len(there), 0.75)


if __name__ == "__main__":
    unittest.main(verbosity=2)
