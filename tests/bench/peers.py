"""alertd, Prometheus and VictoriaMetrics on 127.0.0.1 with the same samples: what the comparisons share.

The load generator and the query client (rwload.c, qlat.c) are those of the folder WATCHBILL_SHARED, compiled
here; the peers are programs of Debian's unstable suite, unpacked by its fetch-peers into the folder that --peers
or WATCHBILL_PEERS names. Where either is missing a benchmark says so and ends with 77 (skipped).
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTD, ROOT, free_port, request, until
from machine import machine
from peer_programs import peers_folder

SHARED = pathlib.Path(os.environ.get("WATCHBILL_SHARED", ROOT.parent / "shared")) / "bench"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def skip(words):
    print(f"skipped: {words}")
    sys.exit(77)


def tools(folder):
    """Compiles the generator and the client; their paths."""
    if not (SHARED / "rwload.c").exists():
        skip(f"no load generator in {SHARED}")
    for name, libraries in (("rwload", ["-lsnappy", "-lpthread", "-lm"]), ("qlat", ["-lm"])):
        subprocess.run(["gcc", "-O2", "-o", f"{folder}/{name}", str(SHARED / f"{name}.c"), *libraries], check=True)
    return f"{folder}/rwload", f"{folder}/qlat"


def find_peers(wanted):
    """The folder with the peers unpacked in it, each below its own name."""
    folder = peers_folder(wanted)
    if not folder:
        skip("no peers: name their folder with --peers or WATCHBILL_PEERS")
    for program in ("prometheus", "victoria-metrics"):
        if not (folder / program / "usr/bin" / program).exists():
            skip(f"no {program} in {folder} (--peers or WATCHBILL_PEERS)")
    return folder


class Server:
    """One program under measurement, in a folder of its own."""

    def __init__(self, name, command, port, ready, write="/api/v1/write"):
        self.name, self.port, self.url, self.write = name, port, f"http://127.0.0.1:{port}", write
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        self._wait_for(ready)

    def _wait_for(self, path):
        """By milliseconds: how long a start takes is measured."""
        deadline = time.monotonic() + 30
        while not self._answers(path):
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.name} is not ready within 30 s")
            time.sleep(0.005)

    def _answers(self, path):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise SystemExit(f"{self.name} ended: {self.log.read()[-800:].decode()}")
        try:
            return request("GET", self.url + path, timeout=2).status == 200
        except OSError:
            return False

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def rss_mb(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start_alertd(folder, flags=()):
    port = free_port()
    return Server("alertd", [ALERTD, f"--storage.path={folder}/alertd", "--storage.retention.time=0", "--auth.mode=off",
                             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", *flags], port, "/-/ready")


def start_prometheus(peers, folder, config=""):
    port = free_port()
    path = pathlib.Path(folder) / "prometheus.yml"
    path.write_text(config or "global: {}\n")
    return Server("Prometheus", [str(peers / "prometheus/usr/bin/prometheus"), f"--config.file={path}", f"--storage.tsdb.path={folder}/prometheus",
                                 "--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=60d",
                                 "--query.max-samples=500000000", "--query.timeout=10m", "--log.level=error"], port, "/-/ready")


def start_victoria(peers, folder):
    port = free_port()
    return Server("VictoriaMetrics", [str(peers / "victoria-metrics/usr/bin/victoria-metrics"), f"-storageDataPath={folder}/victoria",
                                      f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100d", "-search.latencyOffset=0",
                                      "-search.disableCache", "-loggerLevel=ERROR"], port, "/health")


def load(rwload, server, series, steps, interval_ms, end_ms):
    """The fleet's samples, ending at end_ms; samples per CPU second of the server."""
    before, started = server.cpu_s(), time.monotonic()
    done = subprocess.run([rwload, "-u", server.url + server.write, "-n", str(series), "-m", str(steps), "-i", str(interval_ms),
                           "-s", str(end_ms - steps * interval_ms), "-t", "20"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{server.name} refused the load: {done.stdout[-400:]} {done.stderr[-400:]}")
    used = server.cpu_s() - before
    if server.name == "VictoriaMetrics":  # what it took is not to be asked for at once
        request("GET", server.url + "/internal/force_flush", timeout=60)
    print(f"# {server.name}: {series * steps / 1e6:.1f} M samples in {time.monotonic() - started:.1f} s, "
          f"{series * steps / max(used, 0.01) / 1e3:.0f} k a CPU second, {server.rss_mb():.0f} MB", file=sys.stderr)


def versions(peers):
    """What was measured against, for the table's foot."""
    told = []
    for name, program, flag in (("Prometheus", "prometheus", "--version"), ("VictoriaMetrics", "victoria-metrics", "-version")):
        done = subprocess.run([str(peers / program / "usr/bin" / program), flag], capture_output=True, text=True)
        version = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
        told.append(f"{name} {version[0] if version else '(its program does not say which)'}")
    return ", ".join(told)


def heading(command):
    return f"{machine()}; `{command}`; load before: {os.getloadavg()[0]:.2f}\n"
