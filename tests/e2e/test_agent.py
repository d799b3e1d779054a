"""alert-agent as a process, against real sockets, a server that misbehaves, and kill -9."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERT_AGENT, Agent, free_port, until
from remote_write import Receiver

FAST = "interval: 200ms, timeout: 200ms"


def config(receiver, probes="", push="", spool="", more=""):
    return f"""
agent: web-1
labels: {{env: test}}
push: {{url: "{receiver.url}", interval: 200ms, timeout: 1s, {push}}}
spool: {{path: "{{folder}}/spool", {spool}}}
{more}
probes:
{probes or '  - {name: host, kind: host, ' + FAST + '}'}
"""


class Web:
    """A server to be watched; `handler` is the do_GET."""

    def __init__(self, get):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            do_GET = do_POST = do_HEAD = get

            def log_message(self, *_):
                pass

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def once(text, folder):
    """`--once` with this config; returns (stdout, stderr, status)."""
    path = pathlib.Path(folder) / "once.yml"
    path.write_text(text)
    done = subprocess.run([ALERT_AGENT, f"--config.file={path}", "--once"], capture_output=True, text=True, timeout=30)
    return done.stdout, done.stderr, done.returncode


def value_of(text, name, **labels):
    for line in text.splitlines():
        if re.match(rf"{name}(\{{| )", line) and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return None


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Push(unittest.TestCase):
    def test_batches_arrive_with_who_and_which(self):
        with Receiver() as receiver, Agent(config(receiver, push="token: sesame, headers: {X-Scope-OrgID: blue}")) as agent:
            until(lambda: len(receiver.batches) >= 4, 10, "four batches")
            self.assertEqual(agent.stop(3), 0)
        for batch in receiver.batches:
            self.assertEqual(batch.headers["X-Watchbill-Agent"], "web-1")
            self.assertEqual(batch.headers["X-Watchbill-Interval"], "200")
            self.assertEqual(batch.headers["Content-Encoding"], "snappy")
            self.assertEqual(batch.headers["X-Prometheus-Remote-Write-Version"], "0.1.0")
            self.assertEqual(batch.headers["Authorization"], "Bearer sesame")
            self.assertEqual(batch.headers["X-Scope-OrgID"], "blue")
        found = [sequence for _, sequence in receiver.ids()]
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(found[0], 1)
        self.assertEqual(len({epoch for epoch, _ in receiver.ids()}), 1)
        self.assertTrue(receiver.find("node_load1", instance="web-1", job="node", env="test"))
        self.assertEqual(receiver.find("probe_success", probe="host", agent="web-1")[0][0], 1)
        self.assertTrue(receiver.find("alert_agent_build_info", job="alert-agent", instance="web-1"))
        # the host probe's series have node_exporter's labels and the config's, nothing else
        cpu = [labels for batch in receiver.batches for labels, _, _ in batch.samples if labels["__name__"] == "node_cpu_seconds_total"]
        self.assertEqual(set(cpu[0]), {"__name__", "cpu", "mode", "job", "instance", "env"})
        told = {name: kind for batch in receiver.batches for name, (kind, _) in batch.metadata.items()}
        self.assertEqual((told["node_cpu_seconds_total"], told["node_load1"], told["probe_success"]), (1, 2, 2))

    def test_after_an_outage_the_newest_comes_first_and_nothing_is_missing(self):
        with Receiver() as receiver, Agent(config(receiver)) as agent:
            until(lambda: receiver.batches, 10, "the first batch")
            receiver.answer = 503, {}
            until(lambda: len(agent_spool(agent)) and time.sleep(3) is None, 10, "an outage of 3 s")
            before = set(receiver.ids())
            with receiver.lock:
                first_after = len(receiver.batches)
            receiver.answer = 204, {}
            until(lambda: len(receiver.batches) > first_after, 20, "a batch after the outage")
            live = receiver.batches[first_after].id[1]
            missing = live - max(sequence for _, sequence in before) - 1
            self.assertGreater(missing, 3, "the outage left no backlog: nothing is tested")
            until(lambda: sequences(receiver) >= set(range(1, live + 1)), 20, "the backlog")
            agent.stop(3)
        ids = receiver.ids()
        self.assertEqual(len(ids), len(set(ids)), "a batch was accepted twice")
        backlog = [sequence for _, sequence in ids[first_after:] if sequence < live]
        self.assertEqual(backlog, sorted(backlog), "the backlog does not come oldest first")
        # every host round is there once, in spite of it all: timestamps at the interval
        times = [t for _, t in receiver.find("node_load1")]
        self.assertEqual(len(times), len(set(times)))
        gaps = [b - a for a, b in zip(sorted(times), sorted(times)[1:])]
        self.assertLess(max(gaps), 1000, "samples are missing")

    def test_the_backlog_is_paced(self):
        with Receiver() as receiver, Agent(config(receiver)):
            receiver.answer = 500, {}
            time.sleep(4)
            receiver.answer = 204, {}
            until(lambda: len(receiver.batches) > 12, 30, "a backlog under way")
            old = [batch.at for batch in receiver.batches[1:]]
            # live ones come every 200 ms, old ones at most four times as often
            for i in range(len(old) - 10):
                self.assertGreater(old[i + 10] - old[i], 0.2)

    def test_retry_after_is_obeyed(self):
        with Receiver() as receiver:
            receiver.answer = 429, {"Retry-After": "3"}
            with Agent(config(receiver)):
                until(lambda: receiver.attempts, 10, "the first attempt")
                first = receiver.attempts[0].at
                receiver.answer = 204, {}
                until(lambda: receiver.batches, 10, "the attempt after")
                self.assertGreaterEqual(receiver.batches[0].at - first, 2.9)
                early = [attempt for attempt in receiver.attempts if attempt.at < first + 2.9]
                self.assertEqual(len(early), 1, "nothing is sent while the server asked to wait")

    def test_a_server_that_goes_away_and_comes_back(self):
        with Receiver() as receiver, Agent(config(receiver)):
            until(lambda: len(receiver.batches) >= 2, 10, "two batches")
            receiver.close()
            time.sleep(1.5)
            receiver.open()
            until(lambda: len(receiver.batches) >= 5, 20, "batches after")
            newest = max(sequences(receiver))
            until(lambda: sequences(receiver) >= set(range(1, newest + 1)), 20, "all that was spooled")

    def test_a_broken_connection_is_no_loss(self):
        with Receiver() as receiver, Agent(config(receiver)):
            count = [0]

            def every_third_breaks(_):
                count[0] += 1
                return None if count[0] % 3 == 0 else (204, {})
            receiver.answer = every_third_breaks
            until(lambda: len(receiver.batches) >= 10, 30, "ten batches")
            newest = max(sequences(receiver))
            until(lambda: sequences(receiver) >= set(range(1, newest + 1)), 20, "all of them")

    def test_a_batch_that_is_refused_for_good_is_dropped_and_counted(self):
        with Receiver() as receiver, Agent(config(receiver)) as agent:
            receiver.answer = lambda batch: (400, {}) if batch.id[1] == 2 else (204, {})
            until(lambda: max(sequences(receiver), default=0) >= 4, 10, "the fourth batch")
            self.assertNotIn(2, sequences(receiver))
            self.assertEqual([b.id[1] for b in receiver.attempts].count(2), 1)
            until(lambda: (1.0 in [v for v, _ in receiver.find("alert_agent_spool_dropped_batches_total", reason="rejected")]), 10, "the count")
            self.assertIn("refuses a batch for good", agent.log())

    def test_a_new_token_in_the_file_is_picked_up(self):
        with Receiver() as receiver, Agent(config(receiver, push="token_file: '{folder}/token'")) as agent:
            receiver.answer = lambda batch: (204, {}) if batch.headers.get("Authorization") == "Bearer good" else (401, {})
            time.sleep(2)  # no file at all: it must not go without
            self.assertEqual(receiver.attempts, [])
            (agent.folder / "token").write_text("bad\n")
            until(lambda: receiver.attempts, 20, "an attempt")
            (agent.folder / "token").write_text("good\n")
            until(lambda: receiver.batches, 30, "the new token")
            self.assertEqual(receiver.attempts[0].headers["Authorization"], "Bearer bad")


def agent_spool(agent):
    return sorted((agent.folder / "spool").glob("*.wbs"))


def sequences(receiver):
    return {sequence for _, sequence in receiver.ids()}


class Spool(unittest.TestCase):
    def test_kill_9_at_any_moment_loses_nothing_that_was_in_the_spool(self):
        with Receiver() as receiver:
            receiver.answer = 503, {}
            agent = Agent(config(receiver))
            try:
                agent.start()
                for i in range(8):
                    time.sleep(1.7 + 0.13 * i)
                    agent.kill()
                    agent.start()
                receiver.answer = 204, {}
                time.sleep(2)
                until(lambda: waiting_of(receiver) == 0, 60, "an empty spool")
                agent.stop(3)
                by_epoch = {}
                for epoch, sequence in receiver.ids():
                    by_epoch.setdefault(epoch, []).append(sequence)
                self.assertGreaterEqual(len(by_epoch), 8, "one epoch per start")
                for epoch, found in by_epoch.items():
                    # a batch on its way at the kill may have been taken and come again: at least once
                    self.assertEqual(set(found), set(range(1, max(found) + 1)), f"a hole in epoch {epoch}")
            finally:
                agent.close()

    def test_a_torn_tail_is_cut_and_what_is_before_it_kept(self):
        with Receiver() as receiver:
            receiver.close()  # nobody listens: nothing is taken that the agent does not know of
            agent = Agent(config(receiver))
            try:
                agent.start()
                until(lambda: agent_spool(agent) and agent_spool(agent)[0].stat().st_size > 30000, 20, "a few records")
                agent.kill()
                newest = agent_spool(agent)[-1]
                with open(newest, "r+b") as file:
                    file.truncate(newest.stat().st_size - 100)
                receiver.open()
                agent.start()
                until(lambda: 1.0 in [v for v, _ in receiver.find("alert_agent_spool_torn_tails_total")], 20, "the count")
                until(lambda: waiting_of(receiver) == 0, 60, "an empty spool")
                old = [sequence for epoch, sequence in receiver.ids() if epoch == min(e for e, _ in receiver.ids())]
                self.assertEqual(sorted(old), list(range(1, max(old) + 1)))
                self.assertIn("torn=1", agent.log())
            finally:
                agent.close()

    def test_a_flipped_byte_costs_one_batch_and_is_counted(self):
        with Receiver() as receiver:
            receiver.close()  # nobody listens: nothing is taken that the agent does not know of
            agent = Agent(config(receiver))
            try:
                agent.start()
                until(lambda: agent_spool(agent) and agent_spool(agent)[0].stat().st_size > 60000, 30, "records")
                agent.kill()
                with open(agent_spool(agent)[0], "r+b") as file:
                    file.seek(20000)
                    byte = file.read(1)
                    file.seek(20000)
                    file.write(bytes([byte[0] ^ 16]))
                receiver.open()
                agent.start()
                until(lambda: 1.0 in [v for v, _ in receiver.find("alert_agent_spool_dropped_batches_total", reason="corrupt")], 20, "the count")
                until(lambda: waiting_of(receiver) == 0, 60, "an empty spool")
                old = [sequence for epoch, sequence in receiver.ids() if epoch == min(e for e, _ in receiver.ids())]
                self.assertEqual(len(set(range(1, max(old) + 1)) - set(old)), 1)
            finally:
                agent.close()

    def test_a_full_spool_drops_the_oldest_and_counts_them(self):
        with Receiver() as receiver:
            receiver.answer = 503, {}
            with Agent(config(receiver, spool="size: 256KiB")) as agent:
                folder = agent.folder / "spool"
                until(lambda: sum(f.stat().st_size for f in folder.glob("*.wbs")) > 190000, 30, "a full spool")
                for _ in range(20):
                    time.sleep(0.2)
                    self.assertLessEqual(sum(f.stat().st_size for f in folder.glob("*.wbs")), 256 * 1024)
                receiver.answer = 204, {}
                until(lambda: waiting_of(receiver) == 0, 90, "an empty spool")
                agent.stop(3)
            got = sequences(receiver)
            lost = set(range(1, max(got) + 1)) - got
            counted = max(v for v, _ in receiver.find("alert_agent_spool_dropped_batches_total", reason="size"))
            self.assertGreater(len(lost), 0, "nothing was dropped: nothing is tested")
            self.assertEqual(len(lost), counted)
            live = receiver.batches[0].id[1]  # the newest at the healing
            self.assertLess(max(lost), live - 5, "not the oldest were dropped")

    def test_two_agents_do_not_share_a_spool(self):
        with Receiver() as receiver, Agent(config(receiver)) as agent:
            until(lambda: receiver.batches, 10, "the first batch")
            second = subprocess.run([ALERT_AGENT, f"--config.file={agent.config_path}"], capture_output=True, text=True, timeout=10)
            self.assertEqual(second.returncode, 1)
            self.assertIn("another agent uses", second.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk_keeps_the_newest_and_says_so(self):
        with Receiver() as receiver:
            receiver.answer = 503, {}
            agent = Agent(config(receiver))
            spool = agent.folder / "spool"
            spool.mkdir(mode=0o700)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", spool], capture_output=True).returncode:
                agent.close()
                self.skipTest("no permission to mount")
            try:
                agent.start()
                until(lambda: "not on disk" in agent.log(), 20, "the disk is full")
                receiver.answer = 204, {}
                until(lambda: any(v > 0 for v, _ in receiver.find("alert_agent_spool_write_errors_total")), 20, "the count")
                self.assertTrue(agent.alive())
                self.assertEqual(agent.stop(3), 0)
            finally:
                agent.close()
                subprocess.run(["umount", spool], check=True)


def waiting_of(receiver):
    found = receiver.find("alert_agent_spool_batches")
    return found[-1][0] if found else None


class Probes(Scratch):
    def test_http_success_failure_and_redirects(self):
        def get(self):
            if self.path == "/ok":
                self.reply(200, b"all is well")
            elif self.path == "/bad":
                self.reply(500, b"broken")
            elif self.path == "/to":
                self.reply(302, Location="/ok")
            elif self.path == "/round":
                self.reply(302, Location="/round")
        with Web(get) as web:
            text, _, status = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: ok, kind: http, url: "{web.url}/ok", body_regex: "w.ll"}}
  - {{name: regex, kind: http, url: "{web.url}/ok", body_regex: "broken"}}
  - {{name: not, kind: http, url: "{web.url}/ok", body_regex_not: "well"}}
  - {{name: bad, kind: http, url: "{web.url}/bad"}}
  - {{name: wanted, kind: http, url: "{web.url}/bad", expect_status: [500]}}
  - {{name: to, kind: http, url: "{web.url}/to"}}
  - {{name: stay, kind: http, url: "{web.url}/to", follow_redirects: false, expect_status: [302]}}
  - {{name: round, kind: http, url: "{web.url}/round"}}
  - {{name: nobody, kind: http, url: "http://127.0.0.1:1/"}}
""", self.folder)
        self.assertEqual(status, 0)
        for name, success in {"ok": 1, "regex": 0, "not": 0, "bad": 0, "wanted": 1, "to": 1, "stay": 1, "round": 0, "nobody": 0}.items():
            self.assertEqual(value_of(text, "probe_success", probe=name), success, name)
        self.assertEqual(value_of(text, "probe_http_status_code", probe="bad"), 500)
        self.assertEqual(value_of(text, "probe_http_status_code", probe="nobody"), 0)
        self.assertEqual(value_of(text, "probe_http_redirects", probe="to"), 1)
        self.assertEqual(value_of(text, "probe_failed_due_to_regex", probe="regex"), 1)
        self.assertEqual(value_of(text, "probe_http_content_length", probe="ok"), 11)
        self.assertEqual(value_of(text, "probe_http_uncompressed_body_length", probe="ok"), 11)
        self.assertEqual(value_of(text, "probe_http_version", probe="ok"), 1.1)
        self.assertEqual(value_of(text, "probe_ip_protocol", probe="ok"), 4)
        self.assertIn(f'instance="{web.url}/ok"', text)
        phases = [value_of(text, "probe_http_duration_seconds", probe="to", phase=p) for p in ("resolve", "connect", "tls", "processing", "transfer")]
        self.assertTrue(all(p is not None for p in phases))
        self.assertLessEqual(sum(phases), value_of(text, "probe_duration_seconds", probe="to"))

    def test_a_token_does_not_follow_a_redirect_to_another_server(self):
        seen = []

        def elsewhere(self):
            seen.append(self.headers.get("Authorization"))
            self.reply(200)
        with Web(elsewhere) as other, Web(lambda self: self.reply(302, Location=f"{other.url}/")) as web:
            text, _, _ = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: a, kind: http, url: "{web.url}/", headers: {{Authorization: secret}}}}
  - {{name: b, kind: http, url: "{other.url}/", headers: {{Authorization: secret}}}}
""", self.folder)
        self.assertEqual(value_of(text, "probe_success", probe="a"), 1)
        self.assertEqual(sorted(seen, key=str), [None, "secret"])

    def test_https_with_a_certificate_of_our_own(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        cert, key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with Web(lambda self: self.reply(200, b"ok")) as web:
            web.server.socket = context.wrap_socket(web.server.socket, server_side=True)
            url = web.url.replace("http:", "https:")
            text, log, _ = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: trusted, kind: http, url: "{url}/", ca_file: "{cert}"}}
  - {{name: stranger, kind: http, url: "{url}/"}}
""", self.folder)
        self.assertEqual(value_of(text, "probe_success", probe="trusted"), 1, log)
        self.assertEqual(value_of(text, "probe_http_ssl", probe="trusted"), 1)
        days = (value_of(text, "probe_ssl_earliest_cert_expiry", probe="trusted") - time.time()) / 86400
        self.assertTrue(29 < days < 30.1, days)
        self.assertGreater(value_of(text, "probe_http_duration_seconds", probe="trusted", phase="tls"), 0)
        self.assertEqual(value_of(text, "probe_success", probe="stranger"), 0)

    def test_tcp(self):
        def talk(listener):
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):  # who only looks in is gone by now
                    connection.sendall(b"220 ready\r\n")
                    if connection.recv(100) == b"PING\r\n":
                        connection.sendall(b"+PONG\r\n")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(10)
            port = listener.getsockname()[1]
            threading.Thread(target=talk, args=(listener,), daemon=True).start()
            text, _, _ = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: port, kind: tcp, address: "127.0.0.1:{port}"}}
  - {{name: greeting, kind: tcp, address: "localhost:{port}", expect: "^220 "}}
  - {{name: talk, kind: tcp, address: "127.0.0.1:{port}", send: "PING\\r\\n", expect: "PONG"}}
  - {{name: mute, kind: tcp, address: "127.0.0.1:{port}", expect: "nothing like it", timeout: 300ms}}
  - {{name: nobody, kind: tcp, address: "127.0.0.1:1"}}
""", self.folder)
            listener.shutdown(socket.SHUT_RDWR)
        for name, success in {"port": 1, "greeting": 1, "talk": 1, "mute": 0, "nobody": 0}.items():
            self.assertEqual(value_of(text, "probe_success", probe=name), success, name)
        self.assertEqual(value_of(text, "probe_failed_due_to_regex", probe="mute"), 1)

    def script(self, name, text, mode=0o755):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_exec_verdicts_and_perfdata(self):
        plugin = self.script("check", "#!/bin/sh\nprintf 'DISK WARNING|/=2MB;3;4;0;10 t=5ms\\n'; exit $1\n")
        text, _, _ = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: fine, kind: exec, command: ["{plugin}", "0"]}}
  - {{name: warns, kind: exec, command: ["{plugin}", "1"]}}
  - {{name: odd, kind: exec, command: ["{plugin}", "77"]}}
  - {{name: gone, kind: exec, command: ["{self.folder}/none"]}}
""", self.folder)
        for name, status in {"fine": 0, "warns": 1, "odd": 3, "gone": 3}.items():
            self.assertEqual(value_of(text, "nagios_status", probe=name), status, name)
            self.assertEqual(value_of(text, "probe_success", probe=name), status == 0, name)
        self.assertEqual(value_of(text, "nagios_perfdata_value", probe="warns", label="/"), 2 << 20)
        self.assertEqual(value_of(text, "nagios_perfdata_max", probe="warns", label="/"), 10 << 20)
        self.assertEqual(value_of(text, "nagios_perfdata_value", probe="fine", label="t", uom="s"), 0.005)

    def test_exec_is_confined(self):
        out = self.folder / "seen"
        plugin = self.script("check", f"#!/bin/sh\n(env; echo args=$#:$2; grep NoNewPrivs /proc/self/status; readlink /proc/self/fd/0;"
                                      f" ls /proc/self/fd | wc -l; ulimit -c; pwd) > {out}\n")
        with_env = {**os.environ, "SECRET": "1"}
        path = self.folder / "agent.yml"
        path.write_text(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: a, kind: exec, command: ["{plugin}", "x", "a b; rm -rf /"], env: {{COLOR: blue}}}}
""")
        subprocess.run([ALERT_AGENT, f"--config.file={path}", "--once"], check=True, capture_output=True, env=with_env)
        seen = out.read_text()
        self.assertNotIn("SECRET", seen)
        self.assertIn("COLOR=blue", seen)
        self.assertIn("args=2:a b; rm -rf /", seen)
        self.assertRegex(seen, r"NoNewPrivs:\s*1")
        self.assertIn("/dev/null", seen)
        self.assertTrue(seen.endswith("0\n/\n"), seen)

    def test_exec_hangs_and_the_whole_family_is_killed(self):
        pids = self.folder / "pids"
        plugin = self.script("check", f"#!/bin/sh\ntrap '' TERM\nsleep 300 & echo $! >> {pids}\n(trap '' TERM; sleep 300) & echo $! >> {pids}\n"
                                      f"echo $$ >> {pids}\nwait\nsleep 300\n")
        start = time.monotonic()
        text, log, _ = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: hang, kind: exec, command: ["{plugin}"], timeout: 500ms}}
""", self.folder)
        self.assertLess(time.monotonic() - start, 30)  # it would sleep for 300
        self.assertEqual(value_of(text, "nagios_status", probe="hang"), 3)
        self.assertIn("killed", log)
        for pid in pids.read_text().split():
            until(lambda: not alive(int(pid)), 10, f"{pid} is gone")

    def test_exec_leaves_nothing_behind_when_it_ends_well(self):
        pids = self.folder / "pids"
        plugin = self.script("check", f"#!/bin/sh\nsleep 300 & echo $! > {pids}\necho OK\n")
        text, _, _ = once(f'push: {{url: "http://127.0.0.1:1/"}}\nprobes: [{{name: a, kind: exec, command: ["{plugin}"]}}]\n', self.folder)
        self.assertEqual(value_of(text, "probe_success", probe="a"), 1)
        until(lambda: not alive(int(pids.read_text())), 10, "what it started is gone")  # killed; gone when the kernel has run it

    def test_exec_with_endless_output(self):
        plugin = self.script("check", "#!/bin/sh\necho 'OK|a=1'\nyes | head -c 30000000\n")
        text, _, _ = once(f'push: {{url: "http://127.0.0.1:1/"}}\nprobes: [{{name: a, kind: exec, command: ["{plugin}"]}}]\n', self.folder)
        self.assertEqual(value_of(text, "nagios_output_truncated", probe="a"), 1)
        self.assertEqual(value_of(text, "nagios_perfdata_value", probe="a", label="a"), 1)

    def test_exec_refuses_what_others_may_write(self):
        loose = self.script("loose", "#!/bin/sh\nexit 0\n", 0o777)
        inner = self.folder / "open"
        inner.mkdir()
        os.chmod(inner, 0o777)
        (inner / "check").write_text("#!/bin/sh\nexit 0\n")
        (inner / "check").chmod(0o755)
        link = self.folder / "link"
        link.symlink_to(loose)
        text, log, _ = once(f"""
push: {{url: "http://127.0.0.1:1/"}}
probes:
  - {{name: file, kind: exec, command: ["{loose}"]}}
  - {{name: folder, kind: exec, command: ["{inner}/check"]}}
  - {{name: link, kind: exec, command: ["{link}"]}}
  - {{name: shell, kind: exec, command: [/bin/sh, "{loose}"]}}
""", self.folder)
        for name in ("file", "folder", "link", "shell"):
            self.assertEqual(value_of(text, "nagios_status", probe=name), 3, name)
        self.assertEqual(log.count("others can write this"), 4)


def alive(pid):
    try:
        os.kill(pid, 0)
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


class Life(Scratch):
    def test_a_hanging_server_delays_nobody_else(self):
        with Receiver() as receiver, Web(lambda self: time.sleep(30)) as hangs, Web(lambda self: self.reply(200)) as fine:
            probes = "\n".join(f'  - {{name: hang{i}, kind: http, url: "{hangs.url}/{i}", interval: 2s, timeout: 1500ms}}' for i in range(8))
            probes += f'\n  - {{name: fine, kind: http, url: "{fine.url}/", {FAST}}}'
            with Agent(config(receiver, probes)):
                until(lambda: len(receiver.find("probe_success", probe="fine")) >= 25, 20, "25 runs")
                times = sorted(t for _, t in receiver.find("probe_success", probe="fine"))
                self.assertLess(max(b - a for a, b in zip(times[1:], times[2:])), 1400)  # less than the others hang
                self.assertEqual({v for v, _ in receiver.find("probe_success", probe="fine")}, {1.0})
                until(lambda: receiver.find("probe_success", probe="hang3"), 10, "the verdict on the hanging one")
                self.assertEqual({v for v, _ in receiver.find("probe_success", probe="hang3")}, {0.0})
                took = [v for v, _ in receiver.find("probe_duration_seconds", probe="hang3")]
                self.assertTrue(all(1.4 < v < 30 for v in took), took)  # its timeout, not the server's 30 s

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "a name server that answers nothing needs a mount namespace")
    def test_a_black_holed_name_server_delays_nobody_else(self):
        hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # takes every question, answers none
        hole.bind(("127.0.0.99", 53))
        resolv = self.folder / "resolv.conf"
        resolv.write_text("nameserver 127.0.0.99\n")

        class Lost(Agent):
            def command(self):
                return ["unshare", "-m", "--", "sh", "-c", f'mount --bind {resolv} /etc/resolv.conf && exec "$0" "$@"', *super().command()]
        with hole, Receiver() as receiver, Web(lambda self: self.reply(200)) as fine:
            probes = "\n".join(f'  - {{name: lost{i}, kind: http, url: "http://name{i}.example/", interval: 1s, timeout: 800ms}}' for i in range(4))
            probes += '\n  - {name: tls, kind: http, url: "https://name.example/", interval: 1s, timeout: 800ms}'
            probes += '\n  - {name: port, kind: tcp, address: "name.example:80", interval: 1s, timeout: 800ms}'
            probes += f'\n  - {{name: fine, kind: http, url: "{fine.url}/", {FAST}}}'
            with Lost(config(receiver, probes)) as agent:
                until(lambda: len(receiver.find("probe_success", probe="fine")) >= 30, 20, "30 runs")
                times = sorted(t for _, t in receiver.find("probe_success", probe="fine"))
                self.assertLess(max(b - a for a, b in zip(times[1:], times[2:])), 4000)  # a lookup without help waits 5 s
                for name in ("lost0", "tls", "port"):
                    took = [v for v, _ in receiver.find("probe_duration_seconds", probe=name)]
                    self.assertGreaterEqual(len(took), 3, name)
                    self.assertTrue(all(v < 4 for v in took), (name, took))
                    self.assertEqual({v for v, _ in receiver.find("probe_success", probe=name)}, {0.0})
                self.assertRegex(agent.log(), r"no name server answers in time|earlier lookups still wait")
                start = time.monotonic()
                self.assertEqual(agent.stop(5), 0)
                self.assertLess(time.monotonic() - start, 4.5)  # nobody waited for what hangs 5 s and more

    def test_sigterm_ends_soon_whatever_goes_on(self):
        plugin = self.folder / "check"
        plugin.write_text("#!/bin/sh\nsleep 300\n")
        plugin.chmod(0o755)
        with Receiver() as receiver, Web(lambda self: time.sleep(30)) as hangs:
            receiver.answer = lambda _: time.sleep(5) or (204, {})
            probes = (f'  - {{name: hang, kind: http, url: "{hangs.url}/", interval: 20s, timeout: 20s}}\n'
                      f'  - {{name: slow, kind: exec, command: ["{plugin}"], interval: 60s, timeout: 60s}}')
            with Agent(config(receiver, probes, push="timeout: 30s").replace("timeout: 1s, ", "")) as agent:
                until(lambda: subprocess.run(["pgrep", "-f", str(plugin)], capture_output=True).stdout, 10, "the plugin runs")
                time.sleep(2)
                start = time.monotonic()
                self.assertEqual(agent.stop(5), 0)
                self.assertLess(time.monotonic() - start, 4.5)  # nobody waited for what hangs 5 s and more
                self.assertEqual(subprocess.run(["pgrep", "-f", str(plugin)], capture_output=True).stdout, b"")

    def test_sighup_takes_a_good_config_and_keeps_the_old_one_for_a_bad_one(self):
        with Receiver() as receiver, Agent(config(receiver)) as agent:
            until(lambda: receiver.batches, 10, "the first batch")
            good = agent.config_path.read_text()
            agent.config_path.write_text(good + "nonsense: 1\n")
            agent.process.send_signal(signal.SIGHUP)
            until(lambda: "the old one stays" in agent.log(), 5, "the refusal")
            self.assertRegex(agent.log(), r"agent\.yml:\d+:1: .*nonsense")
            until(lambda: 0.0 in [v for v, _ in receiver.find("alert_agent_config_last_reload_successful")], 10, "the metric")
            agent.config_path.write_text(good.replace("env: test", "env: new"))
            agent.process.send_signal(signal.SIGHUP)
            until(lambda: receiver.find("node_load1", env="new"), 10, "the new labels")
            self.assertEqual(receiver.find("alert_agent_config_last_reload_successful")[-1][0], 1)

    def test_config_errors_say_where(self):
        text, log, status = once("push: {url: 'http://127.0.0.1:1/'}\nprobes:\n  - {name: a, kind: host, intervall: 10s}\n", self.folder)
        self.assertEqual((status, text), (1, ""))
        self.assertRegex(log, r"once\.yml:3:\d+: .*intervall")

    def test_flags(self):
        def run(*flags):
            return subprocess.run([ALERT_AGENT, *flags], capture_output=True, text=True, timeout=10)
        self.assertEqual(run("--version").returncode, 0)
        self.assertRegex(run("--version").stdout, r"^alert-agent \d")
        self.assertIn("--config.file=FILE", run("--help").stdout)
        self.assertEqual(run("--nonsense").returncode, 2)
        self.assertEqual(run("--log.level=loud").returncode, 2)
        self.assertEqual(run("--config.file=/nonexistent").returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
