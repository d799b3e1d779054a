"""Drills as people play them, through the API: the library, roles, clocks, acts that come twice, what
a player may see before the end, Prometheus' API on the drill's time, kills, what is broken."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from daemon import ROOT, Alertd, until  # noqa: E402

BASE = "/api/alertd/v1/drills"
FIRST = "01-disk-filling"
REAL = "10-docsrs-2019"


def children(pid):
    return [int(one) for one in subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()]


class Drills(unittest.TestCase):
    flags = [f"--drills.path={ROOT}/drills"]

    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(flags=cls.flags).start()
        cls.tokens = {name: cls.alertd.make_token(name, "operate") for name in ("ana", "ben", "cleo", "dana", "eve")}

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def call(self, who, method, path, body=None, status=200):
        reply = self.alertd.call(method, BASE + path, body, token=self.tokens[who])
        self.assertEqual(reply.status, status, f"{method} {path}: {reply}")
        return reply.json if reply.body else None

    def begin(self, who="ana", **options):
        return self.call(who, "POST", "", {"drill": FIRST, "seed": 1, "start": "paused", **options}, 201)["id"]

    def act(self, number, kind, who="ana", status=200, **more):
        return self.call(who, "POST", f"/{number}/acts", {"kind": kind, **more}, status)

    def clock(self, number, who="ana", status=200, **change):
        return self.call(who, "POST", f"/{number}/clock", change, status)

    def end(self, number, who="ana"):
        return self.call(who, "POST", f"/{number}/end")

    def run_until(self, number, condition, who="ana"):
        """Runs it at its fastest until what is there meets the condition; paused again."""
        self.clock(number, who, state="running", speed=60)
        seen = until(lambda: (lambda now: now if condition(now) else None)(self.call(who, "GET", f"/{number}")), 120, "the drill comes so far")
        if seen["state"] == "running":
            self.clock(number, who, state="paused")
        return seen

    # --- the library ---

    def test_the_library_has_every_drill_in_the_order_of_its_path(self):
        drills = self.call("ana", "GET", "/library")["drills"]
        came = {path.stem for path in (ROOT / "drills").glob("*.drill")}
        self.assertEqual({one["name"] for one in drills if not one["own"]}, came)
        paths = [one["path"] for one in drills if not one["own"]]
        self.assertEqual(paths, sorted(paths))
        first = next(one for one in drills if one["name"] == FIRST)
        self.assertTrue(first["title"] and first["teaches"] and first["brief"])
        self.assertTrue(any(one["real"] for one in drills))
        self.assertFalse(any("error" in one for one in drills))

    def test_nobody_unknown_gets_in(self):
        for path in ("/library", "", "/1", "/1/score"):
            self.assertEqual(self.alertd.call("GET", BASE + path, token="").status, 401)

    # --- playing ---

    def test_a_drill_is_played_from_its_page_to_its_score(self):
        number = self.begin()
        state = self.call("ana", "GET", f"/{number}")
        self.assertEqual((state["state"], state["role"], state["player"]), ("paused", "player", "ana"))
        self.assertLessEqual(state["clock"]["now_ms"], 0)
        self.assertNotIn("onset_ms", state["clock"])
        self.clock(number, jump="onset")
        paged = self.run_until(number, lambda now: now["pages"])
        self.assertEqual(paged["pages"][0]["who"], "ana")
        self.assertFalse(paged["pages"][0]["acked"])
        self.assertEqual([one["state"] for one in paged["alerts"] if one["state"] == "firing"][:1], ["firing"])
        self.assertEqual(self.act(number, "ack")["moment"]["verdict"], "good")
        guess = self.act(number, "hypothesis", text="the deploy left debug logging on")["moment"]
        self.assertNotIn("verdict", guess)
        self.assertIsNone(guess["who"])
        self.assertEqual(self.act(number, "answer", id="where", text="/var/log")["moment"].get("verdict"), None)
        done = self.act(number, "do", text="switch DEBUG off and truncate the log")["moment"]
        self.assertEqual((done["verdict"], done["worth"]), ("good", "mends"))
        state = self.call("ana", "GET", f"/{number}")
        self.assertTrue(state["pages"][0]["acked"] and state["incidents"][0]["acked_ms"] is not None)
        self.assertEqual([one["answered"] for one in state["questions"] if one["id"] == "where"], [True])
        self.call("ana", "GET", f"/{number}/score", status=409)
        score = self.end(number)
        clocks = {one["clock"]: one for one in score["clocks"]}
        self.assertEqual((clocks["ack"]["met"], clocks["right"]["after_ms"] is not None), (True, True))
        self.assertEqual(clocks["mitigation"]["at_ms"] - score["from_ms"], clocks["mitigation"]["after_ms"])
        self.assertIn("onset", [one["kind"] for one in score["truth"]])
        verdicts = [one.get("verdict") for one in score["moments"] if one.get("act") == "hypothesis"]
        self.assertEqual(verdicts, ["good"])
        self.act(number, "ack", status=409)
        self.assertEqual(self.call("ana", "GET", f"/{number}")["state"], "ended")
        self.assertGreaterEqual(next(one for one in self.call("ana", "GET", "/library")["drills"] if one["name"] == FIRST)["played"]["n"], 1)
        again = self.begin()
        before = {one["clock"]: one["own_past"] for one in self.end(again)["clocks"]}
        self.assertIn(clocks["ack"]["after_ms"], before["ack"])

    def test_where_it_is_told_is_known_once_it_was_played(self):
        def shown(who):
            return next(one for one in self.call(who, "GET", "/library")["drills"] if one["name"] == REAL)

        def given_away(text):
            return [word for word in ("Rust project", "blog.rust-lang.org", "21 October 2019") if word in text]

        self.assertEqual((shown("eve")["real"], shown("eve")["reconstructed"], shown("eve")["sources"]), (True, None, []))
        number = self.begin("eve", drill=REAL)
        self.assertEqual(given_away(json.dumps(self.call("eve", "GET", f"/{number}"))), [])
        self.assertEqual(given_away(json.dumps(shown("eve"))), [], "begun is not over")
        score = self.end(number, "eve")
        self.assertIn("docs.rs, 21 October 2019", score["reconstructed"])
        self.assertEqual(score["sources"], shown("eve")["sources"])
        self.assertTrue(score["sources"][0].startswith("https://blog.rust-lang.org/"))
        debrief = self.alertd.call("GET", f"{BASE}/{number}/debrief.md", token=self.tokens["eve"]).body
        self.assertIn(score["sources"][0].encode(), debrief if isinstance(debrief, bytes) else debrief.encode())
        self.assertEqual(shown("dana")["sources"], [], "it is over for who played it")

    def test_a_game_masters_own_notes_are_theirs_until_they_share_them(self):
        number = self.begin("ben", mode="master", players=["ana"])

        def notes(who):
            return [(one["text"], one["private"]) for one in self.call(who, "GET", f"/{number}")["notes"]]

        self.call("ben", "POST", f"/{number}/notes", {"text": "the pager works"}, 204)
        self.call("ben", "POST", f"/{number}/notes", {"text": "she reads the wrong graph", "private": True}, 204)
        self.call("ana", "POST", f"/{number}/notes", {"text": "mine", "private": True}, 403)
        self.call("ben", "POST", f"/{number}/notes", {"text": "x", "private": "yes"}, 400)
        self.call("ben", "POST", f"/{number}/notes/share", status=409)
        both = [("the pager works", False), ("she reads the wrong graph", True)]
        self.assertEqual(notes("ben"), both)
        for who in ("ana", "cleo"):
            self.assertNotIn("wrong graph", json.dumps(self.call(who, "GET", f"/{number}")))
        self.end(number, "ben")
        for who in ("ana", "cleo"):
            for part in ("", "/score", "/debrief"):
                self.assertNotIn("wrong graph", json.dumps(self.call(who, "GET", f"/{number}{part}")))
        self.assertEqual(notes("ben"), both, "they are kept")
        self.call("ana", "POST", f"/{number}/notes/share", status=403)
        version = self.call("ana", "GET", f"/{number}")["version"]
        self.call("ben", "POST", f"/{number}/notes/share", status=204)
        self.assertEqual(notes("ana"), [(text, False) for text, _ in both])
        self.assertGreater(self.call("ana", "GET", f"/{number}")["version"], version)

    def test_an_act_that_comes_twice_is_done_once(self):
        number = self.begin()
        first = self.act(number, "note", text="one", key="k-1")
        self.assertEqual(self.act(number, "note", text="one", key="k-1"), first)
        self.assertEqual(len([one for one in self.call("ana", "GET", f"/{number}")["moments"] if one["kind"] == "act"]), 1)
        self.end(number)

    def test_two_tabs_see_one_session_and_are_told_when_nothing_is_new(self):
        number = self.begin()
        one_tab = self.call("ana", "GET", f"/{number}")
        reply = self.alertd.call("GET", f"{BASE}/{number}?since={one_tab['version']}", token=self.tokens["ana"])
        self.assertEqual((reply.status, reply.headers["Drill-Now-Ms"]), (304, str(one_tab["clock"]["now_ms"])))
        self.act(number, "note", text="of the other tab")
        other = self.call("ana", "GET", f"/{number}?since={one_tab['version']}")
        self.assertGreater(other["version"], one_tab["version"])
        self.end(number)

    def test_what_makes_no_sense_is_refused_with_words(self):
        number = self.begin()
        for path, body, field in (
                (f"/{number}/acts", {"kind": "dance"}, "kind"), (f"/{number}/acts", {"kind": "hypothesis"}, "text"),
                (f"/{number}/acts", {"kind": "answer", "text": "x"}, "id"), (f"/{number}/acts", {"kind": "ack", "when": 3}, "when"),
                (f"/{number}/clock", {"speed": 61}, "speed"), (f"/{number}/clock", {"speed": 0}, "speed"),
                (f"/{number}/clock", {"jump": "end"}, "jump"), (f"/{number}/notes", {"text": ""}, "text"),
                ("", {"drill": FIRST, "mode": "crowd"}, "mode"), ("", {"drill": FIRST, "mode": "pair"}, "players"),
                ("", {"drill": FIRST, "players": ["a", "a"], "mode": "team"}, "players"), ("", {}, "drill")):
            reply = self.alertd.call("POST", BASE + path, body, token=self.tokens["ana"])
            self.assertEqual(reply.status, 400, f"{path} {body}: {reply}")
            self.assertIn(field, reply.json["error"])
        self.call("ana", "POST", "", {"drill": "../../etc/passwd"}, 404)
        self.call("ana", "GET", "/999999", status=404)
        self.call("ana", "POST", f"/{number}/acts", {"kind": "note", "text": "x" * 5000}, 413)
        self.end(number)

    # --- time ---

    QUICK = "10-docsrs-2019"  # pages forty seconds behind its onset

    def test_time_stands_at_the_very_second_of_a_page_and_goes_on_slowly(self):
        seen = set()
        for speed in (60, 7):
            number = self.begin(drill=self.QUICK, seed=3, speed=speed)
            self.assertEqual(self.call("ana", "GET", f"/{number}")["clock"]["slow_to"], 1)
            self.clock(number, jump="onset")
            self.clock(number, state="running")
            slowed = until(lambda: (lambda now: now if now["pages"] else None)(self.call("ana", "GET", f"/{number}")), 60, "the page")
            page, clock = slowed["pages"][0]["at_ms"], slowed["clock"]
            self.assertEqual((slowed["state"], clock["speed"]), ("running", 1))
            self.assertEqual(clock["slowed_at_ms"] // 1000, -(-page // 1000))
            self.assertLess(clock["now_ms"] - page, 60_000)  # a minute of ours would be an hour of the drill's at sixty
            seen.add((page, clock["slowed_at_ms"]))
            self.end(number)
        self.assertEqual(len(seen), 1)

    def test_what_slows_time_is_chosen_and_a_jump_heeds_it_too(self):
        number = self.begin(drill="02-certificate-expiry", speed=60)  # pages before its onset
        jumped = self.clock(number, jump="onset")
        paged = self.call("ana", "GET", f"/{number}")
        self.assertEqual((jumped["state"], jumped["clock"]["speed"]), ("paused", 1))
        self.assertEqual((len(paged["pages"]), paged["clock"]["now_ms"]), (1, jumped["clock"]["slowed_at_ms"]))
        self.assertEqual(self.call("ana", "POST", f"/{number}/settings", {"slow_to": 0})["clock"]["slow_to"], 0)
        self.clock(number, speed=60)
        self.clock(number, jump="onset")
        there = self.call("ana", "GET", f"/{number}")["clock"]
        self.assertEqual((there["now_ms"], there["speed"]), (30 * 60_000, 60))
        self.end(number)
        faster = self.begin(drill="02-certificate-expiry", speed=60, slow_to=5)
        self.assertEqual(self.clock(faster, jump="onset")["clock"]["speed"], 5)
        self.end(faster)
        led = self.begin(who="dana", drill="02-certificate-expiry", mode="master", players=["ana"], speed=60)
        self.assertEqual(self.clock(led, who="dana", jump="onset")["clock"]["now_ms"], 30 * 60_000)
        self.call("ana", "POST", f"/{led}/settings", {"slow_to": 1}, 403)
        self.end(led, "dana")

    def test_settings_are_checked_and_pages_are_ones_own(self):
        number = self.begin(mode="pair", players=["ana", "ben"])
        for body, word in (({"slow_to": 61}, "slow_to"), ({"slow_to": -1}, "slow_to"), ({"page_me": "yes"}, "page_me"), ({"pages": True}, "pages")):
            self.assertIn(word, self.call("ana", "POST", f"/{number}/settings", body, 400)["error"])
        self.call("ben", "POST", f"/{number}/settings", {"page_me": True}, 403)
        self.call("cleo", "POST", f"/{number}/settings", {"stop_for_pages": True}, 403)
        set_ = self.call("ana", "POST", f"/{number}/settings", {"page_me": True, "stop_for_pages": True})
        self.assertEqual((set_["page_me"], set_["stop_for_pages"]), (True, True))
        self.assertEqual(self.call("ben", "POST", f"/{number}/settings", {"stop_for_pages": False})["page_me"], True)
        self.end(number)
        led = {"drill": FIRST, "mode": "master", "players": ["ana"], "page_me": True}
        self.assertIn("page_me", self.call("dana", "POST", "", led, 400)["error"])

    def test_acts_at_sixty_times_are_done_at_the_second_that_is_written_down(self):
        number = self.begin(seed=9, speed=60, start="at_once", slow_to=0)
        for i in range(250):
            self.act(number, "note", text=f"note {i}")
        score = self.end(number)
        for pid in children(self.alertd.pid):
            os.kill(pid, signal.SIGKILL)
        again = self.call("ana", "GET", f"/{number}/score")
        self.assertEqual([one["at_ms"] for one in again["moments"]], [one["at_ms"] for one in score["moments"]])
        self.assertEqual(again["hash"], score["hash"])

    # --- who may ---

    def test_who_may_only_read_watches(self):
        reader = self.alertd.make_token("rita", "read")
        number = self.begin()
        for path in ("/library", "", f"/{number}", f"/{number}/api/v1/query?query=up"):
            self.assertEqual(self.alertd.call("GET", BASE + path, token=reader).status, 200, path)
        for path, body in (("", {"drill": FIRST}), (f"/{number}/clock", {}), (f"/{number}/acts", {"kind": "ack"}), (f"/{number}/notes", {"text": "x"}),
                           (f"/{number}/injects", {"kind": "chat", "text": "x"}), (f"/{number}/settings", {}), (f"/{number}/retry", {}), (f"/{number}/end", {})):
            self.assertEqual(self.alertd.call("POST", BASE + path, body, token=reader).status, 403, path)
        self.end(number)
        self.assertEqual(self.alertd.call("GET", f"{BASE}/{number}/score", token=reader).status, 200)

    # --- what a player may know ---

    def test_the_state_holds_nothing_of_the_truth(self):
        for path in sorted((ROOT / "drills").glob("*.drill")):
            text = path.read_text()
            number = self.begin(drill=path.stem, slow_to=0)
            try:
                self.clock(number, jump="onset")
            except AssertionError:  # it has begun already
                pass
            self.act(number, "hypothesis", text=re.search(r'^    hypothesis \S+ right "(.*?)"', text, re.M)[1])
            state = self.call("ana", "GET", f"/{number}")
            [own] = [one for one in state["moments"] if one["kind"] == "act"]
            self.assertNotIn("verdict", own, path.stem)
            self.assertIsNone(own["who"], path.stem)
            state["moments"].remove(own)
            said = json.dumps(state)
            minutes = lambda span: sum(int(n) * {"h": 3600_000, "m": 60_000, "s": 1000}[unit] for n, unit in re.findall(r"(\d+)([hms])", span))  # noqa: E731
            secret = re.findall(r'^    (?:hypothesis \S+ \S+|action \S+ \S+|hint cost \d+|debrief|escalate) "(.*?)"', text, re.M)
            secret += [what for at, what in re.findall(r'^    at (\S+) \S+ "(.*)"', text, re.M) if minutes(at) > state["clock"]["now_ms"]]
            secret += re.findall(r'^    really \S+ \S+ "(.*)"', text, re.M) + re.findall(r'accept "([^"]{8,})"', text)
            self.assertGreater(len(secret), 5)
            for words in secret:
                self.assertNotIn(json.dumps(words.replace('\\"', '"'))[1:-1], said, f"{path.stem}: {words}")
            for key in ("right", "truth", "hypotheses", "actions", "escalate_why", "onset_ms", "debrief", "hash", "limit_ms", "really"):
                self.assertNotIn(f'"{key}"', said, path.stem)
            right = self.end(number)["right"]
            self.assertEqual(state["graphs"], self.call("ana", "GET", f"/{number}/api/v1/label/__name__/values")["data"], path.stem)
            self.assertLessEqual(set(right["graphs"]), set(state["graphs"]), path.stem)
            self.assertLessEqual(set(right["runbooks"]), set(state["runbooks"]), path.stem)
            self.assertLess(len(right["runbooks"]), len(state["runbooks"]), path.stem)
            linked = set().union(*(set(re.findall(r"/runbooks/([\w-]+#[\w-]+)", str(one))) for one in self.call("ana", "GET", f"/{number}/api/v1/rules")["data"]["groups"]))
            self.assertEqual(set(state["runbooks"]), linked, f"{path.stem}: one that no rule links stands out")

    # --- what was before ---

    def test_lists_tell_ones_own_runs_and_nobody_elses(self):
        played = lambda who: next(one["played"] for one in self.call(who, "GET", "/library")["drills"] if one["name"] == self.QUICK)  # noqa: E731
        session = lambda who, number: next(one for one in self.call(who, "GET", "?who=all")["sessions"] if one["id"] == number)  # noqa: E731
        self.assertEqual(played("cleo"), {"n": 0, "last_at_ms": None, "last_id": None, "best": []})
        numbers = []
        for wait in (30, 5):
            number = self.begin("cleo", drill=self.QUICK, seed=1)
            self.clock(number, "cleo", jump="onset")
            paged = self.run_until(number, lambda now: now["pages"], "cleo")
            self.clock(number, "cleo", state="running", speed=60)
            until(lambda: self.call("cleo", "GET", f"/{number}")["clock"]["now_ms"] >= paged["pages"][0]["at_ms"] + wait * 1000, 30, "a while")
            self.act(number, "ack", "cleo")
            self.assertNotIn("score", session("cleo", number))
            self.end(number, "cleo")
            numbers.append(number)
        now = played("cleo")
        clocks = [session("cleo", number)["score"]["clocks"]["ack"] for number in numbers]
        best = {one["clock"]: one for one in now["best"]}
        self.assertEqual((now["n"], now["last_id"], best["ack"]["ms"]), (2, numbers[1], min(clocks)))
        self.assertIsNone(best["mitigation"]["ms"])
        self.assertIs(best["mitigation"]["met"], False)
        self.assertEqual(best["ack"]["met"], best["ack"]["ms"] <= best["ack"]["limit_ms"])
        self.assertEqual(played("ben")["best"], [])
        self.assertNotIn("score", session("ben", numbers[0]))

    # --- modes ---

    def test_a_pair_sees_the_same_and_only_one_acts(self):
        number = self.begin(mode="pair", players=["ana", "ben"])
        self.assertEqual(self.call("ben", "GET", f"/{number}")["role"], "scribe")
        self.act(number, "ack", who="ben", status=403)
        self.call("ben", "POST", f"/{number}/notes", {"text": "disk?"}, 204)
        self.assertEqual(self.call("ana", "GET", f"/{number}")["notes"][0]["who"], "ben")
        self.clock(number, who="ben", speed=5)
        self.call("cleo", "POST", f"/{number}/notes", {"text": "me too"}, 403)
        self.clock(number, who="cleo", status=403, speed=5)
        self.end(number)

    def test_a_game_master_sees_all_brings_in_and_has_the_clock(self):
        number = self.begin(who="dana", mode="master", players=["ben"])
        led = self.call("dana", "GET", f"/{number}")
        self.assertEqual((led["role"], "onset_ms" in led["clock"]), ("master", True))
        self.assertNotIn("onset_ms", self.call("ben", "GET", f"/{number}")["clock"])
        self.call("ben", "POST", f"/{number}/injects", {"kind": "chat", "text": "hello"}, 403)
        self.clock(number, who="ben", status=403, state="running")
        self.call("dana", "POST", f"/{number}/injects", {"kind": "customer", "text": "the shop is slow"})
        self.call("dana", "POST", f"/{number}/injects", {"kind": "hint", "text": "look at the disk"})
        seen = self.call("ben", "GET", f"/{number}")
        self.assertIn(("customer", "the shop is slow"), [(one["who"], one["what"]) for one in seen["moments"] if one["kind"] == "happened"])
        self.assertEqual([one["text"] for one in seen["hints"]["given"]], ["look at the disk"])
        self.assertIn("truth", self.call("dana", "GET", f"/{number}/score"))
        self.end(number, "dana")

    def test_a_team_plays_one_drill_each_with_a_copy(self):
        made = self.call("dana", "POST", "", {"drill": FIRST, "mode": "team", "players": ["ana", "ben", "cleo"], "start": "paused"}, 201)
        self.assertEqual(len(made["ids"]), 3)
        states = [self.call(who, "GET", f"/{number}") for who, number in zip(("ana", "ben", "cleo"), made["ids"])]
        self.assertEqual([one["role"] for one in states], ["player"] * 3)
        self.assertEqual({one["team"] for one in states}, {made["id"]})
        self.assertEqual(len({one["seed"] for one in states}), 1)
        for number in made["ids"]:
            self.end(number, "dana")

    def test_one_person_does_not_begin_without_end(self):
        numbers = [self.begin("cleo") for _ in range(4)]
        reply = self.alertd.call("POST", BASE, {"drill": FIRST}, token=self.tokens["cleo"])
        self.assertEqual(reply.status, 429)
        self.assertIn("end one", reply.json["error"])
        for number in numbers:
            self.end(number, "cleo")

    # --- Prometheus' API ---

    def test_queries_see_the_past_of_the_drill_and_nothing_else(self):
        number = self.begin()
        self.clock(number, jump="onset")
        state = self.call("ana", "GET", f"/{number}")
        wall = state["clock"]["wall_ms"] / 1000
        query = lambda call, **parameters: self.call("ana", "GET", f"/{number}/api/v1/{call}?" + urllib.parse.urlencode(parameters, doseq=True))  # noqa: E731
        here = query("query", query="node_filesystem_avail_bytes")["data"]["result"]
        self.assertTrue(here)
        self.assertEqual(here[0]["value"][0], wall)
        span = query("query_range", query="node_filesystem_avail_bytes", start=wall - 1800, end=wall + 7200, step=60)["data"]["result"]
        newest = max(point[0] for series in span for point in series["values"])
        self.assertLessEqual(newest, wall + 300)  # as far as the last sample is looked back to
        self.assertIn("instance", query("labels")["data"])
        self.assertIn("web-1", str(query("label/instance/values")["data"]))
        self.assertTrue(query("series", **{"match[]": ["node_filesystem_avail_bytes"]})["data"])
        self.assertTrue(query("rules")["data"]["groups"])
        self.assertIn("alerts", query("alerts")["data"])
        reply = self.alertd.call("GET", f"{BASE}/{number}/api/v1/query?query=up%7B", token=self.tokens["ana"])
        self.assertEqual((reply.status, reply.json["errorType"]), (400, "bad_data"))
        form = self.alertd.call("POST", f"{BASE}/{number}/api/v1/query", "query=vector(1)", {"Content-Type": "application/x-www-form-urlencoded"}, token=self.tokens["ana"])
        self.assertEqual(form.json["data"]["result"][0]["value"][1], "1")
        self.end(number)

    # --- the same again ---

    def test_the_same_seed_and_acts_give_the_same_events(self):
        hashes = set()
        for _ in range(2):
            number = self.begin(seed=7)
            self.clock(number, jump="onset")
            self.act(number, "note", text="I am here")
            hashes.add(self.end(number)["hash"])
        self.assertEqual(len(hashes), 1)

    def test_a_killed_process_comes_back_as_it_was(self):
        number = self.begin()
        self.clock(number, jump="onset")
        self.act(number, "query", text="up")
        before = self.call("ana", "GET", f"/{number}")
        killed = children(self.alertd.pid)
        self.assertTrue(killed)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        after = self.call("ana", "GET", f"/{number}")
        self.assertEqual(after, before)
        self.act(number, "ack")
        self.end(number)

    def test_killed_while_time_flies_it_stands_at_the_same_second_and_ends_the_same(self):
        number = self.begin(drill=self.QUICK, seed=3, speed=20)
        self.clock(number, jump="onset")
        self.clock(number, state="running")

        def paged():
            for pid in children(self.alertd.pid):
                os.kill(pid, signal.SIGKILL)
            state = self.call("ana", "GET", f"/{number}")
            return state if state["pages"] else None
        state = until(paged, 60, "the page")
        self.assertEqual((state["clock"]["slowed_at_ms"], state["clock"]["speed"]), (4_120_000, 1))  # as alertctl drill run --headless says
        self.act(number, "ack")
        score = self.end(number)
        for pid in children(self.alertd.pid):
            os.kill(pid, signal.SIGKILL)
        again = self.call("ana", "GET", f"/{number}/score")
        self.assertEqual((again["hash"], again["moments"]), (score["hash"], score["moments"]))


class Fence(unittest.TestCase):
    def program(self):
        return pathlib.Path(os.environ.get("WATCHBILL_BUILD", ROOT / "build")) / "alertd/alert-drill"

    def test_what_could_reach_anybody_is_refused(self):
        done = subprocess.run([self.program(), "--try-fence"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        self.assertGreaterEqual(len(lines), 10)
        self.assertTrue(all("refused: Operation not permitted" in line for line in lines), done.stdout)

    def test_it_is_linked_to_nothing_that_sends_or_stores(self):
        linked = subprocess.run(["ldd", self.program()], capture_output=True, text=True, timeout=30).stdout
        self.assertIn("libc.so", linked)
        for library in ("curl", "microhttpd", "sqlite", "ssl", "sodium"):
            self.assertNotIn(library, linked)

    def test_a_process_that_plays_has_no_environment_no_files_and_a_filter(self):
        os.environ["WATCHBILL_TEST_SECRET"] = "do not hand me on"
        with Alertd(flags=Drills.flags) as alertd:
            alertd.post(BASE, {"drill": FIRST})
            pid = children(alertd.pid)[0]
            proc = pathlib.Path(f"/proc/{pid}")
            self.assertEqual(proc.joinpath("environ").read_bytes(), b"")
            status = dict(line.split(":", 1) for line in proc.joinpath("status").read_text().splitlines())
            self.assertEqual((status["Seccomp"].strip(), status["NoNewPrivs"].strip()), ("2", "1"))
            files = {os.readlink(one) for one in proc.joinpath("fd").iterdir()}
            self.assertEqual({one.split(":")[0] for one in files}, {"socket", "/dev/null"})
            alertd.kill()
            until(lambda: not proc.exists(), 10, "a drill's process ends with alertd")


class Broken(unittest.TestCase):
    """A library of its own, with what can be wrong with it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchbill-drills-"))
        shutil.copytree(ROOT / "rules", self.folder / "rules")
        (self.folder / "drills").mkdir()
        self.alertd = Alertd(flags=[f"--drills.path={self.folder}/drills"]).start()

    def tearDown(self):
        self.alertd.close()
        shutil.rmtree(self.folder)

    def begin(self, text):
        (self.folder / "drills/one.drill").write_text(text)
        return self.alertd.call("POST", BASE, {"drill": "one"})

    def test_a_broken_file_is_named_with_its_place(self):
        reply = self.begin('drill "One"\n    length 1h\n    seires up 1\n')
        self.assertEqual(reply.status, 400)
        self.assertIn("one.drill:3:5", reply.json["error"])
        listed = self.alertd.get(BASE + "/library")["drills"]
        self.assertIn("one:3:5", listed[0]["error"])

    def test_a_missing_data_file_is_named(self):
        reply = self.begin('drill "One"\n    length 1h\n    rules host\n    oncall ana\n    samples gone.csv\n')
        self.assertEqual(reply.status, 400)
        self.assertIn("gone.csv", reply.json["error"])

    def test_a_drill_whose_file_changes_goes_on_as_it_began(self):
        number = self.begin((ROOT / f"drills/{FIRST}.drill").read_text()).json["id"]
        (self.folder / "drills/one.drill").unlink()
        self.alertd.stop()
        self.alertd.start()
        state = self.alertd.get(f"{BASE}/{number}")
        self.assertEqual(state["state"], "paused")
        self.alertd.post(f"{BASE}/{number}/acts", {"kind": "note", "text": "still here"})


    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.alertd.folder / "drills.db")) as drills:
            drills.execute(statement, values)
            drills.commit()

    def lose(self, number):
        """A file of the session is gone from drills.db, as on a disk that lost a page."""
        self.sql("DELETE FROM session_file WHERE session = ? AND what = 'beside'", number)

    def test_one_that_cannot_go_on_says_so_is_tried_again_and_ended(self):
        (self.folder / "drills/t.csv").write_text("at,up\n0s,1\n")
        number = self.begin('drill "One"\n    length 1h\n    rules host\n    oncall ana\n    samples t.csv\n').json["id"]
        one = f"{BASE}/{number}"
        self.alertd.post(f"{one}/acts", {"kind": "note", "text": "kept"})
        self.assertEqual(self.alertd.call("POST", f"{one}/retry").status, 409)
        self.alertd.stop()
        kept = (self.alertd.folder / "drills.db").read_bytes()
        self.lose(number)
        self.alertd.start()
        state = self.alertd.get(one)
        self.assertEqual((state["state"], state["can_retry"]), ("broken", True))
        for word in ("t.csv", "kept", "end it"):
            self.assertIn(word, state["error"])
        again = self.alertd.call("POST", f"{one}/retry")
        self.assertEqual(again.status, 422)
        self.assertIn("t.csv", again.json["error"])
        for path, body in (("/acts", {"kind": "ack"}), ("/clock", {"state": "running"}), ("/settings", {})):
            self.assertEqual(self.alertd.call("POST", one + path, body).status, 422, path)
        self.assertEqual([(row["state"], bool(row["error"])) for row in self.alertd.get(BASE)["sessions"]], [("broken", True)])
        self.alertd.stop()
        broken = (self.alertd.folder / "drills.db").read_bytes()
        (self.alertd.folder / "drills.db").write_bytes(kept)  # the disk was mended
        self.sql("UPDATE session SET state = 'broken', error = 'it was lost'")
        self.alertd.start()
        self.assertEqual(self.alertd.get(one)["error"], "it was lost")
        self.assertEqual(self.alertd.post(f"{one}/retry", {})["state"], "paused")
        state = self.alertd.get(one)
        self.assertNotIn("error", state)
        self.assertIn("kept", [moment["what"] for moment in state["moments"]])
        self.alertd.stop()
        (self.alertd.folder / "drills.db").write_bytes(broken)
        self.alertd.start()
        ended = self.alertd.post(f"{one}/end", {})
        self.assertIs(ended["scored"], False)
        self.assertIn("t.csv", ended["error"])
        state = self.alertd.get(one)
        self.assertEqual(state["state"], "ended")
        self.assertIn("t.csv", state["error"])
        for path in ("/score", "/debrief"):
            reply = self.alertd.call("GET", one + path)
            self.assertEqual((reply.status, "t.csv" in reply.json["error"]), (409, True), path)
        self.assertEqual(self.alertd.get(BASE + "/library")["drills"][0]["played"]["n"], 0)
        self.assertNotIn("score", self.alertd.get(BASE)["sessions"][0])

    def test_a_drill_whose_process_always_dies_leaves_the_others_alone(self):
        (self.folder / "dies").write_text("#!/bin/sh\nexit 1\n")
        (self.folder / "dies").chmod(0o755)
        number = self.begin((ROOT / f"drills/{FIRST}.drill").read_text()).json["id"]
        self.alertd.stop()
        self.alertd.flags.append(f"--drills.program={self.folder}/dies")
        self.alertd.start()
        self.assertIn("ended twice", self.alertd.get(f"{BASE}/{number}")["error"])
        self.alertd.stop()
        self.alertd.flags.pop()
        self.alertd.start()
        self.assertEqual(self.alertd.post(f"{BASE}/{number}/retry", {})["state"], "paused")
        self.assertEqual(self.alertd.post(f"{BASE}/{number}/clock", {"state": "running"})["state"], "running")


class Restart(unittest.TestCase):
    def test_killed_sessions_come_back_paused_with_all_that_was_done(self):
        with Alertd(flags=Drills.flags) as alertd:
            number = alertd.post(BASE, {"drill": FIRST, "seed": 3, "speed": 60})["id"]
            alertd.post(f"{BASE}/{number}/clock", {"jump": "onset"})
            done = alertd.post(f"{BASE}/{number}/acts", {"kind": "hypothesis", "text": "debug logging", "key": "k"})
            alertd.kill()
            alertd.start()
            state = alertd.get(f"{BASE}/{number}")
            self.assertEqual(state["state"], "paused")
            self.assertGreaterEqual(state["clock"]["now_ms"], done["moment"]["at_ms"])
            self.assertEqual(alertd.post(f"{BASE}/{number}/acts", {"kind": "hypothesis", "text": "debug logging", "key": "k"}), done)
            score = alertd.post(f"{BASE}/{number}/end", {})
            alertd.stop()
            alertd.start()
            self.assertEqual(alertd.get(f"{BASE}/{number}/score")["hash"], score["hash"])

    def test_a_player_who_leaves_finds_it_paused(self):
        with Alertd(flags=[*Drills.flags, "--drills.pause-after=2s"]) as alertd:
            number = alertd.post(BASE, {"drill": FIRST})["id"]
            watcher = alertd.make_token("watcher", "read")
            until(lambda: alertd.get(f"{BASE}/{number}", token=watcher)["state"] == "paused", 30, "it is paused")
            self.assertIn("nobody looked", alertd.get(f"{BASE}/{number}")["paused_why"])
            alertd.post(f"{BASE}/{number}/clock", {"state": "running"})

    def test_what_was_left_for_long_ends_by_itself(self):
        with Alertd(flags=Drills.flags) as alertd:
            number = alertd.post(BASE, {"drill": FIRST, "start": "paused"})["id"]
            alertd.stop()
            alertd.flags.append("--drills.end-after=1s")
            alertd.start()
            until(lambda: alertd.get(f"{BASE}?who=all")["sessions"][0]["state"] == "ended", 30, "it ends")
            self.assertIn("hash", alertd.get(f"{BASE}/{number}/score"))

    def test_alertd_pages_without_drills_when_their_file_is_damaged(self):
        with Alertd(flags=Drills.flags) as alertd:
            alertd.stop()
            (alertd.folder / "drills.db").write_bytes(b"this is no database" * 500)
            alertd.start()
            reply = alertd.call("GET", BASE)
            self.assertEqual(reply.status, 503)
            self.assertIn("log", reply.json["error"])


if __name__ == "__main__":
    unittest.main()
