"""One thread of a process held still while the others run, as if it hung: ptrace(2), by its name.

    with held(alertd.pid, "evaluator"):
        ...                     # nothing is evaluated
"""

import contextlib
import ctypes
import os
import pathlib
import time

SEIZE, INTERRUPT, DETACH, ALL_CHILDREN = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(what, thread):
    if libc.ptrace(what, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"ptrace of {thread}")


def named(pid, name):
    """The threads of that name, by number."""
    return sorted(int(one.name) for one in pathlib.Path(f"/proc/{pid}/task").iterdir()
                  if (one / "comm").read_text().strip() == name)


@contextlib.contextmanager
def held(pid, name):
    """Must be left by the thread that entered it: ptrace's rule."""
    threads = named(pid, name)
    if not threads:
        raise AssertionError(f"{pid} has no thread named {name}")
    seized = []
    try:
        for thread in threads:
            ptrace(SEIZE, thread)
            seized.append(thread)
            ptrace(INTERRUPT, thread)
            os.waitpid(thread, ALL_CHILDREN)
        yield threads
    finally:
        for thread in seized:
            for _ in range(100):
                try:
                    ptrace(DETACH, thread)
                    break
                except OSError:
                    time.sleep(0.01)
