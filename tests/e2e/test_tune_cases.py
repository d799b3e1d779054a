"""The tuner over real incidents told as facts (a checkout of them beside this one): for each it finds a setting that pages
earlier than what happened, or says why none can."""

import json
import pathlib
import random
import sys
import tempfile
import unittest
from datetime import datetime, timezone

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, Alertd, alertctl

CASES = ROOT.parent / "shared/cases/cases.json"

# case -> name and rule (as somebody careful writes it at first); since when it is bad as this signal has it (None: the impact's
# begin; disks fill and copies age before); and how it should end: a page before what happened ("earlier", than it was paged,
# detected or over, whichever is known), or the signal is the outage itself and moves with it ("with it").
RULES = {
    "docsrs-2019-disk-full": [("DiskFull", "node_filesystem_avail_ratio < 0.01", "2019-10-19T12:00:00Z", "earlier"),
                              ("BuildsFail", "build_success_ratio < 0.5", None, "earlier"),
                              ("SiteDown", "probe_success == 0", "2019-10-21T01:38:00Z", "with it")],
    "gitlab-2017-db-deletion": [("ReplicationLag", "pg_replication_lag_seconds > 600", "2017-01-31T21:00:00Z", "earlier"),
                                ("Shrinks", "pg_database_size_bytes < 100e9", "2017-01-31T23:25:00Z", "with it"),
                                ("NoBackup", "time() - backup_last_success_timestamp_seconds > 86400", "2017-01-31T21:00:00Z", "earlier")],
    "cloudflare-2019-waf-regex": [("Cpu", "edge_cpu_utilisation_ratio > 0.9", None, "earlier"),
                                  ("Errors", "http_responses_5xx_ratio > 0.1", None, "earlier"),
                                  ("Traffic", "edge_requests_per_second_relative < 0.5", None, "earlier")],
    "cloudflare-2023-1111-dnssec": [("Servfail", "dns_responses_servfail_ratio > 0.12", None, "earlier"),
                                    ("RootZoneAge", "root_zone_age_seconds > 1e6", "2023-10-01T00:00:00Z", "earlier")],
    "rust-2023-static-dns": [("Resolves", "probe_dns_lookup_success < 1", None, "earlier")],
}
WITH_IT_S = 180
STEP_S = 60
BEFORE_S = 6 * 3600
WEEKS_S = 15 * 86400  # of a signal that comes slowly


def seconds(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def rfc3339(at_s):
    return datetime.fromtimestamp(at_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def values(points, from_s, to_s):
    """The signal at each minute: straight between its points, level outside of them."""
    points = [(seconds(at), value) for at, value in points]
    for at_s in range(from_s, to_s + 1, STEP_S):
        before = [point for point in points if point[0] <= at_s]
        after = [point for point in points if point[0] > at_s]
        if not before or not after:
            yield at_s, (before[-1] if before else after[0])[1]
            continue
        (begin, low), (end, high) = before[-1], after[0]
        yield at_s, low + (high - low) * (at_s - begin) / (end - begin)


class Case:
    def __init__(self, case):
        self.case = case
        marks = case["marks"]
        self.begin_s = seconds(marks["impact_start"])
        self.end_s = seconds(marks["mitigated"])
        self.mark = next(name for name in ("paged", "detected", "mitigated") if marks[name])
        self.known_s = seconds(marks[self.mark])
        first = min(seconds(signal["points"][0][0]) for signal in case["drill"]["synthetic_signals"])
        self.from_s = max(min(first, self.begin_s) - BEFORE_S, self.begin_s - WEEKS_S)
        self.to_s = self.end_s + 3600

    def exposition(self):
        chance = random.Random(1)
        for signal in self.case["drill"]["synthetic_signals"]:
            shakes = any(word in signal["metric"] for word in ("ratio", "relative", "lag"))
            for at_s, value in values(signal["points"], self.from_s - 4 * 3600, self.to_s):
                value *= 1 + (chance.gauss(0, 0.05) if shakes else 0)  # a real one is never level
                yield f"{signal['metric']} {value!r} {at_s * 1000}"


@unittest.skipUnless(CASES.exists(), f"{CASES} is not here")
class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.cases = {case["id"]: Case(case) for case in json.loads(CASES.read_text())}
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=0"])
        cls.alertd.start()
        for case in cls.cases.values():
            lines = list(case.exposition())
            for at in range(0, len(lines), 20000):
                cls.alertd.push("\n".join(lines[at:at + 20000]))

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()
        cls.scratch.cleanup()

    def tune(self, case, name, rule, begin_s):
        (self.folder / "rules.yml").write_text(
            f"groups:\n- name: g\n  interval: 1m\n  rules:\n  - alert: {name}\n    expr: {rule}\n    for: 5m\n")
        (self.folder / "bad.csv").write_text(f"{rfc3339(begin_s)},{rfc3339(case.end_s)}\n")
        done = alertctl("tune", self.folder / "rules.yml", "--json", f"--from={rfc3339(case.from_s)}", f"--to={rfc3339(case.to_s)}",
                        f"--incidents={self.folder / 'bad.csv'}", alertd=self.alertd)
        return json.loads(done.stdout)

    def look(self, case, name, rule, begin, expected):
        """Of the settings that find it and fire about nothing else, the one that pages first."""
        begin_s = seconds(begin) if begin else case.begin_s
        result = self.tune(case, name, rule, begin_s)
        found = [cell for cell in result["cells"] if cell["incidents_found"] and not cell["needless"]]
        self.assertTrue(found)
        best = min(found, key=lambda cell: cell["worst_delay_ms"])
        page_s = begin_s + best["worst_delay_ms"] // 1000
        earlier_s = case.known_s - page_s
        if expected == "earlier":
            self.assertGreater(earlier_s, 0)
        else:
            self.assertLess(abs(earlier_s), WITH_IT_S)
        why = "" if expected == "earlier" else ": the signal is the outage itself"
        patient = min(found, key=lambda cell: (cell["alerts"], -cell["for_ms"]))
        return (f"{best['threshold']:g} for {best['for_ms'] // 60000}m pages {earlier_s / 60:.0f} min before it was {case.mark}{why}; "
                f"waiting {patient['for_ms'] // 60000}m costs {(patient['worst_delay_ms'] - best['worst_delay_ms']) / 60000:.0f} min")

    def test_each_case(self):
        told = []
        self.assertEqual(set(self.cases), set(RULES))
        for name, case in self.cases.items():
            for rule_name, rule, begin, expected in RULES[name]:
                with self.subTest(case=name, rule=rule):
                    told.append(f"{name}: {rule}: {self.look(case, rule_name, rule, begin, expected)}")
        print("\n" + "\n".join(told), file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
