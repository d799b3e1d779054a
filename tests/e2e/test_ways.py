"""Slack, Telegram and PagerDuty as the pager tells them, and the ways to any receiver: certificates,
logins, proxies and redirects. The pager is the one of test_receivers.py."""

import base64
import pathlib
import shutil
import ssl
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import until
from receivers import Proxy, Smtp, Webhook, make_certificate, server_tls
from test_receivers import Pager, calls_of, hook_config

KEY = "INC-%s-0001" % time.gmtime().tm_year


def failed(pager):
    """The words of the first failure."""
    return until(lambda: pager.rows("SELECT last_error FROM outbox")[0][0])


class Chat(unittest.TestCase):
    def test_slack(self):
        with Webhook() as slack:
            slack.answer = lambda n: (429, {"Retry-After": "1"}, b"rate_limited") if n == 0 else (200, {}, b"ok")
            with Pager(f"    slack_configs:\n      - {{api_url: '{slack.url}/T0/s3cret', channel: '#night', send_resolved: true}}\n") as pager:
                pager.fire("Down")
                calls_of(slack, 2)
                until(lambda: pager.states() == [("slack", "first", "sent")])
                pager.end("Down")
                calls = calls_of(slack, 3)
                until(lambda: ("slack", "resolved", "sent") in pager.states())
                log = (pager.folder / "log").read_text()
        first, last = calls[1]["body"]["attachments"][0], calls[2]["body"]["attachments"][0]
        self.assertEqual(first["title"], f"[critical] Down on a:1 ({KEY})")
        self.assertEqual([(one["text"], one["url"].split("/")[3]) for one in first["actions"]], [("Acknowledge", "a"), ("Open", "i")])
        self.assertEqual((first["color"], last["color"]), ("danger", "good"))
        self.assertNotIn("s3cret", log)

    def test_telegram_says_how_long_to_wait(self):
        busy = b'{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 2","parameters":{"retry_after":2}}'
        with Webhook() as telegram:
            telegram.answer = lambda n: (429, {}, busy) if n == 0 else (200, {}, b'{"ok":true,"result":{"message_id":1}}')
            config = f"    telegram_configs:\n      - {{api_url: 'http://127.0.0.1:{telegram.port}', bot_token: '12:s3cret', chat_id: -7}}\n"
            with Pager(config) as pager:
                pager.fire("Down")
                calls = calls_of(telegram, 2)
                until(lambda: pager.states() == [("telegram", "first", "sent")])
                log = (pager.folder / "log").read_text()
        self.assertEqual(calls[1]["path"], "/bot12:s3cret/sendMessage")
        self.assertGreaterEqual(calls[1]["at"] - calls[0]["at"], 1.9)
        self.assertEqual(calls[1]["body"]["chat_id"], -7)
        self.assertTrue(calls[1]["body"]["text"].startswith(f"<b>[critical] Down on a:1 ({KEY})</b>\nSince "))
        self.assertNotIn("s3cret", log)

    def test_pagerduty_opens_and_closes_one_alert(self):
        with Webhook() as pagerduty:
            pagerduty.answer = lambda n: (202, {}, b'{"status":"success","message":"Event processed","dedup_key":"x"}')
            with Pager(f"    pagerduty_configs:\n      - {{url: '{pagerduty.url}', routing_key: k3y}}\n") as pager:
                pager.fire("Down", severity="warning")
                calls_of(pagerduty, 1)
                until(lambda: pager.states() == [("pagerduty", "first", "sent")])
                pager.end("Down")
                calls = calls_of(pagerduty, 2)
        first, last = (call["body"] for call in calls)
        self.assertEqual((first["event_action"], last["event_action"]), ("trigger", "resolve"))
        self.assertEqual(first["dedup_key"], last["dedup_key"])
        self.assertEqual((first["payload"]["severity"], first["payload"]["source"]), ("warning", "a:1"))
        self.assertEqual(first["routing_key"], "k3y")

    def test_a_refusal_is_said_without_secrets(self):
        with Webhook() as server:
            server.answer = lambda n: (400, {}, b'{"status":"invalid event","message":"Event object is invalid","errors":["no summary"]}')
            with Pager(f"    pagerduty_configs:\n      - {{url: '{server.url}', routing_key: k3y}}\n") as pager:
                pager.fire("Down")
                words = failed(pager)
                self.assertEqual(pager.rows("SELECT refused FROM outbox"), [(1,)])
        self.assertRegex(words, r"HTTP 400: Event object is invalid: no summary$")


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class WithCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchbill-ways-"))
        cls.hook = make_certificate(cls.folder, "hook.test")
        cls.us = make_certificate(cls.folder, "alertd.test")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)


class Ways(WithCertificates):
    def config(self, url, **ways):
        return hook_config(url, "        http_config: {%s}\n" % ", ".join(f"{name}: {value}" for name, value in ways.items()))

    def told(self, hook, **ways):
        with Pager(self.config(hook.url, **ways)) as pager:
            pager.fire("Down")
            call, = calls_of(hook, 1)
            until(lambda: pager.states() == [("webhook", "first", "sent")])
        return call

    def refused(self, hook, **ways):
        with Pager(self.config(hook.url, **ways)) as pager:
            pager.fire("Down")
            words = failed(pager)
        self.assertEqual(hook.calls, [])
        return words

    def test_a_certificate_is_checked_by_name_and_signer(self):
        with Webhook(tls=server_tls(self.hook)) as hook:
            self.assertIn("certificate", self.refused(hook))
            self.assertIn("certificate", self.refused(hook, tls_config=f"{{ca_file: {self.hook[0]}}}"))
            self.assertIn("certificate", self.refused(hook, tls_config="{server_name: hook.test}"))
            self.assertIn("certificate", self.refused(hook, tls_config=f"{{ca_file: {self.hook[0]}, server_name: other.test}}"))
            call = self.told(hook, tls_config=f"{{ca_file: {self.hook[0]}, server_name: hook.test}}")
            self.assertEqual(call["headers"]["Host"], f"127.0.0.1:{hook.port}")

    def test_any_certificate_when_told_so(self):
        with Webhook(tls=server_tls(self.hook)) as hook:
            self.told(hook, tls_config="{insecure_skip_verify: true}")

    def test_we_show_a_certificate(self):
        with Webhook(tls=server_tls(self.hook, clients=self.us[0])) as hook:
            trust = f"ca_file: {self.hook[0]}, server_name: hook.test"
            self.refused(hook, tls_config=f"{{{trust}}}")
            call = self.told(hook, tls_config=f"{{{trust}, cert_file: {self.us[0]}, key_file: {self.us[1]}}}")
        self.assertEqual(call["client"]["subject"], ((("commonName", "alertd.test"),),))

    def test_versions_of_tls(self):
        trust = f"ca_file: {self.hook[0]}, server_name: hook.test"
        with Webhook(tls=server_tls(self.hook)) as hook:
            self.assertEqual(self.told(hook, tls_config=f"{{{trust}, max_version: TLS12}}")["tls"], "TLSv1.2")
        with Webhook(tls=server_tls(self.hook, most=ssl.TLSVersion.TLSv1_2)) as hook:
            self.refused(hook, tls_config=f"{{{trust}, min_version: TLS13}}")

    def test_logins(self):
        token = self.folder / "token"
        token.write_text("t0k\n")
        for ways, header in (({"bearer_token": "abc"}, "Bearer abc"), ({"bearer_token_file": token}, "Bearer t0k"),
                             ({"authorization": "{type: Token, credentials: x}"}, "Token x"),
                             ({"basic_auth": "{username: ana, password: pw}"}, "Basic " + base64.b64encode(b"ana:pw").decode())):
            with self.subTest(header), Webhook() as hook:
                self.assertEqual(self.told(hook, **ways)["headers"]["Authorization"], header)

    def test_by_a_proxy(self):
        """The receiver's name exists for the proxy only."""
        with Webhook() as hook, Proxy(hook.port) as proxy:
            with Pager(self.config("http://hook.test/in", proxy_url=f"'http://ana:s3cret@127.0.0.1:{proxy.port}'")) as pager:
                pager.fire("Down")
                call, = calls_of(hook, 1)
                until(lambda: pager.states() == [("webhook", "first", "sent")])
        self.assertEqual((call["path"], call["headers"]["Host"]), ("/in", "hook.test"))
        line, headers = proxy.asked[0]
        self.assertEqual(line, "POST http://hook.test/in HTTP/1.1")
        self.assertEqual(headers["Proxy-Authorization"], "Basic " + base64.b64encode(b"ana:s3cret").decode())

    def test_by_a_proxy_with_tls(self):
        with Webhook(tls=server_tls(self.hook)) as hook, Proxy(hook.port) as proxy:
            with Pager(self.config("https://hook.test/in", proxy_url=proxy.url, bearer_token="s3cret",
                                   tls_config=f"{{ca_file: {self.hook[0]}}}")) as pager:
                pager.fire("Down")
                calls_of(hook, 1)
                until(lambda: pager.states() == [("webhook", "first", "sent")])
        self.assertEqual(proxy.asked[0][0], "CONNECT hook.test:443 HTTP/1.1")
        self.assertNotIn("s3cret", str(proxy.asked))

    def test_not_by_the_proxy(self):
        with Webhook() as hook, Proxy(hook.port) as proxy:
            self.told(hook, proxy_url=proxy.url, no_proxy="'other.test,127.0.0.0/8'")
        self.assertEqual(proxy.asked, [])

    def test_a_proxy_that_is_away(self):
        with Webhook() as hook:
            words = self.refused(hook, proxy_url="'http://ana:s3cret@127.0.0.1:1'")
        self.assertIn("by its proxy: nobody listens there", words)
        self.assertNotIn("s3cret", words)

    def test_a_redirect_within_the_host_is_followed(self):
        with Webhook() as hook:
            hook.answer = lambda n: (308, {"Location": "/new"}) if n == 0 else 200
            with Pager(self.config(hook.url, bearer_token="abc")) as pager:
                pager.fire("Down")
                first, second = calls_of(hook, 2)
                until(lambda: pager.states() == [("webhook", "first", "sent")])
        self.assertEqual((second["path"], second["body"]), ("/new", first["body"]))
        self.assertEqual(second["headers"]["Authorization"], "Bearer abc")

    def test_redirects_that_are_not_followed(self):
        """Elsewhere, in circles, into the clear, as a GET, or not at all: nobody else gets the page."""
        with Webhook() as other:
            for status, location, ways in ((307, other.url, {}), (302, "/new", {}), (307, "/new", {"follow_redirects": "false"}),
                                           (307, "/hook", {}), (307, "//127.0.0.2/x", {}), (307, "ftp://x/", {})):
                with self.subTest(status=status, location=location), Webhook() as hook:
                    hook.answer = lambda n, status=status, location=location: (status, {"Location": location})
                    with Pager(self.config(hook.url, **ways)) as pager:
                        pager.fire("Down")
                        self.assertIn("a redirect", failed(pager))
                        self.assertLessEqual(len(hook.calls), 6)
            self.assertEqual(other.calls, [])


class Mail(WithCertificates):
    def mail(self, smtp, *lines):
        return (f"    email_configs:\n      - to: ana@example.org\n        from: watch@example.org\n        timeout: 3s\n"
                f"        smarthost: 127.0.0.1:{smtp.port}\n" + "".join(f"        {line}\n" for line in lines))

    def sent(self, smtp, *lines):
        with Pager(self.mail(smtp, *lines)) as pager:
            pager.fire("Down")
            smtp.wait(lambda mails: len(mails) == 1)
            until(lambda: pager.states() == [("email", "first", "sent")])
        return smtp.messages[0]

    def test_tls_from_the_first_byte(self):
        trust = f"tls_config: {{ca_file: {self.hook[0]}, server_name: hook.test}}"
        with Smtp(tls=server_tls(self.hook)) as smtp:
            self.sent(smtp, "force_implicit_tls: true", trust)
        with Smtp(tls=server_tls(self.hook)) as smtp, Pager(self.mail(smtp, "force_implicit_tls: true")) as pager:
            pager.fire("Down")
            self.assertIn("certificate", failed(pager))
            self.assertEqual(smtp.messages, [])

    def test_logins_of_mail(self):
        with Smtp() as smtp:
            smtp.reply = lambda stage: "250-test\r\n250 AUTH PLAIN LOGIN" if stage == "EHLO" else None
            self.sent(smtp, "require_tls: false", "auth_username: watch", "auth_password: pw", "auth_identity: team")
        self.assertEqual(smtp.logins, [("PLAIN", b"team\0watch\0pw")])

    def test_headers_of_ones_own(self):
        with Smtp() as smtp:
            message = self.sent(smtp, "require_tls: false", "headers: {Reply-To: team@example.org, X-Shop: Caf\u00e9, "
                                "Subject: '{{ .CommonLabels.alertname }}', Message-ID: mine}", "text: 'Look at {{ .ExternalURL }}'", "html: ''")
        self.assertEqual(message["Reply-To"], "team@example.org")
        self.assertEqual(message["X-Shop"], "Caf\u00e9")
        self.assertEqual(message["Subject"], "Down")
        self.assertNotEqual(message["Message-ID"], "mine")
        self.assertEqual([part.get_content_type() for part in message.iter_parts()], ["text/plain"])
        self.assertEqual(message.get_body(("plain",)).get_content().strip(), "Look at http://pager.test")

    def test_words_of_ones_own(self):
        """Escaped where it is HTML; a template that fails at night gives way to our own words."""
        with Smtp() as smtp:
            message = self.sent(smtp, "require_tls: false", "headers: {Subject: '{{ index .Alerts 7 }}'}",
                                "html: '<p title=\"{{ .Status }}\">{{ \"a<b\" }} {{ len .Alerts.Firing }}</p>'",
                                "text: '{{ template \"__subject\" . }}'")
        self.assertEqual(message["Subject"], f"[critical] Down on a:1 ({KEY})")
        self.assertEqual(message.get_body(("html",)).get_content().strip(), '<p title="firing">a&lt;b 1</p>')
        self.assertTrue(message.get_body(("plain",)).get_content().startswith("[1 firing] Down"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
