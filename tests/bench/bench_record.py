#!/usr/bin/env python3
"""What a long incident and a long postmortem cost to read and to write: in the daemon, and in Chromium.

usage: bench_record.py [--events=20000] [--kilobytes=200] [--rounds=7]        prints Markdown tables

An alert of a real alertd fires; its incident gets EVENTS events through the public API, with what people
make of them (pins, notes beside, hypotheses that are decided), and a postmortem whose human sections hold KILOBYTES.
Calls: wall time on one connection kept open, and CPU of all of alertd's threads (/proc/PID/schedstat) a call, which other work
on the machine does not lengthen as much. Browser: a new tab a round, signed in, its files cached;
milliseconds from the start of the navigation, by its own clock: first paint and first contentful paint (Paint Timing),
when the first rows of the timeline stood in a frame, how long its calls took (Resource Timing), how long the main thread
was held up (Long Tasks). Editing: keys typed through the browser's own input, Event Timing's duration from
key to next paint (multiples of 8).
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from browser import Browser
from daemon import Alertd, until
from machine import machine

OURS = "/api/alertd/v1"
RULES = """groups:
  - name: shop
    interval: 1s
    rules:
      - {alert: CheckoutSlow, expr: 'checkout_seconds{job="shop"} > 1', labels: {severity: critical, service: shop},
         annotations: {summary: 'checkout takes {{ $value }} s'}}
"""
KINDS = ["chat.message", "chat.message", "chat.message", "human.note", "human.observation", "human.command",
         "human.action", "comms.internal", "change.deploy"]

# What the browser saw, collected before the page's own scripts run.
WATCH = """
window.seen = {long: [], keys: []}
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.seen.long.push(one.duration) }).observe({type: 'longtask', buffered: true})
new PerformanceObserver((list) => { for (const one of list.getEntries()) if (one.name === 'keydown' || one.name === 'input') window.seen.keys.push([one.name, one.duration]) }).observe({type: 'event', durationThreshold: 16, buffered: true})
const wanted = SELECTOR
const look = () => document.querySelector(wanted)
  ? requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => { window.seen.there = performance.now() }; channel.port2.postMessage(0) })
  : requestAnimationFrame(look)
requestAnimationFrame(look)
"""
READ = """
const paint = Object.fromEntries(performance.getEntriesByType('paint').map((one) => [one.name, one.startTime]))
const page = performance.getEntriesByType('navigation')[0]
return {paint, there: window.seen.there, long: window.seen.long, html: page.responseEnd,
  calls: performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/')).map((one) => [new URL(one.name).pathname + new URL(one.name).search, one.startTime, one.duration, one.encodedBodySize]),
  nodes: document.querySelectorAll('*').length}
"""


def words(i):
    return f"shard {i % 64} answered in {i * 37 % 900} ms; queue at {i}, {'retry' if i % 3 else 'gave up'} by worker {i % 17}"


def fill(alertd, n_events):
    """The key of an incident that fires, with its events."""
    now_ms = int(time.time() * 1000)
    samples = [f'checkout_seconds{{job="shop",instance="shop-1"}} {3 if at > now_ms - 60_000 else 0.2} {at}'
               for at in range(now_ms - 3_600_000, now_ms, 15_000)]
    alertd.push("\n".join(samples))
    alertd.import_rules(RULES)
    found = until(lambda: alertd.get(f"{OURS}/incidents?status=all")["incidents"], 60, "an incident")
    key = found[0]["key"]
    alertd.post(f"{OURS}/incidents/{key}/ack")
    ids = []
    for first in range(0, n_events, 5000):
        events = []
        for i in range(first, min(first + 5000, n_events)):
            at_ms = now_ms - 3_600_000 + i * 3_500_000 // n_events
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1000)) + f".{at_ms % 1000:03}Z"
            kind = "human.hypothesis" if i % 1000 == 7 else KINDS[i % len(KINDS)]
            events.append({"t": at, "kind": kind, "text": words(i), "actor": f"person {i % 9}", "ref": f"row {i}"})
        made = alertd.post(f"{OURS}/incidents/{key}/events", {"events": events, "source": "chat"}, timeout=120)
        ids += [one["id"] for one in made["events"]]
    for i in range(0, n_events, max(1, n_events // 60)):
        alertd.post(f"{OURS}/incidents/{key}/events/{ids[i]}/revs", {"op": "pin"})
    for i in range(3, n_events, max(1, n_events // 40)):
        alertd.post(f"{OURS}/incidents/{key}/events/{ids[i]}/revs", {"op": "annotate", "value": "seen in the trace as well"})
    for i in range(7, n_events, 2000):
        alertd.post(f"{OURS}/incidents/{key}/events", {"events": [{"kind": "hypothesis.refuted", "text": "refuted", "about": ids[i]}]})
    return key


def prose(n_bytes):
    lines, size, i = [], 0, 0
    while size < n_bytes:
        line = (f"- condition {i}: the queue of **shard {i % 32}** was {i} long when [the page](https://example.com/{i}) was read; "
                f"`worker_{i % 17}` waited and nobody was told" if i % 12 else f"\nParagraph {i}, about what people saw and how they knew it.\n")
        lines.append(line)
        size += len(line) + 1
        i += 1
    return "\n".join(lines)[:n_bytes]


def write_document(alertd, key, n_bytes):
    """The number of a postmortem whose human sections share n_bytes, and the section with most of them."""
    made = alertd.post(f"{OURS}/postmortems", {"incident": key, "template": "standard"}, timeout=120)
    human = [one for one in made["sections"] if one["mode"] == "human"]
    largest = next((one for one in human if one["id"] == "factors"), human[0])
    share = n_bytes // 4 // max(1, len(human) - 1)
    for one in human:
        size = n_bytes - share * (len(human) - 1) if one is largest else share
        reply = alertd.call("PUT", f"{OURS}/postmortems/{made['id']}/sections/{one['id']}",
                            {"markdown": prose(size), "revision": one["revision"]}, timeout=120)
        if reply.status != 200:
            raise AssertionError(reply)
    return made["id"], largest["id"]


def cpu_ms(pid):
    """CPU that a process took so far."""
    spent = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            spent += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass
    return spent / 1e6


class Line:
    """One connection, kept open, as a browser has it."""

    def __init__(self, alertd):
        self.conn = http.client.HTTPConnection("127.0.0.1", alertd.port, timeout=120)
        self.headers = {"Authorization": f"Bearer {alertd.token}"}

    def ask(self, method, path, body=None):
        """Milliseconds and bytes."""
        sent = None if body is None else json.dumps(body)
        start = time.perf_counter()
        self.conn.request(method, path, sent, {**self.headers, **({"Content-Type": "application/json"} if sent else {})})
        reply = self.conn.getresponse()
        text = reply.read()
        spent_ms = (time.perf_counter() - start) * 1000
        if reply.status // 100 != 2:
            raise AssertionError(f"{method} {path}: {reply.status} {text[:300]}")
        return spent_ms, text


def measure_calls(alertd, key, document, section, rounds):
    incident, pm = f"{OURS}/incidents/{key}", f"{OURS}/postmortems/{document}"
    line = Line(alertd)

    def standing():
        sections = json.loads(line.ask("GET", pm)[1])["sections"]
        return next(one for one in sections if one["id"] == section)

    ids = [one["id"] for one in json.loads(line.ask("GET", f"{incident}/events?class=human&offset=100&limit=50")[1])["events"]]
    text = standing()["body"]
    calls = [("GET", path, None) for path in (
        f"{incident}?timeline=0", f"{incident}/events?offset=-100&limit=100", f"{incident}/events?level=key&offset=-100&limit=100",
        f"{incident}/events?q=gave&offset=-100&limit=100", f"{incident}/events?kinds=incident.role,human.hypothesis&limit=500",
        f"{incident}/marks", f"{incident}/metrics", f"{incident}/related")]
    calls += [("POST", f"{incident}/notes", lambda i: {"text": f"note {i}"}),
              ("POST", f"{incident}/events/ID/revs", lambda i: {"op": "annotate", "value": f"words {time.monotonic_ns()}"}),
              ("GET", f"{pm}?view=page", None),
              ("PUT", f"{pm}/sections/{section}", lambda i: {"markdown": f"{text[:-20]}\n{i}", "revision": standing()["revision"]}),
              ("POST", f"{pm}/preview", lambda i: {"markdown": text}), ("GET", f"{pm}/export?format=html", None)]
    print("\n| call | median ms | longest ms | CPU ms | KB |\n|---|---|---|---|---|")
    for method, path, body in calls:
        walls, cpus = [], []
        for i in range(rounds + 1):
            sent = body(i) if body else None
            before = cpu_ms(alertd.pid)
            wall_ms, reply = line.ask(method, path.replace("/ID/", f"/{ids[i % len(ids)]}/"), sent)
            walls.append(wall_ms)
            cpus.append(cpu_ms(alertd.pid) - before)
        shown = path.replace(incident, "INCIDENT").replace(pm, "POSTMORTEM")
        print(f"| `{method} {shown}` | {statistics.median(walls[1:]):.1f} | {max(walls[1:]):.1f} | {statistics.median(cpus[1:]):.1f} | {len(reply) / 1024:.0f} |")


def visit(page, url, selector):
    made = page.call("POST", "/goog/cdp/execute", {"cmd": "Page.addScriptToEvaluateOnNewDocument",
                                                   "params": {"source": f"{{{WATCH.replace('SELECTOR', json.dumps(selector))}}}"}})
    page.open(url[:url.index("/", 8)] + "/nowhere")  # or the navigation holds the end of a page of thousands of elements
    page.open(url)
    page.wait(lambda: page.run("return window.seen && window.seen.there"), 60, f"{selector} on {url}")
    time.sleep(1.5)
    page.call("POST", "/goog/cdp/execute", {"cmd": "Page.removeScriptToEvaluateOnNewDocument", "params": made})
    return page.run(READ)


def show(name, found):
    def of(take):
        values = [take(one) for one in found]
        return f"{statistics.median(values):.0f} ({min(values):.0f}–{max(values):.0f})"
    print(f"| {name} | {of(lambda one: one['paint'].get('first-paint', -1))} | {of(lambda one: one['paint'].get('first-contentful-paint', -1))}"
          f" | {of(lambda one: one['there'])} | {of(lambda one: max([call[2] for call in one['calls']], default=0))}"
          f" | {of(lambda one: max(one['long'], default=0))} | {of(lambda one: sum(one['long']))} | {found[0]['nodes']} |")


def measure_pages(page, alertd, key, document, rounds):
    views = [("the frame alone", "/nowhere", "main"), ("incident", f"/i/{key}", ".event"), ("incident, page 100", f"/i/{key}?page=100", ".event"),
             ("incident, key rows", f"/i/{key}?only=key", ".event"), ("postmortem", f"/pm/{document}", ".section .document")]
    print("\n| page | first paint | first contentful paint | its rows stand | slowest call | longest task | all long tasks | elements |\n|---|---|---|---|---|---|---|---|")
    details = {}
    for name, path, selector in views:
        visit(page, alertd.url + path, selector)
        found = [visit(page, alertd.url + path, selector) for _ in range(rounds)]
        show(name, found)
        details[name] = found[-1]["calls"]
    return details


def measure_typing(page, alertd, document, section):
    page.open(f"{alertd.url}/pm/{document}")
    page.find(f"#s-{section} .panel-head button", "Write", 30).click()
    area = page.find(".editing textarea", None, 30)
    page.wait(lambda: page.run("return document.querySelectorAll('.editing .document li').length > 50"), 60, "the preview")
    page.run("const area = document.querySelector('.editing textarea'); area.setSelectionRange(200, 200); window.seen = {keys: [], long: []};"
             "new PerformanceObserver((list) => { for (const one of list.getEntries()) window.seen.long.push(one.duration) }).observe({type: 'longtask'});"
             "new PerformanceObserver((list) => { for (const one of list.getEntries()) if (one.name === 'keydown') window.seen.keys.push(one.duration) }).observe({type: 'event', durationThreshold: 16})")
    typed = "the queue was full and nobody saw it "
    for letter in typed * 2:
        area.type(letter)
    time.sleep(3)
    seen = page.run("return window.seen")
    page.wait(lambda: "Saved" in page.text(), 60, "saved")
    keys = sorted(seen["keys"] + [0] * (2 * len(typed) - len(seen["keys"])))
    print(f"\n{len(keys)} keys into the longest section: {len(seen['keys'])} took 16 ms or more to the next paint; median {statistics.median(keys):.0f}, "
          f"p98 {keys[int(len(keys) * 0.98) - 1]:.0f}, longest {keys[-1]:.0f} ms; long tasks {len(seen['long'])}, longest {max(seen['long'], default=0):.0f} ms")


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("\n")[2])
    options.add_argument("--events", type=int, default=20000)
    options.add_argument("--kilobytes", type=int, default=200)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--calls", action="store_true", help="list the calls of each page")
    options.add_argument("--no-browser", action="store_true", help="the calls alone")
    args = options.parse_args()
    print(f"{machine()}; `tests/bench/bench_record.py --events={args.events} --kilobytes={args.kilobytes} --rounds={args.rounds}`; load before: {os.getloadavg()[0]:.1f}")
    with Alertd() as alertd:
        key = fill(alertd, args.events)
        document, section = write_document(alertd, key, args.kilobytes * 1024)
        measure_calls(alertd, key, document, section, args.rounds)
        if args.no_browser:
            return
        with Browser() as page:
            page.open(f"{alertd.url}/login#token={alertd.token}")
            page.wait(lambda: page.address().rstrip("/") == alertd.url, 30, "signed in")
            details = measure_pages(page, alertd, key, document, args.rounds)
            measure_typing(page, alertd, document, section)
    for name, calls in details.items() if args.calls else ():
        print(f"\n{name}:")
        for path, start, duration, size in calls:
            print(f"  {start:7.1f} +{duration:6.1f} ms {size / 1024:7.1f} KB {path}")


if __name__ == "__main__":
    main()
