"""The incident record through the API, on a real alertd: past incidents brought with their timelines give the
figures that were published; machine rows cannot be changed; curation is a layer with its history; marks move,
are not known, disagree and are all kept.
"""

import json
import os
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, until

OURS = "/api/alertd/v1"
YEAR = time.gmtime().tm_year
PAST = json.loads((pathlib.Path(__file__).parent / "past_incidents.json").read_text())
RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Slow, expr: 'latency_seconds > 1', for: 2s, labels: {severity: critical}}
"""


def whole_cases():
    """The facts with their words, where somebody has the file they come from."""
    path = os.environ.get("WATCHBILL_CASES")
    if not path:
        return []
    return [{"name": one["id"], "title": one["title"], "events": one["events"], "marks": one["marks"], "impacts": one["impacts"],
             "minutes": one["metrics"]["from_marks_minutes"], "detection_source": one["metrics"]["detection_source"]}
            for one in json.loads(pathlib.Path(path).read_text())]


class Past(unittest.TestCase):
    """Incidents of elsewhere, whose figures are known."""

    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.alertd.start()

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def bring(self, case, **more):
        reply = self.alertd.call("POST", f"{OURS}/incidents", {"title": case.get("title", case["name"]), "origin": "import", "events": case["events"], **more})
        self.assertEqual(reply.status, 201, reply.text)
        return reply.json["key"]

    def metrics(self, key):
        return self.alertd.get(f"{OURS}/incidents/{key}/metrics")

    def test_the_figures_are_the_published_ones(self):
        for case in PAST + whole_cases():
            with self.subTest(case["name"]):
                key = self.bring(case)
                marks = self.alertd.call("PUT", f"{OURS}/incidents/{key}/marks", {"marks": case["marks"], "reason": "as published"})
                self.assertEqual(marks.status, 200, marks.text)
                at = {mark["name"]: mark["at"] for mark in marks.json["marks"]}
                self.assertEqual({name: value and value[:19] for name, value in at.items()}, {name: value and value[:19] for name, value in case["marks"].items()})
                got = self.metrics(key)
                self.assertEqual(got["from_marks_minutes"], case["minutes"])
                self.assertEqual(got["detection_source"], case["detection_source"])
                impacts = [(one["scope"], one["start"]["at"][:19], (one["end"]["at"] or "")[:19], one["minutes"]) for one in got["impacts"]]
                self.assertEqual(impacts, [(one["scope"], one["start"][:19], (one["end"] or "")[:19], one["minutes"]) for one in case["impacts"]])
                for metric in got["metrics"]:
                    if not metric["known"]:
                        self.assertRegex(metric["text"], r"^not known \(mark [a-z_]+ is not set\)$")
                        self.assertIsNone(metric["minutes"])
                    self.assertIn(" − ", metric["formula"])

    def test_what_rules_read_off_the_rows(self):
        """Four of the five need nobody: their rows say it all. Of the second a person knows better."""
        for case in PAST:
            with self.subTest(case["name"]):
                got = self.metrics(self.bring(case))
                if case["name"].startswith("gitlab"):
                    self.assertNotEqual(got["from_marks_minutes"], case["minutes"])
                else:
                    self.assertEqual(got["from_marks_minutes"], case["minutes"])
                    self.assertEqual(got["detection_source"], case["detection_source"])

    def test_each_scope_has_its_own_time_to_detect(self):
        got = self.metrics(self.bring(PAST[0]))
        self.assertEqual({one["scope"]: one["ttd_minutes"] for one in got["impacts"]}, {"builds": 24 * 60 + 43, "site": 0})

    def test_sources_that_disagree_are_both_there(self):
        key = self.bring(PAST[1])
        rows = self.alertd.get(f"{OURS}/incidents/{key}/events")["events"]
        row = next(row for row in rows if row["conflict"])
        self.assertEqual((row["occurred_at"][11:16], row["conflict"]), ("23:27", "another account says about 23:30"))
        marks = self.alertd.call("PUT", f"{OURS}/incidents/{key}/marks", {"marks": [{"name": "impact_start", "at": "2017-01-31T23:30:00Z", "precision": "approx", "reason": "the report says so"}]}).json["marks"]
        start = next(mark for mark in marks if mark["name"] == "impact_start")
        self.assertEqual((start["at"][11:16], start["machine"]["at"][11:16], start["conflict"], start["approx"]), ("23:30", "21:00", True, True))
        self.assertTrue(next(one for one in self.metrics(key)["metrics"] if one["name"] == "impact")["text"].startswith("≈ "))

    def test_precision_place_and_lateness_are_said(self):
        key = self.bring(PAST[1])
        rows = self.alertd.get(f"{OURS}/incidents/{key}/events?limit=500")["events"]
        self.assertEqual({row["precision"] for row in rows}, {"s", "min", "approx"})
        self.assertTrue(any(row["order_only"] for row in rows))
        self.assertTrue(all(row["added_later"] and row["class"] == "human" for row in rows))
        self.assertEqual([row["occurred_at"] for row in rows], sorted(row["occurred_at"] for row in rows))

    def test_negative_is_shown(self):
        key = self.bring(PAST[3])
        self.alertd.call("PUT", f"{OURS}/incidents/{key}/marks", {"marks": {"cause_identified": "2023-10-04T07:30:00Z"}})
        diagnose = next(one for one in self.metrics(key)["metrics"] if one["name"] == "diagnose")
        self.assertEqual((diagnose["minutes"], diagnose["text"]), (-27, "-27 min (negative: look at the marks)"))

    def test_moments_move_and_go_back(self):
        key = self.bring(PAST[2])
        path = f"{OURS}/incidents/{key}/marks"
        detected = lambda: next(mark for mark in self.alertd.get(path)["marks"] if mark["name"] == "detected")
        self.assertEqual((detected()["set_by"], detected()["at"][11:16]), ("machine", "13:45"))
        for change in ({"name": "detected", "at": "2019-07-02T13:44:00Z", "reason": "a dashboard"}, {"name": "detected", "at": None, "reason": "nobody is sure"}):
            self.alertd.call("PUT", path, {"marks": [change]})
            self.alertd.call("PUT", path, {"marks": [change]})  # twice changes nothing
        self.assertEqual((detected()["at"], detected()["why"], detected()["set_by"]), (None, "nobody is sure", "person"))
        self.alertd.call("PUT", path, {"marks": [{"name": "detected", "auto": True}]})
        self.assertEqual((detected()["at"][11:16], detected()["set_by"]), ("13:45", "machine"))
        self.assertEqual([one["state"] for one in self.alertd.get(path)["history"]], ["at", "unknown", "auto"])
        for wrong in ({"marks": {"found": None}}, {"marks": [{"name": "detected"}]}, {"marks": {"detected": "noon"}}, {"marks": [{"name": "detected", "at": None, "scope": "x"}]},
                      {"marks": [{"name": "detected", "at": None, "event": 99999}]}, {"marks": {"detected": f"{YEAR + 1}-12-31T00:00:00Z"}}, [], {}):
            reply = self.alertd.call("PUT", path, wrong)
            self.assertEqual(reply.status, 400, str(wrong))

    def test_taken_in_once(self):
        key = self.bring(PAST[4])
        path = f"{OURS}/incidents/{key}/events"
        rows = [{"t": "2023-01-25T09:20:00Z", "text": f"row {i}", "ref": f"{key} row {i}"} for i in range(3)]
        first = self.alertd.call("POST", path, {"events": rows[:2], "source": "chat"}).json
        again = self.alertd.call("POST", path, {"events": rows, "source": "chat"}).json
        self.assertEqual((first["added"], first["known"], again["added"], again["known"]), (2, 0, 1, 2))
        self.assertEqual([row["source"] for row in self.alertd.get(f"{path}?q=row ")["events"]], ["import chat"] * 3)

    def test_refused_bodies_store_nothing(self):
        before = self.alertd.get(f"{OURS}/incidents")["incidents"][0]["key"]
        good = {"t": "2023-01-25T09:20:00Z", "text": "x"}
        for wrong in ({"title": " "}, {"title": "x", "origin": "dream"}, {"title": "x", "events": [good, {"text": "x", "t": "2023-01-25 09:20"}]},
                      {"title": "x", "events": [{"text": "x", "kind": "human.dream"}]}, {"title": "x", "events": [{"kind": "human.note"}]}, {"title": "x", "more": 1},
                      {"title": "x", "marks": {"x": None}}, {"title": "x", "labels": {"a": 1}}, {"title": "x", "opened_at": "2023-01-25T09:20:00Z", "resolved_at": "2023-01-25T09:10:00Z"},
                      {"title": "x", "events": [{**good, "evidence": {"secret": 1}}]}, {"title": "x", "events": [{**good, "precision": "hour"}]}, {"title": "x", "recurrence_of": "INC-1999-0001"}):
            reply = self.alertd.call("POST", f"{OURS}/incidents", wrong)
            self.assertIn(reply.status, (400, 404), str(wrong))
        self.assertEqual(self.alertd.get(f"{OURS}/incidents")["incidents"][0]["key"], before)

    def test_recurrence(self):
        first, second = self.bring(PAST[4]), self.bring(PAST[4], recurrence_of=None)
        linked = self.alertd.call("PUT", f"{OURS}/incidents/{second}/recurrence", {"of": first}).json
        self.assertEqual(linked["recurrence_of"], first)
        self.assertEqual(self.alertd.call("PUT", f"{OURS}/incidents/{second}/recurrence", {"of": second}).status, 400)
        self.assertIsNone(self.alertd.call("PUT", f"{OURS}/incidents/{second}/recurrence", {"of": ""}).json["recurrence_of"])


class Live(unittest.TestCase):
    """An incident as it happens: what a machine wrote stays as it was written."""

    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.alertd.start()
        cls.alertd.import_rules(RULES)
        cls.key = None
        def opened():
            cls.alertd.push('latency_seconds{instance="a"} 3\n')
            found = cls.alertd.get(f"{OURS}/incidents")["incidents"]
            cls.key = found[0]["key"] if found else None
            return cls.key
        until(opened, 60, "an incident")
        cls.path = f"{OURS}/incidents/{cls.key}"

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def rows(self, query=""):
        return self.alertd.get(f"{self.path}/events?limit=1000&{query}")["events"]

    def revise(self, event, **body):
        return self.alertd.call("POST", f"{self.path}/events/{event}/revs", body)

    def add(self, **event):
        return self.alertd.call("POST", f"{self.path}/events", {"events": [event]}).json["events"][0]["id"]

    def test_a_machine_row_cannot_be_edited_by_anyone(self):
        row = next(row for row in self.rows() if row["class"] == "machine")
        for op, value in (("retime", "2020-01-01T00:00:00Z"), ("retext", "nothing happened"), ("retract", None), ("retag", "human.note")):
            reply = self.revise(row["id"], op=op, value=value, reason="I say so")
            self.assertEqual(reply.status, 400, op)
            self.assertIn("a machine wrote", reply.json["error"])
        self.revise(row["id"], op="annotate", value="beside it")
        self.alertd.call("PUT", f"{self.path}/marks", {"marks": {"trigger": "2020-01-01T00:00:00Z"}})
        for words in ("UPDATE event SET text = 'x'", "DELETE FROM event", "UPDATE event_rev SET op = 'pin'", "DELETE FROM event_rev", "UPDATE mark SET editor = 'x'",
                      "DELETE FROM mark", "INSERT OR REPLACE INTO event SELECT * FROM event", "REPLACE INTO event_rev SELECT * FROM event_rev",
                      "INSERT OR REPLACE INTO mark SELECT * FROM mark", "DELETE FROM incident_event", "UPDATE incident_event SET incident_id = 0",
                      "UPDATE OR REPLACE event SET text = 'x'"):
            db = sqlite3.connect(self.alertd.folder / "state.db")
            try:
                with self.assertRaises(sqlite3.Error, msg=words) as refused:
                    db.execute(words)
                self.assertIn("append-only", str(refused.exception), words)
            finally:
                db.rollback()
                db.close()

    def test_hide_and_back_leaves_two_revisions(self):
        event = self.add(text="to be hidden")
        self.revise(event, op="hide")
        self.assertNotIn(event, [row["id"] for row in self.rows()])
        self.assertIn(event, [row["id"] for row in self.rows("hidden=1")])
        self.revise(event, op="hide")  # is already
        reply = self.revise(event, op="unhide").json
        self.assertEqual([rev["op"] for rev in reply["revs"]], ["hide", "unhide"])
        self.assertIn(event, [row["id"] for row in self.rows()])

    def test_a_persons_row_moves_and_marks_follow(self):
        event = self.add(kind="human.report", text="a customer calls", t=f"{YEAR}-01-01T10:00:00Z")
        detected = lambda: next(mark for mark in self.alertd.get(f"{self.path}/marks")["marks"] if mark["name"] == "detected")["at"]
        self.assertEqual(detected(), f"{YEAR}-01-01T10:00:00.000Z")
        self.assertEqual(self.revise(event, op="retime", value=f"{YEAR}-01-01T09:00:00Z").status, 400)  # why?
        moved = self.revise(event, op="retime", value=f"{YEAR}-01-01T09:00:00Z", precision="approx", reason="the phone's log").json
        self.assertEqual((moved["event"]["occurred_at"], moved["event"]["recorded"]["occurred_at"]), (f"{YEAR}-01-01T09:00:00.000Z", f"{YEAR}-01-01T10:00:00.000Z"))
        self.assertEqual((moved["revs"][0]["old"], moved["revs"][0]["value"]), (f"{YEAR}-01-01T10:00:00.000Z", f"{YEAR}-01-01T09:00:00.000Z"))
        self.assertEqual(detected(), f"{YEAR}-01-01T09:00:00.000Z")
        self.revise(event, op="retract", reason="another system")
        self.assertNotEqual(detected(), f"{YEAR}-01-01T09:00:00.000Z")

    def test_words_beside_and_instead(self):
        event = self.add(text="teh cache", kind="human.observation")
        row = self.revise(event, op="retext", value="the cache", reason="typing").json["event"]
        self.assertEqual((row["text"], row["recorded"]["text"]), ("the cache", "teh cache"))
        other = self.add(text="the cache, too")
        row = self.revise(other, op="merge", value=str(event)).json["event"]
        self.assertEqual(row["merged_into"], event)
        self.assertNotIn(other, [one["id"] for one in self.rows()])
        self.assertEqual(self.revise(other, op="merge", value="99999").status, 400)
        self.assertEqual(self.revise(99999, op="pin").status, 404)
        self.assertEqual(self.revise(event, op="frame").status, 400)

    def test_hypotheses(self):
        one, two = self.add(kind="human.hypothesis", text="the pool is full"), self.add(kind="human.hypothesis", text="the disk")
        self.add(kind="hypothesis.refuted", text="the disk is empty", about=two)
        self.add(kind="hypothesis.confirmed", text="seen in pg_stat_activity", about=one, evidence={"query": "pool_in_use", "value": 100})
        self.assertEqual({row["text"]: row["hypothesis"] for row in self.rows("hypotheses=1")}, {"the pool is full": "confirmed", "the disk": "refuted"})
        cause = next(mark for mark in self.alertd.get(f"{self.path}/marks")["marks"] if mark["name"] == "cause_identified")
        self.assertTrue(cause["known"])
        self.add(kind="hypothesis.open", text="only half of it", about=one)
        self.assertEqual(self.rows("hypotheses=1&q=pool")[0]["hypothesis"], "open")

    def test_windows_and_filters(self):
        self.alertd.call("POST", f"{self.path}/events", {"events": [{"text": f"many {i}", "t": f"{YEAR}-01-02T00:00:{i:02}Z"} for i in range(50)]})
        page = self.alertd.get(f"{self.path}/events?q=many&offset=10&limit=5")
        self.assertEqual((page["total"], [row["text"] for row in page["events"]]), (50, [f"many {i}" for i in range(10, 15)]))
        self.assertEqual([row["text"] for row in self.alertd.get(f"{self.path}/events?q=many&offset=-2")["events"]], ["many 48", "many 49"])
        self.assertEqual({row["class"] for row in self.rows("class=machine")}, {"machine"})
        self.assertTrue(all(row["kind"].startswith("alert.") for row in self.rows("kinds=alert")))
        pinned = self.rows("q=many")[0]["id"]
        self.revise(pinned, op="pin")
        self.assertEqual([row["id"] for row in self.rows("pinned=1")], [pinned])
        self.assertIn(pinned, [row["id"] for row in self.rows("level=key")])
        for wrong in ("level=loud", "class=ghost", "limit=x", "limit=6000", "offset=x"):
            self.assertEqual(self.alertd.call("GET", f"{self.path}/events?{wrong}").status, 400, wrong)

    def test_where_detection_went(self):
        detection = self.alertd.get(f"{self.path}/metrics")["detection"]
        self.assertEqual([one["rule"] for one in detection], ["Slow"])
        parts = {part["name"]: part for part in detection[0]["parts"]}
        self.assertEqual(list(parts), ["evaluation", "for", "grouping", "send", "acknowledge"])
        self.assertTrue(parts["evaluation"]["known"], parts["evaluation"])
        self.assertGreaterEqual(parts["evaluation"]["seconds"], 0)
        self.assertGreaterEqual(parts["for"]["seconds"], 2)
        self.assertEqual((parts["send"]["known"], parts["send"]["why"]), (False, "no page was sent"))

    def test_declared_by_a_person(self):
        reply = self.alertd.call("POST", f"{OURS}/incidents", {"title": "Orders are lost", "severity": "critical", "labels": {"service": "shop"}})
        self.assertEqual((reply.status, reply.json["status"], reply.json["labels"]), (201, "triggered", {"service": "shop"}))
        key = reply.json["key"]
        self.alertd.post(f"{OURS}/incidents/{key}/ack", {})
        self.assertEqual(self.alertd.post(f"{OURS}/incidents/{key}/resolve", {})["status"], "resolved")
        self.assertEqual([event["kind"] for event in self.alertd.get(f"{OURS}/incidents/{key}/events")["events"]][:3], ["incident.declared", "ack", "incident.resolved"])

    def test_a_long_timeline_is_always_as_it_is(self):
        """Its rows are kept between questions; whatever is said of it is in the next answer."""
        key = self.alertd.call("POST", f"{OURS}/incidents", {"title": "A long night", "severity": "warning"}).json["key"]
        path = f"{OURS}/incidents/{key}"
        made = self.alertd.post(f"{path}/events", {"events": [{"kind": "chat.message", "text": f"line {i}", "actor": f"p{i % 5}"} for i in range(700)]})["events"]
        row = lambda id: next(one for one in self.alertd.get(f"{path}/events?hidden=1&limit=5000")["events"] if one["id"] == id)
        total = lambda query="": self.alertd.get(f"{path}/events?limit=0&{query}")["total"]
        first, second, last = made[0]["id"], made[1]["id"], made[-1]["id"]
        before = total()
        self.alertd.post(f"{path}/notes", {"text": "one more"})
        self.assertEqual(total(), before + 1)
        for op, value, member, now in (("pin", None, "pinned", True), ("unpin", None, "pinned", False), ("annotate", "beside it", "note", "beside it"),
                                       ("annotate", "", "note", None), ("hide", None, "hidden", True)):
            self.alertd.post(f"{path}/events/{first}/revs", {"op": op, **({} if value is None else {"value": value})})
            self.assertEqual((op, row(first)[member]), (op, now))
        self.assertEqual(total(), before)
        self.alertd.post(f"{path}/events/{second}/revs", {"op": "retext", "value": "said better", "reason": "a slip"})
        self.assertEqual((row(second)["text"], row(second)["recorded"]["text"]), ("said better", "line 1"))
        self.alertd.post(f"{path}/events/{last}/revs", {"op": "merge", "value": str(second)})
        self.assertEqual(row(last)["merged_into"], second)
        self.assertEqual(self.alertd.call("POST", f"{path}/events/{last}/revs", {"op": "merge", "value": "999999"}).status, 400)
        self.assertEqual(self.alertd.call("POST", f"{path}/events/999999/revs", {"op": "pin"}).status, 404)
        guess = self.alertd.post(f"{path}/events", {"events": [{"kind": "human.hypothesis", "text": "the disk"}]})["events"][0]["id"]
        self.assertEqual(row(guess)["hypothesis"], "open")
        self.alertd.post(f"{path}/events", {"events": [{"kind": "hypothesis.confirmed", "text": "it was", "about": guess}]})
        self.assertEqual(row(guess)["hypothesis"], "confirmed")
        mark = lambda: next(one for one in self.alertd.get(f"{path}/marks")["marks"] if one["name"] == "cause_identified")
        self.assertTrue(mark()["known"])
        self.alertd.call("PUT", f"{path}/marks", {"marks": [{"name": "cause_identified", "at": None, "reason": "it was not"}]})
        self.assertFalse(mark()["known"])


if __name__ == "__main__":
    unittest.main()
