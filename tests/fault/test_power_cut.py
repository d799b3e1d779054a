"""A power cut, as near as a running machine comes to one: ext4 on a loop device is shut down under alertd, so that what
was not synced is gone. sync=full loses nothing acknowledged; sync=normal keeps what the last checkpoint had. Both start again.

Needs root and loop devices; skipped, visibly, without.
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from cut_disk import CutDisk, NoCutDisk
from daemon import Alertd

PUSHES, SAMPLES = 60, 20


class PowerCut(unittest.TestCase):
    def setUp(self):
        try:
            self.disk = CutDisk()
        except NoCutDisk as no:
            self.skipTest(str(no))
        self.addCleanup(self.disk.close)
        self.t_ms = int(time.time() * 1000) - 600_000

    def cut(self):
        """The file system is gone, then the process, then there is power again."""
        try:
            self.disk.cut()
        except NoCutDisk as no:
            self.skipTest(str(no))
        self.alertd.kill()
        self.disk.power()

    def begin(self, sync):
        self.alertd = Alertd(folder=self.disk.mount / "data", auth="off", flags=[f"--storage.sync={sync}"])
        self.alertd.log_path = self.disk.beside / "log"
        self.addCleanup(self.alertd.close)
        self.alertd.folder.mkdir()
        self.alertd.start()

    def push(self, name):
        """Pushes until told not to; how many samples were acknowledged."""
        acked = 0
        for _ in range(PUSHES):
            lines = []
            for _ in range(SAMPLES):
                self.t_ms += 1
                lines.append(f"{name} {self.t_ms % 1000} {self.t_ms}\n")
            self.alertd.push("".join(lines))
            acked += SAMPLES
        return acked

    def kept(self, name):
        return self.alertd.query(f"count_over_time({name}[1h])").get((), 0)

    def test_full_loses_nothing(self):
        self.begin("full")
        acked = self.push("cut")
        token = self.alertd.make_token("before the cut", "read")
        self.cut()
        self.alertd.start()
        self.assertEqual(self.kept("cut"), acked)
        self.assertEqual(self.alertd.call("GET", "/api/v1/labels", token=token).status, 200)
        self.assertEqual(self.push("again"), self.kept("again"))

    def test_normal_keeps_the_last_checkpoint(self):
        self.begin("normal")
        before = self.push("before")
        self.assertEqual(self.alertd.stop(), 0)  # closing checkpoints
        self.alertd.start()
        after = self.push("after")
        self.cut()
        self.alertd.start()
        self.assertEqual(self.kept("before"), before)
        self.assertLessEqual(self.kept("after"), after)
        print(f"# sync=normal kept {self.kept('after'):.0f} of {after} behind the checkpoint")
        self.assertEqual(self.push("again"), self.kept("again"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
