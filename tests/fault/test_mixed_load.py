"""A minute of everything at once: agents that push and send again, instant and range queries, rules that are evaluated and
change, acknowledgements, event streams, sealing, compaction, retention and backups, then the end. Under ThreadSanitizer
(`./check --slow`, stage tsan) it reports nothing; in any build nothing acknowledged is lost.

usage: test_mixed_load.py     WATCHBILL_MIXED_S: seconds, 60 unless said otherwise
"""

import os
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from mixed_load import CONFIG, DAY_S, FastAlertd, Load, errors_of
from receivers import Webhook

SECONDS = int(os.environ.get("WATCHBILL_MIXED_S", "60"))
DAYS, KEPT_DAYS = 5, 2
AGENTS, SERIES = 6, 1800


class MixedLoad(unittest.TestCase):
    def setUp(self):
        self.hook = Webhook().start()
        self.addCleanup(self.hook.stop)
        reports = tempfile.TemporaryDirectory(prefix="watchbill-mixed-")
        self.addCleanup(reports.cleanup)
        self.reports = pathlib.Path(reports.name)
        self.alertd = FastAlertd(DAYS * DAY_S // SECONDS, config=CONFIG.format(hook=self.hook.url), flags=[f"--storage.retention.time={KEPT_DAYS}d", "--query.lookback-delta=6h"])
        self.addCleanup(self.alertd.close)
        options = os.environ.get("TSAN_OPTIONS", "")
        os.environ["TSAN_OPTIONS"] = f"{options} log_path={self.reports}/report halt_on_error=0 second_deadlock_stack=1"
        self.addCleanup(os.environ.__setitem__, "TSAN_OPTIONS", options)

    def test_no_report_and_nothing_lost(self):
        self.alertd.start()
        load = Load(self.alertd, AGENTS, SERIES, SECONDS, pause_s=0.05)
        load.start()
        while load.running():
            time.sleep(0.2)
        load.stop()
        print(f"# {load.acked} samples, peak {load.peak} a second, {dict(load.counts)}, {len(self.hook.calls)} pages, days on disk {self.alertd.samples_days()}")
        newest = load.days()[-1]
        self.alertd.stop(60)
        first_end = self.alertd.process.returncode
        self.alertd.from_s, self.alertd.to_s, self.alertd.speed = int(time.time()), int(newest + DAY_S / 2), 1
        self.alertd.start()
        missing = load.missing(newest)
        self.alertd.stop(60)
        found = [path.read_text(errors="replace") for path in sorted(self.reports.iterdir())]
        if found:
            print("\n".join(found)[:20000])
        self.assertFalse(found, "ThreadSanitizer reports")
        self.assertFalse(load.wrong)
        self.assertEqual((first_end, self.alertd.process.returncode), (0, 0))
        self.assertEqual(missing, [])
        self.assertEqual(errors_of(self.alertd.log()), [])
        self.assertTrue(all(load.counts[name] for name in ("answers", "rule files", "acknowledged", "backups", "event lines")), load.counts)


if __name__ == "__main__":
    unittest.main(verbosity=2)
