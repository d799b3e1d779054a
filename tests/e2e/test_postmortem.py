"""Postmortems over HTTP: a draft holds what happened and nothing else, saves never overwrite, what is
hostile stays text, what was frozen stays.

Incidents are made by the pager (pager.c), then alertd takes the folder over.
"""

import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, request
from test_incidents import YEAR, page

API = "/api/alertd/v1"
MAIL, REFUSED, OURS, MISSING = (f"INC-{YEAR}-{number:04}" for number in (1, 2, 3, 4))


class Postmortems(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.addClassCleanup(cls.alertd.close)
        page(cls.alertd.folder, ["fire QueueLong <b>mail critical", "fire Refused a:1 warning", "fire Ours a:1 warning"])
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
                if event["id"] <= last:
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
        with self.subTest("two writers"):
            first = self.alertd.call("PUT", path, {"markdown": "# First\n\n> To answer: x\n", "revision": 1, "title": "Mail stood still"})
            self.assertEqual((first.status, first.json["revision"], first.json["open_prompts"]), (200, 2, 1), first)
            second = self.alertd.call("PUT", path, {"markdown": "# Second\n", "revision": 1})
            self.assertEqual(second.status, 409, second)
            self.assertIn("revision 2", second.json["error"])
            now = self.alertd.get(path)
            self.assertEqual((now["markdown"], now["title"]), ("# First\n\n> To answer: x\n", "Mail stood still"))
        with self.subTest("published, and back"):
            self.assertEqual(self.alertd.post(f"{path}/status", {"status": "published"})["status"], "published")
            self.assertEqual(self.alertd.call("PUT", path, {"markdown": "x", "revision": 2}).status, 409)
            self.assertEqual(self.alertd.post(f"{path}/status", {"status": "draft"})["status"], "draft")
            kinds = [event["kind"] for event in self.alertd.get(f"{API}/incidents/{made['incident']}")["timeline"]]
            self.assertIn("postmortem.published", kinds)
        with self.subTest("it survives kill -9"):
            self.alertd.kill()
            self.alertd.start()
            self.assertEqual(self.alertd.get(path)["revision"], 2)
        listed = self.alertd.get(f"{API}/postmortems")["postmortems"]
        self.assertEqual(next(one["open_prompts"] for one in listed if one["id"] == made["id"]), 1)
        self.assertNotIn("markdown", listed[0])

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
            ("GET", "/postmortems/1/export?format=pdf", None, 400, "md or html"),
            ("GET", "/graphs/999.svg", None, 404, "999"),
            ("GET", "/graphs/1.png", None, 404, "1.png"),
            ("PUT", "/postmortems/999", {"markdown": "x", "revision": 1}, 404, "999"),
            ("PUT", "/postmortems/1", {"markdown": "x"}, 400, "revision"),
            ("POST", "/postmortems/1/status", {"status": "perfect"}, 400, "in_review"),
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

    def test_who_may(self):
        reader = self.alertd.make_token("reader", "read")
        for method, path, body in (
            ("POST", "/postmortems", {"incident": "INC-1"}),
            ("PUT", "/postmortems/1", {"markdown": "x", "revision": 1}),
            ("POST", "/postmortems/1/status", {"status": "draft"}),
        ):
            self.assertEqual(self.alertd.call(method, API + path, body, token=reader).status, 403)
        self.assertEqual(self.alertd.call("GET", f"{API}/postmortems", token=reader).status, 200)
        self.assertEqual(request("GET", f"{self.alertd.url}{API}/postmortems").status, 401)


if __name__ == "__main__":
    unittest.main(verbosity=2)
