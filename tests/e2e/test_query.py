"""What queries cost and what bounds them: explain, Prometheus' statistics, limits with clear words."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTCTL, Alertd, alertctl

STEP_S = 15
N_STEPS = 40


def nodes(tree):
    yield tree
    for child in tree["children"]:
        yield from nodes(child)


class Query(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(flags=cls.flags).start()
        cls.addClassCleanup(cls.alertd.close)
        cls.start = (int(time.time()) - N_STEPS * STEP_S) // 60 * 60
        lines = [f'errors_total{{job="j{i % 2}",instance="i{i}"}} {k * (i + 1)} {(cls.start + k * STEP_S) * 1000}'
                 for k in range(N_STEPS) for i in range(6)]
        cls.alertd.push("\n".join(lines))

    def ask(self, path, **parameters):
        return self.alertd.call("GET", f"{path}?{urllib.parse.urlencode(parameters)}")

    def span(self):
        return {"start": self.start, "end": self.start + (N_STEPS - 1) * STEP_S, "step": STEP_S}


class Explain(Query):
    EXPR = "sum by (job) (rate(errors_total[1m])) > 0"

    def test_an_instant_query(self):
        answer = self.ask("/api/alertd/v1/explain", query=self.EXPR, time=self.start + 300).json
        self.assertEqual((answer["type"], answer["steps"], answer["step_ms"], answer["series"], answer["samples"]), ("vector", 1, None, 2, 24))
        self.assertEqual([(node["label"], node["kind"], node["series"], node["samples"]) for node in nodes(answer["tree"])], [
            (">", "binary", 2, 24), ("sum by (job)", "aggregate", 2, 24), ("rate()", "call", 6, 24), ("errors_total[1m]", "selector", 6, 24), ("0", "number", 1, 0)])
        self.assertEqual(sum(node["hottest"] for node in nodes(answer["tree"])), 1)
        self.assertEqual([self.EXPR[node["start"]:node["end"]] for node in nodes(answer["tree"])][1:], [
            "sum by (job) (rate(errors_total[1m]))", "rate(errors_total[1m])", "errors_total[1m]", "0"])

    def test_a_range_query_by_form(self):
        form = urllib.parse.urlencode({"query": "max_over_time(sum(errors_total)[1m:30s])", **self.span()})
        answer = self.alertd.call("POST", "/api/alertd/v1/explain", form, {"Content-Type": "application/x-www-form-urlencoded"}).json
        self.assertEqual((answer["steps"], answer["step_ms"]), (N_STEPS, STEP_S * 1000))
        steps = [(node["label"], node["steps"]) for node in nodes(answer["tree"])]
        self.assertEqual(steps, [("max_over_time()", N_STEPS), ("[1m:30s]", N_STEPS), ("sum", 21), ("errors_total", 21)])
        self.assertAlmostEqual(sum(node["self_ms"] for node in nodes(answer["tree"])), answer["total_ms"], places=4)

    def test_refusals_are_the_query_apis(self):
        for parameters, status, words in (
                ({"query": "sum("}, 400, "1:5: parse error"), ({}, 400, "unknown position"), ({"query": "1", "start": "x"}, 400, '"start"'),
                ({"query": "errors_total[1m]", **self.span()}, 400, "range query"), ({"query": "errors_total + on () errors_total"}, 422, "many-to-many")):
            with self.subTest(parameters):
                reply = self.ask("/api/alertd/v1/explain", **parameters)
                self.assertEqual(reply.status, status)
                self.assertIn(words, reply.json["error"])

    def test_a_deep_expression(self):
        answer = self.ask("/api/alertd/v1/explain", query="-" * 390 + "errors_total").json
        self.assertEqual(len(list(nodes(answer["tree"]))), 391)

    def test_alertctl_draws_the_tree(self):
        when = f"--time={self.start + 300}"
        drawn = alertctl("query", "--explain", self.EXPR, when, alertd=self.alertd).stdout.splitlines()
        self.assertRegex(drawn[0], r"^2 series, 2 points at 1 step from 24 samples, in ")
        self.assertEqual(drawn[2].split(), ["TOTAL", "SELF", "%", "SERIES", "POINTS", "SAMPLES"])
        rows = drawn[3:]
        self.assertEqual(sum(row.startswith(">") for row in rows), 1)
        ends = [row[:-len(label)] for row, label in zip(rows, (">", "\u251c\u2500 sum by (job)", "\u2502  \u2514\u2500 rate()",
                                                               "\u2502     \u2514\u2500 errors_total[1m]", "\u2514\u2500 0"), strict=True)]
        self.assertEqual(len({len(end) for end in ends}), 1, "columns are aligned")
        self.assertEqual(ends[3].split()[-3:], ["6", "24", "24"])
        self.assertEqual(json.loads(alertctl("query", "--explain", "--json", self.EXPR, when, alertd=self.alertd).stdout)["samples"], 24)
        spans = alertctl("query", "--explain", self.EXPR, f"--start={self.start}", f"--end={self.start + 585}", "--step=15s", alertd=self.alertd)
        self.assertIn("at 40 steps", spans.stdout)
        self.assertEqual(alertctl("query", "--explain", "sum(", alertd=self.alertd, check=False).returncode, 1)


class Stats(Query):
    """Sample counts measured with Prometheus 3.5 on the same data: each step's window counts."""

    def test_as_prometheus(self):
        at = {"time": self.start + 300}
        rows = (("errors_total", at, 6), ("rate(errors_total[1m])", at, 24), ("rate(errors_total[1m])", self.span(), 6 * (1 + 2 + 3 + 4 * (N_STEPS - 3))),
                ("1 + 1", at, 0), ("errors_total @ end()", self.span(), 6 * N_STEPS), ("max_over_time(sum(errors_total)[1m:30s])", at, 2))
        for expr, when, samples in rows:
            with self.subTest(expr):
                reply = self.ask("/api/v1/query_range" if "step" in when else "/api/v1/query", query=expr, stats="all", **when)
                stats = reply.json["data"]["stats"]
                self.assertEqual(stats["samples"]["totalQueryableSamples"], samples)
                self.assertEqual(sorted(stats["timings"]), ["evalTotalTime", "execQueueTime", "execTotalTime", "innerEvalTime", "queryPreparationTime", "resultSortTime"])
                self.assertGreaterEqual(stats["timings"]["execTotalTime"], stats["timings"]["innerEvalTime"])

    def test_only_when_asked(self):
        self.assertNotIn("stats", self.ask("/api/v1/query", query="1").json["data"])
        self.assertNotIn("stats", self.ask("/api/v1/query", query="1", stats="").json["data"])
        self.assertIn("stats", self.ask("/api/v1/query", query="1", stats="1").json["data"])


class Limits(Query):
    flags = ("--query.max-samples=200", "--query.max-concurrency=1", "--query.lookback-delta=30s")

    def test_each_says_what_it_is(self):
        at = self.start + 300
        rows = (("text", {"query": "x" * 131073}, 400, "longer than 128 KiB", True), ("depth", {"query": "(" * 5000 + "1" + ")" * 5000}, 400, "nested", True),
                ("samples", {"query": "errors_total[10m]", "time": self.start + 585}, 422, "reads more than 200 samples", False),
                ("points", {"query": "1", "start": 0, "end": 100000, "step": 1}, 400, "exceeded maximum resolution of 11,000 points", False),
                ("time", {"query": "errors_total", "timeout": "0"}, 503, "timed out", False),
                ("time", {"query": "quantile_over_time(0.5, vector(1)[1h:1s])", "timeout": "1ms", "start": 0, "end": 10000, "step": 1}, 503, "timed out", False),
                ("memory", {"query": "count_over_time(vector(1)[100y:1s])", "time": at}, 422, "more memory than the 512 MiB", False))
        for name, parameters, status, words, by_form in rows:
            with self.subTest(name):
                path = "/api/v1/query_range" if "step" in parameters else "/api/v1/query"
                if by_form:
                    reply = self.alertd.call("POST", path, urllib.parse.urlencode(parameters), {"Content-Type": "application/x-www-form-urlencoded"})
                else:
                    reply = self.ask(path, **parameters)
                self.assertEqual(reply.status, status, reply)
                self.assertIn(words, reply.json["error"])
        self.assertEqual(self.ask("/api/v1/query", query="1 + 1").json["data"]["result"][1], "2")

    def test_queries_wait_for_each_other(self):
        slow = {"query": "quantile_over_time(0.5, vector(1)[1m:1s])", "start": self.start, "end": self.start + 600, "step": 10}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: self.ask("/api/v1/query_range", **slow), range(24)))
        self.assertEqual({reply.status for reply in replies}, {200})
        self.assertEqual(len({reply.text for reply in replies}), 1)

    def test_the_look_back_is_settable(self):
        last = self.start + (N_STEPS - 1) * STEP_S
        self.assertEqual(len(self.alertd.query("errors_total", last + 29)), 6)
        self.assertEqual(len(self.alertd.query("errors_total", last + 30)), 0)
        reply = self.ask("/api/v1/query", query="errors_total", time=last + 30, lookback_delta="5m")
        self.assertEqual(len(reply.json["data"]["result"]), 6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
