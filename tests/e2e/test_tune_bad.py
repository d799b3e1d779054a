"""alertctl tune over pasts that are not what one hoped for: a server that dies in the middle, no data, a million series; and the tuner's
page when whoever asked has gone. Words, an exit status, bounded memory, nothing on the output that looks like a result."""

import http.server
import json
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTCTL, Alertd, alertctl, until

RULES = """groups:
- name: shop
  interval: 15s
  rules:
  - alert: Slow
    expr: latency_seconds > 2
    for: 1m
"""
MILLION = 1_000_000
MEMORY_BYTES = 2 << 30
DAYS = 30


class Dying(http.server.BaseHTTPRequestHandler):
    """Speaks query_range, and query for samples, for so many questions; then its connections end without an answer, or in the middle of one."""

    def answer(self):
        self.server.n_asked += 1
        length = int(self.headers.get("Content-Length", 0))
        form = urllib.parse.parse_qs(self.rfile.read(length).decode() if length else urllib.parse.urlparse(self.path).query)
        if "step" in form:
            start, end, step = (float(form[name][0]) for name in ("start", "end", "step"))
        else:
            end, step = float(form["time"][0]), 15
            start = (end - int(form["query"][0].rsplit("[", 1)[1].rstrip("s]"))) // step * step + step
        values = []
        at = start
        while at <= end:
            values.append([at, str(1 + 3 * (int(at) // 900 % 4 == 0))])
            at += step
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "latency_seconds", "job": "a"}, "values": values}]}}).encode()
        if self.server.n_asked > self.server.n_good:
            if self.server.n_asked % 2:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:len(body) // 2])
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class BadPasts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        (cls.folder / "rules.yml").write_text(RULES)

    def serve(self, n_good):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dying)
        server.n_good, server.n_asked = n_good, 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_a_server_that_dies_half_way(self):
        whole = self.serve(10**6)
        to_s = int(time.time()) // 60 * 60
        common = ["tune", self.folder / "rules.yml", f"--from={to_s - 5 * 86400}", f"--to={to_s}", "--json"]
        json.loads(alertctl(*common, f"--url=http://127.0.0.1:{whole.server_port}").stdout)
        self.assertGreater(whole.n_asked, 3, "there is a middle to die in")
        for n_good in range(whole.n_asked):
            with self.subTest(n_good):
                server = self.serve(n_good)
                done = alertctl(*common, f"--url=http://127.0.0.1:{server.server_port}", check=False)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"127.0.0.1:{server.server_port}", done.stderr)

    def test_a_server_that_dies_in_what_is_asked_besides(self):
        """Faults, a unit test, the samples that come late, a diff: no result, and no half of a file."""
        to_s = int(time.time()) // 60 * 60
        test, new = self.folder / "made_test.yml", self.folder / "new.yml"
        new.write_text(RULES.replace("> 2", "> 3"))
        common = [f"--from={to_s - 2 * 86400}", f"--to={to_s}"]
        asked = ((["tune", self.folder / "rules.yml", "--alone", "--faults"], "Of 100 outages"),
                 (["tune", self.folder / "rules.yml", "--alone", f"--write-test={test}"], "A unit test of it"),
                 (["tune", self.folder / "rules.yml", "--alone", "--ingest-lag=30s"], "As it is"),
                 (["tune", "diff", self.folder / "rules.yml", new], "pages in 2 d"))
        for arguments, words in asked:
            with self.subTest(arguments[2]):
                whole = self.serve(10**6)
                self.assertIn(words, alertctl(*arguments, *common, f"--url=http://127.0.0.1:{whole.server_port}").stdout)
                test.unlink(missing_ok=True)
                for n_good in sorted({0, 1, whole.n_asked // 2, whole.n_asked - 1}):
                    server = self.serve(n_good)
                    done = alertctl(*arguments, *common, f"--url=http://127.0.0.1:{server.server_port}", check=False)
                    self.assertEqual((done.returncode, done.stdout), (1, ""), n_good)
                    self.assertIn(f"127.0.0.1:{server.server_port}", done.stderr)
                    self.assertFalse(test.exists())

    def test_a_range_without_data(self):
        text = self.folder / "old.txt"
        text.write_text("".join(f"latency_seconds 9 {1700000000 + i * 15}\n" for i in range(100)) + "# EOF\n")
        done = alertctl("tune", self.folder / "rules.yml", f"--openmetrics={text}", "--from=2024-01-01T00:00:00Z", "--to=2024-01-02T00:00:00Z")
        self.assertIn("Nothing of it has a value", done.stdout)

    def test_a_million_series(self):
        """For real: they are read and refused in words, within a memory that a limit holds."""
        text = self.folder / "million.txt"
        with open(text, "w") as out:
            for i in range(MILLION):
                out.write(f'latency_seconds{{i="{i}"}} 9 1700000000\n')
            out.write("# EOF\n")
        done = subprocess.run([ALERTCTL, "tune", str(self.folder / "rules.yml"), f"--openmetrics={text}", "--from=2023-11-14T22:13:00Z", "--to=2023-11-14T22:20:00Z"],
                              capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)))
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr[-300:])
        self.assertIn("more than 100000 series: ask for fewer by a label", done.stderr)

    def test_whoever_leaves_makes_room(self):
        """Two are answered at once, four wait. All ask for what takes long and leave: the seventh is answered, long before their deadline."""
        alertd = Alertd(auth="off", flags=["--storage.retention.time=60d", "--query.max-concurrency=20"])
        self.addCleanup(alertd.close)
        alertd.start()
        now_s = int(time.time())
        alertd.push("\n".join(f'latency_seconds{{i="{i}"}} {k} {(now_s - k * 3600) * 1000}' for i in range(3000) for k in range(1, 11)))
        heavy = {"yaml": "- alert: Heavy\n  expr: max_over_time(latency_seconds[40d]) > 1e9\n", "interval_ms": 1000}
        body = json.dumps(heavy).encode()
        host, port = urllib.parse.urlparse(alertd.url).netloc.split(":")
        asking = []
        for _ in range(6):
            one = socket.create_connection((host, int(port)))
            one.sendall(b"POST /api/alertd/v1/tunings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            asking.append(one)
        light = {"yaml": "- alert: Light\n  expr: nothing_is_called_so > 3\n"}
        time.sleep(0.5)  # they come first: a question that is over at once must not take the place of one
        until(lambda: alertd.call("POST", "/api/alertd/v1/tunings/episodes", light).status == 503, 20, "no place is left")
        for one in asking:
            one.close()
        until(lambda: alertd.call("POST", "/api/alertd/v1/tunings/episodes", light).status == 200, 20, "they left")


if __name__ == "__main__":
    unittest.main()
