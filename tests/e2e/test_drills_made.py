"""Drills that are made of something else, on a real alertd: an incident that happened becomes one in one call, plays
as it was, and shows whether another rule would have helped; exercises on paper become drills of text.
"""

import json
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl, until
from receivers import Webhook

API = "/api/alertd/v1"
RULES = """groups:
  - name: disks
    interval: 1s
    rules:
      - alert: DiskFills
        expr: 'disk_free_ratio < 0.1'
        for: 3s
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.instance }} is nearly full, says Ana', runbook_url: '{{ $externalURL }}/runbooks/host#hostdiskfull'}
"""
WHEEL = [{"ID": 1, "title": "Checkout is slow", "scenario": "It is Monday.\nCustomers call.", "inkstory": ""}]


def at(seconds):
    then = time.time() + seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(then)) + f".{int(then * 1000) % 1000:03}Z"


class FromIncident(unittest.TestCase):
    flags = []

    @classmethod
    def setUpClass(cls):
        cls.hook = cls.enterClassContext(Webhook())
        config = ("route: {receiver: team, group_wait: 1s}\nreceivers:\n  - name: team\n    ntfy_configs:\n"
                  f"      - {{url: 'http://127.0.0.1:{cls.hook.port}', topic: night}}\n")
        cls.alertd = Alertd(config=config, flags=cls.flags)
        cls.addClassCleanup(cls.alertd.close)
        cls.alertd.start()
        cls.alertd.post(f"{API}/people", {"name": "ana", "full_name": "Ana Lund", "contacts": []})
        cls.key = cls.incident()

    @classmethod
    def incident(cls):
        now = int(time.time() * 1000)
        lines = [f'disk_free_ratio{{instance="db-1"}} {0.4 - 0.001 * i} {now - 1800_000 + i * 15_000}' for i in range(119)]
        cls.alertd.push("\n".join(lines + [f'disk_free_ratio{{instance="db-1"}} 0.04 {now}']))
        cls.alertd.import_rules(RULES)
        listed = lambda: cls.alertd.get(f"{API}/incidents?status=all")["incidents"]
        key = until(lambda: listed() and listed()[0]["key"], 30, "an incident")
        cls.hook.wait(lambda calls: len(calls) >= 1)
        cls.alertd.post(f"{API}/incidents/{key}/ack")
        told = cls.alertd.post(f"{API}/incidents/{key}/events", {"events": [
            {"kind": "change.deploy", "text": "backup 2.7 by ana", "occurred_at": at(-600)},
            {"kind": "human.hypothesis", "text": "more visitors than usual", "occurred_at": at(0)},
            {"kind": "human.hypothesis", "text": "Ana's backup of 2.7 keeps old snapshots", "occurred_at": at(0)},
            {"kind": "mitigation.applied", "text": "deleted old snapshots", "occurred_at": at(0)}]})["events"]
        for row, word in ((told[1], "refuted"), (told[2], "confirmed")):
            cls.alertd.post(f"{API}/incidents/{key}/events", {"events": [
                {"kind": f"hypothesis.{word}", "text": word, "occurred_at": at(0), "about": row["id"]}]})
        cls.alertd.push('disk_free_ratio{instance="db-1"} 0.7')
        until(lambda: listed()[0]["status"] == "resolved", 30, "its end")
        return key

    def made(self):
        name = self.key.lower()
        if self.alertd.call("GET", f"{API}/drills/library/{name}").status == 404:
            self.alertd.post(f"{API}/incidents/{self.key}/drill")
        return name

    def test_one_call_plays_as_it_was(self):
        made = self.alertd.post(f"{API}/incidents/{self.key}/drill?again=1")
        self.assertEqual(made["name"], self.key.lower())
        self.assertEqual(made["failures"], [])
        self.assertGreater(made["checks"], 8)
        self.assertEqual([f for f in made["findings"] if f["severity"] == "error"], [])
        kinds = [m["kind"] for m in made["moments"]]
        for kind in ("firing", "page"):
            self.assertIn(kind, kinds)
        self.assertNotIn("resolved", kinds)  # nobody does what ended it
        page = next(m for m in made["moments"] if m["kind"] == "page")
        self.assertEqual((page["who"], page["what"]), ("primary", "DiskFills"))
        again = self.alertd.call("POST", f"{API}/incidents/{self.key}/drill")
        self.assertEqual(again.status, 409)

    def test_names_nobody_and_hides_the_end(self):
        text = self.alertd.get(f"{API}/drills/library/{self.made()}")["text"]
        self.assertNotIn("ana", text.lower().replace("analy", ""))
        self.assertIn('hypothesis idea-1 wrong "more visitors than usual"', text)
        self.assertIn("idea-2 right", text)
        self.assertIn('action deed-1 mends "deleted old snapshots"', text)
        self.assertIn("runbook host#hostdiskfull", text)
        told = [line for line in text.splitlines() if line.strip().startswith("at ") and " expect " not in line and "hypothesis" not in line]
        self.assertFalse([line for line in told if "snapshots" in line and " do " not in line])

    def test_another_rule_would_have_paged_or_not(self):
        name = self.made()
        rules = next(f for f in self.alertd.get(f"{API}/drills/library/{name}")["files"] if f["name"] == "rules.yml")["text"]
        path = f"{API}/drills/library/{name}"
        never = self.alertd.post(f"{path}/preview", {"files": {"rules.yml": rules.replace("< 0.1", "< 0.001")}})
        self.assertNotIn("page", [m["kind"] for m in never["moments"]])
        self.assertIn("nobody: ", never["failures"][0])
        first = lambda answer: next(m["at_ms"] for m in answer["moments"] if m["kind"] == "page")
        earlier = self.alertd.post(f"{path}/preview", {"files": {"rules.yml": rules.replace("< 0.1", "< 0.3")}})
        self.assertLess(first(earlier), first(self.alertd.post(f"{path}/preview")))
        saved = self.alertd.call("PUT", path, {"files": {"rules.yml": rules.replace("< 0.1", "< 0.3")}})
        self.assertEqual(saved.status, 200)
        self.assertEqual(first(self.alertd.post(f"{path}/preview")), first(earlier))
        self.alertd.call("PUT", path, {"files": {"rules.yml": rules}})

    def test_a_rule_that_was_mended_since_changes_the_drill(self):
        name = self.made()
        self.addCleanup(self.alertd.import_rules, RULES)
        preview = lambda rules: self.alertd.post(f"{API}/drills/library/{name}/preview?rules={rules}")
        paged = lambda answer: [m["at_ms"] for m in answer["moments"] if m["kind"] == "page"]
        then = paged(preview("then"))
        self.assertEqual(paged(preview("now")), then)  # nobody changed it yet
        self.alertd.import_rules(RULES.replace("< 0.1", "< 0.001"))
        self.assertEqual(paged(preview("now")), [])
        self.assertEqual(paged(preview("then")), then)
        self.alertd.import_rules(RULES.replace("< 0.1", "< 0.3").replace("DiskFills", "DiskWillFill"))  # another name, the same group
        now = preview("now")
        self.assertLess(paged(now)[0], then[0])
        self.assertEqual({m["what"] for m in now["moments"] if m["kind"] == "page"}, {"DiskWillFill"})
        self.assertEqual(preview("now")["moments"], now["moments"])
        for rules, alert in (("now", "DiskWillFill"), ("then", "DiskFills")):
            number = self.alertd.post(f"{API}/drills", {"drill": name, "seed": 1, "rules": rules, "start": "paused", "speed": 60})["id"]
            self.alertd.post(f"{API}/drills/{number}/clock", {"jump": "onset"})
            self.alertd.post(f"{API}/drills/{number}/clock", {"state": "running", "speed": 60})
            state = until(lambda: (lambda now: now if now["pages"] else None)(self.alertd.get(f"{API}/drills/{number}")), 60, "the page")
            self.assertEqual((state["rules"], state["pages"][0]["what"]), (rules, alert))
            self.alertd.post(f"{API}/drills/{number}/end")
        self.alertd.import_rules("groups: []")
        self.assertEqual(paged(preview("now")), [])
        for path, body in (("/drills", {"drill": "there-is-none", "rules": "now"}), ("/drills", {"drill": name, "rules": "soon"})):
            reply = self.alertd.call("POST", API + path, body)
            self.assertEqual(reply.status, 400, reply)
            self.assertIn("rules", reply.json["error"])

    def test_what_cannot_be_played_is_not_saved(self):
        path = f"{API}/drills/library/{self.made()}"
        text = self.alertd.get(path)["text"]
        broken = self.alertd.call("PUT", path, {"text": text + "    oncal ben\n"})
        self.assertEqual(broken.status, 400)
        self.assertRegex(broken.json["error"], r"^\d+:\d+: ")
        self.assertEqual(self.alertd.get(path)["text"], text)
        for name in ("../x", "a/../b", "X"):
            self.assertIn(self.alertd.call("PUT", f"{API}/drills/library/{name}", {"text": text}).status, (400, 404))
        self.assertEqual(self.alertd.call("PUT", path, {"files": {"../../admin.token": "x"}}).status, 400)
        self.assertEqual(self.alertd.call("GET", f"{path}/files/..%2F..%2Fadmin.token").status, 400)
        self.assertEqual(self.alertd.call("POST", f"{API}/incidents/INC-1999-0001/drill").status, 404)

    def test_command_line(self):
        with tempfile.TemporaryDirectory() as folder:
            done = alertctl("drill", "from-incident", self.key, f"--output={folder}/d", "--scrub-hosts", alertd=self.alertd, check=False)
            self.assertIn(done.returncode, (0, 3), done.stderr)
            self.assertEqual(sorted(p.name for p in pathlib.Path(folder, "d").iterdir()), ["drill.drill", "routes.yml", "rules.yml", "samples.om"])
            self.assertNotIn("db-1", pathlib.Path(folder, "d/samples.om").read_text())
            played = alertctl("drill", "run", "--headless", f"{folder}/d/drill.drill")
            self.assertEqual(played.stdout.count("ok    "), 3, played.stdout)

    def test_paper(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "wheel.json").write_text(json.dumps(WHEEL))
            done = alertctl("drill", "import-wheel", f"{folder}/wheel.json", f"--output={folder}/d")
            self.assertEqual(done.stdout, f"{folder}/d/01-checkout-is-slow.drill\n")
            self.assertEqual(alertctl("check", "drills", f"{folder}/d/01-checkout-is-slow.drill").returncode, 0)
            self.assertNotEqual(alertctl("drill", "import-wheel", f"{folder}/wheel.json", f"--output={folder}/d", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()
