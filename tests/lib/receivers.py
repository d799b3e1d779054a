"""Who gets paged in tests: a real webhook server, a proxy and a real SMTP server on 127.0.0.1, with or
without TLS, which can be told to refuse, stall or vanish.

    with Webhook() as hook:
        hook.answer = lambda n: 429 if n < 3 else 200
        ...
        hook.wait(lambda calls: len(calls) == 3)
"""

import base64
import email
import email.policy
import http.server
import json
import select
import socket
import socketserver
import ssl
import subprocess
import threading
import time

from daemon import free_port, until


def make_certificate(folder, name):
    """A certificate for `name` that signs itself: (certificate, key), both PEM files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def server_tls(certificate, clients=None, least=None, most=None):
    """A server's side of TLS; clients: the file of certificates it asks its callers for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    if least:
        context.minimum_version = least
    if most:
        context.maximum_version = most
    return context


class Server:
    """A threading server on a free port, started and stopped with `with`; tls: an SSLContext."""

    def __init__(self, port=None, tls=None):
        self.port = port or free_port()
        self.tls = tls
        self.server = None

    def handler(self):
        raise NotImplementedError

    def __enter__(self):
        tls = self.tls

        def accept(listener):
            connection, address = listener.socket.accept()
            if tls:  # the handshake is for the handler's thread
                connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            return connection, address

        kind = type("Listener", (socketserver.ThreadingTCPServer,), {
            "allow_reuse_address": True, "daemon_threads": True, "get_request": accept,
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
    (status, headers) or (status, headers, body); hang is a number of seconds to wait before answering."""

    def __init__(self, port=None, tls=None):
        super().__init__(port, tls)
        self.calls = []
        self.answer = lambda n: 200
        self.hang = 0
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

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
                    owner.calls.append({"at": time.time(), "path": self.path, "headers": dict(self.headers), "body": body,
                                        "tls": owner.tls and self.connection.version(),
                                        "client": owner.tls and self.connection.getpeercert()})
                if owner.hang:
                    time.sleep(owner.hang)
                answer = owner.answer(number)
                status, headers, text = (*answer, b"")[:3] if isinstance(answer, tuple) else (answer, {}, b"")
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    pass  # the caller gave up waiting

            def log_message(self, *_):
                pass

        return Handler

    def wait(self, condition, seconds=20, what="webhook calls"):
        return until(lambda: condition(list(self.calls)), seconds, what)


class Proxy(Server):
    """An HTTP proxy whose every target is the same port on 127.0.0.1; keeps the first lines and headers
    of what it is asked as (line, headers)."""

    def __init__(self, target):
        super().__init__()
        self.target = target
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def handler(owner):
        class Handler(http.server.BaseHTTPRequestHandler):
            def pump(self, upstream):
                ends = [self.connection, upstream]
                while ready := select.select(ends, [], [], 10)[0]:
                    for end in ready:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[1 - ends.index(end)].sendall(data)

            def keep(self):
                owner.asked.append((self.requestline, dict(self.headers)))

            def do_CONNECT(self):
                self.keep()
                with socket.create_connection(("127.0.0.1", owner.target)) as upstream:
                    self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                    self.pump(upstream)

            def do_POST(self):
                self.keep()
                path = "/" + self.path.split("/", 3)[3]
                head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                with socket.create_connection(("127.0.0.1", owner.target)) as upstream:
                    upstream.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode())
                    upstream.sendall(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                    self.pump(upstream)

            def log_message(self, *_):
                pass

        return Handler


class Smtp(Server):
    """Keeps every accepted message as email.message.EmailMessage with .envelope_to, and every login as
    (mechanism, what was said); reply(stage) may return another line for "greet", "EHLO", "MAIL", "RCPT",
    "DATA" or "message" (None: the usual one), or "close"."""

    challenge = b"<1.2@test>"

    def __init__(self, port=None, tls=None):
        super().__init__(port, tls)
        self.messages = []
        self.logins = []
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

            def log_in(self, mechanism, said=None):
                if said is None:
                    challenge = owner.challenge if mechanism == "CRAM-MD5" else b""
                    self.wfile.write(b"334 " + base64.b64encode(challenge) + b"\r\n")
                    said = self.rfile.readline().decode().strip()
                owner.logins.append((mechanism, base64.b64decode(said)))
                self.say("AUTH", "235 welcome")

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
                        elif word == "AUTH":
                            self.log_in(*line.decode().split()[1:])
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
