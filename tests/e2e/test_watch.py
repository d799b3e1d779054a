"""alertd watches itself: the canary's round trip, the dead-man's ping, systemd's watchdog, and what
withholds them. Threads are held still from outside (held.py): nothing in alertd knows of it.
"""

import contextlib
import http.server
import os
import pathlib
import re
import socket
import sqlite3
import sys
import tempfile
import time
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, Alertd, alertctl, until
from receivers import Server, Webhook
from held import held

BEAT = 2  # seconds; too old after two of them
FAST = [f"--canary.interval={BEAT}s", "--dead-man.interval=1s"]
FAST_CLOCK = BUILD / "tests/fault/fast_clock.so"


def config(hook, more=""):
    return f"""
receivers:
  - name: team
    webhook_configs:
      - url: {hook.url}
route:
  receiver: team
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
{more}
"""


class DeadMan(Server):
    """Notes when it was asked; answers `status` after `hang` seconds."""

    def __init__(self):
        super().__init__()
        self.asked, self.status, self.hang = [], 200, 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/s3cret"

    def handler(owner):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked.append((time.monotonic(), self.path))
                time.sleep(owner.hang)
                with contextlib.suppress(OSError):
                    self.send_response(owner.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        return Handler

    def wait_more(self, n=2, seconds=30):
        before = len(self.asked)
        until(lambda: len(self.asked) >= before + n, seconds, "pings")


def deep(alertd):
    reply = alertd.call("GET", "/-/deep", token="")
    return reply.status, reply.json


def metric(alertd, name):
    return next(float(line.rsplit(" ", 1)[1]) for line in alertd.call("GET", "/metrics").text.splitlines()
                if line.startswith(name + " "))


def banners(alertd):
    return [one["text"] for one in alertd.get("/api/alertd/v1/overview")["banners"]]


@contextlib.contextmanager
def environment(**values):
    with unittest.mock.patch.dict(os.environ, {name: str(value) for name, value in values.items()}):
        yield


class RoundTrip(unittest.TestCase):
    def test_nobody_can_mute_it_and_nobody_sees_it(self):
        with Webhook() as hook:
            muted = ("  routes:\n    - {receiver: team, active_time_intervals: [never]}\n"
                     "time_intervals:\n  - {name: never, time_intervals: [{years: ['1999']}]}\n")
            with Alertd(flags=FAST, config=config(hook, muted)) as alertd:
                alertd.post("/api/alertd/v1/silences", {"matchers": ["alertname=~\".+\""], "duration_ms": 3600000, "comment": "all"})
                before = until(lambda: deep(alertd)[1]["canary"]["trips"] >= 2 and deep(alertd)[1], 30, "round trips")
                self.assertTrue(before["ok"])
                self.assertLess(before["canary"]["age_seconds"], 2 * BEAT)
                self.assertEqual(alertd.get("/api/alertd/v1/incidents?status=all")["incidents"], [])
                self.assertEqual(alertd.get("/api/alertd/v1/alerts"), alertd.get("/api/alertd/v1/alerts?filter=alertname%3D%22x%22"))
                self.assertEqual(alertd.get("/api/v1/rules")["data"]["groups"], [])
                self.assertEqual(alertd.query('ALERTS{alertname="AlertdCanary"}'), {})
                self.assertEqual(alertd.get("/api/alertd/v1/outbox")["notifications"], [])
                self.assertEqual(alertd.get("/api/alertd/v1/deliveries")["deliveries"], [])
                self.assertEqual(metric(alertd, 'alertd_outbox_notifications{state="sent"}'), 0)
                self.assertLess(metric(alertd, "alertd_canary_age_seconds"), 2 * BEAT)
                until(lambda: deep(alertd)[1]["canary"]["trips"] >= 5, 30, "more round trips")
                with sqlite3.connect(f"file:{alertd.folder}/state.db?mode=ro", uri=True) as base:
                    self.assertLessEqual(base.execute("SELECT count(*) FROM outbox").fetchone()[0], 2)
                    self.assertEqual(base.execute("SELECT count(*) FROM event WHERE source LIKE 'outbox%'").fetchone()[0], 0)
                base.close()
                self.assertEqual(hook.calls, [])

    def test_it_goes_on_after_a_kill(self):
        with Alertd(flags=FAST) as alertd:
            until(lambda: deep(alertd)[1]["canary"]["trips"] >= 1, 30, "a round trip")
            alertd.kill()
            alertd.start()
            until(lambda: deep(alertd)[1]["canary"]["trips"] >= 2 and deep(alertd)[0] == 200, 30, "round trips")

    def test_a_beat_of_somebody_else_counts_nothing(self):
        with Alertd(flags=FAST) as alertd:
            for path, key in (("/-/canary", "canary-1"), ("/-/canary?key=0", "canary-1"), ("/-/canary?key=", None)):
                headers = {"Idempotency-Key": key} if key else {}
                self.assertEqual(alertd.call("POST", path, "{}", headers, token="").status, 400)

    def test_without_a_dead_man_it_is_said(self):
        with Alertd(flags=FAST) as alertd:
            self.assertTrue(any("--dead-man.url" in text for text in banners(alertd)))
            shown = alertctl("status", alertd=alertd).stdout
            self.assertIn("nobody: set --dead-man.url", shown)
            self.assertIn("round trip", shown)


class DeadManSwitch(unittest.TestCase):
    def test_it_is_pinged_while_alertd_is_well(self):
        with DeadMan() as man, Alertd(flags=[*FAST, f"--dead-man.url={man.url}"]) as alertd:
            man.wait_more(3)
            self.assertEqual({path for _, path in man.asked}, {"/s3cret"})
            self.assertFalse(any("--dead-man.url" in text for text in banners(alertd)))
            self.assertGreaterEqual(deep(alertd)[1]["dead_man"]["sent"], 2)
            self.assertNotIn("s3cret", alertd.log())

    def test_its_address_may_stand_in_a_file_that_changes(self):
        with DeadMan() as man, DeadMan() as other, tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "dead-man")
            path.write_text(f"{man.url}\n")
            with Alertd(flags=[*FAST, f"--dead-man.url-file={path}"]) as alertd:
                man.wait_more(2)
                self.assertFalse(any("--dead-man.url" in text for text in banners(alertd)))
                path.write_text(other.url)
                other.wait_more(2)
                path.unlink()
                until(lambda: deep(alertd)[1]["dead_man"]["failed"] >= 1, 30, "a ping without an address fails")
                self.assertEqual(deep(alertd)[0], 200)
                path.write_text(man.url)
                man.wait_more(2)
                self.assertNotIn("s3cret", alertd.log())

    def test_one_that_is_down_or_hangs_holds_nothing_up(self):
        with DeadMan() as man, Webhook() as hook:
            man.hang = 30
            with Alertd(flags=[*FAST, f"--dead-man.url={man.url}"], config=config(hook)) as alertd:
                until(lambda: man.asked, 30, "a ping that hangs")
                trips = deep(alertd)[1]["canary"]["trips"]
                alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "Down"}}])
                hook.wait(lambda calls: len(calls) == 1)
                until(lambda: deep(alertd)[1]["canary"]["trips"] >= trips + 2, 30, "beats beside it")
                self.assertEqual(deep(alertd)[0], 200)
                man.stop()
                until(lambda: deep(alertd)[1]["dead_man"]["failed"] >= 1, 40, "the failure is counted")
                self.assertEqual(deep(alertd)[0], 200)
                self.assertNotIn("s3cret", alertd.log())

    def assert_withheld(self, alertd, man, thread, why):
        """Held still, nobody outside hears anything; let go, they do again."""
        man.wait_more(1)
        with held(alertd.pid, thread):
            until(lambda: re.search(why, deep(alertd)[1]["why"] or ""), 40, why)
            self.assertEqual(deep(alertd)[0], 503)
            for form in ([], ["--json"]):
                self.assertEqual(alertctl("status", *form, alertd=alertd, check=False).returncode, 1)
            until(lambda: deep(alertd)[1]["dead_man"]["withheld"] >= 1, 30, "a ping withheld")
            n = len(man.asked)
            time.sleep(3)
            self.assertEqual(len(man.asked), n)
            self.assertIn("ping is withheld", alertd.log())
        man.wait_more(2, 60)
        until(lambda: deep(alertd)[0] == 200, 60, "well again")

    def test_an_evaluator_that_hangs(self):
        with DeadMan() as man, Alertd(flags=[*FAST, f"--dead-man.url={man.url}"]) as alertd:
            self.assert_withheld(alertd, man, "evaluator", "round trip|takes no step|evaluated")

    def test_a_sender_that_hangs(self):
        """One receiver's alone, in the middle of an attempt: the canary itself goes on."""
        with DeadMan() as man, Webhook() as hook:
            hook.hang = 8
            with Alertd(flags=[*FAST, f"--dead-man.url={man.url}"], config=config(hook)) as alertd:
                alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "Down"}}])
                hook.wait(lambda calls: calls)
                hook.hang = 0
                self.assert_withheld(alertd, man, "team", "telling team hangs for")
                until(lambda: deep(alertd)[1]["pages"]["unsent"] == 0, 30, "it is told")

    def test_a_writer_that_hangs(self):
        with DeadMan() as man, Alertd(flags=[*FAST, f"--dead-man.url={man.url}"]) as alertd:
            self.assert_withheld(alertd, man, "state.db", "state.db waits|round trip|hangs|evaluated")

    def test_a_receiver_that_hangs_is_not_alertd(self):
        with DeadMan() as man, Webhook() as hook:
            hook.hang = 6
            with Alertd(flags=[*FAST, f"--dead-man.url={man.url}"], config=config(hook)) as alertd:
                alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": f"Down{number}"}} for number in range(4)])
                hook.wait(lambda calls: len(calls) >= 2, 30)
                man.wait_more(3)
                self.assertEqual(deep(alertd)[1]["dead_man"]["withheld"], 0)
                self.assertGreater(deep(alertd)[1]["pages"]["unsent"], 0)


class Systemd(unittest.TestCase):
    def test_it_hears_what_the_dead_man_hears(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.setblocking(False)
            heard = []

            def hear():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        heard.append(manager.recv(1000).decode())
                return heard

            with environment(NOTIFY_SOCKET=f"{folder}/notify", WATCHDOG_USEC=1500000), Alertd(flags=FAST) as alertd:
                until(lambda: hear().count("WATCHDOG=1") >= 3, 20, "WATCHDOG=1")
                self.assertEqual(heard.count("READY=1"), 1)
                with held(alertd.pid, "evaluator"):
                    until(lambda: deep(alertd)[0] == 503, 30, "not well")
                    time.sleep(1)
                    hear(), heard.clear()
                    time.sleep(3)
                    self.assertEqual(hear(), [])
                until(lambda: "WATCHDOG=1" in hear(), 30, "WATCHDOG=1 again")
                alertd.stop()
                self.assertIn("STOPPING=1", hear())


class OwnAlerts(unittest.TestCase):
    def test_a_config_that_is_rejected_is_a_page(self):
        with Webhook() as hook, Alertd(config=config(hook)) as alertd:
            good = alertd.config_path.read_text()

            def told(status):
                return hook.wait(lambda calls: [one for call in calls for one in call["body"]["alerts"]
                                                if one["labels"]["alertname"] == "ConfigRejected" and one["status"] == status])

            alertd.config_path.write_text(good.replace("receiver: team", "receiver: nobody"))
            self.assertEqual(alertd.call("POST", "/-/reload").status, 400)
            one = told("firing")[0]
            self.assertEqual(one["labels"], {"alertname": "ConfigRejected", "severity": "warning"})
            self.assertIn("nobody", one["annotations"]["description"])
            alertd.kill()
            alertd.start()  # with the last good copy, and it still says so
            self.assertEqual([one["title"] for one in alertd.get("/api/alertd/v1/incidents?status=open")["incidents"]],
                             ["alertd does not use a file as it is on disk"])
            alertd.config_path.write_text(good)
            self.assertEqual(alertd.call("POST", "/-/reload").status, 200)
            told("resolved")

    def test_agents_that_vanish_at_once_are_one_page(self):
        rules = """
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: HostDown, expr: 'up{job="agent"} == 0', labels: {severity: critical}}
"""
        more = "  routes:\n    - {matchers: ['alertname=~\".+\"'], group_by: [alertname, instance]}\n"
        with Webhook() as hook, Alertd(config=config(hook, more)) as alertd:
            alertd.import_rules(rules)

            def push(numbers):
                for number in numbers:
                    reply = alertd.call("POST", "/api/v1/import/prometheus", "a 1\n", {
                        "Content-Type": "text/plain", "X-Watchbill-Agent": f"host-{number}.example",
                        "X-Watchbill-Epoch": "1", "X-Watchbill-Sequence": str(time.monotonic_ns())})
                    self.assertEqual(reply.status // 100, 2, reply)

            def named(status):
                return sorted(one["labels"].get("instance", one["labels"]["alertname"]) for call in hook.calls
                              for one in call["body"]["alerts"] if one["status"] == status)

            began = time.monotonic()
            push(range(30))
            while time.monotonic() < began + 65:  # 10 stay, 20 go: lost after 45 s
                push(range(10))
                time.sleep(4)
            self.assertEqual(named("firing"), ["AlertdBlind"])
            self.assertEqual(len([one for one in alertd.query("up == 0")]), 20)
            summary = hook.calls[0]["body"]["alerts"][0]["annotations"]["summary"]
            self.assertRegex(summary, "of 30 agents fell silent at once")
            until(lambda: push(range(30)) or "AlertdBlind" in named("resolved"), 60, "it is over")
            self.assertEqual(named("firing"), ["AlertdBlind"])
            until(lambda: alertd.get("/api/alertd/v1/silences?state=active")["silences"] == [], 60,
                  "its silences end once rules have seen who is back")
            self.assertEqual(named("firing"), ["AlertdBlind"])
            over = alertd.get("/api/alertd/v1/silences?state=expired")["silences"]
            self.assertEqual({one["created_by"] for one in over}, {"alertd"})


class Rules(unittest.TestCase):
    def test_a_rule_that_reads_nothing_for_a_day(self):
        rules = """
groups:
  - name: g
    interval: 1h
    rules:
      - {alert: Renamed, expr: 'old_name > 1', labels: {severity: critical, team: db}}
      - {alert: Gone, expr: 'absent(old_name)'}
      - {alert: Alive, expr: 'max_over_time(alertd_agents[40h]) < 0'}
"""
        now = int(time.time() * 1000)
        with Webhook() as hook, environment(LD_PRELOAD=FAST_CLOCK, FAST_CLOCK=f"{now} {now} 3600"):
            with Alertd(config=config(hook)) as alertd:
                alertd.import_rules(rules)

                def dead(calls):
                    return [one for call in calls for one in call["body"]["alerts"] if one["labels"]["alertname"] == "RuleDead"]

                found = hook.wait(dead, 90, "RuleDead")
                self.assertEqual(found[0]["labels"], {"alertname": "RuleDead", "rule": "Renamed", "rule_group": "g",
                                                      "severity": "warning", "team": "db"})
                self.assertEqual({one["labels"]["rule"] for one in found}, {"Renamed"})
                self.assertIn("24 h", found[0]["annotations"]["summary"])


if __name__ == "__main__":
    unittest.main()
