"""Past incidents brought through the API give drafts that say what is known and nothing else: their figures are
the published ones, what is not known says so, and every number stands in facts.json.
"""

import json
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd
from test_record import PAST, whole_cases

API = "/api/alertd/v1"
METRIC = {"ttd": "ttd", "tta": "tta", "tt_cause": "diagnose", "ttm": "ttm", "impact": "impact", "ttr": "ttr"}


def numbers(text):
    return set(re.findall(r"\d+", text))


class Drafts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()

    def bring(self, case):
        made = self.alertd.post(f"{API}/incidents", {"title": case.get("title", case["name"]), "origin": "import", "events": case["events"]})
        reply = self.alertd.call("PUT", f"{API}/incidents/{made['key']}/marks", {"marks": case["marks"], "reason": "as published"})
        self.assertEqual(reply.status, 200, reply)
        return made["key"]

    def test_drafts(self):
        for case in PAST + whole_cases():
            with self.subTest(case["name"]):
                key = self.bring(case)
                chosen = self.alertd.get(f"{API}/postmortems/templates?incident={key}")["chosen"]
                self.assertEqual(chosen["id"] == "major", len(case["impacts"]) > 1, chosen)
                draft = self.alertd.post(f"{API}/postmortems", {"incident": key, "template": "standard"})
                facts = self.alertd.get(f"{API}/postmortems/{draft['id']}/facts")
                self.check_figures(case, draft["markdown"], facts)
                self.check_numbers(draft, facts)
                self.check_rows(case, draft["markdown"])
                self.check_share(draft)
                if os.environ.get("WATCHBILL_DRAFTS"):
                    folder = pathlib.Path(os.environ["WATCHBILL_DRAFTS"])
                    for form in ("md", "html"):
                        text = self.alertd.call("GET", f"{API}/postmortems/{draft['id']}/export?format={form}").text
                        (folder / f"{case['name']}.{form}").write_text(text)

    def check_figures(self, case, text, facts):
        for name, minutes in case["minutes"].items():
            metric = facts["metric"][METRIC[name]]
            self.assertEqual(metric["known"], minutes is not None, name)
            if minutes is None:
                self.assertRegex(metric["text"], r"^not known \(mark [a-z_]+ is not set: .+\)$")
            else:
                self.assertEqual(round(metric["s"] / 60), minutes, name)
            row = next(line for line in text.splitlines() if line.startswith(f"| {metric['title']} |") and "\u2212" in line)
            self.assertIn(metric["text"] if minutes is not None else "not known", row.replace("\\", ""))
        impacts = [(one["scope"], one["start"]["iso"][:16], one["end"]["iso"][:16] if one["end"]["known"] else None) for one in facts["impacts"]]
        self.assertEqual(impacts, [(one["scope"], one["start"][:16], one["end"] and one["end"][:16]) for one in case["impacts"]])

    def check_numbers(self, draft, facts):
        """A number without a source is an invention: all digits of what facts say are digits of facts.json."""
        known = numbers(json.dumps(facts))
        for section in draft["sections"]:
            self.assertEqual(numbers(section["generated"]) - known, set(), section["id"])

    def check_rows(self, case, text):
        for event in case["events"]:
            words = re.sub(r"\s+", " ", event["text"])
            self.assertIn(words[:60], re.sub(r"\\(.)", r"\1", text))
            if event.get("conflict"):
                self.assertIn(f"(another source: {event['conflict']})", text)

    def check_share(self, draft):
        """At least three quarters of the sections need nobody."""
        sections = [one for one in draft["sections"] if one["id"] != "head"]
        machine = sum(1 if one["mode"] == "generated" else 0.5 if one["generated"].strip() else 0 for one in sections)
        self.assertGreaterEqual(machine / len(sections), 0.75)

    def test_a_human_row_is_moved_and_everything_follows(self):
        key = self.bring({**PAST[2], "marks": {}})
        draft = self.alertd.post(f"{API}/postmortems", {"incident": key, "template": "quick"})
        path = f"{API}/postmortems/{draft['id']}"
        before = self.alertd.get(f"{path}/facts")
        rows = self.alertd.get(f"{API}/incidents/{key}/events?limit=500")["events"]
        cause = next(row for row in rows if row["kind"] == "cause.identified" or row["kind"] == "human.observation")
        for section in ("happened", "surprised", "actions"):
            self.alertd.call("PUT", f"{path}/sections/{section}", {"markdown": "x\n", "revision": 1})
        for question in self.alertd.get(path)["questions"]:
            self.alertd.post(f"{path}/answers", {"question": question["text"], "answer": "not known"})
        published = self.alertd.post(f"{path}/publish", {"alone": True})
        start = next(row for row in rows if row["kind"] == "impact.start")
        reply = self.alertd.call("POST", f"{API}/incidents/{key}/events/{start['id']}/revs", {"op": "retime", "value": "2019-07-02T13:40:00Z", "reason": "the log says so"})
        self.assertEqual(reply.status // 100, 2, reply)
        after = self.alertd.get(f"{API}/incidents/{key}/facts")
        self.assertEqual(after["metric"]["impact"]["s"] - before["metric"]["impact"]["s"], 120)
        self.assertEqual(self.alertd.get(path)["markdown"], published["markdown"])
        self.assertTrue(self.alertd.get(f"{path}/versions/1")["unchanged"])
        trends = self.alertd.get(f"{API}/postmortems/trends?year=2019")
        self.assertEqual([(one["incident"], one["ttr"]) for one in trends["postmortems"]], [(key, before["metric"]["ttr"]["s"])])
        review = self.alertd.call("GET", f"{API}/postmortems/trends?year=2019&format=md").text
        self.assertIn(key, review)
        self.assertIn("| Time to resolve | 1 of 1 |", review)
        self.assertEqual(self.alertd.get(f"{API}/postmortems/trends?year=2018")["postmortems"], [])
        self.assertEqual(self.alertd.call("GET", f"{API}/postmortems/trends?year=x").status, 400)
        self.alertd.post(f"{path}/status", {"status": "draft"})
        self.assertIn("13:40", self.alertd.get(path)["markdown"])
        self.assertTrue(cause)

    def publish_with(self, key, factors):
        draft = self.alertd.post(f"{API}/postmortems", {"incident": key, "template": "standard"})
        path = f"{API}/postmortems/{draft['id']}"
        words = {"factors": factors, "summary": "It was short.", "actions": "None, because it is a test.", "lessons": "Nothing."}
        for section in draft["sections"]:
            if section["mode"] == "human":
                reply = self.alertd.call("PUT", f"{path}/sections/{section['id']}", {"markdown": words.get(section["id"], "x"), "revision": section["revision"]})
                self.assertEqual(reply.status, 200, reply)
        for question in self.alertd.get(path)["questions"]:
            self.alertd.post(f"{path}/answers", {"question": question["text"], "answer": "not known"})
        return self.alertd.post(f"{path}/publish", {"alone": True})

    def test_services_and_factors_over_a_year(self):
        for name, match in (("shop", {"service": "shop"}), ("stock", {"team": "stock"})):
            reply = self.alertd.call("PUT", f"{API}/services/{name}", {"description": "it sells", "match": match})
            self.assertEqual(reply.status, 200, reply)
        made = [("2015-03-01T10:00:00Z", {"service": "shop"}), ("2015-03-31T23:59:00Z", {"service": "shop", "team": "stock"}),
                ("2015-04-01T00:00:00Z", {"service": "shop"}), ("2015-12-31T23:00:00Z", {"service": "other"}), ("2016-01-01T00:00:00Z", {"service": "shop"})]
        keys = []
        for at, labels in made:
            events = [{"t": at, "kind": "impact.start", "text": "it began"}, {"t": at, "kind": "impact.end", "text": "it ended"}]
            keys.append(self.alertd.post(f"{API}/incidents", {"title": f"of {at}", "origin": "import", "labels": labels, "events": events})["key"])
        self.publish_with(keys[0], "- The batch had no limit. #Capacity #code\n- Nobody saw the queue grow. #monitoring\n")
        second = self.publish_with(keys[2], "- No limit again. #capacity\n- The fan was loud\n")
        trends = self.alertd.get(f"{API}/postmortems/trends?year=2015")
        self.assertEqual([(one["service"], one["n"], {i + 1: n for i, n in enumerate(one["months"]) if n}) for one in trends["services"]],
                         [("shop", 3, {3: 2, 4: 1}), ("", 1, {12: 1}), ("stock", 1, {3: 1})])
        self.assertEqual([(one["tag"], one["n"], {i + 1: n for i, n in enumerate(one["months"]) if n}) for one in trends["factors"]],
                         [("capacity", 2, {3: 1, 4: 1}), ("", 1, {4: 1}), ("code", 1, {3: 1}), ("monitoring", 1, {3: 1})])
        self.assertEqual(trends["factors"][0]["said"], [{"postmortem": second["id"] - 1, "incident": keys[0], "text": "The batch had no limit."},
                                                        {"postmortem": second["id"], "incident": keys[2], "text": "No limit again."}])
        self.assertEqual(trends["factors_in"], 2)
        review = self.alertd.call("GET", f"{API}/postmortems/trends?year=2015&format=md").text
        self.assertIn("| shop |  |  | 2 | 1 |  |  |  |  |  |  |  |  | 3 |", review)
        self.assertIn("| capacity |  |  | 1 | 1 |", review)
        self.assertIn(f"- No limit again. ({keys[2]})", review)
        page = self.alertd.call("GET", f"{API}/postmortems/trends?year=2015&format=html").text
        self.assertIn("<h1>Review of 2015</h1>", page)
        self.assertNotRegex(page, r"(src|srcset)=|@import|url\(|<script|<link")
        self.assertEqual(self.alertd.call("GET", f"{API}/postmortems/trends?year=2015&format=pdf").status, 400)
        # a correction that is not published yet changes nothing
        path = f"{API}/postmortems/{second['id']}"
        self.alertd.post(f"{path}/status", {"status": "draft"})
        section = next(one for one in self.alertd.get(path)["sections"] if one["id"] == "factors")
        self.alertd.call("PUT", f"{path}/sections/factors", {"markdown": "- Another. #slo\n", "revision": section["revision"]})
        self.assertEqual(self.alertd.get(f"{API}/postmortems/trends?year=2015")["factors"], trends["factors"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
