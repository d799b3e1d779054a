"""One bit of the sample store's files is flipped: what is read is right, or a warning names the day; never a wrong or a
missing sample in silence, never a crash, never a start that needs somebody.

usage: test_bit_flips.py [FLIPS [SEED]]     60 flips; by name there are 10,000, which take an hour or more
       test_bit_flips.py SECONDSs [SEED]    as many as there is time for (meson's suite `slow`)
"""

import collections
import contextlib
import pathlib
import random
import shutil
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import store_day

FLIPS, SECONDS, SEED = 60, 0, int(time.time())
BATCHES = 40


class BitFlips(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"# seed {SEED}, {f'{SECONDS} s of' if SECONDS else FLIPS} flips")
        scratch = store_day.scratch()
        self.folder = pathlib.Path(scratch.name)
        self.addCleanup(scratch.cleanup)

    def flip(self, pushed, name, at, bit):
        copy = self.folder / "copy"
        shutil.copytree(pushed.folder, copy)
        data = bytearray((copy / name).read_bytes())
        data[at] ^= 1 << bit
        (copy / name).write_bytes(data)
        checked = store_day.check(copy, pushed.acked, BATCHES)
        shutil.rmtree(copy)
        return checked

    def flip_some(self, pushed, pattern, share):
        bad, told = [], collections.Counter()
        until_s = time.monotonic() + SECONDS * share
        while told.total() < FLIPS * share or time.monotonic() < until_s:
            name = self.random.choice([path.name for path in sorted(pushed.folder.glob(pattern))])
            at, bit = self.random.randrange((pushed.folder / name).stat().st_size), self.random.randrange(8)
            checked = self.flip(pushed, name, at, bit)
            told["told" if checked.told else "right"] += 1
            if checked.code != 0:
                bad.append(f"{name}, byte {at}, bit {bit}: {checked.words}")
        print(f"# {pattern}: {dict(told)}")
        self.assertTrue(told["told"], "no flip was ever noticed")
        self.assertFalse(bad, f"{len(bad)} of {told.total()}:\n" + "\n".join(bad[:10]))

    def test_in_a_days_file(self):
        pushed = store_day.push(self.folder / "day", BATCHES, "close")
        self.assertEqual(len(pushed.acked), BATCHES)
        self.flip_some(pushed, "*.db", 1)

    def test_in_the_file_of_a_day_that_is_over(self):
        pushed = store_day.push(self.folder / "day", BATCHES, "small")
        self.assertEqual(len(pushed.acked), BATCHES)
        for path in pushed.folder.glob("*.db"):
            with contextlib.closing(sqlite3.connect(path)) as db:
                self.assertTrue(db.execute("SELECT count(*) FROM place").fetchone()[0], "its chunks lie in packs")
        self.flip_some(pushed, "*.db", 1)

    def test_in_the_log_of_a_killed_process(self):
        """But for the last commit of a log: it may be one that was never whole."""
        pushed = store_day.push(self.folder / "day", BATCHES, "push")
        self.assertEqual(len(pushed.acked), BATCHES)
        for last in (29, BATCHES - 1):  # of each day: 29 is the last that brings late ones of the first
            pushed.acked.remove(last)
        self.flip_some(pushed, "*.db-wal", 1 / 3)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        text = sys.argv.pop(1)
        FLIPS, SECONDS = (60, int(text[:-1])) if text.endswith("s") else (int(text), 0)
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
