"""alertctl tune beside what happened: its alerts are those that a live alertd fired; a server and a folder say the same."""

import json
import pathlib
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import shop_past
from daemon import Alertd, alertctl

RULES = """groups:
- name: shop
  interval: 30s
  rules:
  - alert: Slow
    expr: latency_seconds > 2 and on (job) up == 1
    for: 2m
  - alert: Full
    expr: disk_free_bytes / disk_size_bytes < 0.1
  - alert: Gone
    expr: absent(nothing_at_all)
  - alert: Down
    expr: absent(up{job="a"})
  - alert: Inner
    expr: count(latency_seconds > 1)
  - alert: Flaps
    expr: flapping > 5
  - alert: Nowhere
    expr: nothing_at_all > 1
"""
HOURS = 23


class Tune(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=30d"])
        cls.alertd.start()
        cls.end_s = int(time.time()) // 60 * 60
        shop_past.push(cls.alertd, cls.end_s, HOURS)
        (cls.folder / "rules.yml").write_text(RULES)

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()
        cls.scratch.cleanup()

    def tune(self, *options, check=True):
        return alertctl("tune", self.folder / "rules.yml", "--from=21h", *options, alertd=self.alertd, check=check)

    def result(self, *options):
        return json.loads(self.tune("--json", *options).stdout)

    def truth(self, expression, held):
        """When alerts of an expression fire, from its values at each evaluation, counted by the test itself."""
        path = "/api/v1/query_range?" + urllib.parse.urlencode({"query": expression, "start": self.end_s - 22 * 3600, "end": self.end_s, "step": 30})
        fired = []
        for series in self.alertd.get(path)["data"]["result"]:
            begun = last = None
            fires = False
            for t_s, _ in series["values"]:
                if last is None or t_s - last > 30:
                    begun, fires = t_s, False
                if not fires and t_s - begun >= held:
                    fired.append(t_s)
                    fires = True
                last = t_s
        return sorted(t_s for t_s in fired if t_s >= time.time() - 21 * 3600)

    def test_alerts_are_those_that_would_have_fired(self):
        for rule, expression, held in (("Slow", "latency_seconds > 2 and on (job) up == 1", 120), ("Full", "disk_free_bytes / disk_size_bytes < 0.1", 0),
                                       ("Gone", "absent(nothing_at_all)", 0)):
            with self.subTest(rule):
                result = self.result(f"--rule={rule}")
                truth = self.truth(expression, held)
                now = [cell for cell in result["cells"] if (cell["threshold"], cell["for_ms"]) == (result["now"]["threshold"], result["now"]["for_ms"])]
                self.assertEqual(len(now), 1)
                self.assertEqual(now[0]["alerts"], len(result["alerts"]))
                self.assertLessEqual(abs(len(result["alerts"]) - len(truth)), 1, (result["alerts"], truth))  # the time's own ends
                if rule != "Gone":
                    self.assertGreater(len(truth), 0)

    def test_another_setting_is_that_rule(self):
        """A cell of the surface is what the rule with this setting says, asked anew."""
        result = self.result("--rule=Slow")
        cells = {(cell["threshold"], cell["for_ms"]): cell for cell in result["cells"]}
        looked_at = 0
        for (threshold, for_ms), cell in list(cells.items())[::37]:
            alone = self.result("--rule=Slow", f"--threshold={threshold}", f"--for={for_ms // 1000}s", f"--to={result['to']}")
            again = next(c for c in alone["cells"] if (c["threshold"], c["for_ms"]) == (threshold, for_ms))
            self.assertEqual(len(alone["alerts"]), again["alerts"])
            self.assertLessEqual(abs(again["alerts"] - cell["alerts"]), 1)  # the beginning moved by what the runs lie apart
            looked_at += 1
        self.assertGreater(looked_at, 3)

    def test_a_threshold_within_is_evaluated_anew_for_each(self):
        result = self.result("--rule=Inner")
        self.assertEqual(result["way"], "again")
        thresholds = sorted({cell["threshold"] for cell in result["cells"]})
        self.assertLessEqual(len(thresholds), 12)  # a server is asked for each
        self.assertGreater(len(thresholds), 4)
        for threshold in thresholds[::3]:
            truth = self.truth(f"count(latency_seconds > {threshold!r})", 0)
            alerts = next(c["alerts"] for c in result["cells"] if (c["threshold"], c["for_ms"]) == (threshold, 0))
            self.assertLessEqual(abs(alerts - len(truth)), 1, threshold)
        self.assertIn("count(latency_seconds > _)", self.tune("--rule=Inner").stdout)

    def test_incidents_tell_alerts_from_noise(self):
        result = self.result("--rule=Full")
        begin = result["alerts"][0]["fired_at"]
        (self.folder / "bad.csv").write_text(f"# what was bad\n\n{begin},{begin} # the disk\n2001-01-01T00:00:00Z,2001-01-02T00:00:00Z\n")
        text = self.tune("--rule=Full", f"--incidents={self.folder / 'bad.csv'}", "--alerts").stdout
        self.assertIn("1 of 1 incidents found", text)
        self.assertIn("in an incident", text)
        self.assertIn("0 alerts about none", text)

    def test_an_alert_that_fired_before_finds_what_it_fires_through(self):
        """The sum and its parts say the same, though such an alert is not counted; nor is it in silence."""
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end_s - 5 * 3600))
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end_s - 4 * 3600))
        (self.folder / "bad.csv").write_text(f"{begin},{end}\n")
        options = ("--rule=Gone", f"--incidents={self.folder / 'bad.csv'}")
        result = self.result(*options)
        self.assertEqual(result["figures"]["alerts"], 0)
        self.assertEqual(result["figures"]["recall"]["hits"], 1)
        found = result["incident_by_incident"][0]
        self.assertTrue(found["found"] and found["still_fires"])
        self.assertEqual(found["delay_ms"], 0)
        text = self.tune(*options).stdout
        self.assertIn("1 of 1 incidents found", text)
        self.assertIn("fired already; it still fires", text)
        self.assertIn("1 more fired already when it began and is not counted; 1 of them fired all the time.", text)

    def test_incidents_found_are_those_of_keep_firing_for_too(self):
        alert = self.result("--rule=Slow")["alerts"][0]
        (self.folder / "bad.csv").write_text(f"{alert['resolved_at']},{alert['resolved_at']}\n")
        options = ("--rule=Slow", f"--incidents={self.folder / 'bad.csv'}")
        self.assertEqual(self.result(*options)["figures"]["recall"]["hits"], 0)
        kept = self.result(*options, "--keep=10m")
        self.assertEqual(kept["figures"]["recall"]["hits"], 1)
        self.assertTrue(kept["incident_by_incident"][0]["found"])
        self.assertIn("keep_firing_for is not reckoned here", self.tune(*options, "--keep=10m").stdout)

    def test_what_there_is_to_choose_among(self):
        alerts = self.result("--rule=Slow")["alerts"]
        lines = [f"{alert['fired_at']},{alert['resolved_at'] or alert['fired_at']}" for alert in alerts[::3]]
        (self.folder / "bad.csv").write_text("\n".join(lines) + "\n")
        options = ("--rule=Slow", f"--incidents={self.folder / 'bad.csv'}")
        result = self.result(*options)
        cells = {(cell["threshold"], cell["for_ms"]): cell for cell in result["cells"]}
        self.assertGreater(len(result["front"]), 0)
        for point in result["front"]:
            cell = cells[point["threshold"], point["for_ms"]]
            self.assertEqual((point["alerts"], point["incidents_found"]), (cell["alerts"], cell["incidents_found"]))
        self.assertEqual(result["figures"]["recall"]["hits"], len(lines))
        self.assertEqual(len(result["incident_by_incident"]), len(lines))
        for found in result["incident_by_incident"]:
            self.assertEqual(found["delay_ms"], found["phase_ms"] + found["passing_ms"] + found["for_ms"])
        self.assertIn("To choose among", self.tune(*options, "--front").stdout)
        self.assertIn("Without incidents", self.tune("--rule=Slow", "--front").stdout)
        heavy = self.result(*options, "--night=3", "--zone=Asia/Tokyo")
        now = (result["now"]["threshold"], result["now"]["for_ms"])
        nights = next(c for c in heavy["cells"] if (c["threshold"], c["for_ms"]) == now)
        self.assertEqual(nights["weight"], nights["alerts"] + 2 * heavy["figures"]["nights"])
        kept = self.result("--rule=Slow", "--keep=1h")
        self.assertLess(len(kept["alerts"]), len(alerts))

    def test_the_smallest_outage_it_catches(self):
        faults = self.result("--rule=Slow", "--faults")["faults"]
        self.assertGreater(faults["places"], 20)
        by = {(cell["magnitude"], cell["duration_ms"]): cell for cell in faults["cells"]}
        most, longest = max(by)
        self.assertEqual(by[most, longest]["caught"], by[most, longest]["tried"])
        shortest = by[most, 60000]
        self.assertLess(shortest["caught"] * 5, shortest["tried"])  # `for` 2m: only where it was pending already
        self.assertIn("The smallest that is caught", self.tune("--rule=Slow", "--faults").stdout)

    def test_faults_in_what_a_rule_reads(self):
        """Over a server its samples are asked for; a rule that was never true is told what would make it so."""
        faults = self.result("--rule=Slow", "--faults", "--fault=scale")["faults"]
        self.assertEqual((faults["kind"], faults["input"]), ("scale", "latency_seconds"))
        caught = {cell["magnitude"] for cell in faults["cells"] if cell["caught"] == cell["tried"]}
        self.assertTrue(caught and 2 <= min(caught) <= 3, caught)  # usual is 1, the threshold 2
        self.assertIn("it would not have fired", self.tune("--rule=Down").stdout)
        self.assertIn("drop for 1 min", self.tune("--rule=Down", "--faults").stdout)

    def test_options_that_mean_nothing(self):
        for option, words in (("--threshold=NaN", "--threshold is a"), ("--threshold=Inf", "--threshold is a"), ("--move=-1", "--move is"), ("--from=soon", ": --from: expected"), ("--to=soon", ": --to: expected"), ("--fault=drop", "--fault is for --faults"), ("--input=up", "--input is for --faults")):
            with self.subTest(option):
                refused = self.tune("--rule=Slow", option, check=False)
                self.assertEqual(refused.returncode, 2, refused.stdout)
                self.assertIn(words, refused.stderr)

    def test_what_is_wrong_is_said(self):
        (self.folder / "bad.csv").write_text("2026-11-03T02:10:00Z\n")
        (self.folder / "worse.csv").write_text("\n2026-11-03T02:10:00Z,yesterday\n")
        rows = (
            (["--rule=Nobody"], 1, "has no alert Nobody"),
            ([], 1, "7 alerts: say which by --rule"),
            (["--rule=Slow", "--from=1h", "--to=2h"], 1, "--from does not lie before --to"),
            (["--rule=Slow", "--from=soon"], 2, "--from"),
            (["--rule=Slow", "--threshold=high"], 2, "--threshold is a number"),
            (["--rule=Slow", "--for=-5m"], 2, "--for is a duration"),
            (["--rule=Gone", "--faults", "--input=compared"], 1, "takes a rule of one threshold"),
            (["--rule=Slow", "--faults", "--input=nobody"], 1, "reads no nobody"),
            (["--rule=Slow", "--faults", "--fault=meteor"], 1, "--fault is set, add"),
            (["--rule=Slow", "--keep=long"], 2, "--keep is a duration"),
            (["--rule=Slow", "--night=0"], 2, "--night is a number"),
            (["--rule=Slow", "--zone=Mars/Olympus"], 2, "Mars/Olympus"),
            (["--rule=Slow", "--move=9"], 1, "2 things to move"),
            (["--rule=Slow", f"--incidents={self.folder / 'bad.csv'}"], 1, "bad.csv:1: begin,end"),
            (["--rule=Slow", f"--incidents={self.folder / 'worse.csv'}"], 1, "worse.csv:2: \"yesterday\" is no time"),
            (["--rule=Slow", "--store=/nowhere"], 1, "there is no /nowhere/samples"),
        )
        for options, status, words in rows:
            with self.subTest(options=options):
                done = self.tune(*options, check=False)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(words, done.stderr)
        done = alertctl("tune", self.folder / "rules.yml", "--rule=Slow", "--url=http://127.0.0.1:1", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1:1", done.stderr)
        self.assertIn("Nothing of it has a value", self.tune("--rule=Nowhere").stdout)

    def test_samples_that_come_late(self):
        """Over a server they are copied, and each evaluation sees what had come."""
        now, late = self.result("--rule=Full", "--from=3h"), self.result("--rule=Full", "--from=3h", "--ingest-lag=0s")
        self.assertEqual(now["cells"], late["cells"])
        self.assertIn("--ingest-lag is a duration", self.tune("--rule=Full", "--ingest-lag=soon", check=False).stderr)

    def test_z_a_folder_says_what_the_server_says(self):
        """Last: alertd stops for it."""
        to = self.result("--rule=Slow")["to"]
        since = f"--from={self.end_s - 21 * 3600}"
        by_server = [self.result(f"--rule={rule}", f"--to={to}", since) for rule in ("Slow", "Full", "Gone")]
        for result in by_server:  # of a server it is not known when it evaluates
            phases, least, most = (result.pop(key) for key in ("phases", "least_alerts", "most_alerts"))
            self.assertEqual(phases, 4)
            self.assertTrue(least <= len(result["alerts"]) <= most)
        inner = self.result("--rule=Inner", f"--to={to}", since)
        self.alertd.stop()
        by_folder = [json.loads(alertctl("tune", self.folder / "rules.yml", "--json", f"--rule={rule}", f"--to={to}", since,
                                         f"--store={self.alertd.folder}").stdout) for rule in ("Slow", "Full", "Gone")]
        self.assertEqual(by_server, by_folder)
        late = [alertctl("tune", self.folder / "rules.yml", "--json", "--rule=Slow", f"--to={to}", since, f"--store={self.alertd.folder}", f"--ingest-lag={lag}").stdout
                for lag in ("0s", "6m")]
        self.assertEqual(json.loads(late[0])["cells"], by_folder[0]["cells"])
        self.assertEqual(json.loads(late[1])["alerts"], [])  # what comes six minutes late is never there
        alone = json.loads(alertctl("tune", self.folder / "rules.yml", "--json", "--rule=Inner", f"--to={to}", since, f"--store={self.alertd.folder}").stdout)
        self.assertEqual(inner["alerts"], alone["alerts"])
        words = alertctl("tune", self.folder / "rules.yml", "--rule=Flaps", f"--to={to}", since, f"--store={self.alertd.folder}", "--hysteresis").stdout
        self.assertRegex(words, r'flapping > 5 or \(flapping > [23][.]\d and on \(\) ALERTS{alertname="Flaps", alertstate="firing"}\)')
        self.assertIn("with its own ALERTS in sight", words)
        self.assertIn("alerts, as counted", words)
        asked = {(cell["threshold"], cell["for_ms"]): cell for cell in inner["cells"]}
        same = [cell for cell in alone["cells"] if (cell["threshold"], cell["for_ms"]) in asked]
        self.assertGreater(len(same), 20)  # the setting of now, and what rounds alike
        self.assertEqual([asked[cell["threshold"], cell["for_ms"]] for cell in same], same)


if __name__ == "__main__":
    unittest.main(verbosity=2)
