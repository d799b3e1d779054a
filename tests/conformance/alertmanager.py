#!/usr/bin/env python3
"""Alertmanager's own cases: configurations, matchers, time intervals, routes, acceptance.

usage: alertmanager.py PROGRAM FOLDER

Each kind has a floor: fewer cases than it pass and the test fails. What is apart (a kind of
receiver nobody here delivers, steps the driver does not know) is counted and named.
"""
import collections
import datetime
import json
import os
import re
import subprocess
import sys

SKIP = 77
FLOORS = {"config": 22, "matchers": 79, "interval": 19, "walk": 8, "history": 6}


def ask(program, questions):
    text = "".join(json.dumps(question) + "\n" for question in questions)
    out = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    return out.splitlines()


def cases(folder, name):
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        return json.load(file)["cases"]


def config_cases(folder):
    for case in cases(folder, "config-load"):
        text = case["config"] if "config" in case else None
        if text is None or text.endswith(".yml"):
            name = case.get("file", text)
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
        refused = case["error"] is not None or case.get("must_load") is False
        yield case["id"], {"op": "config", "text": text}, not refused


def matcher_cases(folder):
    for name, grammar in (("matchers-compliance", 1), ("matchers-utf8", 2)):
        for case in cases(folder, name):
            want = None
            if not case["error"]:
                found = case["expected"] or []
                found = found if isinstance(found, list) else [found]
                want = [part for one in found for part in (one["op"], one["name"], one["value"])]
            if case["error"] == "no matchers":
                want = []  # whoever wants one matcher counts them
            yield case["id"], {"op": "matchers", "text": case["input"], "grammar": grammar}, want


def milliseconds(text):
    return int(datetime.datetime.strptime(text, "%d %b %y %H:%M %z").timestamp() * 1000)


def interval_cases(folder):
    for name in ("time-intervals", "time-intervals-complete"):
        for case in cases(folder, name):
            text = case["in"]
            if name.endswith("complete"):
                lines = [line for line in text.splitlines() if line.strip() and line != "---"]
                text = "- " + "\n  ".join(lines)
            inside = case.get("contains") or []
            outside = case.get("excludes") or []
            want = None if case.get("expectError") else \
                [True] * len(inside) + [False] * len(outside)
            yield case["id"], {"op": "interval", "text": text,
                               "at_ms": [milliseconds(at) for at in inside + outside]}, want


def range_cases(folder):
    """Minutes of a day: held from the first to the last one, and at no other minute."""
    for case in cases(folder, "time-ranges"):
        span = case["TimeRange"]
        want = None if case["expectError"] else \
            [span["StartMinute"] <= minute < span["EndMinute"] for minute in range(1440)]
        yield case["id"], {"op": "interval", "text": "- times: [%s]" % case["timeString"],
                           "at_ms": [minute * 60000 for minute in range(1440)]}, want


def whole_file(route):
    names = sorted(set(re.findall(r"receiver: *['\"]?([\w-]+)", route)))
    receivers = "".join("  - name: %s\n" % name for name in names)
    return "receivers:\n" + receivers + "route:\n" + \
        "".join("  " + line + "\n" for line in route.splitlines())


def walk_cases(folder):
    for case in cases(folder, "route-match"):
        want = [list(pair) for pair in zip(case["receivers"], case["keys"])]
        yield case["id"], {"op": "walk", "text": whole_file(case["config"]),
                           "labels": case["labels"]}, want
    for case in cases(folder, "routing-test"):
        name = case["configFile"].replace("testdata/", "cli-testdata/")
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        yield case["id"], {"op": "walk", "text": text, "labels": case["alert"]}, \
            [[name, None] for name in case["expectedReceivers"]]


def span(case_args):
    active = case_args.get("active") or []
    return active[0] if active else 0, active[1] if len(active) > 1 else None


def begins_later(config, alerts, want):
    """The first batch is wanted later than group_wait allows: the case is about something that
    its configuration does not say (a server that holds back after its start, a receiver that
    fails the first time)."""
    wait = float(re.search(r"group_wait: *([0-9.]+)s", config)[1])
    return min(between[0] for between, _ in want) > \
        min(alert["at_ms"] for alert in alerts) / 1000 + wait + 0.5


def history_cases(folder):
    for case in cases(folder, "acceptance"):
        alerts, want, silences = [], [], []
        known = True
        for step in case["steps"]:
            at, rest = step["args"][0], step["args"][1:]
            if step["do"].endswith(".push"):
                for one in rest:
                    start, end = span(one)
                    alerts.append({"at_ms": int(at["at"][0] * 1000), "labels": one["labels"],
                                   "starts_at_ms": int(start * 1000),
                                   "ends_at_ms": int(end * 1000) if end else 0})
            elif step["do"].endswith(".setsilence") and set(rest[0]) == {"silence", "match"}:
                begin, end = rest[0]["silence"]
                pairs = iter(rest[0]["match"])
                silences.append({"starts_at_ms": int(max(begin, at["at"][0]) * 1000),
                                 "ends_at_ms": int(end * 1000),
                                 "matchers": ['%s="%s"' % pair for pair in zip(pairs, pairs)]})
            elif step["do"].endswith(".want") and "between" in at:
                want.append((at["between"], rest))
            else:
                known = False
        text = case.get("config") or ""
        if not known or not want or "%s" not in text or begins_later(text, alerts, want):
            yield case["id"], None, None
            continue
        alerts.sort(key=lambda alert: alert["at_ms"])
        until = max(between[1] for between, _ in want) * 1000
        yield case["id"], {"op": "history", "text": text.replace("%s", "127.0.0.1:9"),
                           "alerts": alerts, "silences": silences, "until_ms": int(until)}, want


def same_history(got, want):
    """Every batch that is wanted came within its window; nothing else came."""
    left = [(at, firing, resolved) for at, _, firing, resolved in got]
    for (begin, end), batch in want:
        firing = [one["labels"] for one in batch if not span(one)[1]]
        over = [one["labels"] for one in batch if span(one)[1]]
        key = lambda labels: sorted(labels.items())
        for note in left:
            if begin * 1000 - 150 <= note[0] <= end * 1000 + 150 and \
               sorted(note[1], key=key) == sorted(firing, key=key) and \
               sorted(note[2], key=key) == sorted(over, key=key):
                left.remove(note)
                break
        else:
            return False
    return not left


def agrees(kind, reply, want):
    good = reply.startswith("ok ")
    if kind == "config":
        return good == want
    if want is None or not good:
        return good == (want is not None)
    got = json.loads(reply[3:])
    if kind == "history":
        return same_history(got, want)
    if kind == "walk":
        return len(got) == len(want) and all(
            one[0] == other[0] and other[1] in (None, one[1]) for one, other in zip(got, want))
    return got == want


def is_apart(kind, reply):
    """It has a receiver of a kind that nobody here delivers, and that is what was said of it."""
    return kind == "config" and "are not delivered here" in reply


def main():
    program, folder = sys.argv[1:3]
    if not os.path.isdir(folder):
        print("skipped: there is no " + folder)
        return SKIP
    kinds = {"config": config_cases, "matchers": matcher_cases, "interval": lambda f: [*interval_cases(f), *range_cases(f)],
             "walk": walk_cases, "history": history_cases}
    failed = False
    for kind, make in kinds.items():
        found = list(make(folder))
        asked = [case for case in found if case[1]]
        for name in (case[0] for case in found if not case[1]):
            print("apart  %s %s: needs more than its configuration and alerts" % (kind, name))
        count = collections.Counter(apart=len(found) - len(asked))
        for (name, question, want), reply in zip(asked, ask(program, [c[1] for c in asked])):
            if is_apart(kind, reply):  # refused for a reason of ours, whatever was wanted
                count["apart"] += 1
                print("apart  %s %s: %s" % (kind, name, reply))
            elif agrees(kind, reply, want):
                count["passed"] += 1
            else:
                count["failed"] += 1
                print("failed %s %s: wanted %s, got %s" % (kind, name, want, reply[:600]))
        print("%s: %d passed, %d failed, %d apart" %
              (kind, count["passed"], count["failed"], count["apart"]))
        failed |= count["failed"] > 0 or count["passed"] < FLOORS[kind]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
