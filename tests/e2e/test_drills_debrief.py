"""What comes after a drill, on a real alertd: an incident that happened becomes a drill, is played, and its debrief is
read, written in and exported; practice over time, and the readiness board.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import test_drills_made
from daemon import ROOT, until

API = "/api/alertd/v1"


class Debriefs(test_drills_made.FromIncident):
    flags = [f"--drills.path={ROOT}/drills"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alertd.post(f"{API}/people", {"name": "dora", "contacts": []})
        cls.tokens = {name: cls.alertd.make_token(name, "operate") for name in ("dora", "ben")}
        cls.name = cls.key.lower()
        cls.alertd.post(f"{API}/incidents/{cls.key}/drill?again=1")
        cls.session = cls.play("dora", "Ana's backup of 2.7 keeps old snapshots", "deleted old snapshots")

    @classmethod
    def call(cls, who, method, path, body=None, **options):
        return cls.alertd.call(method, API + path, body, token=cls.tokens[who], **options)

    @classmethod
    def play(cls, who, hypothesis, deed):
        number = cls.call(who, "POST", "/drills", {"drill": cls.name, "seed": 1, "start": "paused"}).json["id"]
        cls.call(who, "POST", f"/drills/{number}/clock", {"jump": "onset"})
        cls.call(who, "POST", f"/drills/{number}/clock", {"state": "running", "speed": 60})
        until(lambda: cls.call(who, "GET", f"/drills/{number}").json["pages"], 60, "the page")
        cls.call(who, "POST", f"/drills/{number}/clock", {"state": "paused"})
        for key, act in enumerate(({"kind": "ack"}, {"kind": "hypothesis", "text": hypothesis}, {"kind": "do", "text": deed})):
            reply = cls.call(who, "POST", f"/drills/{number}/acts", {**act, "key": str(key)})
            assert reply.status == 200, reply
        before = cls.call(who, "GET", f"/drills/{number}/debrief")
        assert before.status == 409, before
        cls.call(who, "POST", f"/drills/{number}/end")
        return number

    def test_its_sections(self):
        debrief = self.call("dora", "GET", f"/drills/{self.session}/debrief").json
        sections = {one["id"]: one for one in debrief["sections"]}
        for id in ("summary", "clocks", "beside", "missed", "marks", "timeline", "response"):
            self.assertEqual(sections[id]["kind"], "facts", id)
        self.assertEqual([id for id, one in sections.items() if one["kind"] == "person"], ["believed", "next", "actions"])
        self.assertIn("| ack |", sections["clocks"]["markdown"])
        self.assertIn("What ended it: deleted old snapshots", sections["beside"]["markdown"].replace("\\", ""))
        self.assertIn("disk_free_ratio was not looked at", sections["missed"]["markdown"])
        self.assertIn(f"/tune?session={self.session}", sections["next"]["markdown"])
        self.assertIn("<svg", debrief["html"])

    def test_what_was_missed_and_what_is_next_as_data(self):
        debrief = self.call("dora", "GET", f"/drills/{self.session}/debrief").json
        moments = self.call("dora", "GET", f"/drills/{self.session}/score").json["moments"]
        believed = next(one["at_ms"] for one in moments if one.get("act") == "hypothesis")
        missed = next(one for one in debrief["missed"] if one["query"] == "disk_free_ratio")
        self.assertEqual((missed["kind"], missed["at_ms"]), ("metric", believed))
        graph = missed["graph"]
        self.assertLessEqual(graph["from_ms"], graph["at_ms"])
        self.assertLessEqual(graph["at_ms"], graph["to_ms"])
        [series] = graph["series"]
        self.assertEqual(len(series["t_ms"]), len(series["values"]))
        at_then = [value for at, value in zip(series["t_ms"], series["values"]) if at <= graph["at_ms"]][-1]
        self.assertLess(at_then, 0.1)  # what the alert was about
        runbook = next(one for one in debrief["missed"] if one["kind"] == "runbook")
        self.assertEqual((runbook["runbook"], runbook["graph"]), ("host#hostdiskfull", None))
        steps = {one["kind"]: one for one in debrief["next"]}
        self.assertEqual(steps["tune"]["rule"], "DiskFills")
        [rule] = [rule for group in self.alertd.get(f"{API}/rules")["groups"] for rule in group["rules"] if rule["name"] == "DiskFills"]
        self.assertRegex(steps["tune"]["url"], rf"^/rules/{rule['id']}/tune\?session={self.session}$")
        self.assertEqual(steps["runbook"]["url"], "/runbooks/host#hostdiskfull")
        self.assertEqual(self.call("dora", "GET", f"/drills/{self.session}/debrief.json").json["missed"], debrief["missed"])

    def test_what_people_write_is_kept(self):
        path = f"/drills/{self.session}/debrief/sections/believed"
        put = lambda text, revision, who="dora": self.call(who, "PUT", path, {"markdown": text}, headers={"If-Match": f'"{revision}"'})
        self.assertEqual(put("That the disk was broken.\n", 0).status, 200)
        self.assertEqual(put("Over it.\n", 0).status, 409)
        self.assertEqual(put("That the disk was full.\n", 1).status, 200)
        self.assertIn(put("Not mine.\n", 2, "ben").status, (403, 404))
        self.assertEqual(self.call("dora", "PUT", f"/drills/{self.session}/debrief/sections/clocks", {"markdown": "x"}, headers={"If-Match": '"0"'}).status, 404)
        self.assertIn("That the disk was full.", self.call("dora", "GET", f"/drills/{self.session}/debrief.md").text)

    def test_a_drill_of_ones_own_is_previewed_with_the_packs_it_is_played_with(self):
        path = f"{API}/drills/library/ours"  # no rules of that pack were imported
        text = (ROOT / "drills/02-certificate-expiry.drill").read_text()
        self.assertEqual(self.alertd.call("PUT", path, {"text": text}).status, 200)
        self.assertIn("page", [one["kind"] for one in self.alertd.post(f"{path}/preview")["moments"]])
        self.assertEqual(self.alertd.call("PUT", path, {"text": text.replace("rules blackbox", "rules ../drills")}).status, 400)

    def test_exports(self):
        html = self.call("dora", "GET", f"/drills/{self.session}/debrief.html")
        self.assertIn("<svg", html.text)
        self.assertIn("text/html", html.headers["Content-Type"])
        facts = self.call("dora", "GET", f"/drills/{self.session}/debrief.json").json["facts"]
        self.assertTrue(facts["drill"]["known"])
        self.assertEqual(facts["drill"]["player"], "dora")
        text = self.call("dora", "GET", f"/drills/{self.session}/debrief.md").text
        self.assertNotIn("Ana", text.replace("Ana's backup of 2.7", ""))
        self.assertEqual(text, self.call("dora", "GET", f"/drills/{self.session}/debrief.md").text)

    def test_practice_and_readiness(self):
        again = self.play("dora", "more visitors", "restart it")
        practice = self.call("dora", "GET", "/drills/practice").json
        mine = next(one for one in practice["drills"] if one["drill"] == self.name)
        self.assertEqual([run["session"] for run in mine["runs"]], [self.session, again])
        self.assertIsNotNone(mine["runs"][0]["clocks"]["mitigation"])
        self.assertIsNone(mine["runs"][1]["clocks"]["mitigation"])
        self.assertIn("ack", mine["median"])
        self.assertEqual(practice["counters"]["drills_done"], 1)
        self.assertEqual(self.alertd.get(f"{API}/readiness/dora")["counters"]["drills_done"], 1)
        clocks = next(one for one in self.call("dora", "GET", f"/drills/{again}/debrief").json["sections"] if one["id"] == "clocks")["markdown"]
        self.assertRegex(clocks, r"\| mitigation \| never \| [^|]*\| [^|]*\| [^|]*(min|s|once)")


# What is tested where it stands is not tested again here.
for inherited in [name for name in dir(test_drills_made.FromIncident) if name.startswith("test_")]:
    setattr(Debriefs, inherited, None)


if __name__ == "__main__":
    unittest.main()
