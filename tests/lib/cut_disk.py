"""A disk whose power can be cut, as near as a running machine comes to one: ext4 on a loop device.

    disk = CutDisk()        raises NoCutDisk with words where that cannot be had (root, loop devices, ext4)
    disk.mount              a folder on it
    disk.cut()              what was not synced is gone, and every later call to it fails
    disk.power()            once nobody holds it open: there again, with what was synced
    disk.close()
"""

import fcntl
import os
import pathlib
import struct
import subprocess
import tempfile
import time

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # FS_IOC_SHUTDOWN: _IOR('X', 125, __u32)


class NoCutDisk(Exception):
    pass


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


class CutDisk:
    def __init__(self, megabytes=256):
        if os.geteuid() != 0:
            raise NoCutDisk("mounting a loop device needs root")
        self.scratch = tempfile.TemporaryDirectory(prefix="watchbill-cut-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.beside = pathlib.Path(self.scratch.name)  # not on the disk
        self.image, self.mount = self.beside / "image", self.beside / "mount"
        self.mount.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        for command in (("mkfs.ext4", "-q", "-F", self.image), self._mount_command()):
            done = run(*command)
            if done.returncode != 0:
                self.scratch.cleanup()
                raise NoCutDisk(f"{command[0]}: {done.stderr.strip()}")

    def _mount_command(self):
        return "mount", "-o", "loop", self.image, self.mount

    def cut(self):
        fd = os.open(self.mount, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            raise NoCutDisk(f"ext4 cannot be shut down here: {error}") from error
        finally:
            os.close(fd)

    def power(self):
        for _ in range(50):  # a killed process' last files may close a moment later
            done = run("umount", self.mount)
            if done.returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise AssertionError(done.stderr)
        done = run(*self._mount_command())
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def close(self):
        run("umount", "-l", self.mount)
        self.scratch.cleanup()
