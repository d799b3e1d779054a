"""Drives tests/fault/store_day.c: a small store with a known history, pushed with or without faults, and checked.

    history = push(folder, 40, how="push")       what was acknowledged
    verdict = check(folder, history.acked, 40)   verdict.code 0: right and complete, or told what is missing
"""

import os
import pathlib
import subprocess
import tempfile

from daemon import BUILD

PROGRAM = BUILD / "tests/fault/store_day"
SHIM = BUILD / "tests/fault/fail_syscall.so"
VERDICTS = {1: "wrong data", 2: "lost in silence", 3: "needs somebody"}


class Done:
    def __init__(self, done, folder):
        self.code, self.folder, self.text, self.log = done.returncode, folder, done.stdout, done.stderr
        self.acked = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("ack ")]
        self.told = [line for line in done.stdout.splitlines() if line.startswith("told: ")]

    @property
    def words(self):
        return f"{VERDICTS.get(self.code, f'ended with {self.code}')}\n{self.text[-1500:]}\n{self.log[-1500:]}"


def faults(folder, calls, at, how, after=0, count=""):
    """The environment that makes one call to a file below the folder go wrong."""
    return {
        **os.environ, "LD_PRELOAD": str(SHIM), "FAIL_FOLDER": str(folder), "FAIL_CALLS": calls, "FAIL_AT": str(at),
        "FAIL_HOW": how, "FAIL_AFTER": str(after), "FAIL_COUNT": str(count),
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def run(word, folder, batches, acked=(), env=None):
    text = "".join(f"{batch}\n" for batch in acked)
    done = subprocess.run([PROGRAM, word, folder, str(batches)], input=text, capture_output=True, text=True, env=env,
                          errors="replace", timeout=120, check=False)
    return Done(done, folder)


def push(folder, batches, word="push", env=None):
    pathlib.Path(folder).mkdir(exist_ok=True)
    return run(word, folder, batches, env=env)


def check(folder, acked, batches, env=None):
    return run("check", folder, batches, acked, env)


def scratch():
    """A folder that goes away; in memory where there is one."""
    memory = "/dev/shm"
    return tempfile.TemporaryDirectory(prefix="watchbill-fault-", dir=memory if os.access(memory, os.W_OK) else None)
