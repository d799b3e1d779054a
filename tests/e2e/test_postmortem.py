"""Postmortems over HTTP: a draft holds what happened and nothing else, saves never overwrite, what is
hostile stays text, what was frozen stays.

Incidents are made by the pager (pager.c), then alertd takes the folder over.
"""

import csv
import io
import json
import pathlib
import re
import sys
import tarfile
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, request
from test_incidents import YEAR, page

API = "/api/alertd/v1"
MAIL, REFUSED, OURS, OTHER, MISSING = (f"INC-{YEAR}-{number:04}" for number in (1, 2, 3, 4, 9))


class Postmortems(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.addClassCleanup(cls.alertd.close)
        page(cls.alertd.folder, ["fire QueueLong <b>mail critical", "fire Refused a:1 warning", "fire Ours a:1 warning", "fire Other a:1 warning"])
        cls.alertd.start()

    def test_from_draft_to_export(self):
        key = MAIL
        self.alertd.post(f"{API}/incidents/{key}/ack")
        self.alertd.post(f"{API}/incidents/{key}/notes", {"text": "emptied the queue | by hand"})
        self.alertd.post(f"{API}/incidents/{key}/resolve")
        reply = self.alertd.call("POST", f"{API}/postmortems", {"incident": key, "template": "standard"})
        self.assertEqual(reply.status, 201, reply)
        made = reply.json
        self.assertEqual((made["incident"], made["status"], made["revision"]), (key, "draft", 1))
        self.assertGreater(made["open_prompts"], 3)
        self.assertEqual(self.alertd.get(f"{API}/incidents/{key}")["postmortem"], made["id"])

        with self.subTest("the draft holds the timeline, as text"):
            text = made["markdown"]
            incident = self.alertd.get(f"{API}/incidents/{key}")
            last = next(event["id"] for event in incident["timeline"] if event["kind"] == "incident.resolved")
            for event in incident["timeline"]:
                if event["id"] <= last and not event["kind"].startswith("postmortem."):
                    self.assertIn(f"e{event['id']}", text)
            self.assertIn("emptied the queue \\| by hand", text)
            self.assertIn("\\<b>mail", text)
            self.assertNotRegex(text, r"(?<!\\)<b>")
            self.assertNotRegex(text, r"\{\{|\}\}")

        with self.subTest("every row of marks says where it comes from"):
            section = text.split("## Marks")[1].split("## ")[0]
            rows = [row for row in section.splitlines() if row.startswith("| ") and "---" not in row][1:]
            self.assertGreaterEqual(len(rows), 8)
            for row in rows:
                self.assertTrue(re.split(r"(?<!\\)\|", row)[3].strip(), row)

        with self.subTest("the graph is frozen, with its threshold and the time of the alert"):
            graph = int(re.search(r"!\[[^\]]*\]\(graph:(\d+)\)", text)[1])
            reply = self.alertd.call("GET", f"{API}/graphs/{graph}.svg")
            self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "image/svg+xml"))
            self.assertIn("threshold 0<", reply.text)
            self.assertIn("<title>firing</title>", reply.text)
            self.assertNotIn("style=", reply.text)
            self.assertNotIn("<b>", reply.text)

        with self.subTest("Markdown and HTML"):
            reply = self.alertd.call("GET", f"{API}/postmortems/{made['id']}/export?format=md")
            self.assertEqual(reply.text, text)
            self.assertIn(f'filename="{key}.md"', reply.headers["Content-Disposition"])
            page = self.alertd.call("GET", f"{API}/postmortems/{made['id']}/export?format=html").text
            self.assertIn("<figure><svg", page)
            self.assertIn("emptied the queue | by hand", page)
            self.assertNotIn("<b>", page)
            self.assertNotRegex(page, r"(src|srcset|data)=|@import|url\(|<script|<link")

        with self.subTest("one for each incident"):
            reply = self.alertd.call("POST", f"{API}/postmortems", {"incident": key})
            self.assertEqual(reply.status, 409, reply)
            self.assertIn(f"postmortem {made['id']}", reply.json["error"])

        self.check_saving(made)
        self.check_preview(made["id"])

    def check_saving(self, made):
        path = f"{API}/postmortems/{made['id']}"
        with self.subTest("two writers of a section: the second gets both texts"):
            first = self.alertd.call("PUT", f"{path}/sections/summary", {"markdown": "First\nline\n"}, headers={"If-Match": '"1"'})
            self.assertEqual((first.status, first.headers["ETag"]), (200, '"2"'), first)
            second = self.alertd.call("PUT", f"{path}/sections/summary", {"markdown": "Second\nline\n"}, headers={"If-Match": '"1"'})
            self.assertEqual((second.status, second.json["errorType"]), (409, "conflict"), second)
            self.assertIn("revision 2", second.json["error"])
            self.assertEqual((second.json["theirs"]["body"], second.json["yours"]), ("First\nline\n", "Second\nline\n"))
            self.assertEqual([(line["kind"], line["text"]) for line in second.json["diff"]],
                             [("removed", "First"), ("added", "Second"), ("same", "line")])
            self.assertIn("First", self.alertd.get(path)["markdown"])
            other = self.alertd.call("PUT", f"{path}/sections/factors", {"markdown": "Somebody forgot it. The root cause.\n"}, headers={"If-Match": '"1"'})
            self.assertEqual(other.status, 200, other)
            self.assertEqual({(hint["section"], hint["kind"]) for hint in other.json["hints"]},
                             {("factors", "blame"), ("factors", "single cause")})
            self.alertd.post(f"{path}/hints/dismiss", {"section": "factors", "phrase": "forgot"})
            self.assertEqual(len(self.alertd.get(path)["hints"]), 1)
        with self.subTest("what changed between two saves"):
            diff = self.alertd.get(f"{path}/sections/summary/diff?from=1&to=2")["diff"]
            self.assertIn({"kind": "added", "text": "First"}, diff)
            self.assertEqual([one["revision"] for one in self.alertd.get(f"{path}/sections/summary/revisions")["revisions"]], [2, 1])
        with self.subTest("facts taken over by a person go stale, and can be given back"):
            taken = self.alertd.call("PUT", f"{path}/sections/response", {"detach": True, "revision": 1}).json
            section = next(one for one in taken["sections"] if one["id"] == "response")
            self.assertEqual((section["detached"], section["state"]), (True, "done"))
            self.assertIn("emptied the queue", section["body"])
            self.alertd.post(f"{API}/incidents/{made['incident']}/notes", {"text": "one more thing"})
            section = next(one for one in self.alertd.get(path)["sections"] if one["id"] == "response")
            self.assertEqual(section["state"], "stale")
            back = self.alertd.call("PUT", f"{path}/sections/response", {"markdown": "", "attach": True, "revision": 2}).json
            self.assertIn("one more thing", back["markdown"])
        with self.subTest("title, owner, due date"):
            changed = self.alertd.call("PUT", path, {"title": "Mail stood still", "owner": "ana", "due_at": "2027-01-02T00:00:00Z"}).json
            self.assertEqual((changed["title"], changed["owner"], changed["due_at"][:10]), ("Mail stood still", "ana", "2027-01-02"))
            self.assertIn("# Mail stood still", changed["markdown"])
        with self.subTest("it survives kill -9"):
            self.alertd.kill()
            self.alertd.start()
            self.assertIn("First\nline", self.alertd.get(path)["markdown"])
        self.check_publishing(made, path)
        listed = self.alertd.get(f"{API}/postmortems")["postmortems"]
        self.assertNotIn("markdown", listed[0])
        hits = self.alertd.get(f"{API}/postmortems?q=stood+stil")["hits"]
        self.assertIn(made["id"], [hit["id"] for hit in hits])

    def check_publishing(self, made, path):
        with self.subTest("what stands in its way"):
            self.assertEqual(self.alertd.call("POST", f"{path}/status", {"status": "reviewed"}).status, 409)
            self.assertEqual(self.alertd.post(f"{path}/status", {"status": "in_review"})["status"], "in_review")
            refused = self.alertd.call("POST", f"{path}/publish", {"alone": True})
            self.assertEqual(refused.status, 409, refused)
            self.assertIn("Nobody wrote: Actions", refused.json["blockers"])
        with self.subTest("an action needs an owner, a date and an end"):
            made_action = self.alertd.call("POST", f"{path}/actions", {"text": "Alert on a long queue", "type": "detect", "tag": "alerting"})
            self.assertEqual(made_action.status, 201, made_action)
            action = made_action.json["actions"][0]
            self.assertIn("Nobody owns the action: Alert on a long queue", made_action.json["blockers"])
            action_path = f"{API}/postmortem-actions/{action['id']}"
            late = self.alertd.call("PUT", action_path, {"owner": "ben", "revision": 9})
            self.assertEqual(late.status, 409, late)
            done = self.alertd.call("PUT", action_path, {"owner": "ben", "due_at": "2020-01-01T00:00:00Z", "done_when": "the rule is live", "revision": 1})
            self.assertEqual(done.status, 200, done)
            self.assertTrue(done.json["actions"][0]["overdue"])
            self.assertIn("Alert on a long queue", done.json["markdown"])
        with self.subTest("a rule that is promised is done when it is live"):
            rule = {"rule_draft": "- alert: Longer\n  expr: up == 0\n", "revision": 2}
            self.assertEqual(self.alertd.call("PUT", action_path, {"rule_draft": "- alert: X\n  expr: up ==\n", "revision": 2}).status, 400)
            self.assertEqual(self.alertd.call("PUT", action_path, rule).status, 200)
            refused = self.alertd.call("PUT", action_path, {"state": "done", "revision": 3})
            self.assertEqual(refused.status, 409, refused)
            self.assertIn("no rule Longer is live", refused.json["error"])
        with self.subTest("metrics"):
            text = self.alertd.call("GET", "/metrics").text
            self.assertIn('alertd_postmortem_actions{state="open",overdue="true"} 1', text)
        for section in ("lessons", "actions"):
            self.assertEqual(self.alertd.call("PUT", f"{path}/sections/{section}", {"markdown": "All of it.\n", "revision": 1}).status, 200)
        self.alertd.post(f"{path}/answers", {"question": "When was the impact over?", "answer": "When the queue was empty; nobody looked at the clock."})
        self.assertIn("nobody looked at the clock", self.alertd.get(path)["markdown"])
        with self.subTest("reviewed by somebody else"):
            self.alertd.post(f"{path}/reviews", {"verdict": "asked", "reviewer": "ben"})
            reviewed = self.alertd.post(f"{path}/reviews", {"verdict": "approved", "text": "I was there."})
            self.assertEqual(reviewed["blockers"], [])
            self.assertEqual(self.alertd.post(f"{path}/status", {"status": "reviewed"})["status"], "reviewed")
        with self.subTest("published: frozen"):
            published = self.alertd.post(f"{path}/publish", {})
            self.assertEqual((published["status"], published["version"]), ("published", 1))
            version = self.alertd.get(f"{path}/versions/1")
            self.assertTrue(version["unchanged"], version["trouble"])
            self.alertd.post(f"{API}/incidents/{made['incident']}/notes", {"text": "much later"})
            self.assertEqual(self.alertd.get(path)["markdown"], published["markdown"])
            self.assertEqual(self.alertd.call("PUT", f"{path}/sections/summary", {"markdown": "x", "revision": 2}).status, 409)
            self.assertEqual(self.alertd.call("POST", f"{path}/status", {"status": "closed"}).status, 409)
        with self.subTest("a second version; the first is what it was"):
            self.alertd.post(f"{path}/status", {"status": "draft"})
            self.assertIn("much later", self.alertd.get(path)["markdown"])
            self.assertTrue(self.alertd.get(f"{path}/diff?from=1")["diff"])
            second = self.alertd.post(f"{path}/publish", {"alone": True})
            self.assertEqual(second["version"], 2)
            self.assertEqual(self.alertd.get(f"{path}/versions/1"), version)
        with self.subTest("for the public"):
            public = self.alertd.call("POST", f"{API}/postmortems", {"incident": made["incident"], "template": "public"})
            self.assertEqual((public.status, public.json["kind"]), (201, "public"), public)
            self.assertIn("emptied the queue", public.json["markdown"])
            self.assertNotIn("first admin", public.json["markdown"])
            told = self.alertd.call("GET", f"{path}/export?format=md&audience=public").text
            self.assertNotIn("first admin", told)
            self.assertIn("responder 1", told)
        self.check_exports(made, path)

    def check_exports(self, made, path):
        with self.subTest("tar"):
            reply = urllib.request.urlopen(urllib.request.Request(f"{self.alertd.url}{path}/export?format=tar", headers={"Authorization": f"Bearer {self.alertd.token}"}))
            with tarfile.open(fileobj=io.BytesIO(reply.read())) as tar:
                files = {member.name: tar.extractfile(member).read() for member in tar}
            graph = next(name for name in files if name.startswith("graphs/"))
            self.assertIn(f"]({graph})", files["postmortem.md"].decode())
            self.assertTrue(files[graph].startswith(b"<svg"))
            self.assertEqual(json.loads(files["facts.json"])["incident"]["key"], made["incident"])
            rows = list(csv.DictReader(io.StringIO(files["timeline.csv"].decode())))
            self.assertIn("emptied the queue | by hand", [row["text"] for row in rows])
        with self.subTest("JSON comes in again, and says the same"):
            out = self.alertd.call("GET", f"{path}/export?format=json").json
            again = self.alertd.call("POST", f"{API}/postmortems/import?incident={OTHER}", out)
            self.assertEqual(again.status, 201, again)
            back = self.alertd.call("GET", f"{API}/postmortems/{again.json['id']}/export?format=json").json
            self.assertEqual(back["title"], out["title"])
            self.assertEqual(back["actions"], out["actions"])
            self.assertEqual([one["series"] for one in back["graphs"]], [one["series"] for one in out["graphs"]])
            number = re.compile(r"graph:\d+")
            for then, now in zip(out["sections"], back["sections"], strict=True):
                self.assertEqual((then["id"], then["title"], then["required"]), (now["id"], now["title"], now["required"]))
                for line in (then["generated"] + then["body"]).split("\n"):
                    self.assertIn(number.sub("graph:N", line), number.sub("graph:N", now["body"]))

        with self.subTest("without its incident: another alertd makes it of the facts"):
            with Alertd() as other:
                came = other.call("POST", f"{API}/postmortems/import", out)
                self.assertEqual(came.status, 201, came)
                there = other.get(f"{API}/incidents/{came.json['incident']}")
                here = self.alertd.get(f"{API}/incidents/{made['incident']}")
                self.assertEqual((there["title"], there["origin"], there["severity"], there["opened_at"][:19]), (here["title"], "import", here["severity"], here["opened_at"][:19]))
                self.assertIn("emptied the queue | by hand", [row["text"] for row in there["timeline"]])
                marks = {one["name"]: one["at"][:19] for one in other.get(f"{API}/incidents/{there['key']}/marks")["marks"] if one["at"]}
                self.assertEqual(marks, {name: mark["iso"][:19] for name, mark in out["facts"]["mark"].items() if mark["known"]})
                self.assertEqual(other.call("POST", f"{API}/postmortems/import", out).status, 409, "it is known there now")
                bare = other.call("POST", f"{API}/postmortems/import", {**out, "incident": "INC-1999-0001", "facts": {}})
                self.assertEqual(bare.status, 404, bare)
                self.assertIn("?incident=", bare.json["error"])

    def check_plain(self, number):
        """Without JavaScript: read, save by a form, and lose nothing when somebody was faster."""
        page = self.alertd.call("GET", f"/pm/{number}/plain").text
        self.assertIn('name="markdown"', page)
        self.assertNotIn("<script", page)
        form = urllib.parse.urlencode({"markdown": "From a form\r\nof two lines", "revision": 1, "csrf": ""})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        saved = self.alertd.call("POST", f"/pm/{number}/plain/surprised", form, headers=headers)
        self.assertEqual(saved.status, 200, saved)  # where 303 leads
        self.assertIn("From a form\nof two lines", self.alertd.get(f"{API}/postmortems/{number}")["markdown"])
        stale = self.alertd.call("POST", f"/pm/{number}/plain/surprised", form.replace("From", "Late+from"), headers=headers)
        self.assertEqual(stale.status, 409, stale)
        self.assertIn("From a form\nof two lines", stale.text)
        self.assertIn("Late from a form", stale.text)
        foreign = self.alertd.call("POST", f"/pm/{number}/plain/surprised", form, headers={**headers, "Sec-Fetch-Site": "cross-site"})
        self.assertEqual(foreign.status, 403, foreign)
        self.assertEqual(request("GET", f"{self.alertd.url}/pm/{number}/plain").status, 401)

    def check_preview(self, number):
        hostile = "[a](javascript&colon;alert(1)) <script>b</script> ![c](http://evil.example/)\n\n![d](graph:1)\n"
        nodes = self.alertd.post(f"{API}/postmortems/{number}/preview", {"markdown": hostile})["nodes"]
        self.assertEqual([node["type"] for node in nodes], ["paragraph", "graph"])
        self.assertNotIn("href", json.dumps(nodes))
        bomb = "[x]: http://a.example/" + "a" * 1900 + "\n\n" + "[x] " * 15000
        reply = self.alertd.call("POST", f"{API}/postmortems/{number}/preview", {"markdown": bomb})
        self.assertEqual((reply.status, reply.json["errorType"]), (413, "too_large"))

    def test_what_is_refused(self):
        key = REFUSED
        for method, path, body, status, words in (
            ("POST", "/postmortems", {"incident": MISSING}, 404, MISSING),
            ("POST", "/postmortems", {"incident": key, "template": "../../etc/passwd"}, 400, "there is no template"),
            ("POST", "/postmortems", {"incident": key, "template": "_timeline"}, 400, "there is no template"),
            ("POST", "/postmortems", {"template": "quick"}, 400, "incident"),
            ("POST", "/postmortems", {"incident": key, "kind": "x"}, 400, "kind"),
            ("POST", "/postmortems", [], 400, "object"),
            ("GET", "/postmortems/999", None, 404, "999"),
            ("GET", "/postmortems/x", None, 404, "x"),
            ("GET", "/postmortems/1/export?format=pdf", None, 400, "json or tar"),
            ("GET", "/postmortems/1/export?format=json&audience=public", None, 400, "names"),
            ("GET", "/graphs/999.svg", None, 404, "999"),
            ("GET", "/graphs/1.png", None, 404, "1.png"),
            ("PUT", "/postmortems/999", {"title": "x"}, 404, "999"),
            ("PUT", "/postmortems/1", {"markdown": "x"}, 400, "markdown"),
            ("PUT", "/postmortems/1/sections/summary", {"markdown": "x"}, 400, "If-Match"),
            ("PUT", "/postmortems/999/sections/summary", {"markdown": "x", "revision": 1}, 404, "999"),
            ("POST", "/postmortems/1/status", {"status": "perfect"}, 400, "in_review"),
            ("POST", "/postmortems/1/status", {"status": "published"}, 400, "publish"),
            ("POST", "/postmortems/1/reviews", {"verdict": "approved", "reviewer": "ana"}, 400, "one's own"),
            ("POST", "/postmortems/1/actions", {"text": "x", "type": "hope"}, 400, "type"),
            ("POST", "/postmortems", {"incident": key, "template": "public"}, 409, "publish"),
            ("GET", f"/frozen/{MISSING}", None, 404, MISSING),
        ):
            with self.subTest(f"{method} {path} {body}"):
                reply = self.alertd.call(method, API + path, body)
                self.assertEqual(reply.status, status, reply)
                self.assertIn(words, reply.json["error"])

    def test_templates_of_ones_own(self):
        folder = self.alertd.folder / "postmortems"
        folder.mkdir()
        (folder / "quick.md").write_text("{{! title: Ours }}\n# {{incident.key}}\n\n{{> note}}\n")
        (folder / "_note.md").write_text("{{#alerts}}\n- {{name}} {{fired.hms}}\n{{/alerts}}\n")
        (folder / "broken.md").write_text("# x\n\n{{incident.naem}}\n")
        self.addCleanup(lambda: [path.unlink() for path in folder.iterdir()] and folder.rmdir())
        templates = {one["id"]: one["title"] for one in self.alertd.get(f"{API}/postmortems/templates")["templates"]}
        self.assertEqual(templates["quick"], "Ours")
        self.assertIn("standard", templates)
        self.assertNotIn("_note", templates)

        key = OURS
        reply = self.alertd.call("POST", f"{API}/postmortems", {"incident": key, "template": "broken"})
        self.assertEqual(reply.status, 400, reply)
        for words in ("broken.md", "line 3", "incident.naem", "title"):
            self.assertIn(words, reply.json["error"])
        made = self.alertd.post(f"{API}/postmortems", {"incident": key, "template": "quick"})
        self.assertRegex(made["markdown"], rf"^# {key}\n\n- Ours \d\d:\d\d:\d\d\n$")

    def test_tables_of_ones_own(self):
        hints, choices = (f"{API}/postmortem-tables/{name}" for name in ("hints", "choices"))
        shipped = self.alertd.get(hints)
        self.assertTrue(shipped["ships"])
        self.assertIn("human error", [row["phrase"] for row in shipped["rows"]])
        mine = self.alertd.post(f"{API}/incidents", {"title": "Something of our own", "severity": "warning"})["key"]
        doc = self.alertd.post(f"{API}/postmortems", {"incident": mine, "template": "quick"})
        path = f"{API}/postmortems/{doc['id']}"
        found = lambda: [hint["phrase"] for hint in self.alertd.get(path)["hints"]]
        self.alertd.call("PUT", f"{path}/sections/happened", {"markdown": "Human error: they were just unlucky.\n", "revision": 1})
        self.assertEqual(found(), ["human error"])
        own = [{"phrase": "just", "kind": "certainty", "advice": "Leave it out."}]
        saved = self.alertd.call("PUT", hints, {"rows": own, "revision": 0})
        self.assertEqual((saved.status, saved.json["revision"], saved.json["rows"]), (200, 1, own), saved)
        self.assertEqual(found(), ["just"])
        late = self.alertd.call("PUT", hints, {"rows": [], "revision": 0})
        self.assertEqual(late.status, 409, late)
        self.assertEqual(self.alertd.call("PUT", hints, {"rows": [{"phrase": "x"}], "revision": 1}).json["error"], "rows[0]: kind: is missing")
        self.assertEqual(self.alertd.call("PUT", hints, {"rows": None, "revision": 1}).json["rows"], shipped["rows"])
        self.assertEqual(found(), ["human error"])

        chosen = lambda: self.alertd.get(f"{API}/postmortems/templates?incident={mine}")["chosen"]
        before = chosen()
        rows = [{"template": "standard", "due_days": 9, "why": "warnings are ours to learn from", "severities": "warning notice"}]
        self.assertEqual(self.alertd.call("PUT", choices, {"rows": rows, "revision": 0}).json["rows"], rows)
        self.assertEqual(chosen(), {"id": "standard", "why": "warnings are ours to learn from", "due_days": 9})
        self.assertEqual(self.alertd.call("PUT", choices, {"rows": None, "revision": 1}).status, 200)
        self.assertEqual(chosen(), before)
        self.assertEqual(self.alertd.call("GET", f"{API}/postmortem-tables/other").status, 404)

        for table, row, error in (
                (hints, {"phrase": "JUST", "kind": "x", "advice": "y"}, "rows[1]: phrase: rows[0] has it too"),
                (choices, {**rows[0], "template": "none"}, "rows[1]: template: there is no none"),
                (choices, {**rows[0], "origin": "elsewhere"}, "rows[1]: origin: real, near_miss, import or drill"),
                (choices, {**rows[0], "due_days": -1}, "rows[1]: due_days: 0 to 365")):
            refused = self.alertd.call("PUT", table, {"rows": [own[0] if table == hints else rows[0], row], "revision": 2})
            self.assertEqual((refused.status, refused.json["error"]), (400, error))
        self.assertEqual([(one["revision"], one["ships"], one["saved_by"]) for one in self.alertd.get(f"{hints}/revisions")["revisions"]],
                         [(2, True, saved.json["saved_by"]), (1, False, saved.json["saved_by"])])
        self.assertEqual(self.alertd.get(f"{hints}?revision=1")["rows"], own)
        self.assertEqual((self.alertd.call("GET", f"{hints}?revision=3").status, self.alertd.call("GET", f"{hints}?revision=x").status), (404, 400))

    def test_without_javascript(self):
        made = self.alertd.post(f"{API}/postmortems", {"incident": REFUSED, "template": "quick"})
        self.check_plain(made["id"])

    def test_who_may(self):
        reader = self.alertd.make_token("reader", "read")
        for method, path, body in (
            ("POST", "/postmortems", {"incident": "INC-1"}),
            ("PUT", "/postmortems/1/sections/summary", {"markdown": "x", "revision": 1}),
            ("POST", "/postmortems/1/status", {"status": "draft"}),
            ("POST", "/postmortems/1/publish", {}),
            ("POST", "/postmortems/1/actions", {"text": "x"}),
            ("POST", "/postmortems/import", {}),
        ):
            self.assertEqual(self.alertd.call(method, API + path, body, token=reader).status, 403)
        self.assertEqual(self.alertd.call("GET", f"{API}/postmortems", token=reader).status, 200)
        self.assertEqual(request("GET", f"{self.alertd.url}{API}/postmortems").status, 401)


if __name__ == "__main__":
    unittest.main(verbosity=2)
