"""A store of which days are set aside as damaged: who answers with what is left says what is missing. The tuner has
test_tune_missing.py.
"""

import json
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl, until

OURS = "/api/alertd/v1"
BLOCK = "Not all of it could be read:"
DAY_S = 86400
RULES = """groups:
- name: shop
  interval: 1s
  rules:
  - alert: Slow
    expr: slow > 0
"""
LINTED = """groups:
- name: linted
  rules:
  - alert: Unseen
    expr: no_such_metric > 1
"""
SHOP = {"match": {"job": "shop"}, "slos": [{
    "name": "availability", "objective": 0.99, "window": "2d", "good": 'sum(rate(requests_total{code="200"}[$window]))', "total": "sum(rate(requests_total[$window]))"}]}


def stamp(at_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


class NotRead(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=30d"])
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.now_s = int(time.time())
        cls.push_all()
        cls.alertd.import_rules(RULES, "shop.yml")
        cls.alertd.call("PUT", f"{OURS}/services/shop", SHOP)
        cls.key, cls.looked_at = (cls.alertd.call("POST", f"{OURS}/incidents", {
            "title": "Orders fail", "labels": {"job": "shop"}, "origin": "import", "events": [
                {"t": stamp(cls.now_s - 2000), "kind": "impact.start", "text": "it begins"}, {"t": stamp(cls.now_s - 1000), "kind": "impact.end", "text": "it ends"}]}).json["key"] for _ in range(2))
        cls.alertd.post(f"{OURS}/incidents/{cls.looked_at}/look")
        cls.fingerprint = until(lambda: cls.alertd.get("/api/v2/alerts"), what="the alert fires")[0]["fingerprint"]
        cls.then = stamp(cls.now_s - 1800)
        cls.whole = cls.answers()
        cls.alertd.stop()
        cls.words = cls.set_aside()
        cls.alertd.start()

    @classmethod
    def push_all(cls):
        lines = [f'alert_agent_probe_info{{agent="web-1",probe="home",kind="http",target="http://web-1"}} 1 {(cls.now_s - 600) * 1000}\n', f"slow 1 {cls.now_s * 1000}\n"]
        for at in range(cls.now_s - DAY_S // 2, cls.now_s, 60):
            lines += [f'requests_total{{code="{code}"}} {(at - cls.now_s + DAY_S) * pace} {at * 1000}\n' for code, pace in (("200", 9), ("500", 1))]
        cls.alertd.push("".join(lines))

    @classmethod
    def set_aside(cls):
        """All days there are: at midnight the last hour lies in two of them."""
        days = sorted((cls.alertd.folder / "samples").glob("????-??-??.db"))
        for day in days:
            day.rename(day.with_name(f"{day.name}.damaged-1"))
        return [f"partition {day.stem} is quarantined ({day.name}.damaged-1)" for day in days]

    @classmethod
    def why(cls):
        return cls.alertd.get(f"{OURS}/why?fingerprint={cls.fingerprint}&at={cls.then}")

    @classmethod
    def answers(cls):
        return {"agents": cls.alertd.get(f"{OURS}/agents"), "why": cls.why(), "related": cls.alertd.get(f"{OURS}/incidents/{cls.key}/related")}

    def test_a_store_that_is_whole_says_nothing(self):
        self.assertEqual(self.whole["agents"]["warnings"], [])
        self.assertEqual(self.whole["why"]["warnings"], [])
        self.assertEqual(self.whole["related"]["slos"][0]["warnings"], [])

    def named(self, answer):
        self.assertTrue(answer["warnings"], answer)
        self.assertLessEqual(set(answer["warnings"]), set(self.words))

    def test_agents(self):
        self.named(self.alertd.get(f"{OURS}/agents"))
        shown = alertctl("agents", alertd=self.alertd).stdout
        self.assertIn(f"{BLOCK}\n  {self.words[-1]}\n", shown)
        self.assertEqual(shown.count(self.words[-1]), 1)

    def test_why(self):
        """That nobody saw it is no sign that it was quiet."""
        self.assertEqual(self.whole["why"]["alert"]["state"], "inactive")
        found = self.why()
        self.named(found)
        self.assertEqual(found["alert"]["state"], "not known")
        self.assertIn("not all samples of that time could be read", found["steps"][0]["because"])
        shown = alertctl("why", self.fingerprint, f"--at={self.then}", alertd=self.alertd).stdout
        self.assertIn(f"\n{BLOCK}\n  {found['warnings'][0]}\n", shown)

    def test_what_an_incident_burnt(self):
        slo = self.alertd.get(f"{OURS}/incidents/{self.key}/related")["slos"][0]
        more = f", and {len(self.words) - 1} more" if len(self.words) > 1 else ""
        self.assertTrue(self.whole["related"]["slos"][0]["known"])
        self.assertEqual((slo["known"], slo["warnings"]), (False, [f"{self.words[0]}{more}"]))
        self.alertd.post(f"{OURS}/incidents/{self.key}/look")
        kept = self.alertd.get(f"{OURS}/incidents/{self.key}/metrics")["slos"][0]
        self.assertEqual(kept["warnings"], slo["warnings"])
        document = self.alertd.call("POST", f"{OURS}/postmortems", {"incident": self.key, "template": "standard"}).json
        told = self.alertd.call("GET", f"{OURS}/postmortems/{document['id']}/export?format=md").text
        self.assertIn(f"not all of it could be read: {self.words[0]}", told.replace("\\", ""))

    def test_what_was_whole_is_kept(self):
        path = f"{OURS}/incidents/{self.looked_at}"
        before = self.alertd.get(f"{path}/metrics")["slos"]
        self.assertEqual((before[0]["known"], before[0]["warnings"]), (True, []))
        self.alertd.post(f"{path}/look")
        self.assertEqual(self.alertd.get(f"{path}/metrics")["slos"], before)

    def test_check_rules(self):
        rules = pathlib.Path(self.scratch.name) / "linted.yml"
        rules.write_text(LINTED)
        done = alertctl("check", "rules", rules, f"--url={self.alertd.url}", check=False)
        self.assertIn(f"\n{BLOCK}\n  {self.words[0]}\n", done.stderr)
        self.alertd.stop()
        try:
            done = alertctl("check", "rules", rules, f"--store={self.alertd.folder}", check=False)
            self.assertIn(f"\n{BLOCK}\n  {self.words[0]}\n", done.stderr)
            done = alertctl("check", "rules", rules, f"--store={self.alertd.folder}", "--json", check=False)
            self.assertEqual(json.loads(done.stdout)["not_read"], self.words)
            self.assertEqual(json.loads(alertctl("check", "rules", rules, "--json", check=False).stdout)["not_read"], [])
        finally:
            self.alertd.start()


if __name__ == "__main__":
    unittest.main()
