"""Drills beside live alerting: real people with real receivers, counted, while drills page "somebody" at sixty
times the speed of life. Nothing of them leaves; every row of state.db is as it was; a real page gets through
and is told in the drill; who asked for a drill's pages gets them marked, and that too leaves no row.
"""

import hashlib
import os
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, until  # noqa: E402
from team import V1, Team  # noqa: E402

DRILLS = V1 + "/drills"
N_DRILLS = int(os.environ.get("WATCHBILL_DRILLS", "12"))
AT_ONCE = 12
QUIET = ("06-silent-failure", "15-1111-2023")  # customers are their only alert
# When they were used last: of a token and of a browser's session. And alertd's beat to itself, every 30 s.
# All else in state.db is as it was.
MOVES = ("session", "token")
BEAT = {"outbox": "WHERE receiver <> 'alertd:canary'", "sqlite_sequence": "WHERE name <> 'outbox'"}


class Isolation(Team):
    names = ("ana", "bob")

    def flags(self):
        return [f"--drills.path={ROOT}/drills", "--drills.max-running=40", "--drills.max-per-person=40"]

    def setUp(self):
        super().setUp()
        self.people()
        self.weekly()
        self.policy(600000)
        self.players = {name: self.alertd.make_token(name, "operate") for name in ("ana", "bob")}

    def rows(self):
        """A hash over every row of every table but MOVES and BEAT."""
        state = sqlite3.connect(f"file:{self.alertd.folder}/state.db?mode=ro", uri=True)
        try:
            tables = [name for (name,) in state.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
            self.assertIn("outbox", tables)
            return {table: hashlib.sha256(repr(state.execute(f'SELECT * FROM "{table}" {BEAT.get(table, "")}').fetchall()).encode()).hexdigest()
                    for table in tables if table not in MOVES}
        finally:
            state.close()

    def begin(self, drill, who="ana", **options):
        reply = self.alertd.call("POST", DRILLS, {"drill": drill, "seed": 1, "speed": 60, **options}, token=self.players[who])
        self.assertEqual(reply.status, 201, reply)
        return reply.json["id"]

    def look(self, number, who="ana"):
        return self.alertd.get(f"{DRILLS}/{number}", token=self.players[who])

    def jump(self, number, who="ana"):
        self.alertd.post(f"{DRILLS}/{number}/clock", {"jump": "onset"}, token=self.players[who])

    def fire(self):
        self.alertd.post("/api/v2/alerts", [{"labels": {"alertname": "ShopDown", "severity": "critical"},
                                             "annotations": {"summary": "the shop is down"}, "endsAt": "2099-01-01T00:00:00Z"}])

    def play_together(self, names):
        """All at 60x from their onset on, until each has paged its player and was acknowledged."""
        numbers = {self.begin(name, ("ana", "bob")[i % 2]): ("ana", "bob")[i % 2] for i, name in enumerate(names)}
        for number, who in numbers.items():
            self.jump(number, who)
        paged = set()

        def all_paged():
            for number, who in numbers.items():
                state = self.look(number, who)
                if state["pages"] or state["state"] == "ended":
                    paged.add(number)
                    if not any(one.get("act") == "ack" for one in state["moments"]) and state["state"] == "running":
                        self.alertd.post(f"{DRILLS}/{number}/acts", {"kind": "ack", "key": "a"}, token=self.players[who])
            return len(paged) == len(numbers)
        until(all_paged, 180, "the drills page")
        for number, who in numbers.items():
            self.alertd.post(f"{DRILLS}/{number}/end", {}, token=self.players[who])

    def test_drills_page_nobody_and_change_no_row(self):
        names = [path.stem for path in sorted((ROOT / "drills").glob("*.drill")) if path.stem not in QUIET]
        before = self.rows()
        for first in range(0, N_DRILLS, AT_ONCE):
            self.play_together([names[i % len(names)] for i in range(first, min(first + AT_ONCE, N_DRILLS))])
        self.assertEqual(self.rows(), before)
        self.assertEqual((self.ana.calls, self.bob.calls), ([], []))
        self.assertEqual(self.alertd.get(V1 + "/incidents?status=all")["incidents"], [])

    def test_a_real_page_is_told_in_the_drill_and_pauses_it_when_asked(self):
        goes_on = self.begin("01-disk-filling", speed=1)
        stops = self.begin("02-certificate-expiry", speed=1, stop_for_pages=True)
        of_bob = self.begin("01-disk-filling", "bob", speed=1)
        until(lambda: self.look(of_bob, "bob")["clock"]["now_ms"] > self.look(of_bob, "bob")["clock"]["lead_ms"] * -1, 20, "time goes on")
        self.fire()
        self.ana.wait(lambda calls: len(calls) == 1, what="ana's real page")
        self.assertEqual(self.ana.calls[0]["body"]["watchbill"]["lane"], "page")
        banner = until(lambda: self.look(goes_on).get("banner"), 20, "the banner")
        self.assertIn("the shop is down", banner["text"])
        self.assertIn(banner["incident"], [one["key"] for one in self.alertd.get("/api/alertd/v1/incidents")["incidents"]])
        self.assertEqual(self.look(goes_on)["state"], "running")
        stopped = self.look(stops)
        self.assertEqual(stopped["state"], "paused")
        self.assertIn("real page", stopped["paused_why"])
        self.assertNotIn("banner", self.look(of_bob, "bob"))

    def test_who_asked_for_it_gets_a_drills_pages_marked_and_without_a_row(self):
        before = self.rows()
        number = self.begin("01-disk-filling", page_me=True)
        self.jump(number)
        self.ana.wait(lambda calls: len(calls) >= 1, seconds=120, what="the drill's page")
        self.alertd.post(f"{DRILLS}/{number}/end", {}, token=self.players["ana"])
        body = self.ana.calls[0]["body"]
        self.assertEqual(body["watchbill"]["lane"], "drill")
        self.assertIn("DRILL", body["watchbill"]["mark"])
        self.assertIn("[DRILL]", str(body))
        self.assertIn(f"/drills/{number}/play", str(body))
        self.assertEqual(self.bob.calls, [])
        self.assertEqual(self.rows(), before)

    def test_pages_are_sent_from_when_they_are_switched_on_until_they_are_off(self):
        number = self.begin("02-certificate-expiry")  # ana is paged before its onset and twice behind it
        ask = lambda what, body, who="ana": self.alertd.call("POST", f"{DRILLS}/{number}/{what}", body, token=self.players[who])  # noqa: E731
        paged = lambda n: until(lambda: len([one for one in self.look(number)["pages"] if one["who"] == "ana"]) == n, 60, f"{n} pages")  # noqa: E731
        paged(1)  # and time is slow from here on, as from every page
        self.assertIs(self.look(number)["page_me"], False)
        self.assertEqual(ask("settings", {"page_me": True}, "bob").status, 403)
        self.assertEqual(ask("settings", {"page_me": True}).status, 200)
        ask("clock", {"jump": "onset"})
        ask("clock", {"speed": 60})
        paged(2)
        self.ana.wait(lambda calls: len(calls) == 1, what="the second page")
        self.assertEqual(self.ana.calls[0]["body"]["watchbill"]["lane"], "drill")
        self.assertIn("has expired", str(self.ana.calls[0]["body"]))  # the first was that it soon will
        self.assertEqual(ask("settings", {"page_me": False}).status, 200)
        ask("clock", {"speed": 60})
        paged(3)
        ask("end", {})
        time.sleep(2)  # two of the rounds in which pages are told
        self.assertEqual((len(self.ana.calls), self.bob.calls), (1, []))

    def test_killed_in_the_middle_nothing_is_left_outside(self):
        before = self.rows()
        number = self.begin("01-disk-filling")
        self.jump(number)
        time.sleep(0.5)
        self.alertd.kill()
        self.alertd.start()
        self.assertEqual(self.look(number)["state"], "paused")
        self.assertEqual(self.rows(), before)
        self.assertEqual((self.ana.calls, self.bob.calls), ([], []))


if __name__ == "__main__":
    unittest.main()
