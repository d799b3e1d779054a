"""Twenty minutes at half of the peak rate, in which eight days pass by alertd's clock: days are sealed, compacted and dropped
while agents push, series come and go, rules are evaluated and people ask. Memory, files and threads stay what they were,
and everything acknowledged is there until its day goes.

usage: test_soak.py     WATCHBILL_SOAK_S: seconds, 1200 unless said otherwise; below 600 memory, files, threads and disk are
                        told, not judged: they are still on their way to what they stay at
"""

import os
import pathlib
import statistics
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import until
from mixed_load import CONFIG, DAY_S, FastAlertd, Load, day_text, errors_of, process_numbers
from receivers import Webhook

SECONDS = int(os.environ.get("WATCHBILL_SOAK_S", "1200"))
DAYS, KEPT_DAYS = 8, 2
AGENTS, SERIES = 8, 10000
# Between the quarters compared lie two days and half of all samples: what leaked only one byte a sample would be far above this.
# Below it is what depends on when the looking happens: the allocator keeps up to 32 MB between two queries (main.c), and the
# journal's bits are in memory until the next sealing.
RSS_PART, RSS_MB = 1.10, 16
FILES, THREADS = 6, 2  # SQLite's readers are opened when two ask at once


class Soak(unittest.TestCase):
    def setUp(self):
        self.hook = Webhook().start()
        self.addCleanup(self.hook.stop)
        self.alertd = FastAlertd(DAYS * DAY_S // SECONDS, config=CONFIG.format(hook=self.hook.url),
                                 flags=[f"--storage.retention.time={KEPT_DAYS}d", "--query.lookback-delta=1h"])
        self.addCleanup(self.alertd.close)
        self.rows = []  # second, MB, threads, files, disk MB, acknowledged
        self.checked = {}
        self.lost = []

    def look(self, load, began):
        self.rows.append((time.monotonic() - began, *process_numbers(self.alertd.pid), self.alertd.disk_bytes() / 1e6, load.acked))

    def keep_looking(self, load, began):
        while load.running():
            self.look(load, began)
            time.sleep(min(1, SECONDS / 120))

    def print_rows(self):
        print("# minute  RSS MB  k samples/s  disk MB  files  threads", flush=True)
        per = max(SECONDS / 20, 1)
        for i in range(int(self.rows[-1][0] / per)):
            part = [row for row in self.rows if i * per <= row[0] < (i + 1) * per]
            if len(part) > 1:
                rate = (part[-1][5] - part[0][5]) / (part[-1][0] - part[0][0])
                print(f"# {(i + 1) * per / 60:6.1f}  {statistics.mean(row[1] for row in part):6.1f}  {rate / 1e3:11.0f}  {max(row[4] for row in part):7.0f}"
                      f"  {max(row[3] for row in part):5d}  {max(row[2] for row in part):7d}", flush=True)

    def check_day(self, load, day_s, when):
        self.lost += [f"{words} ({when})" for words in load.missing(day_s)]
        self.checked[day_s] = self.checked.get(day_s, 0) + 1

    def check_closed_days(self, load):
        """A day is looked at when all agents are in the next, long before it goes."""
        for day_s in load.days():
            if load.is_done(day_s) and day_s not in self.checked and self.alertd.now() < day_s + DAY_S * 2.5:
                self.check_day(load, day_s, "when the day was over")

    def quarter(self, number, column):
        span = SECONDS / 4
        return [row[column] for row in self.rows if (number - 1) * span <= row[0] < number * span]

    def check_flat(self, at_most):
        second, last = statistics.mean(self.quarter(2, 1)), statistics.mean(self.quarter(4, 1))
        print(f"# resident: {second:.1f} MB in the second quarter, {last:.1f} in the last; highest {max(row[1] for row in self.rows):.1f}")
        at_most(last, second * RSS_PART + RSS_MB, "memory grows")
        for column, name, more in ((2, "threads", THREADS), (3, "open files", FILES)):
            second, last = max(self.quarter(2, column)), max(self.quarter(4, column))
            print(f"# {name}: {second} and {last}")
            at_most(last, second + more, f"{name} grow")
        second, last = max(self.quarter(2, 4)), max(self.quarter(4, 4))
        print(f"# disk: {second:.0f} and {last:.0f} MB")
        at_most(last, second * 1.25 + 32, "the disk fills")

    def test_flat(self):
        self.alertd.start()
        load = Load(self.alertd, AGENTS, SERIES, SECONDS, pause_s=max(0.1, SECONDS / 4800))
        began = time.monotonic()
        load.start()
        looker = threading.Thread(target=self.keep_looking, args=(load, began), daemon=True)
        looker.start()
        while load.running():
            self.check_closed_days(load)
            time.sleep(0.2)
        looker.join()
        load.stop()
        self.print_rows()
        print(f"# {load.acked / 1e6:.1f} M samples, {load.skipped / 1e6:.1f} M left out, peak {load.peak / 1e3:.0f} k/s, a sample of each series every {load.step_s:.0f} s of {self.alertd.speed} a second; "
              f"{dict(load.counts)}, {len(self.hook.calls)} pages")
        self.assertFalse(load.wrong)
        self.assertFalse(self.lost)
        self.check_flat(self.assertLessEqual if SECONDS >= 600 else lambda *_: None)
        self.check_kept(load)
        self.assertFalse(self.lost)
        self.assertEqual(errors_of(self.alertd.log()), [])

    def check_kept(self, load):
        """Days that have to be there are, also behind a kill; those that are over are not."""
        kept = [day_s for day_s in load.days() if self.alertd.now() < day_s + DAY_S * (1 + KEPT_DAYS) - 3600]
        self.alertd.kill()
        stopped = self.alertd.now()
        self.alertd.from_s, self.alertd.to_s, self.alertd.speed = int(time.time()), int(stopped), 1  # nothing more is to go
        self.alertd.start()
        for day_s in kept:
            self.check_day(load, day_s, "at the end, behind a kill -9")
        gone = {day_text(day_s) for day_s in load.days() if stopped > day_s + DAY_S * (1 + KEPT_DAYS)}
        until(lambda: not gone & set(self.alertd.samples_days()), 30, f"{gone} go")
        self.assertTrue(gone, "nothing went: the soak was too short")
        print(f"# days: {len(load.days())} pushed, {len(self.checked)} checked, {len(kept)} of them again at the end, {len(gone)} gone")
        self.assertEqual(self.alertd.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
