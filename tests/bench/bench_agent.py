#!/usr/bin/env python3
"""What agents cost: resident memory and CPU of alert-agent beside the peers that are installed.

usage: bench_agent.py [--seconds=30] [--speed=10]        prints a Markdown table

Each program watches this machine; ours also pushes to a receiver on 127.0.0.1 that answers 204.
An interval of 10 s costs too little to measure in half a minute, so everything runs SPEED times as
fast (interval 10 s / SPEED) and CPU is divided by SPEED; memory is measured at the end of the run.
CPU comes from /proc/PID/schedstat (ns), of the process and all its threads, in slices of three seconds:
the median, and the least and most. (A virtual processor that is held up for a moment counts that to
whoever ran on it.) Exporters are scraped at the same interval by this script, whose own cost is not
counted.
"""

import argparse
import http.server
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERT_AGENT, free_port
from machine import machine

SLICE_S = 3


class Sink:
    """Takes pushes and answers probes as cheaply as Python can."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            pushed = 0

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                Handler.pushed += 1
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"ok\n")

            def log_message(self, *_):
                pass

        self.handler = Handler
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


def cpu_seconds(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


def memory_mb(pid):
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["RssAnon"].split()[0]) / 1024


def measure(name, command, seconds, speed, every=None):
    """Starts it, lets it settle, measures for `seconds`; every() is called at each interval."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            time.sleep(5)
            if process.poll() is not None:
                log.seek(0)
                raise SystemExit(f"{name} ended: {log.read()[-500:]}")
            slices = []
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                began, start = time.monotonic(), cpu_seconds(process.pid)
                while time.monotonic() - began < SLICE_S:
                    time.sleep(10 / speed)
                    if every:
                        every()
                slices.append((cpu_seconds(process.pid) - start) / (time.monotonic() - began))
            rss, anon = memory_mb(process.pid)
            return rss, anon, [f(slices) * 3600 / speed for f in (min, statistics.median, max)]
        finally:
            process.terminate()
            process.wait()


def agent_config(folder, sink, speed, probes):
    path = pathlib.Path(folder) / "agent.yml"
    interval = f"{10000 // speed}ms"
    lines = [f'push: {{url: "{sink.url}/api/v1/write", interval: {interval}}}', f"spool: {{path: {folder}/spool}}", "probes:",
             f"  - {{name: host, kind: host, interval: {interval}}}"]
    lines += [f'  - {{name: web{i}, kind: http, url: "{sink.url}/{i}", interval: {interval}}}' for i in range(probes)]
    path.write_text("\n".join(lines) + "\n")
    return path


def ours(seconds, speed, probes):
    sink = Sink()
    with tempfile.TemporaryDirectory() as folder:
        config = agent_config(folder, sink, speed, probes)
        result = measure("alert-agent", [ALERT_AGENT, f"--config.file={config}"], seconds, speed)
    if sink.handler.pushed < seconds * speed / 10 / 2:
        raise SystemExit(f"only {sink.handler.pushed} pushes arrived: the figures mean nothing")
    return result


def scraped(name, command, url, seconds, speed):
    def scrape():
        urllib.request.urlopen(url, timeout=5).read()
    return measure(name, command, seconds, speed, scrape)


def node_exporter(seconds, speed):
    port = free_port()
    return scraped("node_exporter", ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"],
                   f"http://127.0.0.1:{port}/metrics", seconds, speed)


def collectd(seconds, speed):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "collectd.conf"
        plugins = ["cpu", "memory", "load", "df", "disk", "interface", "vmem", "swap", "uptime", "processes", "write_prometheus"]
        usr = pathlib.Path(shutil.which("collectd")).resolve().parents[1]
        path.write_text(f"Hostname h\nInterval {10 / speed}\nBaseDir \"{folder}\"\nPIDFile \"{folder}/pid\"\n"
                        f"TypesDB \"{usr}/share/collectd/types.db\"\nPluginDir \"{usr}/lib/collectd\"\n"
                        + "".join(f"LoadPlugin {p}\n" for p in plugins)
                        + f"<Plugin write_prometheus>\nHost \"127.0.0.1\"\nPort \"{port}\"\n</Plugin>\n")
        return scraped("collectd", ["collectd", "-f", "-C", str(path)], f"http://127.0.0.1:{port}/metrics", seconds, speed)


def vmagent(seconds, speed):
    """Scrapes an exporter and pushes; the exporter's own cost is a row of its own."""
    exporter, port, sink = free_port(), free_port(), Sink()
    watched = subprocess.Popen(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "scrape.yml"
            path.write_text(f"global: {{scrape_interval: {10000 // speed}ms}}\nscrape_configs: [{{job_name: node, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]\n")
            return measure("vmagent", ["vmagent", f"-promscrape.config={path}", f"-remoteWrite.url={sink.url}/api/v1/write",
                                       f"-remoteWrite.tmpDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}"], seconds, speed)
    finally:
        watched.terminate()
        watched.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--speed", type=int, default=10)
    options = parser.parse_args()
    run = (options.seconds, options.speed)
    rows = [
        ("**alert-agent**, host probe, pushing", None, lambda: ours(*run, 0)),
        ("**alert-agent**, host probe and ten http probes, pushing", None, lambda: ours(*run, 10)),
        ("node_exporter, scraped", "prometheus-node-exporter", lambda: node_exporter(*run)),
        ("vmagent, scraping it and pushing (beside it)", "vmagent", lambda: vmagent(*run)),
        ("collectd, 10 plugins, prometheus page, scraped", "collectd", lambda: collectd(*run)),
    ]
    print(f"{machine()}; "
          f"`tests/bench/bench_agent.py --seconds={options.seconds} --speed={options.speed}`; "
          f"load before: {os.getloadavg()[0]:.2f}\n")
    print("| every 10 s | RSS MB | of it anonymous | CPU-s/hour |\n|---|---|---|---|")
    for name, program, bench in rows:
        if program and not shutil.which(program):
            print(f"| {name} | skipped: `{program}` is not installed | | |", flush=True)
            continue
        rss, anon, cpu = bench()
        least, median, most = cpu
        print(f"| {name} | {rss:.1f} | {anon:.1f} | {median:.2f} ({least:.2f} to {most:.2f}) |", flush=True)


if __name__ == "__main__":
    main()
