"""What a setting would have paged, and what a change of rules would: counts by the API, the command line, from a folder, a text
and alertd's own records; exit status and formats for a CI."""

import json
import pathlib
import shutil
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl

RULE = "- alert: Busy\n  expr: load > 5\n  for: 1m\n  labels: {team: shop}\n"
RULES = """groups:
- name: shop
  interval: 1m
  rules:
  - alert: Busy
    expr: load > %s
    for: %s
    labels: {team: shop}
  - alert: Quiet
    expr: load > 1000
"""
CONFIG = """receivers:
- {name: all, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}
- {name: oncall, oncall_configs: [{policy: shop}]}
- {name: nobody, oncall_configs: [{policy: gone}]}
route:
  receiver: all
  group_by: [alertname, host]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
  routes:
  - {matchers: [team=shop], receiver: oncall}
  - {matchers: [team=gone], receiver: nobody}
"""
HOURS = 20
HIGH = ((60, 75, 6), (200, 203, 9), (500, 560, 7), (900, 901, 9))  # minutes from, to, load


class TunePages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        (cls.folder / "alertd.yml").write_text(CONFIG)
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=30d", f"--config.file={cls.folder / 'alertd.yml'}"])
        cls.alertd.start()
        cls.end_s = int(time.time()) // 60 * 60
        cls.begin_s = cls.end_s - HOURS * 3600
        lines = []
        for minute in range(HOURS * 60):
            load = next((load for begin, end, load in HIGH if begin <= minute < end), 1)
            lines.append(f'load{{host="a"}} {load} {(cls.begin_s + minute * 60) * 1000}')
        cls.alertd.push("\n".join(lines))
        (cls.folder / "past.txt").write_text("".join(
            f"{line.rsplit(' ', 1)[0]} {int(line.rsplit(' ', 1)[1]) // 1000}\n" for line in lines) + "# EOF\n")
        for name, threshold, held in (("old", 5, "1m"), ("quieter", 5, "10m"), ("deaf", 8, "10m"), ("same", 5, "1m")):
            (cls.folder / f"{name}.yml").write_text(RULES % (threshold, held))
        for name in ("ana", "bob"):
            cls.alertd.post("/api/alertd/v1/people", {"name": name, "zone": "Asia/Tokyo", "contacts": [
                {"method": "webhook", "address": "http://127.0.0.1:1/"}, {"method": "ntfy", "address": "http://127.0.0.1:1/x"}]})
        cls.alertd.post("/api/alertd/v1/policies", {"name": "shop", "steps": [
            {"delay_ms": 600000, "targets": [{"person": "ana"}]}, {"delay_ms": 600000, "targets": [{"person": "bob"}]}]})

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()
        cls.scratch.cleanup()

    def time(self, minute):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.begin_s + minute * 60))

    def pages(self, **body):
        body = {"yaml": RULE, "from": self.time(5), "to": self.time(HOURS * 60), **body}
        return self.alertd.post("/api/alertd/v1/tunings/pages", body)

    def diff(self, old, new, *options, check=False):
        return alertctl("tune", "diff", self.folder / f"{old}.yml", self.folder / f"{new}.yml", "--from=20h", *options, alertd=self.alertd, check=check)

    def incidents(self, *spans):
        path = self.folder / "bad.csv"
        path.write_text("".join(f"{self.time(begin)},{self.time(end)}\n" for begin, end in spans))
        return f"--incidents={path}"

    def test_three_counts(self):
        """Four times high, one too short for `for`: three alerts; ana is asked first, then bob when nobody answers."""
        found = self.pages(ack_after_ms=None)
        self.assertEqual(found["alerts"], 3)
        people = {person["name"]: person["pages"] for person in found["people"]}
        self.assertEqual(people, {"ana": 3, "bob": 2})  # the second was over before bob's turn
        self.assertEqual(found["n_pages"], 5)
        # each by two ways, and the same people are told the end
        self.assertEqual(found["notifications"], 20)
        self.assertEqual(sum(found["hours"]), 5)
        self.assertEqual({page["kind"] for page in found["pages"]}, {"person"})
        first = found["pages"][0]
        self.assertEqual((first["name"], first["policy"], first["step"], first["ways"]), ("ana", "shop", 1, 2))
        self.assertEqual(first["labels"], {"alertname": "Busy", "host": "a", "team": "shop"})
        fired = self.begin_s + (60 + 1) * 60
        self.assertEqual(first["at"][:19], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(fired + 10)))
        there = time.gmtime(fired + 10 + 9 * 3600)
        self.assertEqual(first["hour"], there.tm_wday * 24 + there.tm_hour)  # in Tokyo
        self.assertEqual(first["night"], there.tm_hour >= 22 or there.tm_hour < 7)

    def test_a_policy_that_is_not_there(self):
        found = self.pages(yaml=RULE.replace("team: shop", "team: gone"))
        self.assertEqual((found["alerts"], found["n_pages"], found["no_policy"]), (3, 0, "gone"))
        self.assertIsNone(self.pages()["no_policy"])
        (self.folder / "gone.yml").write_text((self.folder / "old.yml").read_text().replace("team: shop", "team: gone"))
        shown = alertctl("tune", self.folder / "gone.yml", "--rule=Busy", "--from=20h", "--config=server", alertd=self.alertd).stdout
        self.assertIn("There is no policy gone: a receiver that goes by it pages nobody.", shown)

    def test_who_answers_stops_it(self):
        found = self.pages(ack_after_ms=300000)
        self.assertEqual({person["name"]: person["pages"] for person in found["people"]}, {"ana": 3})
        self.assertEqual(self.pages()["ack_after_ms"], 300000)  # nothing is known of this team

    def test_another_setting(self):
        found = self.pages(threshold=8, for_ms=0)
        self.assertEqual(found["alerts"], 2)
        self.assertEqual(self.pages(for_ms=1200000)["alerts"], 1)
        self.assertEqual(self.pages(threshold=5, keep_ms=3600000 * 10)["alerts"], 1)

    def test_what_is_wrong_is_said(self):
        for body, status, words in (({"yaml": "alert: X\nexpr: up ==\n"}, 400, "yaml: 2:"), ({"yaml": None, "rule": 999}, 404, "no rule 999"),
                                    ({"rule": 7}, 400, "say which"), ({"from": "soon"}, 400, "from:"), ({"for_ms": -1}, 400, "for_ms:"),
                                    ({"ack_after_ms": -3}, 400, "ack_after_ms"), ({"colour": 1}, 400, "colour"), ({"choice": 0}, 400, "choice:"),
                                    ({"yaml": "groups:\n- name: g\n  rules: []\n"}, 400, "no alert")):
            with self.subTest(body=body):
                reply = self.alertd.call("POST", "/api/alertd/v1/tunings/pages", {"yaml": RULE, **body})
                self.assertEqual(reply.status, status, reply)
                self.assertIn(words, reply.text)

    def test_the_command_line_says_the_same(self):
        common = ["--rule=Busy", f"--from={self.time(5)}", f"--to={self.time(HOURS * 60)}", "--json"]
        by_server = json.loads(alertctl("tune", self.folder / "old.yml", *common, "--config=server", alertd=self.alertd).stdout)["pages"]
        self.assertEqual({key: by_server[key] for key in ("alerts", "notifications", "n_pages", "people")},
                         {key: self.pages()[key] for key in ("alerts", "notifications", "n_pages", "people")})
        here = json.loads(alertctl("tune", self.folder / "old.yml", *common, f"--config={self.folder / 'alertd.yml'}", alertd=self.alertd).stdout)["pages"]
        self.assertEqual((here["alerts"], here["n_pages"]), (3, 3))
        self.assertEqual(here["people"][0]["name"], "oncall")  # a file knows no people
        text = alertctl("tune", self.folder / "old.yml", *common[:3], "--config=server", alertd=self.alertd).stdout
        self.assertIn("3 alerts -> 12 notifications -> 3 pages", text)

    def test_a_text_says_what_the_server_says(self):
        common = ["--rule=Busy", f"--from={self.time(5)}", f"--to={self.time(HOURS * 60)}", "--phases", "--json"]
        by_text = json.loads(alertctl("tune", self.folder / "old.yml", *common, f"--openmetrics={self.folder / 'past.txt'}", alertd=None).stdout)
        self.assertEqual(by_text, json.loads(alertctl("tune", self.folder / "old.yml", *common, alertd=self.alertd).stdout))
        self.assertEqual(len(by_text["alerts"]), 3)
        (self.folder / "broken.txt").write_text("load 1\n")
        done = alertctl("tune", self.folder / "old.yml", *common, f"--openmetrics={self.folder / 'broken.txt'}", alertd=None, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken.txt:1:1", done.stderr)

    def test_a_quieter_rule_loses_nothing(self):
        done = self.diff("old", "quieter", self.incidents((495, 600)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("-1 pages in 20 h", done.stdout)
        self.assertIn("loses no incident", done.stdout)
        self.assertIn("for 1m -> 10m", done.stdout)
        found = json.loads(self.diff("old", "quieter", "--format=json", self.incidents((495, 600))).stdout)
        self.assertEqual([rule["rule"] for rule in found["rules"]], ["Busy"])
        self.assertEqual([found["rules"][0][kind] for kind in ("kept", "moved", "gained", "lost")], [0, 2, 0, 1])
        self.assertEqual({row["moved_ms"] for row in found["rules"][0]["rows"] if row["kind"] == "moved"}, {540000})

    def test_a_deaf_rule_fails_the_build(self):
        bad = self.incidents((495, 600), (60, 75))
        done = self.diff("old", "deaf", bad)
        self.assertEqual(done.returncode, 1)
        self.assertIn("LOSES 2 of 2 incidents", done.stdout)
        done = self.diff("old", "deaf", bad, "--format=github")
        self.assertEqual(done.returncode, 1)
        self.assertIn("### Alert rules: -3 pages in 20 h, LOSES 2 of 2 incidents", done.stdout)
        self.assertIn("| Busy | expression, for 1m", done.stdout)
        self.assertIn("\U0001f534 lost", done.stdout)
        suite = xml.etree.ElementTree.fromstring(self.diff("old", "deaf", bad, "--format=junit").stdout)
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("1", "1"))
        self.assertIn("LOSES 2", suite.find("testcase/failure").get("message"))

    def test_another_rule_still_finds_it(self):
        (self.folder / "two.yml").write_text(RULES % (8, "10m") + "  - alert: Other\n    expr: load > 4\n")
        done = self.diff("old", "two", self.incidents((495, 600)))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("shop / Other (new)", done.stdout)
        self.assertIn("loses no incident", done.stdout.splitlines()[0])
        self.assertIn("(gone)", self.diff("two", "old").stdout)

    def test_nothing_changes_and_what_is_wrong(self):
        self.assertEqual(self.diff("old", "same").stdout, "no alert changes.\n")
        self.assertEqual(self.diff("old", "quieter", "--format=xml").returncode, 2)
        (self.folder / "bad.yml").write_text("groups: 1\n")
        done = self.diff("old", "bad")
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad.yml", done.stderr)

    def test_z_records_label_the_past(self):
        """An alert fires now: an incident of another rule counts, that of the rule itself only when somebody says so."""
        self.alertd.post("/api/v2/alerts", [{"labels": {"alertname": "Down", "host": "a"}, "startsAt": self.time(HOURS * 60 - 30)}])
        deadline = time.time() + 20
        while not (labels := self.alertd.get("/api/alertd/v1/tunings/labels")["labels"]) and time.time() < deadline:
            time.sleep(0.2)
        self.assertEqual([(label["kind"], label["counts"], label["labels"]) for label in labels], [("incident", True, {"host": "a"})])
        key = labels[0]["incident"]
        self.assertTrue(self.alertd.get("/api/alertd/v1/tunings/labels?rule=Busy")["labels"][0]["counts"])
        self.assertFalse(self.alertd.get("/api/alertd/v1/tunings/labels?rule=Down")["labels"][0]["counts"])
        text = alertctl("tune", self.folder / "old.yml", "--rule=Busy", "--incidents=server", alertd=self.alertd).stdout
        self.assertIn("0 of 1 incidents found", text)
        text = alertctl("tune", self.folder / "old.yml", "--rule=Busy", f"--incident={key}", alertd=self.alertd).stdout
        self.assertIn("of 1 incidents found", text)
        self.alertd.post(f"/api/alertd/v1/incidents/{key}/verdict", {"verdict": "noise"})
        labels = self.alertd.get("/api/alertd/v1/tunings/labels?rule=Busy")["labels"]
        self.assertEqual([(label["kind"], label["counts"]) for label in labels], [("noise", False)])
        self.alertd.post(f"/api/alertd/v1/incidents/{key}/verdict", {"verdict": "useful"})
        self.assertTrue(self.alertd.get("/api/alertd/v1/tunings/labels?rule=Down")["labels"][0]["counts"])

    def test_zz_days_that_were_copied(self):
        """Last: alertd stops for it. A folder with nothing but copied days of samples is a past to look at."""
        common = ["--rule=Busy", f"--from={self.time(5)}", f"--to={self.time(HOURS * 60)}", "--phases", "--json"]
        before = json.loads(alertctl("tune", self.folder / "old.yml", *common, alertd=self.alertd).stdout)
        self.alertd.stop()
        frozen = self.folder / "frozen"
        (frozen / "samples").mkdir(parents=True)
        for path in (self.alertd.folder / "samples").iterdir():
            shutil.copy(path, frozen / "samples" / path.name)
        after = json.loads(alertctl("tune", self.folder / "old.yml", *common, f"--store={frozen}", alertd=None).stdout)
        self.assertEqual(after, before)
        done = alertctl("tune", "diff", self.folder / "old.yml", self.folder / "deaf.yml", f"--store={frozen}", "--from=20h", "--json", alertd=None)
        self.assertEqual(json.loads(done.stdout)["pages_new"], 0)


if __name__ == "__main__":
    unittest.main()
