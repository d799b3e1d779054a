"""Every call the sample store makes to the file system fails in turn: no space, an error, half of the bytes, a kill half
way. After each: what was acknowledged is there, nothing is wrong, and it starts and takes samples with no human.

usage: test_failing_syscalls.py [POINTS [SEED]]     60 points over all; 0: every one (meson's suite `slow`)
"""

import pathlib
import random
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import store_day

POINTS, SEED = 60, int(time.time())
BATCHES = 30
WRITES = "pwrite fdatasync fsync ftruncate"
# calls -> ways to fail; "after": the disk stays so for that many calls
KINDS = [
    (WRITES, "enospc", 0), (WRITES, "enospc", 40), (WRITES, "eio", 0), (WRITES, "eio", 1000000), (WRITES, "kill", 0), ("pwrite", "short", 0),
    ("pread", "eio", 0), ("pread", "short", 0), ("pread", "kill", 0)]


class FailingSyscalls(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        scratch = store_day.scratch()
        self.folder = pathlib.Path(scratch.name)
        self.addCleanup(scratch.cleanup)

    def count(self, calls):
        folder, count = self.folder / "count", self.folder / "number"
        done = store_day.push(folder, BATCHES, "close", store_day.faults(folder, calls, 0, "eio", count=count))
        self.assertEqual(done.acked, list(range(BATCHES)), done.words)
        shutil.rmtree(folder)
        number = int(count.read_text())
        count.unlink()
        return number

    def one(self, calls, how, after, at):
        folder = self.folder / "day"
        pushed = store_day.push(folder, BATCHES, self.random.choice(["push", "close"]), store_day.faults(folder, calls, at, how, after))
        where = f"{how} at call {at} of {calls}, {after} more"
        self.assertIn(pushed.code, (-9, 0) if how == "kill" else (0, 3), f"{where}: {pushed.words}")
        checked = store_day.check(folder, pushed.acked, BATCHES)
        self.assertEqual(checked.code, 0, f"{where}: {checked.words}")
        self.assertFalse(checked.told, f"{where}: a call that failed is no damage: {checked.words}")
        shutil.rmtree(folder)
        return BATCHES - len(pushed.acked)

    def test_one_call_fails(self):
        n = refused = 0
        for calls, how, after in KINDS:
            n_calls = self.count(calls)
            some = min(n_calls, max(1, POINTS // len(KINDS))) if POINTS else n_calls
            for at in sorted(self.random.sample(range(1, n_calls + 1), some)):
                refused += self.one(calls, how, after, at)
                n += 1
        self.assertTrue(refused, "no fault was ever felt")
        print(f"# seed {SEED}: {n} faults, {refused} batches refused, nothing acknowledged lost")

    def test_a_read_fails_while_it_starts(self):
        """A start that fails may be tried again; it changes nothing."""
        folder, copy = self.folder / "day", self.folder / "copy"
        pushed = store_day.push(folder, BATCHES)
        count = self.folder / "number"
        shutil.copytree(folder, copy)
        store_day.check(copy, pushed.acked, BATCHES, store_day.faults(copy, WRITES + " pread", 0, "eio", count=count))
        n_calls = int(count.read_text())
        for at in sorted(self.random.sample(range(1, n_calls + 1), min(n_calls, POINTS // 5) if POINTS else n_calls)):
            shutil.rmtree(copy)
            shutil.copytree(folder, copy)
            how = self.random.choice(["eio", "enospc", "kill"])
            first = store_day.check(copy, pushed.acked, BATCHES, store_day.faults(copy, WRITES + " pread", at, how))
            self.assertIn(first.code, (0, 3, -9), f"{how} at {at}: {first.words}")
            again = store_day.check(copy, pushed.acked, BATCHES)
            self.assertEqual(again.code, 0, f"seed {SEED}, {how} at call {at} of the start before: {again.words}")
            self.assertFalse(again.told, f"seed {SEED}, {how} at call {at} of the start before: {again.words}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        POINTS = int(sys.argv.pop(1))
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
