"""A power cut, as near as a running machine comes to one: ext4 on a loop device is shut down under alertd, so that what
was not synced is gone. sync=full loses nothing acknowledged; sync=normal keeps what the last checkpoint had. Both start again.

Needs root and loop devices; skipped, visibly, without.
"""

import fcntl
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd

IMAGE_MB = 256
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # FS_IOC_SHUTDOWN: _IOR('X', 125, __u32)
PUSHES, SAMPLES = 60, 20


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


class PowerCut(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a loop device needs root")
        scratch = tempfile.TemporaryDirectory(prefix="watchbill-cut-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.addCleanup(scratch.cleanup)
        self.image, self.mount = pathlib.Path(scratch.name) / "image", pathlib.Path(scratch.name) / "mount"
        self.mount.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_MB << 20)
        made = run("mkfs.ext4", "-q", "-F", self.image)
        if made.returncode != 0:
            self.skipTest(f"no ext4 here: {made.stderr.strip()}")
        self.mount_it(first=True)
        self.t_ms = int(time.time() * 1000) - 600_000

    def mount_it(self, first=False):
        done = run("mount", "-o", "loop", self.image, self.mount)
        if done.returncode != 0 and first:
            self.skipTest(f"no loop mount here: {done.stderr.strip()}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(run, "umount", "-l", self.mount)

    def cut(self):
        """The file system is gone, then the process, then there is power again."""
        fd = os.open(self.mount, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            self.skipTest(f"ext4 cannot be shut down here: {error}")
        finally:
            os.close(fd)
        self.alertd.kill()
        self.assertEqual(run("umount", self.mount).returncode, 0)
        self.mount_it()

    def begin(self, sync):
        self.alertd = Alertd(folder=self.mount / "data", auth="off", flags=[f"--storage.sync={sync}"])
        self.alertd.log_path = self.image.with_name("log")
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
