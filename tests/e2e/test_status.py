"""alertd as a whole: the wall's call, live events, own metrics, backups that run, stops under load."""

import pathlib
import re
import socket
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl, until

OVERVIEW, BACKUP = "/api/alertd/v1/overview", "/api/alertd/v1/backup"
RULES = """
groups:
- name: g
  interval: 1s
  rules:
  - alert: Hot
    expr: heat > 5
    labels: {severity: critical}
  - alert: Warm
    expr: heat > 1
    for: 1h
"""


class Status(unittest.TestCase):
    def setUp(self):
        self.alertd = Alertd().start()

    def tearDown(self):
        self.alertd.close()

    def fire(self):
        self.alertd.import_rules(RULES)
        self.alertd.push("heat 7")
        until(lambda: self.alertd.get(OVERVIEW)["n_firing"] == 1, 10, "Hot fires")

    def test_the_wall(self):
        calm = self.alertd.get(OVERVIEW)
        self.assertEqual((calm["state"], calm["n_firing"], calm["open_incidents"], len(calm["hours"])), ("ok", 0, [], 24))
        self.assertIsNone(calm["evaluation"]["last_at"])
        self.fire()
        wall = self.alertd.get(OVERVIEW)
        self.assertEqual((wall["state"], wall["n_pending"]), ("down", 1))
        self.assertEqual(wall["rules"], {"groups": 1, "rules": 2, "broken": 0})
        self.assertEqual([one["title"] for one in wall["open_incidents"]], ["Hot"])
        self.assertEqual(sum(hour["fired"] for hour in wall["hours"]), 1)
        self.assertEqual([one["receiver"] for one in wall["told"]], ["dashboard"])
        self.alertd.push("heat 3")
        until(lambda: self.alertd.get(OVERVIEW)["state"] == "degraded", 10, "only Warm is left, pending")

    def test_banners_stand_on_the_wall(self):
        self.assertEqual([one["level"] for one in self.alertd.get(OVERVIEW)["banners"]], ["info"])  # no dead man
        with Alertd(auth="off", flags=["--storage.sync=normal"]) as other:
            banners = other.get(OVERVIEW)["banners"]
            self.assertEqual([one["level"] for one in banners], ["warn", "warn", "info"])
            self.assertIn("Authentication is off", banners[0]["text"])

    def test_an_event_tells_of_an_incident_at_once(self):
        with socket.create_connection(("127.0.0.1", self.alertd.port)) as peer:
            peer.sendall(f"GET /api/alertd/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.alertd.token}\r\n\r\n".encode())
            peer.settimeout(10)
            self.fire()
            got = b""
            while b"event: incident" not in got:
                got += peer.recv(4096)

    def test_own_metrics_are_described(self):
        self.fire()
        self.alertd.get(OVERVIEW)
        text = self.alertd.call("GET", "/metrics", token="").text
        described, used = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M)), set()
        self.assertEqual(described, set(re.findall(r"^# HELP (\S+) .", text, re.M)))
        for line in text.splitlines():
            if not line.startswith("#"):
                match = re.fullmatch(r'(\w+)(\{(\w+="[^"]*"(, ?)?)*\})? -?[\d.e+-]+', line)
                self.assertTrue(match, line)
                histogram = re.sub("_(bucket|sum|count)$", "", match[1])
                used.add(histogram if histogram in described else match[1])
        self.assertEqual(used - described, set())
        for name in ("alertd_samples_ingested_total", "alertd_sqlite_commits_total", "alertd_rule_group_iterations_total", "process_resident_memory_bytes", "alertd_series"):
            self.assertIn(name, used)
        self.assertRegex(text, r'alertd_http_requests_total\{handler="/api/alertd/v1/overview",method="GET",code="2xx"\} [1-9]')
        self.assertEqual(self.alertd.call("GET", "/metrics", token="", headers={"X-Forwarded-For": "192.0.2.1"}).status, 401)

    def test_what_takes_the_space(self):
        tsdb = "/api/v1/status/tsdb"
        with Alertd(flags=["--limit.new-series-per-hour-per-pusher=5"]) as alertd:
            alertd.push("m{i=\"1\"} 1\nm{i=\"2\"} 1\nm{i=\"3\"} 1\nn{i=\"1\"} 1")
            reply = alertd.call("POST", "/api/v1/import/prometheus", 'm{i="4"} 1\nm{i="5"} 1\nm{i="6"} 1\n', {"Content-Type": "text/plain"})
            self.assertEqual(reply.status, 400)
            self.assertIn("--limit.new-series-per-hour-per-pusher", reply.json["error"])
            data = alertd.get(f"{tsdb}?limit=1000")["data"]
            counts = {key: {one["name"]: one["value"] for one in data[key]} for key in data if isinstance(data[key], list)}
            self.assertEqual((counts["seriesCountByMetricName"]["m"], counts["seriesCountByMetricName"]["n"]), (4, 1))
            self.assertEqual((counts["labelValueCountByLabelName"]["i"], counts["memoryInBytesByLabelName"]["i"]), (4, 5))
            self.assertEqual(counts["seriesCountByLabelValuePair"]["i=1"], 2)
            self.assertGreaterEqual(data["headStats"]["numSeries"], 5)
            own = data["watchbill"]
            self.assertEqual([(one["reason"], one["count"], one["series"]) for one in own["offenders"]], [("new_series_limit", 2, 'm{i="5"}')])
            day = own["days"][-1]
            self.assertGreater(day["bytes"], 0)
            self.assertEqual((day["chunks"], day["sealed_samples"]), (0, 0))
            self.assertGreaterEqual(day["unsealed_samples"], 4)
            self.assertGreater(day["bytes_per_sample"], 0)
            self.assertGreaterEqual(data["headStats"]["chunkCount"], data["headStats"]["numSeries"])
            self.assertTrue(all(own["memory"][part] > 0 for part in ("index_bytes", "series_days_bytes", "open_chunks_bytes", "push_cache_bytes")), own["memory"])
            self.assertEqual(own["memory"]["recent_copies_bytes"], 0)
            self.assertEqual(own["limits"][2], {"flag": "--limit.new-series-per-hour-per-pusher", "used": 5, "limit": 5, "pusher": own["offenders"][0]["pusher"]})
            self.assertEqual(own["limits"][1], {"flag": "--limit.new-series-per-hour", "used": 5, "limit": 200000})
            self.assertEqual(len(alertd.get(f"{tsdb}?limit=1")["data"]["seriesCountByMetricName"]), 1)
            shown = alertctl("status", "tsdb", alertd=alertd).stdout
            head, today = shown.splitlines()[:2]
            self.assertRegex(head, r"^DAY +SIZE +JOURNAL +CHUNKS +ROLL-UPS +OTHER +SAMPLES +B/SAMPLE +SERIES$")
            self.assertRegex(today, r"^\S+ +\d+K( +\S+){5} +\d+\.\d\d +\d+$")
            self.assertEqual(len(head), len(today), "numbers stand at the right")
            self.assertLessEqual(len(head), 80)
            self.assertRegex(shown, r"(?m)^samples not yet sealed +\d+$")
            for day in data["watchbill"]["days"]:
                self.assertLessEqual(day["packed_bytes"], day["chunk_bytes"])
                self.assertEqual(day["bytes"] + day["log_bytes"], sum(day[key] for key in ("journal_bytes", "chunk_bytes", "rollup_bytes", "other_bytes")))
            self.assertRegex(shown, r'new_series_limit +first admin +2 +\S+ +m\{i="5"\}')
            self.assertRegex(shown, r"--limit.new-series-per-hour +5 +200000")
            for limit in ("0", "x", "1001", "-1", ""):
                self.assertEqual(alertd.call("GET", f"{tsdb}?limit={limit}").status, 400, limit)

    def test_a_backup_runs(self):
        self.fire()
        made = self.alertd.post(BACKUP, {"folder": "first"})
        self.assertEqual(made["folder"], str(self.alertd.folder / "backups/first"))
        self.assertEqual(sorted(pathlib.Path(one["name"]).name for one in made["files"])[-2:], ["drills.db", "state.db"])
        for name in ("first", "../x", "a/b", ".hidden", "", "x" * 5000):
            self.assertEqual(self.alertd.call("POST", BACKUP, {"folder": name}).status, 400, name[:20])
        self.assertEqual(self.alertd.call("POST", BACKUP, {"file": "x"}).status, 400)
        with tempfile.TemporaryDirectory() as folder:
            copy = self.alertd.post(BACKUP, {"folder": f"{folder}/copy"})["folder"]
            keys = [one["key"] for one in self.alertd.get(OVERVIEW)["open_incidents"]]
            token = self.alertd.token
            with Alertd(folder=copy) as restored:
                self.assertEqual([one["key"] for one in restored.get(OVERVIEW, token=token)["open_incidents"]], keys)
                metrics = restored.call("GET", "/metrics", token=token).text
                self.assertGreater(int(re.search(r"^alertd_series (\d+)", metrics, re.M)[1]), 0)
            pathlib.Path(f"{folder}/copy.alertd.log").unlink(missing_ok=True)

    def test_a_stop_under_load_is_quick_and_loses_nothing_answered(self):
        stored, over, lock = [], threading.Event(), threading.Lock()
        since_ms = int(time.time() * 1000) - 200_000

        def push(number):
            for n in range(10**6):
                if over.is_set():
                    return
                try:
                    self.alertd.push(f'load{{worker="{number}"}} {n}', at_ms=since_ms + n)
                except (OSError, AssertionError):
                    return
                with lock:
                    stored.append((number, n))

        threads = [threading.Thread(target=push, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        began = time.monotonic()
        self.assertEqual(self.alertd.stop(), 0)
        took = time.monotonic() - began
        over.set()
        for thread in threads:
            thread.join()
        self.assertLess(took, 5)
        self.assertGreater(len(stored), 20)
        self.alertd.start()
        for number in range(6):
            newest = max(n for worker, n in stored if worker == number)
            kept = self.alertd.query(f'max_over_time(load{{worker="{number}"}}[5m])')
            self.assertEqual(len(kept), 1)
            self.assertGreaterEqual(max(kept.values()), newest)


if __name__ == "__main__":
    unittest.main(verbosity=2)
