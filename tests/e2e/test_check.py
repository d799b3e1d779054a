"""alertctl check rules: its outputs, its comments, and the checks that ask a real alertd."""

import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTCTL, ROOT, Alertd, alertctl

DOUBTFUL = """\
groups:
  - name: g, h
    rules:
      - alert: Down
        expr: |
          increase(x[5m])
            > 0
        for: 5m
        annotations:
          summary: "100 % of {{ $labels.job }}: {{ $value | humanize }}"
          runbook_url: u
      - record: a
        expr: x{a=~"b"}
"""
BROKEN = "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: sum(x) by\n"

DATA = """\
groups:
  - name: g
    interval: 15s
    rules:
      - {record: missing, expr: no_such_thing}
      - {record: mismatch, expr: 'queue{job="nowhere"}'}
      - {record: apart, expr: queue / on (host) other}
      - {record: meet, expr: queue / on (job) other}
      - {record: window, expr: 'rate(queue[10s])'}
      - {alert: Never, expr: queue > 50, for: 1m}
      - {alert: Always, expr: queue > 1, for: 1m}
      - {alert: AtTimes, expr: queue > 9.5, for: 1m}
      - {alert: Hoped, expr: absent(other), for: 5m}
"""


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def check(self, *arguments, status):
        done = alertctl("check", "rules", *arguments, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout


class Offline(Files):
    def test_human_output_shows_the_place_and_the_fix(self):
        path = self.write("r.yml", DOUBTFUL)
        out = self.check(path, status=3)
        self.assertIn(f"{path}:6:11: warning: one event never fires", out)
        self.assertIn("[single-event-blind]\n"
                      "     6 |           increase(x[5m])\n"
                      "       |           ^~~~~~~~~~~~~~~\n"
                      "       = fix: a window longer than `for`", out)
        self.assertIn("2 rules in 1 file: 1 warning; 1 more with --advice", out)
        self.assertNotIn("regex-literal", out)
        self.assertNotIn("\033", out)

    def test_errors_have_a_caret_too(self):
        out = self.check(self.write("r.yml", BROKEN), status=1)
        self.assertRegex(out, r"r\.yml:5:\d+: error: .*parse error.*\[promql-syntax\]\n +5 \|     expr: sum\(x\) by\n +\| +\^")

    def test_json_has_all_fields(self):
        path = self.write("r.yml", DOUBTFUL)
        report = json.loads(self.check("--json", "--advice", path, status=3))
        self.assertEqual({key: report[key] for key in ("files", "rules", "errors", "warnings", "advice")},
                         {"files": 1, "rules": 2, "errors": 0, "warnings": 1, "advice": 1})
        self.assertEqual(report["findings"][1],
                         {"file": str(path), "line": 13, "column": 17, "end_line": 13, "end_column": 23,
                          "severity": "advice", "id": "regex-literal", "fix": 'a="b"',
                          "text": "=~ with plain text makes the reader look for a pattern that isn't there"})
        self.assertEqual(json.loads(self.check("--format=json", "--advice", path, status=3)), report)

    def test_github_annotations(self):
        path = self.write("r,1:2.yml", DOUBTFUL)
        lines = self.check("--format=github", "--advice", path, status=3).splitlines()
        name = str(path).replace(",", "%2C").replace(":", "%3A")
        self.assertEqual(len(lines), 2)
        # columns only within one line
        self.assertTrue(lines[0].startswith(f"::warning file={name},line=6,endLine=7,title=single-event-blind::one event"), lines)
        self.assertIn("%0Afix: ", lines[0])
        self.assertTrue(lines[1].startswith(f"::notice file={name},line=13,endLine=13,col=17,endColumn=23,title=regex-literal::"), lines)
        self.assertTrue(self.check("--format=github", self.write("b.yml", BROKEN), status=1).startswith("::error file="))

    def test_choosing_checks(self):
        path = self.write("r.yml", DOUBTFUL)
        self.assertIn("regex-literal", self.check("--only=regex-literal", path, status=3))
        self.check("--disable=single-event-blind", path, status=0)
        self.assertIn("did you mean 'no-for'", alertctl("check", "rules", "--only=no-fro", path, check=False).stderr)
        self.check("--only=nonsense", path, status=2)
        self.check("--disable=,", path, status=2)
        self.check("--format=xml", path, status=2)
        self.check("--window=long", path, status=2)

    def test_comments(self):
        quiet = DOUBTFUL.replace("        for: 5m\n", "        for: 5m # alertd disable single-event-blind\n")
        self.check(self.write("r.yml", quiet), status=0)
        out = self.check(self.write("s.yml", "# alertd file/disable no-such\n" + DOUBTFUL), "--advice", status=3)
        self.assertIn("[bad-comment]", out)
        for day, status in (("2999-01-01", 0), ("2001-01-01", 3)):
            self.check(self.write("t.yml", f"# alertd file/snooze {day} single-event-blind\n" + DOUBTFUL), status=status)
        out = self.check(self.write("v.yml", "# pint ignore/begin\n{% raw %}\n# pint ignore/end\n" + DOUBTFUL), status=3)
        self.assertIn("1 line ignored", out)

    def test_policy_and_tests(self):
        rules = self.write("r.yml", DOUBTFUL)
        policy = self.write("p.yml", "severities: [page]\n")
        out = self.check(f"--policy={policy}", "--only=severity-set", rules, status=3)
        self.assertIn(f"{rules}:4:16: warning: no severity", out)
        broken = alertctl("check", "rules", "--policy", self.write("q.yml", "severity: [page]\n"), rules, check=False)
        self.assertEqual(broken.returncode, 1)
        self.assertIn('q.yml:1:1: unknown field', broken.stderr.lower())
        tests = self.write("t.yml", "rule_files: [r.yml]\ntests:\n- alert_rule_test: [{eval_time: 1m, alertname: Down}]\n")
        self.assertIn("no test makes it fire", self.check(f"--tests={tests}", "--only=untested", rules, status=3))

    def test_list(self):
        out = self.check("--list", status=0)
        self.assertRegex(out, r"(?m)^dead-label +warning +\S")
        listed = json.loads(self.check("--list", "--json", status=0))
        self.assertGreater(len(listed), 40)
        self.assertEqual(len({one["id"] for one in listed}), len(listed))

    def test_the_starter_rules_have_no_warning(self):
        self.check(*sorted(ROOT.glob("rules/*/alerts.yml")), status=0)

    def test_colours_on_a_terminal(self):
        path = self.write("r.yml", DOUBTFUL)
        ours, theirs = pty.openpty()
        env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        subprocess.run([ALERTCTL, "check", "rules", str(path)], stdout=theirs, env=env, timeout=30, check=False)
        os.close(theirs)
        out = os.read(ours, 65536).decode()
        os.close(ours)
        self.assertIn("\033[1;33mwarning:\033[0m", out)


class WithData(Files):
    def test_what_the_data_says(self):
        with Alertd() as alertd:
            now_ms = int(time.time() * 1000)
            for minute in range(30, -1, -1):
                value = 10 if minute == 7 else 5
                alertd.push(f'queue{{job="a"}} {value}\nother{{job="a",host="h"}} 2', at_ms=now_ms - minute * 60000)
            done = alertctl("check", "rules", "--json", "--advice", f"--url={alertd.url}", "--window=1h",
                            self.write("r.yml", DATA), alertd=alertd, check=False)
            self.assertEqual((done.returncode, done.stderr), (3, ""), done.stdout)
            wanted = {"missing-series", "vector-matching", "range-too-short", "threshold-never", "threshold-always"}
            told = [(f["line"], f["id"], f["text"]) for f in json.loads(done.stdout)["findings"] if f["id"] in wanted]
            self.assertEqual([(line, what) for line, what, _ in told],
                             [(5, "missing-series"), (6, "missing-series"), (7, "vector-matching"), (9, "range-too-short"),
                              (10, "threshold-never"), (11, "threshold-always")], told)
            self.assertIn('no series has job="nowhere"', told[1][2])
            self.assertRegex(told[3][2], r"these come every (1m|5\ds)")  # never too long
            self.assertIn("the highest was 10, the median 5, and the threshold is 50", told[4][2])
            self.the_folder_says_the_same(alertd, done.stdout, wanted)

    def the_folder_says_the_same(self, alertd, told, wanted):
        command = ("check", "rules", "--json", "--advice", f"--store={alertd.folder}", "--window=1h", self.write("r.yml", DATA))
        done = alertctl(*command, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"process \d+.*--url, or use a copy")
        alertd.stop()
        done = alertctl(*command, check=False)
        self.assertEqual((done.returncode, done.stderr), (3, ""), done.stdout)
        with_url, with_store = ([(f["line"], f["id"]) for f in json.loads(text)["findings"] if f["id"] in wanted] for text in (told, done.stdout))
        self.assertEqual(with_store, with_url)

    def test_a_folder_without_samples_and_two_sources(self):
        done = alertctl("check", "rules", f"--store={self.folder}", self.write("r.yml", DATA), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("samples: --store is the folder of --storage.path", done.stderr)
        done = alertctl("check", "rules", "--store=x", "--url=http://127.0.0.1:9", self.write("r.yml", DATA), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("whose data is meant?", done.stderr)

    def test_nobody_to_ask_is_a_failure(self):
        done = alertctl("check", "rules", "--url=http://127.0.0.1:9", self.write("r.yml", DATA), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("can't be asked", done.stderr)

    def test_a_wrong_token_is_a_failure(self):
        with Alertd() as alertd:
            env = {**os.environ, "ALERTD_TOKEN": "wrong"}
            done = subprocess.run([ALERTCTL, "check", "rules", f"--url={alertd.url}", self.write("r.yml", DATA)],
                                  capture_output=True, text=True, env=env, timeout=30, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("asks who you are", done.stderr)


if __name__ == "__main__":
    unittest.main()
