"""A small model hub on 127.0.0.1 that speaks what the real one speaks to us, and can be told to misbehave.

Two ports: the hub, and a file server to which it points for large files, as the real one does. Requests are recorded.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BLOCK = 16 * 1024


@dataclass(frozen=True)
class Fault:
    """What one answer does wrong.

    status, headers: answered instead of 200.
    cut_at, stall_at: bytes of the body after which the connection is cut, or nothing more comes until `release`.
    flip: the last byte is another one.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    stall_at: int | None = None
    flip: bool = False


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    port: int
    path: str
    headers: dict[str, str]


class Hub:
    """A hub with one model. `faults` are used up one a request, by file name or "api"; `always` stay."""

    def __init__(self, model_id: str, files: dict[str, bytes]) -> None:
        self.model_id = model_id
        self.files = files
        self.revision = "1" * 40
        self.facts: dict[str, object] = {"cardData": {"license": "apache-2.0"}, "gated": False}
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.seen: list[Seen] = []
        self.sent: dict[str, int] = {}
        self.ignores_ranges = False
        self.release = threading.Event()
        self.port = self.file_port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, what: str) -> list[Seen]:
        return [seen for seen in self.seen if what in seen.path]

    def is_large(self, name: str) -> bool:
        return name.endswith(".safetensors")

    def description(self) -> dict[str, object]:
        siblings = []
        for name, content in self.files.items():
            sibling: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git_blob_id(content)}
            if self.is_large(name):
                sha256 = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 134}
            siblings.append(sibling)
        return {"id": self.model_id, "sha": self.revision, "siblings": siblings, **self.facts}

    def fault_for(self, what: str) -> Fault:
        waiting = self.faults.get(what)
        return waiting.pop(0) if waiting else self.always.get(what, Fault())


def git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` on two ports until the end of the block."""
    servers = [_server(hub), _server(hub)]
    hub.port, hub.file_port = (server.server_address[1] for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.release.set()
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _server(hub: Hub) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # a client that was killed is no news
    return server


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # As a proxy is asked, the path is a whole address: then this is the proxy, and the hub behind it.
        path = urlsplit(self.path).path
        hub, port = self.hub, self.server.server_address[1]
        hub.seen.append(Seen(port, self.path, {name.lower(): value for name, value in self.headers.items()}))
        if path == f"/api/models/{hub.model_id}":
            self._answer("api", json.dumps(hub.description()).encode(), ranges=False)
            return
        name = path.rpartition("/")[2]
        begins = f"/{hub.model_id}/resolve/{hub.revision}/"
        if path.startswith(begins) and name in hub.files:
            if hub.is_large(name) and port == hub.port:
                where = f"http://127.0.0.1:{hub.file_port}/stored/{name}"
                self._end(302, {"Location": where, "X-Repo-Commit": hub.revision})
            else:
                self._answer(name, hub.files[name])
        elif path.startswith("/stored/") and name in hub.files:
            self._answer(name, hub.files[name])
        else:
            self._end(404, {"X-Error-Code": "RepoNotFound"})

    def _answer(self, what: str, content: bytes, *, ranges: bool = True) -> None:
        fault = self.hub.fault_for(what)
        if fault.status:
            self._end(fault.status, fault.headers)
            return
        if fault.flip:
            content = content[:-1] + bytes([content[-1] ^ 1])
        first = 0
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', **fault.headers}
        asked = self.headers.get("Range")
        if asked and ranges and not self.hub.ignores_ranges:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        body = content[first:]
        self.send_response(206 if "Content-Range" in headers else 200)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(body), BLOCK):
            if fault.cut_at is not None and start >= fault.cut_at:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if fault.stall_at is not None and start >= fault.stall_at:
                self.hub.release.wait(30)
                self.close_connection = True
                return
            self.wfile.write(body[start : start + BLOCK])
            self.hub.sent[what] = self.hub.sent.get(what, 0) + len(body[start : start + BLOCK])

    def _end(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing: what matters is recorded."""


def wait_for(condition, seconds: float = 20) -> None:
    """Until `condition()` is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.02)
