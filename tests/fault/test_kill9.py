"""kill -9 of alertd at random moments, while agents push and somebody acknowledges: what was answered
with a 2xx is there afterwards, no alert changed its state, no page is lost. The ledger is kept here,
outside of the process that dies.

usage: test_kill9.py [KILLS [SEED]]     5 kills; meson's suite `slow` asks for 200
"""

import contextlib
import datetime
import http.client
import json
import pathlib
import random
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, until
from receivers import Webhook

KILLS, SEED = 5, int(time.time())
PUSHERS, SAMPLES_A_BATCH = 4, 5
OURS = "/api/alertd/v1"

RULES = """
groups:
  - name: fault
    interval: 1s
    rules:
      - alert: Trouble
        expr: trouble == 1
      - alert: Slow
        expr: slow == 1
        for: 6h
"""

CONFIG = """
receivers:
  - name: team
    webhook_configs:
      - url: {hook}
        send_resolved: false
route:
  receiver: team
  group_by: [alertname, n]
  group_wait: 0s
  group_interval: 1s
"""


class Pusher(threading.Thread):
    """Pushes numbered samples as one agent until alertd dies; remembers those that were acknowledged."""

    def __init__(self, alertd, name, round_number, extra=""):
        super().__init__(daemon=True)
        self.alertd, self.name, self.round, self.extra = alertd, name, round_number, extra
        self.acked, self.refused, self.over = {}, [], False

    def batch(self, sequence, at_ms):
        samples = {at_ms + i: sequence * SAMPLES_A_BATCH + i for i in range(SAMPLES_A_BATCH)}
        text = "".join(f'm{{pusher="{self.name}",round="{self.round}"}} {v} {t}\n' for t, v in samples.items())
        return samples, text + self.extra

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.alertd.port, timeout=10)
        with contextlib.closing(connection):
            self.push_on(connection)

    def push_on(self, connection):
        headers = {"Content-Type": "text/plain", "X-Watchbill-Agent": self.name, "X-Watchbill-Epoch": str(self.round + 1)}
        sequence, last_ms = 0, 0
        while not self.over:
            sequence += 1
            at_ms = max(int(time.time() * 1000), last_ms + SAMPLES_A_BATCH)
            last_ms = at_ms
            samples, text = self.batch(sequence, at_ms)
            try:
                connection.request("POST", "/api/v1/import/prometheus", text, {**headers, "X-Watchbill-Sequence": str(sequence)})
                reply = connection.getresponse()
                body = reply.read()
            except (OSError, http.client.HTTPException):
                return  # killed: this batch was not acknowledged
            if reply.status == 204:
                self.acked.update(samples)
            else:
                self.refused.append((reply.status, body[:200]))


class Acker(threading.Thread):
    """Acknowledges whatever is open; remembers what it was told is acknowledged."""

    def __init__(self, alertd, acked):
        super().__init__(daemon=True)
        self.alertd, self.acked, self.seen, self.over = alertd, acked, {}, False

    def run(self):
        while not self.over:
            try:
                for one in self.alertd.get(f"{OURS}/incidents?status=open&limit=200", timeout=10)["incidents"]:
                    self.seen[one["key"]] = one
                    if one["status"] != "triggered":
                        continue
                    reply = self.alertd.call("POST", f"{OURS}/incidents/{one['key']}/ack", {}, timeout=10)
                    if reply.status // 100 == 2:
                        self.acked.add(one["key"])
            except (OSError, http.client.HTTPException, AssertionError, ValueError):
                return
            time.sleep(0.02)


DOWN_MAX_S = 10


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Kill9(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"# seed {SEED}, {KILLS} kills")
        self.hook = Webhook().start()
        self.alertd = Alertd(config=CONFIG.format(hook=self.hook.url), auth="off").start()
        self.alertd.import_rules(RULES)
        self.ledger = {}      # (pusher, round) -> {t_ms: value}
        self.acked = set()    # incident keys
        self.active = {}      # labels of an alert -> since when

    def tearDown(self):
        self.alertd.close()
        self.hook.stop()

    def series(self, pusher, round_number):
        # Quick pushers are ahead of the clock: five milliseconds a batch.
        query = urllib.parse.urlencode({"query": f'm{{pusher="{pusher}",round="{round_number}"}}[2h]', "time": time.time() + 3600})
        data = self.alertd.get(f"/api/v1/query?{query}")["data"]
        self.assertEqual(data["resultType"], "matrix")
        found = {}
        for one in data["result"]:
            for t, v in one["values"]:
                self.assertNotIn(round(t * 1000), found, "a sample twice")
                found[round(t * 1000)] = float(v)
        return found

    def check_samples(self, keys):
        n = 0
        for key in keys:
            found = self.series(*key)
            lost = {t: v for t, v in self.ledger[key].items() if found.get(t) != v}
            self.assertFalse(lost, f"{key}: {len(lost)} of {len(self.ledger[key])} acknowledged samples are lost")
            n += len(self.ledger[key])
        return n

    def check_alerts(self):
        """Alerts known before are in the state they were in, since the same moment; but for one that waits: the evaluations
        that were missed meanwhile do not count toward its `for`."""
        now = {json.dumps(one["labels"], sort_keys=True): one for one in self.alertd.get("/api/v1/alerts")["data"]["alerts"]}
        for labels, before in self.active.items():
            self.assertIn(labels, now, "an alert is gone after the restart")
            after = now[labels]
            self.assertEqual(after["state"], before["state"], labels)
            moved_s = (when(after["activeAt"]) - when(before["activeAt"])).total_seconds()
            self.assertLessEqual(0, moved_s, labels)
            self.assertLessEqual(moved_s, DOWN_MAX_S if before["state"] == "pending" else 0, labels)
        self.active = {labels: one for labels, one in now.items() if one["state"] == "firing" or "Slow" in labels}

    def check_incidents(self):
        for key in self.acked:
            one = self.alertd.get(f"{OURS}/incidents/{key}")
            self.assertEqual(one["status"], "acknowledged", f"{key}: the acknowledgement is gone")

    def one_round(self, number):
        trouble = "".join(f'trouble{{n="{n}"}} 1\n' for n in range(number + 1)) + "slow 1\n"
        pushers = [Pusher(self.alertd, f"p{i}", number, trouble if i == 0 else "") for i in range(PUSHERS)]
        acker = Acker(self.alertd, self.acked)
        for thread in [*pushers, acker]:
            thread.start()
        time.sleep(self.random.uniform(0.2, 2.5))
        self.alertd.kill()
        acker.over = True
        for thread in [*pushers, acker]:
            thread.join(20)
        for pusher in pushers:
            self.assertFalse(pusher.refused, "refused under load")
            self.ledger[(pusher.name, number)] = pusher.acked
        start = time.monotonic()
        self.alertd.start()
        self.check_alerts()
        self.check_incidents()
        n = self.check_samples([(pusher.name, number) for pusher in pushers])
        print(f"# kill {number}: {n} samples and {len(self.acked)} acknowledgements kept, ready and checked in "
              f"{time.monotonic() - start:.2f} s", flush=True)

    def test_nothing_acknowledged_is_lost(self):
        for number in range(KILLS):
            self.one_round(number)
        self.check_samples(self.ledger)
        self.assertTrue(self.acked, "nothing was acknowledged: the load was no load")
        self.check_pages()

    def check_pages(self):
        """Every incident ever opened was told to the receiver."""
        incidents = self.alertd.get(f"{OURS}/incidents?status=all&limit=500")["incidents"]
        keys = {one["key"] for one in incidents}
        self.assertTrue(self.acked <= keys)
        self.assertTrue(keys)

        def told():
            return {call["body"].get("watchbill", {}).get("incident") for call in self.hook.calls if isinstance(call["body"], dict)}
        until(lambda: keys <= told(), 60, f"pages for {sorted(keys - told())}")
        print(f"# {len(keys)} incidents, {len(self.hook.calls)} pages")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        KILLS = int(sys.argv.pop(1))
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
