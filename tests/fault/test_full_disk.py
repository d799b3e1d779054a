"""A full disk (a small tmpfs): pushes are refused with a date to come back, what was acknowledged is kept, people can
still acknowledge, and when there is room again everything goes on without anybody repairing it.

Needs root for the mount; skipped, visibly, without.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd

DISK_MB, FILLER_MB = 48, 24
SERIES, STEPS = 50, 20  # a batch


class FullDisk(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a tmpfs needs root")
        self.mount = pathlib.Path(tempfile.mkdtemp(prefix="watchbill-full-"))
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", self.mount], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.mount.rmdir()
            self.skipTest(f"no tmpfs here: {done.stderr.strip()}")
        self.alertd = Alertd(folder=self.mount / "data", auth="off")
        self.alertd.folder.mkdir()
        self.acked = {}  # series -> number of samples
        self.t_ms = int(time.time() * 1000) - 3600_000

    def tearDown(self):
        self.alertd.close()
        subprocess.run(["umount", "-l", self.mount], check=False)
        self.mount.rmdir()

    def push(self):
        """One batch of samples that do not compress; its status. Acknowledged ones are counted."""
        lines = []
        for step in range(STEPS):
            self.t_ms += 1
            lines += [f'full{{i="{i}"}} {hash((i, self.t_ms)) / 7} {self.t_ms}' for i in range(SERIES)]
        reply = self.alertd.call("POST", "/api/v1/import/prometheus", "\n".join(lines) + "\n", {"Content-Type": "text/plain"})
        if reply.status == 204:
            for i in range(SERIES):
                self.acked[i] = self.acked.get(i, 0) + STEPS
        return reply

    def fill(self, limit=5000):
        for _ in range(limit):
            reply = self.push()
            if reply.status != 204:
                return reply
        self.fail("the disk never filled")

    def check_acked(self):
        found = self.alertd.query("count_over_time(full[2h])")
        kept = {int(dict(labels)["i"]): value for labels, value in found.items()}
        for i, n in self.acked.items():
            self.assertGreaterEqual(kept.get(i, 0), n, f"series {i}: acknowledged samples are lost")

    def test_full_and_free_again(self):
        filler = self.mount / "filler"
        filler.write_bytes(b"x" * FILLER_MB * 1024 * 1024)
        self.alertd.start()
        reply = self.fill()
        self.assertEqual(reply.status, 503, reply)
        self.assertTrue(int(reply.headers["Retry-After"]) > 0)
        self.assertIn("full", reply.json["error"])
        self.check_acked()

        # Somebody else takes the rest: state still commits, from its reserve.
        try:
            with open(self.mount / "more", "wb", buffering=0) as more:
                while more.write(b"x" * 65536):
                    pass
        except OSError:
            pass
        self.assertLess(os.statvfs(self.mount).f_bavail * os.statvfs(self.mount).f_frsize, 65536)
        self.assertEqual(self.push().status, 503)
        self.alertd.make_token("made on a full disk", "read")
        self.check_acked()

        # kill -9 on a full disk: it starts, and everything is there.
        self.alertd.kill()
        self.alertd.start()
        self.check_acked()
        self.assertIn("made on a full disk", [one["name"] for one in self.alertd.get("/api/alertd/v1/tokens")["tokens"]])

        filler.unlink()
        self.assertEqual(self.push().status, 204)
        self.check_acked()


if __name__ == "__main__":
    unittest.main(verbosity=2)
