"""One bit of the sample store's files is flipped: what is read is right, or a warning names the day; never a wrong or a
missing sample in silence, never a crash, never a start that needs somebody.

usage: test_bit_flips.py [FLIPS [SEED]]     100 flips; meson's suite `slow` asks for more
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

FLIPS, SEED = 100, int(time.time())
BATCHES = 40


class BitFlips(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"# seed {SEED}, {FLIPS} flips")
        scratch = store_day.scratch()
        self.folder = pathlib.Path(scratch.name)
        self.addCleanup(scratch.cleanup)
        self.day = self.folder / "day"
        self.acked = store_day.push(self.day, BATCHES, "close").acked
        self.assertEqual(len(self.acked), BATCHES)

    def flip(self, name, at, bit):
        copy = self.folder / "copy"
        shutil.copytree(self.day, copy)
        data = bytearray((copy / name).read_bytes())
        data[at] ^= 1 << bit
        (copy / name).write_bytes(data)
        checked = store_day.check(copy, self.acked, BATCHES)
        shutil.rmtree(copy)
        return checked

    def test_a_flipped_bit(self):
        bad, told = [], collections.Counter()
        for _ in range(FLIPS):
            name = self.random.choice([path.name for path in sorted(self.day.iterdir())])
            at, bit = self.random.randrange((self.day / name).stat().st_size), self.random.randrange(8)
            checked = self.flip(name, at, bit)
            told["told" if checked.told else "right"] += 1
            if checked.code != 0:
                bad.append(f"{name}, byte {at}, bit {bit}: {checked.words}")
        print(f"# {dict(told)}")
        self.assertTrue(told["told"], "no flip was ever noticed")
        self.assertFalse(bad, f"{len(bad)} of {FLIPS}:\n" + "\n".join(bad[:10]))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        FLIPS = int(sys.argv.pop(1))
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
