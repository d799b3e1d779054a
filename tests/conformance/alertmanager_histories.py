#!/usr/bin/env python3
"""Generated histories of alerts, lived by a real Alertmanager and a real alertd at the same time: who is told what.

    alertmanager_histories.py [--histories=30] [--seed=1] [--wave=100] [--scale=1] [--keep=FILE]

Both have the same config (routes with continue and nesting, group_by of all kinds, mute and active intervals, inhibition, several
receivers) in seconds instead of minutes, take the same POSTs at the same moments and tell one recorder. Compared for each history
and each integration and group: the sequence of notifications, each as its status, its firing and its resolved members with their
labels and annotations, and how many were left out. Times are not compared but by their order.

What is generated keeps a distance: alerts and silences change at a second's SEND_AT, groups are flushed half a second later,
intervals and the clearing of empty groups (every 30 s since the start) lie between. A history that differs is lived again, alone
among others that differed; one that differs AGAIN times is a difference, one that does not was a matter of less than that distance.
A wave of which something was sent later than LATE_S is none: it is lived again (a busy machine). --scale=3 makes everything, those
distances too, three times as long; an even number would lay flushes on whole minutes.

Skipped (77) without Alertmanager (tests/lib/peer_programs.py). Differences that have a reason are in KNOWN and in
docs/conformance.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from daemon import Alertd, Program, free_port, request, until  # noqa: E402
from peer_programs import alertmanager_command  # noqa: E402
from receivers import Webhook  # noqa: E402

SEND_AT = 0.80     # of a second
START_AT = 0.80    # when both are started: they clear empty groups at this plus what a start takes
TICKS = 24         # seconds in which things happen
DRAIN_S = 12       # and in which the last is told
RESOLVE_TIMEOUT_S = 10
AGAIN = 2          # how often a history that differs is lived again
LATE_S = 0.4


class TooLate(Exception):
    """What had to be said is refused, since its time is over."""


# --- differences that have a reason: docs/conformance.md, "Notifications" ---


def has_two_sources(happens):
    """Alertmanager forgets that a target is inhibited when one of several alerts that inhibit it ends."""
    alerts = {json.dumps(what["labels"], sort_keys=True): what["labels"] for _, kind, what in happens if kind == "alert"}.values()
    mothers = [one for one in alerts if one["alertname"] == "Mother"]
    critical = [one["service"] for one in alerts if one["severity"] == "critical"]
    return (len(mothers) > 1 and any(one["severity"] == "info" for one in alerts)) or any(
        critical.count(one["service"]) > 1 for one in alerts if one["severity"] == "warning")


KNOWN = {"an inhibited alert with several that inhibit it": has_two_sources}

SHAPES = {  # name -> its routes below the root; HOLD: a group whose flush lies on whole seconds
    "plain": """
    - matchers: [shape="plain"]
      receiver: plain
      group_by: [history, alertname]
      group_wait: 1500ms
      group_interval: 2s
      repeat_interval: 5s
""",
    "together": """
    - match: {shape: together}
      receiver: plain
      group_by: [history]
      group_wait: 500ms
      group_interval: 3s
      repeat_interval: 7s
""",
    "each": """
    - match_re: {shape: each|apiece}
      receiver: plain
      group_by: ['...']
      group_wait: 500ms
      group_interval: 2s
      repeat_interval: 5s
""",
    "two": """
    - matchers: ['shape=~"two|three"', 'severity!="info"']
      receiver: copy
      continue: true
      group_by: [history]
      group_wait: 500ms
      group_interval: 2s
      repeat_interval: 9s
    - matchers: ['{shape="two"}']
      receiver: plain
      group_by: [history, service]
      group_wait: 1500ms
      group_interval: 3s
      repeat_interval: 8s
""",
    "nested": """
    - matchers: [shape="nested"]
      receiver: plain
      group_by: [history, alertname]
      group_wait: 1500ms
      group_interval: 2s
      repeat_interval: 7s
      routes:
        - matchers: [severity="critical"]
          receiver: both
          group_wait: 500ms
        - matchers: [severity=~"warn.*"]
          receiver: starts
          group_by: [history, service]
          repeat_interval: 5s
""",
    "at_once": """
    - matchers: [shape="at_once"]
      receiver: plain
      group_by: [history]
      group_wait: 0s
      group_interval: 3s
      repeat_interval: 7s
""",
    "muted": """
    - matchers: [shape="muted"]
      receiver: plain
      group_by: [history, service]
      group_wait: 500ms
      group_interval: 2s
      repeat_interval: 5s
      mute_time_intervals: [odd]
""",
    "active": """
    - matchers: [shape="active"]
      receiver: plain
      group_by: [history]
      group_wait: 500ms
      group_interval: 3s
      repeat_interval: 7s
      active_time_intervals: [odd, never]
""",
    "silent": """
    - matchers: [shape="silent"]
      receiver: plain
      group_by: [history]
      group_wait: 500ms
      group_interval: 2s
      repeat_interval: 5s
      mute_time_intervals: [always]
""",
    "few": """
    - matchers: [shape="few"]
      receiver: few
      group_by: [history]
      group_wait: 500ms
      group_interval: 2s
      repeat_interval: 5s
""",
}

CONFIG = """
global:
  resolve_timeout: 10s
route:
  receiver: nobody
  group_by: [history]
  routes:
{routes}
receivers:
  - name: nobody
  - name: plain
    webhook_configs: [{{url: "{url}/plain", send_resolved: true}}]
  - name: copy
    webhook_configs: [{{url: "{url}/copy"}}]
  - name: both
    webhook_configs: [{{url: "{url}/both_0"}}, {{url: "{url}/both_1", send_resolved: false}}]
  - name: starts
    webhook_configs: [{{url: "{url}/starts", send_resolved: false}}]
  - name: few
    webhook_configs: [{{url: "{url}/few", max_alerts: 1}}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [history, service]
  - source_matchers: [alertname="Mother"]
    target_matchers: ['alertname!="Mother"', 'severity="info"']
    equal: [history]
time_intervals:
  - name: odd
    time_intervals: [{{times: [{odd}]}}]
  - name: always
    time_intervals: [{{}}]
  - name: never
    time_intervals: [{{years: ['1999']}}]
"""


def odd_minutes():
    """Every second minute of the two hours around now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    first = now.hour * 60 + now.minute - 10
    spans = [(minute, minute + 1) for minute in range(max(first, 0), min(first + 110, 1439)) if minute % 2]
    return ", ".join(f"{{start_time: '{a // 60:02}:{a % 60:02}', end_time: '{b // 60:02}:{b % 60:02}'}}" for a, b in spans)


def unpaced(config):
    """As fast as Alertmanager, and without digests."""
    return config.replace("{url: ", "{max_per_second: 0, digest_above: 0, url: ")


class Alertmanager(Program):
    name = "alertmanager"

    def __init__(self, config):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.folder / "config.yml").write_text(config)

    def command(self):
        return alertmanager_command(f"--config.file={self.folder}/config.yml", f"--storage.path={self.folder}/data",
                                    f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=", "--log.level=warn")

    def wait_ready(self):
        def ready():
            assert self.alive(), f"Alertmanager ended:\n{self.log()[-2000:]}"
            try:
                return request("GET", f"{self.url}/-/ready", timeout=2).status == 200
            except OSError:
                return False
        until(ready, 30, "Alertmanager is ready")


# --- what happens in a history: [(second, kind, what)], seconds from its beginning ---


def life(chance, labels, late):
    """Posts of one alert, in one of the manners of those who send."""
    manner = chance.choice(["renewed", "renewed", "bare", "spans"])
    posts, start = [], late + chance.randrange(0, 6)
    for again in range(chance.choice([1, 1, 1, 2])):
        end = start + chance.randrange(2, 10)
        told = {"from": start} if manner != "bare" else {}
        if manner == "spans":
            posts.append((start, {"labels": labels, **told, "until": end, "annotations": {"summary": f"round {again}"}}))
        else:
            step = chance.choice([2, 3, 4])
            for number, at in enumerate(range(start, end, step)):
                words = {"summary": f"round {again}", **({"seen": str(number)} if chance.random() < 0.3 else {})}
                posts.append((at, {"labels": labels, **told, "annotations": words, **({"until": at + 8} if manner == "renewed" else {})}))
            if chance.random() < 0.8:  # else its time passes
                posts.append((end, {"labels": labels, **told, "until": end, "annotations": {"summary": f"round {again}"}}))
        start = end + chance.randrange(1, 7)
    return [(at, "alert", post) for at, post in posts if at < TICKS]


def history(seed, number):
    chance = random.Random(f"{seed}/{number}")
    shape = chance.choice(sorted(SHAPES))
    base = {"shape": shape}
    happens = []
    for one in range(chance.choice([1, 2, 2, 3, 4])):
        labels = {**base, "alertname": chance.choice(["Mother", "Down", "Slow"]), "service": chance.choice(["web", "db"]),
                  "severity": chance.choice(["critical", "warning", "info"]), "instance": f"host-{one}"}
        happens += life(chance, labels, 0)
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
        start = chance.randrange(0, 14)
        end = start + chance.randrange(2, 10)
        matcher = chance.choice([("service", "web", False, True), ("alertname", "Mother|Slow", True, True), ("severity", "critical", False, False),
                                 ("alertname", ".+", True, True)])
        # one that is deleted, or one that ends by itself
        happens.append((start, "silence", {"matcher": matcher, "until": end + (100 if chance.random() < 0.5 else 0), "deleted": end}))
    if shape == "at_once":  # its group begins with one alert, at a whole second, and is flushed at whole seconds while that lasts
        first = min((at for at, kind, _ in happens if kind == "alert"), default=0)
        labels = {**base, "alertname": "Slow", "service": "cache", "severity": "critical", "instance": "host-9"}
        happens = [(max(at, first) + 0.5, kind, what) for at, kind, what in happens]
        happens.append((first, "alert", {"labels": labels, "from": first, "until": TICKS + 60, "annotations": {"summary": "lasts"}}))
    return sorted(happens, key=lambda one: (one[0], one[1] == "alert"))


# --- living them ---


def instant(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Wave:
    """Histories that are lived at once, by both servers."""

    def __init__(self, servers, names, histories, scale):
        self.servers, self.names, self.histories, self.scale = servers, names, histories, scale
        self.silences = {}  # (server, name, start, matcher) -> id
        self.late_s = 0

    def at_both(self, call):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(call, self.servers))

    def post(self, server, path, body):
        reply = request("POST", server.url + path, body)
        if reply.status == 400 and "in the past" in str(reply):
            raise TooLate
        assert reply.status == 200, f"{server.name}: {path}: {reply}"
        return reply

    def silence(self, server, name, what, start, began):
        label, value, is_regex, is_equal = what["matcher"]
        matchers = [{"name": "history", "value": name, "isRegex": False, "isEqual": True},
                    {"name": label, "value": value, "isRegex": is_regex, "isEqual": is_equal}]
        reply = self.post(server, "/api/v2/silences", {"matchers": matchers, "startsAt": instant(began + start * self.scale), "endsAt": instant(began + what["until"] * self.scale),
                                                       "createdBy": "test", "comment": "of a history"})
        self.silences[server, name, start, what["matcher"]] = reply.json["silenceID"]

    def lift(self, server, name, what, start):
        known = self.silences.get((server, name, start, what["matcher"]))
        reply = request("DELETE", f"{server.url}/api/v2/silence/{known}")
        # one that ended by itself meanwhile
        assert reply.status in (200, 400, 404, 500), reply

    def alerts_of(self, at, began):
        def whole(name, post):
            return {"labels": {**post["labels"], "history": name}, "annotations": post["annotations"],
                    **({"startsAt": instant(began + post["from"] * self.scale)} if "from" in post else {}),
                    **({"endsAt": instant(began + post["until"] * self.scale)} if "until" in post else {})}
        return [whole(name, what) for name, happens in zip(self.names, self.histories) for when, kind, what in happens
                if kind == "alert" and when == at]

    def moment(self, at, began):
        alerts = self.alerts_of(at, began)

        def tell(server):
            for name, happens in zip(self.names, self.histories):
                for when, kind, what in happens:
                    if kind == "silence" and when == at:
                        self.silence(server, name, what, when, began)
                    elif kind == "silence" and what["deleted"] == int(at) and when % 1 == at % 1:
                        self.lift(server, name, what, when)
            if alerts:
                self.post(server, "/api/v2/alerts", alerts)

        self.at_both(tell)
        self.late_s = max(self.late_s, time.time() - began - at * self.scale)

    def close(self, at, began):
        """Whatever still fires is over, in the words it had."""
        last = {json.dumps({**what["labels"], "history": name}, sort_keys=True): (when, what) for name, happens in zip(self.names, self.histories)
                for when, kind, what in happens if kind == "alert"}
        body = [{"labels": json.loads(labels), "annotations": what["annotations"], "endsAt": instant(began + at * self.scale)}
                for labels, (when, what) in last.items()
                if what.get("until", when + RESOLVE_TIMEOUT_S) > at and (what["labels"]["shape"] == "at_once") == (at % 1 > 0)]
        self.at_both(lambda server: self.post(server, "/api/v2/alerts", body))

    def live(self):
        """By how much it was late at its worst; infinite when something could not be said any more."""
        try:
            return self.live_on_time()
        except TooLate:
            time.sleep((TICKS + DRAIN_S + RESOLVE_TIMEOUT_S) * self.scale)  # until what it began is over
            return float("inf")

    def live_on_time(self):
        now = time.time()
        began = int(now) + SEND_AT + (1 if now % 1 < SEND_AT - 0.1 else 2) - 1
        for half in range(2 * TICKS):
            wait_until(began + half / 2 * self.scale)
            self.moment(half / 2 if half % 2 else half // 2, began)
        for at in (TICKS, TICKS + 0.5):  # as in history()
            wait_until(began + at * self.scale)
            self.close(at, began)
        time.sleep(DRAIN_S * self.scale)
        return self.late_s


def scaled(config, scale):
    return re.sub(r"(?<=: )(\d+)(ms|s)$", lambda found: f"{int(found[1]) * scale}{found[2]}", config, flags=re.M)


def wait_until(at):
    left = at - time.time()
    if left > 0:
        time.sleep(left)


# --- what was told ---


def members(payload, status):
    return sorted(json.dumps([one["labels"], one["annotations"]], sort_keys=True) for one in payload["alerts"] if one["status"] == status)


def told(calls, side):
    """history -> {(integration, group): [notification, ...]}"""
    by_history = {}
    for call in calls:
        _, whose, integration = call["path"].split("/")
        payload = call["body"]
        if whose != side:
            continue
        name = payload["groupLabels"].get("history") or payload["alerts"][0]["labels"]["history"]
        one = {"status": payload["status"], "receiver": payload["receiver"], "labels": payload["groupLabels"], "firing": members(payload, "firing"),
               "resolved": members(payload, "resolved"), "truncated": payload["truncatedAlerts"]}
        if integration == "few":  # which are left out is each one's own, and the status is that of those that are not
            one = {**one, "status": "", "firing": [], "resolved": [], "truncated": ""}
        by_history.setdefault(name, {}).setdefault((integration, payload["groupKey"]), []).append((call["at"], one))
    return by_history


def bare(groups):
    """Without times; of those that are over the labels alone, and only those that were told as firing (docs/conformance.md)."""
    return {key: known_ends([one for _, one in sequence]) for key, sequence in groups.items()}


def known_ends(sequence):
    seen, told_of = set(), []
    for one in sequence:
        seen |= {labels_of(member) for member in one["firing"]}
        told_of.append({**one, "resolved": sorted({labels_of(member) for member in one["resolved"]} & seen)})
    return told_of


def labels_of(member):
    return json.dumps(json.loads(member)[0], sort_keys=True)


def same_end(theirs, ours):
    """The end of a group of which Alertmanager names only alerts that nobody was told of, and alertd those that were (docs/conformance.md)."""
    rest = [key for key in theirs if key != "resolved"]
    return not theirs["firing"] and not theirs["resolved"] and all(theirs[key] == ours[key] for key in rest)


def alike(theirs, ours):
    theirs, ours = bare(theirs), bare(ours)
    return theirs.keys() == ours.keys() and all(
        len(theirs[key]) == len(ours[key]) and all(a == b or same_end(a, b) for a, b in zip(theirs[key], ours[key])) for key in theirs)


def difference(name, theirs, ours):
    lines = []
    for key in sorted(set(theirs) | set(ours)):
        a, b = theirs.get(key, []), ours.get(key, [])
        if alike({key: a}, {key: b}):
            continue
        lines.append(f"  {key[0]} {key[1]}")
        for side, sequence in (("Alertmanager", a), ("alertd", b)):
            lines += [f"    {side:12} {at % 1000:7.2f} {one['status']:8} firing {one['firing']} resolved {one['resolved']} left out {one['truncated']}"
                      for at, one in sequence] or [f"    {side:12} nothing"]
    return f"history {name}:\n" + "\n".join(lines)


def run(servers, hook, histories, options):
    """{number: words} of those that differ each time they are lived."""
    waiting, lived, words, again, patience = list(histories), 0, {}, {}, 12
    while waiting:
        numbers, waiting = waiting[:options.wave], waiting[options.wave:]
        lived += 1
        names = {number: f"{number}-{lived}" for number in numbers}
        late_s = Wave(servers, list(names.values()), [histories[number] for number in numbers], options.scale).live()
        if late_s > LATE_S * options.scale:
            print(f"# too late by {late_s:.2f} s: {len(numbers)} histories are lived again", flush=True)
            waiting = numbers + waiting
            patience -= 1
            if patience == 0:
                print("skipped: the machine is too busy, nothing was compared")
                sys.exit(77)
            continue
        calls = list(hook.calls)
        theirs, ours = told(calls, "am"), told(calls, "ours")
        n_told = sum(len(sequence) for name in names.values() for sequence in theirs.get(name, {}).values())
        differ = [n for n in numbers if not alike(theirs.get(names[n], {}), ours.get(names[n], {}))]
        print(f"# lived {len(numbers)} histories, {n_told} notifications; {len(differ)} differ", flush=True)
        for number in numbers:
            if number not in differ:
                words.pop(number, None)
                continue
            words[number] = difference(names[number], theirs.get(names[number], {}), ours.get(names[number], {}))
            again[number] = again.get(number, 0) + 1
            print("\n".join("# " + line for line in words[number].split("\n")), flush=True)
            if again[number] <= AGAIN:
                waiting.append(number)
    return words, again


def start_both(url, scale):
    config = {side: scaled(CONFIG, scale).format(routes=scaled("".join(SHAPES.values()), scale), url=f"{url}/{side}", odd=odd_minutes()) for side in ("am", "ours")}
    theirs, ours = Alertmanager(config["am"]), Alertd(config=unpaced(config["ours"]), auth="off")
    wait_until(int(time.time()) + 1 + START_AT)
    theirs.start()
    ours.start(wait=False)
    return theirs, ours


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--histories", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("WATCHBILL_SEED", "1")))
    parser.add_argument("--wave", type=int, default=100, help="how many at once")
    parser.add_argument("--scale", type=int, default=1, help="how many times as long everything takes")
    parser.add_argument("--only", type=int, nargs="+", default=None, help="histories by their numbers")
    parser.add_argument("--keep", default=None, help="a file for every notification")
    options = parser.parse_args()
    if not alertmanager_command():
        print("skipped: no prometheus-alertmanager (WATCHBILL_PEERS)")
        return 77
    numbers = options.only or range(options.histories)
    histories = {number: history(options.seed, number) for number in numbers}
    with Webhook() as hook:
        theirs, ours = start_both(f"http://127.0.0.1:{hook.port}", options.scale)
        try:
            theirs.wait_ready()
            ours.wait_ready()
            words, again = run([theirs, ours], hook, histories, options)
        finally:
            ours.close()
            theirs.close()
        if options.keep:
            pathlib.Path(options.keep).write_text("\n".join(json.dumps({k: call[k] for k in ("at", "path", "body")}) for call in hook.calls))
    unexplained = {number: text for number, text in words.items() if not any(is_it(histories[number]) for is_it in KNOWN.values())}
    for number in sorted(set(words) - set(unexplained)):
        print(f"# history {number} of seed {options.seed}: {', '.join(name for name, is_it in KNOWN.items() if is_it(histories[number]))}")
    for number in sorted(unexplained):
        print(f"not ok - seed {options.seed} {unexplained[number]}")
    print(f"{len(histories) - len(words)} of {len(histories)} histories told alike ({len(again) - len(words)} of them when lived again), "
          f"{len(words) - len(unexplained)} differ with a reason, {len(unexplained)} without (seed {options.seed})")
    return 1 if unexplained or not histories else 0


if __name__ == "__main__":
    sys.exit(main())
