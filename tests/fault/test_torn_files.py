"""Files of the sample store that are torn, cut, empty, garbage, missing, or somebody else's: it starts, names what is
damaged, answers with the rest and takes samples.
"""

import pathlib
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import store_day

BATCHES = 40
FIRST = "2023-11-15.db"
RESERVED_AT = 20  # in the head of a database: bytes at the end of each page that are not SQLite's
GARBAGE = bytes(i * 131 % 251 for i in range(70000))


def without_sums(path):
    old = path.with_suffix(".old")
    path.rename(old)
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA auto_vacuum=INCREMENTAL")
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("ATTACH ? AS old", (str(old),))
    for name in ("application_id", "user_version"):
        base.execute(f"PRAGMA {name}={base.execute(f'PRAGMA old.{name}').fetchone()[0]}")
    tables = base.execute("SELECT name, sql FROM old.sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC").fetchall()
    for name, sql in tables:
        base.execute(sql)
        if "CREATE TABLE" in sql:
            base.execute(f"INSERT INTO main.{name} SELECT * FROM old.{name}")
    base.close()
    assert path.read_bytes()[RESERVED_AT] == 0 and old.read_bytes()[RESERVED_AT] == 8
    old.unlink()


class TornFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = store_day.scratch()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.killed = store_day.push(cls.folder / "killed", BATCHES, "push")
        cls.closed = store_day.push(cls.folder / "closed", BATCHES, "close")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def after(self, pushed, change, acked=None):
        copy = self.folder / "copy"
        shutil.copytree(pushed.folder, copy)
        self.addCleanup(shutil.rmtree, copy, ignore_errors=True)
        change(copy)
        checked = store_day.check(copy, pushed.acked if acked is None else acked, BATCHES)
        kept = sorted(path.name for path in copy.iterdir())
        shutil.rmtree(copy)
        return checked, kept

    def lengths(self, path):
        size = path.stat().st_size
        return sorted({0, 1, 16, 100, 4095, 4096, 4097, size // 3, size // 2 // 4096 * 4096, size - 4096, size - 1} & set(range(size)))

    def test_a_day_is_cut(self):
        path = self.closed.folder / FIRST
        size = path.stat().st_size
        for length in self.lengths(path):
            with self.subTest(length=length):
                checked, kept = self.after(self.closed, lambda copy, n=length: (copy / FIRST).write_bytes(path.read_bytes()[:n]))
                self.assertEqual(checked.code, 0, checked.words)
                if length < size - 4096:  # the last page may be one that is free
                    self.assertTrue(checked.told, f"cut to {length} bytes, and nobody says so")
                self.assertTrue([name for name in kept if name.startswith(FIRST)], kept)

    def test_a_day_is_garbage(self):
        for size in (1, 100, 4096, 70000):
            with self.subTest(size=size):
                checked, _ = self.after(self.closed, lambda copy, n=size: (copy / FIRST).write_bytes(GARBAGE[:n]))
                self.assertEqual(checked.code, 0, checked.words)
                self.assertTrue(checked.told)

    def test_the_log_is_cut(self):
        """Its end is what a power cut takes: what was in it may be gone, nothing is wrong."""
        path = self.killed.folder / f"{FIRST}-wal"
        for length in self.lengths(path):
            with self.subTest(length=length):
                checked, _ = self.after(self.killed, lambda copy, n=length: (copy / path.name).write_bytes(path.read_bytes()[:n]), acked=[])
                self.assertEqual(checked.code, 0, checked.words)

    def test_the_log_is_garbage(self):
        checked, _ = self.after(self.killed, lambda copy: (copy / f"{FIRST}-wal").write_bytes(GARBAGE), acked=[])
        self.assertEqual(checked.code, 0, checked.words)

    def test_the_logs_index_is_made_again(self):
        """-shm is only a memory of the log: nothing is lost with it."""
        for data in (None, b"", GARBAGE[:100], GARBAGE[:32768], bytes(32768)):
            with self.subTest(size=None if data is None else len(data)):
                def change(copy, data=data):
                    if data is None:
                        (copy / f"{FIRST}-shm").unlink()
                    else:
                        (copy / f"{FIRST}-shm").write_bytes(data)
                checked, _ = self.after(self.killed, change)
                self.assertEqual(checked.code, 0, checked.words)
                self.assertFalse(checked.told, checked.words)

    def test_a_day_is_missing(self):
        """Somebody took it away: the other days are whole."""
        def change(copy):
            for path in copy.glob(f"{FIRST}*"):
                path.unlink()
        checked, _ = self.after(self.closed, change, acked=[])
        self.assertEqual(checked.code, 0, checked.words)

    def test_foreign_files_are_left_alone(self):
        foreign = {"README": b"hello", "2023-11-15.db.bak": GARBAGE, "2023-13-45.db": GARBAGE, "x.db": GARBAGE, "2023-11-1.db": b"", ".hidden": b""}

        def change(copy):
            for name, data in foreign.items():
                (copy / name).write_bytes(data)
            (copy / "a-folder").mkdir()
            (copy / "dangling").symlink_to("nowhere")
        checked, kept = self.after(self.closed, change)
        self.assertEqual(checked.code, 0, checked.words)
        self.assertFalse(checked.told, checked.words)
        self.assertTrue({*foreign, "a-folder", "dangling"} <= set(kept), kept)

    def test_a_day_of_before_the_checksums_is_read(self):
        """The same rows in a file whose pages have none."""
        def change(copy):
            for path in sorted(copy.glob("*.db")):
                without_sums(path)
        checked, _ = self.after(self.closed, change)
        self.assertEqual(checked.code, 0, checked.words)
        self.assertFalse(checked.told, checked.words)

    def test_a_folder_has_a_days_name(self):
        def change(copy):
            (copy / "2023-11-14.db").mkdir()
        checked, _ = self.after(self.closed, change)
        self.assertEqual(checked.code, 0, checked.words)


if __name__ == "__main__":
    unittest.main(verbosity=2)
