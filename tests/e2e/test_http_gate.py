"""The gate in front of the HTTP library, over real sockets: malformed requests, ceilings, deadlines,
many busy connections, event streams.

What a row expects is what an outsider sees: the statuses of the answers, in order, and whether the
connection was closed behind them. One answer to two requests in a row would be smuggling.
"""

import gzip
import json
import pathlib
import re
import selectors
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, until

HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /api/alertd/v1/logout HTTP/1.1\r\n" + HOST
GET = b"GET /-/healthy HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# name, bytes, statuses of the answers ({}: one of these), closed behind them (None: either)
MALFORMED = [
    ("a plain request", GET + b"\r\n", [200], False),
    ("no host", b"GET /-/healthy HTTP/1.1\r\n\r\n", [400], True),
    ("two hosts", GET + b"Host: 127.0.0.1\r\n\r\n", [400], True),
    ("a length twice, the same", POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", [400], True),
    ("a length twice, another, and a request in the tail",
     POST + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc" + GET + b"\r\n", [400], True),
    ("a list of lengths", POST + b"Content-Length: 3, 3\r\n\r\nabc", [400], True),
    ("a negative length", POST + b"Content-Length: -1\r\n\r\nabc", [400], True),
    ("a length with a plus", POST + b"Content-Length: +3\r\n\r\nabc", [400], True),
    ("a length in hexadecimal", POST + b"Content-Length: 0x3\r\n\r\nabc", [400], True),
    ("a length beyond all numbers", POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc", {400, 413}, True),
    ("a length beside chunks", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [400], True),
    ("an unknown encoding", POST + b"Transfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [400], True),
    ("an encoding twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [400], True),
    ("a chain of encodings", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [400], True),
    ("a space before the colon", POST + b"Content-Length : 3\r\n\r\nabc", [400], True),
    ("a carriage return inside a header", GET + b"X: a\rContent-Length: 3\r\n\r\n", [400], True),
    ("an escaped NUL in the path", b"GET /a%00b HTTP/1.1\r\n" + HOST + b"\r\n", [400], False),
    ("a NUL in the path", b"GET /-/healthy\0b HTTP/1.1\r\n" + HOST + b"\r\n", [400], True),
    ("up and out", b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", [400], False),
    ("up and out, escaped", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", [400], False),
    ("up and out, with an escaped slash", b"GET /assets/..%2f..%2fetc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", [400], False),
    ("up and out, with a backslash", b"GET /assets/..%5c..%5cetc HTTP/1.1\r\n" + HOST + b"\r\n", [400], False),
    ("an unknown version", b"GET /-/healthy HTTP/9.9\r\n" + HOST + b"\r\n", {400, 505}, True),
    ("no version", b"GET /-/healthy\r\n" + HOST + b"\r\n", {400, 505}, True),
    ("a header of 64 KiB", GET + b"X: " + b"a" * 65000 + b"\r\n\r\n", [431], True),
    ("ten thousand headers", GET + b"a:b\r\n" * 10000 + b"\r\n", [431], True),
    ("a chunk with an extension", CHUNKED + b"3;x=y\r\nabc\r\n0\r\n\r\n", [204], False),
    # Waits for the rest of it, so: no answer, no second request, and cut for slowness later.
    ("a chunk of 16 exabytes", CHUNKED + b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n" + GET + b"\r\n", [], False),
    ("a chunk past 64 bits", CHUNKED + b"1ffffffffffffffff\r\nabc\r\n0\r\n\r\n", {400, 413}, True),
    ("a negative chunk", CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n", [400], True),
    ("a body on a GET", GET + b"Content-Length: 3\r\n\r\nabc", [400], True),
    ("two requests at once", (GET + b"\r\n") * 2, [200, 200], False),
    ("a promise of a body", POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", [100, 204], False),
    ("an invented method", b"FROB /-/healthy HTTP/1.1\r\n" + HOST + b"\r\n", [400], True),
    ("a proxy's target", b"GET http://evil.test/x HTTP/1.1\r\n" + HOST + b"\r\n", [400], True),
    ("HTTP/1.0 with chunks", b"POST /api/alertd/v1/logout HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400], True),
    # What libmicrohttpd swallows, found by where the parts of the head lie.
    ("a folded header", GET + b"X-A: b\r\n c\r\n\r\n", [400], True),
    ("a folded header, first", b"GET /-/healthy HTTP/1.1\r\n c\r\n" + HOST + b"\r\n", [400], True),
    ("bare line feeds", b"GET /-/healthy HTTP/1.1\nHost: 127.0.0.1\n\n", [400], True),
    ("a bare line feed after the request line", b"GET /-/healthy HTTP/1.1\n" + HOST + b"\r\n", [400], True),
    ("a bare line feed after the last header", b"GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\n\r\n", [400], True),
    ("a bare line feed for the empty line", GET + b"\n", [400], True),
    ("a NUL inside a header", GET + b"X: a\0b\r\n\r\n", [400], True),
    ("a NUL at the end of a header", GET + b"X: a\0\r\n\r\n", [400], True),
    ("a NUL in a header's name", GET + b"X\0Y: a\r\n\r\n", [400], True),
    ("spaces around a value, and an empty one", GET + b"A: \t b \t\r\nX:\r\nY: \r\n\r\n", [200], False),
    ("a second request with bare line feeds", GET + b"\r\n" + b"GET /-/healthy HTTP/1.1\nHost: 127.0.0.1\n\n", [200, 400], True),
]


def talk(port, sent, quiet_s=0.7, first_s=10):
    """Sends raw bytes; returns the answers' statuses, whether it was closed, and all text. The first byte may take its time."""
    got, closed = b"", False
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.settimeout(first_s)
        try:
            peer.sendall(sent)
            while True:
                some = peer.recv(65536)
                if not some:
                    closed = True
                    break
                got += some
                peer.settimeout(quiet_s)
        except TimeoutError:
            pass
        except OSError:
            closed = True
    return statuses_of(got), closed, got


def statuses_of(text):
    """Read as a client reads: each body is as long as its header says; after a close nothing counts.
    (The library's own refusals carry their header twice, the second time as the body.)"""
    found = []
    while head := re.match(rb"HTTP/1\.[01] (\d{3}) (.*?)\r\n\r\n", text, re.S):
        found.append(int(head[1]))
        length = re.search(rb"(?i)content-length: (\d+)", head[2])
        if re.search(rb"(?i)connection: close", head[2]):
            break
        text = text[head.end() + (int(length[1]) if length else 0):]
    return found


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd().start()

    @classmethod
    def tearDownClass(cls):
        try:
            assert cls.alertd.stop() == 0, cls.alertd.log()
        finally:
            cls.alertd.close()

    def test_malformed_requests(self):
        for name, sent, expected, closed in MALFORMED:
            with self.subTest(name):
                statuses, was_closed, text = talk(self.alertd.port, sent, first_s=10 if expected else 0.7)
                if isinstance(expected, set):
                    self.assertEqual(len(statuses), 1, text)
                    self.assertIn(statuses[0], expected, text)
                else:
                    self.assertEqual(statuses, expected, text)
                if closed is not None:
                    self.assertEqual(was_closed, closed, text)
        self.assertEqual(self.alertd.call("GET", "/-/healthy").status, 200)

    def test_a_head_in_pieces_is_whole(self):
        """However it arrives, and however the library's buffer grows meanwhile."""
        head = GET + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 150) for i in range(90)) + b"\r\n"
        for size in (1, 7, 100, 1460, 4096):
            with self.subTest(size), socket.create_connection(("127.0.0.1", self.alertd.port)) as peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.settimeout(10)
                for begin in range(0, len(head), size):
                    peer.sendall(head[begin:begin + size])
                    if begin % 1000 < size:
                        time.sleep(0.001)
                self.assertIn(b" 200 ", peer.recv(65536).split(b"\r\n")[0])

    def test_every_answer_protects_the_browser(self):
        for path, status in (("/-/healthy", 200), ("/", 200), ("/nowhere.txt", 404), ("/api/v1/nothing", 404), ("/api/alertd/v1/tokens", 401)):
            reply = self.alertd.call("GET", path, token="")
            self.assertEqual(reply.status, status, path)
            policy = reply.headers["Content-Security-Policy"]
            for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"):
                self.assertIn(part, policy, path)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(reply.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(self.alertd.call("GET", "/api/alertd/v1/me").headers["Cache-Control"], "no-store")

    def test_unknown_paths_and_methods(self):
        reply = self.alertd.call("GET", "/api/v1/status/flags")
        self.assertEqual((reply.status, reply.text), (404, "404 page not found\n"))
        for method in ("GET", "POST", "PUT", "DELETE"):
            reply = self.alertd.call(method, "/api/alertd/v1/nothing")
            self.assertEqual(reply.status, 404, method)
            self.assertEqual(reply.json["errorType"], "not_found")
        reply = self.alertd.call("PATCH", "/api/alertd/v1/tokens")
        self.assertEqual(reply.status, 405)
        self.assertEqual(reply.headers["Allow"], "GET, HEAD, POST")
        self.assertIn(b"<html", self.alertd.call("GET", "/i/INC-2026-0001").body)

    def test_head_is_get_without_a_body(self):
        got, headed = self.alertd.call("GET", "/-/healthy"), self.alertd.call("HEAD", "/-/healthy")
        self.assertEqual(headed.status, 200)
        self.assertEqual(headed.body, b"")
        self.assertEqual(headed.headers["Content-Length"], got.headers["Content-Length"])

    def test_foreign_host_names_are_misdirected(self):
        for host, status in (("localhost:1", 200), ("[::1]", 200), ("10.1.2.3:9797", 200), ("evil.test", 421), ("127.0.0.1.evil.test", 421)):
            statuses, _, text = talk(self.alertd.port, f"GET /-/healthy HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            self.assertEqual(statuses, [status], text)

    def test_bodies_have_ceilings(self):
        login = "/api/alertd/v1/login"
        reply = self.alertd.call("POST", login, b"{" + b" " * (256 * 1024), {"Content-Type": "application/json"})
        self.assertEqual(reply.status, 413)
        self.assertIn("262144", reply.json["error"])
        announced = b"POST /api/alertd/v1/login HTTP/1.1\r\n" + HOST + b"Content-Length: 1073741824\r\n\r\n"
        statuses, closed, text = talk(self.alertd.port, announced)
        self.assertEqual((statuses, closed), ([413], True), text)
        endless = b"POST /api/alertd/v1/login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 8 + b"0\r\n\r\n"
        statuses, _, text = talk(self.alertd.port, endless, 2)
        self.assertEqual(statuses, [413], text)

    def test_zipped_bodies_are_unzipped_up_to_the_ceiling(self):
        def login(body):
            return self.alertd.call("POST", "/api/alertd/v1/login", body, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
        self.assertEqual(login(gzip.compress(b'{"token":"' + self.alertd.token.encode() + b'"}')).status, 204)
        self.assertEqual(login(gzip.compress(b" " * (64 << 20))).status, 413)
        self.assertEqual(login(b"not gzip").status, 400)
        self.assertEqual(login(gzip.compress(b"{}")[:-4]).status, 400)
        self.assertEqual(login(gzip.compress(b"{}") + b"tail").status, 400)

    def test_answers_are_zipped_for_who_takes_it(self):
        for accepted, zipped in (("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("br", False)):
            reply = self.alertd.call("GET", "/metrics", headers={"Accept-Encoding": accepted})
            self.assertEqual(reply.headers.get("Content-Encoding") == "gzip", zipped, accepted)
            self.assertEqual(reply.headers["Vary"], "Accept-Encoding")
            text = gzip.decompress(reply.body) if zipped else reply.body
            self.assertIn(b"alertd_build_info", text)
        self.assertIsNone(self.alertd.call("GET", "/-/healthy", headers={"Accept-Encoding": "gzip"}).headers.get("Content-Encoding"))

    def test_forms_and_queries_that_are_malformed(self):
        for path in ("/metrics?a=%zz", "/metrics?a=%00", "/metrics?a=%"):
            self.assertEqual(self.alertd.call("GET", path).status, 400, path)
        for form, status in (("a=1&b=%20", 204), ("a=%zz", 400), ("a&" * 999 + "a", 204), ("a&" * 1000 + "a", 400)):
            reply = self.alertd.call("POST", "/api/alertd/v1/logout", form, {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual(reply.status, status, form[:20])

    def busy(self, n, seconds=2.0):
        """n connections that each send the next request when the answer is there; requests per second."""
        stop, counts, failures = time.monotonic() + seconds, [0] * 4, []

        def drive(number):
            selector = selectors.DefaultSelector()
            peers = []
            for _ in range(n // 4):
                peer = socket.create_connection(("127.0.0.1", self.alertd.port))
                peer.sendall(GET + b"\r\n")
                selector.register(peer, selectors.EVENT_READ)
                peers.append(peer)
            while time.monotonic() < stop:
                for key, _ in selector.select(0.2):
                    answer = key.fileobj.recv(4096)
                    if not answer.startswith(b"HTTP/1.1 200"):
                        failures.append(answer[:60])
                    counts[number] += 1
                    if b"Connection: close" in answer:  # each may ask a thousand times
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                        peers.append(socket.create_connection(("127.0.0.1", self.alertd.port)))
                        selector.register(peers[-1], selectors.EVENT_READ)
                        peers[-1].sendall(GET + b"\r\n")
                    else:
                        key.fileobj.sendall(GET + b"\r\n")
            for peer in peers:
                peer.close()

        threads = [threading.Thread(target=drive, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        return sum(counts) / seconds

    def test_exactly_128_and_256_busy_connections(self):
        """One epoll thread of this library falls to 5 to 70 requests a second at just these numbers."""
        for n in (64, 128, 192, 256):
            rate = self.busy(n)
            print(f"{n} busy connections: {rate:.0f} requests/s", file=sys.stderr)
            self.assertGreater(rate, 1000, n)

    def test_connections_of_one_peer_have_a_ceiling(self):
        peers = []
        try:
            for _ in range(520):
                peers.append(socket.create_connection(("127.0.0.1", self.alertd.port)))
            peers[0].sendall(GET + b"\r\n")
            peers[0].settimeout(20)
            self.assertTrue(peers[0].recv(100).startswith(b"HTTP/1.1 200"))  # who is in stays in

            def refused():
                n = 0
                for peer in peers[505:]:
                    peer.setblocking(False)
                    try:
                        n += peer.recv(1) == b""
                    except BlockingIOError:
                        pass
                    except OSError:
                        n += 1
                return n >= 5
            until(refused, 20, "connections past the ceiling are closed")
        finally:
            for peer in peers:
                peer.close()

        def answers_again():
            try:
                return self.alertd.call("GET", "/-/healthy").status == 200
            except OSError:  # still at the ceiling: not all of the closed ones are noticed yet
                return False
        until(answers_again, 20, "an answer after the others left")

    def test_slow_senders_are_cut_at_a_deadline(self):
        """A byte now and then is not silence, so only an absolute deadline ends it."""
        def drip(first, then, limit_s):
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", self.alertd.port)) as peer:
                peer.sendall(first)
                peer.settimeout(0.5)
                while time.monotonic() - began < limit_s:
                    try:
                        peer.sendall(then)
                        if peer.recv(100) == b"":
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break
                return time.monotonic() - began

        took = {}
        jobs = {
            "header": (b"GET /-/healthy HTTP/1.1\r\nX: ", b"a", 16),
            "body": (POST + b"Content-Length: 100000\r\n\r\n", b"a", 16),
        }
        threads = [threading.Thread(target=lambda n=name, j=job: took.__setitem__(n, drip(*j))) for name, job in jobs.items()]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            self.assertEqual(self.alertd.call("GET", "/-/healthy").status, 200)
            self.assertLess(time.monotonic() - began, 0.5)
            time.sleep(0.2)
        self.assertTrue(9 < took["header"] < 13, took)
        self.assertTrue(4 < took["body"] < 9, took)


class Streams(unittest.TestCase):
    def setUp(self):
        self.alertd = Alertd().start()

    def tearDown(self):
        self.alertd.close()

    def open(self, last_id=None):
        peer = socket.create_connection(("127.0.0.1", self.alertd.port))
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        peer.sendall(f"GET /api/alertd/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.alertd.token}\r\n{resume}\r\n".encode())
        peer.settimeout(5)
        return peer

    def read(self, peer, wanted, seconds=5):
        got, deadline = b"", time.monotonic() + seconds
        while wanted not in got:
            self.assertLess(time.monotonic(), deadline, got)
            some = peer.recv(4096)
            self.assertTrue(some, got)
            got += some
        return got

    def test_a_stream_opens_at_once_and_ends_with_the_daemon(self):
        peer = self.open()
        head = self.read(peer, b"retry: 2000")
        self.assertIn(b"Content-Type: text/event-stream", head)
        self.assertEqual(self.alertd.stop(), 0)
        rest = b""
        while some := peer.recv(4096):
            rest += some
        self.assertTrue(rest.endswith(b"0\r\n\r\n"), rest)  # the last chunk: ended, not torn
        peer.close()

    def test_who_fell_behind_is_told(self):
        peer = self.open(last_id=1)
        self.assertIn(b"event: lost", self.read(peer, b"event: lost"))
        peer.close()

    def test_streams_have_a_ceiling_and_leave_it_when_they_go(self):
        peers = [self.open() for _ in range(64)]
        for peer in peers:
            self.read(peer, b"retry:")
        self.assertEqual(self.alertd.call("GET", "/api/alertd/v1/events").status, 429)
        metrics = self.alertd.call("GET", "/metrics").text
        self.assertIn("alertd_sse_clients 64\n", metrics)
        for peer in peers:
            peer.close()
        self.alertd.stop()

    def test_heartbeats_keep_it_open(self):
        peer = self.open()
        self.read(peer, b"retry:")
        peer.settimeout(20)
        self.read(peer, b":\n\n", 20)
        peer.close()


class WireLimit(unittest.TestCase):
    def test_a_push_may_be_as_large_as_the_flag_says(self):
        for flags, sizes in ((["--limit.wire-body-bytes=256KB"], ((250_000, 204), (270_000, 413))),
                             (["--limit.wire-body-bytes=40MB", "--limit.body-bytes=64MB", "--limit.samples-per-body=10000000"], ((36_000_000, 204), (43_000_000, 413)))):
            with Alertd(flags=flags) as alertd:
                for size, status in sizes:
                    body = b"a 1\n" + b"# comment\n" * ((size - 4) // 10)
                    try:
                        answer = alertd.call("POST", "/api/v1/import/prometheus", body, {"Content-Type": "text/plain"}).status
                    except OSError:  # it answers before the body is out, and hangs up
                        answer = 413
                    self.assertEqual(answer, status, (flags, size))
        for wrong in ("1KB", "129MB", "0", "many"):
            alertd = Alertd(flags=[f"--limit.wire-body-bytes={wrong}"])
            self.addCleanup(alertd.close)
            with self.assertRaisesRegex(AssertionError, "limit.wire-body-bytes"):
                alertd.start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
