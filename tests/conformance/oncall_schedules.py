#!/usr/bin/env python3
"""Who is on call, minute by minute, by other code than ours and other zone data than ours.

    oncall_schedules.py ANSWER [--cases N] [--seed S]

Random schedules around the dates on which clocks do something unusual are given to ANSWER
(oncall_answer.c) and worked out again here by brute force: Python's zoneinfo says what the wall
clock shows in each minute, and the only notion used is the LATEST local time the wall has shown
so far. A turn, or a window, has begun once that reached its local beginning: this gives gaps
and overlaps their meaning without any arithmetic on instants.
"""

import argparse
import bisect
import calendar
import datetime as dt
import functools
import json
import random
import subprocess
import sys
import tempfile
import zoneinfo

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1)
MINUTE_MS = 60_000
DAY = 1440
UNITS = {"hours": 60, "days": DAY, "weeks": 7 * DAY}
DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

# Where the wall clock does something: zone, day about which it happens.
PLACES = [
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("Europe/Berlin", "2028-02-29"),
    ("Europe/Berlin", "2150-03-29"), ("Europe/Dublin", "2026-10-25"), ("Europe/London", "2060-10-31"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"), ("America/New_York", "2000-02-29"),
    ("America/Santiago", "2026-04-05"), ("America/Santiago", "2026-09-06"), ("America/St_Johns", "2026-11-01"),
    ("America/Caracas", "2016-05-01"), ("America/Nuuk", "2023-03-26"), ("America/Sao_Paulo", "2018-11-04"),
    ("Australia/Lord_Howe", "2026-10-04"), ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Adelaide", "2040-10-07"),
    ("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21"), ("Pacific/Chatham", "2026-09-27"),
    ("Asia/Pyongyang", "2018-05-04"), ("Asia/Kolkata", "2026-02-28"), ("Asia/Kathmandu", "2024-02-29"),
    ("Asia/Tehran", "2022-09-21"), ("Asia/Gaza", "2026-03-28"), ("Africa/Cairo", "2026-04-24"),
    ("Africa/Casablanca", "2026-02-15"), ("Africa/Casablanca", "2026-03-22"), ("Antarctica/Troll", "2026-03-29"),
    ("Antarctica/Casey", "2010-03-05"), ("Atlantic/Azores", "2026-10-25"), ("UTC", "2099-12-31"),
]


def local_minute(text):
    return int((dt.datetime.fromisoformat(text) - EPOCH).total_seconds() // 60)


@functools.lru_cache(maxsize=None)
def walls_of_day(zone, day):
    """The local minute the wall shows in each UTC minute of a day."""
    tz = zoneinfo.ZoneInfo(zone)
    walls = []
    for minute in range(day * DAY, (day + 1) * DAY):
        offset = (EPOCH + dt.timedelta(minutes=minute)).replace(tzinfo=UTC).astimezone(tz).utcoffset()
        walls.append(minute + offset.days * DAY + offset.seconds // 60)
    return walls


def latest_walls(zone, first, last):
    """For each UTC minute in [first, last): the latest local minute shown until then."""
    best, walls = -(10 ** 12), []
    for minute in range(first - 2 * DAY, last):
        best = max(best, walls_of_day(zone, minute // DAY)[minute % DAY])
        if minute >= first:
            walls.append(best)
    return walls


def month_starts(anchor, every, around):
    """Local minutes of hand-offs by months, from far before to far behind."""
    begin = EPOCH + dt.timedelta(minutes=anchor)
    starts = []
    for turn in range(-60, 60):
        months = begin.year * 12 + begin.month - 1 + turn * every
        year, month = months // 12, months % 12 + 1
        day = min(begin.day, calendar.monthrange(year, month)[1])
        starts.append((turn, (dt.datetime(year, month, day, begin.hour, begin.minute) - EPOCH) // dt.timedelta(minutes=1)))
    assert starts[0][1] < around < starts[-1][1]
    return starts


class Layer:
    def __init__(self, spec, around):
        self.spec = spec
        rotation = spec["rotation"]
        self.people = rotation["people"]
        self.starts = None
        if rotation["unit"] == "months":
            self.starts = month_starts(local_minute(rotation["first_turn"]), rotation["every"], around)

    def turn(self, wall):
        rotation = self.spec["rotation"]
        if rotation["unit"] == "always":
            return 0
        if self.starts:
            return self.starts[bisect.bisect_right([s for _, s in self.starts], wall) - 1][0]
        return (wall - local_minute(rotation["first_turn"])) // (UNITS[rotation["unit"]] * rotation["every"])

    def is_open(self, wall):
        if not self.spec["windows"]:
            return True
        for window in self.spec["windows"]:
            begin, end = (int(window[k][:2]) * 60 + int(window[k][3:5]) for k in ("from", "to"))
            length = end - begin if end > begin else end - begin + DAY
            for day in (wall // DAY - 2, wall // DAY - 1, wall // DAY):
                weekday = DAYS[(day + 4) % 7]
                if weekday in window["weekdays"] and day * DAY + begin <= wall < day * DAY + begin + length:
                    return True
        return False

    def who(self, minute, wall):
        spec = self.spec
        if "starts_at" in spec and minute < to_minute(spec["starts_at"]):
            return None
        if "ends_at" in spec and minute >= to_minute(spec["ends_at"]):
            return None
        if not self.is_open(wall):
            return None
        return self.people[self.turn(wall) % len(self.people)]


def to_minute(text):
    return int(dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() // 60)


def of_minute(minute):
    return (EPOCH + dt.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def stand_in(people, new, old, why):
    if old is not None and old not in people:
        return people
    if old is None:
        return {new: why}
    rest = {p: w for p, w in people.items() if p != old}
    rest.setdefault(new, why)
    return rest


def override(people, one, minute):
    now = to_minute(one["from"]) <= minute < to_minute(one["to"])
    kind = one["kind"]
    if kind == "replace" and now:
        return stand_in(people, one["person"], one.get("of"), "override")
    if kind == "add" and now:
        return {**people, **({} if one["person"] in people else {one["person"]: "override"})}
    if kind == "remove" and now:
        return {} if "of" not in one else {p: w for p, w in people.items() if p != one["of"]}
    if kind == "swap":
        if now:
            people = stand_in(people, one["person"], one["of"], "swap")
        if to_minute(one["other_from"]) <= minute < to_minute(one["other_to"]):
            people = stand_in(people, one["of"], one["person"], "swap")
    return people


def expected(schedule, first, last, walls):
    """Two lists: who is on call after all, and by rotation alone, minute by minute."""
    layers = [Layer(spec, walls[0]) for spec in schedule["layers"]]
    finals, rotations = [], []
    for minute, wall in zip(range(first, last), walls):
        there = [(layer.spec["level"], layer.who(minute, wall)) for layer in layers]
        there = [(level, person) for level, person in there if person]
        top = max((level for level, _ in there), default=0)
        people = {person: "layer" for level, person in there if level == top}
        rotations.append(people)
        for one in schedule["overrides"]:
            people = override(people, one, minute)
        finals.append(people)
    return finals, rotations


def random_layer(rng, number, day, people):
    unit = rng.choice(["hours", "days", "days", "weeks", "weeks", "months", "always"])
    rotation = {"unit": unit, "people": [rng.choice(people + [None]) if rng.random() < 0.2 else p
                                         for p in rng.sample(people, rng.randint(1, len(people)))]}
    if unit != "always":
        begin = dt.datetime.fromisoformat(day) + dt.timedelta(days=rng.choice([-1000, -100, -31, -7, -3, 0, 2, 400]))
        begin += dt.timedelta(minutes=rng.choice([0, 0, 30, 60, 90, 120, 150, 180, 540, 1020, 1380, 1425]))
        rotation["every"] = rng.choice({"hours": [1, 2, 5, 6, 8, 12, 100], "days": [1, 1, 2, 3],
                                        "weeks": [1, 1, 2], "months": [1, 2, 3]}[unit])
        rotation["first_turn"] = begin.strftime("%Y-%m-%dT%H:%M")
    windows = []
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        times = [f"{rng.choice([0, 1, 2, 2, 3, 6, 9, 12, 17, 22, 23]):02d}:{rng.choice([0, 0, 15, 30]):02d}" for _ in range(2)]
        if rng.random() < 0.1:
            times[1] = "24:00"
        windows.append({"weekdays": rng.sample(DAYS, rng.randint(1, 7)), "from": times[0], "to": times[1]})
    layer = {"name": f"layer {number}", "level": rng.randint(0, 2), "rotation": rotation, "windows": windows}
    return layer


def random_spans(rng, first, last):
    begin = rng.randrange(first, last)
    return of_minute(begin), of_minute(begin + rng.choice([1, 30, 60, 480, DAY, 3 * DAY]))


def random_override(rng, number, first, last, people):
    kind = rng.choice(["replace", "replace", "add", "remove", "swap"])
    one, other = rng.sample(people, 2)
    begin, end = random_spans(rng, first, last)
    made = {"id": f"o{number}", "kind": kind, "from": begin, "to": end}
    if kind != "remove":
        made["person"] = one
    if kind == "swap" or (kind in ("replace", "remove") and rng.random() < 0.6):
        made["of"] = other
    if kind == "swap":
        made["other_from"], made["other_to"] = random_spans(rng, first, last)
    return made


def random_case(rng, number):
    zone, day = PLACES[number % len(PLACES)]
    people = ["ann", "bob", "cat", "dan"]
    middle = local_minute(day)
    first = middle - rng.choice([1, 1, 2]) * DAY + rng.choice([0, 7, 601])
    last = middle + rng.choice([2, 2, 3, 9]) * DAY
    layers = [random_layer(rng, i, day, people) for i in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        layers[0]["starts_at"] = of_minute(rng.randrange(first, last))
    if rng.random() < 0.3 and "starts_at" not in layers[-1]:
        layers[-1]["ends_at"] = of_minute(last - rng.randrange(0, DAY))
    overrides = [random_override(rng, i, first, last, people) for i in range(rng.choice([0, 1, 2, 4]))]
    schedule = {"name": "s", "zone": zone, "layers": layers, "overrides": overrides}
    begin, end = random_spans(rng, first, last)
    shadow = {"id": "x", "person": "eve", "target_kind": "person", "target": "ann", "from": begin, "to": end, "mode": "observe"}
    roster = {"people": [{"name": p} for p in [*people, "eve"]], "schedules": [schedule], "shadows": [shadow]}
    return roster, first, last


def spread(spans, first, last, key="person"):
    """A lane minute by minute: {person: why}."""
    lane = [{} for _ in range(first, last)]
    for span in spans:
        for minute in range(to_minute(span["from"]), to_minute(span["to"])):
            if span[key] in lane[minute - first]:
                raise AssertionError(f"{span[key]} twice at {of_minute(minute)}")
            lane[minute - first][span[key]] = span.get("why")
    return lane


def compare(roster, first, last, answer):
    schedule = roster["schedules"][0]
    walls = latest_walls(schedule["zone"], first, last)
    finals, rotations = expected(schedule, first, last, walls)
    got = answer["s"]
    shadow = roster["shadows"][0]
    watched = [{"eve": None} if "ann" in people and to_minute(shadow["from"]) <= minute < to_minute(shadow["to"]) else {}
               for minute, people in zip(range(first, last), finals)]
    lanes = {"final": finals, "rotation": rotations, "gaps": [{} if p else {None: None} for p in finals]}
    for name, want in lanes.items():
        have = spread(got[name], first, last)
        for i, (w, h) in enumerate(zip(want, have)):
            if w != h:
                return f"{name} at {of_minute(first + i)}: expected {w}, got {h}"
    have = [{k: None for k in lane} for lane in spread(got["shadows"], first, last, "shadow")]
    for i, (w, h) in enumerate(zip(watched, have)):
        if w != h:
            return f"shadows at {of_minute(first + i)}: expected {w}, got {h}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("answer")
    parser.add_argument("--cases", type=int, default=231)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    cases = [random_case(rng, i) for i in range(args.cases)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        for roster, first, last in cases:
            file.write(f"{first * MINUTE_MS} {last * MINUTE_MS} {json.dumps(roster)}\n")
        file.flush()
        run = subprocess.run([args.answer, file.name], capture_output=True, text=True, check=False)
    if run.returncode:
        print(run.stderr, run.stdout[-300:])
        return 1
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    failed = 0
    for number, ((roster, first, last), answer) in enumerate(zip(cases, answers, strict=True)):
        wrong = compare(roster, first, last, answer)
        if wrong:
            failed += 1
            print(f"case {number}: {wrong}\n  {json.dumps(roster['schedules'][0])}")
    print(f"{len(cases)} schedules, {sum(last - first for _, first, last in cases)} minutes, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
