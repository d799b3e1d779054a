"""What stands around an incident, on a real alertd: the catalogue and its budgets, changes that scripts tell, timelines
that are brought from elsewhere, words that are found again.
"""

import json
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl

OURS = "/api/alertd/v1"
YEAR = time.gmtime().tm_year
SHOP = {
    "owner": "shop team", "tier": 1, "description": "Takes orders.", "match": {"job": "shop"}, "depends_on": ["db"],
    "when_down": "Orders are lost; the call centre takes them by phone.", "runbooks": [{"title": "What to do", "url": "/runbooks/shop"}],
    "dashboards": [{"title": "Orders", "url": "https://graphs.example/orders"}], "rules": ["ShopSlow"],
    "slos": [{"name": "availability", "objective": 0.99, "window": "30d", "good": 'sum(rate(requests_total{code="200"}[$window]))', "total": "sum(rate(requests_total[$window]))"}],
}


class Around(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(flags=["--storage.retention.time=0"])
        cls.alertd.start()

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def declare(self, title, **more):
        reply = self.alertd.call("POST", f"{OURS}/incidents", {"title": title, **more})
        self.assertEqual(reply.status, 201, reply.text)
        return reply.json["key"]

    def events(self, key, query=""):
        return self.alertd.get(f"{OURS}/incidents/{key}/events?limit=1000&{query}")["events"]

    def test_the_catalogue(self):
        path = f"{OURS}/services/catalogued"
        made = self.alertd.call("PUT", path, SHOP)
        self.assertEqual((made.status, made.json["revision"], made.json["spec"]["owner"]), (200, 1, "shop team"))
        self.assertIn("catalogued", [one["name"] for one in self.alertd.get(f"{OURS}/services")["services"]])
        again = self.alertd.call("PUT", path, {**SHOP, "tier": 2}, headers={"If-Match": '"1"'})
        self.assertEqual((again.status, again.json["revision"]), (200, 2))
        late = self.alertd.call("PUT", path, {**SHOP, "tier": 3}, headers={"If-Match": '"1"'})
        self.assertEqual((late.status, late.json["error"]), (409, "first admin saved revision 2 meanwhile"))
        self.assertEqual(self.alertd.get(path)["spec"]["tier"], 2)
        for wrong in ({"owner": 3}, {"color": "red"}, {"tier": 17}, {"match": {"job": ["x"]}}, {"runbooks": [{"title": "x", "url": "javascript:alert(1)"}]},
                      {"runbooks": [{"title": "x", "url": "//evil.example"}]}, {"depends_on": ["a b"]}, {"slos": [{**SHOP["slos"][0], "good": "up"}]},
                      {"slos": [{**SHOP["slos"][0], "good": "rate(x[$window]"}]}, {"slos": [{**SHOP["slos"][0], "objective": 99.9}]}, {"slos": [SHOP["slos"][0]] * 2}, []):
            self.assertEqual(self.alertd.call("PUT", path, wrong).status, 400, str(wrong))
        self.assertEqual(self.alertd.call("PUT", f"{OURS}/services/a%20b", {}).status, 400)
        self.assertEqual(self.alertd.call("DELETE", path).status, 204)
        self.assertEqual(self.alertd.call("GET", path).status, 404)
        self.assertEqual(self.alertd.call("DELETE", path).status, 404)
        self.assertEqual(self.alertd.call("PUT", path, {}).json["revision"], 4)
        self.alertd.call("DELETE", path)

    def test_rules_that_watch_budgets(self):
        self.alertd.call("PUT", f"{OURS}/services/watched", SHOP)
        rules = self.alertd.call("GET", f"{OURS}/services/watched/rules")
        self.assertEqual(rules.text.count("- alert: BudgetBurns_"), 4)
        self.assertIn("> 0.144) and (1 - (", rules.text)  # 2 % of 30 days within an hour: 14.4 times as fast, of 1 %
        self.assertIn("[5m]", rules.text)
        self.alertd.import_rules(rules.text, "slo.yml")
        named = [rule["name"] for group in self.alertd.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
        self.assertIn("BudgetBurns_1h", named)
        self.alertd.call("DELETE", f"{OURS}/services/watched")

    def test_what_an_incident_burnt(self):
        """1,000 requests a minute over two days; for ten minutes every second one fails."""
        self.alertd.call("PUT", f"{OURS}/services/shop", {**SHOP, "slos": [{**SHOP["slos"][0], "window": "2d"}]})
        now = int(time.time()) // 60 * 60
        start, ok, bad = now - 2 * 86400, 0, 0
        lines = []
        for minute in range(2 * 1440 + 1):
            lines.append((start + minute * 60, ok, bad))
            failing = 2000 <= minute < 2010
            ok, bad = ok + (500 if failing else 1000), bad + (500 if failing else 0)
        text = "".join(f'requests_total{{code="200"}} {good} {at * 1000}\nrequests_total{{code="500"}} {lost} {at * 1000}\n' for at, good, lost in lines)
        reply = self.alertd.call("POST", "/api/v1/import/prometheus", text.encode(), headers={"Content-Type": "text/plain"})
        self.assertIn(reply.status, (200, 204), reply.text)
        iso = lambda at: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        begin, end = start + 2000 * 60, start + 2010 * 60
        key = self.declare("Half of the orders fail", labels={"job": "shop"}, origin="import", events=[
            {"t": iso(begin), "kind": "impact.start", "text": "it begins"}, {"t": iso(end), "kind": "impact.end", "text": "it ends"}])
        related = self.alertd.get(f"{OURS}/incidents/{key}/related")
        self.assertEqual([one["name"] for one in related["services"]], ["shop"])
        slo = related["slos"][0]
        self.assertTrue(slo["known"], slo)
        self.assertAlmostEqual(slo["bad"], 5000, delta=600)
        # 5,000 of 1 % of what two days have up to the end of it: 2,010 minutes of them are stored
        self.assertGreater(slo["burnt_ratio"], 0.1)
        self.assertLess(slo["burnt_ratio"], 0.3)
        self.alertd.call("DELETE", f"{OURS}/services/shop")

    def test_changes_reach_open_incidents_of_their_service(self):
        shop, other, unknown = self.declare("Shop is slow", labels={"service": "front"}), self.declare("Mail is slow", labels={"service": "mail"}), self.declare("Something is slow")
        told = {"text": "front v42 is out", "service": "front", "link": "https://ci.example/42", "ref": "deploy 42"}
        self.assertEqual(self.alertd.call("POST", "/api/v1/events", told).status, 202)
        self.assertEqual(self.alertd.call("POST", f"{OURS}/changes", told).status, 202)  # once is enough
        seen = lambda key: [(row["kind"], row["class"], row["text"], row["data"]["service"]) for row in self.events(key, "kinds=change")]
        self.assertEqual(seen(shop), [("change.deploy", "machine", "front v42 is out", "front")])
        self.assertEqual(seen(unknown), seen(shop))
        self.assertEqual(seen(other), [])
        posted = self.alertd.call("POST", "/v2/change/enqueue", {"routing_key": self.alertd.make_token("pd", "push"), "payload": {"summary": "mail moved", "source": "ci", "custom_details": {"service": "mail"}}})
        self.assertEqual(posted.status, 202, posted.text)
        self.assertEqual([row["text"] for row in self.events(other, "kinds=change")], ["mail moved"])
        self.assertNotIn("mail moved", [row["text"] for row in self.events(shop)])
        # one that opens later finds it
        later = self.declare("Shop is slow again", labels={"service": "front"})
        self.assertIn("front v42 is out", [one["text"] for one in self.alertd.get(f"{OURS}/incidents/{later}/related")["changes"]])
        for wrong in ({"text": " "}, {"text": "x", "kind": "human.note"}, {"text": "x", "when": 1}, [], {"text": "x", "t": "soon"}):
            self.assertEqual(self.alertd.call("POST", "/api/v1/events", wrong).status, 400, str(wrong))
        reader = self.alertd.make_token("reader", "read")
        self.assertEqual(self.alertd.call("POST", "/api/v1/events", told, token=reader).status, 403)

    def test_rules_and_configuration_are_changes(self):
        key = self.declare("While it burns")
        rules = "groups: [{name: g, rules: [{alert: Burns, expr: up == 0}]}]\n"
        self.alertd.import_rules(rules, "burns.yml")
        self.assertEqual(self.events(key, "kinds=change"), [])
        self.alertd.import_rules(rules.replace("== 0", "< 1"), "burns.yml")
        changed = self.events(key, "kinds=change")
        self.assertEqual([(row["kind"], row["text"]) for row in changed], [("change.rule", "rule Burns changed (version 2 of burns.yml)")])

    def test_timelines_of_elsewhere(self):
        key = self.declare("Brought", origin="import", events=[{"t": "2023-01-25T14:00:00Z", "kind": "impact.start", "text": "it begins"}])
        path = f"{OURS}/incidents/{key}/import"
        chat = "[14:02] ana: it is down\n[14:05] ben: restarted\n"
        look = self.alertd.call("POST", f"{path}?format=chat&tz=Europe/Berlin&date=2023-07-25&dry_run=1", chat.encode()).json
        self.assertEqual([(one["occurred_at"], one["actor"]) for one in look["events"]], [("2023-07-25T12:02:00.000Z", "ana"), ("2023-07-25T12:05:00.000Z", "ben")])
        self.assertEqual(len(self.events(key)), 1)
        for added in (2, 0):
            reply = self.alertd.call("POST", f"{path}?format=chat&tz=UTC&date=2023-01-25", chat.encode()).json
            self.assertEqual(reply["added"], added)
        rows = self.events(key, "kinds=chat")
        self.assertEqual([(row["actor"], row["class"], row["source"], row["precision"]) for row in rows], [("ana", "human", "import chat", "min"), ("ben", "human", "import chat", "min")])
        entries = '{"log_entries":[{"id":"R1","type":"acknowledge_log_entry","created_at":"2023-01-25T14:03:00Z","summary":"Acknowledged by Ana","agent":{"summary":"Ana"}}]}'
        self.assertEqual(self.alertd.call("POST", f"{path}?format=pagerduty", entries.encode()).json["added"], 1)
        acked = next(mark for mark in self.alertd.get(f"{OURS}/incidents/{key}/marks")["marks"] if mark["name"] == "acked")
        self.assertEqual(acked["at"], "2023-01-25T14:03:00.000Z")
        for wrong, words in (("format=chat&date=2023-01-25", "no zone"), ("format=chat&tz=UTC", "no day"), ("format=scroll", "format"), ("format=csv&tz=UTC", "first line names columns"),
                             ("format=chat&tz=Moon/Base&date=2023-01-25", "tz"), ("format=chat&tz=UTC&date=yesterday", "date"), (f"format=chat&tz=UTC&date={YEAR + 1}-12-31", "future")):
            reply = self.alertd.call("POST", f"{path}?{wrong}", chat.encode())
            self.assertEqual(reply.status, 400, wrong)
            self.assertIn(words, reply.json["error"])

    def test_words_are_found_again(self):
        key = self.declare("Zebra crossing is blocked", labels={"service": "crossing"})
        self.alertd.call("POST", f"{OURS}/incidents/{key}/events", {"events": [{"text": "the quagga turned its back on us"}]})
        hits = self.alertd.get(f"{OURS}/search?q=quagga")["hits"]
        self.assertEqual([(hit["incident"], hit["kind"]) for hit in hits], [(key, "human.note")])
        self.assertIn("quagga", hits[0]["snippet"])
        self.assertEqual({hit["incident"] for hit in self.alertd.get(f"{OURS}/search?q=zebra%20cross")["hits"]}, {key})
        self.assertEqual(self.alertd.get(f"{OURS}/search?q=okapi")["hits"], [])
        self.assertEqual(self.alertd.get(f'{OURS}/search?q=%22quagga%22%20OR%20NEAR(x')["hits"], [])  # words, not a language
        self.assertEqual(self.alertd.call("GET", f"{OURS}/search?q=%22*%22").status, 400)
        again = self.declare("Zebra crossing is closed", labels={"service": "crossing"})
        similar = self.alertd.get(f"{OURS}/incidents/{again}/related")["similar"]
        self.assertEqual((similar[0]["key"], similar[0]["why"]), (key, "1 of its labels; 2 words of its title"))

    def test_from_a_shell(self):
        ctl = lambda *arguments, **options: alertctl(*arguments, alertd=self.alertd, **options)
        with tempfile.TemporaryDirectory() as folder:
            spec, chat, whole = (pathlib.Path(folder) / name for name in ("shell.json", "chat.txt", "whole.json"))
            spec.write_text(json.dumps(SHOP))
            self.assertEqual(ctl("service", "set", "shell", spec).stdout, "shell: revision 1\n")
            self.assertIn("Orders are lost", ctl("service", "list").stdout)
            self.assertIn("when it is down: Orders are lost", ctl("service", "show", "shell").stdout)
            self.assertIn("BudgetBurns_6h", ctl("service", "rules", "shell").stdout)
            ctl("service", "delete", "shell")
            self.assertEqual(ctl("service", "show", "shell", check=False).returncode, 1)

            key = ctl("incident", "declare", "Aardvarks at the gate", "--severity=warning", "--service=gate").stdout.strip()
            chat.write_text("14:02 ana: it is down\n")
            dry = ctl("incident", "import", key, chat, "--format=chat", "--tz=UTC", "--date=2023-01-25", "--dry-run").stdout
            self.assertIn("2023-01-25T14:02:00.000Z", dry)
            self.assertIn("1 would be added", dry)
            self.assertEqual(ctl("incident", "import", key, chat, "--format=chat", "--tz=UTC", "--date=2023-01-25").stdout, "1 added, 0 known already\n")
            self.assertEqual(ctl("incident", "import", chat, "--format=chat", check=False).returncode, 2)
            self.assertIn(key, ctl("incident", "search", "aardvarks", "gate").stdout)
            self.assertIn("not known (mark paged is not set)", ctl("incident", "metrics", key).stdout)

            past = json.loads((pathlib.Path(__file__).parent / "past_incidents.json").read_text())[3]
            whole.write_text(json.dumps({"title": past["name"], "origin": "import", "events": past["events"], "marks": past["marks"]}))
            brought = ctl("incident", "import", whole).stdout.strip()
            self.assertRegex(ctl("incident", "metrics", brought).stdout, r"time to detect +57 min")


if __name__ == "__main__":
    unittest.main()
