"""The pager is killed at every step of a page's way: each call it makes to its database and to the receiver,
from its start to the mark that the page was taken, is in turn its last, half done; sometimes the next start is
killed as well. Each page is told at least once and at most once more than it was killed, under one key, and
what is over is never told before or without what was wrong.

usage: test_outbox_kills.py [POINTS [SEED]]     14 points; 0: every call there is, twice over (meson's suite `slow`)
"""

import collections
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "e2e")]

from daemon import BUILD, until
from receivers import Webhook
from test_receivers import PAGER, Pager, hook_config

POINTS, SEED = 14, int(time.time())
CALLS = "pwrite fdatasync fsync ftruncate send recv"


class Died(Exception):
    pass


class MortalPager(Pager):
    """A pager in a copy of a folder that was started once: what is counted is a page's way, not migrations."""

    def start(self, kill_at=0, count=None):
        shim = {"LD_PRELOAD": str(BUILD / "tests/fault/fail_syscall.so"), "FAIL_FOLDER": str(self.folder), "FAIL_CALLS": CALLS,
                "FAIL_AT": str(kill_at), "FAIL_HOW": "kill", "FAIL_COUNT": str(count or "")}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([PAGER, self.folder, self.config], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=log, text=True, env={**os.environ, **shim})
        if self.process.stdout.readline().strip() != "ready":
            raise Died if self.process.wait(20) == -9 else AssertionError((self.folder / "log").read_text()[-2000:])
        return self

    def order(self, line):
        try:
            self.say(line)
        except (AssertionError, BrokenPipeError):
            if self.process.wait(20) != -9:
                raise
            raise Died from None

    def wait_for(self, sql, rows):
        def there():
            if self.process.poll() is not None:
                raise Died
            return self.rows(sql) == rows
        until(there, 60, f"{sql} is {rows}")

    def tell_story(self):
        """Fires and ends one alert, or goes on with that where the one before was killed."""
        if not self.rows("SELECT 1 FROM incident"):
            self.order("fire Down a:1 critical")
        self.wait_for("SELECT count(*) FROM outbox WHERE reason = 'first' AND state = 'sent'", [(1,)])
        if self.rows("SELECT n_firing FROM incident") == [(1,)]:
            self.order("end Down a:1")
        self.wait_for("SELECT count(*) FROM outbox WHERE reason = 'resolved' AND state = 'sent'", [(1,)])

    def end_well(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        if code == -9:
            raise Died
        if code != 0:
            raise AssertionError(f"ended with {code}: {(self.folder / 'log').read_text()[-2000:]}")


class OutboxKills(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.hook = Webhook().start()
        self.addCleanup(self.hook.stop)
        self.template = MortalPager(hook_config(self.hook.url))
        self.addCleanup(shutil.rmtree, self.template.folder, True)
        self.template.start().end_well()

    def pager(self):
        pager = MortalPager(hook_config(self.hook.url))
        shutil.rmtree(pager.folder)
        shutil.copytree(self.template.folder, pager.folder)
        self.addCleanup(shutil.rmtree, pager.folder, True)
        return pager

    def count(self):
        """How many calls it takes to tell one story."""
        with tempfile.NamedTemporaryFile(prefix="watchbill-calls-") as count:
            pager = self.pager()
            pager.start(count=count.name).tell_story()
            pager.end_well()
            return int(pathlib.Path(count.name).read_text())

    def live(self, pager, deaths):
        """Lives, and dies at the n-th call for each n of deaths; returns how often it died."""
        died = 0
        while True:
            try:
                pager.start(deaths[died] if died < len(deaths) else 0)
                pager.tell_story()
                pager.end_well()
                return died
            except Died:
                died += 1
                with contextlib.suppress(BrokenPipeError):
                    pager.process.stdin.close()
                pager.process.wait()
                pager.process.stdout.close()

    def one(self, deaths):
        self.hook.calls.clear()
        pager = self.pager()
        died = self.live(pager, deaths)
        whole = [call for call in self.hook.calls if isinstance(call["body"], dict)]  # some were cut off
        told = collections.Counter(call["headers"]["Idempotency-Key"] for call in whole)
        rows = pager.rows("SELECT reason, state FROM outbox ORDER BY id")
        where = f"seed {SEED}, killed at {deaths} of {CALLS}: {rows}, told {[call['body']['status'] for call in whole]}"
        self.assertEqual(pager.rows("SELECT count(*) FROM incident"), [(1,)], where)
        self.assertEqual(rows, [("first", "sent"), ("resolved", "sent")], where)
        self.assertEqual(len(told), len(rows), f"{where}: a key for each page")
        self.assertLessEqual(max(told.values()), died + 1, where)
        order = [call["body"]["status"] for call in whole]
        self.assertEqual(order, sorted(order), f"{where}: the end before the beginning")
        for status in ("firing", "resolved"):
            self.assertEqual(len({call["headers"]["Idempotency-Key"] for call in whole if call["body"]["status"] == status}), 1, where)
        shutil.rmtree(pager.folder)
        return died, len(whole)

    def test_killed_at_every_step(self):
        n_calls = self.count()
        points = sorted(self.random.sample(range(1, n_calls + 1), min(POINTS, n_calls))) if POINTS else [*range(1, n_calls + 1)] * 2
        totals = [self.one([at] if self.random.random() < 0.6 else [at, self.random.randint(1, n_calls)]) for at in points]
        kills, pages = (sum(column) for column in zip(*totals))
        self.assertGreaterEqual(kills, len(points) // 2, "hardly any kill was felt")
        print(f"# seed {SEED}: {n_calls} calls in a story; {kills} kills in {len(points)} stories, {pages} pages told for {2 * len(points)} owed, none lost")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        POINTS = int(sys.argv.pop(1))
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
