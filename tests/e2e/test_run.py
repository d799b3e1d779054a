"""./run as a newcomer types it: up with this machine's real metrics, ended by Ctrl-C, up again with the
same data.

usage: test_run.py [fresh]     fresh: builds in a folder of its own first; else takes what is built
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import BUILD, ROOT, free_port, request, until

FRESH = "fresh" in sys.argv[1:]


class Run:
    """./run in a session of its own, so that a signal to its group is a Ctrl-C in its terminal."""

    def __init__(self, data, port):
        self.log = pathlib.Path(f"{data}.log")
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [str(ROOT / "run"), f"--port={port}", f"--data={data}", *([] if FRESH else [f"--build={BUILD}"])], stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
                # a Ctrl-C works in a terminal; a test run in the background may have inherited "ignore"
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.url = f"http://127.0.0.1:{port}"

    def wait_up(self, seconds):
        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"./run ended with {self.process.returncode}:\n{self.log.read_text()}")
            return re.search(r"Log in with: +(\S+)", self.log.read_text())
        return until(up, seconds, "./run says how to log in").group(1)

    def children(self):
        found = []
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if int(fields[1]) == self.process.pid:
                found.append(int(status.parent.name))
        return found

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


def query(url, token, expression):
    reply = request("GET", f"{url}/api/v1/query?query={expression}", headers={"Authorization": f"Bearer {token}"})
    return reply.json["data"]["result"] if reply.status == 200 else []


class TheRunScript(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="watchbill-run-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def test_up_ctrl_c_and_up_again(self):
        port = free_port()
        run = Run(self.data, port)
        self.addCleanup(lambda: run.process.poll() is None and run.interrupt())
        token = run.wait_up(900)  # it may build first
        self.assertIn(b"<title>Watchbill", request("GET", run.url).body)
        until(lambda: query(run.url, token, "node_load1"), 40, "this machine's load")
        until(lambda: query(run.url, token, 'up{job="agent"}'), 40, "up of the agent")
        first = query(run.url, token, "node_boot_time_seconds")[0]["value"][1]
        started = time.time()

        children = run.children()
        self.assertGreaterEqual(len(children), 2)
        self.assertEqual(run.interrupt(), 0)
        for pid in children:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), "Ctrl-C ends everything it started")

        again = Run(self.data, port)
        self.addCleanup(lambda: again.process.poll() is None and again.interrupt())
        self.assertEqual(again.wait_up(120), token, "the same data, the same token")
        kept = query(again.url, token, f"node_boot_time_seconds%20@%20{started:.0f}")
        self.assertEqual([one["value"][1] for one in kept], [first])
        self.assertEqual(again.interrupt(), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
