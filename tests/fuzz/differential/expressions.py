"""Random PromQL for the differential fuzzer: a typed grammar, and smaller versions of what it made.

An expression is a tree of nodes; a node has a type (scalar, vector, matrix, string) and parts, which
are texts and nodes. Shrinking puts a descendant or a plain leaf of the same type in a node's place,
or leaves an optional part out.
"""

SCALAR, VECTOR, MATRIX, STRING = "scalar", "vector", "matrix", "string"

# Go and C round these differently in the last bits; deeper in an expression their result is
# rounded, so that one bit cannot decide a comparison.
INEXACT = {"acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "ln", "log10", "log2", "sin",
           "sinh", "tan", "tanh"}
UNSURE = INEXACT | {"^", "atan2", "sum", "avg", "stddev", "stdvar"}
POINT = sorted(INEXACT | {"abs", "ceil", "deg", "floor", "rad", "sgn", "sqrt"})
DATE = ["day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]
WINDOW = ["avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta", "increase", "irate", "last_over_time",
          "max_over_time", "min_over_time", "present_over_time", "rate", "resets", "stddev_over_time", "stdvar_over_time",
          "sum_over_time"]
FOLDS = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISON = ["==", "!=", ">", "<", ">=", "<="]
SETS = ["and", "or", "unless"]
# info() is left out: it follows the scripts of later versions, 3.5 loses series there.
EXPERIMENTAL = {"limitk", "limit_ratio", "mad_over_time", "double_exponential_smoothing", "sort_by_label",
                "sort_by_label_desc"}
METRICS = ["requests_total", "errors_total", "load", "temperature", "single", "odd", "rare", "twin_a", "twin_b", "moved",
           "latency_bucket", "latency_count", "latency_sum", "broken_bucket", "target_info", "nothing"]
VALUES = {"job": ["x", "y", "z"], "instance": ["a", "b", "c"], "code": ["200", "404", "500"], "le": ["1", "+Inf", "0.5"],
          "version": ["1", "2"], "case": ["0", "1"], "absent": ["", "q"]}
LABELS = ["job", "instance", "code", "le", "version", "case", "absent", "__name__"]
PATTERNS = [".*", ".+", "a|b", "x", "[ab]", "(?i:A|B)", "", "5..", ".*0.*", "a.*|c", "(a|b)|c", "x?", "^a$", "[^a]"]
DURATIONS = ["1m", "5m", "10m", "90s", "1h", "15s", "1m30s", "300", "45.5", "0x3c", "30000ms", "7m", "1h5m", "60", "2h"]
OFFSETS = ["1m", "5m", "-1m", "-5m", "30s", "0s", "1h", "-90", "7", "-0x10", "1ms", "-1ms"]
STEPS = ["", "", "1m", "30s", "15s", "7s", "2m", "60", "5m"]
NUMBERS = ["0", "1", "-1", "0.5", "2", "10", "1e3", "0x1F", "NaN", "Inf", "-Inf", "+1", ".5", "1_000", "5m", "100", "-0", "3.7",
           "1e-3", "017", "1e308", "iNf", "nan", "1h30m"]


class Node:
    __slots__ = ("type", "parts", "optional", "kinds")

    def __init__(self, type_, parts, kinds=(), optional=()):
        self.type, self.parts, self.kinds, self.optional = type_, parts, kinds, optional

    def text(self):
        return "".join(p if isinstance(p, str) else p.text() for p in self.parts)

    def walk(self):
        yield self
        for part in self.parts:
            if isinstance(part, Node):
                yield from part.walk()

    def all_kinds(self):
        return {kind for node in self.walk() for kind in node.kinds}

    def replaced(self, old, new):
        if self is old:
            return new
        return Node(self.type, [p.replaced(old, new) if isinstance(p, Node) else p for p in self.parts], self.kinds,
                    self.optional)

    def without(self, at):
        parts = list(self.parts)
        parts[at] = ""
        return Node(self.type, parts, self.kinds, tuple(i for i in self.optional if i != at))


def smaller(tree):
    """Trees a step smaller, the smallest first."""
    leaves = {SCALAR: ["1"], VECTOR: ["vector(1)", "single", "load"], MATRIX: ["single[5m]", "load[5m]"], STRING: ['"a"']}
    for node in tree.walk():
        size = len(node.text())
        for leaf in leaves[node.type]:
            if len(leaf) < size:
                yield tree.replaced(node, Node(node.type, [leaf]))
        for inner in node.walk():
            if inner is not node and inner.type == node.type:
                yield tree.replaced(node, inner)
        for at in node.optional:
            if node.parts[at]:
                yield tree.replaced(node, node.without(at))


class Generator:
    def __init__(self, rng, dataset, experimental=False):
        self.rng, self.dataset, self.experimental = rng, dataset, experimental

    # --- words ---------------------------------------------------------------------------------

    def keyword(self, word):
        return self.rng.choice([word, word, word, word.upper(), word.capitalize()])

    def names(self, most=2, extra=()):
        rng = self.rng
        chosen = [rng.choice(LABELS + list(extra)) for _ in range(rng.randint(0, most))]
        quoted = [f'"{n}"' if rng.random() < 0.05 else n for n in chosen]
        return "(" + ", ".join(quoted) + ("," if quoted and rng.random() < 0.03 else "") + ")"

    def instant(self):
        data = self.dataset
        ms = data.start_ms + self.rng.randrange(-400, 4200) * 1000 + self.rng.choice([0, 0, 0, 1, 500])
        return f"{ms / 1000:.3f}"

    # --- types ---------------------------------------------------------------------------------

    def expression(self):
        roll = self.rng.random()
        if roll < 0.86:
            return self.vector(self.rng.choice([1, 2, 2, 3, 3, 4]))
        if roll < 0.96:
            return self.scalar(3)
        return self.matrix(2) if roll < 0.99 else Node(STRING, [self.rng.choice(['"text"', "'\\x41'", "`raw\\n`"])], ("string",))

    def scalar(self, depth):
        rng = self.rng
        roll = rng.random()
        if depth <= 0 or roll < 0.5:
            return Node(SCALAR, [rng.choice(NUMBERS)], ("number",))
        if roll < 0.56:
            return Node(SCALAR, ["time()"], ("time",))
        if roll < 0.58:
            return Node(SCALAR, ["pi()"], ("pi",))
        if roll < 0.7:
            return Node(SCALAR, ["scalar(", self.vector(depth - 1), ")"], ("scalar",))
        if roll < 0.75:
            return Node(SCALAR, [rng.choice("-+"), self.scalar(depth - 1)], ("unary",))
        if roll < 0.8:
            return Node(SCALAR, ["(", self.scalar(depth - 1), ")"], ("paren",))
        if roll < 0.9:
            op = rng.choice(COMPARISON)
            return Node(SCALAR, ["(", self.scalar(depth - 1), f" {op} {self.keyword('bool')} ", self.scalar(depth - 1), ")"],
                        (op, "bool"))
        op = rng.choice(ARITHMETIC)
        return self.soft(Node(SCALAR, ["(", self.scalar(depth - 1), f" {op} ", self.scalar(depth - 1), ")"], (op,)), op)

    def vector(self, depth):
        rng = self.rng
        if depth <= 0:
            return self.selector()
        makers = [(self.selector, 8), (self.window, 20), (self.fold, 14), (self.rank, 8), (self.binary, 18), (self.sets, 6),
                  (self.point, 8), (self.with_scalars, 6), (self.date, 2), (self.labels, 5), (self.histogram, 7),
                  (self.absent, 3), (self.order, 3), (self.unary, 3), (self.paren, 2), (self.lift, 3), (self.timestamp, 3),
                  (self.novelty, 8 if self.experimental else 0)]
        maker = rng.choices([m for m, _ in makers], [w for _, w in makers])[0]
        return maker() if maker == self.selector else maker(depth - 1)

    # --- selectors -----------------------------------------------------------------------------

    def matcher(self):
        rng = self.rng
        name = rng.choice(list(VALUES))
        op = rng.choice(["=", "=", "!=", "=~", "!~"])
        value = rng.choice(VALUES[name] if op in ("=", "!=") else PATTERNS)
        quote = rng.choice(['"', '"', "'", "`"])
        return f"{name}{op}{quote}{value}{quote}"

    def series(self):
        rng = self.rng
        matchers = [self.matcher() for _ in range(rng.choice([0, 0, 0, 1, 1, 2]))]
        if any("!" in m for m in matchers):
            matchers = matchers[:1]  # the peer's storage moves these to the end, which absent() shows
        roll = rng.random()
        if roll < 0.06:
            head, first = "", [rng.choice(['"my.metric"', '"температура"', '__name__="my.metric"', '"my.metric", "label name"="a b"'])]
        elif roll < 0.14:
            head, first = "", [rng.choice(['__name__=~"twin_.*"', '__name__=~"load|temperature"', '__name__=~".+_total"',
                                           'job="x"', '__name__!="load", instance="a"', '__name__=~"l.+"'])]
        else:
            head, first = rng.choice(METRICS), []
        pairs = first + matchers
        return head, "{" + ", ".join(pairs) + "}" if pairs or (head and rng.random() < 0.03) else ""

    def modifiers(self):
        rng, out = self.rng, ["", ""]
        if rng.random() < 0.2:
            out[0] = f" {self.keyword('offset')} {rng.choice(OFFSETS)}"
        if rng.random() < 0.15:
            out[1] = " @ " + rng.choice([self.instant(), self.instant(), "start()", "end()", "-1.5" if rng.random() < 0.1 else "0"])
        if rng.random() < 0.5:
            out.reverse()
        kinds = (("offset",) if any("offset" in m.lower() for m in out) else ()) + (("@",) if any("@" in m for m in out) else ())
        return out, kinds

    def selector(self):
        head, braces = self.series()
        (first, second), kinds = self.modifiers()
        return Node(VECTOR, [head, braces, first, second], ("selector", *kinds), (1, 2, 3) if head else (2, 3))

    def matrix(self, depth, wanted=None):
        rng = self.rng
        (first, second), kinds = self.modifiers()
        if depth > 0 and rng.random() < 0.25:
            step = rng.choice(STEPS)
            inner = self.vector(depth - 1)
            return Node(MATRIX, ["(", inner, ")", f"[{rng.choice(DURATIONS)}:{step}]", first, second], ("subquery", *kinds), (4, 5))
        head, braces = self.series()
        return Node(MATRIX, [head, braces, f"[{rng.choice(DURATIONS)}]", first, second], ("range", *kinds),
                    (1, 3, 4) if head else (3, 4))

    # --- calls ---------------------------------------------------------------------------------

    def soft(self, node, kind):
        """The result of an inexact function, rounded, so that its last bits decide nothing."""
        if kind not in INEXACT and kind not in ("^", "atan2"):
            return node
        if node.type == SCALAR:
            return Node(SCALAR, ["scalar(round(vector(", node, "), 0.00001))"], ("round", "scalar", "vector"))
        return Node(VECTOR, ["round(", node, ", 0.00001)"], ("round",))

    def call(self, name, *args, type_=VECTOR):
        parts = [f"{name}("]
        for i, arg in enumerate(args):
            parts += ([", "] if i else []) + [arg]
        return self.soft(Node(type_, parts + [")"], (name,)), name)

    def point(self, depth):
        name = self.rng.choice(POINT)
        if name in ("cos", "sin", "tan"):  # of a huge number the last bit decides everything
            return self.call(name, Node(VECTOR, ["clamp(", self.vector(depth), ", -1000, 1000)"], ("clamp",)))
        return self.call(name, self.vector(depth))

    def with_scalars(self, depth):
        name = self.rng.choice(["clamp", "clamp_max", "clamp_min", "round", "round"])
        args = [self.vector(depth)] + [self.scalar(depth - 1) for _ in range(2 if name == "clamp" else 1)]
        return self.call(name, *(args[:1] if name == "round" and self.rng.random() < 0.4 else args))

    def date(self, depth):
        args = [] if self.rng.random() < 0.3 else [self.vector(depth)]
        return self.call(self.rng.choice(DATE), *args)

    def window(self, depth):
        rng = self.rng
        roll = rng.random()
        if roll < 0.08:
            return self.call("quantile_over_time", self.scalar(depth - 1), self.matrix(depth))
        if roll < 0.15:
            return self.call("predict_linear", self.matrix(depth), self.scalar(depth - 1))
        return self.call(rng.choice(WINDOW), self.matrix(depth))

    def text(self, words):
        word = self.rng.choice(words)
        return Node(STRING, [self.rng.choice(['"{}"', "'{}'"]).format(word)])

    def labels(self, depth):
        rng = self.rng
        names = ["job", "instance", "new", "__name__", "code", "bad-name", "", "le"]
        if rng.random() < 0.6:
            return self.call("label_replace", self.vector(depth), self.text(names),
                             self.text(["$1", "v", "", "$1-$2", "${1}x", "$name", "$0", "$$1"]), self.text(names),
                             self.text(["(.*)", "a", "(a|b)", "(.)(.*)", "", ".+", "(", "(?P<name>.*)", "x(.*)"]))
        return self.call("label_join", self.vector(depth), self.text(names), self.text(["-", "", ","]),
                         *[self.text(names) for _ in range(rng.randint(0, 3))])

    def buckets(self, depth):
        rng = self.rng
        roll = rng.random()
        metric = rng.choice(["latency_bucket", "broken_bucket"])
        if roll < 0.4:
            return Node(VECTOR, [metric], ("selector",))
        if roll < 0.65:
            return Node(VECTOR, [f"{rng.choice(['rate', 'increase'])}({metric}[", rng.choice(DURATIONS), "])"], ("rate",))
        if roll < 0.9:
            return Node(VECTOR, [f"sum by (le{rng.choice(['', ', instance', ', case', ', job'])}) (rate({metric}[5m]))"], ("sum", "rate"))
        return self.vector(depth)

    def histogram(self, depth):
        if self.rng.random() < 0.6:
            return self.call("histogram_quantile", self.scalar(depth - 1), self.buckets(depth))
        return self.call("histogram_fraction", self.scalar(depth - 1), self.scalar(depth - 1), self.buckets(depth))

    def absent(self, depth):
        if self.rng.random() < 0.5:
            return self.call("absent", self.vector(depth))
        return self.call("absent_over_time", self.matrix(depth))

    def order(self, depth):
        return self.call(self.rng.choice(["sort", "sort_desc"]), self.vector(depth))

    def lift(self, depth):
        return self.call("vector", self.scalar(depth))

    def timestamp(self, depth):
        return self.call("timestamp", self.selector() if self.rng.random() < 0.5 else self.vector(depth))

    def novelty(self, depth):
        """The experimental functions that work here."""
        rng = self.rng
        name = rng.choice(sorted(EXPERIMENTAL))
        if name == "limitk":
            return self.aggregation(name, depth, self.scalar(1))
        if name == "limit_ratio":
            return self.aggregation(name, depth, Node(SCALAR, [rng.choice(["0.5", "-0.5", "0.1", "1", "-1", "0", "2", "-3", "-0.9"])]))
        if name == "mad_over_time":
            return self.call(name, self.matrix(depth))
        if name == "double_exponential_smoothing":
            factors = ["0.5", "0.1", "0.9", "0.3"] if rng.random() < 0.9 else ["0", "1", "2", "NaN", "-1"]
            return self.call(name, self.matrix(depth), *[Node(SCALAR, [rng.choice(factors)]) for _ in range(2)])
        return self.call(name, self.vector(depth), *[self.text(["job", "instance", "code", "zz"]) for _ in range(rng.randint(0, 2))])

    # --- aggregations and operators ------------------------------------------------------------

    def aggregation(self, op, depth, param=None):
        rng = self.rng
        grouping, kinds = "", (op,)
        if rng.random() < 0.7:
            how = rng.choice(["by", "by", "without"])
            grouping, kinds = f" {self.keyword(how)} {self.names()} ", (op, how)
        args = ["("] + ([param, ", "] if param else []) + [self.vector(depth), ")"]
        word = self.keyword(op)
        if rng.random() < 0.5:
            return Node(VECTOR, [word, grouping, *args], kinds, (1,))
        return Node(VECTOR, [word, *args, grouping], kinds, (len(args) + 1,))

    def fold(self, depth):
        return self.aggregation(self.rng.choice(FOLDS), depth)

    def rank(self, depth):
        op = self.rng.choice(["topk", "bottomk", "quantile", "count_values"])
        if op == "count_values":
            made = self.aggregation(op, depth, self.text(["value", "job", "v 2", "__name__"]))
            while made.all_kinds() & UNSURE:  # their last bits would be labels
                made = self.aggregation(op, 1, self.text(["value", "job", "v 2", "__name__"]))
            return made
        return self.aggregation(op, depth, self.scalar(depth - 1))

    def unary(self, depth):
        return Node(VECTOR, [self.rng.choice("-+"), self.vector(depth)], ("unary",))

    def paren(self, depth):
        return Node(VECTOR, ["(", self.vector(depth), ")"], ("paren",))

    def matching(self, may_group):
        rng = self.rng
        if rng.random() < 0.35:
            return "", ()
        how = rng.choice(["on", "ignoring"])
        labels = rng.choice(["(instance)", "(job, instance)", "()", "(code)", "(job)", self.names(2)])
        text, kinds = f"{self.keyword(how)} {labels} ", [how]
        if may_group and rng.random() < 0.45:
            group = rng.choice(["group_left", "group_right"])
            include = rng.choice(["", "()", "(version)", "(code)", "(le, case)", "(absent)", "(__name__)"])
            text += f"{self.keyword(group)} {include} "
            kinds.append(group)
        return text, tuple(kinds)

    def sides(self, depth):
        """Two vectors: any, or alike enough to match."""
        rng = self.rng
        if rng.random() < 0.5:
            return self.vector(depth), self.vector(depth)
        left = self.vector(depth)
        return left, rng.choice([left, self.paren(0), Node(VECTOR, ["abs(", left, ")"], ("abs",))])

    def binary(self, depth):
        rng = self.rng
        comparison = rng.random() < 0.45
        op = rng.choice(COMPARISON if comparison else ARITHMETIC)
        flag = f"{self.keyword('bool')} " if comparison and rng.random() < 0.4 else ""
        kinds = (op,) + (("bool",) if flag else ())
        roll = rng.random()
        if roll < 0.25:
            parts = ["(", self.vector(depth), f" {op} ", flag, self.scalar(depth), ")"]
        elif roll < 0.4:
            parts = ["(", self.scalar(depth), f" {op} ", flag, self.vector(depth), ")"]
        else:
            left, right = self.sides(depth)
            text, more = self.matching(True)
            parts = ["(", left, f" {op} ", flag, text, right, ")"]
            kinds += more
        optional = (3, 4) if len(parts) == 7 else (3,)
        return self.soft(Node(VECTOR, parts, kinds, optional), op)

    def sets(self, depth):
        op = self.rng.choice(SETS)
        left, right = self.sides(depth)
        text, more = self.matching(False)
        return Node(VECTOR, ["(", left, f" {self.keyword(op)} ", text, right, ")"], (op, *more), (3,))


def mutated(rng, text):
    """The text with one small mistake, of the kind people make."""
    at = rng.randrange(len(text) + 1)
    roll = rng.random()
    if roll < 0.4 and at < len(text):
        return text[:at] + text[at + 1:]
    if roll < 0.7:
        return text[:at] + rng.choice(["(", ")", "[", "]", "{", "}", ",", "\"", "by", " on ", "5m", "==", "~", "@", ":", "offset", "$", "é", "#"]) + text[at:]
    return text[:at] if rng.random() < 0.5 else text[at:]
