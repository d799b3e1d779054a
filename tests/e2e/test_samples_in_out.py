"""History in and out: alertctl import prometheus, import openmetrics and export openmetrics
against real alertds, against a server that misbehaves on purpose, and against Prometheus and
VictoriaMetrics where they are (WATCHBILL_PEERS)."""

import gzip
import http.server
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTCTL, ROOT, Alertd, Program, free_port, request, until
from peer_programs import peer, peers_folder
from remote_write import decode

HOUR = 3600
NOW = int(time.time())
DAY_START = NOW // 86400 * 86400 - 3 * 86400  # three days ago: older than a push may be
HISTORY = "/api/alertd/v1/samples/history"


class Folder(unittest.TestCase):
    """A folder of its own, where the resume files go too."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def env(self, alertd, token=None):
        url = alertd if isinstance(alertd, str) else alertd.url
        token = token or ("" if isinstance(alertd, str) or alertd.auth == "off" else alertd.token)
        return {**os.environ, "NO_COLOR": "1", "XDG_STATE_HOME": str(self.folder / "state"), "ALERTD_URL": url, "ALERTD_TOKEN": token}

    def ctl(self, alertd, *arguments, status=0, stdin=None, token=None):
        done = subprocess.run([ALERTCTL, *map(str, arguments)], capture_output=True, text=True, input=stdin,
                              env=self.env(alertd, token), cwd=ROOT, timeout=100, check=False)
        self.assertEqual(done.returncode, status, f"{arguments}:\n{done.stdout}{done.stderr}")
        return done

    def counts(self, *arguments, **options):
        """What an import says with --json: stored, duplicate, refused."""
        told = json.loads(self.ctl(*arguments, "--json", **options).stdout)
        return told["stored"], told["duplicate"], told["refused"]

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def exported(self, alertd, *selectors, url=None):
        path = self.folder / "exported"
        self.ctl(alertd, "export", "openmetrics", *(f"--match={one}" for one in selectors), "--from=30d",
                 f"--output={path}", *([f"--url={url}"] if url else []))
        return path.read_text()

    def resume_files(self):
        return list((self.folder / "state").rglob("*.json"))

    def alertd(self, **options):
        daemon = Alertd(**options)
        self.addCleanup(daemon.close)
        return daemon.start()


def lines(n_series, n_samples, start=DAY_START, step=15, name="m"):
    """Sorted as an export writes them."""
    return [f'{name}{{s="{s:03}"}} {s * 1000 + t} {start + t * step}.{s % 10:03}' for s in range(n_series) for t in range(n_samples)]


def text_of(all_lines):
    return "".join(line + "\n" for line in all_lines) + "# EOF\n"


ODD = [
    f'{{"a name","b-c"="d é"}} 5e-324 {DAY_START}.001',
    f'odd 1 {DAY_START - 1}.999',
    f'odd 2 {DAY_START}.000',
    f'odd 3 {DAY_START}.001',
    f'odd{{a="x\\"y\\\\z\\n"}} -0 {DAY_START + HOUR}.000',
    f'odd{{a="x\\"y\\\\z\\n"}} NaN {DAY_START + HOUR}.001',
    f'odd{{a="x\\"y\\\\z\\n"}} -Inf {DAY_START + HOUR}.002',
    f'odd{{a="x\\"y\\\\z\\n"}} 1.7976931348623157e+308 {DAY_START + HOUR}.003',
    f'odd{{a="x\\"y\\\\z\\n"}} 0.1 {DAY_START + HOUR}.004',
]


class BetweenAlertds(Folder):
    def test_what_went_out_comes_in_the_same(self):
        first, second = self.alertd(), self.alertd(auth="off")
        text = text_of(ODD[:1] + lines(12, 500) + ODD[1:])
        path = self.write("in.om", text)
        n = text.count("\n") - 1
        self.assertEqual(self.counts(first, "import", "openmetrics", path), (n, 0, 0))
        self.assertEqual(self.counts(first, "import", "openmetrics", path), (0, n, 0))
        self.assertEqual(self.counts(first, "import", "openmetrics", "-", stdin=text), (0, n, 0))
        self.assertEqual(self.resume_files(), [])
        out = self.exported(first, "m", '{__name__="a name"}', "odd", "{a!='', __name__='odd'}")
        self.assertEqual(out, text)
        self.assertEqual(self.counts(second, "import", "openmetrics", "-", stdin=out), (n, 0, 0))
        self.assertEqual(self.exported(second, '{__name__=~"m|odd|a name"}'), text)

    def test_from_server_to_server(self):
        """Borders on whole hours and a millisecond beside them: nothing lost, nothing twice."""
        first, second = self.alertd(auth="off"), self.alertd()
        borders = [f"b {k} {DAY_START + HOUR * (k // 3) + (-1 if k % 3 == 0 else 0)}.{('999', '000', '001')[k % 3]}" for k in range(75)]
        all_lines = borders + lines(3, 5000)
        self.counts(first, "import", "openmetrics", "-", stdin=text_of(all_lines))
        whole = ("import", "prometheus", f"--url={first.url}", "--match=b", '--match={s!=""}', f"--from={DAY_START - HOUR}",
                 f"--to={DAY_START + 30 * HOUR}")
        self.assertEqual(self.counts(second, *whole), (len(all_lines), 0, 0))
        self.assertEqual(self.counts(second, *whole), (0, len(all_lines), 0))
        self.assertEqual(self.exported(second, "b", "m"), text_of(all_lines))
        self.assertEqual(second.get("/api/alertd/v1/agents")["agents"], [])

        third = self.alertd()  # both ends are within
        exact = (*whole[:3], "--match=b", f"--from={DAY_START}", f"--to={DAY_START + HOUR}.000")
        self.assertEqual(self.counts(third, *exact), (4, 0, 0))
        self.assertEqual(self.exported(third, "b"), text_of(borders[1:5]))

    def test_history_is_the_admins(self):
        alertd = self.alertd()
        old = alertd.call("POST", f"/api/v1/import/prometheus?timestamp={DAY_START * 1000}", "x 1\n").text
        when = time.strftime("%Y-%m-%dT00:00:00.000Z", time.gmtime(DAY_START))
        self.assertIn(f"1 of 1 samples refused (1 too old); first: too old (more than 24 h): x at {when}", old)
        path = self.write("in.om", text_of(lines(1, 3)))
        done = self.ctl(alertd, "import", "openmetrics", path, status=1, token=alertd.make_token("p", "push"))
        self.assertIn("scope admin", done.stderr)
        self.assertEqual(alertd.call("POST", HISTORY, b"x", {"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(alertd.call("POST", HISTORY, b"\xff", {"Content-Type": "application/x-protobuf"}).status, 400)

    def test_what_the_retention_drops_is_refused_and_counted(self):
        alertd = self.alertd(flags=["--storage.retention.time=4d"])
        text = text_of([f"x 1 {NOW - 5 * 86400}", f"x 2 {NOW - 3 * 86400}", f"x 3 {NOW + HOUR}"])
        done = self.ctl(alertd, "import", "openmetrics", "-", stdin=text, status=1)
        self.assertIn("1 samples stored, 0 were there already, 2 refused", done.stdout)
        self.assertIn("1 too old, 1 too far ahead", done.stderr)


    def test_what_was_lost_since_comes_again(self):
        """No import is taken for one of before: what it stored then need not be there any more, nor be refused any more."""
        daemon = self.alertd(flags=["--storage.retention.time=10d"])
        path = self.write("in.om", text_of(lines(3, 1000, start=DAY_START) + lines(2, 5, start=DAY_START - 30 * 86400, name="old")))
        self.assertEqual(self.counts(daemon, "import", "openmetrics", path, status=1), (3000, 0, 10))
        self.assertEqual(self.counts(daemon, "import", "openmetrics", path, status=1), (0, 3000, 10))
        daemon.stop()
        for file in (daemon.folder / "samples").glob(f"{time.strftime('%Y-%m-%d', time.gmtime(DAY_START))}.db*"):
            file.unlink()
        daemon.flags = ["--storage.retention.time=90d"]
        daemon.start()
        self.assertEqual(self.counts(daemon, "import", "openmetrics", path), (3010, 0, 0))


class Texts(Folder):
    def test_a_mistake_has_its_place_and_stores_nothing(self):
        alertd = self.alertd()
        good = lines(40, 1500)  # several pieces
        cases = (
            (text_of([*good, 'm{s="x} 1 1']), f":{len(good) + 1}:", "the closing quote", ()),
            (text_of([*good, "m 1"]), f":{len(good) + 1}:1: ", "no time stamp", ()),
            (text_of([*good, f"m 1 {NOW}000"]), f":{len(good) + 1}:1: ", "--format=prometheus", ()),
            ("\n".join(good) + "\n", f":{len(good) + 1}:1: ", "# EOF", ()),
            ("x 1 1.5\n", ":1:5: ", "milliseconds, got '1.5'", ("--format=prometheus",)),
            ("x 1 1\r\n# EOF\n", ":1:5: ", "seconds, got '1\\r'", ()),
        )
        for text, place, words, options in cases:
            with self.subTest(words):
                path = self.write("in.om", text)
                done = self.ctl(alertd, "import", "openmetrics", path, *options, status=1)
                self.assertIn(f"{path}{place}", done.stderr)
                self.assertIn(words, done.stderr)
                self.assertIn("nothing of it is stored", done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertEqual(self.exported(alertd, "m"), "# EOF\n")
        self.assertIn("no.such", self.ctl(alertd, "import", "openmetrics", "no.such", status=1).stderr)

    def test_what_is_packed_is_told_how_to_be_read(self):
        alertd = self.alertd()
        path = self.folder / "in.om.gz"
        path.write_bytes(gzip.compress(text_of(lines(1, 3)).encode()))
        done = self.ctl(alertd, "import", "openmetrics", path, status=1)
        self.assertIn(f"{path} is packed by gzip: gunzip -c {path} | alertctl import openmetrics -", done.stderr)

    def test_nothing_is_said_to_be_stored_where_nothing_is(self):
        alertd = self.alertd()
        for text in ("", "x 1\n# EOF\n"):
            done = self.ctl(alertd, "import", "openmetrics", "-", stdin=text, status=1)
            self.assertIn("nothing of it is stored", done.stderr)
        self.assertIn("nothing of it is stored", self.ctl(alertd, "import", "openmetrics", self.folder, status=1).stderr)
        gone = f"http://127.0.0.1:{free_port()}"
        done = self.ctl(alertd, "import", "prometheus", f"--url={gone}", "--match=m", "--from=1h", status=1)
        self.assertIn("nothing of it is stored", done.stderr)

    def test_prometheus_text_has_milliseconds(self):
        alertd = self.alertd()
        text = f"# TYPE x counter\nx 1 {DAY_START}123\n\nx 2 {DAY_START}124"
        self.assertEqual(self.counts(alertd, "import", "openmetrics", self.write("in.txt", text), "--format=prometheus"), (2, 0, 0))
        self.assertEqual(self.exported(alertd, "x"), f"x 1 {DAY_START}.123\nx 2 {DAY_START}.124\n# EOF\n")


class Stub:
    """A server with Prometheus' query API over one series with a sample each 60 s, closed at the
    left end as Prometheus 2 was, and an alertd's history; both told how to misbehave."""

    def __init__(self, case):
        self.asked, self.batches, self.answers = [], [], []
        self.most_s = 10 * HOUR
        self.hold_at = None       # of questions or batches: this one and those behind it wait
        self.held = threading.Event()
        self.release = threading.Event()
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = stub.batches if self.path == HISTORY else stub.asked
                if stub.hold_at is not None and len(kind) >= stub.hold_at[self.path == HISTORY]:
                    stub.held.set()
                    stub.release.wait()
                    self.close_connection = True
                    return
                status, answer = stub.history(self, body) if self.path == HISTORY else stub.query(body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                if status == 503:
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        case.addCleanup(self.close)

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def query(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        length, end = int(re.fullmatch(r"m\[(\d+)s\]", form["query"])[1]), int(form["time"])
        if length > self.most_s:
            return 422, {"status": "error", "errorType": "execution", "error": "too many samples for me"}
        self.asked.append((end - length, end))
        values = [[t, str(t)] for t in range(end - length, end + 1) if t % 60 == 0]
        return 200, {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "m"}, "values": values}]}}

    def history(self, call, body):
        if self.answers:
            return self.answers.pop(0)
        batch = [t_ms // 1000 for _, _, t_ms in decode(body)[0]]
        self.batches.append(batch)
        return 200, {"stored": len(batch), "duplicate": 0, "refused": 0, "replayed": False, "words": ""}

    def times(self):
        return [t for batch in self.batches for t in batch]


class Misbehaving(Folder):
    def import_from(self, stub, *more, hours=10):
        return ("import", "prometheus", f"--url={stub.url}", "--match=m", f"--from={DAY_START}", f"--to={DAY_START + hours * HOUR}", *more)

    def test_a_server_that_takes_less_is_asked_for_less(self):
        stub = Stub(self)
        stub.most_s = 700
        self.assertEqual(self.counts(stub.url, *self.import_from(stub, "--step-hours=5")), (601, 0, 0))
        self.assertEqual(stub.times(), list(range(DAY_START, DAY_START + 10 * HOUR + 1, 60)))
        self.assertEqual(stub.asked[0][0], DAY_START - 1)
        for (_, before), (after, _) in zip(stub.asked, stub.asked[1:]):
            self.assertEqual(before, after)
        self.assertGreater(max(end - start for start, end in stub.asked), 350)

        stub.most_s = 0
        done = self.ctl(stub.url, *self.import_from(stub), status=1)
        self.assertIn("too many samples for me", done.stderr)
        self.assertRegex(done.stderr, r"m from \S+Z to \S+Z: http://127")

    def test_killed_in_the_middle_it_goes_on(self):
        stub = Stub(self)
        command = self.import_from(stub)
        stub.hold_at = (6, 1000)
        process = subprocess.Popen([ALERTCTL, *command], env=self.env(stub.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(stub.held.wait(30))
        noted = stub.asked[-1][1]
        until(lambda: any(json.loads(path.read_text())["position"] == noted * 1000 for path in self.resume_files()), what="the last answer is noted")
        process.kill()
        process.wait()
        stub.hold_at = None
        stub.asked.clear()
        done = self.ctl(stub.url, *command)
        self.assertIn("goes on at", done.stderr)
        self.assertEqual(stub.asked[0][0], noted)
        self.assertEqual(stub.times(), list(range(DAY_START, DAY_START + 10 * HOUR + 1, 60)))
        self.assertIn("601 samples stored", done.stdout)
        self.assertEqual(self.resume_files(), [])

    def test_the_next_answer_is_fetched_while_one_is_written(self):
        stub = Stub(self)
        stub.hold_at = (1000, 2)
        process = subprocess.Popen([ALERTCTL, *self.import_from(stub)], env=self.env(stub.url), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertTrue(stub.held.wait(30))
        until(lambda: len(stub.asked) == 4, what="one is written, the next came")
        time.sleep(0.5)
        self.assertEqual((len(stub.asked), len(stub.batches)), (4, 2))  # and no more
        stub.hold_at = None
        stub.release.set()  # closed without an answer: it is sent again
        self.assertIn("601 samples stored", process.communicate(timeout=30)[0])
        self.assertEqual(stub.times(), list(range(DAY_START, DAY_START + 10 * HOUR + 1, 60)))

    def test_a_text_goes_on_behind_what_is_stored(self):
        stub = Stub(self)
        path = self.write("in.om", text_of(lines(80, 2000)))
        resume = self.folder / "here.json"
        command = ("import", "openmetrics", path, f"--resume={resume}")
        stub.hold_at = (0, 6)
        process = subprocess.Popen([ALERTCTL, *map(str, command)], env=self.env(stub.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(stub.held.wait(30))
        process.kill()
        process.wait()
        noted = json.loads(resume.read_text())
        self.assertEqual(noted["stored"], noted["lines"])
        self.assertGreater(noted["lines"], 0)
        before = len(stub.times())
        stub.hold_at = None
        stub.batches.clear()
        self.assertEqual(self.counts(stub.url, *command), (160000, 0, 0))
        self.assertEqual(len(stub.times()), 160000 - noted["lines"])
        self.assertGreaterEqual(before, noted["lines"])
        self.assertFalse(resume.exists())

        resume.write_text(json.dumps(noted))
        other = self.write("other.om", text_of(lines(1, 1)))
        done = self.ctl(stub.url, "import", "openmetrics", other, f"--resume={resume}", status=1)
        self.assertIn("is of another import", done.stderr)

    def test_later_is_waited_for_and_no_is_no(self):
        stub = Stub(self)
        stub.answers = [(503, {"error": "full"}), (429, {"error": "slow"}), (503, {"error": "full"})]
        path = self.write("in.om", text_of(lines(1, 3)))
        self.assertEqual(self.counts(stub.url, "import", "openmetrics", path), (3, 0, 0))
        stub.answers = [(409, {"error": "stored with another body"})]
        self.assertIn("409: stored with another body", self.ctl(stub.url, "import", "openmetrics", path, status=1).stderr)
        stub.answers = [(200, {"what": 1})]
        self.assertIn("no alertd", self.ctl(stub.url, "import", "openmetrics", path, status=1).stderr)

    def test_usage(self):
        for arguments in (("import", "prometheus", "--match=m", "--from=1d"), ("import", "prometheus", "--url=http://x", "--from=1d"),
                          ("import", "prometheus", "--url=http://x", "--match=m"), ("import", "prometheus", "rules.yml"),
                          ("import", "prometheus", "--url=http://x", "--match=m", "--from=yesterday"),
                          ("import", "prometheus", "--url=http://x", "--match=m", "--from=1d", "--step-hours=0"),
                          ("import", "openmetrics", "x", "--format=json"), ("export", "openmetrics", "--from=1d"),
                          ("export", "openmetrics", "--match=m", "--from=1d", "--to=2d")):
            with self.subTest(arguments):
                self.assertTrue(self.ctl("http://127.0.0.1:1", *arguments, status=2).stderr)
        self.assertIn("import rules FILE", self.ctl("http://127.0.0.1:1", "import", "prometheus", "rules.yml", status=2).stderr)

    def test_a_bar_on_a_terminal_and_lines_elsewhere(self):
        stub = Stub(self)
        plain = self.ctl(stub.url, *self.import_from(stub)).stderr
        self.assertNotRegex(plain, "[\r\x1b]")
        self.assertRegex(plain, r"import: 100 %  \S+Z  601 samples\n$")
        ours, theirs = pty.openpty()
        subprocess.run([ALERTCTL, *self.import_from(stub)], stderr=theirs, stdout=subprocess.DEVNULL, env=self.env(stub.url), check=True, timeout=60)
        os.close(theirs)
        self.assertRegex(os.read(ours, 65536).decode(), r"^\r\x1b\[\?7limport  \[-{20}\]    0 %  \S+Z  0 samples")
        os.close(ours)


def field(number, data):
    return bytes([number << 3 | 2]) + length(len(data)) + data


def length(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def snappy(data):
    return length(len(data)) + b"".join(b"\xf4" + struct.pack("<H", len(part) - 1) + part for part in
                                        (data[at:at + 60000] for at in range(0, len(data), 60000)))


class SecondVersion(Folder):
    """Remote write 2.0 by hand: what a sender is told."""

    V2 = {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request", "Content-Encoding": "snappy"}

    def body(self, *more):
        symbols = b"".join(field(4, text) for text in (b"", b"__name__", b"two_total", b"Help of it."))
        sample = field(2, b"\x09" + struct.pack("<d", 1.5) + b"\x10" + length(NOW * 1000))
        return snappy(symbols + field(5, field(1, b"\1\2") + sample + field(5, b"\x08\1\x18\3") + b"".join(more)))

    def test_samples_and_metadata_come_in(self):
        alertd = self.alertd()
        for _ in range(2):  # a repetition is answered the same
            reply = alertd.call("POST", "/api/v1/write", self.body(), self.V2)
            self.assertEqual(reply.status, 204, reply)
            self.assertEqual({kind: reply.headers[f"X-Prometheus-Remote-Write-{kind}-Written"] for kind in ("Samples", "Histograms", "Exemplars")},
                             {"Samples": "1", "Histograms": "0", "Exemplars": "0"})
        self.assertEqual(list(alertd.query("two_total").values()), [1.5])
        told = alertd.get("/api/v1/metadata?metric=two_total")["data"]["two_total"]
        self.assertEqual(told, [{"type": "counter", "help": "Help of it.", "unit": ""}])

    def test_what_it_does_not_take(self):
        alertd = self.alertd()
        reply = alertd.call("POST", "/api/v1/write", self.body(field(3, b"")), self.V2)
        self.assertEqual(reply.status, 400)
        self.assertIn("native histograms", reply.text)
        self.assertEqual(reply.headers["X-Prometheus-Remote-Write-Samples-Written"], "1")
        for proto, status in (("io.prometheus.write.v3.Request", 415), ("io.prometheus.write.v2.Requests", 415),
                              ("prometheus.WriteRequest", 400), ("io.prometheus.write.v2.Request;x=y", 204)):
            with self.subTest(proto):
                headers = {**self.V2, "Content-Type": f"application/x-protobuf;proto={proto}"}
                self.assertEqual(alertd.call("POST", "/api/v1/write", self.body(), headers).status, status)
        self.assertEqual(alertd.call("POST", "/api/v1/write", self.body(), {**self.V2, "Content-Encoding": "gzip"}).status, 400)


class Prometheus(Program):
    name = "prometheus"

    def __init__(self, program, blocks, flags=(), config="global: {}\n"):
        super().__init__()
        self.program, self.blocks, self.flags, self.port = program, blocks, flags, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.folder / "p.yml").write_text(config)

    def command(self):
        return [self.program, f"--config.file={self.folder}/p.yml", f"--storage.tsdb.path={self.blocks}",
                "--storage.tsdb.retention.time=100d", f"--web.listen-address=127.0.0.1:{self.port}", *self.flags]


class VictoriaMetrics(Program):
    name = "victoria-metrics"

    def __init__(self, program):
        super().__init__()
        self.program, self.port = program, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self):
        return [self.program, f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=1y"]


def answers(url):
    try:
        return request("GET", url, timeout=2).status == 200
    except OSError:
        return False


class Peers(Folder):
    def test_all_of_a_prometheus(self):
        program, promtool = peer("prometheus"), peer("promtool")
        if not program or not promtool:
            self.skipTest("prometheus and promtool are not here (set WATCHBILL_PEERS)")
        text = text_of(lines(20, 3000) + ODD[1:])
        path, blocks = self.write("in.om", text), self.folder / "blocks"
        subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", path, blocks], check=True, capture_output=True)
        with Prometheus(program, blocks, flags=["--query.max-samples=3000"]) as server:
            until(lambda: answers(server.url + "/-/ready"), what="Prometheus is ready")
            alertd = self.alertd()
            told = self.counts(alertd, "import", "prometheus", f"--url={server.url}", "--match=m", "--match=odd", "--from=10d")
            self.assertEqual(told, (text.count("\n") - 1, 0, 0))
            self.assertEqual(self.exported(alertd, "m", "odd"), text)
            self.assertEqual(self.exported(alertd, "m", "odd", url=server.url), text)
            done = self.ctl(alertd, "import", "prometheus", f"--url={server.url}", "--match=m{", "--from=10d", status=1)
            self.assertIn("parse error", done.stderr)

    def test_a_prometheus_sends_version_2(self):
        program = peer("prometheus")
        if not program:
            self.skipTest("prometheus is not here (set WATCHBILL_PEERS)")
        alertd = self.alertd()
        config = f"""
scrape_configs:
  - job_name: itself
    scrape_interval: 1s
    static_configs: [{{targets: ["PORT"]}}]
remote_write:
  - url: {alertd.url}/api/v1/write
    protobuf_message: io.prometheus.write.v2.Request
    authorization: {{credentials: {alertd.token}}}
    queue_config: {{batch_send_deadline: 1s}}
"""
        server = Prometheus(program, self.folder / "data", flags=["--enable-feature=metadata-wal-records"])
        (server.folder / "p.yml").write_text(config.replace("PORT", f"127.0.0.1:{server.port}"))
        with server:
            sent = 'sum(prometheus_remote_storage_samples_total{job="itself"})'
            until(lambda: alertd.query(sent) and alertd.query(sent)[()] > 500, seconds=60, what="samples over remote write 2.0")
            failed = alertd.query('sum({__name__=~"prometheus_remote_storage_(samples|metadata)_(failed|dropped)_total"})')
            self.assertEqual(list(failed.values()), [0])
            told = until(lambda: alertd.get("/api/v1/metadata?metric=go_goroutines")["data"], what="metadata of a family")
            self.assertEqual(told["go_goroutines"][0]["type"], "gauge")
            at = int(time.time())
            for expression in ("go_info", "scrape_samples_scraped", "prometheus_http_requests_total"):
                until(lambda: self.same(alertd.url, server.url, alertd.token, expression, at), what=f"{expression} as Prometheus has it")
            self.assertNotIn("level=ERROR", server.log())

    @staticmethod
    def same(ours, theirs, token, expression, at):
        """At one instant, and not nothing."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression, "time": at})
        vectors = [request("GET", url + path, headers={"Authorization": f"Bearer {token}"}).json["data"]["result"] for url in (ours, theirs)]
        one, other = (sorted(vector, key=lambda series: sorted(series["metric"].items())) for vector in vectors)
        return one and one == other

    def test_all_of_a_victoriametrics(self):
        """It keeps no NaN and no -0, and rounds large numbers: those are not asked back."""
        # one that happens to be installed may be old: 1.79 rounds where 1.145 does not
        program = peer("victoria-metrics") if peers_folder() else None
        if not program:
            self.skipTest("victoria-metrics is not here (set WATCHBILL_PEERS)")
        wanted = lines(20, 3000) + [line for line in ODD[1:] if not re.search(r" (NaN|-0|.*e\+308) ", line)]
        with VictoriaMetrics(program) as server:
            until(lambda: answers(server.url + "/health"), what="VictoriaMetrics is ready")
            in_ms = "".join(re.sub(r"\.(\d+)$", r"\1", line) + "\n" for line in wanted)
            self.assertEqual(request("POST", server.url + "/api/v1/import/prometheus", in_ms).status, 204)
            request("GET", server.url + "/internal/force_flush")
            alertd = self.alertd()
            told = self.counts(alertd, "import", "prometheus", f"--url={server.url}", "--match=m", "--match=odd", "--from=10d")
            self.assertEqual(told, (len(wanted), 0, 0))
            self.assertEqual(self.exported(alertd, "m", "odd"), text_of(wanted))


if __name__ == "__main__":
    unittest.main(verbosity=2)
