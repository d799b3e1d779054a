"""One bit of the sample store's files is flipped: what is read is right, or a warning names the day; never a wrong or a
missing sample in silence, never a crash, never a start that needs somebody.

usage: test_bit_flips.py [FLIPS [SEED]]     60 flips; meson's suite `slow` asks for more
"""

import collections
import pathlib
import random
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import store_day

FLIPS, SEED = 60, int(time.time())
BATCHES = 40


class BitFlips(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"# seed {SEED}, {FLIPS} flips")
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

    def flip_some(self, pushed, pattern, flips):
        bad, told = [], collections.Counter()
        for _ in range(flips):
            name = self.random.choice([path.name for path in sorted(pushed.folder.glob(pattern))])
            at, bit = self.random.randrange((pushed.folder / name).stat().st_size), self.random.randrange(8)
            checked = self.flip(pushed, name, at, bit)
            told["told" if checked.told else "right"] += 1
            if checked.code != 0:
                bad.append(f"{name}, byte {at}, bit {bit}: {checked.words}")
        print(f"# {pattern}: {dict(told)}")
        self.assertTrue(told["told"], "no flip was ever noticed")
        self.assertFalse(bad, f"{len(bad)} of {flips}:\n" + "\n".join(bad[:10]))

    def test_in_a_days_file(self):
        pushed = store_day.push(self.folder / "day", BATCHES, "close")
        self.assertEqual(len(pushed.acked), BATCHES)
        self.flip_some(pushed, "*.db", FLIPS)

    def test_in_the_log_of_a_killed_process(self):
        """But for the last commit of a log: it may be one that was never whole."""
        pushed = store_day.push(self.folder / "day", BATCHES, "push")
        self.assertEqual(len(pushed.acked), BATCHES)
        for last in (29, BATCHES - 1):  # of each day: 29 is the last that brings late ones of the first
            pushed.acked.remove(last)
        self.flip_some(pushed, "*.db-wal", FLIPS // 3)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        FLIPS = int(sys.argv.pop(1))
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
