#!/usr/bin/env python3
"""Who may include whom.

The table is the architecture: each folder lists the folders it may include.
Nothing else is allowed, headers must not include each other in a circle, and
system headers that drag a layer in (SQLite, libmicrohttpd, libcurl, time()) are
allowed only where the table says.

Exit status is 0 when the tree obeys; each breach is one `file:line: message`.
"""

import pathlib
import re
import sys

TREES = ("lib", "agent", "alertd", "ctl", "web")

BASE = {"lib/base"}
MODEL = BASE | {"lib/model", "lib/regex"}
CORE = MODEL | {"alertd/promql", "alertd/alert", "alertd/template", "alertd/rule", "alertd/eval", "alertd/oncall",
                "alertd/route", "alertd/incident", "alertd/postmortem", "alertd/tune", "alertd/pages", "alertd/why",
                "alertd/drill"}
SHELL = {"alertd/db", "alertd/pager", "alertd/store", "alertd/ingest", "alertd/deliver", "alertd/forward",
         "alertd/http", "alertd/play"}
LIB = MODEL | {"lib/json", "lib/yaml", "lib/net", "lib/wire"}

MAY_INCLUDE = {
    "lib/base": set(),
    "lib/regex": BASE,
    "lib/model": BASE | {"lib/regex"},
    "lib/json": BASE,
    "lib/yaml": BASE,
    "lib/net": BASE,
    "lib/wire": MODEL | {"lib/json"},
    # the agent: probes know neither spool nor push nor each other
    "agent": LIB | {"agent/probe"},
    "agent/probe": LIB - {"lib/wire"},
    # the core decides and is pure: no SQLite, HTTP, curl, threads or clock
    "alertd/chunk": MODEL,
    "alertd/promql": MODEL,
    "alertd/alert": MODEL,
    "alertd/template": MODEL,
    "alertd/route": MODEL | {"lib/yaml", "alertd/alert", "alertd/template"},
    "alertd/rule": MODEL | {"lib/yaml", "alertd/promql", "alertd/alert", "alertd/template"},
    "alertd/incident": MODEL | {"lib/json", "alertd/alert"},
    "alertd/oncall": MODEL | {"lib/json", "lib/yaml"},
    "alertd/eval": MODEL | {"alertd/promql", "alertd/alert", "alertd/template", "alertd/rule"},
    "alertd/why": MODEL | {"lib/json", "alertd/route", "alertd/incident"},
    "alertd/postmortem": MODEL | {"lib/json", "alertd/promql", "alertd/incident"},
    "alertd/tune": MODEL | {"alertd/promql", "alertd/alert", "alertd/rule", "alertd/eval"},
    # what a rule would have paged: above the tuner and all that decides who is told
    "alertd/pages": MODEL | {"lib/json", "alertd/promql", "alertd/alert", "alertd/template", "alertd/rule",
                             "alertd/route", "alertd/incident", "alertd/oncall", "alertd/tune"},
    # a drill has no way to send anything: neither deliver/ nor net/ stand here, and may not
    "alertd/drill": MODEL | {"lib/wire", "lib/json", "lib/yaml", "alertd/promql", "alertd/alert", "alertd/template",
                             "alertd/rule", "alertd/eval", "alertd/oncall", "alertd/route", "alertd/incident",
                             "alertd/postmortem"},
    # the process a drill is played in: the core, a socket that is open already, a fence
    "alertd/desk": MODEL | {"lib/json", "lib/wire", "alertd/promql", "alertd/alert", "alertd/rule", "alertd/drill"},
    # the shell acts
    "alertd/db": CORE | {"lib/json"},
    # sessions of drills: drills.db and processes; neither pager/ nor deliver/ nor store/
    "alertd/play": MODEL | {"lib/json", "alertd/db", "alertd/drill", "alertd/desk"},
    "alertd/http": BASE | {"lib/json"},
    "alertd/store": MODEL | {"alertd/chunk", "alertd/promql", "alertd/db"},
    "alertd/pager": MODEL | {"alertd/alert", "alertd/route", "alertd/incident", "alertd/oncall", "alertd/db"},
    "alertd/ingest": MODEL | {"lib/wire", "alertd/store"},
    "alertd/deliver": LIB | {"alertd/route", "alertd/alert", "alertd/template", "alertd/incident"},
    "alertd/forward": LIB | {"alertd/promql", "alertd/store"},
    "alertd/api": LIB | CORE | SHELL | {"web"},
    "alertd/app": LIB | CORE | SHELL | {"alertd/api"},
    "alertd": LIB | {"alertd/app", "alertd/desk"},
    # the embedded dashboard: a table of bytes
    "web": set(),
    # the command line works offline with the core, asks a folder of samples that nobody else has
    # open, and speaks HTTP for the rest
    "ctl": LIB | CORE | {"alertd/db", "alertd/store"},
}

ONLY_IN = {
    "sqlite3.h": {"alertd/db"},
    "microhttpd.h": {"alertd/http"},
    "curl/curl.h": {"lib/net"},
    "jansson.h": {"lib/json"},
    "yaml.h": {"lib/yaml"},
    "md4c.h": {"alertd/postmortem"},
    "snappy-c.h": {"lib/wire"},
    "zstd.h": {"alertd/chunk"},
    "xxhash.h": {"lib/model"},
    "sodium.h": {"alertd/api", "alertd/db"},
    "pthread.h": {"agent", "ctl", "lib/base", "lib/net", "alertd/db", "alertd/store", "alertd/ingest", "alertd/http",
                  "alertd/forward", "alertd/play", "alertd/app"},
}

CALL_ONLY_IN = {  # the real clock has one home, so that time can be replayed
    r"\b(time|gettimeofday|clock_gettime|sleep|usleep|nanosleep)\s*\(": {"lib/base"},
}
# Within the core even clock.h's reading functions are refused: now_ms is an argument.
CORE_MAY_NOT_CALL = re.compile(r"\bclock_(wall_ms|mono_ms|mono_us|mono_ns|cpu_us|sleep_ms)\s*\(")
CORE_FOLDERS = {f for f in MAY_INCLUDE if f in CORE - MODEL} | {"alertd/chunk"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def folder_of(path):
    """"lib/base" of lib/base/err.h, "agent" of agent/main.c, "alertd" of alertd/main.c."""
    return "/".join(path.split("/")[:-1][:2])


def breaches(root):
    graph = {}
    for path in sorted(p for top in TREES for p in root.glob(f"{top}/**/*.[ch]")):
        name = path.relative_to(root).as_posix()
        home = folder_of(name)
        graph[name] = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r'"[^"]*"', '""', line)  # PromQL has a time() of its own
            for pattern, homes in CALL_ONLY_IN.items():
                if home not in homes and not line.lstrip().startswith(("*", "/*", "//")) and re.search(pattern, code):
                    yield f"{name}:{number}: {home}/ may not read the clock"
            if home in CORE_FOLDERS and CORE_MAY_NOT_CALL.search(line):
                yield f"{name}:{number}: {home}/ is pure: take now_ms as an argument"
            found = INCLUDE.match(line)
            if not found:
                continue
            ours, system = found.groups()
            if system and home not in ONLY_IN.get(system, {home}):
                yield f"{name}:{number}: <{system}> belongs to {', '.join(sorted(ONLY_IN[system]))}"
            if not ours:
                continue
            graph[name].append(ours)
            target = folder_of(ours)
            if home not in MAY_INCLUDE:
                yield f"{name}:{number}: folder {home}/ is not in the table"
            elif target != home and target not in MAY_INCLUDE[home]:
                yield f"{name}:{number}: {home}/ may not include {target}/"

    state = {}

    def visit(node, trail):
        if state.get(node) == "done" or node not in graph:
            return
        if state.get(node) == "open":
            yield f"{node}: include cycle: {' -> '.join(trail[trail.index(node):] + [node])}"
            return
        state[node] = "open"
        for nxt in graph[node]:
            yield from visit(nxt, trail + [node])
        state[node] = "done"

    for node in sorted(graph):
        yield from visit(node, [])


def main():
    found = list(breaches(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
