"""Roll-ups over the API: the same numbers as PromQL's functions over the samples, whether the days are rolled up or not; what is
refused says what is allowed."""

import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, Alertd, alertctl

PATH = "/api/alertd/v1/samples/rollup"
DAY = 86400
DAYS, STEP_S = 3, 60
END = int(time.time()) // DAY * DAY - 3 * DAY  # a midnight: the days before it are over
METRICS = ["queue_depth", "requests_total", "response_seconds", "config_version"]


def store_year(word, folder):
    subprocess.run([BUILD / "tests/lib/store_year", word, folder, str(DAYS), str(STEP_S), str(END)], check=True, timeout=100)


class Rollup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="watchbill-rollup-")
        folder = pathlib.Path(cls.scratch.name)
        (folder / "samples").mkdir()
        store_year("fill", folder / "samples")
        store_year("roll", folder / "samples")
        cls.alertd = Alertd(folder=folder).start()
        # and days that are not rolled up: history, by the hour, through the front door
        start = END + DAY
        text = "".join(f'queue_depth{{instance="web-2"}} {i % 97} {start + i * 300 // 4}\n' for i in range(2000))
        (folder / "history.om").write_text(text + "# EOF\n")
        alertctl("import", "openmetrics", str(folder / "history.om"), alertd=cls.alertd)

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()
        cls.scratch.cleanup()

    def ask(self, match, start, end, step, **more):
        form = urllib.parse.urlencode({"match[]": match, "start": start, "end": end, "step": step, **more}, doseq=True)
        return self.alertd.get(f"{PATH}?{form}")

    def refused(self, **form):
        whole = {"match[]": "up", "start": END - DAY, "end": END, "step": "1h", **form}
        reply = self.alertd.call("GET", f"{PATH}?{urllib.parse.urlencode({k: v for k, v in whole.items() if v is not None}, doseq=True)}")
        self.assertEqual(reply.status, 400, reply)
        return reply.json["error"]

    def by_promql(self, function, selector, start, end, step):
        """{begin of a step: value} of a function over each whole step: windows are open on the left."""
        form = urllib.parse.urlencode({"query": f"{function}({selector}[{step}s])", "start": start + step - 0.001, "end": end - 0.001, "step": step})
        result = self.alertd.get(f"/api/v1/query_range?{form}")["data"]["result"]
        return {round(t - step + 0.001): value for one in result for t, value in one["values"]}

    def compare(self, selector, start, end, step):
        answer = self.ask(selector, start, end, step)
        self.assertNotIn("warnings", answer)
        self.assertEqual(len(answer["data"]["result"]), 1, selector)
        rows = answer["data"]["result"][0]["values"]
        self.assertGreater(len(rows), 10)
        for column, function in enumerate(["min_over_time", "max_over_time", "sum_over_time", "count_over_time"], 1):
            found = {row[0]: str(row[column]) for row in rows}
            self.assertEqual(found, self.by_promql(function, selector, start, end, step), f"{function} of {selector} by {step}")

    def test_the_same_as_promql_says(self):
        for metric in METRICS:
            for step in (300, 3600):
                self.compare(f'{metric}{{instance="web-1"}}', END - DAYS * DAY, END, step)
        for step in (300, 3600):
            self.compare('queue_depth{instance="web-2"}', END + DAY, END + 3 * DAY, step)

    def test_steps_of_several(self):
        data = self.ask("queue_depth", END - DAYS * DAY + 1, END, "1d")["data"]
        self.assertEqual((data["resolution"], data["step"]), (3600, DAY))
        self.assertEqual([row[0] for row in data["result"][0]["values"]], [END - k * DAY for k in range(DAYS, 0, -1)])
        self.assertEqual([row[4] for row in data["result"][0]["values"]], [DAY // STEP_S] * DAYS)
        self.assertEqual(self.ask("queue_depth", END - DAY, END, "90m")["data"]["resolution"], 300)

    def test_several_selectors_find_a_series_once(self):
        result = self.ask(["queue_depth", '{instance="web-1"}'], END - DAY, END, "1h")["data"]["result"]
        self.assertEqual([one["metric"]["__name__"] for one in result], sorted(METRICS))
        cut = self.ask('{instance="web-1"}', END - DAY, END, "1h", limit=2)
        self.assertEqual((len(cut["data"]["result"]), cut["warnings"]), (2, ["results truncated due to limit"]))

    def test_by_form(self):
        form = urllib.parse.urlencode({"match[]": "config_version", "start": END - DAY, "end": END, "step": "12h"})
        reply = self.alertd.call("POST", PATH, form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(reply.status, 200, reply)
        rows = reply.json["data"]["result"][0]["values"]
        self.assertEqual(rows, [[END - DAY, "7", "7", "5040", 720], [END - DAY // 2, "7", "7", "5040", 720]])

    def test_what_is_refused(self):
        allowed = "a roll-up's step is a multiple of 5m or of 1h"
        for step in ("1m", "7m", "301", "367d"):
            self.assertIn(allowed, self.refused(step=step))
        self.assertIn('invalid parameter "step"', self.refused(step="x"))
        self.assertIn("11,000 points", self.refused(start=END - 365 * DAY, step="5m"))
        self.assertIn("no match[] parameter", self.refused(**{"match[]": None}))
        self.assertIn("parse error", self.refused(**{"match[]": "sum(up)"}))
        self.assertIn("at least one non-empty matcher", self.refused(**{"match[]": '{a=""}'}))
        self.assertIn("at most 16", self.refused(**{"match[]": ["up"] * 17}))
        self.assertIn("must not be before", self.refused(start=END + 1))
        self.assertIn("outside of the years", self.refused(start="-99999999999", end="-99999999000"))
        self.assertEqual(self.alertd.call("GET", PATH, token="").status, 401)

    def test_rules_have_no_way_to_it(self):
        reply = self.alertd.call("GET", "/api/v1/query?query=rollup(queue_depth)")
        self.assertEqual(reply.status, 400)
        self.assertIn("unknown function", reply.json["error"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
