"""What alertd received goes on to other servers: to real Prometheus and VictoriaMetrics where they
are (WATCHBILL_PEERS), and to a receiver that misbehaves on purpose."""

import base64
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTD, Alertd, Program, free_port, request, until
from peer_programs import peer
from remote_write import Receiver

RULES = """
groups:
  - name: forwarded
    interval: 1s
    rules:
      - {record: forwarded:twice, expr: probe_of_mine * 2}
      - {alert: Mine, expr: probe_of_mine > 1}
"""


def length(n):
    return bytes([n & 127 | 128]) + length(n >> 7) if n > 127 else bytes([n])


def field(number, data):
    return bytes([number << 3 | 2]) + length(len(data)) + data


class Prometheus(Program):
    name = "prometheus"
    program = peer("prometheus")

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_url = self.url + "/api/v1/write"
        (self.folder / "prometheus.yml").write_text(self.config)

    config = ""

    def command(self):
        return [self.program, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver", "--log.level=warn"]

    def start(self):
        super().start()
        until(self.is_ready, 60, f"{self.name} is ready")
        return self

    def vanish(self):
        self.kill()

    def is_ready(self):
        try:
            return request("GET", self.url + "/-/ready", timeout=2).status == 200
        except OSError:
            return False

    def samples(self, name):
        """{(i, t_ms): value} of all that is there."""
        reply = request("GET", self.url + "/api/v1/query?" + urllib.parse.urlencode({"query": name + "[1d]"}))
        return {(one["metric"].get("i"), round(float(t) * 1000)): float(value)
                for one in reply.json["data"]["result"] for t, value in one["values"]}



class Victoria(Prometheus):
    name = "victoria"
    program = peer("victoria-metrics")

    def command(self):
        return [self.program, f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}"]

    def vanish(self):
        """Killed, it would lose what it answered 204 to within the last seconds."""
        self.stop()

    def is_ready(self):
        try:
            return request("GET", self.url + "/health", timeout=2).status == 200
        except OSError:
            return False

    def samples(self, name):
        request("GET", self.url + "/internal/force_flush")
        reply = request("GET", self.url + "/api/v1/export?" + urllib.parse.urlencode({"match[]": name}))
        rows = [json.loads(line) for line in reply.text.splitlines()]
        return {(row["metric"].get("i"), t): value for row in rows for t, value in zip(row["timestamps"], row["values"])}


class Forward(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def alertd(self, url, more="", flags=()):
        """Not started yet. `more`: further keys of the target, indented by four."""
        path = self.folder / "remote_write.yml"
        path.write_text(f"remote_write:\n  - url: {url}\n    name: beside\n"
                        "    queue_config: {min_backoff: 30ms, max_backoff: 200ms, max_samples_per_send: 50}\n" + more)
        alertd = Alertd(flags=[f"--remote-write.config-file={path}", *flags], auth="off")
        self.addCleanup(alertd.close)
        return alertd

    def receiver(self):
        receiver = Receiver().open()
        self.addCleanup(receiver.close)
        return receiver

    def import_one(self, alertd, name, t_ms):
        """A sample of 1 as history: remote write by hand, and snappy's literal."""
        label = field(1, b"__name__") + field(2, name.encode())
        body = field(1, field(1, label) + field(2, b"\x09" + struct.pack("<d", 1) + b"\x10" + length(t_ms)))
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        reply = alertd.call("POST", "/api/alertd/v1/samples/history", length(len(body)) + b"\xf0" + bytes([len(body) - 1]) + body, headers)
        self.assertEqual(reply.status // 100, 2, reply)

    def metric(self, alertd, name, **labels):
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = [line for line in alertd.call("GET", "/metrics").text.splitlines()
                 if line.startswith(name + "{") and all(one in line for one in wanted)]
        self.assertEqual(len(lines), 1, f"{name} {labels}: {lines}")
        return float(lines[0].rpartition(" ")[2])


class Pusher:
    """Pushes a few series again and again, and remembers what was acknowledged."""

    def __init__(self, alertd, name="m", n_series=7):
        self.alertd, self.name, self.n_series, self.acknowledged = alertd, name, n_series, {}
        self.t_ms = int(time.time() * 1000) - 3600 * 1000

    def push(self, times):
        for _ in range(times):
            self.t_ms += 1000
            rows = {(str(i), self.t_ms): float(len(self.acknowledged) + i) for i in range(self.n_series)}
            self.alertd.push("\n".join(f'{self.name}{{i="{i}"}} {value} {t_ms}' for (i, t_ms), value in rows.items()))
            self.acknowledged.update(rows)


class Peers(Forward):
    """Every acknowledged sample is found at the target, whatever dies meanwhile."""

    def run_with(self, target):
        self.addCleanup(target.close)
        with self.alertd(target.write_url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(10)  # nobody listens yet
            target.start()
            pusher.push(10)
            until(lambda: len(target.samples("m")) >= 70, 30, "the first samples")
            pusher.push(10)
            target.vanish()
            pusher.push(20)
            alertd.kill()
            alertd.start()
            pusher.push(10)
            target.start()
            for _ in range(5):  # and in mid-work, again and again
                pusher.push(10)
                alertd.kill()
                alertd.start()
            pusher.push(10)
            self.arrived(target, pusher)
            dropped = self.metric(alertd, "alertd_forward_dropped_samples_total", reason="refused")
            self.assertEqual(dropped, 0)

    def arrived(self, target, pusher):
        def missing():
            found = target.samples("m")
            return [key for key, value in pusher.acknowledged.items() if found.get(key) != value]

        try:
            until(lambda: not missing(), 40, "every acknowledged sample")
        except AssertionError:
            self.fail(f"{len(missing())} of {len(pusher.acknowledged)} are missing: {missing()[:5]}")

    @unittest.skipUnless(Prometheus.program, "skipped: no prometheus (WATCHBILL_PEERS)")
    def test_prometheus(self):
        self.run_with(Prometheus())

    @unittest.skipUnless(Victoria.program, "skipped: no victoria-metrics (WATCHBILL_PEERS)")
    def test_victoria_metrics(self):
        self.run_with(Victoria())

    @unittest.skipUnless(Prometheus.program, "skipped: no prometheus (WATCHBILL_PEERS)")
    def test_prometheus_refuses_what_is_late_and_only_that(self):
        target = Prometheus()
        self.addCleanup(target.close)
        target.start()
        with self.alertd(target.write_url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(5)
            until(lambda: len(target.samples("m")) == 35, what="the first samples")
            target.kill()
            late = pusher.t_ms - 1500  # between two that are there
            alertd.push("\n".join(f'm{{i="{i}"}} 1 {late}' for i in range(7)))
            pusher.push(5)
            target.start()
            self.arrived(target, pusher)
            until(lambda: self.metric(alertd, "alertd_forward_dropped_samples_total", reason="out_of_order") == 7, what="7 late samples told")
            self.assertEqual(len(target.samples("m")), 70)


class Misbehaving(Forward):
    def test_rules_and_up_go_out_too_and_imports_of_history_do_not(self):
        receiver = self.receiver()
        with self.alertd(receiver.url) as alertd:
            alertd.import_rules(RULES)
            alertd.push("probe_of_mine 2")
            old = int(time.time() * 1000) - 3 * 86400 * 1000
            self.import_one(alertd, "of_old", old)
            until(lambda: receiver.find("forwarded:twice"), what="a recorded series")
            until(lambda: receiver.find("ALERTS", alertname="Mine", alertstate="firing"), what="ALERTS")
            until(lambda: receiver.find("alertd_build_info"), what="alertd's own metrics")
            self.assertEqual(receiver.find("of_old"), [])

    def test_history_goes_out_when_asked_for(self):
        receiver = self.receiver()
        with self.alertd(receiver.url, "    send_history: true\n") as alertd:
            old = int(time.time() * 1000) - 3 * 86400 * 1000
            self.import_one(alertd, "of_old", old)
            until(lambda: receiver.find("of_old") == [(1.0, old)], what="history")

    def test_filters_headers_and_a_secret_from_its_file(self):
        receiver = self.receiver()
        (self.folder / "password").write_text("open sesame\n")
        with self.alertd(receiver.url, f"""\
    headers: {{X-Scope-OrgID: crew}}
    basic_auth: {{username: ali, password_file: {self.folder}/password}}
    write_relabel_configs:
      - {{source_labels: [__name__, env], regex: 'wanted;.*', action: keep}}
      - {{source_labels: [env], regex: test, action: drop}}
""") as alertd:
            alertd.push('wanted{env="live"} 1\nwanted{env="test"} 2\nother 3')
            alertd.push('wanted{env="live",last="yes"} 4')
            until(lambda: receiver.find("wanted", last="yes"), what="what is wanted")
            names = {(labels["__name__"], labels["env"]) for batch in receiver.batches for labels, _, _ in batch.samples}
            self.assertEqual(names, {("wanted", "live")})
            headers = receiver.batches[0].headers
            self.assertEqual(headers["X-Scope-OrgID"], "crew")
            self.assertEqual(headers["Authorization"], "Basic " + base64.b64encode(b"ali:open sesame").decode())

    def test_only_what_is_refused_alone_is_dropped_and_the_words_are_logged(self):
        receiver = self.receiver()
        receiver.answer = lambda batch: (400, {}, "no sample of bad is welcome") if batch.find("bad") else (204, {})
        with self.alertd(receiver.url) as alertd:
            alertd.push("\n".join([f'good{{i="{i}"}} {i}' for i in range(20)] + ["bad 1"] + [f'fine{{i="{i}"}} {i}' for i in range(20)]))
            until(lambda: len(receiver.find("good")) == 20 and len(receiver.find("fine")) == 20, what="all but one")
            until(lambda: self.metric(alertd, "alertd_forward_dropped_samples_total", reason="refused") == 1, what="the one")
            until(lambda: "no sample of bad is welcome" in alertd.log(), what="the server's words")

    def test_failures_are_tried_again_until_they_are_none(self):
        receiver = self.receiver()
        answers = [(503, {}), (429, {"Retry-After": "0"}), (401, {}), (500, {}), None]
        receiver.answer = lambda batch: answers.pop(0) if answers else (204, {})
        with self.alertd(receiver.url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(10)
            until(lambda: len(receiver.find("m")) >= 70, what="all samples")
            self.assertEqual(answers, [])
            self.assertGreaterEqual(self.metric(alertd, "alertd_forward_failed_requests_total"), 4)

    def test_each_series_comes_in_order(self):
        receiver = self.receiver()
        failing = iter([True, False, True, True] * 1000)
        receiver.answer = lambda batch: (503, {}) if next(failing) else (204, {})
        with self.alertd(receiver.url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(60)
            until(lambda: len(receiver.find("m")) >= 420, what="all samples")
            for i in range(7):
                times = [t_ms for _, t_ms in receiver.find("m", i=str(i))]
                self.assertEqual(times, sorted(set(times)))

    def test_a_full_queue_drops_the_oldest_and_takes_pushes(self):
        receiver = self.receiver()
        receiver.answer = 503, {}
        with self.alertd(receiver.url, "    queue_bytes: 1MiB\n") as alertd:
            pusher = Pusher(alertd, n_series=2000)
            pusher.push(70)  # about 10 bytes a sample
            dropped = until(lambda: self.metric(alertd, "alertd_forward_dropped_samples_total", reason="full"), what="drops")
            self.assertLessEqual(self.metric(alertd, "alertd_forward_queue_bytes"), 1 << 20)
            self.assertGreater(self.metric(alertd, "alertd_forward_queue_samples"), 0)
            until(lambda: "samples were dropped" in alertd.log(), what="a line about it")
            banners = alertd.get("/api/alertd/v1/overview")["banners"]
            self.assertTrue([one for one in banners if "beside" in one["text"]], banners)
            receiver.answer = 204, {}
            newest = pusher.t_ms
            until(lambda: newest in [t_ms for _, t_ms in receiver.find("m", i="1999")], 60, "the newest")
            until(lambda: self.metric(alertd, "alertd_forward_queue_samples") == 0 or self.metric(alertd, "alertd_forward_queue_bytes") < 10000, 60, "the end")
            times = sorted(t_ms for _, t_ms in receiver.find("m", i="0"))
            self.assertEqual(times, list(range(times[0], newest + 1, 1000)), "what came is one piece, up to the newest")
            self.assertGreater(dropped, 0)
            self.assertLess(len(times), 70)

    def test_a_slow_target_holds_up_nobody(self):
        receiver = self.receiver()
        came, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def slowly(_):
            came.set()
            go_on.wait(60)
            return 204, {}

        receiver.answer = slowly
        with self.alertd(receiver.url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(1)
            self.assertTrue(came.wait(20))
            pusher.push(100)
            self.assertEqual(len(pusher.acknowledged), 707)
            self.assertEqual(receiver.attempts, [], "the first request is still not answered")
            go_on.set()
            until(lambda: len(receiver.find("m")) >= 707, what="all samples")

    def test_a_target_that_hangs_does_not_hold_up_the_end(self):
        receiver = self.receiver()
        came, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        receiver.answer = lambda _: came.set() or go_on.wait(60) and (204, {})
        with self.alertd(receiver.url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(3)
            self.assertTrue(came.wait(20))
            self.assertEqual(alertd.stop(), 0)
            go_on.set()
            receiver.answer = 204, {}
            alertd.start()
            until(lambda: len({t_ms for _, t_ms in receiver.find("m", i="0")}) == 3, what="what the request was about")

    def test_a_damaged_cursor_sends_again_rather_than_less(self):
        receiver = self.receiver()
        with self.alertd(receiver.url) as alertd:
            pusher = Pusher(alertd)
            pusher.push(3)
            until(lambda: len(receiver.find("m")) >= 21, what="all samples")
            alertd.kill()
            pusher_before = len(receiver.find("m", i="0"))
            (alertd.folder / "forward/beside.cursor").write_text("watchbill forward 1\n0 9999 0\ncrc32c 00000000\n")
            alertd.start()
            pusher.push(1)
            until(lambda: len(receiver.find("m", i="0")) >= pusher_before + 4, what="all of it again")
            self.assertIn("cursor is damaged", alertd.log())

    def test_what_came_before_forwarding_was_asked_for_stays(self):
        receiver = self.receiver()
        alertd = self.alertd(receiver.url)
        flags, alertd.flags = alertd.flags, []
        with alertd:
            alertd.push("before 1")
            alertd.stop()
            alertd.flags = flags
            alertd.start()
            alertd.push("after 1")
            until(lambda: receiver.find("after"), what="what came after")
            self.assertEqual(receiver.find("before"), [])

    def test_a_config_with_a_mistake_is_no_start(self):
        path = self.folder / "wrong.yml"
        path.write_text("remote_write:\n  - url: http://127.0.0.1:1/\n    queue_config:\n      max_shards: 50\n")
        done = subprocess.run([ALERTD, f"--storage.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{free_port()}",
                               f"--remote-write.config-file={path}"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("wrong.yml:4:7: max_shards is not supported", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
