"""Random series for the differential fuzzer, and how they are told to each side.

A data set is a list of (labels, [(t_ms, value)]): counters with resets, gauges with NaN, infinities
and negative zero, staleness markers and gaps, sparse and irregular series, classic histograms, whole
and broken, label sets that collide, names in UTF-8. The order of the list is the order of storage
on both sides, so that sums add up in the same order.
"""

import math
import struct

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
STALE_BITS = 0x7FF0000000000002
INSTANCES = ["a", "b", "c"]
JOBS = ["x", "y"]
SPECIAL = [math.nan, math.inf, -math.inf, -0.0, 0.0, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308]


def bits(value):
    return STALE_BITS if value is STALE else struct.unpack("<Q", struct.pack("<d", value))[0]


class Dataset:
    """About sixty series over an hour, made from a random.Random."""

    def __init__(self, rng):
        self.rng = rng
        self.start_ms = rng.choice([1_700_000_000_000, 1_700_000_040_000, 7_200_000, 1_699_999_999_123])
        self.length_ms = 3_500_000
        self.series = []
        for make in (self.counters, self.gauges, self.special, self.sparse, self.collisions, self.histograms,
                     self.broken_histograms, self.utf8, self.infos):
            make()

    def add(self, labels, points):
        if points:
            self.series.append((labels, points))

    def times(self):
        """Instants of samples: regular, irregular or rare, with gaps."""
        rng = self.rng
        interval = rng.choice([15_000, 30_000, 60_000, 60_000, 60_000])
        jitter = rng.choice([0, 0, 0, 7, 4000])
        at = self.start_ms + (0 if rng.random() < 0.7 else rng.randrange(600_000))
        out = []
        while at <= self.start_ms + self.length_ms:
            out.append(at + (rng.randrange(jitter) if jitter else 0))
            at += interval * (rng.randrange(2, 12) if rng.random() < 0.03 else 1)
        return out

    def marked(self, points):
        """A staleness marker now and then, after which the series goes on or does not."""
        if self.rng.random() < 0.3:
            cut = self.rng.randrange(len(points))
            points[cut] = (points[cut][0], STALE)
            if self.rng.random() < 0.4:
                del points[cut + 1:]
        return points

    def counter(self, whole=True):
        rng, value, out = self.rng, float(self.rng.choice([0, 0, 5, 1000])), []
        resets = rng.random() < 0.5
        for t in self.times():
            value += rng.choice([0, 1, 3, 10]) if whole else rng.random() * 10
            if resets and rng.random() < 0.08:
                value = float(rng.choice([0, 0, 1, 2]))
            out.append((t, value))
        return self.marked(out)

    def counters(self):
        for name in ("requests_total", "errors_total"):
            for job in JOBS:
                for instance in self.rng.sample(INSTANCES, self.rng.randint(1, 3)):
                    for code in self.rng.sample(["200", "404", "500"], self.rng.randint(1, 2)):
                        self.add({"__name__": name, "job": job, "instance": instance, "code": code},
                                 self.counter(name == "requests_total"))

    def gauge(self):
        rng = self.rng
        kind = rng.choice(["walk", "steps", "constant", "decimal"])
        value, out = rng.uniform(-50, 50) if kind != "steps" else 1.0, []
        for t in self.times():
            if kind == "walk":
                value += rng.uniform(-5, 5)
            elif kind == "steps":
                value = float(rng.choice([0, 1, 1, 2, 7]))
            elif kind == "decimal":
                value = rng.randrange(-20, 20) / 10
            out.append((t, value))
        return self.marked(out)

    def gauges(self):
        for name in ("load", "temperature"):
            for job in JOBS:
                for instance in INSTANCES:
                    if self.rng.random() < 0.8:
                        self.add({"__name__": name, "job": job, "instance": instance}, self.gauge())
        self.add({"__name__": "single"}, self.gauge())

    def special(self):
        for instance in INSTANCES:
            rng = self.rng
            share = rng.choice([0.1, 0.5, 1.0])
            points = [(t, rng.choice(SPECIAL) if rng.random() < share else rng.choice([1.0, 2.5, -3.0]))
                      for t in self.times()]
            self.add({"__name__": "odd", "instance": instance}, self.marked(points))

    def sparse(self):
        rng = self.rng
        for instance in INSTANCES:
            at, points = self.start_ms + rng.randrange(300_000), []
            while at < self.start_ms + self.length_ms:
                points.append((at, float(rng.randrange(10))))
                at += rng.choice([200_000, 299_999, 300_000, 300_001, 420_000])
            self.add({"__name__": "rare", "instance": instance}, points)

    def collisions(self):
        """Two metrics of the same labels; a series that follows another of its name."""
        for name in ("twin_a", "twin_b"):
            for instance in INSTANCES[:2]:
                self.add({"__name__": name, "instance": instance, "job": "x"}, self.gauge())
        points = self.gauge()
        half = len(points) // 2
        self.add({"__name__": "moved", "version": "1"}, points[:half])
        self.add({"__name__": "moved", "version": "2"}, points[half:])

    def buckets(self, name, labels, bounds, broken):
        rng, times = self.rng, self.times()
        counts = [0.0] * len(bounds)
        rows = [[] for _ in bounds]
        for t in times:
            for i in range(len(bounds)):
                for j in range(i, len(bounds)):
                    counts[j] += rng.choice([0, 0, 1, 2]) if j >= i else 0
            for i in range(len(bounds)):
                value = counts[i]
                if broken and rng.random() < 0.2:
                    value = max(0.0, value - rng.choice([1, 5, 0.5]))
                rows[i].append((t, value))
        for bound, row in zip(bounds, rows):
            self.add({"__name__": name + "_bucket", "le": bound, **labels}, row)
        self.add({"__name__": name + "_count", **labels}, rows[-1])
        self.add({"__name__": name + "_sum", **labels}, [(t, v * 0.7) for t, v in rows[-1]])

    def histograms(self):
        for instance in INSTANCES[:2]:
            self.buckets("latency", {"instance": instance, "job": "x"}, ["0.1", "0.5", "1", "2.5", "+Inf"], False)

    def broken_histograms(self):
        rng = self.rng
        shapes = [["1", "2", "+Inf"], ["1", "2", "5"], ["+Inf"], ["-5", "-1", "0", "3", "+Inf"], ["1", "1.0", "2", "+Inf"],
                  ["1", "x", "+Inf"], ["", "2", "+Inf"], ["-Inf", "2", "+Inf"], ["1e-3", "0x10", "1_0", "+Inf"]]
        for i, bounds in enumerate(rng.sample(shapes, 3)):
            self.buckets("broken", {"case": str(i)}, bounds, rng.random() < 0.6)

    def utf8(self):
        self.add({"__name__": "my.metric", "label name": "a b", "job": "x"}, self.gauge())
        self.add({"__name__": "my.metric", "label name": "ü\"\\", "job": "y"}, self.gauge())
        self.add({"__name__": "температура", "instance": "a"}, self.gauge())

    def infos(self):
        for job in JOBS:
            for instance in INSTANCES:
                version = self.rng.choice(["1", "2"])
                self.add({"__name__": "target_info", "job": job, "instance": instance, "version": version},
                         [(t, 1.0) for t in self.times()])


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def for_answer(dataset):
    """The commands of answer.c."""
    lines = ["clear"]
    for labels, points in dataset.series:
        pairs = [quote(labels["__name__"])]
        pairs += [f"{quote(k)}={quote(v)}" for k, v in labels.items() if k != "__name__"]
        lines.append("series\t{" + ", ".join(pairs) + "}")
        lines += [f"at\t{t}\t{bits(value):x}" for t, value in points]
    return "\n".join(lines) + "\n"


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def chunk(field, payload):
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def for_remote_write(dataset):
    """A body of remote write 1.0: protobuf in one snappy literal after the other."""
    body = bytearray()
    for labels, points in dataset.series:
        series = bytearray()
        for name, value in sorted(labels.items(), key=lambda pair: pair[0].encode()):
            if value:
                series += chunk(1, chunk(1, name.encode()) + chunk(2, value.encode()))
        for t, value in points:
            series += chunk(2, b"\x09" + struct.pack("<Q", bits(value)) + b"\x10" + varint(t))
        body += chunk(1, bytes(series))
    out = bytearray(varint(len(body)))
    for at in range(0, len(body), 60000):
        piece = body[at:at + 60000]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)
