"""Both sides of the differential fuzzer: a Prometheus of our own on a free port, spoken to over one
connection with requests written ahead; and answer (answer.c) on a pipe, or an alertd over HTTP.

Each has load(dataset) and ask(questions) -> answers, where a question is (expression, start_ms,
end_ms, step_ms) and step 0 asks at an instant; an answer is the API's JSON as a dict.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))

import series
from daemon import free_port


def seconds(ms):
    return f"{ms / 1000:.3f}"


class Http:
    """The query API over one kept connection."""

    def __init__(self, port):
        self.port, self.socket, self.file = port, None, None

    def connect(self):
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port), 60)
        self.file = self.socket.makefile("rb", 1 << 18)

    def close(self):
        if self.socket:
            self.file.close()
            self.socket.close()
            self.socket = None

    @staticmethod
    def request(question):
        text, start_ms, end_ms, step_ms = question
        form = {"query": text}
        if step_ms:
            form.update(start=seconds(start_ms), end=seconds(end_ms), step=seconds(step_ms))
        else:
            form["time"] = seconds(start_ms)
        body = urllib.parse.urlencode(form).encode()
        path = "query_range" if step_ms else "query"
        return (f"POST /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    def reply(self):
        length, chunked = 0, False
        status = self.file.readline()
        if not status.startswith(b"HTTP/1.1 "):
            raise ConnectionError(f"not an answer: {status!r}")
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"transfer-encoding":
                chunked = b"chunked" in value.lower()
        if not chunked:
            return json.loads(self.file.read(length))
        body = bytearray()
        while size := int(self.file.readline(), 16):
            body += self.file.read(size)
            self.file.readline()
        self.file.readline()
        return json.loads(bytes(body))

    def ask_each(self, questions):
        """One after the other, for a server that does not read ahead and may close the connection."""
        answers = []
        for one in questions:
            for last in (False, True):
                try:
                    answers += self.ask([one])
                    break
                except (ConnectionError, BrokenPipeError):
                    self.close()
                    if last:
                        raise
        return answers

    def ask(self, questions):
        if not self.socket:
            self.connect()
        data = b"".join(self.request(q) for q in questions)
        writer = threading.Thread(target=self.socket.sendall, args=(data,))
        writer.start()
        answers = [self.reply() for _ in questions]
        writer.join()
        return answers


class Server:
    """A process that serves the query API from a folder of its own; load() starts it anew."""

    def __init__(self):
        self.process, self.folder, self.http = None, None, None

    def command(self, port):
        raise NotImplementedError

    def load(self, dataset):
        self.stop()
        self.folder, port = tempfile.mkdtemp(prefix="watchbill-fuzz-"), free_port()
        self.log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(self.command(port), stdout=self.log, stderr=self.log)
        self.http = Http(port)
        self.wait()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/write", series.for_remote_write(dataset), {
            "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0"})
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60).read()

    def wait(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                if "status" in self.http.ask([("1", 0, 0, 0)])[0]:
                    return
            except (OSError, ValueError):
                self.http.close()
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                    raise RuntimeError("the server did not start: " + log.read()[-2000:])
            time.sleep(0.02)

    def ask(self, questions):
        return self.http.ask(questions)

    def stop(self):
        if self.process:
            self.http.close()
            self.process.terminate()
            self.process.wait()
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.process = None


class Prometheus(Server):
    def __init__(self, program):
        super().__init__()
        self.program = program

    def command(self, port):
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global: {scrape_interval: 1h}\n")
        return [self.program, f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error",
                "--storage.tsdb.retention.time=100y", "--enable-feature=promql-experimental-functions"]


class Alertd(Server):
    def __init__(self, program):
        super().__init__()
        self.program = program

    def ask(self, questions):
        return self.http.ask_each(questions)

    def command(self, port):
        return [self.program, f"--storage.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{port}",
                "--auth.mode=off", "--storage.retention.time=0", "--enable-feature=promql-experimental-functions"]


class Answer:
    """The engine in process, on a pipe."""

    def __init__(self, program):
        self.program = program
        self.process = None

    def load(self, dataset):
        if not self.process:
            self.process = subprocess.Popen([self.program, "--enable-feature=promql-experimental-functions"],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(series.for_answer(dataset).encode())

    def write(self, questions):
        lines = [f"query\t{start}\t{end}\t{step}\t{text}\n" for text, start, end, step in questions]
        self.process.stdin.write(("".join(lines) + "flush\n").encode())
        self.process.stdin.flush()

    def ask(self, questions):
        writer = threading.Thread(target=self.write, args=(questions,))
        writer.start()
        answers = []
        for text, *_ in questions:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"our side ended with status {self.process.wait()} at or after: {text}")
            answers.append(json.loads(line))
        writer.join()
        return answers

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None
