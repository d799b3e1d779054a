#!/usr/bin/env python3
"""alertd where others expect an Alertmanager: a real Prometheus sends to it, the real amtool asks
it; PagerDuty's senders, another Alertmanager's webhook and event recorder. What needs a peer's
program says so and is skipped where there is none (tests/lib/peer_programs.py)."""

import contextlib
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, Program, alertctl, free_port, request, until
from peer_programs import peer
from receivers import Webhook

PROMETHEUS = peer("prometheus")
AMTOOL = peer("amtool")

CONFIG = """
receivers:
  - name: default
    webhook_configs: [{url: '%s', send_resolved: true}]
  - name: db
    webhook_configs: [{url: '%s'}]
route:
  receiver: default
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - matchers: [team="db"]
      receiver: db
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="info"]
    equal: [cluster]
"""


class Prometheus(Program):
    """One rule that always fires, sent to alertd."""

    name = "prometheus"

    def __init__(self, alertd, token):
        super().__init__()
        self.port = free_port()
        (self.folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "interval": "1s", "rules": [
            {"alert": "PromSays", "expr": "vector(1)", "labels": {"severity": "critical", "cluster": "a"},
             "annotations": {"summary": "from outside"}}]}]}))
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [{
                "authorization": {"credentials": token},
                "static_configs": [{"targets": [f"127.0.0.1:{alertd.port}"]}]}]}}))

    def command(self):
        return [PROMETHEUS, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--rules.alert.resend-delay=1s"]


def names(alerts):
    return sorted(one["labels"]["alertname"] for one in alerts)


class AlertmanagerApi(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.hook = stack.enter_context(Webhook())
        self.alertd = stack.enter_context(Alertd(config=CONFIG % (self.hook.url, self.hook.url)))
        self.token = self.alertd.make_token("sender", "push")

    def send(self, *alerts, **options):
        return self.alertd.call("POST", "/api/v2/alerts", list(alerts), token=self.token, **options)

    def list(self, query=""):
        return self.alertd.get("/api/v2/alerts" + query)

    def fire(self, name, **labels):
        reply = self.send({"labels": {"alertname": name, **labels}, "annotations": {"summary": f"{name} is bad"}})
        self.assertEqual(200, reply.status, reply)

    def incidents(self):
        return self.alertd.get("/api/alertd/v1/incidents?status=all")["incidents"]

    # --- a real Prometheus ---

    @unittest.skipUnless(PROMETHEUS, "no prometheus here")
    def test_prometheus_sends_and_its_alert_ends_with_it(self):
        with Prometheus(self.alertd, self.token) as prometheus:
            alert = until(self.list, 40, "Prometheus' alert is listed")[0]
            self.assertEqual({"alertname": "PromSays", "severity": "critical", "cluster": "a"}, alert["labels"])
            self.assertEqual("active", alert["status"]["state"])
            self.assertEqual([{"name": "default"}], alert["receivers"])
            self.assertIn(f":{prometheus.port}/graph", alert["generatorURL"])
            self.hook.wait(lambda calls: calls, 10, "the receiver is told")
            one = until(self.incidents, 5, "an incident is open")[0]
            self.assertEqual("from outside", one["title"])
            first = alert["updatedAt"]
            until(lambda: self.list()[0]["updatedAt"] > first, 20, "it is sent again")
            self.assertEqual(1, len(self.incidents()))
            # the rule goes: Prometheus says that its alert is over
            (prometheus.folder / "rules.yml").write_text(json.dumps({"groups": []}))
            prometheus.process.send_signal(1)
            until(lambda: not self.list(), 40, "the alert is over")
            until(lambda: self.incidents()[0]["status"] == "resolved", 10, "its incident is resolved")

    # --- the real amtool ---

    def amtool(self, *arguments):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
            config.write(f"authorization: {{type: Bearer, credentials: {self.alertd.token}}}\n")
            config.flush()
            done = subprocess.run(
                [AMTOOL, f"--alertmanager.url={self.alertd.url}", f"--http.config.file={config.name}", *arguments],
                capture_output=True, text=True, timeout=30)
        self.assertEqual(0, done.returncode, f"amtool {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    @unittest.skipUnless(AMTOOL, "no amtool here")
    def test_amtool_adds_silences_and_expires(self):
        self.amtool("alert", "add", "alertname=FromTool", "team=db", "--annotation=summary=by hand")
        self.assertIn("FromTool", self.amtool("alert", "query"))
        self.assertIn("FromTool", self.amtool("alert", "query", 'team=~"d.*"'))
        self.assertNotIn("FromTool", self.amtool("alert", "query", "team=web"))
        silence = self.amtool("silence", "add", "alertname=FromTool", "--comment=known", "--author=ana", "--duration=1h").strip()
        self.assertIn("known", self.amtool("silence", "query"))
        self.assertEqual([silence], self.list()[0]["status"]["silencedBy"])
        self.assertIn("FromTool", self.amtool("alert", "query", "--silenced"))
        self.assertNotIn("FromTool", self.amtool("alert", "query", "--active"))
        self.amtool("silence", "update", "--duration=2h", silence)
        self.assertEqual([silence], self.amtool("silence", "query", "--quiet").split())
        self.amtool("silence", "expire", silence)
        self.assertEqual("", self.amtool("silence", "query", "--quiet").strip())
        weekly = self.alertd.post("/api/alertd/v1/silences", {"matchers": ["alertname=FromTool"], "window": "mon-sun", "comment": "weekly"})["id"]
        self.assertEqual([weekly], self.amtool("silence", "query", "--quiet").split())
        self.amtool("silence", "update", "--duration=2h", weekly)
        self.assertEqual("mon-sat,sun UTC", self.alertd.get(f"/api/alertd/v1/silences/{weekly}")["window_text"])
        self.amtool("silence", "expire", weekly)
        self.assertEqual("active", self.list()[0]["status"]["state"])
        self.assertIn("receiver: db", self.amtool("config", "show"))
        self.assertEqual("db", self.amtool("config", "routes", "test", "team=db").strip())

    # --- what is silenced pages nobody ---

    def test_a_silenced_alert_opens_nothing_until_its_silence_ends(self):
        made = self.alertd.post("/api/alertd/v1/silences", {"matchers": ["alertname=Quiet"], "duration_ms": 3600000, "comment": "planned"})
        self.assertEqual(0, made["matches_now"])
        self.assertIn("nothing that fires", made["warning"])
        self.fire("Quiet")
        self.fire("Loud")
        self.hook.wait(lambda calls: any("Loud" in str(one["body"]) for one in calls), 10, "the other one is told")
        self.assertEqual(["Loud is bad"], [one["title"] for one in self.incidents()])
        alert = self.alertd.get("/api/alertd/v1/alerts?filter=alertname%3DQuiet")["alerts"][0]
        self.assertEqual(([made["id"]], None), (alert["silenced_by"], alert["incident"]))
        self.alertd.call("DELETE", f"/api/alertd/v1/silences/{made['id']}")
        self.hook.wait(lambda calls: any("Quiet" in str(one["body"]) for one in calls), 20, "told after the silence's end")
        until(lambda: len(self.incidents()) == 2, 10, "and in an incident")

    def test_silences_survive_a_restart_and_keep_their_rules(self):
        bad = [
            ({"matchers": [], "duration_ms": 1000, "comment": "x"}, "matcher"),
            ({"matchers": ["a=~\".*\""], "duration_ms": 1000, "comment": "x"}, "empty string"),
            ({"matchers": ["a=b"], "duration_ms": 1000, "comment": " "}, "comment"),
            ({"matchers": ["a=b"], "comment": "x"}, "ends_at"),
            ({"matchers": ["a=b"], "ends_at": "2001-01-01T00:00:00Z", "comment": "x"}, "before end time"),
            ({"matchers": ["a=b"], "duration_ms": 1000, "comment": "x", "windows": 1}, "windows"),
        ]
        for body, word in bad:
            reply = self.alertd.call("POST", "/api/alertd/v1/silences", body)
            self.assertEqual(400, reply.status, body)
            self.assertIn(word, reply.text)
        made = self.alertd.post("/api/alertd/v1/silences", {"matchers": ["a=b", {"name": "c", "value": "d|e", "isRegex": True}],
                                                            "until_resolved": True, "comment": "x"})
        self.alertd.kill()
        self.alertd.start()
        kept = self.alertd.get(f"/api/alertd/v1/silences/{made['id']}")
        self.assertEqual(made["matchers"], kept["matchers"])
        self.assertTrue(kept["until_resolved"])
        longer = self.alertd.post(f"/api/alertd/v1/silences/{made['id']}/extend", {"duration_ms": 60000})
        self.assertGreater(longer["ends_at"], kept["ends_at"])
        self.assertEqual(403, self.alertd.call("POST", "/api/v2/silences", {}, token=self.token).status)

    def test_a_window_mutes_while_it_holds(self):
        self.fire("Backup", team="db")
        bad = [("someday 02:00-04:00", "window: "), ({"weekdays": ["sat"]}, "window.weekdays"), ({}, "window: say when"),
               ("years=2001", "never comes")]
        for window, words in bad:
            reply = self.alertd.call("POST", "/api/alertd/v1/silences", {"matchers": ["team=db"], "window": window, "comment": "x"})
            self.assertEqual(400, reply.status, window)
            self.assertIn(words, reply.text)
        always = self.alertd.post("/api/alertd/v1/silences", {"matchers": ["alertname=Backup"], "window": "mon-sun", "comment": "daily"})
        self.assertEqual(("active", None, "mon-sat,sun UTC"), (always["state"], always["ends_at"], always["window_text"]))
        self.assertEqual([always["id"]], self.alertd.get("/api/alertd/v1/alerts")["alerts"][0]["silenced_by"])
        # tomorrow only: it stands, and mutes nothing yet
        tomorrow = time.strftime("%a", time.gmtime(time.time() + 86400 + 3600)).lower()
        line = f"{tomorrow} 02:00-04:00 Europe/Berlin"
        later = self.alertd.post("/api/alertd/v1/silences", {"matchers": ["team=db"], "window": line, "comment": "weekly"})
        self.assertEqual(("pending", line, 2), (later["state"], later["window_text"], len(later["next"])))
        self.assertEqual([{"times": [{"start_time": "02:00", "end_time": "04:00"}], "weekdays": [time.strftime("%A", time.gmtime(time.time() + 86400 + 3600)).lower()],
                           "location": "Europe/Berlin"}], later["window"])
        self.assertEqual([always["id"]], self.alertd.get("/api/alertd/v1/alerts")["alerts"][0]["silenced_by"])
        # what knows Alertmanager's spelling only sees whether it mutes now, and reads the window as a note
        foreign = {one["id"]: one for one in self.alertd.get("/api/v2/silences")}
        self.assertEqual("active", foreign[always["id"]]["status"]["state"])
        self.assertEqual("pending", foreign[later["id"]]["status"]["state"])
        self.assertEqual(line, foreign[later["id"]]["annotations"]["watchbill_window"])
        # and does not lose it when it writes it back, with or without the note
        for note in (True, False):
            body = {key: foreign[later["id"]][key] for key in ("id", "comment", "createdBy", "matchers", "startsAt", "endsAt") + (("annotations",) if note else ())}
            self.assertEqual(later["id"], self.alertd.post("/api/v2/silences", {**body, "comment": "changed"})["silenceID"])
            self.assertEqual(line, self.alertd.get(f"/api/alertd/v1/silences/{later['id']}")["window_text"])
        # a change names what it was made from
        now = self.alertd.get(f"/api/alertd/v1/silences/{later['id']}")
        body = {"matchers": now["matchers"], "window": now["window"], "comment": "again", "duration_ms": 3 * 7 * 86400000}
        path = f"/api/alertd/v1/silences/{later['id']}"
        self.assertEqual(400, self.alertd.call("PUT", path, body).status)
        self.assertEqual(409, self.alertd.call("PUT", f"{path}?revision={now['revision'] - 1}", body).status)
        done = self.alertd.call("PUT", f"{path}?revision={now['revision']}", body)
        self.assertEqual((200, later["id"], "again"), (done.status, done.json["id"], done.json["comment"]))
        other = self.alertd.call("PUT", f"{path}?revision={done.json['revision']}", {**body, "window": "mon-sun"})
        self.assertNotEqual(later["id"], other.json["id"])
        self.assertEqual("expired", self.alertd.get(path)["state"])
        # alertctl prints it with what comes next
        added = alertctl("silence", "add", "team=web", f"--window={line}", "--comment", "weekly", alertd=self.alertd)
        self.assertIn(f"  {line}, next ", added.stdout)
        self.assertIn("ended by hand", added.stdout)
        self.assertRegex(alertctl("silence", "list", alertd=self.alertd).stdout, rf"{line}, next \S+ and \S+ ")

    def test_a_preview_says_what_would_be_muted(self):
        preview = lambda **body: self.alertd.post("/api/alertd/v1/silences/preview", body)
        before = preview(matchers=["team=kitchen"])
        self.assertEqual((0, [], []), (before["matches_now"], before["alerts"], before["incidents"]))
        self.assertIn("nothing that fires", before["warning"])
        self.fire("Oven", team="kitchen")
        self.fire("Fridge", team="kitchen")
        self.hook.wait(lambda calls: sum("kitchen" in str(one["body"]) for one in calls) >= 2, 20, "both are told")
        until(lambda: preview(matchers=["team=kitchen"])["past"]["notifications"] == 2, 10, "and are marked as told")
        both = preview(matchers=["team=kitchen"])
        self.assertEqual((2, 2, None, True), (both["matches_now"], len(both["incidents"]), both["warning"], both["mutes_now"]))
        self.assertEqual(["Fridge", "Oven"], sorted(one["name"] for one in both["alerts"]))
        self.assertEqual((2, 2), (both["past"]["notifications"], both["past"]["incidents"]))
        one = preview(matchers=["alertname=Oven"])
        self.assertEqual((1, 1, 1), (one["matches_now"], one["past"]["notifications"], one["past"]["incidents"]))
        self.assertEqual(both["past"]["all_notifications"], one["past"]["all_notifications"])
        # within a window that does not hold now it would have muted neither
        tomorrow = time.strftime("%a", time.gmtime(time.time() + 2 * 86400)).lower()
        never = preview(matchers=["team=kitchen"], window=tomorrow)
        self.assertEqual((2, False, 0, 0, 2), (never["matches_now"], never["mutes_now"], never["past"]["notifications"], never["past"]["incidents"], len(never["next"])))
        for body, words in (({"matchers": []}, "matchers"), ({"matchers": ["a=~\"(\""]}, "matchers[0]"), ({"matchers": ["a=b"], "window": 3}, "window")):
            reply = self.alertd.call("POST", "/api/alertd/v1/silences/preview", body)
            self.assertEqual(400, reply.status, body)
            self.assertIn(words, reply.text)

    def test_inhibited_alerts_name_what_inhibits_them(self):
        self.fire("Big", severity="critical", cluster="a")
        self.fire("Small", severity="info", cluster="a")
        big, small = sorted(self.list(), key=lambda one: one["labels"]["alertname"])
        self.assertEqual([big["fingerprint"]], small["status"]["inhibitedBy"])
        self.assertEqual("suppressed", small["status"]["state"])
        self.assertEqual(["Big"], names(self.list("?inhibited=false")))

    # --- alertctl ---

    def test_alertctl_adds_lists_extends_expires(self):
        self.fire("Disk", team="db")
        done = alertctl("silence", "add", "team=db", "--for", "1h", "--comment", "swap", alertd=self.alertd)
        silence = done.stdout.split()[0]
        self.assertIn("matches 1 of what fires", done.stdout)
        self.assertEqual("", done.stderr)
        self.assertIn("silenced", alertctl("alert", "list", alertd=self.alertd).stdout)
        listed = alertctl("silence", "list", alertd=self.alertd).stdout
        self.assertIn(silence, listed)
        self.assertIn('team="db"', listed)
        alertctl("silence", "extend", silence, "2h", alertd=self.alertd)
        alertctl("silence", "expire", silence, alertd=self.alertd)
        self.assertIn("No silences", alertctl("silence", "list", alertd=self.alertd).stdout)
        self.assertIn("active", alertctl("alert", "list", alertd=self.alertd).stdout)
        warned = alertctl("silence", "add", "team=nobody", "--until-resolved", "--comment", "x", alertd=self.alertd)
        self.assertIn("warning", warned.stderr)

    # --- PagerDuty's senders ---

    def enqueue(self, action, path="/v2/enqueue", **members):
        body = {"routing_key": self.token, **({"event_action": action} if action else {}), **members}
        return request("POST", self.alertd.url + path, body)

    def test_pagerduty_events_trigger_acknowledge_resolve(self):
        payload = {"summary": "disk full on db1", "source": "db1", "severity": "error", "component": "disk",
                   "custom_details": {"free": "0"}}
        reply = self.enqueue("trigger", payload=payload)
        self.assertEqual((202, "success"), (reply.status, reply.json["status"]), reply)
        key = reply.json["dedup_key"]
        again = self.enqueue("trigger", dedup_key=key, payload={**payload, "summary": "still full"})
        self.assertEqual(202, again.status)
        alert, = self.list()
        self.assertEqual({"alertname": "disk full on db1", "severity": "error", "source": "db1", "component": "disk",
                          "dedup_key": key, "integration": "sender"}, alert["labels"])
        self.assertEqual("still full", alert["annotations"]["summary"])
        self.assertEqual(202, self.enqueue("acknowledge", dedup_key=key).status)
        incident, = self.incidents()
        self.assertEqual(("acknowledged", "sender"), (incident["status"], incident["acknowledged_by"]))
        self.assertEqual(202, self.enqueue("resolve", dedup_key=key).status)
        self.assertEqual([], self.list())
        self.assertEqual("resolved", self.incidents()[0]["status"])
        self.assertEqual(202, self.enqueue("resolve", dedup_key="never seen").status)
        for bad in (self.enqueue("explode", dedup_key="x"), self.enqueue("trigger", payload={**payload, "severity": "bad"}),
                    self.enqueue("trigger", routing_key="wb_1_wrong", payload=payload), self.enqueue("resolve")):
            self.assertEqual((400, "invalid event"), (bad.status, bad.json["status"]))
        self.assertEqual(1, len(self.incidents()))

    def test_a_change_is_on_the_timeline_of_what_is_open(self):
        self.fire("Open")
        until(self.incidents, 5, "an incident is open")
        reply = self.enqueue(None, "/v2/change/enqueue", payload={"summary": "deploy 42", "source": "ci"})
        self.assertEqual(202, reply.status, reply)
        key = self.incidents()[0]["key"]
        self.assertIn("deploy 42", [one["text"] for one in self.alertd.get(f"/api/alertd/v1/incidents/{key}")["timeline"]])
        self.assertEqual(["deploy 42"], [one["text"] for one in self.alertd.get("/api/alertd/v1/changes")["changes"]])

    # --- another Alertmanager beside us ---

    def intake(self, body):
        return self.alertd.call("POST", "/api/alertd/v1/intake/alertmanager", body, token=self.token)

    def test_a_webhook_of_another_alertmanager_is_taken_in(self):
        alert = {"status": "firing", "labels": {"alertname": "Beside"}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",
                 "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "0"}
        hook = {"version": "4", "status": "firing", "receiver": "us", "alerts": [alert]}
        self.assertEqual(1, self.intake(hook).json["alerts_taken"])
        self.assertEqual(["Beside"], names(self.list()))
        hook["alerts"][0] = {**alert, "status": "resolved", "endsAt": "2026-01-01T01:00:00Z"}
        self.assertEqual(1, self.intake(hook).json["alerts_taken"])
        self.assertEqual([], self.list())
        self.assertEqual(0, self.intake(hook).json["alerts_taken"], "an end that is known is no news")

    def test_recorded_events_are_taken_in_once_in_any_packing(self):
        def event(second, **data):
            return {"@timestamp": f"2026-01-01T00:00:{second:02}Z", "instance": "am-0", "data": data}
        labels = {"labels": [{"key": "alertname", "value": "Recorded"}, {"key": "brace", "value": "}{\""}]}
        created = event(1, alertCreated={"alert": {"fingerprint": "12345678901234567890", "labels": labels,
                                                   "startsAt": "2026-01-01T00:00:00Z"}})
        told = event(2, notification={"groupInfo": {"receiverName": "pager"}, "integration": {"name": "webhook"},
                                      "reason": "NOTIFY_REASON_FIRST_NOTIFICATION", "flushId": "7"})
        muted = event(3, silenceMutedAlert={"silence": {"id": "x"}})
        reply = self.intake([created, told, muted])
        self.assertEqual((3, 1, 1, 1), tuple(reply.json[key] for key in ("objects", "alerts_taken", "events", "ignored")), reply)
        self.assertEqual(["Recorded"], names(self.list()))
        over = event(4, alertResolved={"alert": {"hash": "1", "details": {"labels": labels, "resolved": True,
                                                                          "endsAt": "2026-01-01T00:00:04Z"}}})
        lines = "\n".join(json.dumps(one) for one in (told, over))
        first = self.intake(lines)
        self.assertEqual(1, first.json["alerts_taken"], first)
        self.assertEqual([], self.list())
        second = self.intake(lines)
        self.assertEqual((0, 1, 0), tuple(second.json[key] for key in ("events", "events_known", "alerts_taken")))
        for broken in ("", "[]", "{", '{"a":1}'):
            self.assertEqual(400, self.intake(broken).status, broken)

    def test_metrics_say_which_alertmanager_is_spoken(self):
        self.assertRegex(self.alertd.call("GET", "/metrics").text, r'alertmanager_build_info\{version="0\.\d+\.\d+"\} 1')
        self.assertNotEqual(200, self.alertd.call("GET", "/alertmanager/api/v2/status").status)
        self.assertEqual(410, self.alertd.call("POST", "/api/v1/alerts", []).status)


class GrafanaAndKarma(unittest.TestCase):
    """What Grafana's Alertmanager data source and karma ask, call by call, as their sources have it: neither runs here."""

    GRAFANA = {"Accept": "application/json", "User-Agent": "Grafana/12.1.0", "X-Grafana-Org-Id": "1", "Accept-Encoding": "gzip"}
    KARMA = {"Accept": "application/json", "User-Agent": "karma/v0.121", "Accept-Encoding": "gzip"}
    GROUPS = "/api/v2/alerts/groups"

    def setUp(self):
        self.hook = Webhook().start()
        self.addCleanup(self.hook.stop)
        self.alertd = Alertd(config=CONFIG % (self.hook.url, self.hook.url)).start()
        self.addCleanup(self.alertd.close)
        self.token = self.alertd.make_token("grafana", "operate")

    def ask(self, path, headers, method="GET", body=None, status=200):
        reply = self.alertd.call(method, path, body, headers, token=self.token)
        self.assertEqual(reply.status, status, (method, path, reply))
        if reply.headers["Content-Encoding"] == "gzip":
            reply.body = gzip.decompress(reply.body)
        return reply

    def fire(self):
        for name, team, severity in (("Down", "db", "critical"), ("Slow", "db", "info"), ("Down", "web", "info")):
            self.alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": name, "team": team, "severity": severity, "cluster": f"c-{name}-{team}"},
                                                         "annotations": {"summary": "x"}, "generatorURL": "http://prom.example/graph?g0.expr=x"}])

    def silence(self, *matchers, **more):
        stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + seconds))
        return {"matchers": [{"name": name, "value": value, "isRegex": regex, "isEqual": equal} for name, value, regex, equal in matchers],
                "startsAt": stamp(0), "endsAt": stamp(7200), "createdBy": "ana", "comment": "planned", **more}

    def check_alert(self, one):
        self.assertLessEqual({"labels", "annotations", "startsAt", "endsAt", "updatedAt", "fingerprint", "receivers", "status", "generatorURL"}, set(one))
        self.assertLessEqual({"state", "silencedBy", "inhibitedBy", "mutedBy"}, set(one["status"]))
        for key in ("silencedBy", "inhibitedBy", "mutedBy"):
            self.assertIsInstance(one["status"][key], list)
        self.assertRegex(one["fingerprint"], "^[0-9a-f]{16}$")
        self.assertTrue(one["receivers"] and all(set(receiver) == {"name"} for receiver in one["receivers"]))

    def test_grafana_finds_a_prometheus_alertmanager(self):
        self.assertNotEqual(self.alertd.call("GET", "/alertmanager/api/v2/status", None, self.GRAFANA, token=self.token).status, 200)
        status = self.ask("/api/v2/status", self.GRAFANA).json
        self.assertEqual({"cluster", "versionInfo", "config", "uptime"}, set(status))
        self.assertEqual((status["cluster"]["status"], type(status["cluster"]["peers"])), ("disabled", list))
        self.assertEqual({"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}, set(status["versionInfo"]))
        self.assertIn("receivers", status["config"]["original"])
        for path in ("/alertmanager/api/v2/silences", "/alertmanager/api/v1/status/buildinfo", "/api/v1/alerts/x"):
            self.assertEqual(self.alertd.call("GET", path, None, self.GRAFANA, token=self.token).status, 404, path)

    def test_nothing_is_an_empty_list_and_never_null(self):
        for headers in (self.GRAFANA, self.KARMA):
            for path in ("/api/v2/alerts", self.GROUPS, "/api/v2/silences", "/api/v2/alerts?filter=team%3D%22nobody%22", f"{self.GROUPS}?receiver=nobody",
                         "/api/v2/silences?filter=team%3D%22x%22"):
                reply = self.ask(path, headers)
                self.assertEqual((reply.json, reply.headers["Content-Type"].split(";")[0]), ([], "application/json"), path)

    def test_grafana_lists_alerts_and_groups(self):
        self.fire()
        for query in ("", "?active=true&silenced=true&inhibited=true", "?active=true&silenced=true&inhibited=true&unprocessed=true&receiver=", "?_=1&foo=bar&limit=9"):
            alerts = self.ask(f"/api/v2/alerts{query}", self.GRAFANA).json
            self.assertEqual(len(alerts), 3, query)
            for one in alerts:
                self.check_alert(one)
            groups = self.ask(f"{self.GROUPS}{query}", self.GRAFANA).json
            for group in groups:
                self.assertLessEqual({"labels", "receiver", "alerts"}, set(group))
                for one in group["alerts"]:
                    self.check_alert(one)
            self.assertEqual([(group["labels"], group["receiver"], len(group["alerts"])) for group in groups],
                             [({"alertname": "Down"}, {"name": "db"}, 1), ({"alertname": "Down"}, {"name": "default"}, 1), ({"alertname": "Slow"}, {"name": "db"}, 1)])

    def test_filters_with_every_operator(self):
        self.fire()
        every = {("Down", "db"), ("Slow", "db"), ("Down", "web")}
        for filters, expected in (
                (['team="db"'], {("Down", "db"), ("Slow", "db")}), (["team=db"], {("Down", "db"), ("Slow", "db")}), (['team!="db"'], {("Down", "web")}),
                (['team=~"d.|x"'], {("Down", "db"), ("Slow", "db")}), (['team=~"d"'], set()), (['team!~"d."'], {("Down", "web")}), (['"team"="web"'], {("Down", "web")}),
                (['alertname="Down"', 'team="db"'], {("Down", "db")}), (['none=""'], every), (['none!=""'], set()), (['team=~".*"'], every)):
            query = "&".join(f"filter={urllib.parse.quote(one)}" for one in filters)
            alerts = {(one["labels"]["alertname"], one["labels"]["team"]) for one in self.ask(f"/api/v2/alerts?{query}", self.GRAFANA).json}
            groups = {(one["labels"]["alertname"], one["labels"]["team"]) for group in self.ask(f"{self.GROUPS}?{query}", self.KARMA).json for one in group["alerts"]}
            self.assertEqual((alerts, groups), (expected, expected), filters)
        for wrong in ("team", '{team="db"}', '=~"x"', 'team=~"("'):
            reply = self.alertd.call("GET", f"/api/v2/alerts?filter={urllib.parse.quote(wrong)}", None, self.GRAFANA, token=self.token)
            self.assertEqual((reply.status, isinstance(reply.json, (str, dict))), (400, True), wrong)
        for receiver, n in (("db", 2), ("d.*", 3), ("default|db", 3), ("nobody", 0)):
            self.assertEqual(len(self.ask(f"/api/v2/alerts?receiver={urllib.parse.quote(receiver)}", self.GRAFANA).json), n, receiver)

    def test_grafana_makes_changes_and_ends_a_silence(self):
        self.fire()
        reply = self.ask("/api/v2/silences", {**self.GRAFANA, "Content-Type": "application/json"}, "POST",
                         json.dumps(self.silence(("team", "db", False, True), ("alertname", "Slo.*", True, True))))
        made = reply.json["silenceID"]
        one = self.ask(f"/api/v2/silence/{made}", self.GRAFANA).json
        self.assertEqual({"id", "status", "updatedAt", "matchers", "startsAt", "endsAt", "createdBy", "comment"}, set(one) - {"annotations"})
        self.assertEqual((one["status"], one["createdBy"], one["comment"]), ({"state": "active"}, "ana", "planned"))
        self.assertEqual([(each["name"], each["isRegex"], each["isEqual"]) for each in sorted(one["matchers"], key=lambda each: each["name"])],
                         [("alertname", True, True), ("team", False, True)])
        muted = [one for one in self.ask("/api/v2/alerts?active=true&silenced=true&inhibited=true", self.GRAFANA).json if one["status"]["silencedBy"]]
        self.assertEqual([(one["labels"]["alertname"], one["status"]["state"], one["status"]["silencedBy"]) for one in muted], [("Slow", "suppressed", [made])])
        self.assertEqual(len(self.ask("/api/v2/alerts?silenced=false", self.GRAFANA).json), 2)
        self.assertEqual([one["id"] for one in self.ask("/api/v2/silences?filter=team%3D%22db%22", self.GRAFANA).json], [made])
        # the form sends it back whole, with its id
        changed = self.ask("/api/v2/silences", {**self.GRAFANA, "Content-Type": "application/json"}, "POST",
                           json.dumps({**self.silence(("team", "db", False, True), ("alertname", "Slo.*", True, True)), "id": made, "comment": "longer"})).json["silenceID"]
        self.ask(f"/api/v2/silence/{changed}", self.GRAFANA, "DELETE")
        self.assertEqual(self.ask(f"/api/v2/silence/{changed}", self.GRAFANA).json["status"]["state"], "expired")
        self.assertEqual(self.alertd.call("GET", "/api/v2/silence/00000000-0000-0000-0000-000000000000", None, self.GRAFANA, token=self.token).status, 404)
        self.assertIn(self.alertd.call("GET", "/api/v2/silence/x", None, self.GRAFANA, token=self.token).status, (404, 422))

    def test_karma_collects(self):
        """Its version comes from /metrics, then status, silences and groups, each time."""
        self.fire()
        self.ask("/api/v2/silences", {**self.KARMA, "Content-Type": "application/json"}, "POST", json.dumps(self.silence(("team", "db", False, True))))
        version = re.search(r'^alertmanager_build_info\{.*version="(\d+)\.(\d+)\.(\d+)"', self.ask("/metrics", self.KARMA).text, re.M)
        self.assertGreaterEqual((int(version[1]), int(version[2])), (0, 22))
        self.assertEqual(self.ask("/api/v2/status", self.KARMA).json["cluster"]["peers"], [])
        (silence,) = self.ask("/api/v2/silences", self.KARMA).json
        groups = self.ask(self.GROUPS, self.KARMA).json
        self.assertEqual({one["status"]["state"] for group in groups for one in group["alerts"] if group["receiver"]["name"] == "db"}, {"suppressed"})
        self.assertEqual({by for group in groups for one in group["alerts"] for by in one["status"]["silencedBy"]}, {silence["id"]})

    def test_another_sites_page_gets_nothing(self):
        """So karma has to be its own proxy, as docs/beside-prometheus.md says: no answer allows another origin."""
        foreign = {"Origin": "http://karma.example"}
        asked = {**foreign, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
        for method, headers in (("OPTIONS", asked), ("GET", foreign), ("POST", foreign)):
            reply = self.alertd.call(method, "/api/v2/silences", None if method != "POST" else self.silence(("a", "b", False, True)), headers, token=self.token)
            self.assertFalse([name for name in reply.headers if name.lower().startswith("access-control-")], (method, reply))
            if method == "OPTIONS":
                self.assertGreaterEqual(reply.status, 400)


class OwnNames(unittest.TestCase):
    """Counts under Alertmanager's names: what its mixin reads."""

    def test_they_count(self):
        with Webhook() as hook, Alertd(config=CONFIG % (hook.url, hook.url)) as alertd:
            def numbers():
                lines = [line.rsplit(" ", 1) for line in alertd.call("GET", "/metrics").text.splitlines() if line.startswith("alertmanager_")]
                return {name: float(value) for name, value in lines}
            hook.answer = lambda n: 503 if n == 0 else 200
            alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "A"}}, {"labels": {"alertname": ""}}])
            alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "B"}, "endsAt": "2020-01-01T00:00:00Z"}])
            alertd.post("/api/alertd/v1/silences", {"matchers": ["a=b"], "duration_ms": 60000, "comment": "x"})
            until(lambda: numbers()['alertmanager_notifications_total{integration="webhook"}'] == 2, 20, "two attempts")
            now = numbers()
            for name, value in (('alerts{state="active"}', 1), ('alerts_received_total{status="firing",version="v2"}', 1),
                                ('alerts_received_total{status="resolved",version="v2"}', 1), ('alerts_invalid_total{version="v2"}', 1),
                                ('notifications_failed_total{integration="webhook",reason="other"}', 1),
                                ('notifications_failed_total{integration="webhook",reason="clientError"}', 0),
                                ('notification_latency_seconds_count{integration="webhook"}', 2), ('notification_latency_seconds_bucket{integration="webhook",le="+Inf"}', 2),
                                ('silences{state="active"}', 1), ('silences{state="expired"}', 0), ("config_last_reload_successful", 1), ("cluster_members", 1)):
                self.assertEqual(now[f"alertmanager_{name}"], value, name)
            good = alertd.config_path.read_text()
            alertd.config_path.write_text("receivers: {")
            alertd.call("POST", "/-/reload")
            broken = numbers()
            self.assertEqual(broken["alertmanager_config_last_reload_successful"], 0)
            self.assertEqual(broken["alertmanager_config_hash"], now["alertmanager_config_hash"])
            alertd.config_path.write_text(good + "# changed\n")
            alertd.call("POST", "/-/reload")
            self.assertEqual(numbers()["alertmanager_config_last_reload_successful"], 1)
            self.assertNotEqual(numbers()["alertmanager_config_hash"], now["alertmanager_config_hash"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
