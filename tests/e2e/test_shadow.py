"""Shadows: people who look over a shoulder get copies of pages. A real alertd, three people whose contacts
are webhooks. A copy teaches and touches nothing: it is marked, has its own page and its own story; when
its contact hangs or refuses, the real page does not notice; and whatever a shadow does, every row that
is not theirs stays as it was, bit by bit.
"""

import http.client
import pathlib
import re
import sqlite3
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import alertctl, request, until
from team import V1, Team

# What a shadow may write; sessions and tokens remember when they were used.
THEIRS = ("shadow_page", "shadow_page_row", "shadow_page_event", "readiness_item", "session", "token", "sqlite_sequence")


class Shadow(Team):
    names = ("ana", "bob", "dan")

    def setUp(self):
        super().setUp()
        self.dan_token = self.alertd.make_token("dan", "operate")

    def token_for(self, method, path):
        # what a shadow does, they do: another one says for whom (test_access.py)
        return self.dan_token if "/shadow-pages/" in path and method == "POST" else None

    def roster(self, dan=True):
        self.people({} if dan else {"dan": []})
        self.weekly()
        self.policy(600000)

    def shadow(self, mode="own copy", of=("schedule", "web"), person="dan", **more):
        return self.send("POST", "/shadows", {"person": person, "target_kind": of[0], "target": of[1], "mode": mode,
                                              "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", **more})["id"]

    def fire(self, name="Down"):
        """From elsewhere: no evaluation moves anything by itself."""
        self.alertd.post("/api/v2/alerts", [{
            "labels": {"alertname": name, "severity": "critical"}, "endsAt": "2099-01-01T00:00:00Z",
            "annotations": {"summary": "the <shop> is down", "runbook_url": "https://example.org/shop"}}])

    def incident(self):
        listed = self.alertd.call("GET", V1 + "/incidents?status=all").json["incidents"]
        return self.alertd.call("GET", f"{V1}/incidents/{listed[0]['key']}").json if listed else None

    def pages(self, query=""):
        return self.alertd.call("GET", f"{V1}/shadow-pages{query}").json["shadow_pages"]

    def page(self):
        pages = until(self.pages, what="a shadow page")
        self.assertEqual(len(pages), 1, pages)
        return pages[0]

    def told(self, hook, n=1):
        hook.wait(lambda calls: len(calls) == n, what=f"call {n}")
        return hook.calls[-1]["body"]

    def both_told(self):
        """Both pages are out, and marked as sent: nothing real moves by itself any more."""
        self.fire()
        self.told(self.ana), self.told(self.dan)
        until(lambda: [row["state"] for row in self.incident()["notifications"]] == ["sent"] and
              self.page()["deliveries"][0]["state"] == "sent", what="both are marked")

    def rows(self):
        """Everything in state.db that is no shadow's, nor a page of alertd to itself that sees whether the way is open."""
        page = " WHERE lane <> 'shadow' AND receiver <> 'alertd:canary'"
        state = sqlite3.connect(f"file:{self.alertd.folder}/state.db?mode=ro", uri=True)
        try:
            tables = [name for (name,) in state.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
            self.assertIn("outbox", tables)
            return {table: state.execute(f"SELECT * FROM {table}" + (page if table == "outbox" else "")
                                         ).fetchall() for table in tables if table not in THEIRS}
        finally:
            state.close()

    # --- copies ---

    def test_a_copy_is_marked_and_has_a_page_of_its_own(self):
        self.roster()
        of = self.shadow()
        self.both_told()
        copy, real = self.dan.calls[0]["body"], self.ana.calls[0]["body"]
        self.assertEqual((copy["watchbill"]["lane"], real["watchbill"]["lane"]), ("shadow", "page"))
        self.assertIn("SHADOW", copy["watchbill"]["mark"])
        self.assertNotEqual(self.dan.calls[0]["headers"]["Idempotency-Key"], self.ana.calls[0]["headers"]["Idempotency-Key"])
        self.assertNotIn("/a/", str(copy))
        page = self.page()
        self.assertEqual((page["person"], page["full_name"], page["shadow"], page["mode"], page["mentor"], page["of"]),
                         ("dan", "Dan", of, "own copy", "ana", {"kind": "schedule", "name": "web"}))
        self.assertEqual(page["incident"], {"key": self.incident()["key"], "title": "the <shop> is down", "severity": "critical",
                                            "state": "triggered"})
        self.assertTrue(page["told_at"])
        self.assertIsNone(page["acknowledged_at"])
        self.assertEqual([(row["receiver"], row["kind"], row["state"]) for row in page["deliveries"]],
                         [("person:dan", "webhook", "sent")])
        self.assertEqual(self.pages("?person=ana"), [])
        self.assertEqual(len(self.pages(f"?person=dan&incident={page['incident']['key']}&limit=1")), 1)
        oncall = self.alertd.call("GET", V1 + "/oncall").json["schedules"][0]
        self.assertEqual([one["person"] for one in oncall["people"]], ["ana"])
        self.assertEqual([(one["person"], one["mode"]) for one in oncall["shadows"]], [("dan", "own copy")])

    def test_to_observe_needs_no_acknowledgement(self):
        self.roster()
        self.shadow("observe", ("person", "ana"))
        self.both_told()
        link = self.link()
        text = request("GET", link).text
        self.assertNotIn("Acknowledge my copy", text)
        self.assertIn("I have seen it", text)

    def test_several_contacts_and_two_ways_to_be_found_make_one_page_each(self):
        self.roster()
        self.send("PUT", "/people/ana?revision=1", {"name": "ana", "contacts": [
            {"method": "webhook", "address": self.ana.url}, {"method": "webhook", "address": self.ana.url + "/2"}]}, status=200)
        self.shadow("observe")
        self.shadow("observe", ("person", "ana"), person="bob")
        self.fire()
        self.told(self.ana, 2), self.told(self.dan), self.told(self.bob)
        self.assertEqual(sorted(page["person"] for page in self.pages()), ["bob", "dan"])

    def test_who_is_paged_is_no_shadow_and_who_is_gone_costs_nothing(self):
        self.roster()
        self.shadow(person="ana", of=("person", "bob"))  # will be paged in another step
        self.shadow(person="dan", of=("schedule", "web"), to="2021-01-01T00:00:00Z")  # long over
        self.fire()
        self.told(self.ana)
        key = self.incident()["key"]
        self.assertEqual(self.pages(), [])
        self.send("POST", f"/incidents/{key}/escalate", status=200)
        self.told(self.bob), self.told(self.ana, 2)
        self.assertEqual([page["person"] for page in self.pages()], ["ana"])
        self.assertEqual(self.ana.calls[1]["body"]["watchbill"]["lane"], "shadow")

    def test_what_goes_wrong_with_a_copy_costs_the_real_page_nothing(self):
        self.roster()
        self.shadow()
        self.alertd.stop()
        state = sqlite3.connect(f"{self.alertd.folder}/state.db")
        state.execute("DROP TABLE shadow_page_event")
        state.commit()
        state.close()
        self.alertd.start()
        self.fire()
        self.told(self.ana)
        self.assertEqual(self.pages(), [])
        self.assertIn("a shadow is left out", self.alertd.log())
        self.assertEqual(self.dan.calls, [])

    # --- isolation ---

    def test_a_contact_that_hangs_or_refuses_is_not_noticed_by_the_real_page(self):
        self.roster()
        self.dan.hang = 15  # longer than this test
        for _ in range(6):  # more than there are threads of any kind
            self.shadow()
        began = time.monotonic()
        self.fire()
        self.told(self.ana)
        self.dan.wait(lambda calls: len(calls) >= 1, what="a copy under way")
        key = self.incident()["key"]
        self.send("POST", f"/incidents/{key}/escalate", status=200)
        self.told(self.bob)
        until(lambda: all(row["state"] == "sent" for row in self.incident()["notifications"]), what="real pages are marked")
        self.assertLess(time.monotonic() - began, 15, "it waited for a copy")
        self.assertEqual(len(self.incident()["notifications"]), 2)

    def test_a_refused_copy_is_nobodys_business(self):
        self.roster()
        self.dan.answer = lambda n: 403
        self.shadow()
        self.fire()
        self.told(self.ana)
        until(lambda: self.page()["deliveries"][0]["error"], what="the refusal")
        incident = self.incident()
        self.assertFalse(any("dan" in event["text"] or event["kind"].startswith("notify.failed") for event in incident["timeline"]))
        self.assertFalse(any("not waited for" in event["text"] for event in incident["timeline"]))
        self.assertEqual(self.bob.calls, [])
        self.assertFalse(any(row["receiver"] == "person:dan" for row in self.alertd.call("GET", V1 + "/outbox").json["notifications"]))

    def link(self):
        body = self.dan.calls[0]["body"]
        return re.search(r"http[^\"' ]*/s/[A-Za-z0-9_-]+", str(body)).group(0)

    def test_nothing_a_shadow_does_changes_a_row_of_anybody_else(self):
        self.roster()
        self.shadow()
        self.both_told()
        link, page = self.link(), self.page()
        before = self.rows()
        self.assertEqual(self.incident()["status"], "triggered")
        path = f"/shadow-pages/{page['id']}"
        self.assertEqual(self.alertd.call("GET", f"{V1}{path}/timelines").status, 409)
        self.assertEqual(self.alertd.call("GET", f"{V1}{path}/timelines?reveal=1").status, 200)
        for deed, body in (("seen", {}), ("opened", {}), ("acknowledge", {}), ("hypothesis", {"text": "the disk is full"}),
                           ("notes", {"text": "ask about the disk"}), ("answers", {"acted_on": True, "made_sense": False,
                                                                                   "knew_where": None})):
            self.send("POST", f"{path}/{deed}", body, status=200)
        for form in ("seen", "opened", "ack", "reveal", "hypothesis&text=net", "notes&text=more", "answer&knew_where=yes"):
            reply = request("POST", link, f"action={form}", {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertIn(reply.status, (200, 303), reply)
        self.assertEqual(request("GET", link).status, 200)
        self.send("PUT", "/readiness/dan/items/followed-one", {"evidence": "https://example.org/1"}, status=200)
        self.send("POST", "/readiness/dan/items/followed-one/sign", {}, status=200)
        for get in ("/shadow-pages", path, f"{path}/timelines", "/readiness", "/readiness/dan"):
            self.assertEqual(self.alertd.call("GET", V1 + get).status, 200)
        after = self.rows()
        self.assertEqual(set(before), set(after))
        for table, rows in before.items():
            self.assertEqual(rows, after[table], f"{table} was changed")
        page = self.page()
        self.assertEqual((page["hypothesis"], page["notes"]), ("net", "more"))
        self.assertEqual(page["answers"]["knew_where"], True)
        self.assertEqual(self.incident()["status"], "triggered")
        # and the dump would have seen it: a real acknowledgement changes rows
        self.send("POST", f"/incidents/{self.incident()['key']}/ack", status=200)
        self.assertNotEqual(self.rows(), before)

    def test_killed_in_the_middle_of_forks(self):
        """Whenever it is killed: each real page has its copies' rows or is not there itself, and everybody is told."""
        self.roster()
        for _ in range(6):
            self.shadow()

        def post(name):
            try:
                self.fire(name)
            except (OSError, http.client.HTTPException, AssertionError):
                pass  # killed

        for n in range(12):
            poster = threading.Thread(target=post, args=(f"Down{n}",))
            poster.start()
            time.sleep(0.002 * n)
            self.alertd.kill()
            poster.join()
            state = sqlite3.connect(f"{self.alertd.folder}/state.db")
            real, = state.execute("SELECT count(*) FROM outbox WHERE receiver = 'person:ana'").fetchone()
            copies, = state.execute("SELECT count(*) FROM outbox WHERE lane = 'shadow'").fetchone()
            pages, = state.execute("SELECT count(*) FROM shadow_page").fetchone()
            self.assertEqual((copies, pages), (6 * real, 6 * real))
            state.close()
            self.alertd.start()
        self.fire()
        until(lambda: all(row["state"] == "sent" for row in self.alertd.call("GET", V1 + "/outbox").json["notifications"]),
              what="everybody is told")
        # one person has all these copies, and is told no faster than others
        until(lambda: all(page["told_at"] for page in self.pages("?limit=1000")), 90, "every copy is told")

    # --- what a shadow does ---

    def test_what_is_done_first_stays_first(self):
        self.roster()
        self.shadow()
        self.both_told()
        path = f"/shadow-pages/{self.page()['id']}"
        first = self.send("POST", path + "/acknowledge", {}, status=200)
        again = self.send("POST", path + "/acknowledge", status=200)
        self.assertEqual(first, again)
        self.assertEqual(first["seen_at"], first["acknowledged_at"])
        guess = self.send("POST", path + "/hypothesis", {"text": "disk"}, status=200)
        better = self.send("POST", path + "/hypothesis", {"text": "the disk of db1"}, status=200)
        self.assertEqual((better["hypothesis"], better["hypothesis_at"]), ("the disk of db1", guess["hypothesis_at"]))
        story = self.alertd.call("GET", f"{V1}{path}/timelines").json
        self.assertEqual([event["kind"] for event in story["shadow"]], ["made", "told", "acknowledged", "hypothesis"])
        self.assertIn("step 1 of shop pages ana (schedule web) by webhook", [event["words"] for event in story["real"]])
        compared = {line["what"]: line for line in story["compared"]}
        self.assertIsNotNone(compared["acknowledged"]["shadow_ms"])
        self.assertIsNone(compared["acknowledged"]["real_ms"])

    def test_a_shadow_is_told_the_end_too(self):
        self.roster()
        self.shadow()
        self.both_told()
        self.send("POST", f"/incidents/{self.incident()['key']}/resolve", {}, status=200)
        real, copy = self.told(self.ana, 2), self.told(self.dan, 2)
        self.assertEqual([(body["status"], body["watchbill"]["lane"]) for body in (real, copy)],
                         [("resolved", "page"), ("resolved", "shadow")])
        until(lambda: [row["state"] for row in self.page()["deliveries"]] == ["sent", "sent"], what="it is marked")
        story = self.alertd.call("GET", f"{V1}/shadow-pages/{self.page()['id']}/timelines").json  # it is over: nothing is hidden
        self.assertEqual([event["words"] for event in story["shadow"]][1:], ["told by webhook", "told that it is over by webhook"])
        self.assertIsNotNone({line["what"]: line for line in story["compared"]}["resolved"]["real_ms"])

    def test_bad_input_names_the_field(self):
        self.roster()
        self.shadow()
        self.both_told()
        path = f"/shadow-pages/{self.page()['id']}"
        for deed, body, word in (("answers", {"acted_on": "yes"}, "acted_on"), ("answers", {"other": True}, "other"),
                                 ("hypothesis", {"text": " "}, "text"), ("hypothesis", {}, "text"), ("seen", {"x": 1}, "x")):
            self.assertIn(word, self.send("POST", f"{path}/{deed}", body, status=400)["error"])
        self.send("POST", "/shadow-pages/999/seen", {}, status=404)
        self.send("GET", "/shadow-pages/x", status=404)
        self.send("GET", "/shadow-pages?limit=0", status=400)
        for more, word in (({"mentor": "dan"}, "mentor"), ({"after_ms": 5}, "after_ms"), ({"mentor": "nobody"}, "mentor")):
            reply = self.send("POST", "/shadows", {"person": "dan", "target_kind": "person", "target": "ana", "mode": "observe",
                                                   "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", **more}, status=400)
            self.assertIn(word, reply["error"])

    def test_the_phone_page_hides_what_happened_until_they_guessed(self):
        self.roster()
        self.shadow()
        self.both_told()
        link = self.link()
        text = request("GET", link).text
        self.assertIn("SHADOW", text)
        self.assertIn("the &lt;shop&gt; is down", text)
        self.assertIn("https://example.org/shop", text)
        self.assertNotIn("<script", text)
        self.assertNotIn("step 1 of shop", text)
        self.assertIsNone(self.page()["seen_at"], "looking at the page changed it")
        request("POST", link, "action=hypothesis&text=the+%3Cdisk%3E", {"Content-Type": "application/x-www-form-urlencoded"})
        text = request("GET", link).text
        self.assertIn("the &lt;disk&gt;", text)
        self.assertIn("step 1 of shop", text)
        self.assertEqual(request("GET", link + "x").status, 404)
        self.assertEqual(request("POST", link, "action=resolve", {"Content-Type": "application/x-www-form-urlencoded"}).status, 400)

    # --- reverse ---

    def test_in_reverse_the_shadow_is_paged_first_and_answers(self):
        self.roster()
        self.shadow("reverse", after_ms=600000)
        self.fire()
        page = self.told(self.dan)
        self.assertEqual(page["watchbill"]["lane"], "page")
        self.assertIn("ana stands behind you", page["watchbill"]["practice"])
        self.assertEqual(self.ana.calls, [])
        link = re.search(r"http[^\"' ]*/a/[A-Za-z0-9_-]+", str(page)).group(0)
        request("POST", link, "action=ack&name=dan", {"Content-Type": "application/x-www-form-urlencoded"})
        incident = self.incident()
        self.assertEqual((incident["status"], incident["acknowledged_by"]), ("acknowledged", "dan"))
        until(lambda: {row["receiver"]: row["state"] for row in self.incident()["notifications"]} ==
              {"person:dan": "sent", "person:ana": "superseded"}, what="who stands behind is not paged any more")
        page = self.page()
        self.assertEqual((page["mode"], page["mentor"]), ("reverse", "ana"))
        self.assertTrue(page["acknowledged_at"])
        self.assertTrue(any("dan is paged first and answers" in event["text"] for event in incident["timeline"]))
        self.send("POST", f"/shadow-pages/{page['id']}/acknowledge", {}, status=409)

    def test_who_stands_behind_is_paged_a_while_later_and_takes_over(self):
        self.roster()
        self.shadow("reverse", after_ms=1500, mentor="bob")
        self.fire()
        self.told(self.dan), self.told(self.bob), self.told(self.ana)
        self.assertIn("dan was paged first", self.bob.calls[0]["body"]["watchbill"]["practice"])
        self.assertGreaterEqual(self.bob.calls[0]["at"] - self.dan.calls[0]["at"], 1)
        link = re.search(r"http[^\"' ]*/a/[A-Za-z0-9_-]+", str(self.bob.calls[0]["body"])).group(0)
        self.assertIn("Take over", request("GET", link).text)
        request("POST", link, "action=takeover&name=bob", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertTrue(any(event["actor"] == "bob" and "took it over" in event["text"] for event in self.incident()["timeline"]))
        counters = self.alertd.call("GET", V1 + "/readiness/dan").json["counters"]
        self.assertEqual((counters["reverse_pages"], counters["took_over_by_mentor"]), (1, 1))

    def test_in_reverse_nobody_waits_for_a_shadow_that_cannot_be_reached(self):
        self.roster(dan=False)
        self.shadow("reverse", after_ms=600000)
        self.fire()
        self.told(self.ana)
        self.assertEqual([row["receiver"] for row in self.incident()["notifications"]], ["person:ana"])

    def test_in_reverse_a_refusal_brings_the_one_behind_at_once(self):
        self.roster()
        self.dan.answer = lambda n: 403
        self.shadow("reverse", after_ms=600000)
        self.fire()
        self.told(self.ana)
        self.assertEqual(self.bob.calls, [], "the next step is not due: the one behind was reached")

    # --- readiness ---

    def test_a_checklist_is_signed_by_somebody_else(self):
        self.roster()
        self.assertEqual(self.alertd.call("GET", V1 + "/readiness").json, {"people": []})
        self.shadow()
        row, = self.alertd.call("GET", V1 + "/readiness").json["people"]
        self.assertEqual((row["person"], row["items_done"], row["gate"]),
                         ("dan", 0, {"needs_pages": 10, "needs_sense": 0.8, "sense": None, "passed": False}))
        self.send("POST", "/readiness/dan/items/read-three/sign", {}, status=409)
        self.assertIn("evidence", self.send("PUT", "/readiness/dan/items/read-three", {"evidence": ""}, status=400)["error"])
        self.send("PUT", "/readiness/dan/items/nothing", {"evidence": "x"}, status=404)
        self.send("GET", "/readiness/nobody", status=404)
        self.send("PUT", "/readiness/dan/items/read-three", {"evidence": "https://example.org/pm", "answer": "the second"}, status=200)
        signed = self.send("POST", "/readiness/dan/items/read-three/sign", {}, status=200)
        self.assertEqual((signed["items_done"], signed["items_signed"]), (1, 1))
        item, = (item for area in signed["areas"] for item in area["items"] if item["item"] == "read-three")
        self.assertEqual((item["evidence"], item["answer"], bool(item["signed_by"])), ("https://example.org/pm", "the second", True))
        self.assertEqual(self.send("DELETE", "/readiness/dan/items/read-three/sign", status=200)["items_signed"], 0)
        self.send("POST", "/readiness/dan/items/read-three/sign", {}, status=200)
        changed = self.send("PUT", "/readiness/dan/items/read-three", {"evidence": "https://example.org/other"}, status=200)
        self.assertEqual((changed["items_done"], changed["items_signed"]), (1, 0), "other evidence kept the signature")
        dan = self.alertd.make_token("dan", "operate")
        reply = self.alertd.call("POST", V1 + "/readiness/dan/items/read-three/sign", {}, token=dan)
        self.assertEqual(reply.status, 403, reply)
        self.assertIn("themselves", reply.json["error"])

    def test_the_command_line(self):
        self.roster()
        said = alertctl("shadow", "add", "dan", "--schedule=web", "--mode=observe", "--mentor=bob", alertd=self.alertd).stdout
        of = said.split()[-1]
        self.assertRegex(alertctl("shadow", "list", alertd=self.alertd).stdout, rf"{of} +dan +schedule web +observe +bob")
        self.assertEqual(alertctl("shadow", "add", "dan", alertd=self.alertd, check=False).returncode, 2)
        self.both_told()
        page = str(self.page()["id"])
        alertctl("shadow", "answer", page, "--hypothesis=the disk", "--made-sense=yes", "--acted-on=no", "--for=dan", alertd=self.alertd)
        self.assertRegex(alertctl("shadow", "pages", "dan", alertd=self.alertd).stdout, r"dan .* observe .* no/yes/- +the disk")
        self.assertEqual(alertctl("shadow", "answer", page, "--made-sense=maybe", "--for=dan", alertd=self.alertd, check=False).returncode, 2)
        self.assertRegex(alertctl("readiness", alertd=self.alertd).stdout, r"dan +1 +\d +0/\d+ +0 +not yet: 100 % of 1, over 80 % of 10")
        self.assertIn("[ ] read-three", alertctl("readiness", "dan", alertd=self.alertd).stdout)
        alertctl("shadow", "remove", of, alertd=self.alertd)
        self.assertIn("Nobody shadows", alertctl("shadow", "list", alertd=self.alertd).stdout)
        self.assertEqual(len(self.pages()), 1)

    def test_a_checklist_of_ones_own(self):
        self.roster()
        (pathlib.Path(self.alertd.folder) / "readiness.yml").write_text(
            "gate: {pages: 1, sense: 0.5}\nareas:\n  - area: here\n    items:\n      - {item: one, text: did it}\n")
        self.shadow()
        self.both_told()
        self.send("POST", f"/shadow-pages/{self.page()['id']}/answers", {"made_sense": True}, status=200)
        dan = self.alertd.call("GET", V1 + "/readiness/dan").json
        self.assertEqual((dan["items"], dan["gate"]), (1, {"needs_pages": 1, "needs_sense": 0.5, "sense": 1, "passed": True}))
        (pathlib.Path(self.alertd.folder) / "readiness.yml").write_text("areas:\n  - area: here\n    item: []\n")
        reply = self.alertd.call("GET", V1 + "/readiness")
        self.assertEqual(reply.status, 422, reply)
        self.assertIn("readiness.yml: 3:5: ", reply.json["error"])


if __name__ == "__main__":
    unittest.main()
