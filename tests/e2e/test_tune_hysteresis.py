"""The rule that `alertctl tune --hysteresis` writes, loaded into a Prometheus as it comes: over the same samples it fires and clears at
the same evaluations as the backtest's run of it.

The samples lie ahead of their time, so that each evaluation finds what it would, however busy the machine is; when Prometheus leaves
an evaluation out all the same, the comparison is made once more.
"""

import calendar
import json
import pathlib
import struct
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Program, alertctl, free_port, request, until
from peer_programs import peer

GROUP = """groups:
- name: shop
  interval: 1s
  rules:
  - record: evaluated
    expr: vector(1)
"""
PLAIN = """  - alert: Flaps
    expr: max by (job, instance) (load) > 5 and on (job) up == 1
    labels: {severity: page}
"""
SECONDS = 40
TRIES = 3


class Prometheus(Program):
    name = "prometheus"

    def __init__(self, program):
        super().__init__()
        self.program, self.port = program, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rules = self.folder / "rules.yml"
        (self.folder / "p.yml").write_text(f"rule_files: [{self.rules}]\n")
        self.rules.write_text(GROUP)

    def command(self):
        return [self.program, f"--config.file={self.folder}/p.yml", f"--storage.tsdb.path={self.folder}/data", "--web.enable-lifecycle",
                "--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"]

    def is_ready(self):
        try:
            return request("GET", self.url + "/-/ready", timeout=2).status == 200
        except OSError:
            return False

    def load(self, rules):
        self.rules.write_text(rules)
        reply = request("POST", self.url + "/-/reload")
        assert reply.status == 200, reply.text

    def stored(self, selector, at):
        """[(labels, {t_ms, ...})] of what was stored: no look-back, and no marker of an end."""
        query = urllib.parse.urlencode({"query": f"{selector}[5m]", "time": at})
        result = request("GET", f"{self.url}/api/v1/query?{query}").json["data"]["result"]
        return [(one["metric"], {round(float(t) * 1000) for t, _ in one["values"]}) for one in result]


def number(n):
    return bytes([n & 127 | 128]) + number(n >> 7) if n > 127 else bytes([n])


def field(key, data):
    return bytes([key << 3 | 2]) + number(len(data)) + data


def write_request(series):
    """Remote write 1.0 by hand, in snappy's literals."""
    body = b""
    for labels, samples in series:
        pairs = b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items()))
        body += field(1, pairs + b"".join(field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + number(t_ms)) for t_ms, value in samples))
    pieces = [body[at:at + 60] for at in range(0, len(body), 60)]
    return number(len(body)) + b"".join(bytes([len(piece) - 1 << 2]) + piece for piece in pieces)


def samples_from(begin_s):
    """Loads that are quiet, then go up and down around 5 for a while, at their own pace; one machine is not heard of meanwhile, another's
    job is down."""
    def load(i, s):
        of = (s + 4 * i) % (15 + 2 * i)
        return 2 + of % 3 / 8 if of < 7 else 6.5 - i / 4 if of % (2 + i) == 0 else 4.25 + i / 8

    series = []
    for i, (job, instance) in enumerate((("web", "a"), ("web", "b"), ("api", "c"))):
        loads = [((begin_s + s) * 1000, load(i, s)) for s in range(SECONDS) if not (instance == "b" and 15 <= s < 18)]
        series.append(({"__name__": "load", "job": job, "instance": instance}, loads))
    for job in ("web", "api"):
        series.append(({"__name__": "up", "job": job}, [((begin_s + s) * 1000, float(not (job == "api" and 20 <= s < 24))) for s in range(SECONDS)]))
    return series


def openmetrics(series):
    lines = []
    for labels, samples in series:
        pairs = ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
        lines += [f'{labels["__name__"]}{{{pairs}}} {value} {t_ms / 1000:.3f}' for t_ms, value in samples]
    return "\n".join(lines) + "\n# EOF\n"


def source_with(phase_ms):
    """The name of a file whose group `shop`, every second, has that phase in alertd: tried out."""
    def hashed(hash_, text):
        for byte in text.encode() + b"\0":
            hash_ = (hash_ ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
        return hash_

    return next(name for name in map(str, range(1 << 20)) if hashed(hashed(14695981039346656037, name), "shop") % 1000 == phase_ms)


def ms_of(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23] if text[19] == "." else 0)


class Hysteresis(unittest.TestCase):
    def setUp(self):
        program = peer("prometheus")
        if not program:
            self.skipTest("no prometheus here (set WATCHBILL_PEERS): the written rule was not loaded into one")
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.prometheus = Prometheus(program)
        self.addCleanup(self.prometheus.close)
        self.prometheus.start()
        until(self.prometheus.is_ready, 60, "Prometheus is ready")

    def write_rule(self, series, begin_s, source):
        """What alertctl writes for people, and the run of it for programs."""
        (self.folder / "rules.yml").write_text(GROUP + PLAIN)
        (self.folder / "samples.om").write_text(openmetrics(series))
        options = ["tune", self.folder / "rules.yml", "--rule=Flaps", f"--openmetrics={self.folder}/samples.om", "--hysteresis",
                   f"--source={source}", f"--from={begin_s}", f"--to={begin_s + SECONDS}"]
        written = json.loads(alertctl(*options, "--json").stdout)["hysteresis"]
        words = alertctl(*options).stdout
        self.assertIn("alerts, as counted.", words)
        block = words[words.index("  - alert: Flaps"):].split("\n\n")[0]
        self.assertIn("# labels and annotations as they are", block)
        return written, block.replace("# labels and annotations as they are", "labels: {severity: page}") + "\n"

    def compare(self):
        """False: Prometheus left evaluations out."""
        prometheus = self.prometheus
        evaluated = until(lambda: prometheus.stored("evaluated", time.time()), what="an evaluation")
        [phase_ms] = {t % 1000 for t in evaluated[0][1]}
        begin_s = int(time.time()) + 10
        series = samples_from(begin_s)
        written, block = self.write_rule(series, begin_s, source_with(phase_ms))
        self.assertEqual(written["run_alerts"], written["alerts"])
        self.assertGreater(written["alerts"], 2)
        (self.folder / "written.yml").write_text(GROUP + block)
        alertctl("check", "rules", self.folder / "written.yml")
        prometheus.load(GROUP + block)
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
        reply = request("POST", prometheus.url + "/api/v1/write", write_request(series), headers)
        self.assertEqual(reply.status // 100, 2, reply.text)
        if time.time() >= begin_s:
            return False
        until(lambda: time.time() > begin_s + SECONDS + 2, SECONDS + 30, "the last evaluation")

        end_s = begin_s + SECONDS + 2
        steps = [begin_s * 1000 + phase_ms + 1000 * s for s in range(SECONDS)]
        if not set(steps) <= prometheus.stored("evaluated", end_s)[0][1]:
            return False
        ours = {}
        for one in written["run"]:
            over_ms = ms_of(one["resolved_at"]) if one["resolved_at"] else 1 << 62
            ours.setdefault(tuple(sorted(one["labels"].items())), set()).update(t for t in steps if ms_of(one["fired_at"]) <= t < over_ms)
        theirs = {}
        for labels, times in prometheus.stored('ALERTS{alertname="Flaps",alertstate="firing"}', end_s):
            del labels["__name__"], labels["alertstate"]
            theirs[tuple(sorted(labels.items()))] = times & set(steps)
        self.assertEqual(ours, theirs)
        fired = sum(len(times) for times in theirs.values())
        self.assertGreater(len(theirs), 1)
        print(f"Prometheus fired at {fired} of {len(steps) * len(theirs)} evaluations of {len(theirs)} alerts, {written['alerts']} times, and so did the backtest: {written['expr']}")
        return True

    def test_a_prometheus_fires_and_clears_at_the_same_evaluations(self):
        self.assertTrue(any(self.compare() for _ in range(TRIES)), "Prometheus left evaluations out, each time")


if __name__ == "__main__":
    unittest.main(verbosity=2)
