"""What leaves the house: a public document names nobody, wherever somebody's name stands; and a document that is brought twice
is there once."""

import io
import pathlib
import re
import sys
import tarfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd

API = "/api/alertd/v1"
DAY = "2026-06-02"
EVENTS = [
    {"t": f"{DAY}T10:00:00Z", "kind": "human.report", "actor": "ana", "text": "Ana Lund says the shop is down, ANA's laptop ana-laptop too"},
    {"t": f"{DAY}T10:05:00Z", "kind": "impact.start", "text": "seen by ana", "actor": "ana"},
    {"t": f"{DAY}T10:06:00Z", "kind": "cause.identified", "text": "a deploy of ana; see [the log of Ana](https://logs.example/ana); Berg knew", "actor": "ana"},
    {"t": f"{DAY}T10:09:00Z", "kind": "mitigation.applied", "text": "LUND rolls back; Lund, Ana; ana_lund", "actor": "ana"},
    {"t": f"{DAY}T10:20:00Z", "kind": "impact.end", "text": "over", "actor": "ben"},
]
NAMES = re.compile(r"(?<![a-z])(ana|lund|berg)(?![a-z])", re.IGNORECASE)


def named(text):
    return [text[max(0, found.start() - 40):found.end() + 20] for found in NAMES.finditer(text)]


class Leaves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.token = cls.alertd.make_token("ana", "operate")
        for name, full_name in (("ana", "Ana Lund"), ("cleo", "Cleo Berg")):
            cls.alertd.post(f"{API}/people", {"name": name, "full_name": full_name, "contacts": []})
        cls.key = cls.alertd.post(f"{API}/incidents", {"title": "ana broke the shop", "origin": "import", "opened_at": f"{DAY}T10:00:00Z",
                                                       "resolved_at": f"{DAY}T10:30:00Z", "labels": {"owner": "ana"}, "events": EVENTS}, token=cls.token)["key"]
        cls.path = cls.publish(cls.alertd.post(f"{API}/postmortems", {"incident": cls.key, "template": "standard"}, token=cls.token))

    @classmethod
    def publish(cls, document):
        path = f"{API}/postmortems/{document['id']}"
        graph = {"query": 'label_replace(vector(7), "owner", "ana", "", "")', "title": "The load of Ana", "from": f"{DAY}T10:00:00Z", "to": f"{DAY}T10:30:00Z"}
        seen = cls.alertd.call("POST", f"{path}/graphs", graph, token=cls.token)
        assert seen.status == 200, seen
        number = seen.json["graphs"][-1]["id"]
        for section in document["sections"]:
            if section["mode"] != "generated":
                text = f"Words of Ana and of `ana`, [ana](https://chat.example/ana/1).\n\n![of ana](graph:{number})\n"
                cls.alertd.call("PUT", f"{path}/sections/{section['id']}", {"markdown": text}, headers={"If-Match": f'"{section["revision"]}"'}, token=cls.token)
        assert cls.alertd.call("POST", f"{path}/publish", {"alone": True}, token=cls.token).status == 200
        return path

    def export(self, path, what):
        reply = self.alertd.call("GET", f"{path}/export?format={what}", token=self.token)
        self.assertEqual(reply.status, 200, reply)
        return reply.text

    def test_an_export_for_the_public_names_nobody(self):
        self.assertTrue(named(self.export(self.path, "html")), "inside it does")
        for form in ("md", "html"):
            self.assertEqual(named(self.export(self.path, f"{form}&audience=public")), [], form)
        page = self.export(self.path, "html&audience=public")
        self.assertIn("<svg", page)
        self.assertRegex(page, r'href="https://chat.example/[a-z0-9-]+/1"')

    def test_a_public_document_names_nobody_wherever_it_goes(self):
        public = self.alertd.post(f"{API}/postmortems", {"incident": self.key, "template": "public"}, token=self.token)
        path = f"{API}/postmortems/{public['id']}"
        self.assertEqual(named(public["title"] + public["markdown"]), [])
        for form in ("md", "html"):
            self.assertEqual(named(self.export(path, form)), [], form)
        for form in ("json", "tar"):
            self.assertEqual(self.alertd.call("GET", f"{path}/export?format={form}", token=self.token).status, 400, f"{form} carries facts")

    def test_what_was_published_is_exported_as_it_was(self):
        def files():
            found = {form: self.export(self.path, form) for form in ("md", "html", "json")}
            reply = urllib.request.urlopen(urllib.request.Request(f"{self.alertd.url}{self.path}/export?format=tar", headers={"Authorization": f"Bearer {self.token}"}))
            with tarfile.open(fileobj=io.BytesIO(reply.read())) as tar:
                return found | {member.name: tar.extractfile(member).read() for member in tar}
        before = files()
        rows = f"{API}/incidents/{self.key}/events"
        report, deed = (next(row for row in self.alertd.get(rows)["events"] if row["kind"] == kind) for kind in ("human.report", "mitigation.applied"))
        for row, change in ((report, {"op": "retime", "value": f"{DAY}T09:00:00Z", "reason": "it was earlier"}), (deed, {"op": "annotate", "value": "nothing was done"}),
                            (deed, {"op": "hide"})):
            self.assertEqual(self.alertd.call("POST", f"{rows}/{row['id']}/revs", change).status, 200, change)
        self.alertd.post(f"{API}/incidents/{self.key}/notes", {"text": "much later"})
        self.alertd.call("PUT", f"{API}/incidents/{self.key}/marks", {"marks": {"detected": f"{DAY}T09:30:00Z"}, "reason": "a test"})
        after = files()
        self.assertEqual([name for name in before if before[name] != after[name]], [])

    def test_a_document_that_is_brought_twice_is_there_once(self):
        out = self.alertd.call("GET", f"{self.path}/export?format=json", token=self.token).json
        with Alertd() as other:
            for title in ("one", "two"):  # there the next key is another one than here
                other.post(f"{API}/incidents", {"title": title, "origin": "import", "events": [{**EVENTS[0], "t": "2026-03-01T10:00:00Z"}]})
            self.assertEqual([other.call("POST", f"{API}/postmortems/import", out).status for _ in range(2)], [201, 409])
            self.assertEqual((len(other.get(f"{API}/incidents?status=all")["incidents"]), len(other.get(f"{API}/postmortems")["postmortems"])), (3, 1))


if __name__ == "__main__":
    unittest.main()
