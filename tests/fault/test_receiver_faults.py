"""What receivers do that test_receivers.py and test_ways.py do not try: bodies without an end, odd Retry-Afters, dead
certificates and broken handshakes, redirects out of the network with a password, line breaks for a mail's header.
"""

import datetime
import email.utils
import pathlib
import shutil
import socketserver
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "e2e")]

from daemon import Alertd, until
from receivers import Smtp, Webhook, make_certificate, server_tls
from test_receivers import Pager, calls_of, hook_config, mail_config


class Raw(Webhook):
    """Says `words` to each request, then `more` again and again, until the caller has had enough."""

    def __init__(self, words, more=b""):
        super().__init__()
        self.words, self.more, self.sent = words, more, 0

    def handler(owner):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    owner.calls.append(self.request.recv(65536))
                    self.request.sendall(owner.words)
                    while owner.more:
                        self.request.sendall(owner.more)
                        owner.sent += len(owner.more)
                except OSError:
                    pass
        return Handler


class Answers(unittest.TestCase):
    def test_a_body_without_an_end(self):
        """It said 200: it has it. What it says besides is not waited for."""
        for words, more in ((b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), (b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000\r\n\r\n", b"x" * 65536),
                            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n")):
            with self.subTest(words), Raw(words, more) as raw, Pager(hook_config(raw.url)) as pager:
                pager.fire("Down")
                until(lambda: pager.states() == [("webhook", "first", "sent")], 20, "taken")
                self.assertLess(raw.sent, 64 << 20)
                self.assertEqual(len(raw.calls), 1)

    def test_a_refusal_with_a_body_without_an_end(self):
        with Raw(b"HTTP/1.1 503 No\r\n\r\n", b"x" * 65536) as raw, Webhook() as well:
            config = f"    webhook_configs:\n      - {{url: '{raw.url}', timeout: 1s}}\n      - {{url: '{well.url}'}}\n"
            with Pager(config) as pager:
                pager.fire("Down")
                calls_of(well, 1)
                error = until(lambda: pager.rows("SELECT last_error FROM outbox WHERE slot = 0")[0][0])
                self.assertIn("HTTP 503", error)

    def due(self, value, status=429):
        """How many seconds later it is tried again."""
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            hook.answer = lambda n: (status, {"Retry-After": value})
            pager.fire("Down")
            rows = until(lambda: pager.rows("SELECT due_ms, refused FROM outbox WHERE attempts = 1 AND state = 'waiting'"), 20, "an attempt")
            self.assertEqual(rows[0][1], 0, "it was taken for a refusal")
            return rows[0][0] / 1000 - hook.calls[0]["at"]

    def test_what_retry_after_says(self):
        in_a_minute = email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60), usegmt=True)
        for value, least, most in (("60", 59, 75), (in_a_minute, 40, 75), ("3600", 299, 315), ("999999999999999999999", 0, 315),
                                   ("soon", 0, 15), ("-5", 0, 15), ("", 0, 15), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 15),
                                   ("Wed, 99 Oct 2099 07:28:00 GMT", 0, 15), ("Wed, 21 Oct 2099 07:28:00 GMT", 299, 315)):
            for status in (429, 503, 425):
                with self.subTest(value=value, status=status):
                    seconds = self.due(value, status)
                    self.assertGreater(seconds, least)
                    self.assertLess(seconds, most)

    def test_a_redirect_out_of_the_network(self):
        """No file is read, nobody else hears the password."""
        secret = "        http_config: {basic_auth: {username: ana, password: s3cret}}\n"
        with Webhook() as other:
            for location in ("file:///etc/passwd", f"http://localhost:{other.port}/x", f"http://127.0.0.1:{other.port}/x", "gopher://127.0.0.1/", "\\\\x\\y"):
                with self.subTest(location), Webhook() as hook, Pager(hook_config(hook.url, secret)) as pager:
                    hook.answer = lambda n, location=location: (307, {"Location": location})
                    pager.fire("Down")
                    error = until(lambda: pager.rows("SELECT last_error FROM outbox")[0][0])
                    self.assertIn("a redirect", error)
                    self.assertNotIn("root:", error)
            self.assertEqual(other.calls, [])


class Failover(unittest.TestCase):
    """Whom a receiver's pages go to as well when it can't be told them."""

    def pager(self, team, spare, after="1h", more=""):
        def hook(of):
            return hook_config(of.url)
        return Pager(f"    failover: spare\n    failover_after: {after}\n{hook(team)}{more}  - name: spare\n{hook(spare)}")

    def said(self, pager):
        return [text for text, in pager.rows("SELECT text FROM event WHERE kind = 'notify.failed' AND text LIKE '%is told as well'")]

    def test_what_is_refused_goes_there_at_once_and_so_does_its_end(self):
        for status in (400, 401, 404, 410):
            with self.subTest(status), Webhook() as team, Webhook() as spare:
                team.answer = lambda n, status=status: status
                with self.pager(team, spare) as pager:
                    pager.fire("Down")
                    first = calls_of(spare, 1)[0]["body"]
                    self.assertEqual((first["status"], first["receiver"]), ("firing", "spare"))
                    self.assertIn("team could not be told: ", first["watchbill"]["late"])
                    self.assertIn(f"HTTP {status}", first["watchbill"]["late"])
                    self.assertEqual(self.said(pager), ["team refuses to be told by webhook: spare is told as well"])
                    self.assertEqual(pager.rows("SELECT state, refused FROM outbox WHERE receiver = 'team'"), [("waiting", 1)], "it goes on being tried")
                    pager.end("Down")
                    self.assertEqual(calls_of(spare, 2)[1]["body"]["status"], "resolved")
                    time.sleep(2)
                    self.assertEqual(len(spare.calls), 2)

    def test_who_is_down_is_waited_for(self):
        with Webhook() as team, Webhook() as spare:
            team.answer = lambda n: 503
            with self.pager(team, spare, "6s") as pager:
                pager.fire("Down")
                until(lambda: len(team.calls) >= 2, 20, "it is tried")
                at = calls_of(spare, 1, 60)[0]["at"]
                self.assertGreaterEqual(at - team.calls[0]["at"], 5)
                team.answer = lambda n: 200
                until(lambda: ("webhook", "first", "sent") == pager.states()[0], 60, "it is told where it belongs")
                pager.end("Down")
                until(lambda: team.calls[-1]["body"]["status"] == spare.calls[-1]["body"]["status"] == "resolved", 20, "the end is told to both")
                self.assertEqual(len(spare.calls), 2)
                self.assertEqual(self.said(pager), ["team can't be told by webhook: spare is told as well"])

    def test_who_is_told_needs_nobody(self):
        with Webhook() as team, Webhook() as spare:
            team.answer = lambda n: 503 if n == 0 else 200
            with self.pager(team, spare) as pager:
                pager.fire("Down")
                until(lambda: pager.states() == [("webhook", "first", "sent")], 30, "told")
                pager.end("Down")
                until(lambda: team.calls[-1]["body"]["status"] == "resolved", 20, "the end")
                self.assertEqual(spare.calls, [])

    def test_two_that_refuse_are_one_page_there_and_a_kill_tells_nobody_twice(self):
        with Webhook() as team, Webhook() as other, Webhook() as spare:
            team.answer = other.answer = lambda n: 404
            with self.pager(team, spare, more=f"      - {{url: '{other.url}'}}\n") as pager:
                pager.fire("Down")
                until(lambda: len(self.said(pager)) == 2, 20, "both refuse")
                calls_of(spare, 1)
                pager.kill()
                pager.start()
                pager.fire("Up")
                until(lambda: len(self.said(pager)) == 4, 20, "both refuse")
                calls = calls_of(spare, 2)
                self.assertEqual([one["body"]["groupLabels"]["alertname"] for one in calls], ["Down", "Up"])

    def test_many_that_are_refused_are_all_told_there(self):
        with Webhook() as team, Webhook() as spare:
            team.answer = lambda n: 403
            with self.pager(team, spare) as pager:
                for n in range(60):
                    pager.fire(f"Down{n}")
                until(lambda: {one["body"]["groupLabels"]["alertname"] for one in spare.calls} == {f"Down{n}" for n in range(60)}, 60, "all of them")
                self.assertEqual(len(spare.calls), 60)


class Closing(Webhook):
    """Hangs up in the middle of the handshake."""

    def __init__(self):
        super().__init__(tls=None)

    url = property(lambda self: f"https://127.0.0.1:{self.port}/hook")

    def handler(owner):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                owner.calls.append(self.request.recv(16))
        return Handler


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchbill-tls-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.folder)

    def expired(self):
        """A certificate of an authority that is trusted, which was good until yesterday."""
        ca, ca_key = make_certificate(self.folder, "ca.test")
        (self.folder / "ext").write_text("subjectAltName=DNS:hook.test\n")
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={self.folder}/index.txt\nnew_certs_dir={self.folder}\nserial={self.folder}/serial\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        (self.folder / "serial").write_text("01\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hook.test", "-keyout", "old.key", "-out", "old.csr")
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-cert", ca, "-keyfile", ca_key, "-in", "old.csr", "-out", "old.pem", "-extfile", "ext",
                     "-startdate", (now - 9 * day).strftime("%Y%m%d%H%M%SZ"), "-enddate", (now - day).strftime("%Y%m%d%H%M%SZ"), "-notext")
        return ca, (self.folder / "old.pem", self.folder / "old.key")

    def fails(self, hook, ways=""):
        with Pager(hook_config(hook.url, f"        http_config: {{tls_config: {{server_name: hook.test{ways}}}}}\n")) as pager:
            pager.fire("Down")
            rows = until(lambda: pager.rows("SELECT last_error, refused, state FROM outbox WHERE attempts >= 2"), 30, "it is tried again")
            self.assertEqual([call for call in hook.calls if isinstance(call, dict)], [], "a page went out")
            self.assertEqual(rows[0][1], 0)
            return rows[0][0]

    def test_expired(self):
        ca, certificate = self.expired()
        with Webhook(tls=server_tls(certificate)) as hook:
            self.assertIn("TLS", self.fails(hook, f", ca_file: {ca}"))

    def test_an_old_version_only(self):
        cert = make_certificate(self.folder, "hook.test")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*cert)
        tls.set_ciphers("ALL:@SECLEVEL=0")
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1
        with Webhook(tls=tls) as hook:
            self.assertIn("TLS", self.fails(hook, f", ca_file: {cert[0]}"))

    def test_the_handshake_breaks(self):
        with Closing() as hook:
            self.assertIn("TLS", self.fails(hook))
            self.assertTrue(hook.calls)


class MailHeaders(unittest.TestCase):
    def test_line_breaks_make_no_header(self):
        """What somebody put into a label or a summary is in the subject, and stays there."""
        with Smtp() as smtp, Alertd(config=f"receivers:\n  - name: team\n{mail_config(smtp.port)}route: {{receiver: team, group_wait: 0s}}\n") as alertd:
            name = "Down\r\nBcc: eve@example.org\r\n\r\nhello"
            alertd.post("/api/v2/alerts", [{"labels": {"alertname": "Down", "instance": name, "severity": name}, "annotations": {"summary": name}}])
            mail, = smtp.wait(lambda mails: len(mails) == 1 and mails)
        self.assertIsNone(mail["Bcc"])
        self.assertEqual(mail.envelope_to, ["ana@example.org", "ben@example.org"])
        self.assertNotRegex(mail["Subject"], r"[\r\n]")


if __name__ == "__main__":
    unittest.main(verbosity=2)
