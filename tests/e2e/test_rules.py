"""Rules through real programs: checked and tested offline; alive through kill -9, edits and removal."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, Alertd, alertctl, until
from peer_programs import peer

GOOD = "groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 1m}]}]\n"
DOUBTFUL = "groups: [{name: g, rules: [{alert: Down, expr: up, for: 1m}]}]\n"
BROKEN = "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: sum(\n    annotations: {a: '{{ $label.x }}'}\n"


class Offline(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def test_check_exits_with_what_it_found(self):
        rows = (("fine", GOOD, 0), ("doubtful", DOUBTFUL, 3), ("broken", BROKEN, 1))
        for name, text, status in rows:
            with self.subTest(name):
                done = alertctl("check", "rules", self.write(f"{name}.yml", text), check=False)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(alertctl("check", "rules", check=False).returncode, 2)
        self.assertEqual(alertctl("check", "rules", self.folder / "nowhere.yml", check=False).returncode, 1)

    def test_all_errors_with_their_places(self):
        done = alertctl("check", "rules", "--json", self.write("b.yml", BROKEN), check=False)
        findings = json.loads(done.stdout)["findings"]
        self.assertEqual([(f["line"], f["column"]) for f in findings], [(5, 15), (6, 26)])
        self.assertIn("parse error", findings[0]["text"])
        self.assertIn('did you mean "$labels"', findings[1]["text"])

    def test_places_count_characters(self):
        text = ("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: 'up{a=\"é\"} +'\n    annotations:\n"
                "      a: \"é é {{ $label.x }}\"\n      b: |\n        première\n        é {{ $label.x }}\n")
        done = alertctl("check", "rules", "--json", self.write("u.yml", text), check=False)
        self.assertEqual([(f["line"], f["column"]) for f in json.loads(done.stdout)["findings"]], [(5, 23), (7, 18), (10, 14)])

    def test_the_starter_rules_pass_their_own_tests(self):
        packs = sorted(ROOT.glob("rules/*/alerts.yml"))
        self.assertGreaterEqual(len(packs), 3)
        self.assertIn(alertctl("check", "rules", *packs, check=False).returncode, (0, 3))
        alertctl("test", "rules", *sorted(ROOT.glob("rules/*/tests.yml")))

    def failing(self):
        """Two test files over one rule: one passes, one has a check that fails and one that passes."""
        self.write("r.yml", GOOD)
        head = "rule_files: [r.yml]\ntests:\n- name: ones\n  input_series: [{series: up, values: 0x5}]\n  alert_rule_test:\n"
        passes = self.write("passes.yml", head + "  - {eval_time: 0m, alertname: Down}\n")
        fails = self.write("fails.yml", head + "  - {eval_time: 0m, alertname: Down}\n  - {eval_time: 3m, alertname: Down}\n"
                                             "- name: twos\n  promql_expr_test: [{expr: up, exp_samples: []}]\n")
        return passes, fails

    def test_unit_tests_that_fail_say_what_came(self):
        passes, fails = self.failing()
        done = alertctl("test", "rules", fails, passes, check=False)
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], f"{fails}: FAILED (1 of 2 groups; - expected, + got)", done.stdout)
        self.assertEqual(lines[1:4], ['  group "ones", line 3:',
                                      f"    {fails}:7:5: alert Down at 3m: 1 firing and not expected", "      + {}"])
        self.assertIn(f"{passes}: SUCCESS (1 group, 1 check)", lines)
        self.assertRegex(lines[-1], r"^1 file passed, 1 failed \(3 groups, 4 checks, [0-9.]+ s\)$")
        self.assertNotIn("\x1b", done.stdout)

    def test_unit_tests_for_programs(self):
        passes, fails = self.failing()
        found = json.loads(alertctl("test", "rules", "--format=json", passes, fails, check=False).stdout)
        self.assertEqual((found["passed"], found["failed"]), (1, 1))
        self.assertEqual([f["verdict"] for f in found["files"]], ["SUCCESS", "FAILED"])
        failure = found["files"][1]["groups"][0]["failures"][0]
        self.assertEqual((failure["kind"], failure["line"], failure["eval_ms"], failure["subject"], failure["diff"]),
                         ("alert", 7, 180000, "Down", "+ {}\n"))

    def test_unit_tests_for_ci(self):
        passes, fails = self.failing()
        broken = self.write("broken.yml", "tests: [{nmae: x}]\n")
        to = self.folder / "junit.xml"
        done = alertctl("test", "rules", "--format=junit", f"--output={to}", passes, fails, broken, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED", done.stdout)
        root = xml.etree.ElementTree.parse(to).getroot()
        self.assertEqual({name: root.get(name) for name in ("tests", "failures", "errors", "skipped")},
                         {"tests": "5", "failures": "1", "errors": "1", "skipped": "0"})
        case = root.find("./testsuite/testcase/failure/..")
        self.assertEqual((case.get("name"), case.get("line")), ("ones: alert Down at 3m", "7"))
        self.assertEqual(root.find(".//failure").text, "+ {}\n")
        self.assertIn('unknown field "nmae"', root.find(".//error").text)

    def test_unit_tests_for_ci_hold_no_control_characters(self):
        broken = self.write("broken.yml", '"a\\ab": 1\n')
        done = alertctl("test", "rules", "--format=junit", broken, check=False)
        self.assertIn('unknown field "a\\x07b"', xml.etree.ElementTree.fromstring(done.stdout).find(".//error").text)

    def test_only_some_groups(self):
        _, fails = self.failing()
        self.assertEqual(alertctl("test", "rules", "--run=^two", fails, check=False).returncode, 0)
        self.assertEqual(alertctl("test", "rules", "--run=ones|twos", fails, check=False).returncode, 1)
        none = alertctl("test", "rules", "--run=threes", fails, check=False)
        self.assertEqual(none.returncode, 1)
        self.assertIn("no group's name matches", none.stderr)
        self.assertEqual(alertctl("test", "rules", "--run=(", fails, check=False).returncode, 2)
        self.assertEqual(alertctl("test", "rules", "--format=xml", fails, check=False).returncode, 2)


RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {record: "queue:sum", expr: sum by (job) (queue)}
      - {alert: Slow, expr: "queue:sum > 5", for: 8s, labels: {severity: critical}}
      - {alert: Now, expr: "queue > 5"}
      - {alert: Joins, expr: "queue * on (job) pair", labels: {severity: page}}
"""


class Alive(unittest.TestCase):
    def setUp(self):
        self.alertd = Alertd()
        self.addCleanup(self.alertd.close)
        self.alertd.start()
        self.alertd.import_rules(RULES)
        self.alertd.push('queue{job="a"} 9')

    def alerts(self):
        return {a["labels"]["alertname"]: a for a in self.alertd.get("/api/v1/alerts")["data"]["alerts"]}

    def wait_for(self, name, state):
        def found():
            self.alertd.push('queue{job="a"} 9')
            return self.alerts().get(name, {}).get("state") == state
        until(found, 20, f"{name} is {state}")

    def test_kill_changes_no_state(self):
        self.wait_for("Slow", "pending")
        self.wait_for("Now", "firing")
        before = self.alerts()
        self.alertd.kill()
        self.alertd.start()
        after = self.alerts()
        for name in before:
            self.assertEqual((name, before[name]["state"]), (name, after[name]["state"]))
        self.assertEqual(before["Now"]["activeAt"], after["Now"]["activeAt"])
        self.wait_for("Slow", "firing")

    def test_a_broken_rule_is_an_alert_until_it_works(self):
        self.alertd.push('pair{job="a",x="1"} 1\npair{job="a",x="2"} 2')
        self.wait_for("RuleBroken", "firing")
        broken = self.alerts()["RuleBroken"]
        self.assertEqual(broken["labels"], {"alertname": "RuleBroken", "rule": "Joins", "rule_group": "g", "severity": "page"})
        rule = next(r for g in self.alertd.get("/api/v1/rules")["data"]["groups"] for r in g["rules"] if r["name"] == "Joins")
        self.assertEqual(rule["health"], "err")
        self.assertIn("many-to-many", rule["lastError"])
        self.alertd.import_rules(RULES.replace("queue * on (job) pair", "queue > 1000"))
        until(lambda: "RuleBroken" not in self.alerts(), 10, "RuleBroken is over")

    def test_errors_have_places_and_evaluations_are_remembered(self):
        self.alertd.push('pair{job="a",x="1"} 1\npair{job="a",x="2"} 2')
        def rules():
            return {rule["name"]: rule for group in self.alertd.get("/api/alertd/v1/rules")["groups"] for rule in group["rules"]}
        until(lambda: rules()["Joins"]["health"] == "err", 10, "Joins fails")
        joins = rules()["Joins"]
        self.assertEqual(joins["last_error_at"], {"file": "test.yml", "line": 9, "column": 37, "expr_line": 1, "expr_column": 7})
        until(lambda: self.one(rules()["Now"])["evaluations"][2:], 10, "three evaluations")
        now = self.one(rules()["Now"])
        self.assertEqual((now["samples"], now["series"], now["last_error_at"]), (now["evaluations"][0]["samples"], 1, None))
        self.assertGreaterEqual(now["samples"], 1)
        self.assertEqual([(past["series"], past["results"], past["error"]) for past in now["evaluations"][:1]], [(1, 1, None)])
        times = [past["at"] for past in now["evaluations"]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertIn("many-to-many", self.one(joins)["evaluations"][0]["error"])
        self.alertd.import_rules(RULES.replace("for: 8s", "for: 9s"))
        until(lambda: self.one(rules()["Slow"])["version"] == 2, 10, "the new version")
        self.assertGreaterEqual(len(self.one(rules()["Now"])["evaluations"]), 3)
        metrics = self.alertd.call("GET", "/metrics").text
        self.assertIn('alertd_rule_group_last_read_samples{rule_group="test.yml;g"}', metrics)

    def one(self, rule):
        return self.alertd.get(f"/api/alertd/v1/rules/{rule['id']}")

    def prom_rules(self, **parameters):
        return self.alertd.call("GET", f"/api/v1/rules?{urllib.parse.urlencode(parameters)}")

    def test_prometheus_filters_and_pages(self):
        self.alertd.import_rules("groups: [{name: a, limit: 3, rules: [{record: r, expr: up+on(job)up, labels: {team: x}}]}, {name: b, rules: [{alert: A, expr: up}]}]", "z.yml")
        def names(**parameters):
            return [(group["name"], [rule["name"] for rule in group["rules"]]) for group in self.prom_rules(**parameters).json["data"]["groups"]]
        everything = [("g", ["queue:sum", "Slow", "Now", "Joins"]), ("a", ["r"]), ("b", ["A"])]
        rows = (({}, everything), ({"type": "ALERT"}, [("g", ["Slow", "Now", "Joins"]), ("b", ["A"])]), ({"type": "record"}, [("g", ["queue:sum"]), ("a", ["r"])]),
                ({"rule_name[]": "Now"}, [("g", ["Now"])]), ({"rule_group[]": "b"}, [("b", ["A"])]), ({"file[]": "z.yml"}, everything[1:]), ({"file[]": "no"}, []),
                ({"match[]": '{severity="critical"}'}, [("g", ["Slow"])]), ({"match[]": '{team=~"x|y"}'}, [("a", ["r"])]), ({"match[]": '{team="",severity=~"p.*"}'}, [("g", ["Joins"])]))
        for parameters, expected in rows:
            with self.subTest(parameters):
                self.assertEqual(names(**parameters), expected)
        first = self.prom_rules(group_limit=2).json["data"]
        self.assertEqual([group["name"] for group in first["groups"]], ["g", "a"])
        second = self.prom_rules(group_limit=2, group_next_token=first["groupNextToken"]).json["data"]
        self.assertEqual([group["name"] for group in second["groups"]], ["b"])
        self.assertNotIn("groupNextToken", second)
        group = self.prom_rules(**{"rule_group[]": "a"}).json["data"]["groups"][0]
        self.assertEqual((group["limit"], group["rules"][0]["query"]), (3, "up + on (job) up"))
        self.assertEqual({rule["alerts"] for group in self.prom_rules(exclude_alerts="true", type="alert").json["data"]["groups"] for rule in group["rules"]}, {None})
        for parameters, words in (({"type": "x"}, 'parameter "type": not supported value "x"'), ({"exclude_alerts": "maybe"}, '"exclude_alerts"'),
                                  ({"match[]": "{"}, '"match[]": 1:2'), ({"group_limit": "0"}, "greater than 0"), ({"group_limit": "1x"}, "valid number"),
                                  ({"group_next_token": "x"}, "needs to be present"), ({"group_limit": "1", "group_next_token": "x"}, "were rule groups changed")):
            with self.subTest(parameters):
                reply = self.prom_rules(**parameters)
                self.assertEqual((reply.status, reply.json["errorType"]), (400, "bad_data"))
                self.assertIn(words, reply.json["error"])

    def test_a_broken_file_changes_nothing(self):
        before = self.alertd.get("/api/v1/rules")["data"]["groups"][0]["rules"]
        reply = self.alertd.call("POST", "/api/alertd/v1/rules/import?source=test.yml", BROKEN, {"Content-Type": "application/yaml"})
        self.assertEqual(reply.status, 400)
        self.assertIn("test.yml:5:15:", reply.json["error"])
        after = self.alertd.get("/api/v1/rules")["data"]["groups"][0]["rules"]
        self.assertEqual([r["name"] for r in before], [r["name"] for r in after])

    def test_removed_rules_end_their_alerts_and_series(self):
        self.wait_for("Now", "firing")
        until(lambda: self.alertd.query("ALERTS{alertname='Now'}"), 10, "ALERTS is there")
        self.alertd.import_rules("groups: [{name: other, interval: 1s, rules: [{record: other, expr: 'vector(1)'}]}]\n")
        until(lambda: self.alertd.query("other"), 10, "the new rule runs")
        self.assertEqual(self.alerts(), {})
        self.assertEqual(self.alertd.query("ALERTS"), {})
        self.assertEqual(self.alertd.query("queue:sum"), {})
        until(lambda: not self.alertd.get("/api/alertd/v1/incidents?status=open")["incidents"], 10, "the incidents are over")


class Exported(unittest.TestCase):
    """What alertd gives out of its database is a file that means the same."""

    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(flags=["--rules.import="])
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.odd = (ROOT / "tests/conformance/rules/round_trip.yml").read_text()
        cls.imported = {"odd.yml": cls.alertd.import_rules(cls.odd, "odd.yml")}
        for pack in ("host", "blackbox"):
            text = (ROOT / f"rules/{pack}/alerts.yml").read_text()
            cls.imported[f"{pack}/alerts.yml"] = cls.alertd.import_rules(text, f"{pack}/alerts.yml")

    def export(self, *options, check=True):
        return alertctl("export", "rules", *options, alertd=self.alertd, check=check)

    def test_a_file_comes_back_and_changes_nothing(self):
        for source, before in self.imported.items():
            with self.subTest(source):
                again = self.alertd.import_rules(self.export(f"--file={source}").stdout, source)
                self.assertEqual((again["groups"], again["rules"], again["changed"], again["removed"]),
                                 (before["groups"], before["rules"], 0, 0))

    def test_all_files_are_one(self):
        everything = self.export().stdout
        self.assertIn("  # blackbox/alerts.yml\n  - name:", everything)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(everything)
            file.flush()
            report = json.loads(alertctl("check", "rules", "--json", file.name, check=False).stdout)
            stored = sum(len(group["rules"]) for group in self.alertd.get("/api/alertd/v1/rules")["groups"])
            self.assertEqual((report["errors"], report["rules"]), (0, stored))
            promtool = peer("promtool")
            if promtool:
                done = subprocess.run([promtool, "check", "rules", "--lint=none", file.name], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            else:
                print("promtool is not here (set WATCHBILL_PEERS): it was not asked")

    def test_a_name_stands_once(self):
        self.alertd.import_rules(GOOD, "a.yml")
        self.alertd.import_rules(GOOD, "b.yml")
        names = re.findall(r"^  - name: (.*)$", self.export("--group=g").stdout, re.M)
        self.assertEqual(names, ["g", "g (b.yml)"])
        self.assertEqual(re.findall(r"^  - name: (.*)$", self.export("--group=g", "--file=b.yml").stdout, re.M), ["g"])

    def test_what_is_not_there_is_told(self):
        for option, words in (("--file=nowhere.yml", 'no rule file "nowhere.yml"'), ("--group=none", 'no group "none"')):
            done = self.export(option, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(words, done.stderr)
            self.assertIn("odd.yml", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
