"""Drills as a past to tune over: the tuner's alerts over a drill's samples are those that fired in the drill, to the evaluation; its
trouble is an incident; on a real alertd a drill of the library, and a session that was played, for those who may look at them.
"""

import calendar
import json
import pathlib
import re
import socket
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, Alertd, alertctl, until

V1 = "/api/alertd/v1"
HOST = ROOT / "rules/host/alerts.yml"
DISK = ROOT / "drills/01-disk-filling.drill"
RULES = [*sorted(ROOT.glob("rules/**/alerts.yml")), *sorted(ROOT.glob("drills/*.yml"))]


def ms_of(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + (int(text[20:23]) if text[19] == "." else 0)


def tune(*arguments):
    return json.loads(alertctl("tune", *arguments, "--json").stdout)


class CommandLine(unittest.TestCase):
    def test_its_alerts_are_those_of_the_drill(self):
        """Every alert that fires in any drill, when nobody plays and when the first of its players does."""
        n = 0
        for path in sorted(ROOT.glob("drills/*.drill")):
            text = path.read_text()
            zero_ms = ms_of(re.search(r"^\s*start (\S+)", text, re.M)[1])
            for player in ("nobody", *re.findall(r"^\s*player (\S+)", text, re.M)[:1]):
                [run] = json.loads(alertctl("drill", "run", "--headless", path, f"--player={player}", "--json").stdout)
                theirs = {}
                for moment in run["moments"]:
                    if moment["kind"] in ("firing", "resolved"):
                        theirs.setdefault(moment["what"], []).append((moment["kind"], moment["at_ms"]))
                for name, moments in theirs.items():
                    rules = next(file for file in RULES if re.search(f"alert: {name}$", file.read_text(), re.M))
                    ours = tune(rules, f"--rule={name}", f"--drill={path}", f"--player={player}", "--alone")
                    told = [(kind, ms_of(alert[key]) - zero_ms) for alert in ours["alerts"] for kind, key in (("firing", "fired_at"), ("resolved", "resolved_at")) if alert[key]]
                    with self.subTest(drill=path.name, player=player, alert=name):
                        self.assertEqual(sorted(told), sorted(moments))
                    n += 1
        self.assertGreater(n, 50)

    def test_the_trouble_is_an_incident(self):
        words = alertctl("tune", HOST, "--rule=HostDiskFillsUp", f"--drill={DISK}").stdout
        self.assertIn("2026-03-02T13:58:00.000Z to 2026-03-02T17:00:00.000Z", words, "from its first instant to its last")
        self.assertRegex(words, r"1 of 1 incidents found .*\n    2026-03-02T15:10:00.000Z +after 38 min")
        [alone] = tune(HOST, "--rule=HostDiskFillsUp", f"--drill={DISK}")["incident_by_incident"]
        self.assertEqual((alone["begin"], alone["end"]), ("2026-03-02T15:10:00.000Z", "2026-03-02T17:00:00.000Z"))
        [mended] = tune(HOST, "--rule=HostDiskFillsUp", f"--drill={DISK}", "--player=perfect")["incident_by_incident"]
        self.assertEqual(mended["end"], "2026-03-02T15:58:40.000Z", "a player ends it")
        late = tune(HOST, "--rule=HostDiskFillsUp", f"--drill={DISK}", "--from=2026-03-02T16:00:00Z", "--alone")
        self.assertEqual(late["from"], "2026-03-02T16:00:00.000Z")
        other = tune(HOST, "--rule=HostDiskFillsUp", f"--drill={DISK}", "--seed=2")
        self.assertNotEqual(other["from"], "2026-03-02T13:58:00.000Z", "another seed begins at another time")

    def test_a_change_of_rules_that_loses_it(self):
        with tempfile.TemporaryDirectory() as folder:
            worse = pathlib.Path(folder, "worse.yml")
            worse.write_text(HOST.read_text().replace("for: 15m", "for: 2h"))
            done = alertctl("tune", "diff", HOST, worse, f"--drill={DISK}", "--player=perfect", check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("The disk that fills", done.stdout)
            self.assertEqual(alertctl("tune", "diff", worse, HOST, f"--drill={DISK}", "--player=perfect").returncode, 0)

    def test_what_is_no_drill(self):
        for words, status, options in (("nowhere.drill", 1, ["--drill=nowhere.drill"]), ("no player 'zoe'", 1, [f"--drill={DISK}", "--player=zoe"]),
                                       ("--seed is a number", 2, [f"--drill={DISK}", "--seed=lots"]), (f"{HOST}:3:1: a drill begins", 1, [f"--drill={HOST}"])):
            done = alertctl("tune", HOST, "--rule=HostDiskFillsUp", *options, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(flags=[f"--drills.path={ROOT}/drills"])
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.alertd.import_rules(HOST.read_text(), "host/alerts.yml")
        rules = [rule for group in cls.alertd.get(f"{V1}/rules")["groups"] for rule in group["rules"]]
        cls.ids = {rule["name"]: rule["id"] for rule in rules}
        cls.tokens = {name: cls.alertd.make_token(name, "operate") for name in ("ana", "ben")}

    def call(self, who, method, path, body=None, status=200):
        reply = self.alertd.call(method, V1 + path, body, token=self.tokens[who])
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def ask(self, who, path="", status=200, rule="HostDiskFillsUp", **body):
        return self.call(who, "POST", f"/tunings{path}", {"rule": self.ids[rule], **body}, status)

    def test_a_drill_of_the_library_is_what_alertctl_says(self):
        ours = self.ask("ana", drill="01-disk-filling")
        theirs = tune(HOST, "--rule=HostDiskFillsUp", f"--drill={DISK}")
        self.assertEqual((ours["from"], ours["to"], ours["drill"]), (theirs["from"], theirs["to"], {"name": "01-disk-filling", "title": "The disk that fills", "session": None}))
        [incident] = ours["incidents"]
        self.assertEqual((incident["source"], incident["key"], incident["title"], incident["begin"], incident["at"]), ("drill", "01-disk-filling", "The disk that fills", "2026-03-02T15:10:00.000Z", 0))
        self.assertIn("went on until its end", incident["words"])
        listed = self.ask("ana", "/episodes", drill="01-disk-filling")["episodes"]
        self.assertEqual([(one["labels"], one["fired_at"], one["resolved_at"], one["in_incident"]) for one in listed],
                         [(one["labels"], one["fired_at"], one["resolved_at"], one["in_incident"]) for one in theirs["alerts"]])
        at = listed[0]["fired_at"]
        preview = self.ask("ana", "/preview", drill="01-disk-filling", at=at, labels=listed[0]["labels"])
        self.assertEqual(preview["labels"]["mountpoint"], "/var/log")
        why = self.ask("ana", "/explain", drill="01-disk-filling", at=at)
        self.assertEqual((why["firing"], why["evaluated_at"]), (1, at))
        self.assertIn(f"alertname: \"HostDiskFillsUp\"", self.ask("ana", "/unit", drill="01-disk-filling", at=at, labels=listed[0]["labels"])["yaml"])
        pages = self.ask("ana", "/pages", drill="01-disk-filling")
        self.assertEqual((pages["alerts"], pages["from"]), (1, ours["from"]))
        left = self.ask("ana", drill="01-disk-filling", turned=["01-disk-filling"])["incidents"]
        self.assertEqual([(one["counts"], one["at"]) for one in left], [(False, -1)])
        part = self.ask("ana", drill="01-disk-filling", **{"from": "2026-03-02T15:00:00Z", "to": "2027-01-01T00:00:00Z"})
        self.assertEqual((part["from"], part["to"]), ("2026-03-02T15:00:00.000Z", ours["to"]))
        self.assertIsNone(self.ask("ana")["drill"])

    def test_who_may_look_at_what(self):
        number = self.call("ben", "POST", "/drills", {"drill": "01-disk-filling", "seed": 1, "start": "paused"}, 201)["id"]
        self.assertIn("you are playing it", self.ask("ben", drill="01-disk-filling", status=409)["error"])
        self.assertIn("is not over", self.ask("ben", session=number, status=409)["error"])
        self.ask("ana", drill="01-disk-filling")  # who does not play it may look
        self.assertEqual([one["sessions"] for one in self.call("ben", "GET", f"/tunings/drills?rule={self.ids['HostDiskFillsUp']}")["drills"] if one["name"] == "01-disk-filling"], [[]])
        self.call("ben", "POST", f"/drills/{number}/clock", {"jump": "onset"})
        self.call("ben", "POST", f"/drills/{number}/clock", {"state": "running", "speed": 60})
        until(lambda: self.call("ben", "GET", f"/drills/{number}")["pages"], 120, "the page")
        self.call("ben", "POST", f"/drills/{number}/clock", {"state": "paused"})
        self.call("ben", "POST", f"/drills/{number}/acts", {"kind": "do", "text": "truncate the log", "key": "1"})
        self.call("ben", "POST", f"/drills/{number}/end")

        played = self.ask("ben", session=number)
        [incident] = played["incidents"]
        self.assertEqual((played["drill"]["session"], incident["key"], incident["source"]), (number, f"DRILL-{number}", "drill"))
        self.assertEqual(incident["words"], "the drill's trouble, until it was mended")
        self.assertLess(incident["end"], "2026-03-02T16:30:00")
        self.assertEqual(len(played["delays"]), 1)
        [moment] = [one for one in self.call("ben", "GET", f"/drills/{number}/score")["moments"] if one["kind"] == "firing" and one["what"] == "HostDiskFillsUp"]
        [episode] = self.ask("ben", "/episodes", session=number)["episodes"]
        self.assertEqual(ms_of(episode["fired_at"]), ms_of("2026-03-02T14:00:00Z") + moment["at_ms"], "as it fired when it was played")
        [found] = [one for one in self.call("ben", "GET", f"/tunings/drills?rule={self.ids['HostDiskFillsUp']}")["drills"] if one["name"] == "01-disk-filling"]
        self.assertEqual([one["id"] for one in found["sessions"]], [number])
        self.ask("ben", drill="01-disk-filling")  # nothing is given away any more
        self.same_on_the_command_line(number, played, episode)
        debrief = self.call("ben", "GET", f"/drills/{number}/debrief")
        self.assertIn(f"/rules/{self.ids['HostDiskFillsUp']}/tune?session={number}", [one["url"] for one in debrief["next"]])

    def same_on_the_command_line(self, number, played, episode):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        token = pathlib.Path(folder.name, "ben")
        token.write_text(self.tokens["ben"])
        past = [f"--url={self.alertd.url}", f"--token-file={token}", f"--session={number}"]

        def run(*more):
            return alertctl("tune", HOST, "--rule=HostDiskFillsUp", *past, *more, check=False)

        ours = json.loads(run("--json").stdout)
        self.assertEqual((ours["from"], ours["to"]), (played["from"], played["to"]))
        [incident] = ours["incident_by_incident"]
        self.assertEqual([incident[key] for key in ("begin", "end")], [played["incidents"][0][key] for key in ("begin", "end")])
        [alert] = ours["alerts"]
        self.assertEqual([alert[key] for key in ("labels", "active_at", "fired_at", "resolved_at")], [episode[key] for key in ("labels", "active_at", "fired_at", "resolved_at")])
        self.assertIn("1 of 1 incidents found", run().stdout)
        self.assertEqual(json.loads(run("--json", "--ingest-lag=0s").stdout)["alerts"], ours["alerts"], "its samples, copied")
        done = alertctl("tune", "diff", HOST, HOST, *past, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "no alert changes.\n"), done.stderr)
        for words, status, more in (("--session is the number", 2, "--session=first"), ("one of them", 2, f"--drill={DISK}"), ("987654", 1, "--session=987654")):
            done = run(more)
            self.assertEqual((done.returncode, done.stdout), (status, ""), done)
            self.assertIn(words, done.stderr)

    def test_bad_input(self):
        for words, status, body in (("there is no drill 'nowhere'", 404, {"drill": "nowhere"}), ("there is no drill", 404, {"drill": "../drills/01-disk-filling"}),
                                    ("one of them", 400, {"drill": "01-disk-filling", "session": 1}), ("session", 400, {"session": "first"}),
                                    ("", 404, {"session": 987654}), ("is not within the drill", 400, {"drill": "01-disk-filling", "from": "2027-01-01T00:00:00Z"}),
                                    ("expected times", 400, {"drill": "01-disk-filling", "from": "soon"}), ("ingest_lag_ms", 400, {"ingest_lag_ms": -1}),
                                    ("ingest_lag_ms", 400, {"ingest_lag_ms": 10 ** 12})):
            for path in ("", "/pages"):
                self.assertIn(words, self.ask("ana", path, status=status, **body)["error"], body)
        self.assertEqual(self.alertd.call("GET", f"{V1}/tunings/drills?rule=none").status, 400)
        self.assertEqual(self.alertd.call("GET", f"{V1}/tunings/drills?rule=98765").status, 404)
        other = self.call("ana", "GET", f"/tunings/drills?rule={self.ids['HostCpuStolen']}")
        self.assertNotIn("01-disk-filling", [one["name"] for one in other["drills"]])


class TooLong(unittest.TestCase):
    """A drill of seven days whose four hundred rules look back a day: minutes of work."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        pathlib.Path(folder.name, "long.drill").write_text("""drill "Seven days"
    brief "a long one"
    start 2026-03-02T14:00:00Z
    interval 15s
    length 7d
    onset 1h
    rules r.yml
    oncall ana after 5m ben
    series queue{job="a"} 1
    fault set queue 400 from 1h
    action b mends "roll back"
""")
        slow = [f"  - {{alert: Slow{i}, expr: 'max_over_time(queue[1d]) > {1000 + i}'}}" for i in range(400)]
        pathlib.Path(folder.name, "r.yml").write_text("\n".join(["groups:", "- name: g", "  interval: 15s", "  rules:", *slow, ""]))
        cls.alertd = Alertd(auth="off", flags=[f"--drills.path={folder.name}", "--query.max-concurrency=20"])
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()

    def ask(self, **body):
        return self.alertd.call("POST", f"{V1}/tunings", {"yaml": "- alert: Long\n  expr: queue > 100\n", **body}, timeout=120)

    def test_it_has_the_time_of_any_question(self):
        reply = self.ask(drill="long")
        self.assertEqual((reply.status, reply.json["errorType"]), (503, "timeout"), reply)
        self.assertEqual(reply.json["error"], "drill: it could not be played within 30 s: it is too long, or too much is in it")

    def test_whoever_leaves_makes_room(self):
        body = json.dumps({"yaml": "- alert: Long\n  expr: queue > 100\n", "drill": "long"}).encode()
        host, port = urllib.parse.urlparse(self.alertd.url).netloc.split(":")
        asking = []
        for _ in range(6):  # two are answered at once, four wait
            one = socket.create_connection((host, int(port)))
            one.sendall(b"POST /api/alertd/v1/tunings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            asking.append(one)
        until(lambda: self.ask().status == 503, 20, "no place is left")
        for one in asking:
            one.close()
        until(lambda: self.ask().status == 200, 20, "they left")


if __name__ == "__main__":
    unittest.main(verbosity=2)
