"""The tunings API beside alertctl tune: the same numbers for the same setting; a rule stored anew; bad input, in words."""

import base64
import json
import math
import pathlib
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import shop_past
from daemon import Alertd, alertctl

V1 = "/api/alertd/v1"
RULES = """groups:
- name: shop # the shop's
  interval: 30s
  rules:
  # a guess
  - alert: Slow
    expr: latency_seconds > 2 and on (job) up == 1  # seconds
    for: 2m
    labels: {severity: page}
    annotations:
      summary: '{{ $labels.job }} takes {{ $value }} s'
  - alert: Full
    expr: disk_free_bytes / disk_size_bytes < 0.1
  - alert: Gone
    expr: absent(nothing_at_all)
  - alert: Nowhere
    expr: nothing_at_all > 1
  - alert: Inner
    expr: count by (job) (latency_seconds > 1) > 0
  - record: a:b
    expr: sum(up)
"""
HOURS = 23


def stamp(at_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


class Tunings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=30d"])
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.end_s = int(time.time()) // 60 * 60
        shop_past.push(cls.alertd, cls.end_s, HOURS)
        (cls.folder / "rules.yml").write_text(RULES)
        cls.alertd.import_rules(RULES, source="shop.yml")
        groups = cls.alertd.get(f"{V1}/rules")["groups"]
        cls.ids = {rule["name"]: rule["id"] for group in groups for rule in group["rules"]}
        cls.span = {"from": stamp(cls.end_s - 21 * 3600), "to": stamp(cls.end_s)}
        cls.bad = [{"from": stamp(cls.end_s - 3600 * at), "to": stamp(cls.end_s - 3600 * at + 1800)} for at in (19, 7)]

    def ask(self, path="", status=200, **body):
        reply = self.alertd.call("POST", f"{V1}/tunings{path}", body)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def of(self, name, path="", **body):
        return self.ask(path, rule=self.ids[name], **{**self.span, **body})

    def ctl(self, name, *options):
        (self.folder / "bad.csv").write_text("".join(f"{one['from']},{one['to']}\n" for one in self.bad))
        return json.loads(alertctl("tune", self.folder / "rules.yml", f"--rule={name}", f"--from={self.span['from']}", f"--to={self.span['to']}",
                                   f"--incidents={self.folder / 'bad.csv'}", "--source=shop.yml", "--json", *options, alertd=self.alertd).stdout)

    def test_cells_are_those_of_the_command_line(self):
        for name in ("Slow", "Full", "Gone"):
            ours, theirs = self.of(name, incidents=self.bad), self.ctl(name)
            cells = ours["cells"]
            known = {}
            for j, threshold in enumerate(ours["thresholds"]):
                for k, steps in enumerate(ours["for_steps"]):
                    at = j * len(ours["for_steps"]) + k
                    found = sum(delays[at] >= 0 for delays in ours["delays"])
                    worst = max((delays[at] for delays in ours["delays"] if delays[at] >= 0), default=0)
                    known[threshold, steps * ours["step_ms"]] = (cells["alerts"][at], cells["true_alerts"][at],
                                                                 cells["firing_steps"][at] * ours["step_ms"], found, worst * ours["step_ms"])
            self.assertGreater(len(theirs["cells"]), 10)
            for cell in theirs["cells"]:
                self.assertEqual(known[cell["threshold"], cell["for_ms"]],
                                 (cell["alerts"], cell["true_alerts"], cell["firing_ms"], cell["incidents_found"], cell["worst_delay_ms"]), (name, cell))

    def test_runs_are_what_the_cells_count(self):
        answer = self.of("Slow")
        self.assertEqual((answer["n_series"], len(answer["series"])), (2, 2))
        n = 0
        j = answer["now"]["threshold"]
        held = answer["for_steps"][answer["now"]["for"]]
        for series in answer["series"]:
            levels = self.decode(series["runs"])
            self.assertEqual(len(levels), answer["n_steps"])
            run = 0
            for step, level in enumerate(levels):
                run = run + 1 if level > j else 0
                n += run == held + 1 and step >= answer["first_step"]
        self.assertEqual(n, answer["cells"]["alerts"][j * len(answer["for_steps"]) + answer["now"]["for"]])
        least = struct.unpack(f"<{answer['all']['columns']}f", base64.b64decode(answer["all"]["least"]))
        self.assertAlmostEqual(min(one for one in least if not math.isnan(one)), 1, 2)

    @staticmethod
    def decode(text):
        """Levels, a step each."""
        data, at, levels = base64.b64decode(text), 0, []
        while at < len(data):
            level, length, shift = data[at], 0, 0
            at += 1
            while True:
                length |= (data[at] & 0x7F) << shift
                shift += 7
                at += 1
                if data[at - 1] < 0x80:
                    break
            levels += [level] * length
        return levels

    def test_runs_of_each_threshold_are_what_its_cells_count(self):
        """A rule that is evaluated anew for each threshold; the lines are of what lies within."""
        answer = self.of("Inner", choice=2)
        self.assertEqual((answer["choices"][1]["way"], answer["n_series"], len(answer["apart"]), answer["n_drawn"]), ("again", 2, 2, 2))
        self.assertEqual(sorted(one["labels"]["job"] for one in answer["series"]), ["a", "b"])
        self.assertTrue(all("runs" not in one and "greatest" in one for one in answer["series"]))
        self.assertGreater(len(answer["thresholds"]), 5)
        for j in range(len(answer["thresholds"])):
            told = [0] * len(answer["for_steps"])
            for series in answer["apart"]:
                levels = self.decode(series["runs"][j])
                self.assertEqual(len(levels), answer["n_steps"])
                run = 0
                for step, level in enumerate(levels):
                    run = run + 1 if level else 0
                    for k, held in enumerate(answer["for_steps"]):
                        told[k] += run == held + 1 and step >= answer["first_step"]
            self.assertEqual(told, answer["cells"]["alerts"][j * len(told):(j + 1) * len(told)], answer["thresholds"][j])
        self.assertIsNone(self.of("Slow")["apart"])
        kept = self.of("Inner", "/episodes", choice=2, threshold=1.5, keep_firing_for_ms=3600000)
        self.assertLess(kept["alerts"], self.of("Inner", "/episodes", choice=2, threshold=1.5)["alerts"])

    def test_samples_that_came_late(self):
        """As --ingest-lag has it; what is read otherwise sees no more than the evaluation did."""
        lag = {"ingest_lag_ms": 90000}
        ours = self.of("Slow", "/episodes", **lag)
        theirs = self.ctl("Slow", "--ingest-lag=90s")
        key = lambda one: (one["labels"], one["fired_at"], one["resolved_at"])
        self.assertEqual([key(one) for one in ours["episodes"]], [key(one) for one in theirs["alerts"]])
        at_once = self.of("Slow", "/episodes")["episodes"]
        self.assertNotEqual([key(one) for one in ours["episodes"]], [key(one) for one in at_once])
        whole = self.of("Slow", incidents=self.bad, **lag)
        self.assertEqual(whole["ingest_lag_ms"], 90000)
        cell = whole["now"]["threshold"] * len(whole["for_steps"]) + whole["now"]["for"]
        self.assertEqual(whole["cells"]["alerts"][cell], ours["alerts"])
        self.assertEqual(len(whole["series"]), 2, "drawn as well")
        first = ours["episodes"][0]
        at = time.mktime(time.strptime(first["fired_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        read = self.of("Slow", "/explain", at=stamp(at + 7), **lag)
        self.assertEqual((read["firing"], read["evaluated_at"]), (1, first["fired_at"]))
        self.assertLessEqual(read["read"][0]["newest_at"], stamp(at - 90) + ".999")
        preview = self.of("Slow", "/preview", at=first["fired_at"], labels=first["labels"], **lag)
        self.assertEqual(preview["labels"]["job"], first["labels"]["job"])
        pair = self.of("Slow", "/hysteresis", threshold=2, for_ms=0, incidents=self.bad, **lag)
        self.assertEqual(pair["run_alerts"], pair["alerts"], "the written rule is run as late")
        self.assertEqual(self.of("Slow", "/pages", **lag)["alerts"], ours["alerts"])
        self.assertIn("sees each sample at once", self.of("Slow", "/unit", status=400, at=first["fired_at"], **lag)["error"])

    def test_a_unit_test_of_an_alert_passes(self):
        for threshold, for_ms in ((2, 120000), (1.5, 0), (3, 60000)):
            setting = {"threshold": threshold, "for_ms": for_ms}
            listed = self.of("Slow", "/episodes", **setting)
            for episode in listed["episodes"][:3]:
                yaml = self.of("Slow", "/unit", at=episode["fired_at"], labels=episode["labels"], **setting)["yaml"]
                self.assertIn(f'{{"job": "{episode["labels"]["job"]}"', yaml)
                rule = "".join(f"  {line}\n" for line in listed["yaml"].splitlines())
                (self.folder / "shop.yml").write_text(f"groups:\n- name: shop\n  interval: 30s\n  rules:\n{rule}")
                (self.folder / "made_test.yml").write_text(yaml)
                self.assertIn("SUCCESS (1 group, ", alertctl("test", "rules", self.folder / "made_test.yml").stdout)
                (self.folder / "shop.yml").write_text(f"groups:\n- name: shop\n  rules:\n{rule.replace(listed['expr'], 'latency_seconds > 900')}")
                self.assertEqual(alertctl("test", "rules", self.folder / "made_test.yml", check=False).returncode, 1)  # it can fail
        self.assertIn("no such alert", self.of("Slow", "/unit", status=404, at=self.span["to"])["error"])
        path = self.folder / "by_hand_test.yml"
        self.ctl("Slow", f"--write-test={path}")
        self.assertIn("SUCCESS", alertctl("test", "rules", path).stdout)
        self.assertIn('rule_files: ["rules.yml"]', path.read_text())

    def test_the_smallest_outage(self):
        """Faults in copies of what is read, as the command line has them over the same past."""
        found = self.of("Slow", "/faults")
        self.assertEqual((found["kind"], found["input"], found["inputs"]), ("add", "latency_seconds", ["latency_seconds", "up", "*"]))
        self.assertEqual(len(found["cells"]), len(found["magnitudes"]) * len(found["durations_ms"]))
        least = found["least"]
        cell = found["cells"][least["magnitude"] * len(found["durations_ms"]) + least["duration"]]
        self.assertGreaterEqual(cell["caught"] * 10, cell["tried"] * 9)
        self.assertIn(found["magnitudes"][least["magnitude"]]["words"], found["words"])
        ours = [(cell["tried"], cell["caught"], cell["median_delay_ms"]) for cell in found["cells"]]
        theirs = self.ctl("Slow", "--faults", "--alone")["faults"]
        self.assertEqual(ours, [(cell["tried"], cell["caught"], cell["median_delay_ms"]) for cell in theirs["cells"]])
        self.assertEqual(self.of("Gone", "/faults")["places"], 0)  # it fires all the time
        self.assertEqual(self.of("Slow", "/faults", input="")["input"], None)
        for words, more in (("kind: set, add", {"kind": "meteor"}), ("reads no nobody", {"input": "nobody"}), ("kind", {"kind": 7})):
            self.assertIn(words, self.of("Slow", "/faults", status=400, **more)["error"])

    def test_one_setting_alert_by_alert(self):
        ours = self.of("Slow", "/episodes", threshold=3, for_ms=60000, keep_firing_for_ms=300000, incidents=self.bad)
        theirs = self.ctl("Slow", "--threshold=3", "--for=1m", "--keep=5m")
        self.assertGreater(ours["alerts"], 0)
        self.assertEqual([(one["labels"], one["active_at"], one["fired_at"], one["resolved_at"], one["in_incident"]) for one in ours["episodes"]],
                         [(one["labels"], one["active_at"], one["fired_at"], one["resolved_at"], one["in_incident"]) for one in theirs["alerts"]])
        self.assertIn("expr: latency_seconds > 3 and on (job) up == 1\n  for: 1m\n  keep_firing_for: 5m\n", ours["yaml"])

    def test_a_setting_of_its_own_gets_a_row_and_a_column(self):
        answer = self.of("Slow", threshold=2.3456, for_ms=330000)
        self.assertEqual(answer["thresholds"][answer["also"]["threshold"]], 2.3456)
        self.assertEqual(answer["for_steps"][answer["also"]["for"]], 11)
        self.assertEqual(answer["thresholds"][answer["now"]["threshold"]], 2)

    def test_what_would_have_been_read(self):
        first = self.of("Slow", "/episodes")["episodes"][0]
        preview = self.of("Slow", "/preview", at=first["fired_at"], labels=first["labels"])
        self.assertEqual(preview["labels"], {"alertname": "Slow", "severity": "page", "job": first["labels"]["job"]})
        self.assertEqual(preview["annotations"]["summary"], f"{first['labels']['job']} takes {preview['value']} s")
        self.assertIn(preview["annotations"]["summary"], preview["told"][0]["title"])
        self.of("Slow", "/preview", at=first["fired_at"], labels={"job": "c"}, status=404)

    def test_why_at_an_instant(self):
        first = self.of("Slow", "/episodes")["episodes"][0]
        at = time.mktime(time.strptime(first["fired_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        why = self.of("Slow", "/explain", at=stamp(at - 30))
        one = next(one for one in why["series"] if one["labels"] == first["labels"])
        self.assertEqual((one["state"], one["active_at"], one["fires_at"]), ("pending", first["active_at"], first["fired_at"]))
        why = self.of("Slow", "/explain", at=stamp(at + 7))
        one = next(one for one in why["series"] if one["labels"] == first["labels"])
        self.assertEqual((one["state"], one["fired_at"], why["evaluated_at"]), ("firing", first["fired_at"], first["fired_at"]))
        self.assertEqual([(one["selector"], one["series"]) for one in why["read"]], [("latency_seconds", 2), ("up", 2)])

    def test_hysteresis_is_written_as_the_command_line_does(self):
        body = {"threshold": 2, "for_ms": 0, "incidents": self.bad}
        ours = self.of("Slow", "/hysteresis", **body)
        self.assertIsNone(ours["none"])
        self.assertEqual(ours["run_alerts"], ours["alerts"], "evaluated step by step it does what was counted")
        self.assertIn('ALERTS{alertname="Slow", alertstate="firing"}', ours["expr"])
        theirs = self.ctl("Slow", "--hysteresis", "--threshold=2", "--for=0s")["hysteresis"]
        self.assertEqual([theirs[key] for key in ("fires_at", "clears_at", "alerts", "expr")], [ours[key] for key in ("fires_at", "clears_at", "alerts", "expr")])
        again = self.ask("/episodes", yaml=ours["yaml"], interval_ms=30000, **self.span)
        self.assertEqual(again["expr"], ours["expr"], "its text is a rule")
        self.assertIn("No pair of thresholds", self.of("Gone", "/hysteresis")["none"])
        alone = self.ctl("Slow", "--alone")
        whole = self.ctl("Slow")
        self.assertEqual((len(alone["cells"]), alone["alerts"]), (1, whole["alerts"]))

    def test_bad_input(self):
        slow = {"rule": self.ids["Slow"]}
        for words, status, body in (
                ("rule: say which", 400, {}),
                ("rule: say which", 400, {**slow, "yaml": "- alert: A\n  expr: up\n"}),
                ("rule: there is no rule 99999", 404, {"rule": 99999}),
                ("it is no alert", 400, {"rule": self.ids["a:b"]}),
                ("yaml: 2:", 400, {"yaml": "- alert: A\n  expr: up >\n"}),
                ("expr", 400, {**slow, "expr": 3}),
                ("unclosed", 400, {**slow, "expr": "sum(up"}),
                ("threshold: expected a number", 400, {**slow, "threshold": "high"}),
                ("for_ms", 400, {**slow, "for_ms": -1}),
                ("for_ms", 400, {**slow, "for_ms": 10 ** 15}),
                ("choice: ", 400, {**slow, "choice": 0}),
                ("choice: the rule has", 400, {**slow, "choice": 7}),
                ("from: expected a time", 400, {**slow, "from": "yesterday"}),
                ("from: it must lie before", 400, {**slow, "from": self.span["to"], "to": self.span["from"]}),
                ("from: 400 days", 400, {**slow, "from": "1990-01-01T00:00:00Z"}),
                ("to: lies ahead", 400, {**slow, "to": "2999-01-01T00:00:00Z"}),
                ("zone: ", 400, {**slow, "zone": "Moon/Tycho"}),
                ("columns: ", 400, {**slow, "columns": 100000}),
                ("incidents", 400, {**slow, "incidents": [{"from": self.span["to"]}]}),
                ("ends before", 400, {**slow, "incidents": [{"from": self.span["to"], "to": self.span["from"]}]}),
                ("typo: unknown", 400, {**slow, "typo": 1})):
            reply = self.ask(status=status, **body)
            self.assertIn(words, reply["error"], body)
        self.assertIn("expected an object", self.alertd.call("POST", f"{V1}/tunings", [1]).json["error"])
        self.assertEqual(self.alertd.call("POST", f"{V1}/tunings", headers={"Content-Type": "application/json"}).status, 400)

    def test_over_nothing(self):
        answer = self.of("Nowhere")
        self.assertEqual((answer["n_series"], answer["series"], sum(answer["cells"]["alerts"])), (0, [], 0))
        early = self.ask(rule=self.ids["Slow"], **{"from": stamp(self.end_s - 20 * 86400), "to": stamp(self.end_s - 19 * 86400)})
        self.assertEqual(early["n_series"], 0)

    def test_a_rule_is_stored_anew_in_its_file(self):
        path = f"{V1}/rules/{self.ids['Slow']}"
        before = self.alertd.get(path)
        yaml = self.of("Slow", "/episodes", threshold=3.5, for_ms=300000)["yaml"]
        saved = self.alertd.call("PUT", path, {"yaml": yaml, "version": before["version"]})
        self.assertEqual((saved.status, saved.json["version"]), (200, before["version"] + 1), saved)
        stored = self.alertd.get(path)
        self.assertEqual((stored["expr"], stored["for_ms"]), ("latency_seconds > 3.5 and on (job) up == 1", 300000))
        again = self.alertd.call("PUT", path, {"yaml": yaml, "version": before["version"]})
        self.assertEqual(again.status, 409)
        self.assertIn("somebody changed Slow meanwhile: it has version", again.json["error"])
        other = self.alertd.get(f"{V1}/rules/{self.ids['Full']}")
        self.assertEqual(other["version"], 1, "the others stay what they were")
        for words, status, body in (("yaml", 400, {"version": saved.json["version"]}),
                                    ("version", 400, {"yaml": yaml}),
                                    ("its name stays Slow", 400, {"yaml": yaml.replace("Slow", "Quick"), "version": saved.json["version"]}),
                                    ("yaml: ", 400, {"yaml": "- alert: Slow\n  expr: sum(\n", "version": saved.json["version"]}),
                                    ("one rule", 400, {"yaml": yaml + yaml.replace("Slow", "B"), "version": saved.json["version"]})):
            reply = self.alertd.call("PUT", path, body)
            self.assertEqual(reply.status, status, (body, reply))
            self.assertIn(words, reply.json["error"])
        self.assertEqual(self.alertd.call("PUT", f"{V1}/rules/77777", {"yaml": yaml, "version": 1}).status, 404)
        self.assertEqual(self.alertd.get(path)["version"], saved.json["version"], "what was refused changed nothing")
        self.alertd.call("PUT", path, {"yaml": before["versions"][0]["yaml"], "version": saved.json["version"]})

    def test_records_count_when_somebody_says_so(self):
        self.alertd.post("/api/v2/alerts", [{"labels": {"alertname": "Elsewhere", "severity": "page"}}])
        deadline = time.time() + 20
        key = None
        while not key and time.time() < deadline:
            key = next((one["key"] for one in self.alertd.get(f"{V1}/incidents?status=all")["incidents"] if one["labels"].get("alertname") == "Elsewhere"), None)
            time.sleep(0.1)
        now = {"to": stamp(time.time() + 60)}
        one = lambda **body: next(one for one in self.of("Slow", **now, **body)["incidents"] if one["key"] == key)
        self.assertEqual((one()["source"], one()["counts"], one()["words"]), ("record", True, "other rules fired in it"))
        self.assertFalse(one(turned=[key])["counts"])
        self.alertd.post(f"{V1}/incidents/{key}/verdict", {"verdict": "noise"})
        self.assertEqual((one()["counts"], one()["words"], one()["at"]), (False, "somebody called it noise", -1))


if __name__ == "__main__":
    unittest.main()
