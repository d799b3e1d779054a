"""Who gets paged in tests: a real webhook server and a real SMTP server on 127.0.0.1, which can be
told to refuse, stall or vanish.

    with Webhook() as hook:
        hook.answer = lambda n: 429 if n < 3 else 200
        ...
        hook.wait(lambda calls: len(calls) == 3)
"""

import email
import email.policy
import http.server
import json
import socketserver
import threading
import time

from daemon import free_port, until


class Server:
    """A threading server on a free port, started and stopped with `with`."""

    def __init__(self, port=None):
        self.port = port or free_port()
        self.server = None

    def handler(self):
        raise NotImplementedError

    def __enter__(self):
        kind = type("Listener", (socketserver.ThreadingTCPServer,), {
            "allow_reuse_address": True, "daemon_threads": True,
            "handle_error": lambda *_: None})  # callers are killed and give up: that is what tests do to them
        self.server = kind(("127.0.0.1", self.port), self.handler())
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop()

    start = __enter__

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Webhook(Server):
    """Keeps every POST as {"at", "path", "headers", "body"}; answer(n) gives the n-th (from 0) its status,
    or (status, headers); hang is a number of seconds to wait before answering."""

    def __init__(self, port=None):
        super().__init__(port)
        self.calls = []
        self.answer = lambda n: 200
        self.hang = 0
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def handler(owner):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    body = json.loads(raw)
                except ValueError:
                    body = raw
                with owner.lock:
                    number = len(owner.calls)
                    owner.calls.append({"at": time.time(), "path": self.path, "headers": dict(self.headers), "body": body})
                if owner.hang:
                    time.sleep(owner.hang)
                answer = owner.answer(number)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the caller gave up waiting

            def log_message(self, *_):
                pass

        return Handler

    def wait(self, condition, seconds=20, what="webhook calls"):
        return until(lambda: condition(list(self.calls)), seconds, what)


class Smtp(Server):
    """Keeps every accepted message as email.message.EmailMessage with .envelope_to; reply(stage) may
    return another line for "greet", "MAIL", "RCPT", "DATA" or "message" (None: the usual one), or "close"."""

    def __init__(self, port=None):
        super().__init__(port)
        self.messages = []
        self.reply = lambda stage: None

    def handler(owner):
        class Handler(socketserver.StreamRequestHandler):
            def say(self, stage, usual):
                line = owner.reply(stage) or usual
                if line == "close":
                    raise ConnectionAbortedError
                self.wfile.write(line.encode() + b"\r\n")
                return line[0] in "23"

            def read_message(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b"..") else line)
                return b"".join(lines)

            def handle(self):
                to = []
                try:
                    self.say("greet", "220 test")
                    while line := self.rfile.readline():
                        word = line.split(b" ")[0].strip().upper().decode("ascii", "replace")
                        if word in ("EHLO", "HELO"):
                            self.say(word, "250 test")
                        elif word == "RCPT":
                            if self.say("RCPT", "250 ok"):
                                to.append(line.decode().split("<")[1].split(">")[0])
                        elif word == "DATA":
                            if self.say("DATA", "354 go on"):
                                message = email.message_from_bytes(self.read_message(), policy=email.policy.default)
                                message.envelope_to = list(to)
                                if self.say("message", "250 kept"):
                                    owner.messages.append(message)
                        elif word == "QUIT":
                            self.say("QUIT", "221 bye")
                            return
                        else:
                            self.say(word, "250 ok")
                except OSError:
                    pass

        return Handler

    def wait(self, condition, seconds=20, what="mails"):
        return until(lambda: condition(list(self.messages)), seconds, what)
