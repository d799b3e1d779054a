"""The loop, once, with nothing pretended: a server is watched and stopped; it pages a webhook and a
mailbox; somebody acknowledges in a browser; the server comes back; the postmortem holds what happened.
"""

import http.server
import pathlib
import re
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import browser
from daemon import Agent, Alertd, alertctl, free_port, until
from receivers import Smtp, Webhook

RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: ShopDown
        expr: probe_success{job="blackbox"} < 1
        for: 3s
        labels: {severity: critical}
        annotations:
          summary: '{{ $labels.instance }} does not answer'
          runbook_url: http://runbooks.test/shop
"""

CONFIG = """
receivers:
  - name: team
    webhook_configs:
      - url: {hook}
    email_configs:
      - to: ana@watchbill.test
        from: pager@watchbill.test
        smarthost: 127.0.0.1:{smtp}
        require_tls: false
route:
  receiver: team
  group_by: [alertname, job]
  group_wait: 0s
  group_interval: 1s
"""

AGENT = """
agent: web-1
push:
  url: {url}/api/v1/write
  token: {token}
spool:
  path: {{folder}}/spool
probes:
  - name: shop
    kind: http
    interval: 1s
    timeout: 900ms
    url: http://127.0.0.1:{shop}/
"""


class Shop:
    """The watched service."""

    def __init__(self):
        self.port, self.server = free_port(), None

    def open(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"open\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def shut(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class TheLoop(unittest.TestCase):
    def setUp(self):
        if not browser.available():
            self.skipTest("chromium and chromium-driver are not installed")
        self.shop = Shop().open()
        self.addCleanup(self.shop.shut)
        self.hook = self.enterContext(Webhook())
        self.smtp = self.enterContext(Smtp())
        self.alertd = self.enterContext(Alertd(config=CONFIG.format(hook=self.hook.url, smtp=self.smtp.port)))
        self.alertd.import_rules(RULES)
        push = self.alertd.make_token("agent web-1", "push", agent="web-1")
        self.agent = self.enterContext(
            Agent(AGENT.format(url=self.alertd.url, token=push, shop=self.shop.port)))

    def state_of_rule(self):
        rules = self.alertd.get("/api/v1/rules")["data"]["groups"][0]["rules"]
        return rules[0]["state"]

    def incident(self, status="all"):
        found = self.alertd.get(f"/api/alertd/v1/incidents?status={status}")["incidents"]
        return found[0] if found else None

    def acknowledge_in_browser(self, key):
        with browser.Browser() as page:
            page.open(f"{self.alertd.url}/login")
            page.find("input").type(self.alertd.token)
            page.find("button[type=submit]").click()
            page.wait(lambda: "/login" not in page.address(), what="logged in")
            page.open(f"{self.alertd.url}/i/{key}")
            page.find("button", text="Acknowledge").click()
            page.wait(lambda: "acknowledged" in page.text().lower(), what="the page says acknowledged")
            self.assertEqual(page.console_errors(), [])

    def test_from_a_stopped_server_to_an_exported_postmortem(self):
        until(lambda: 1.0 in self.alertd.query('probe_success{job="blackbox"}').values(), 20, "the probe succeeds")
        until(lambda: self.state_of_rule() == "inactive", 10, "the rule is evaluated")

        self.shop.shut()
        until(lambda: self.state_of_rule() == "pending", 10, "pending")
        until(lambda: self.state_of_rule() == "firing", 15, "firing")

        page = self.hook.wait(lambda calls: calls, what="a webhook call")[0]["body"]
        self.assertEqual((page["version"], page["status"], page["receiver"]), ("4", "firing", "team"))
        self.assertEqual(page["alerts"][0]["labels"]["alertname"], "ShopDown")
        self.assertEqual(page["alerts"][0]["annotations"]["summary"], f"http://127.0.0.1:{self.shop.port}/ does not answer")
        mail = self.smtp.wait(lambda messages: messages, what="a mail")[0]
        self.assertIn("does not answer", mail["subject"])
        self.assertEqual(mail.envelope_to, ["ana@watchbill.test"])

        incident = until(self.incident, what="an incident")
        self.assertEqual(incident["status"], "triggered")
        self.acknowledge_in_browser(incident["key"])
        until(lambda: self.incident()["status"] == "acknowledged", what="acknowledged in alertd")
        alertctl("incident", "note", incident["key"], "Restarting the shop.", alertd=self.alertd)

        self.shop.open()
        until(lambda: self.incident()["status"] == "resolved", 20, "the incident resolves by itself")
        self.hook.wait(lambda calls: any(call["body"]["status"] == "resolved" for call in calls), what="the resolved page")

        self.check_timeline(incident["key"])
        self.check_postmortem(incident["key"])

    def check_timeline(self, key):
        whole = self.alertd.get(f"/api/alertd/v1/incidents/{key}")
        kinds = [event["kind"] for event in whole["timeline"]]
        for kind in ("alert.firing", "notify.sent", "ack", "human.note", "alert.resolved", "incident.resolved"):
            self.assertIn(kind, kinds)
        self.assertLess(kinds.index("alert.firing"), kinds.index("ack"))
        self.assertTrue(whole["acknowledged_by"])

    def check_postmortem(self, key):
        made = self.alertd.post("/api/alertd/v1/postmortems", {"incident": key, "template": "standard"})
        incident = self.incident()
        timeline = self.alertd.get(f"/api/alertd/v1/incidents/{key}")["timeline"]
        fired = next(event for event in timeline if event["kind"] == "alert.firing")
        markdown = alertctl("postmortem", "export", made["id"], alertd=self.alertd).stdout
        page = alertctl("postmortem", "export", made["id"], "--format=html", alertd=self.alertd).stdout
        for document in (markdown, page):
            for fact in (
                key,
                "Restarting the shop.",
                fired["occurred_at"][11:16],
                incident["acknowledged_at"][11:16],
                incident["resolved_at"][11:16],
                incident["acknowledged_by"],
            ):
                self.assertIn(fact, document)
        self.assertRegex(markdown, r"!\[[^\]]*\]\(graph:\d+\)")
        self.assertIn("<svg", page)
        self.assertNotRegex(page, re.compile(r'<script|src="http|<link', re.I))


if __name__ == "__main__":
    unittest.main(verbosity=2)
