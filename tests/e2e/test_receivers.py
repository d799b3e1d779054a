"""Receivers that hang, refuse, stall and vanish, and a pager that is killed while it tells them:
nothing is lost, nobody waits for somebody else, and what comes late says so.

The pager is alertd's own database, notifier and senders with alerts read from a pipe (pager.c).
"""

import os
import pathlib
import shutil
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, Alertd, free_port, until
from receivers import Smtp, Webhook

PAGER = os.environ.get("PAGER", str(BUILD / "tests/e2e/pager"))


class Pager:
    """A pager in a folder of its own; start() after kill() goes on with the same."""

    def __init__(self, receivers, route=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchbill-pager-"))
        self.config = self.folder / "config.yml"
        self.config.write_text(
            f"receivers:\n  - name: team\n{receivers}\nroute:\n  receiver: team\n"
            f"  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s\n{route}\n")
        self.process = None

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([PAGER, self.folder, self.config], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        first = self.process.stdout.readline().strip()
        if first != "ready":
            raise AssertionError(f"the pager does not start: {(self.folder / 'log').read_text()[-2000:]}")
        return self

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise AssertionError(f"{line}: {answer or 'no answer'}")

    def fire(self, name, instance="a:1", severity="critical"):
        self.say(f"fire {name} {instance} {severity}")

    def end(self, name, instance="a:1"):
        self.say(f"end {name} {instance}")

    def kill(self):
        self.process.kill()
        self.wait()

    def wait(self):
        self.process.wait()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # an order it did not read any more
        self.process.stdout.close()

    def rows(self, sql="SELECT kind, reason, state, attempts, last_error FROM outbox ORDER BY id"):
        # read-only: it can't checkpoint the log under the one connection that may
        base = sqlite3.connect(f"file:{self.folder}/state.db?mode=ro", uri=True)
        try:
            return base.execute(sql).fetchall()
        finally:
            base.close()

    def states(self):
        return [(kind, reason, state) for kind, reason, state, *_ in self.rows()]

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        self.process.stdout.close()
        if kind:
            print((self.folder / "log").read_text()[-4000:])
        shutil.rmtree(self.folder, ignore_errors=True)


def hook_config(url, more=""):
    """Told as fast as it takes it: how fast it may be told is test_floods.py's."""
    return f"    webhook_configs:\n      - url: {url}\n        timeout: 1s\n        max_per_second: 0\n        digest_above: 0\n{more}"


def mail_config(port):
    return (f"    email_configs:\n      - to: ana@example.org, Ben <ben@example.org>\n        from: Watch <watch@example.org>\n"
            f"        smarthost: 127.0.0.1:{port}\n        require_tls: false\n        send_resolved: true\n        timeout: 2s\n")


def calls_of(hook, count, seconds=20):
    """The calls, once there are that many."""
    hook.wait(lambda calls: len(calls) == count, seconds)
    return list(hook.calls)


def keys(calls):
    return [call["headers"]["Idempotency-Key"] for call in calls]


class Hook(unittest.TestCase):
    def test_told_once_and_told_the_end(self):
        with Webhook() as hook, Pager(hook_config(hook.url, "        http_config: {authorization: {credentials: tok}}\n")) as pager:
            pager.fire("Down")
            hook.wait(lambda calls: len(calls) == 1)
            pager.end("Down")
            calls = calls_of(hook, 2)
            until(lambda: pager.states() == [("webhook", "first", "sent"), ("webhook", "resolved", "sent")])
        first, last = (call["body"] for call in calls)
        self.assertEqual((first["status"], first["notification_reason"]), ("firing", "first notification"))
        self.assertEqual((last["status"], last["notification_reason"]), ("resolved", "all alerts resolved"))
        self.assertEqual(first["version"], "4")
        self.assertEqual(first["groupKey"], '{}:{alertname="Down"}')
        self.assertEqual(first["groupLabels"], {"alertname": "Down"})
        self.assertRegex(first["alerts"][0]["fingerprint"], r"^[0-9a-f]{16}$")
        self.assertEqual(first["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z")
        self.assertEqual(calls[0]["headers"]["Authorization"], "Bearer tok")
        self.assertNotEqual(*keys(calls))
        self.assertIsNone(first["watchbill"]["late"])

    def test_busy_then_willing(self):
        """500, 502, 503 and 408 are tried again under the same key."""
        answers = [500, 502, 503, 408]
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            hook.answer = lambda n: answers[n] if n < len(answers) else 200
            pager.fire("Down")
            calls = calls_of(hook, 5, 90)
            until(lambda: pager.states() == [("webhook", "first", "sent")])
        self.assertEqual(len(set(keys(calls))), 1)

    def test_retry_after_is_honoured(self):
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            hook.answer = lambda n: (429, {"Retry-After": "4"}) if n == 0 else 200
            pager.fire("Down")
            calls = calls_of(hook, 2)
        self.assertGreaterEqual(calls[1]["at"] - calls[0]["at"], 3.9)

    def test_an_outage_shorter_than_the_receivers(self):
        """Fired and over while the receiver says 429: one page that tells both, and that it is late."""
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            hook.answer = lambda n: (429, {"Retry-After": "6"}) if n == 0 else 200
            pager.fire("Down")
            until(lambda: pager.rows("SELECT state, attempts FROM outbox") == [("waiting", 1)])
            pager.end("Down")
            calls = calls_of(hook, 2)
            until(lambda: pager.states() == [("webhook", "first", "superseded"), ("webhook", "resolved", "sent")])
            texts = [text for text, in pager.rows("SELECT text FROM event WHERE kind = 'notify.sent'")]
        body = calls[1]["body"]
        self.assertEqual(body["status"], "resolved")
        self.assertEqual(body["alerts"][0]["status"], "resolved")
        self.assertRegex(body["watchbill"]["late"], r"^fired \S+ UTC, over at \S+ UTC, delivered \d+ s late: .* HTTP 429")
        self.assertNotEqual(*keys(calls))
        self.assertRegex(texts[0], r"\d+ s late: .*HTTP 429")

    def test_a_refusal_is_said_and_tried_rarely(self):
        for status in (400, 401, 404, 410, 302):
            with self.subTest(status), Webhook() as hook, Pager(hook_config(hook.url)) as pager:
                hook.answer = lambda n, status=status: (status, {"Location": "http://127.0.0.1:1/elsewhere"})
                pager.fire("Down")
                until(lambda: pager.rows("SELECT state, attempts FROM outbox") == [("waiting", 1)])
                due, refused, error = pager.rows("SELECT due_ms - created_ms, refused, last_error FROM outbox")[0]
                self.assertAlmostEqual(due, 300000, delta=3000)
                self.assertEqual(refused, 1)
                self.assertIn(f"HTTP {status}", error)
                self.assertEqual(pager.rows("SELECT count(*) FROM event WHERE kind = 'notify.failed'"), [(1,)])

    def test_nobody_listens_then_somebody(self):
        port = free_port()
        with Pager(hook_config(f"http://127.0.0.1:{port}/secret-path")) as pager:
            pager.fire("Down")
            error = until(lambda: pager.rows("SELECT last_error FROM outbox")[0][0])
            self.assertNotIn("secret-path", error)
            with Webhook(port) as hook:
                hook.wait(lambda calls: len(calls) == 1, 60)
                until(lambda: pager.states() == [("webhook", "first", "sent")])

    def test_five_wounded_receivers_and_a_well_one(self):
        """A hang, a trickle, an endless body, a closed door and a reset: the well one is told within a second."""
        with Webhook() as well, Webhook() as hung, Trickle() as trickle, Endless() as endless, Reset() as reset:
            hung.hang = 8
            urls = [hung.url, trickle.url, endless.url, f"http://127.0.0.1:{free_port()}/", reset.url, well.url]
            config = "    webhook_configs:\n" + "".join(f"      - {{url: '{url}', timeout: 1s, max_per_second: 0}}\n" for url in urls)
            with Pager(config) as pager:
                began = time.time()
                for n in range(5):
                    pager.fire(f"Down{n}")
                calls = calls_of(well, 5, 5)
                self.assertLess(max(call["at"] for call in calls) - began, 1.5)
                failed = "SELECT DISTINCT slot FROM outbox WHERE attempts > 0 AND last_error IS NOT NULL ORDER BY slot"
                until(lambda: pager.rows(failed) == [(0,), (1,), (2,), (3,), (4,)], 30, "the others fail")
                cut = [error for error, in pager.rows("SELECT last_error FROM outbox WHERE slot = 0 AND last_error IS NOT NULL")]
                self.assertTrue(all("no answer in time" in error for error in cut), cut)

    def test_pages_go_before_what_is_over(self):
        """Both due at once after a stop: what is wrong now comes first, though it is younger."""
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            hook.answer = lambda n: 200 if n == 0 else (503, {"Retry-After": "2"})
            pager.fire("Old")
            until(lambda: pager.states() == [("webhook", "first", "sent")])
            pager.end("Old")
            until(lambda: ("webhook", "resolved", "waiting") in pager.states())
            pager.fire("New")
            until(lambda: len(hook.calls) == 3 and not any(state == "sending" for _, _, state in pager.states()))
            pager.kill()
            hook.answer = lambda n: 200
            time.sleep(2.5)
            pager.start()
            calls = calls_of(hook, 5)
        self.assertEqual([call["body"]["groupLabels"]["alertname"] for call in calls[3:]], ["New", "Old"])

    def test_a_burst_of_one_group_is_told_in_few_pages(self):
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            for n in range(20):
                pager.fire("Down", f"a:{n}")
            hook.wait(lambda calls: calls and len(calls[-1]["body"]["alerts"]) == 20)
            calls = list(hook.calls)
            self.assertEqual(pager.rows("SELECT n_alerts, n_firing FROM incident"), [(20, 20)])
        self.assertLess(len(calls), 5)


class Trickle(Webhook):
    """Answers one byte a second."""

    def handler(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    self.request.recv(65536)
                    for byte in b"HTTP/1.1 200 OK\r\n" * 4:
                        self.request.sendall(bytes([byte]))
                        time.sleep(1)
                except OSError:
                    pass
        return Handler


class Endless(Webhook):
    """Never ends its headers."""

    def handler(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    self.request.recv(65536)
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n")
                    while True:
                        self.request.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
                        time.sleep(0.01)
                except OSError:
                    pass
        return Handler


class Reset(Webhook):
    """Takes the request and resets the connection."""

    def handler(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.recv(65536)
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return Handler


class Mail(unittest.TestCase):
    def test_two_mails_of_one_incident_are_a_thread(self):
        with Smtp() as smtp, Pager(mail_config(smtp.port)) as pager:
            pager.fire("Caf\u00e9Down")
            smtp.wait(lambda mails: len(mails) == 1)
            pager.end("Caf\u00e9Down")
            smtp.wait(lambda mails: len(mails) == 2)
            first, last = smtp.messages
        self.assertEqual(first.envelope_to, ["ana@example.org", "ben@example.org"])
        self.assertEqual(first["Subject"], "[critical] Caf\u00e9Down on a:1 (INC-%s-0001)" % time.gmtime().tm_year)
        self.assertTrue(last["Subject"].startswith("[over]"))
        self.assertEqual(first["References"], last["References"])
        self.assertNotEqual(first["Message-ID"], last["Message-ID"])
        self.assertEqual(first["Auto-Submitted"], "auto-generated")
        kinds = [part.get_content_type() for part in first.iter_parts()]
        self.assertEqual(kinds, ["text/plain", "text/html"])
        text = first.get_body(("plain",)).get_content().replace("\r\n", "\n")
        self.assertTrue(text.startswith("Caf\u00e9Down on a:1\n"), text)
        self.assertRegex(text, r"Acknowledge: http://pager.test/a/[\w-]{40}\n")
        self.assertRegex(text, r"Noise: +http://pager.test/a/[\w-]{40}\?verdict=noise&page=\d+&via=mail\n")

    def test_success_is_only_after_the_last_250(self):
        """Greylisting, a full mailbox for now, and a server that goes before it answers."""
        wounds = {"RCPT": ["451 greylisted, come back"], "message": ["452 no room now", "close"], "DATA": ["close"], "greet": ["421 busy"]}

        def reply(stage):
            return wounds[stage].pop(0) if wounds.get(stage) else None

        with Smtp() as smtp, Pager(mail_config(smtp.port)) as pager:
            smtp.reply = reply
            pager.fire("Down")
            smtp.wait(lambda mails: len(mails) == 1, 120)
            self.assertFalse(any(wounds.values()), f"not all happened: {wounds}")
            until(lambda: pager.states() == [("email", "first", "sent")])
            attempts, = pager.rows("SELECT attempts FROM outbox")[0]
            self.assertEqual(attempts, 6)
            time.sleep(0.5)
            self.assertEqual(len(smtp.messages), 1)

    def test_an_unknown_mailbox_is_a_refusal(self):
        with Smtp() as smtp, Pager(mail_config(smtp.port)) as pager:
            smtp.reply = lambda stage: "550 no such user" if stage == "RCPT" else None
            pager.fire("Down")
            row = until(lambda: [row for row in pager.rows("SELECT state, refused, last_error FROM outbox") if row[2]])[0]
        self.assertEqual(row[:2], ("waiting", 1))
        self.assertIn("550", row[2])


class Ntfy(unittest.TestCase):
    def test_a_button_that_acknowledges(self):
        with Webhook() as server:
            config = f"    ntfy_configs:\n      - {{url: 'http://127.0.0.1:{server.port}', topic: night, token: tk_1}}\n"
            with Pager(config) as pager:
                pager.fire("Down")
                call, = calls_of(server, 1)
        body = call["body"]
        self.assertEqual(call["path"], "/")
        self.assertEqual(call["headers"]["Authorization"], "Bearer tk_1")
        self.assertEqual((body["topic"], body["priority"]), ("night", 5))
        ack, useful, noise = body["actions"]
        self.assertEqual((ack["action"], ack["method"], ack["body"]), ("http", "POST", "action=ack"))
        self.assertTrue(ack["url"].startswith("http://pager.test/a/"))
        self.assertEqual((useful["label"], useful["method"], useful["url"]), ("Useful", "POST", ack["url"]))
        self.assertRegex(noise["body"], r"^action=verdict&verdict=noise&page=\d+&via=ntfy$")


RULES = """
groups:
  - name: always
    interval: 1s
    rules:
      - alert: Always
        expr: vector({value}) > 0
        labels: {{severity: critical, job: test}}
        annotations: {{summary: 'the value is {{{{ $value }}}}'}}
"""


class Daemon(unittest.TestCase):
    """The whole of alertd: a rule of its own fires and ends."""

    def config(self, hook):
        return f"receivers:\n  - name: team\n    webhook_configs: [{{url: '{hook.url}'}}]\nroute: {{receiver: team, group_wait: 0s, group_interval: 1s}}\n"

    def test_killed_while_it_fires_and_told_the_end(self):
        """Neither the restart nor the same rule again is a second page; its end is one."""
        with Webhook() as hook, Alertd(config=self.config(hook)) as alertd:
            alertd.import_rules(RULES.format(value=3))
            calls_of(hook, 1)
            for _ in range(3):
                alertd.kill()
                alertd.start()
                time.sleep(1.5)
            alertd.import_rules(RULES.format(value=0))
            first, last = calls_of(hook, 2)
        self.assertEqual((first["body"]["status"], last["body"]["status"]), ("firing", "resolved"))
        self.assertEqual(first["body"]["commonAnnotations"], {"summary": "the value is 3"})
        self.assertEqual(first["body"]["alerts"][0]["startsAt"], last["body"]["alerts"][0]["startsAt"])

    def test_a_reload_moves_pages_to_another_receiver(self):
        with Webhook() as old, Webhook() as new, Alertd(config=self.config(old)) as alertd:
            alertd.import_rules(RULES.format(value=3))
            calls_of(old, 1)
            alertd.config_path.write_text("receivers: [{name: a, webhook_configs: [{url: nonsense}]}]\nroute: {receiver: a}\n")
            reply = alertd.call("POST", "/-/reload")
            self.assertNotEqual(reply.status, 200)
            self.assertIn("1:47", reply.text)
            alertd.config_path.write_text(self.config(new))
            self.assertEqual(alertd.call("POST", "/-/reload").status, 200)
            alertd.import_rules(RULES.format(value=0))
            # it is told the end; that it fires too, where the group was looked at in between
            new.wait(lambda calls: calls and calls[-1]["body"]["status"] == "resolved")
            self.assertEqual(len(old.calls), 1)


class Kills(unittest.TestCase):
    def test_killed_between_the_post_and_the_mark(self):
        """The receiver has it, the pager dies before it knows: told again, under the same key."""
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            def die(n):
                if n < 3:
                    os.kill(pager.process.pid, signal.SIGKILL)
                return 200
            hook.answer = die
            pager.fire("Down")
            for n in range(1, 4):
                hook.wait(lambda calls: len(calls) == n)
                pager.wait()
                self.assertEqual(pager.states(), [("webhook", "first", "sending")])
                pager.start()
            calls = calls_of(hook, 4)
            until(lambda: pager.states() == [("webhook", "first", "sent")])
        self.assertEqual(len(set(keys(calls))), 1)

    def test_killed_at_random_moments(self):
        """Every alert that was answered "ok" reaches the receiver at least once, and its end after it."""
        rounds = int(os.environ.get("KILLS", "12"))
        told = []
        with Webhook() as hook, Pager(hook_config(hook.url)) as pager:
            hook.answer = lambda n: 503 if n % 7 == 3 else 200
            for n in range(rounds):
                timer = threading.Timer(0.02 + 0.013 * (n % 9), pager.process.kill)
                timer.start()
                try:
                    for m in range(50):
                        name = f"Down{n}x{m}"
                        pager.fire(name)
                        told.append(name)
                        if m % 2:
                            pager.end(name)
                except (AssertionError, BrokenPipeError):
                    pass
                timer.join()
                pager.wait()
                pager.start()
            unsent = "SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')"
            until(lambda: pager.rows(unsent) == [(0,)], 60, "the outbox is empty")
            whole = [call["body"] for call in hook.calls if isinstance(call["body"], dict)]  # some were cut off
            reached = {body["groupLabels"]["alertname"] for body in whole}
            incidents = {name for name, in pager.rows("SELECT json_extract(labels, '$.alertname') FROM incident")}
        self.assertGreater(len(told), 0)
        self.assertEqual(set(told) - incidents, set(), "answered ok and not stored")
        self.assertEqual(incidents - reached, set(), "stored and never told")
        for name in incidents:
            order = [body["status"] for body in whole if body["groupLabels"]["alertname"] == name]
            self.assertNotIn("firing", order[order.index("resolved"):] if "resolved" in order else [], f"{name}: {order}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
