"""alertctl check config, route show and route test: what people and programs are told of a config file."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import alertctl

CONFIG = """\
global:
  wechat_api_url: http://x
receivers:
  - name: oncall
    webhook_configs: [{url: 'http://a'}]
    email_configs: [{to: a@example.org, from: b@example.org, smarthost: 'h:25'}]
  - name: db
    ntfy_configs: [{url: 'http://n', topic: t}]
  - name: nobody
inhibit_rules:
  - {source_matchers: [severity=page], target_matchers: [severity=warn], equal: [host]}
time_intervals:
  - {name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}
route:
  receiver: oncall
  group_by: [alertname]
  routes:
    - {matchers: [severity=page], group_wait: 0s, continue: true}
    - matchers: [team=db]
      receiver: db
      mute_time_intervals: [night]
      routes:
        - {matchers: ['env=~"dev|test"'], receiver: nobody}
"""
DOUBTFUL = CONFIG + "    - {matchers: [team=db, a=b], repeat_interval: 1m}\n"
NIGHT, DAY = "--at=2026-11-27T03:00:00Z", "--at=2026-11-27T06:00:00Z"


class Config(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "alertd.yml"

    def ask(self, *arguments, text=CONFIG, status=0):
        self.path.write_text(text)
        done = alertctl(*arguments, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_what_was_understood(self):
        out = self.ask("check", "config", self.path)
        self.assertEqual(out.replace(str(self.path), "F"), """\
F: SUCCESS (4 routes, 3 receivers, 1 inhibit rule, 1 time interval)
  receivers
    oncall  webhook, email
    db      ntfy
    nobody  dashboard only
  inhibit rules
    {severity="page"} mutes {severity="warn"} with the same host
  time intervals
    night: 1 span
  read without effect
    F:2:19: wechat_api_url: no receiver of this kind is delivered
""")

    def test_errors_and_warnings_have_a_place(self):
        out = self.ask("check", "config", self.path, text=CONFIG.replace("receiver: db", "receiver: dba"), status=1)
        self.assertIn(f'{self.path}:20:17: no receiver is named "dba"', out)
        out = self.ask("check", "config", self.path, text=DOUBTFUL, status=3)
        self.assertIn(f'{self.path}:24:7: warning: no alert reaches this route: all that match it are taken by {{team="db"}} in line 19',
                      out)
        self.assertIn(f"{self.path}:24:7: warning: repeat_interval (1m) is shorter than group_interval (5m)", out)
        self.ask("check", "config", self.path.with_name("none.yml"), status=1)
        self.ask("check", "config", status=2)

    def test_one_bad_file_of_several(self):
        bad = self.path.with_name("bad.yml")
        bad.write_text("receivers: []\n")
        report = json.loads(self.ask("check", "config", "--json", bad, self.path, text=DOUBTFUL, status=1))
        self.assertIn("bad.yml:1:1: ", report[0]["error"])
        self.assertIsNone(report[1]["error"])
        self.assertEqual([(w["line"], w["column"]) for w in report[1]["warnings"]], [(24, 7), (24, 7)])

    def test_the_tree(self):
        out = self.ask("route", "show", "--config", self.path)
        self.assertEqual([line.rstrip() for line in out.splitlines()], """\
ROUTE                    RECEIVER  GROUP BY   WAIT  INTERVAL  REPEAT  NOTES
every alert              oncall    alertname  30s   5m        4h
├─ {severity="page"}     oncall    alertname  0s    5m        4h      continue
└─ {team="db"}           db        alertname  30s   5m        4h      mute: night
   └─ {env=~"dev|test"}  nobody    alertname  30s   5m        4h""".splitlines())

    def test_who_is_told_and_why(self):
        alert = ["alertname=Down", "severity=page", "team=db"]
        out = self.ask("route", "test", "--config", self.path, "--tree", NIGHT, *alert)
        self.assertIn('└─ {team="db"}           db        taken\n', out)
        self.assertIn('no: wants env=~"dev|test", the alert has no env', out)
        self.assertIn('no: night holds           {}/{team="db"}:{alertname="Down"}', out)
        self.assertIn('after 0s, again every 4h  {}/{severity="page"}:{alertname="Down"}', out)
        out = self.ask("route", "test", "--config", self.path, "--tree", DAY, '{team="db", env="test"}')
        self.assertIn('├─ {severity="page"}     oncall    no: wants severity="page", the alert has no severity', out)
        self.assertNotIn("holds", out)

    def test_programs_and_expectations(self):
        alert = ["alertname=Down", "severity=page", "team=db"]
        out = json.loads(self.ask("route", "test", "--config", self.path, "--json", NIGHT, *alert))
        self.assertEqual([(r["receiver"], r["tells"], r["muted_by"]) for r in out["routes"]],
                         [("oncall", True, None), ("db", False, "night")])
        self.ask("route", "test", "--config", self.path, "--expect=oncall,db", *alert)
        out = self.ask("route", "test", "--config", self.path, "--expect=db", *alert, status=1)
        self.assertIn("expected db, got oncall,db", out)
        self.ask("route", "test", "--config", self.path, "a=~b", status=2)
        self.ask("route", "test", "a=b", status=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
