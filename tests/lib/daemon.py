"""Real processes for the end-to-end tests: alertd and alert-agent in folders of their own, on
free ports of 127.0.0.1, ended by pid.

    with Alertd(flags=["--rules.import=rules/*/alerts.yml"]) as alertd:
        alertd.push("up 1")
        print(alertd.query("up"))
        alertd.kill()      # -9
        alertd.start()     # the same folder and port

The programs are found through ALERTD, ALERT_AGENT and ALERTCTL, which meson sets.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WATCHBILL_BUILD", ROOT / "build"))
ALERTD = os.environ.get("ALERTD", str(BUILD / "alertd/alertd"))
ALERT_AGENT = os.environ.get("ALERT_AGENT", str(BUILD / "agent/alert-agent"))
ALERTCTL = os.environ.get("ALERTCTL", str(BUILD / "ctl/alertctl"))

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


held = []  # the odd neighbour of each port given out, for as long as this process lives


def free_port():
    """Below the range of outgoing connections, and no other test's: whoever gets a port holds its neighbour, also while
    nothing listens on the port itself (before its program starts, and between a kill and the next start)."""
    while True:
        port = random.randrange(10000, 20000, 2)
        neighbour = socket.socket()
        try:
            neighbour.bind(("127.0.0.1", port + 1))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            neighbour.close()
            continue
        held.append(neighbour)
        return port


def until(condition, seconds=20, what="condition"):
    """Waits for a true value and returns it; a failure says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


def request(method, url, body=None, headers=None, timeout=30):
    """Any status is an answer; only a broken connection raises."""
    if isinstance(body, (dict, list)):
        body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
    if isinstance(body, str):
        body = body.encode()
    call = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with opener.open(call, timeout=timeout) as reply:
            return Reply(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


class Program:
    """One process with a folder and a log; start() after stop() or kill() goes on with the same."""

    name = ""

    def __init__(self, folder=None):
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix=f"watchbill-{self.name}-"))
        self.log_path = self.folder.parent / f"{self.folder.name}.{self.name}.log"
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT)
        return self

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, seconds=15):
        """SIGTERM and wait; returns the exit status."""
        if not self.alive():
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end within {seconds} s of SIGTERM:\n{self.log()[-2000:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.alive():
            self.process.kill()
            self.process.wait()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.log_path.unlink(missing_ok=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            print(f"--- {self.name} log ---\n{self.log()[-6000:]}")
        self.close()


class Alertd(Program):
    name = "alertd"

    def __init__(self, folder=None, flags=(), config=None, port=None, auth="required"):
        super().__init__(folder)
        self.port, self.flags, self.auth = port or free_port(), list(flags), auth
        self.url = f"http://127.0.0.1:{self.port}"
        self.config_path = None
        if config is not None:
            self.config_path = self.folder.parent / f"{self.folder.name}.yml"
            self.config_path.write_text(config)

    def command(self):
        return [
            ALERTD, f"--storage.path={self.folder}", f"--web.listen-address=127.0.0.1:{self.port}",
            f"--auth.mode={self.auth}", *([f"--config.file={self.config_path}"] if self.config_path else []), *self.flags]

    def start(self, wait=True):
        super().start()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        def ready():
            if not self.alive():
                raise AssertionError(f"alertd ended with {self.process.returncode}:\n{self.log()[-3000:]}")
            try:
                return request("GET", f"{self.url}/-/ready", timeout=2).status == 200
            except OSError:
                return False
        until(ready, seconds, "alertd is ready")

    @property
    def token(self):
        return (self.folder / "admin.token").read_text().strip()

    def call(self, method, path, body=None, headers=None, token=None, timeout=30):
        with_token = {} if self.auth == "off" or token == "" else {"Authorization": f"Bearer {token or self.token}"}
        return request(method, self.url + path, body, {**with_token, **(headers or {})}, timeout)

    def get(self, path, **options):
        reply = self.call("GET", path, **options)
        if reply.status != 200:
            raise AssertionError(f"GET {path}: {reply}")
        return reply.json

    def post(self, path, body=None, **options):
        reply = self.call("POST", path, body if body is not None else {}, **options)
        if reply.status // 100 != 2:
            raise AssertionError(f"POST {path}: {reply}")
        return reply.json if reply.body else None

    def push(self, text, at_ms=None, **options):
        """Samples in the text format, now or at at_ms; raises unless all are stored."""
        path = "/api/v1/import/prometheus" + (f"?timestamp={at_ms}" if at_ms is not None else "")
        reply = self.call("POST", path, text if text.endswith("\n") else text + "\n", {"Content-Type": "text/plain"}, **options)
        if reply.status // 100 != 2:
            raise AssertionError(f"push: {reply}")

    def query(self, expression, at=None):
        """{labels as a sorted tuple of pairs: value} of an instant vector."""
        parameters = {"query": expression, **({"time": at} if at is not None else {})}
        data = self.get("/api/v1/query?" + urllib.parse.urlencode(parameters))["data"]
        return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in data["result"]}

    def import_rules(self, yaml, source="test.yml"):
        return self.post(f"/api/alertd/v1/rules/import?source={source}", yaml, headers={"Content-Type": "application/yaml"})

    def make_token(self, name, *scopes, agent=None):
        return self.post("/api/alertd/v1/tokens", {"name": name, "scopes": list(scopes), **({"agent": agent} if agent else {})})["token"]


class Agent(Program):
    name = "agent"

    def __init__(self, config, folder=None):
        """config: the YAML text; `{folder}` in it becomes the agent's own folder."""
        super().__init__(folder)
        self.config_path = self.folder / "agent.yml"
        self.config_path.write_text(config.replace("{folder}", str(self.folder)))

    def command(self):
        return [ALERT_AGENT, f"--config.file={self.config_path}"]


def alertctl(*arguments, alertd=None, check=True):
    """Runs alertctl; returns the finished process with text output."""
    env = {**os.environ, "NO_COLOR": "1"}
    if alertd:
        env.update(ALERTD_URL=alertd.url, ALERTD_TOKEN=alertd.token)
    done = subprocess.run([ALERTCTL, *map(str, arguments)], capture_output=True, text=True, env=env, cwd=ROOT, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"alertctl {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done
