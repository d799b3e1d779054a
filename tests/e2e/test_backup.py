"""Backups under load, restored into another folder after a kill: all samples that were acknowledged
before the backup began are there, the rules and the incidents too; and one day alone is put back."""

import pathlib
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, Alertd, alertctl, until

OVERVIEW, BACKUP, RULES_API = "/api/alertd/v1/overview", "/api/alertd/v1/backup", "/api/alertd/v1/rules"
RULES = """
groups:
- name: g
  interval: 1s
  rules:
  - alert: Hot
    expr: heat > 5
"""
N_PUSHERS = 3
DAY_MS = 86_400_000


class Pushers:
    """Threads that push 1, 2, 3 ... a millisecond each; how far each was answered."""

    def __init__(self, alertd, since_ms):
        self.alertd, self.since_ms, self.answered = alertd, since_ms, [0] * N_PUSHERS
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.push, args=(number,)) for number in range(N_PUSHERS)]
        for thread in self.threads:
            thread.start()

    def push(self, number):
        for n in range(1, 200_000):
            if self.over.is_set():
                return
            try:
                self.alertd.push(f'load{{worker="{number}"}} {n}', at_ms=self.since_ms + n)
            except (OSError, AssertionError):
                return
            self.answered[number] = n

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def stored(alertd, since_ms, token):
    """{worker: how many of its samples are there}"""
    at = (since_ms + 200_000) / 1000
    reply = alertd.get(f"/api/v1/query?query=count_over_time(load[250s])&time={at}", token=token)
    return {int(one["metric"]["worker"]): int(one["value"][1]) for one in reply["data"]["result"]}


class Backup(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="watchbill-backup-"))
        self.alertd = Alertd(flags=["--storage.retention.time=0"]).start()  # samples of any age
        self.token = self.alertd.token

    def tearDown(self):
        self.alertd.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def test_what_was_answered_before_it_began_is_in_it(self):
        self.alertd.import_rules(RULES)
        self.alertd.push("heat 7")
        until(lambda: self.alertd.get(OVERVIEW)["open_incidents"], 10, "an incident")
        since_ms = int(time.time() * 1000) - 250_000
        pushers = Pushers(self.alertd, since_ms)
        try:
            until(lambda: min(pushers.answered) > 20, 30, "some pushes")
            before = list(pushers.answered)
            self.alertd.post(BACKUP, {"folder": str(self.scratch / "copy")})
            self.assertGreater(sum(pushers.answered), sum(before), "pushes went on meanwhile")
            keys = [one["key"] for one in self.alertd.get(OVERVIEW)["open_incidents"]]
            self.alertd.kill()
        finally:
            pushers.stop()
        shutil.copytree(self.scratch / "copy", self.scratch / "fresh")
        with Alertd(folder=self.scratch / "fresh") as restored:
            found = stored(restored, since_ms, self.token)
            for worker, n in enumerate(before):
                self.assertGreaterEqual(found[worker], n)
            self.assertEqual([one["key"] for one in restored.get(OVERVIEW, token=self.token)["open_incidents"]], keys)
            groups = restored.get(RULES_API, token=self.token)["groups"]
            self.assertEqual([rule["name"] for group in groups for rule in group["rules"]], ["Hot"])

    def test_drills_that_were_played_and_ones_own_come_back(self):
        drills = "/api/alertd/v1/drills"
        self.alertd.stop()
        self.alertd.flags.append(f"--drills.path={ROOT}/drills")
        self.alertd.start()
        played = self.alertd.post(drills, {"drill": "01-disk-filling", "seed": 1, "start": "paused"})["id"]
        self.alertd.post(f"{drills}/{played}/acts", {"kind": "hypothesis", "text": "debug logging fills it"})
        score = self.alertd.post(f"{drills}/{played}/end", {})
        self.alertd.call("PUT", f"{drills}/{played}/debrief/sections/believed", {"markdown": "That it was the disk.\n"}, headers={"If-Match": '"0"'})
        runs = self.alertd.post(drills, {"drill": "02-certificate-expiry", "seed": 1, "speed": 60})["id"]
        own = (ROOT / "drills/01-disk-filling.drill").read_text()
        folder = self.alertd.folder / "drills/ours/data"
        folder.mkdir(parents=True)
        (folder.parent / "drill.drill").write_text(own.replace("rules host", "rules r.yml", 1))
        (folder.parent / "r.yml").write_text((ROOT / "rules/host/alerts.yml").read_text())
        (folder / "more.csv").write_text("at,up\n0s,1\n")
        made = alertctl("backup", str(self.scratch / "copy"), alertd=self.alertd)
        self.assertRegex(made.stdout, r"^[5-9] files, ")
        self.alertd.kill()
        shutil.copytree(self.scratch / "copy", self.scratch / "fresh")
        with Alertd(folder=self.scratch / "fresh", flags=[f"--drills.path={ROOT}/drills"]) as restored:
            get = lambda path: restored.get(drills + path, token=self.token)  # noqa: E731
            self.assertEqual(get(f"/{played}/score")["hash"], score["hash"])
            self.assertIn("That it was the disk.", str(get(f"/{played}/debrief")["sections"]))
            self.assertEqual(get(f"/{runs}")["state"], "paused")
            self.assertEqual([one["name"] for one in get("/library")["drills"] if one["own"] and "error" not in one], ["ours"])
            self.assertEqual((self.scratch / "fresh/drills/ours/data/more.csv").read_text(), "at,up\n0s,1\n")

    def test_one_day_is_put_back(self):
        now_ms = int(time.time() * 1000)
        earlier_ms = now_ms // DAY_MS * DAY_MS - 60_000
        self.alertd.push("m 1", at_ms=earlier_ms)
        self.alertd.push("m 2", at_ms=now_ms)
        self.alertd.post(BACKUP, {"folder": str(self.scratch / "copy")})
        self.alertd.stop()
        day = time.strftime("%Y-%m-%d", time.gmtime(earlier_ms / 1000)) + ".db"
        for left in (self.alertd.folder / "samples").glob(f"{day}*"):
            left.unlink()
        self.alertd.start()
        self.assertEqual(self.alertd.query("m", at=earlier_ms / 1000), {})
        self.alertd.stop()
        for left in (self.alertd.folder / "samples").glob(f"{day}*"):
            left.unlink()
        shutil.copy(self.scratch / "copy/samples" / day, self.alertd.folder / "samples" / day)
        self.alertd.start()
        self.assertEqual(list(self.alertd.query("m", at=earlier_ms / 1000).values()), [1])
        self.assertEqual(list(self.alertd.query("m", at=now_ms / 1000).values()), [2])


if __name__ == "__main__":
    unittest.main()
