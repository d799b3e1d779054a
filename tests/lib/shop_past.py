"""The past of a shop that two tests of the tuner look at: a sample every 30 s for so many hours.

    latency_seconds, up of jobs a and b    slow for a quarter of an hour of every four, not at once
    flapping                               to and fro, for a while higher
    disk_free_bytes, disk_size_bytes       nearly full once
"""

import math


def samples(end_s, hours):
    """(series, value as text, second)"""
    for i in range(hours * 120):
        t_s = end_s - hours * 3600 + i * 30
        for job, lag in (("a", 0), ("b", 700)):
            hour = (i * 30 + lag) % 14400
            yield f'latency_seconds{{job="{job}"}}', f"{1 + 3 * (hour < 900) * (1 + math.sin(i)):.3f}", t_s
            yield f'up{{job="{job}"}}', "1", t_s
        yield "flapping", str(4 + 2 * (i % 2) if 1000 < i < 1100 else 1 + i % 2), t_s
        yield "disk_size_bytes", "100", t_s
        yield "disk_free_bytes", str(50 - 45 * (1000 < i < 1100)), t_s


def push(alertd, end_s, hours):
    lines = [f"{series} {value} {t_s * 1000}" for series, value, t_s in samples(end_s, hours)]
    for at in range(0, len(lines), 20000):
        alertd.push("\n".join(lines[at:at + 20000]))


def openmetrics(end_s, hours):
    """The same as a text that alertctl imports, from farther back than anybody may push."""
    families = {}
    for series, value, t_s in samples(end_s, hours):
        families.setdefault(series.partition("{")[0], {}).setdefault(series, []).append(f"{series} {value} {t_s}\n")
    return "".join("".join(lines) for family in families.values() for lines in family.values()) + "# EOF\n"
