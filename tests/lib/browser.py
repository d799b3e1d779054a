"""A real Chromium, driven over the W3C WebDriver protocol with the standard library.

    with Browser() as page:
        page.open("http://127.0.0.1:9797/")
        page.find("button", text="Acknowledge").click()
        page.wait(lambda: "acknowledged" in page.text())

Every wait has a deadline; a failed one says what the page showed.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from daemon import free_port

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
]


def available():
    return bool(CHROMIUM and DRIVER)


class Element:
    def __init__(self, browser, ident):
        self.browser, self.path = browser, f"/element/{ident}"

    def click(self):
        self.browser.call("POST", f"{self.path}/click", {})

    def type(self, text):
        self.browser.call("POST", f"{self.path}/value", {"text": text})

    def text(self):
        return self.browser.call("GET", f"{self.path}/text")

    def attribute(self, name):
        return self.browser.call("GET", f"{self.path}/attribute/{name}")


class Browser:
    def __init__(self, width=1280, height=900, dark=False):
        self.profile = tempfile.mkdtemp(prefix="watchbill-chromium-")
        self.port = free_port()
        self.driver = subprocess.Popen(
            [DRIVER, f"--port={self.port}", "--allowed-ips=127.0.0.1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.profile})
        self.session = ""
        flags = [*FLAGS, f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]
        if dark:
            flags.append("--force-dark-mode")
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                  "goog:chromeOptions": {"binary": CHROMIUM, "args": flags}}
        deadline = time.monotonic() + 30
        while True:
            try:
                made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}}, whole=True)
                break
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    self.close()
                    raise
                time.sleep(0.1)
        self.session = f"/session/{made['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, path, body=None, whole=False):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.session}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error).get("value", {})
            raise LookupError(f"{value.get('error')}: {value.get('message', '')[:300]}") from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def text(self):
        return self.run("return document.body ? document.body.innerText : ''")

    def address(self):
        return self.call("GET", "/url")

    def find(self, css, text=None, seconds=10):
        """The first visible element that matches css and, when given, contains text."""
        deadline = time.monotonic() + seconds
        while True:
            for found in self.call("POST", "/elements", {"using": "css selector", "value": css}):
                element = Element(self, found[ELEMENT])
                try:
                    if self.call("GET", f"{element.path}/displayed") and (text is None or text.lower() in element.text().lower()):
                        return element
                except LookupError:
                    pass  # it was re-rendered between the two calls
            if time.monotonic() > deadline:
                raise AssertionError(f"no visible {css!r} with {text!r} after {seconds} s; the page says:\n{self.text()[:2000]}")
            time.sleep(0.1)

    def wait(self, condition, seconds=20, what="condition"):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} not met after {seconds} s; the page says:\n{self.text()[:2000]}")
            time.sleep(0.1)

    def console_errors(self):
        entries = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        try:
            if self.session:
                self.call("DELETE", "")
        except (LookupError, OSError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
