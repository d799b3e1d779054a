"""People, schedules, policies and shadows over HTTP: keeping them, who is on call at any instant
(clock changes included), the calendar out and in again, imports of other systems, and a contact
that is verified by the link in a test that really arrives.
"""

import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl
from receivers import Webhook

V1 = "/api/alertd/v1"
WEB = {
    "name": "web", "title": "Web team", "zone": "Europe/Berlin",
    "layers": [{"name": "week", "rotation": {
        "unit": "weeks", "every": 1, "first_turn": "2026-01-05T09:00", "people": ["ana", "bob"]}}]}


def policy(*steps, name="shop"):
    return {"name": name, "steps": [{"delay_ms": 300000, "targets": list(targets)} for targets in steps]}


class Roster(unittest.TestCase):
    def setUp(self):
        self.alertd = Alertd().start()
        self.addCleanup(self.alertd.close)

    def get(self, path, status=200):
        reply = self.alertd.call("GET", V1 + path)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def send(self, method, path, body=None, status=None, **options):
        reply = self.alertd.call(method, V1 + path, body, **options)
        self.assertEqual(reply.status, status or {"POST": 201, "PUT": 200, "DELETE": 204}[method], reply)
        return reply.json if reply.body else None

    def people(self, *names):
        for name in names:
            self.send("POST", "/people", {"name": name, "contacts": [{"method": "email", "address": f"{name}@example.org"}]})

    def web(self, **changes):
        return self.send("POST", "/schedules", {**WEB, **changes})


class Keeping(Roster):
    def test_a_person_lives_a_life(self):
        made = self.send("POST", "/people", {"name": "ana", "full_name": "Ana", "zone": "Europe/Paris", "contacts": [
            {"method": "ntfy", "address": "https://ntfy.example/s3cret-topic"},
            {"method": "email", "address": "ana@example.org"}]})
        self.assertEqual(made["revision"], 1)
        self.assertEqual(made["contacts"][0]["address"], "https://ntfy.example/…")
        self.assertTrue(made["contacts"][0]["secret"])
        self.assertEqual(made["contacts"][1]["address"], "ana@example.org")
        changed = self.send("PUT", "/people/ana?revision=1", {"name": "ana", "contacts": [
            {"method": "email", "address": "ana@example.com"}, {"method": "ntfy", "keep": 0}]})
        self.assertEqual(changed["revision"], 2)
        self.assertEqual([one["method"] for one in changed["contacts"]], ["email", "ntfy"])
        self.assertNotIn("s3cret", self.alertd.call("GET", V1 + "/people").text)
        stale = self.alertd.call("PUT", V1 + "/people/ana?revision=1", {"name": "ana"})
        self.assertEqual(stale.status, 409)
        self.assertIn("revision 2 meanwhile", stale.json["error"])
        self.send("DELETE", "/people/ana")
        self.get("/people/ana", status=404)
        self.send("POST", "/people", {"name": "ana"})

    def test_what_is_kept_is_still_the_secret(self):
        with Webhook() as hook:
            self.send("POST", "/people", {"name": "ana", "contacts": [{"method": "webhook", "address": hook.url + "/s3cret"}]})
            self.send("PUT", "/people/ana", {"name": "ana", "full_name": "A", "contacts": [{"method": "webhook", "keep": 0}]},
                      headers={"If-Match": '"1"'})
            self.assertEqual(self.send("POST", "/people/ana/contacts/0/test", status=200)["outcome"], "accepted")
            self.assertEqual(hook.calls[0]["path"], "/hook/s3cret")

    def test_a_mistake_is_named_by_its_path(self):
        self.people("ana")
        for path, body, words in (
                ("/people", {"name": "x", "contacts": [{"method": "email", "address": "a@b.c"}, {"method": "pigeon", "address": "y"}]}, "contacts[1].method: 'pigeon'"),
                ("/people", {"name": "x", "contacts": [{"method": "email", "address": "nobody"}]}, "contacts[0].address: expected a mail address"),
                ("/people", {"name": "x", "contacts": [{"method": "email", "address": 3}]}, "contacts[0].address"),
                ("/people", {"name": "x", "contacts": [{"method": "email", "keep": 0}]}, "contacts[0].keep"),
                ("/people", {"name": "x", "zone": "Mars/Base"}, "zone"),
                ("/people", {"name": "x", "nickname": "y"}, "nickname"),
                ("/people", {"name": 3}, "name"),
                ("/people", [], "the body"),
                ("/schedules", {**WEB}, "layers[0].rotation.people[1]: there is no person 'bob'"),
                ("/schedules", {**WEB, "layers": [{"name": "a", "rotation": {"unit": "fortnights", "people": ["ana"]}}]}, "layers[0].rotation.unit"),
                ("/policies", policy([{"person": "ana"}], [{"schedule": "web"}]), "steps[1].targets[0].schedule: there is no schedule 'web'"),
                ("/shadows", {"person": "ana", "target_kind": "person", "target": "dan", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "mode": "observe"}, "target: there is no person 'dan'")):
            with self.subTest(words):
                reply = self.alertd.call("POST", V1 + path, body)
                self.assertEqual((reply.status, words in reply.json["error"]), (400, True), reply)
        for path in ("/schedules/web/spans", "/oncall"):
            self.assertIn(self.alertd.call("GET", f"{V1}{path}?from=yesterday&at=now").status, (400, 404))

    def test_what_others_need_is_not_deleted(self):
        self.people("ana", "bob", "cat")
        self.web()
        self.send("POST", "/policies", policy([{"schedule": "web"}], [{"person": "cat"}]))
        for path, words in (("/people/ana", "needed by schedule 'web'"), ("/people/cat", "needed by policy 'shop'"), ("/schedules/web", "needed by policy 'shop'")):
            reply = self.alertd.call("DELETE", V1 + path)
            self.assertEqual((reply.status, words in reply.json["error"]), (409, True), reply)
        old = self.send("POST", "/schedules/web/overrides", {"person": "cat", "of": "ana", "from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
        coming = self.send("POST", "/schedules/web/overrides", {"person": "cat", "from": "2199-01-01T00:00:00Z", "to": "2199-01-02T00:00:00Z"})
        self.send("DELETE", "/policies/shop")
        self.assertIn(f"override '{coming['id']}' of schedule 'web'", self.alertd.call("DELETE", V1 + "/people/cat").json["error"])
        self.send("DELETE", f"/schedules/web/overrides/{coming['id']}")
        self.send("DELETE", "/people/cat")
        self.assertEqual([one["id"] for one in self.get("/schedules/web")["overrides"]], [old["id"]])
        self.send("DELETE", "/schedules/web")
        self.send("DELETE", "/people/ana")

    def test_it_is_there_after_a_restart(self):
        self.people("ana", "bob")
        self.web()
        before = self.get("/oncall?at=2026-06-01T00:00:00Z")
        self.alertd.kill()
        self.alertd.start()
        self.assertEqual(self.get("/oncall?at=2026-06-01T00:00:00Z"), before)

    def test_policies_and_shadows(self):
        self.people("ana", "bob", "dan")
        self.web()
        made = self.send("POST", "/policies", policy([{"schedule": "web"}]))
        spec = {**made["spec"], "repeat": 2, "fallback": [{"person": "bob"}]}
        self.assertEqual(self.send("PUT", f"/policies/shop?revision={made['revision']}", spec)["spec"]["repeat"], 2)
        self.assertEqual(self.alertd.call("PUT", V1 + "/policies/shop", spec).status, 400)
        shadow = self.send("POST", "/shadows", {"person": "dan", "target_kind": "schedule", "target": "web", "mode": "own copy",
                                                "from": "2026-01-06T00:00:00Z", "to": "2026-01-20T00:00:00Z"})
        at = self.get("/oncall?at=2026-01-07T00:00:00Z&schedule=web")["schedules"][0]
        self.assertEqual([one["person"] for one in at["people"]], ["ana"])
        self.assertEqual([one["person"] for one in at["shadows"]], ["dan"])
        spans = self.get("/schedules/web/spans?from=2026-01-05T08:00:00Z&to=2026-01-12T08:00:00Z")
        self.assertEqual({one["person"] for one in spans["final"]}, {"ana"})
        self.assertEqual({one["shadow"] for one in spans["shadows"]}, {"dan"})
        self.send("DELETE", f"/shadows/{shadow['id']}")
        self.assertEqual(self.get("/shadows"), {"shadows": []})


class OnCall(Roster):
    def at(self, instant):
        return self.get(f"/schedules/web/at?at={instant}")

    def test_turns_keep_to_the_wall_clock_over_clock_changes(self):
        self.people("ana", "bob")
        self.web(layers=[{"name": "day", "rotation": {"unit": "days", "every": 1, "first_turn": "2026-03-01T09:00", "people": ["ana", "bob"]}}])
        for instant, who in (("2026-03-28T07:59:59Z", "ana"), ("2026-03-28T08:00:00Z", "bob"),  # winter: 09:00 is 08:00 UTC
                             ("2026-03-29T06:59:59Z", "bob"), ("2026-03-29T07:00:00Z", "ana"),  # clocks went forward that night
                             ("2026-10-25T07:59:59Z", "bob"), ("2026-10-25T08:00:00Z", "ana")):
            with self.subTest(instant):
                self.assertEqual(self.at(instant)["people"][0]["person"], who)
        short = self.at("2026-03-28T12:00:00Z")
        self.assertEqual((short["until"], short["next"]["people"][0]["person"]), ("2026-03-29T07:00:00.000Z", "ana"))

    def test_overrides_and_swaps_say_why(self):
        self.people("ana", "bob", "cat")
        self.web()
        self.send("POST", "/schedules/web/overrides", {"person": "cat", "of": "ana", "from": "2026-01-06T00:00:00Z", "to": "2026-01-07T00:00:00Z", "note": "dentist"})
        cat = self.at("2026-01-06T12:00:00Z")["people"][0]
        self.assertEqual((cat["person"], cat["why"], cat["note"], cat["until"]), ("cat", "override", "dentist", "2026-01-07T00:00:00.000Z"))
        self.send("POST", "/schedules/web/swaps", {"person": "bob", "of": "ana", "from": "2026-01-08T00:00:00Z", "to": "2026-01-09T00:00:00Z",
                                                  "other_from": "2026-01-13T00:00:00Z", "other_to": "2026-01-14T00:00:00Z"})
        self.assertEqual([(self.at(f"2026-01-{day}T12:00:00Z")["people"][0]["person"]) for day in ("07", "08", "09", "12", "13", "14")],
                         ["ana", "bob", "ana", "bob", "ana", "bob"])
        lanes = self.get("/schedules/web/spans?from=2026-01-05T08:00:00Z&to=2026-01-19T08:00:00Z")
        self.assertEqual({one["why"] for one in lanes["final"]}, {"layer", "override", "swap"})
        self.assertEqual([one["person"] for one in lanes["rotation"]], ["ana", "bob"])

    def test_gaps_and_people_without_contacts_are_warned_of(self):
        self.people("ana")
        self.send("POST", "/people", {"name": "bob"})
        self.web(layers=[{"name": "day", "windows": [{"weekdays": ["monday"], "from": "08:00", "to": "18:00"}],
                          "rotation": {"unit": "weeks", "every": 1, "first_turn": "2026-01-05T00:00", "people": ["ana", "bob"]}}])
        found = self.get("/schedules/web/warnings?from=2026-01-05T00:00:00Z&to=2026-01-19T00:00:00Z")["warnings"]
        self.assertEqual({one["kind"] for one in found}, {"gap", "unreachable"})
        self.assertIn({"kind": "unreachable", "person": "bob", "from": "2026-01-12T07:00:00.000Z", "to": "2026-01-12T17:00:00.000Z",
                       "words": "'bob' is on call and has no contact"}, found)

    def test_a_preview_stores_nothing(self):
        self.people("ana", "bob")
        lanes = self.send("POST", "/schedules/preview?from=2026-01-05T08:00:00Z&to=2026-01-12T08:00:00Z", WEB, status=200)
        self.assertEqual([one["person"] for one in lanes["final"]], ["ana"])
        self.assertEqual(self.get("/schedules"), {"schedules": []})


class Calendars(Roster):
    def test_the_calendar_read_again_gives_the_same_turns(self):
        self.people("ana", "bob", "cat")
        self.web()
        self.send("POST", "/schedules/web/overrides", {"person": "cat", "of": "ana", "from": "2026-12-22T10:00:00Z", "to": "2026-12-24T10:00:00Z"})
        first = self.send("POST", "/schedules/web/ical-secret")["url"]
        url = self.send("POST", "/schedules/web/ical-secret")["url"]
        path = url.removeprefix(self.alertd.url)
        self.assertEqual(self.alertd.call("GET", first.removeprefix(self.alertd.url), token="").status, 404)
        reply = self.alertd.call("GET", path, token="")
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "text/calendar; charset=utf-8"))
        self.assertTrue(reply.text.startswith("BEGIN:VCALENDAR\r\n"))
        for path in ("/ical/x.ics", "/ical/" + "A" * 43 + ".ics"):
            self.assertEqual(self.alertd.call("GET", path, token="").status, 404)
        call = f"{V1}/schedules/import?from=ical&name=copy&zone=Europe/Berlin"
        dry = self.alertd.call("POST", call + "&dry_run=1", reply.text, headers={"Content-Type": "text/calendar"})
        self.assertEqual((dry.status, dry.json["schedules"], dry.json["dry_run"]), (200, [{"name": "copy", "what": "added"}], True))
        self.get("/schedules/copy", status=404)
        done = self.alertd.call("POST", call, reply.text, headers={"Content-Type": "text/calendar"})
        self.assertEqual((done.status, done.json["not_understood"]), (200, []), done)
        span = "spans?from=2026-12-01T00:00:00Z&to=2027-02-01T00:00:00Z"
        turns = [[(one["person"], one["from"], one["to"]) for one in self.get(f"/schedules/{name}/{span}")["final"]] for name in ("web", "copy")]
        self.assertGreater(len(turns[0]), 8)
        self.assertEqual(turns[0], turns[1])

    def test_an_address_given_away_is_no_login(self):
        self.people("ana", "bob")
        self.web()
        url = self.send("POST", "/schedules/web/ical-secret")["url"]
        secret = re.search(r"/ical/(.+)\.ics$", url)[1]
        self.assertEqual(self.alertd.call("GET", V1 + "/people", token=secret).status, 401)
        self.assertNotIn(secret, self.alertd.log())
        self.assertNotIn(secret, json.dumps(self.get("/schedules")))


class Imports(Roster):
    GOALERT = {"data": {
        "users": {"nodes": [{"id": "u1", "name": "Ana", "email": "ana@example.org", "contactMethods": []},
                            {"id": "u2", "name": "Bob", "email": "bob@example.org", "contactMethods": []}]},
        "rotations": {"nodes": [{"id": "r1", "name": "Weekly", "type": "weekly", "shiftLength": 1, "start": "2026-01-05T09:00:00Z",
                                 "timeZone": "Europe/Berlin", "userIDs": ["u1", "u2"], "activeUserIndex": 0}]},
        "schedules": {"nodes": []}, "escalationPolicies": {"nodes": []}}}

    def load(self, source, body, status=200, **query):
        more = "".join(f"&{key}={value}" for key, value in query.items())
        reply = self.alertd.call("POST", f"{V1}/schedules/import?from={source}{more}", body)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def test_a_dry_run_promises_and_the_run_keeps_it(self):
        dry = self.load("goalert", self.GOALERT, dry_run=1)
        self.assertEqual(self.get("/people"), {"people": []})
        done = self.load("goalert", self.GOALERT)
        for key in ("people", "schedules", "policies", "not_understood", "added"):
            self.assertEqual(dry[key], done[key])
        self.assertEqual(len(self.get("/people")["people"]), 2)
        again = self.load("goalert", self.GOALERT)
        self.assertEqual((again["added"], {one["what"] for one in again["people"]}), (0, {"is here already"}))

    def test_what_is_no_export_is_refused_with_words(self):
        self.assertIn("goalert, oncall or ical", self.load("pagerduty", {}, status=400)["error"])
        self.assertIn("name", self.load("ical", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", status=400)["error"])
        self.load("oncall", "[1", status=400)


class Contacts(Roster):
    def test_a_test_arrives_and_its_link_verifies(self):
        with Webhook() as hook:
            self.send("POST", "/people", {"name": "ana", "contacts": [{"method": "webhook", "address": hook.url}]})
            self.assertIn("no contact is verified", self.get("/people/ana")["warnings"][0])
            self.assertEqual(self.send("POST", "/people/ana/contacts/0/test", status=200)["outcome"], "accepted")
            page = hook.calls[0]["body"]
            self.assertIn("TEST for ana", json.dumps(page))
            link = re.search(r'"(http[^"]*/c/[^"]+)"', json.dumps(page))[1].removeprefix(self.alertd.url)
            shown = self.alertd.call("GET", link, token="")
            self.assertEqual((shown.status, "It arrived" in shown.text, "<script" in shown.text), (200, True, False))
            self.assertIsNone(self.get("/people/ana")["contacts"][0]["verified_at"], "looking confirms nothing: mail scanners look")
            self.assertIn("Confirmed", self.alertd.call("POST", link, token="").text)
            person = self.get("/people/ana")
            self.assertIsNotNone(person["contacts"][0]["verified_at"])
            self.assertEqual(person["warnings"], [])
            self.send("PUT", "/people/ana?revision=1", {"name": "ana", "contacts": [{"method": "webhook", "address": hook.url + "other"}]})
            self.assertIsNone(self.get("/people/ana")["contacts"][0]["verified_at"])
        self.assertEqual(self.alertd.call("GET", "/c/" + "A" * 43, token="").status, 404)
        self.assertEqual(self.alertd.call("POST", "/c/short", token="").status, 404)

    def test_what_cannot_be_sent_says_why(self):
        self.send("POST", "/people", {"name": "ana", "contacts": [
            {"method": "email", "address": "ana@example.org"}, {"method": "command", "address": "nothing"}, {"method": "webhook", "address": "http://127.0.0.1:1/"}]})
        self.assertIn("no receiver with email_configs", self.send("POST", "/people/ana/contacts/0/test", status=200)["words"])
        self.assertIn("no receiver 'nothing'", self.send("POST", "/people/ana/contacts/1/test", status=200)["words"])
        self.assertEqual(self.send("POST", "/people/ana/contacts/2/test", status=200)["outcome"], "later")
        self.send("POST", "/people/ana/contacts/3/test", status=404)
        for _ in range(7):
            self.send("POST", "/people/ana/contacts/0/test", status=200)
        self.send("POST", "/people/ana/contacts/0/test", status=429)


class CommandLine(Roster):
    def ctl(self, *arguments, status=0):
        done = alertctl(*arguments, alertd=self.alertd, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_from_nobody_to_an_override(self):
        self.assertIn("no schedule yet", self.ctl("oncall"))
        self.ctl("person", "add", "ana", "--full-name=Ana", "--contact=webhook:http://127.0.0.1:1/")
        self.ctl("person", "add", "bob", "--contact=pigeon", status=2)
        self.ctl("person", "add", "bob")
        self.assertIn("NOT sent", self.ctl("person", "test", "ana", status=1))
        self.assertIn("nobody listens there", json.loads(self.ctl("person", "test", "ana", "--json", status=1))["words"])
        self.assertIn("no contact", self.ctl("person", "list"))
        self.web()
        self.assertIn("'bob' is on call and has no contact", self.ctl("schedule", "check", status=3))
        self.assertIn("At 2026-01-06T00:00 UTC", self.ctl("oncall", "--at=2026-01-06T00:00:00Z"))
        self.ctl("override", "add", "web", "bob", "--for=ana", "--from=2026-01-06T09:00", "--to=+8h", "--note=dentist")
        self.assertIn("override 4: dentist", self.ctl("oncall", "--at=2026-01-06T12:00:00Z", "--schedule=web"))
        shown = self.ctl("schedule", "show", "web", "--from=2026-01-06T00:00", "--to=+2d")
        self.assertIn("Tue 06 Jan  " + 18 * "A" + 16 * "b" + 14 * "A" + "  09:00 bob until 17:00 (override), 17:", shown)
        self.assertTrue(all(len(line) <= 103 for line in shown.splitlines()), shown)
        # what is only asked on the way (a zone, who is in it) is not printed: one answer, or a line each
        self.assertEqual(json.loads(self.ctl("schedule", "show", "web", "--json"))["name"], "web")
        self.assertEqual([json.loads(line)["name"] for line in self.ctl("schedule", "check", "--json", status=3).splitlines()], ["web"])
        self.assertIn("As 2026-12-01T09:00", self.ctl("override", "add", "web", "bob", status=2))

    def test_an_import_by_its_file(self):
        path = self.alertd.folder / "export.json"
        path.write_text(json.dumps(Imports.GOALERT))
        self.assertIn("Nothing was stored", self.ctl("schedule", "import", path, "--from=goalert", "--dry-run"))
        self.ctl("schedule", "import", path, status=2)
        self.assertIn("Stored:", self.ctl("schedule", "import", path, "--from=goalert"))


if __name__ == "__main__":
    unittest.main()
