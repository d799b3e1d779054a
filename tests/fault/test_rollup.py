"""Roll-ups written under a kill and read from damaged pages: what a graph shows is always what the samples say, or a warning names
the day; and the next start finishes what was cut off.

usage: test_rollup.py [KILLS [SEED]]     6 kills and as many damages; meson's suite `slow` asks for more
"""

import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import store_day
from daemon import BUILD

KILLS, SEED = 6, int(time.time())
PROGRAM = BUILD / "tests/lib/store_year"
DAYS, STEP_S, END_S = 3, 60, 1700006400  # a midnight
PAGE = 4096


def run(word, folder, env=None):
    return subprocess.run([PROGRAM, word, folder, str(DAYS), str(STEP_S), str(END_S)], capture_output=True, text=True, env=env, timeout=200, check=False)


class Rollup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        cls.scratch = store_day.scratch()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.filled, cls.rolled = cls.folder / "filled", cls.folder / "rolled"
        assert run("fill", cls.filled).returncode == 0
        shutil.copytree(cls.filled, cls.rolled)
        assert run("roll", cls.rolled).returncode == 0

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def copy(self, of):
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(of, copy)
        return copy

    def check(self, folder, where, n_ready=None):
        done = run("check", folder)
        self.assertEqual(done.returncode, 0, f"{where}\n{done.stdout}{done.stderr}")
        ready = int(done.stdout.split("ready ")[1])
        if n_ready is not None:
            self.assertEqual(ready, n_ready, where)
        return [line for line in done.stdout.splitlines() if line.startswith("told: ")], ready

    def test_whole(self):
        self.assertEqual(self.check(self.filled, "not rolled up", 0), ([], 0))
        self.assertEqual(self.check(self.rolled, "rolled up", DAYS), ([], DAYS))

    def test_a_kill_while_they_are_written(self):
        count, half_done = self.folder / "count", 0
        folder = self.copy(self.filled)
        run("roll", folder, store_day.faults(folder, "pwrite fdatasync", 0, "kill", count=count))
        n_calls = int(count.read_text())
        parts = [n_calls * i // KILLS for i in range(KILLS + 1)]  # a call of each, so that some lie before the last day
        for at in [self.random.randint(begin + 1, end) for begin, end in zip(parts, parts[1:]) if begin < end]:
            where = f"seed {SEED}: killed in call {at} of {n_calls}"
            folder = self.copy(self.filled)
            done = run("roll", folder, store_day.faults(folder, "pwrite fdatasync", at, "kill"))
            self.assertEqual(done.returncode, -9, where)
            told, ready = self.check(folder, where)
            self.assertEqual(told, [], where)
            half_done += ready < DAYS
            self.assertEqual(run("roll", folder).returncode, 0, where)
            self.assertEqual(self.check(folder, where, DAYS)[0], [], where)
        print(f"# seed {SEED}: {half_done} of {KILLS} kills left days without roll-ups")
        self.assertTrue(half_done)

    def test_a_damaged_page_of_them(self):
        day = "2023-11-14.db"
        base = sqlite3.connect(f"file:{self.rolled / day}?mode=ro&immutable=1", uri=True)
        root = base.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'rollup'").fetchone()[0]
        n_bytes = base.execute("SELECT sum(length(body)) FROM rollup").fetchone()[0]
        base.close()
        whole = (self.rolled / day).read_bytes()
        pages = [root - 1]  # an inner page: its children are named by four bytes each
        if whole[pages[0] * PAGE] == 5:
            n_cells = int.from_bytes(whole[pages[0] * PAGE + 3:][:2], "big")
            for i in range(n_cells):
                at = int.from_bytes(whole[pages[0] * PAGE + 12 + 2 * i:][:2], "big")
                pages.append(int.from_bytes(whole[pages[0] * PAGE + at:][:4], "big") - 1)
            pages.append(int.from_bytes(whole[pages[0] * PAGE + 8:][:4], "big") - 1)
        self.assertGreaterEqual(len(pages) * PAGE, n_bytes)
        for _ in range(KILLS):
            page = self.random.choice(pages)
            at = page * PAGE + self.random.randrange(PAGE - 8)
            where = f"seed {SEED}: byte {at % PAGE} of page {page + 1}"
            folder = self.copy(self.rolled)
            bad = bytearray(whole)
            bad[at] ^= 1 << self.random.randrange(8)
            (folder / day).write_bytes(bad)
            told, _ = self.check(folder, where)
            self.assertTrue(told, where)
            for line in told:
                self.assertRegex(line, "partition 2023-11-14: 1 damaged roll-ups were computed from their samples", where)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        KILLS = int(sys.argv.pop(1))
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
