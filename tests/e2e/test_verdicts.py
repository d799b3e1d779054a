"""What a page was worth, said in every way there is, and what the report makes of it, on a real alertd."""

import json
import pathlib
import re
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import test_incidents
from daemon import ALERTCTL, Alertd, request, until
from receivers import Smtp, Webhook

OURS = "/api/alertd/v1"
YEAR = time.gmtime().tm_year


def key(number):
    return f"INC-{YEAR}-{number:04}"


class Said(unittest.TestCase):
    """Two incidents, both paged about: one was over at once, one fires."""

    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        for order in ("fire Short a:1 warning", "end Short a:1", "fire Lone <i>a:1 critical"):
            with Webhook() as hook:
                test_incidents.page(cls.alertd.folder, [order], hook, group_interval="1s")
                link = hook.calls[0]["body"]["watchbill"]["acknowledge_url"]
        cls.alertd.start()
        cls.link = cls.alertd.url + "/a/" + link.rsplit("/", 1)[1]
        cls.page = cls.alertd.get(f"{OURS}/outbox?incident={key(2)}")["notifications"][0]["id"]

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def verdicts(self, **query):
        return self.alertd.get(f"{OURS}/verdicts?" + urllib.parse.urlencode(query))["verdicts"]

    def say(self, number, verdict, **more):
        return self.alertd.post(f"{OURS}/incidents/{key(number)}/verdict", {"verdict": verdict, **more})["verdicts"]

    def form(self, **fields):
        return request("POST", self.link, urllib.parse.urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})

    def test_1_over_the_api(self):
        first = self.say(1, "noise", reason="it restarts <each> night")
        self.assertEqual([(one["verdict"], one["reason"], one["via"], one["counts"]) for one in first], [("noise", "it restarts <each> night", "api", True)])
        self.assertEqual(first[0]["rules"], [{"id": 1, "name": "Short"}])
        self.assertEqual((first[0]["incident"], first[0]["labels"]), (key(1), {"alertname": "Short"}))
        again = self.say(1, "noise", reason="it restarts <each> night")
        self.assertEqual(again, first, "saying the same again is not said twice")
        changed = self.say(1, "useful")
        self.assertEqual([(one["verdict"], one["counts"]) for one in changed], [("useful", True), ("noise", False)])
        incident = self.alertd.get(f"{OURS}/incidents/{key(1)}")
        self.assertEqual([one["verdict"] for one in incident["verdicts"]], ["useful"])
        told = [(event["class"], event["text"]) for event in incident["timeline"] if event["kind"] == "verdict"]
        self.assertEqual(told, [("human", "this page was noise: it restarts <each> night"), ("human", "this page was useful")])

    def test_2_what_is_refused(self):
        path = f"{OURS}/incidents/{key(1)}/verdict"
        for body, words in (({}, "verdict: expected"), ({"verdict": "bad"}, "verdict: expected"), ({"verdict": "noise", "why": "x"}, "why"),
                            ({"verdict": "noise", "reason": "x" * 1001}, "reason: at most"), ({"verdict": 1}, "verdict"), ([], "object")):
            reply = self.alertd.call("POST", path, body)
            self.assertEqual((reply.status, reply.json["errorType"]), (400, "bad_data"), body)
            self.assertIn(words, reply.json["error"])
        self.assertEqual(self.alertd.call("POST", f"{OURS}/incidents/INC-1999-0001/verdict", {"verdict": "noise"}).status, 404)
        reader = self.alertd.make_token("reader", "read")
        self.assertEqual(self.alertd.call("POST", path, {"verdict": "noise"}, token=reader).status, 403)
        self.assertEqual(self.alertd.call("GET", f"{OURS}/verdicts", token=reader).status, 200)
        self.assertEqual(self.alertd.call("GET", f"{OURS}/verdicts?from=yesterday").status, 400)

    def test_3_a_link_asks_and_does_not_answer(self):
        """Mail scanners open links: only the form's POST says something."""
        before = self.verdicts()
        reply = request("GET", f"{self.link}?verdict=noise&page={self.page}&via=mail")
        self.assertEqual(reply.status, 200)
        self.assertLess(reply.text.index("Yes, it was noise"), reply.text.index(">Acknowledge</button>"))
        self.assertIn(f'name="page" value="{self.page}"', reply.text)
        self.assertIn('name="via" value="mail"', reply.text)
        self.assertNotIn("<script", reply.text)
        plain = request("GET", self.link).text
        self.assertNotIn("Yes, it was", plain)
        for word in (">Useful</button>", ">Noise</button>", "know</button>"):
            self.assertIn(word, plain)
        self.assertEqual(self.verdicts(), before)

    def test_4_the_phone_page_and_ntfy_answer(self):
        reply = self.form(action="verdict", verdict="noise", via="ntfy", page=self.page)
        self.assertEqual(reply.status, 200) # after the 303
        said = self.verdicts(rule="Lone")
        self.assertEqual([(one["actor"], one["verdict"], one["via"], one["notification"]) for one in said], [("team", "noise", "ntfy", self.page)])
        reply = self.form(action="verdict", verdict="useful", via="mail", page=self.page, reason="the shop <b>was</b> down")
        self.assertIn("the shop &lt;b&gt;was&lt;/b&gt; down", reply.text)
        self.assertIn("<strong>useful</strong>", reply.text)
        self.assertNotIn("<strong>noise</strong>", reply.text)
        self.assertEqual([one["counts"] for one in self.verdicts(rule="Lone")], [True, False], "of one person the newest counts")
        self.form(action="verdict", verdict="unknown", name="Ana")
        latest = self.verdicts(rule="Lone")[0]
        self.assertEqual((latest["actor"], latest["verdict"], latest["via"], latest["notification"]), ("Ana", "unknown", "phone", None))
        other = self.form(action="verdict", verdict="unknown", page=99999)
        self.assertEqual(other.status, 200)
        self.assertEqual(self.verdicts(rule="Lone")[0]["actor"], "somebody with the page's link")
        for wrong in ({"action": "verdict"}, {"action": "verdict", "verdict": "x"}, {"action": "judge"},
                      {"action": "verdict", "verdict": "noise", "reason": "x" * 1001}):
            self.assertEqual(self.form(**wrong).status, 400, wrong)

    def test_5_labels_for_the_tuner(self):
        self.assertEqual({one["incident"] for one in self.verdicts(rule="Short")}, {key(1)})
        self.assertEqual({one["incident"] for one in self.verdicts(rule="1")}, {key(1), key(2)})
        self.assertEqual(self.verdicts(rule="Nothing"), [])
        self.assertEqual(self.verdicts(to="2020-01-01T00:00:00Z"), [])
        at = self.verdicts()[0]["at"]
        self.assertTrue(all(one["at"] >= at for one in self.verdicts(**{"from": at})))
        over = self.verdicts(rule="Short")[0]
        self.assertLessEqual(over["opened_at"], over["resolved_at"])
        self.assertIsNone(self.verdicts(rule="Lone")[0]["resolved_at"])

    def test_6_the_report(self):
        report = self.alertd.get(f"{OURS}/report")
        self.assertEqual((report["incidents"], report["pages"], report["self_resolved_within_5m"], report["never_acknowledged"]), (2, 2, 1, 2))
        self.assertEqual((report["useful"], report["noise"], report["unknown"], report["unanswered"]), (2, 0, 0, 0))
        self.assertEqual([(one["who"], one["pages"], one["incidents"]) for one in report["people"]], [("team", 2, 2)])
        rows = {one["rule"]: one for one in report["rules"]}
        self.assertEqual(set(rows), {"Short", "Lone"})
        self.assertEqual((rows["Short"]["pages"], rows["Short"]["useful"], rows["Short"]["noise_share"]), (1, 1, 0))
        self.assertGreater(rows["Short"]["noise_share_high"], 0.7)
        self.assertEqual(report["time_to_resolve"]["n"], 1)
        self.assertEqual(sum(day["pages"] for day in report["days"]), 2)
        empty = self.alertd.get(f"{OURS}/report?week=2020-W01&zone=Europe/Berlin")
        self.assertEqual((empty["from"], empty["to"], empty["zone"]), ("2019-12-29T23:00:00.000Z", "2020-01-05T23:00:00.000Z", "Europe/Berlin"))
        self.assertEqual((empty["pages"], empty["rules"], len(empty["days"]), empty["noise_share"]), (0, [], 7, None))
        for wrong in ("week=2020-W54", "week=now", "zone=Mars/Base", "zone=../../etc/passwd", "from=x", "to=x", "format=pdf",
                      "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z"):
            reply = self.alertd.call("GET", f"{OURS}/report?{wrong}")
            self.assertEqual((reply.status, reply.json["errorType"]), (400, "bad_data"), wrong)

    def ctl(self, *arguments):
        token = self.alertd.folder / "admin.token"
        return subprocess.run([ALERTCTL, *arguments, f"--url={self.alertd.url}", f"--token-file={token}"], capture_output=True, text=True, timeout=30)

    def test_7_from_a_shell(self):
        said = self.ctl("incident", "verdict", key(2), "noise", "--reason=a drill")
        self.assertEqual((said.returncode, said.stdout), (0, f"{key(2)}: noise\n"), said.stderr)
        self.assertEqual(self.ctl("incident", "verdict", key(2), "bad").returncode, 1)
        shown = self.ctl("report")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("2 incidents, 2 pages", shown.stdout)
        self.assertRegex(shown.stdout, r"\n  Short +1 +1 ")
        numbers = self.ctl("report", "--week=2020-W01", "--json")
        self.assertEqual(json.loads(numbers.stdout)["pages"], 0)
        ago = self.ctl("report", "--from=1h", "--json")
        self.assertEqual(json.loads(ago.stdout)["pages"], 2)
        for wrong in (("--week=2020-W01", "--from=1h"), ("--from=whenever",)):
            self.assertEqual(self.ctl("report", *wrong).returncode, 2, wrong)

    def test_8_kept(self):
        before = self.verdicts()
        self.alertd.kill()
        self.alertd.start()
        self.assertEqual(self.verdicts(), before)


CONFIG = """
receivers:
  - name: team
    email_configs:
      - {{to: 'ana@example.org', from: 'watch@example.org', smarthost: '127.0.0.1:{mail}', require_tls: false}}
    ntfy_configs:
      - {{url: 'http://127.0.0.1:{ntfy}', topic: night}}
    webhook_configs:
      - {{url: 'http://127.0.0.1:{ntfy}/hook'}}
  - name: hook
    webhook_configs:
      - {{url: 'http://127.0.0.1:{ntfy}/hook'}}
route: {{receiver: team}}
"""
WEEKLY = ["--report.weekly-to=team", "--report.zone=Europe/Berlin", "--web.external-url=http://watch.test"]


class Weekly(unittest.TestCase):
    def test_a_mail_each_week_and_once(self):
        with Smtp() as smtp, Webhook() as ntfy:
            answers = ["451 later", None]
            smtp.reply = lambda stage: answers.pop(0) if stage == "RCPT" and answers else None
            with Alertd(flags=WEEKLY, config=CONFIG.format(mail=smtp.port, ntfy=ntfy.port)) as alertd:
                mail = until(lambda: smtp.messages, 30, "the weekly mail")[0]
                push = ntfy.wait(lambda calls: calls)[0]
                self.assertRegex(mail["Subject"], r"^0 pages in week \d{4}-W\d\d, 0 at night, 0 incidents$")
                week = re.search(r"\d{4}-W\d\d", mail["Subject"])[0]
                text = mail.get_body(("plain",)).get_content()
                self.assertIn(f"Report of week {week}", text)
                self.assertIn(f"http://watch.test/report?week={week}&zone=Europe/Berlin", text)
                self.assertIn("<table", mail.get_body(("html",)).get_content())
                self.assertIsNone(mail["References"])
                self.assertIn(week, mail["Message-ID"])
                self.assertEqual((push["path"], push["body"]["title"]), ("/", mail["Subject"]))
                self.assertIn("0 incidents, 0 pages", push["body"]["message"])
                until(lambda: alertd.log().count('msg=sent') + alertd.log().count('msg="sent"') >= 2, what="both are marked")
                for end in (alertd.stop, alertd.kill):
                    end()
                    alertd.start()
                    # what would be sent again goes out before the first look is over
                    until(lambda: alertd.call("GET", f"{OURS}/overview").status == 200)
                    self.assertEqual(alertd.call("GET", "/-/ready").status, 200)
                time.sleep(2)
                self.assertEqual((len(smtp.messages), len(ntfy.calls)), (1, 1))

    def test_nobody_to_tell(self):
        with Smtp() as smtp, Webhook() as ntfy:
            config = CONFIG.format(mail=smtp.port, ntfy=ntfy.port)
            for name, words in (("hook", "neither mail nor ntfy"), ("nobody", "no such receiver")):
                with Alertd(flags=[f"--report.weekly-to={name}"], config=config) as alertd:
                    until(lambda: words in alertd.log(), what=words)
            self.assertEqual((smtp.messages, ntfy.calls), ([], []))

    def test_settings_that_are_none(self):
        for flag in ("--report.weekly-hour=24", "--report.weekly-day=someday"):
            alertd = Alertd(flags=[flag])
            alertd.start(wait=False)
            self.assertEqual(alertd.process.wait(20), 2, flag)
            alertd.close()
        alertd = Alertd(flags=["--report.weekly-to=team", "--report.zone=Mars/Base"])
        alertd.start(wait=False)
        self.assertNotEqual(alertd.process.wait(20), 0)
        self.assertIn("Mars/Base", alertd.log())
        alertd.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
