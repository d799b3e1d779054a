"""How long a page takes with drills beside it: the same pages alone and with drills at sixty times the speed of
life, in turns, against one alertd.

    python3 tests/bench/bench_drills.py [drills in all = 100] [at once = 10] [pages a turn = 12]

A page is a post to /api/v2/alerts, and the time until the person's webhook is called. What is printed is the
middle and the 95th of a hundred of both, and their ratio. Every drill is begun before its onset, pages, and is
ended; nothing of it may reach the webhook.
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
    numbers = []
    for i in range(n):
        number = alertd.post(DRILLS, {"drill": names[(turn * n + i) % len(names)], "speed": 60, "seed": turn})["id"]
        try:
            alertd.post(f"{DRILLS}/{number}/clock", {"jump": "onset"})
        except AssertionError as error:
            if "begun already" not in str(error):
                raise
        numbers.append(number)
    return numbers


def share(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def line(name, values):
    return f"  {name:24} middle {statistics.median(values):7.2f} ms   95th {share(values, 0.95):7.2f} ms   {len(values)} pages"


def main():
    total, at_once, pages = (list(map(int, sys.argv[1:])) + [100, 10, 12][len(sys.argv) - 1:])[:3]
    names = sorted(path.stem for path in (ROOT / "drills").glob("*.drill"))
    alone, beside, paged, moments = [], [], 0, 0
    with Webhook() as hook, Alertd(config=CONFIG.format(url=hook.url), flags=[
            f"--drills.path={ROOT}/drills", f"--drills.max-running={at_once}", f"--drills.max-per-person={at_once}"]) as alertd:
        page(alertd, hook, "warm")
        for turn in range(total // at_once):
            for i in range(pages):
                alone.append(page(alertd, hook, f"alone-{turn}-{i}"))
                time.sleep(0.1)
            numbers = begin(alertd, names, turn, at_once)
            for i in range(pages):
                beside.append(page(alertd, hook, f"beside-{turn}-{i}"))
                time.sleep(0.2)
            for number in numbers:
                state = alertd.get(f"{DRILLS}/{number}")
                paged, moments = paged + len(state["pages"]), moments + len(state["moments"])
                alertd.post(f"{DRILLS}/{number}/end", {})
        calls = len(hook.calls)
    expected = 1 + len(alone) + len(beside)
    print(f"{total} drills at 60x, {at_once} at once: {moments} moments, {paged} pages of drills, {calls - expected} of them at the webhook")
    print(line("alone", alone))
    print(line("with drills beside", beside))
    print(f"  ratio                    middle {statistics.median(beside) / statistics.median(alone):7.2f}      95th {share(beside, 0.95) / share(alone, 0.95):7.2f}")
    return calls != expected or paged == 0


if __name__ == "__main__":
    sys.exit(main())
