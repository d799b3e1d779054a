#!/usr/bin/env python3
"""Random expressions over random series, answered by us and by a Prometheus 3.5, must agree.

    diff_promql.py --answer PROGRAM [--count N] [--seed N] [--jobs N]

The long run (a quarter of an hour on two cores):

    ninja -C build tests/fuzz/promql_answer
    WATCHBILL_PROMETHEUS=/usr/bin/prometheus \\
      python3 tests/fuzz/differential/diff_promql.py --answer build/tests/fuzz/promql_answer --count 100000

Without WATCHBILL_PROMETHEUS, or with one that is not 3.5 or later, it says so and is skipped (77).
`--alertd PROGRAM` asks a whole alertd over HTTP instead of the engine on a pipe.

Every expression is asked at an instant and over a range. Compared are the status and kind of error,
the words of the error, the type and labels of the result, every float by its bits, the order where
it means something, warnings and infos with their places. Floats may differ by a relative 1e-9 only
where the expression has a function that Go and C round differently (expressions.INEXACT, ^, atan2).
What is known to differ, with its reason, is KNOWN below and in docs/conformance.md.

A difference is made smaller, then printed with seed, expression, time and both answers. The same
seed makes the same data and expressions.
"""

import argparse
import collections
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys

import expressions
import series
import sides

ROUND = 1000  # expressions on one data set
BATCH = 50
INEXACT = expressions.INEXACT | {"^", "atan2"}


# --- Comparing -----------------------------------------------------------------------------------

def same_float(ours, theirs, tolerance):
    if ours == theirs:
        return True
    a, b = float(ours), float(theirs)
    if a != a and b != b:
        return True
    return tolerance > 0 and a != 0 and b != 0 and abs(a - b) <= tolerance * max(abs(a), abs(b))


def same_points(ours, theirs, tolerance):
    return len(ours) == len(theirs) and all(
        a[0] == b[0] and same_float(a[1], b[1], tolerance) for a, b in zip(ours, theirs))


def points(item):
    return item["values"] if "values" in item else [item["value"]]


def key(item):
    return tuple(sorted(item["metric"].items()))


def compare_result(kind, ours, theirs, tolerance, ordered):
    if kind == "scalar":
        return "" if same_points([ours], [theirs], tolerance) else "the scalar differs"
    if kind == "string":
        return "" if ours == theirs else "the string differs"
    if kind == "matrix" and [key(x) for x in ours] != [key(x) for x in theirs]:
        return "the series differ"
    left, right = {key(x): points(x) for x in ours}, {key(x): points(x) for x in theirs}
    if left.keys() != right.keys():
        return "the series differ"
    for labels, mine in left.items():
        if not same_points(mine, right[labels], tolerance):
            return "a value differs"
    if ordered and not same_points([[0, p[0][1]] for p in map(points, ours)], [[0, p[0][1]] for p in map(points, theirs)], tolerance):
        return "the order differs"
    return ""


def compare_notes(ours, theirs):
    """The peer lists ten of a kind and counts the rest."""
    more = [t for t in theirs if t.endswith("annotations omitted")]
    listed = [t for t in theirs if t not in more]
    if not more:
        return set(ours) == set(listed)
    return set(listed) <= set(ours) and len(ours) == len(listed) + int(more[0].split()[0])


def difference(ours, theirs, tolerance, ordered):
    """What differs between two answers, as one of a few words; "" when nothing does."""
    if ours["status"] != theirs["status"]:
        return "only one fails"
    if ours["status"] == "error":
        if ours["errorType"] != theirs["errorType"]:
            return "the kind of error differs"
        return "" if ours["error"] == theirs["error"] else "the words of the error differ"
    mine, other = ours["data"], theirs["data"]
    if mine["resultType"] != other["resultType"]:
        return "the type differs"
    found = compare_result(mine["resultType"], mine["result"], other["result"], tolerance, ordered)
    if not found and not compare_notes(ours.get("warnings", []), theirs.get("warnings", [])):
        found = "the warnings differ"
    if not found and not compare_notes(ours.get("infos", []), theirs.get("infos", [])):
        found = "the infos differ"
    return found


# --- What is known to differ ---------------------------------------------------------------------

KNOWN = []


def known(found, text, ours, theirs):
    """The name of the known difference this is, or None."""
    for name, test in KNOWN:
        if test(found, text, ours, theirs):
            return name
    return None


# --- A round -------------------------------------------------------------------------------------

class Case:
    """One expression and when it is asked. A mutated one is text only."""

    def __init__(self, rng, generator, dataset):
        self.tree = generator.expression()
        self.text = self.tree.text()
        if rng.random() < 0.04:
            self.text, self.tree = expressions.mutated(rng, self.text), None
        at = dataset.start_ms + rng.randrange(-300, 4000) * 1000 + rng.choice([0, 0, 0, 0, 1, 999])
        step = rng.choice([15_000, 30_000, 60_000, 60_000, 7_000, 300_000, 61_234])
        self.at = (at, at, 0)
        self.range = (at, at + step * rng.randint(0, 40), step)


def question(text, when):
    return (text, *when)


def tolerance_for(tree):
    return 1e-9 if tree is not None and tree.all_kinds() & INEXACT else 0


def is_ordered(text, when):
    return when[2] == 0 and re.match(r"[( ]*(sort|topk|bottomk)", text, re.I) is not None


class Round:
    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        self.rng = random.Random(seed)
        self.dataset = series.Dataset(self.rng)
        self.generator = expressions.Generator(self.rng, self.dataset, options.experimental)
        self.counts, self.kinds, self.reports = collections.Counter(), collections.Counter(), []
        self.seen = collections.Counter()

    def differs(self, tree_or_text, when):
        tree = None if isinstance(tree_or_text, str) else tree_or_text
        text = tree_or_text if tree is None else tree.text()
        ours, theirs = (side.ask([question(text, when)])[0] for side in (self.ours, self.theirs))
        found = difference(ours, theirs, tolerance_for(tree), is_ordered(text, when))
        return found if found and not known(found, text, ours, theirs) else "", ours, theirs

    def shrink(self, tree, when, found):
        tries = 0
        while tries < 400:
            for candidate in expressions.smaller(tree):
                tries += 1
                if tries >= 400 or (len(candidate.text()) < len(tree.text()) and self.differs(candidate, when)[0] == found):
                    tree = candidate if tries < 400 else tree
                    break
            else:
                break
        return tree

    def report(self, case, when, found):
        self.seen[found] += 1
        if self.seen[found] > self.options.show:
            return
        what = case.tree or case.text
        if case.tree:
            what = self.shrink(case.tree, when, found)
        _, ours, theirs = self.differs(what, when)
        text = what if isinstance(what, str) else what.text()
        self.reports.append({"seed": self.seed, "found": found, "expression": case.text, "smaller": text, "when": when,
                             "ours": ours, "theirs": theirs})

    def judge(self, case, when, ours, theirs):
        found = difference(ours, theirs, tolerance_for(case.tree), is_ordered(case.text, when))
        name = known(found, case.text, ours, theirs) if found else None
        shape = "range" if when[2] else "instant"
        self.counts[f"{shape} asked"] += 1
        if ours["status"] == "error":
            self.counts[f"{shape} failed on both sides"] += not found
        elif ours["data"]["result"] in ([], ""):
            self.counts[f"{shape} empty"] += 1
        if name:
            self.counts[f"known: {name}"] += 1
        elif found:
            self.counts[f"DIFFERENT: {found}"] += 1
            self.report(case, when, found)

    def run(self, ours, theirs, count):
        self.ours, self.theirs = ours, theirs
        ours.load(self.dataset)
        theirs.load(self.dataset)
        for at in range(0, count, BATCH):
            cases = [Case(self.rng, self.generator, self.dataset) for _ in range(min(BATCH, count - at))]
            asked = [(case, when) for case in cases for when in (case.at, case.range)]
            questions = [question(case.text, when) for case, when in asked]
            for (case, when), mine, other in zip(asked, ours.ask(questions), theirs.ask(questions)):
                self.judge(case, when, mine, other)
            for case in cases:
                self.counts["expressions"] += 1
                self.counts["mutated"] += case.tree is None
                self.kinds.update(case.tree.all_kinds() if case.tree else ())


def run_rounds(options, seeds):
    ours = sides.Alertd(options.alertd) if options.alertd else sides.Answer(options.answer)
    theirs = sides.Prometheus(options.prometheus)
    done = []
    try:
        for seed, count in seeds:
            a_round = Round(options, seed)
            a_round.run(ours, theirs, count)
            done.append((a_round.counts, a_round.kinds, a_round.reports))
            for report in a_round.reports:
                show(report)
    finally:
        ours.stop()
        theirs.stop()
    return done


# --- The whole -----------------------------------------------------------------------------------

def cut(value, most=1500):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[:most] + " ..."


def show(report):
    start, end, step = report["when"]
    when = f"at {start / 1000:.3f}" if not step else f"from {start / 1000:.3f} to {end / 1000:.3f} step {step / 1000:g}"
    print(f"DIFFERENT: {report['found']}\n  seed {report['seed']}, {when}\n  {report['expression']}\n  smaller: {report['smaller']}\n"
          f"  ours:   {cut(report['ours'])}\n  theirs: {cut(report['theirs'])}", flush=True)


def prometheus_of(options):
    """The peer's path, or None with a message when it cannot be used."""
    program = options.prometheus or os.environ.get("WATCHBILL_PROMETHEUS", "")
    if not program:
        print("SKIP: WATCHBILL_PROMETHEUS does not name a Prometheus 3.5 to compare with")
        return None
    try:
        words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"SKIP: {program} does not run: {error}")
        return None
    version = re.search(r"version (\d+)\.(\d+)", words)
    if not version or tuple(map(int, version.groups())) < (3, 5):
        print(f"SKIP: {program} is {words.splitlines()[0]!r}, not Prometheus 3.5 or later")
        return None
    return program


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answer", help="our side: the program made from answer.c")
    parser.add_argument("--alertd", help="our side: an alertd, over HTTP")
    parser.add_argument("--prometheus", help="the peer (WATCHBILL_PROMETHEUS)")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, default=3, help="differences of a kind shown per round")
    parser.add_argument("--no-experimental", dest="experimental", action="store_false",
                        help="leave the experimental functions out")
    return parser.parse_args()


def main():
    options = arguments()
    options.prometheus = prometheus_of(options)
    if not options.prometheus:
        return 77
    seeds = [(options.seed + i, min(ROUND, options.count - at)) for i, at in enumerate(range(0, options.count, ROUND))]
    jobs = [(options, seeds[i::options.jobs]) for i in range(options.jobs)]
    if options.jobs == 1:
        done = run_rounds(*jobs[0])
    else:
        with multiprocessing.Pool(options.jobs) as pool:
            done = [item for part in pool.starmap(run_rounds, jobs) for item in part]
    counts, kinds = collections.Counter(), collections.Counter()
    for part, used, _ in done:
        counts += part
        kinds += used
    print("expressions by what they contain: " + ", ".join(f"{k} {n}" for k, n in sorted(kinds.items())))
    for name, n in sorted(counts.items()):
        print(f"{n:8} {name}")
    different = sum(n for name, n in counts.items() if name.startswith("DIFFERENT"))
    asked = counts["instant asked"] + counts["range asked"]
    print(f"{asked - different} passed, {different} failed")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
