"""How long a page takes with drills beside it: the same pages alone and with drills at sixty times the speed of
life, in turns, against one alertd.

    python3 tests/bench/bench_drills.py [drills at once = 100] [turns = 3] [pages a turn = 40]

A page is a post to /api/v2/alerts, and the time until the person's webhook is called. What is printed is the
middle and the 95th of a hundred of both, and their ratio, as docs/bench.md has them. Every drill is begun
before its onset, runs at sixty whatever calls (slow_to 0), pages, and is ended; nothing of it may reach the
webhook. It takes two to four minutes.
"""

import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, Alertd, until  # noqa: E402
from receivers import Webhook  # noqa: E402

V1 = "/api/alertd/v1"
DRILLS = V1 + "/drills"
CONFIG = """
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", max_per_second: 0, digest_above: 0}}]
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1h}}
"""


def page(alertd, hook, name):
    before = len(hook.calls)
    began = time.time()
    alertd.post("/api/v2/alerts", [{"labels": {"alertname": name}, "endsAt": "2099-01-01T00:00:00Z"}])
    until(lambda: len(hook.calls) > before, 30, "the page")
    return (hook.calls[before]["at"] - began) * 1000


def begin(alertd, names, turn, n):
    """All of them stand at their onset before the first runs."""
    numbers = []
    for i in range(n):
        number = alertd.post(DRILLS, {"drill": names[(turn * n + i) % len(names)], "speed": 60, "seed": turn, "slow_to": 0, "start": "paused"})["id"]
        try:
            alertd.post(f"{DRILLS}/{number}/clock", {"jump": "onset"})
        except AssertionError as error:
            if "begun already" not in str(error):
                raise
        numbers.append(number)
    for number in numbers:
        alertd.post(f"{DRILLS}/{number}/clock", {"state": "running"})
    return numbers


def share(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def line(name, values):
    return f"  {name:24} middle {statistics.median(values):7.2f} ms   95th {share(values, 0.95):7.2f} ms   {len(values)} pages"


def row(name, alone, beside):
    return f"| {name}, ms | {alone:.1f} | {beside:.1f} | {beside / alone:.2f} |"


def main():
    at_once, turns, pages = (list(map(int, sys.argv[1:])) + [100, 3, 40][len(sys.argv) - 1:])[:3]
    names = sorted(path.stem for path in (ROOT / "drills").glob("*.drill"))
    alone, beside, paged, moments, ran = [], [], 0, 0, []
    with Webhook() as hook, Alertd(config=CONFIG.format(url=hook.url), flags=[
            f"--drills.path={ROOT}/drills", f"--drills.max-running={at_once}", f"--drills.max-per-person={at_once}"]) as alertd:
        page(alertd, hook, "warm")
        for turn in range(turns):
            for i in range(pages):
                alone.append(page(alertd, hook, f"alone-{turn}-{i}"))
                time.sleep(0.1)
            numbers = begin(alertd, names, turn, at_once)
            for i in range(pages):
                beside.append(page(alertd, hook, f"beside-{turn}-{i}"))
                time.sleep(0.1)
            states = [alertd.get(f"{DRILLS}/{number}") for number in numbers]
            ran.append(sum(state["state"] == "running" for state in states))
            paged, moments = paged + sum(len(state["pages"]) for state in states), moments + sum(len(state["moments"]) for state in states)
            for number in numbers:
                alertd.post(f"{DRILLS}/{number}/end", {})
        calls = len(hook.calls)
    expected = 1 + len(alone) + len(beside)
    print(f"{turns} times {at_once} drills at once at 60x, {min(ran)} of them still running at the last page: {moments} moments, "
          f"{paged} pages of drills, {calls - expected} of them at the webhook")
    print(line("alone", alone))
    print(line("with drills beside", beside))
    print("| | alone | with drills | ratio |\n|---|---|---|---|")
    print(row("middle", statistics.median(alone), statistics.median(beside)))
    print(row("95th", share(alone, 0.95), share(beside, 0.95)))
    return calls != expected or paged == 0


if __name__ == "__main__":
    sys.exit(main())
