#!/usr/bin/env python3
"""Random expressions over random series, answered by us and by a Prometheus 3.5, must agree.

    diff_promql.py --answer PROGRAM [--count N] [--seed N] [--jobs N]

The long run (some minutes on two cores):

    ninja -C build tests/fuzz/promql_answer
    WATCHBILL_PROMETHEUS=/usr/bin/prometheus \\
      python3 tests/fuzz/differential/diff_promql.py --answer build/tests/fuzz/promql_answer --count 100000 --jobs 2

Without WATCHBILL_PROMETHEUS, or with one that is not 3.5 or later, it says so and is skipped (77).
`--alertd PROGRAM` asks a whole alertd over HTTP instead of the engine on a pipe.

Every expression is asked at an instant and over a range. Compared are the status and kind of error,
the words of the error, the type and labels of the result, every float by its bits, the order where
it means something, warnings and infos with their places. Floats may differ by a relative 1e-9 only
where the expression has a function that Go and C round differently (expressions.INEXACT, ^, atan2) or a
sum over series, whose order the peer draws at random for most expressions; see tolerance_for().
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
NOTES_KEPT = 100
INEXACT = expressions.INEXACT | {"^", "atan2"}


# --- Comparing -----------------------------------------------------------------------------------

def same_float(ours, theirs, tolerance):
    if ours == theirs:
        return True
    a, b = float(ours), float(theirs)
    if (a != a and b != b) or (a == b and a != 0):
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


def details(ours, theirs, tolerance):
    """The first place where two answers part, for people."""
    if "data" not in ours or "data" not in theirs:
        return [cut(ours.get("error", ours.get("data"))), cut(theirs.get("error", theirs.get("data")))]
    notes = [[x.get("warnings", []), x.get("infos", [])] for x in (ours, theirs)]
    mine, other = ours["data"]["result"], theirs["data"]["result"]
    if ours["data"]["resultType"] not in ("vector", "matrix"):
        return [cut(mine), cut(other)]
    left, right = {key(x): points(x) for x in mine}, {key(x): points(x) for x in other}
    for labels in {**left, **right}:
        a, b = left.get(labels, []), right.get(labels, [])
        if same_points(a, b, tolerance):
            continue
        for at in sorted({p[0] for p in a} | {p[0] for p in b}):
            x, y = dict(map(tuple, a)).get(at, "no point"), dict(map(tuple, b)).get(at, "no point")
            if "no point" in (x, y) or not same_float(x, y, tolerance):
                return [cut([dict(labels), at, x]), cut([dict(labels), at, y])]
    if notes[0] != notes[1]:
        return [cut(n) for n in notes]
    return [cut([key(x) for x in r]) for r in (mine, other)]


def compare_notes(ours, theirs):
    """The peer lists ten of a kind and counts the rest."""
    more = [t for t in theirs if t.endswith("annotations omitted")]
    listed = [t for t in theirs if t not in more]
    if not more:
        return set(ours) == set(listed)
    if more[0] in ours:  # an alertd, which lists ten, too: any
        return len(ours) == len(theirs)
    if len(ours) == NOTES_KEPT:  # the engine keeps no more of a kind, others may be listed there
        return len(listed) + int(more[0].split()[0]) >= NOTES_KEPT
    return set(listed) <= set(ours) and len(ours) == len(listed) + int(more[0].split()[0])


WORDS = "the words of the error differ"
VALUES = ("a value differs", "the series differ", "the scalar differs")


def place(answer):
    """Line and column of a parse error."""
    found = re.match(r'invalid parameter "query": (\d+:\d+)', answer["error"])
    return found[1] if found else ""


def difference(ours, theirs, tolerance, ordered):
    """What differs between two answers, as one of a few words; "" when nothing does."""
    if ours["status"] != theirs["status"]:
        return "only one fails"
    if ours["status"] == "error":
        if ours["errorType"] != theirs["errorType"]:
            return "the kind of error differs"
        if place(ours) != place(theirs):
            return "the place of the error differs"
        return "" if (ours["error"] + ";").startswith(theirs["error"] + ";") else WORDS  # ours may say what to do
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

CLASH = ("found duplicate series for the match group", "multiple matches for labels")


def reworded(found, text, ours, theirs):
    """Our parser names the place and the mistake in its own words; kind and refusal agree. (The peer's
    gives up with "unexpected error" on `sum(x) by )`.)"""
    return (found in (WORDS, "the place of the error differs") and ours["errorType"] == theirs["errorType"] == "bad_data"
            and "parse error" in ours["error"] and ("parse error" in theirs["error"] or theirs["error"].endswith(": unexpected error")))


def other_clash(found, text, ours, theirs):
    """Several series clash in a match: which pair is named depends on the order of looking."""
    return found == WORDS and ours["error"].startswith(CLASH) and theirs["error"].startswith(CLASH)


def nan_parameter(found, text, ours, theirs):
    """topk(NaN, x) and the like: worded as in Prometheus 3.6 and later."""
    return found == WORDS and ours["error"] == "Parameter value is NaN" and theirs["error"] == "Scalar value NaN overflows int64"


def other_number(found, text, ours, theirs):
    """`Scalar value 1e+200 overflows int64`, of a number that Go and C round differently."""
    return found == WORDS and tolerance_for(None, text) > 0 and \
        re.sub(r"[-+.e\d]+", "#", ours["error"]) == re.sub(r"[-+.e\d]+", "#", theirs["error"])


def idle_subquery(found, text, ours, theirs):
    """A subquery whose window has none of its steps: the peer looks at the names in label_replace() all the same."""
    return found == "only one fails" and ours["status"] == "success" and ":" in text and \
        theirs["error"].startswith(("invalid destination label", "invalid source label", "invalid regular expression"))


def lacks_label(found, text, ours, theirs):
    """sort_by_label: the peer's comparison says of an absent label both that it is before and after any
    other; here it comes first."""
    names = set(re.findall(r"[\"'](\w+)[\"']", text))
    return found == "the order differs" and "sort_by_label" in text.lower() and \
        any(name not in x["metric"] for x in ours["data"]["result"] for name in names)


def notes_but(change):
    """Whether only warnings and infos differ, and not after this change of both."""
    def test(found, text, ours, theirs):
        return found in ("the warnings differ", "the infos differ") and all(
            compare_notes(change(ours.get(k, [])), change(theirs.get(k, []))) for k in ("warnings", "infos"))
    return test


def without_name(notes):
    """`for metric name ""`: later versions leave it out. An info about monotonicity has no name in a range
    query of 3.5, which has taken it away itself after the first step."""
    return [re.sub(r' for metric name "[^"]*"', "", n) if "fixed for monotonicity" in n else n.replace(' for metric name ""', "")
            for n in notes]


PLACE = re.compile(r" \(\d+:\d+\)$")


def subquery_notes(found, text, ours, theirs):
    """3.5 loses the place of a subquery that is an argument, and says (1:1)."""
    mine, other = (without_name(x.get("warnings", []) + x.get("infos", [])) for x in (ours, theirs))
    return (found in ("the warnings differ", "the infos differ") and
            {PLACE.sub("", n) for n in mine} == {PLACE.sub("", n) for n in other} and
            all(n.endswith(" (1:1)") or n in mine for n in other))


def parenthesis(found, text, ours, theirs):
    """A note about `(1 + 1)` points into it here; there it points at the parenthesis when its value is the same
    at every step."""
    if found not in ("the warnings differ", "the infos differ"):
        return False
    mine, other = ({PLACE.sub("", n): n for n in without_name(x.get("warnings", []) + x.get("infos", []))} for x in (ours, theirs))
    return mine.keys() == other.keys() and all(
        text[column(other[k]) - 1:column(mine[k]) - 1].strip("( ") == "" for k in mine)


def column(note):
    found = re.search(r" \(1:(\d+)\)$", note)
    return int(found[1]) if found else 0


KNOWN = [
    ("a parse error in other words", reworded),
    ("another of several clashes is named", other_clash),
    ("NaN as parameter, in other words", nan_parameter),
    ("an inexact number in the words of an error", other_number),
    ("the order by a label that some lack", lacks_label),
    ("a wrong name in a subquery without a step", idle_subquery),
    ("the metric's name is empty in a note", notes_but(without_name)),
    ("the place of a subquery in a note", subquery_notes),
    ("the place of a parenthesis in a note", parenthesis),
]


def without_numbers(answer):
    """The answer with "got ..." of its notes left open."""
    return {**answer, **{k: [re.sub(r"got [-+.\w]+", "got a number", n) for n in answer.get(k, [])] for k in ("warnings", "infos")}}


def known(found, text, ours, theirs):
    """The name of the known difference this is, or None."""
    for name, test in KNOWN:
        if test(found, text, ours, theirs):
            return name
    if found not in ("the warnings differ", "the infos differ") or not tolerance_for(None, text):
        return None
    ours, theirs = without_numbers(ours), without_numbers(theirs)  # Go and C round differently
    if not difference(ours, theirs, tolerance_for(None, text), False):
        return "an inexact number in a note"
    return next((name for name, test in KNOWN if test(found, text, ours, theirs)), None)


def unlooked(text):
    """A text with a small mistake has no tree whose calls could be asked by themselves."""
    return not set(re.findall(r"\w+", text.lower())).isdisjoint(set().union(*(kinds for kinds, *_ in KNOWN_NODES)))


# Differences of one call or aggregation: known when it alone, asked by itself, differs in nothing else.

DATES = set(expressions.DATE)


def floats(answer):
    return {(key(x), p[0]): p[1] for x in answer["data"]["result"] for p in points(x)}


def differing(ours, theirs, tolerance):
    """[(ours, theirs)] of the points that differ; None when labels or times do."""
    left, right = floats(ours), floats(theirs)
    if left.keys() != right.keys():
        return None
    return [(left[k], right[k]) for k in left if not same_float(left[k], right[k], tolerance)]


def old_fraction(ours, theirs, tolerance):
    """3.5 gives NaN for a fraction that begins or ends in the first bucket; mended later."""
    pairs = differing(ours, theirs, tolerance)
    return bool(pairs) and all(b == "NaN" for _, b in pairs)


def no_instant(ours, theirs, tolerance):
    """The calendar of a value that is no time (NaN, infinities): NaN here, an arbitrary number there."""
    pairs = differing(ours, theirs, tolerance)
    return bool(pairs) and all(a == "NaN" for a, _ in pairs)


def subnormal(ours, theirs, tolerance):
    """Go's logarithm loses digits of numbers below 2e-308."""
    pairs = differing(ours, theirs, tolerance)
    return bool(pairs) and all(max(float(a), float(b)) < -300 for a, b in pairs)


def zero_sign(ours, theirs, tolerance):
    """0 and -0 are equal: which of them is the least, or in the middle, depends on the order of sorting."""
    pairs = differing(ours, theirs, tolerance)
    return bool(pairs) and all(float(a) == 0 == float(b) for a, b in pairs)


def equals(ours, theirs, tolerance):
    """topk, bottomk: which of several equal values stays depends on the order of series, which the
    peer draws at random for most expressions. The values at each step are the same."""
    sides_ = []
    for answer in (ours, theirs):
        steps = collections.defaultdict(list)
        for (_, t), value in floats(answer).items():
            steps[t].append(float(value))
        sides_.append({t: sorted(map(str, v)) for t, v in steps.items()})
    return floats(ours).keys() != floats(theirs).keys() and sides_[0] == sides_[1]


def as_many(ours, theirs, tolerance):
    """limitk takes the first series, and the order of those of an expression is random at the peer's."""
    steps = [collections.Counter(t for _, t in floats(answer)) for answer in (ours, theirs)]
    return floats(ours).keys() != floats(theirs).keys() and steps[0] == steps[1]


KNOWN_NODES = [
    ({"histogram_fraction"}, "NaN for a fraction in the first bucket", old_fraction),
    (DATES, "the calendar of what is no time", no_instant),
    ({"ln", "log2", "log10"}, "the logarithm of a subnormal number", subnormal),
    ({"min", "max", "quantile", "quantile_over_time", "mad_over_time"}, "the sign of a zero", zero_sign),
    ({"topk", "bottomk"}, "which of equal values is on top", equals),
    ({"limitk"}, "which series limitk takes, of an expression", as_many),
]


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


def tolerance_for(tree, text=""):
    """How far floats may lie apart, relatively. A variance is Welford's, whose error grows with the
    distance of the mean from zero and depends on the order of series."""
    kinds = tree.all_kinds() if tree is not None else set(re.findall(r"\w+|\^", text.lower()))
    if kinds & {"stddev", "stdvar"}:
        return 1e-5
    return 1e-9 if kinds & (INEXACT | {"sum", "avg"}) else 0


def is_ordered(tree, when):
    """Sorted at the top: the order counts."""
    while tree is not None and tree.kinds == ("paren",):
        tree = tree.parts[1]
    return when[2] == 0 and tree is not None and not {"sort", "sort_desc", "sort_by_label", "sort_by_label_desc"}.isdisjoint(tree.kinds)


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
        found = difference(ours, theirs, tolerance_for(tree, text), is_ordered(tree, when))
        return found if found and not self.known(found, (tree, text), when, ours, theirs) else "", ours, theirs

    def known(self, found, case, when, ours, theirs):
        """known(), and what is known of a call within, which shows when that is asked by itself: at the same
        times, or where a subquery, an offset or @ may have asked it."""
        tree, text = case
        name = known(found, text, ours, theirs)
        if name:
            return name
        if tree is None:
            return "a value of a mutated expression with such a call" if found in VALUES and unlooked(text) else None
        moved = tree.all_kinds() & {"subquery", "@", "offset"}
        wide = (when[0] - 10_000_000, when[1] + 5_000_000, 61_000)
        for node in tree.walk():
            for at in (when, wide) if moved else (when,):
                name = self.known_of(node, at)
                if name:
                    return name
        return "the peer's own answers vary" if self.varies(tree, when, ours) else None

    def varies(self, tree, when, ours):
        """The peer keeps series in hash tables and walks them in a random order: among equals topk takes
        any, and sums differ in the last bit. Asked again it agrees with us."""
        asked = question(tree.text(), when)
        for theirs in self.theirs.ask([asked] * 40):
            found = difference(ours, theirs, tolerance_for(tree), is_ordered(tree, when))
            if not found or known(found, tree.text(), ours, theirs):
                return True
        return False

    def known_of(self, node, when):
        if node.kinds == ("timestamp",) and {"@", "offset"} <= node.parts[1].all_kinds() and self.differs_alone(node, when):
            return "the timestamp of a selector with @ and offset"
        for kinds, name, test in KNOWN_NODES:
            if kinds.isdisjoint(node.kinds):
                continue
            mine, other = (side.ask([question(node.text(), when)])[0] for side in (self.ours, self.theirs))
            if mine["status"] == other["status"] == "success" and test(mine, other, tolerance_for(node)):
                return name
        if when[2] and self.has_moving_parameter(node, when):
            return "an aggregation's parameter that moves or is not a number"
        return None

    def differs_alone(self, node, when):
        mine, other = (side.ask([question(node.text(), when)])[0] for side in (self.ours, self.theirs))
        return difference(mine, other, 0, False) != ""

    def has_moving_parameter(self, node, when):
        """An aggregation whose parameter is not the same number at all steps: 3.5 takes that of the first."""
        if node.kinds[:1] and node.kinds[0] in ("topk", "bottomk", "quantile", "limitk", "limit_ratio"):
            param = next(p for p in node.parts if isinstance(p, expressions.Node))
            answer = self.ours.ask([question(param.text(), when)])[0]
            if param.type == expressions.SCALAR and answer["status"] == "success":
                values = {p[1] for x in answer["data"]["result"] for p in x["values"]}
                return len(values) > 1 or "NaN" in values
        return False

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
        tree, text = (None, what) if isinstance(what, str) else (what, what.text())
        self.reports.append({"seed": self.seed, "found": found, "expression": case.text, "smaller": text, "when": when,
                             "answers": details(ours, theirs, tolerance_for(tree, text))})

    def judge(self, case, when, ours, theirs):
        found = difference(ours, theirs, tolerance_for(case.tree, case.text), is_ordered(case.tree, when))
        name = self.known(found, (case.tree, case.text), when, ours, theirs) if found else None
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
          f"  ours:   {report['answers'][0]}\n  theirs: {report['answers'][1]}", flush=True)


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
