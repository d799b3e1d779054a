"""A remote write 1.0 receiver for tests: a real socket, snappy and protobuf decoded by hand, and
told how to misbehave.

    with Receiver() as receiver:
        ...
        receiver.answer = 503, {"Retry-After": "2"}     # or with words behind, or a function of the request
        receiver.close(); receiver.open()               # gone, and back on the same port
"""

import functools
import http.server
import struct
import threading
import time

from daemon import free_port


def unsnappy(block):
    length, at = varint(block, 0)
    out = bytearray()
    while at < len(block):
        tag = block[at]
        at += 1
        if tag & 3 == 0:
            size = tag >> 2
            if size >= 60:
                extra = size - 59
                size = int.from_bytes(block[at:at + extra], "little")
                at += extra
            out += block[at:at + size + 1]
            at += size + 1
            continue
        if tag & 3 == 1:
            size, offset = 4 + (tag >> 2 & 7), (tag >> 5) << 8 | block[at]
            at += 1
        elif tag & 3 == 2:
            size, offset = 1 + (tag >> 2), int.from_bytes(block[at:at + 2], "little")
            at += 2
        else:
            size, offset = 1 + (tag >> 2), int.from_bytes(block[at:at + 4], "little")
            at += 4
        for _ in range(size):
            out.append(out[-offset])
    assert len(out) == length, (len(out), length)
    return bytes(out)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 1:
            value, at = data[at:at + 8], at + 8
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def decode(body):
    """[(labels dict, value, t_ms)], {family: (type, help)}"""
    samples, metadata = [], {}
    for number, message in fields(unsnappy(body)):
        if number == 3:
            parts = dict(fields(message))
            metadata[parts[2].decode()] = (parts.get(1, 0), parts.get(4, b"").decode())
            continue
        labels, found = [], []
        for part, value in fields(message):
            if part == 1:
                pair = dict(fields(value))
                labels.append((pair[1].decode(), pair[2].decode()))
            else:
                sample = dict(fields(value))
                t_ms = sample.get(2, 0)
                found.append((struct.unpack("<d", sample[1])[0], t_ms - (1 << 64) if t_ms >> 63 else t_ms))
        assert labels == sorted(labels), f"labels out of order: {labels}"
        assert len(dict(labels)) == len(labels), f"a label twice: {labels}"
        samples += [(dict(labels), value, t_ms) for value, t_ms in found]
    return samples, metadata


class Batch:
    """Decoded when somebody looks, not while the agent waits for its answer."""

    def __init__(self, headers, body, at):
        self.headers, self.body, self.at = headers, body, at
        self.id = headers.get("X-Watchbill-Epoch"), int(headers.get("X-Watchbill-Sequence", 0))

    @functools.cached_property
    def decoded(self):
        return decode(self.body)

    @property
    def samples(self):
        return self.decoded[0]

    @property
    def metadata(self):
        return self.decoded[1]

    def find(self, name, **labels):
        return [(value, t_ms) for have, value, t_ms in self.samples
                if have["__name__"] == name and all(have.get(k) == v for k, v in labels.items())]


class Receiver:
    def __init__(self):
        self.port, self.server = free_port(), None
        self.url = f"http://127.0.0.1:{self.port}/api/v1/write"
        self.answer = 204, {}
        self.attempts, self.batches, self.lock = [], [], threading.Lock()

    def open(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                batch = Batch(dict(self.headers), body, time.monotonic())
                answer = receiver.answer(batch) if callable(receiver.answer) else receiver.answer
                with receiver.lock:
                    receiver.attempts.append(batch)
                if answer is None:  # the connection ends without a word
                    self.close_connection = True
                    return
                status, headers, *words = answer
                text = (words[0] if words else "").encode()
                if status // 100 == 2:
                    with receiver.lock:
                        receiver.batches.append(batch)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def ids(self):
        with self.lock:
            return [batch.id for batch in self.batches]

    def find(self, name, **labels):
        """All accepted samples of a series, in the order they came: [(value, t_ms)]."""
        with self.lock:
            batches = list(self.batches)
        return [found for batch in batches for found in batch.find(name, **labels)]

    def __enter__(self):
        return self.open()

    def __exit__(self, *_):
        self.close()
