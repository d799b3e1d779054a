"""A past of which a day is set aside as damaged: every answer of the tuner that is made of the rest names it."""

import http.server
import json
import pathlib
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import shop_past
from daemon import Alertd, alertctl, until

TUNINGS = "/api/alertd/v1/tunings"
RULES = """groups:
- name: shop
  interval: 30s
  rules:
  - alert: Slow
    expr: latency_seconds > 2 and on (job) up == 1
    for: 2m
  - alert: Flaps
    expr: flapping > 3
  - alert: Inner
    expr: count(latency_seconds > 1)
"""
ODD = """groups:
- name: odd
  interval: 30s
  rules:
  - alert: NoBuckets
    expr: histogram_quantile(0.9, flapping) > 3
  - alert: Beyond
    expr: quantile by (job) (2, latency_seconds) > 1
"""
WARNED = {  # what PromQL itself warns of
    "NoBuckets": 'bucket label "le" is missing or has a malformed value of "" for metric name "flapping"',
    "Beyond": "quantile value should be between 0 and 1, got 2",
}
DAY_S = 86400
BLOCK = "Not all of it could be read:"


def day_of(at_s):
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def stamp(at_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


class Warns(http.server.BaseHTTPRequestHandler):
    """A server with Prometheus' API that could not read all of it, and says so differently each time."""

    words = [f"store eu-{i:02} did not answer (after 3 s)" for i in range(11)]
    n = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Warns.n += 1
        placed = f'PromQL warning: a bucket has no "le" (1:{Warns.n})'
        at_s = int(time.time()) // 60 * 60 - 1800
        series = [{"metric": {"job": "a"}, "values": [[at_s + i * 30, str(i % 5)] for i in range(20)]}]
        body = json.dumps({"status": "success", "warnings": [*self.words, placed], "infos": ["nobody asks"], "data": {"resultType": "matrix", "result": series}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Refuses(http.server.BaseHTTPRequestHandler):
    """A server that can't answer, and says what it could not read."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"status": "error", "errorType": "bad_data", "error": "nothing is there", "warnings": Warns.words[:9]}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_):
        pass


class Missing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.rules = pathlib.Path(cls.scratch.name) / "rules.yml"
        cls.rules.write_text(RULES)
        cls.odd = pathlib.Path(cls.scratch.name) / "odd.yml"
        cls.odd.write_text(ODD)
        cls.other = pathlib.Path(cls.scratch.name) / "other.yml"
        cls.other.write_text(RULES.replace("> 2 and", "> 3 and"))
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=30d"])
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.end_s = int(time.time()) // DAY_S * DAY_S  # the last midnight: three days before it, none of them today's
        history = pathlib.Path(cls.scratch.name) / "history.om"
        history.write_text(shop_past.openmetrics(cls.end_s, 71))
        alertctl("import", "openmetrics", history, alertd=cls.alertd)
        cls.alertd.stop()
        cls.day = day_of(cls.end_s - DAY_S - DAY_S // 2)
        cls.set_aside(cls.day)
        cls.words = f"partition {cls.day} is quarantined ({cls.day}.db.damaged-1)"
        cls.span = {"from": stamp(cls.end_s - 70 * 3600), "to": stamp(cls.end_s)}

    @classmethod
    def set_aside(cls, day):
        samples = cls.alertd.folder / "samples"
        (samples / f"{day}.db").rename(samples / f"{day}.db.damaged-1")

    def options(self, *more):
        return [f"--from={self.span['from']}", f"--to={self.span['to']}", *more]

    def of_folder(self, *more, check=True):
        return alertctl("tune", self.rules, "--rule=Slow", f"--store={self.alertd.folder}", *self.options(*more), check=check)

    def test_1_a_folder(self):
        done = self.of_folder()
        head, block, rest = done.stdout.partition(BLOCK)
        self.assertIn("Slow", head)
        self.assertTrue(rest.startswith(f"\n  {self.words}\n"), done.stdout)
        self.assertEqual(rest.count(self.words), 1)
        self.assertEqual(json.loads(self.of_folder("--json").stdout)["warnings"], [self.words])

    def test_1_what_is_reckoned_besides(self):
        for options in (["--faults"], ["--hysteresis"], ["--ingest-lag=40s"], ["--phases"], ["--front", "--alerts"]):
            with self.subTest(options):
                self.assertEqual(self.of_folder(*options).stdout.count(self.words), 1)
                self.assertEqual(json.loads(self.of_folder("--json", *options).stdout)["warnings"], [self.words])

    def test_1_what_promql_warns_of(self):
        """Once each, behind what is missing; whatever way of reading it takes."""
        for name, warned in WARNED.items():
            for more in ([], ["--ingest-lag=40s"], ["--phases"]):
                with self.subTest(name, more=more):
                    options = [f"--rule={name}", f"--store={self.alertd.folder}", *self.options("--json", *more)]
                    done = alertctl("tune", self.odd, *options)
                    self.assertEqual(json.loads(done.stdout)["warnings"], [self.words, warned])
        self.assertIn(f"{BLOCK}\n  {self.words}\n  {warned}\n", alertctl("tune", self.odd, f"--rule={name}", f"--store={self.alertd.folder}", *self.options()).stdout)

    def test_1_a_time_that_is_whole_says_nothing(self):
        to = f"--from={stamp(self.end_s - DAY_S // 2)}"
        done = alertctl("tune", self.rules, "--rule=Slow", f"--store={self.alertd.folder}", to, f"--to={self.span['to']}")
        self.assertNotIn(BLOCK, done.stdout)
        done = alertctl("tune", self.rules, "--rule=Slow", f"--store={self.alertd.folder}", to, f"--to={self.span['to']}", "--json")
        self.assertEqual(json.loads(done.stdout)["warnings"], [])

    def diff(self, way):
        return alertctl("tune", "diff", self.rules, self.other, f"--store={self.alertd.folder}", f"--format={way}", *self.options()).stdout

    def test_1_two_rule_files(self):
        text = self.diff("text")
        self.assertIn(f"{BLOCK}\n  {self.words}\n", text)
        self.assertEqual(text.count(self.words), 1)
        self.assertEqual(json.loads(self.diff("json"))["warnings"], [self.words])
        github = self.diff("github")
        self.assertIn("**Not all of the past could be read:**", github)
        self.assertIn(f"> - partition {self.day} is quarantined \\({self.day}.db.damaged-1\\)", github)
        self.assertIn(f"<system-out>\n{BLOCK}\n  {self.words}\n</system-out>\n</testsuite>", self.diff("junit"))

    def serve(self, answers):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"--url=http://127.0.0.1:{server.server_port}"

    def test_1_a_server_that_fails(self):
        url = self.serve(Refuses)
        shown = "".join(f"  {words}\n" for words in Warns.words[:8])
        for command in (["tune", self.rules, "--rule=Flaps", "--from=1h"], ["query", "up"]):
            with self.subTest(command[0]):
                done = alertctl(*command, url, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("nothing is there", done.stderr)
                self.assertTrue(done.stderr.endswith(f"\n{BLOCK}\n{shown}  ... and 1 more\n"), done.stderr)

    def test_1_a_server_of_others(self):
        options = ["tune", self.rules, "--rule=Flaps", self.serve(Warns), "--from=1h"]
        self.assertEqual(json.loads(alertctl(*options, "--json").stdout)["warnings"], ['a bucket has no "le"', *Warns.words])
        self.assertGreater(Warns.n, 1)
        shown = "".join(f"  {words}\n" for words in ['a bucket has no "le"', *Warns.words[:7]])
        self.assertIn(f"{BLOCK}\n{shown}  ... and 4 more (--json has them)\n", alertctl(*options).stdout)

    def test_2_a_server(self):
        """alertd by its API, and as any server that speaks Prometheus' API is asked."""
        self.alertd.start()
        self.alertd.import_rules(RULES, source="shop.yml")
        rules = [rule for group in self.alertd.get("/api/alertd/v1/rules")["groups"] for rule in group["rules"]]
        slow = next(rule["id"] for rule in rules if rule["name"] == "Slow")
        for name in ("Slow", "Inner"):
            done = alertctl("tune", self.rules, f"--rule={name}", *self.options(), alertd=self.alertd)
            self.assertEqual(done.stdout.count(self.words), 1, done.stdout)
        self.assertIn(f"{BLOCK}\n  {self.words}\n", done.stdout)
        done = alertctl("tune", self.rules, "--rule=Slow", *self.options("--json", "--faults"), alertd=self.alertd)
        self.assertEqual(json.loads(done.stdout)["warnings"], [self.words])
        done = alertctl("tune", self.rules, "--rule=Slow", *self.options("--config=server"), alertd=self.alertd)
        self.assertEqual(done.stdout.count(f"{BLOCK}\n  {self.words}\n"), 2, "of what was read by alertctl, and of what alertd reckoned")
        done = alertctl("tune", "diff", self.rules, self.other, "--format=json", *self.options(), alertd=self.alertd)
        self.assertEqual(json.loads(done.stdout)["warnings"], [self.words])
        question = {"rule": slow, **self.span}
        alerts = self.alertd.post(f"{TUNINGS}/episodes", question)
        self.assertEqual(alerts["warnings"], [self.words])
        at = alerts["episodes"][0]
        one = {**question, "at": at["fired_at"]}
        for path, body in (("", question), ("/hysteresis", question), ("/faults", question), ("/pages", question), ("/unit", {**one, "labels": at["labels"]}),
                           ("", {**question, "ingest_lag_ms": 40000})):
            with self.subTest(path):
                self.assertEqual(self.alertd.post(TUNINGS + path, body)["warnings"], [self.words])
        missing_s = self.end_s - DAY_S - DAY_S // 2
        self.assertEqual(self.alertd.post(f"{TUNINGS}/explain", {**question, "at": stamp(missing_s)})["warnings"], [self.words])
        self.look_at_failures(question, at["labels"], missing_s)
        odd = {"yaml": ODD, **self.span}  # its first alert
        self.assertEqual(self.alertd.post(TUNINGS, odd)["warnings"], [self.words, WARNED["NoBuckets"]])
        whole = {**question, "from": stamp(self.end_s - DAY_S // 2)}
        self.assertEqual(self.alertd.post(TUNINGS, whole)["warnings"], [])
        self.look_at_review()
        self.alertd.stop()

    def look_at_failures(self, question, labels, missing_s):
        """What is not there may lie in what could not be read."""
        gone = {**question, "at": stamp(missing_s), "labels": labels}
        for path in ("/unit", "/preview"):
            with self.subTest(path):
                reply = self.alertd.call("POST", TUNINGS + path, gone)
                self.assertEqual((reply.status, reply.json["warnings"]), (404, [self.words]))
        reply = self.alertd.call("POST", TUNINGS, {**question, "rule": 4711})
        self.assertEqual(reply.status, 404)
        self.assertNotIn("warnings", reply.json, "nothing was to be read")

    def look_at_review(self):
        self.alertd.post("/api/alertd/v1/review")
        found = until(lambda: (found := self.alertd.get("/api/alertd/v1/review"))["reviewed_at"] and found, 60, "rules are reviewed")
        for rule in found["rules"]:
            self.assertTrue(rule["words"].endswith(f" Not all of these days could be read: {self.words}."), rule)

    def test_3_no_day_is_left(self):
        days = [day_of(self.end_s - i * DAY_S - DAY_S // 2) for i in (0, 2)]
        for day in days:
            self.set_aside(day)
        done = self.of_folder()
        for day in [*days, self.day]:
            self.assertIn(f"partition {day} is quarantined ({day}.db.damaged-1)", done.stdout)
        self.assertNotIn("look whether its metrics exist", done.stdout)
        self.assertIn("Nothing of what could be read has a value in this time.", done.stdout)
        done = self.of_folder(f"--write-test={self.rules.parent / 'test.yml'}", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{BLOCK}\n", done.stderr)
        self.assertIn(self.words, done.stderr)


if __name__ == "__main__":
    unittest.main()
