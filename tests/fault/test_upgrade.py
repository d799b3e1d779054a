"""state.db of each older schema is upgraded, and the upgrade killed at many of its writes: nothing is lost and the next start
finishes it. A newer schema is refused with words. A second alertd on one folder is told who holds it.

usage: test_upgrade.py [KILLS [SEED]]     kills a version, 1
       test_upgrade.py SECONDSs [SEED]    kills anywhere, in random order, until so many seconds are over (meson's suite `slow`): every
                                          write of every version would be some thousand starts, and take hours
"""

import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import store_day
from daemon import ROOT, Alertd

KILLS, SECONDS, SEED = 1, 0, int(time.time())
APPLICATION_ID = 0x57425354
STEPS = sorted((ROOT / "alertd/db/migrations").glob("*.sql"))
NEWEST = len(STEPS)
APP_LOCKED = 3
APP_DAMAGED = 4  # or newer


def make_state(path, version):
    """What alertd of that version left behind: its schema and a group of rules."""
    base = sqlite3.connect(path, isolation_level=None)
    base.create_function("text_hash", 1, lambda text: 0)  # alertd's own, for migrations
    base.execute("PRAGMA journal_mode=WAL")
    base.execute(f"PRAGMA application_id={APPLICATION_ID}")
    base.execute("CREATE TABLE schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT")
    for number, step in enumerate(STEPS[:version], 1):
        base.executescript(step.read_text())
        base.execute("INSERT INTO schema_migration VALUES (?, ?, 0)", (number, step.stem[5:]))
    base.execute(f"PRAGMA user_version={version}")
    base.executemany("INSERT INTO rule_group (source, name, position, is_live, interval_ms) VALUES ('kept.yml', ?, 1, 0, 60000)",
                     [(f"group {i}",) for i in range(200)])
    base.close()


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        scratch = tempfile.TemporaryDirectory(prefix="watchbill-upgrade-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def alertd(self, folder):
        alertd = Alertd(folder=folder, auth="off")
        self.addCleanup(alertd.close)
        return alertd

    def old(self, version):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        make_state(folder / "state.db", version)
        return folder

    def check(self, folder, where):
        """A start finishes it; everything is there."""
        self.alertd(folder).start().stop()
        base = sqlite3.connect(folder / "state.db")
        try:
            self.assertEqual([row[0] for row in base.execute("SELECT version FROM schema_migration ORDER BY 1")], list(range(1, NEWEST + 1)), where)
            self.assertEqual(base.execute("PRAGMA user_version").fetchone()[0], NEWEST, where)
            self.assertEqual(base.execute("SELECT count(*) FROM rule_group WHERE source = 'kept.yml'").fetchone()[0], 200, where)
            self.assertEqual(base.execute("PRAGMA integrity_check").fetchone()[0], "ok", where)
        finally:
            base.close()
        shutil.rmtree(folder)

    def start_with(self, folder, at, how):
        """Starts alertd where call `at` to state.db, its log or its copy is the last; how it ended."""
        alertd, count = self.alertd(folder), self.folder / "count"
        count.unlink(missing_ok=True)
        env = store_day.faults(folder / "state.db", "pwrite fdatasync fsync ftruncate", at, how, count=count)
        with open(alertd.log_path, "ab") as log:
            alertd.process = subprocess.Popen(alertd.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT, env=env)
        try:
            alertd.wait_ready()
        except AssertionError:
            return alertd.process.returncode, int(count.read_text())
        n = int(count.read_text())
        alertd.kill()
        return None, n

    def count_calls(self, version):
        """It is upgraded without a kill; in so many calls."""
        folder = self.old(version)
        _, n_calls = self.start_with(folder, 0, "kill")
        self.check(folder, f"version {version}")
        return n_calls

    def kill_at(self, version, at, n_calls):
        where = f"seed {SEED}: version {version}, call {at} of {n_calls}"
        folder = self.old(version)
        ended, _ = self.start_with(folder, at, "kill")
        self.assertIn(ended, (-9, None), where)
        self.check(folder, where)
        return ended == -9

    def test_an_upgrade_that_is_killed_goes_on(self):
        until_s = time.monotonic() + SECONDS
        calls = {version: self.count_calls(version) for version in range(1, NEWEST)}
        places = [(version, at) for version, n in calls.items()
                  for at in self.random.sample(range(1, n + 1), n if SECONDS else min(KILLS, n))]
        self.random.shuffle(places)
        tried = killed = 0
        for version, at in places:
            if SECONDS and tried and time.monotonic() > until_s:
                break
            tried += 1
            killed += self.kill_at(version, at, calls[version])
        self.assertTrue(killed, "no upgrade was ever killed")
        print(f"# seed {SEED}: {killed} upgrades killed, {tried} of {sum(calls.values())} calls of {NEWEST - 1} versions tried")

    def test_a_newer_schema_is_refused(self):
        folder = self.old(NEWEST)
        base = sqlite3.connect(folder / "state.db")
        base.execute("INSERT INTO schema_migration VALUES (999, 'from the future', 0)")
        base.commit()
        base.close()
        alertd = self.alertd(folder)
        alertd.start(wait=False)
        self.assertEqual(alertd.process.wait(20), APP_DAMAGED)
        self.assertIn("made by a newer version (schema 999 is not known here)", alertd.log())
        self.assertTrue((folder / "state.db").exists())

    def test_a_newer_day_is_refused(self):
        day = self.folder / "one" / "samples" / "2026-11-20.db"
        day.parent.mkdir(parents=True)
        base = sqlite3.connect(day)
        base.executescript(f"""PRAGMA application_id = {0x57425350};
            CREATE TABLE schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
            INSERT INTO schema_migration VALUES (999, 'from the future', 0)""")
        base.close()
        alertd = self.alertd(self.folder / "one")
        alertd.start(wait=False)
        self.assertEqual(alertd.process.wait(20), APP_DAMAGED)
        self.assertIn("2026-11-20.db: made by a newer version (schema 999 is not known here)", alertd.log())
        self.assertTrue(day.exists())

    def test_a_second_alertd_is_told_who_holds_the_folder(self):
        first = self.alertd(self.folder / "one")
        first.folder.mkdir()
        first.start()
        second = self.alertd(first.folder)
        second.log_path = self.folder / "second.log"
        second.start(wait=False)
        self.assertEqual(second.process.wait(20), APP_LOCKED)
        self.assertIn(f"is in use by process {first.pid}", second.log())
        first.push("still 1")
        self.assertEqual(first.query("still"), {(("__name__", "still"),): 1})
        first.kill()
        second.start()  # the kernel let go of the lock
        self.assertEqual(second.query("still"), {(("__name__", "still"),): 1})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        text = sys.argv.pop(1)
        KILLS, SECONDS = (1, int(text[:-1])) if text.endswith("s") else (int(text), 0)
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
