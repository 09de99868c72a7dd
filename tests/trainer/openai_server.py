"""A small server on 127.0.0.1 that speaks the OpenAI chat protocol, writes like a dull author, and can misbehave."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Fault:
    """What one answer does wrong: another status, a body that is none, or nothing at all until `release`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    stalls: bool = False


def dull_author(asked: dict) -> str:
    """Says the same of every row of `written_run`, with the row's own room and number."""
    said = " ".join(turn["content"] for turn in asked["messages"])
    room, number = re.findall(r"now the (\w+) is so quiet", said)[-1], re.findall(r"until number (\d+)", said)[-1]
    if asked["messages"][-1]["content"].startswith("Write this message"):
        return f"Since my sister left, the {room} is silent at night and the radio plays until late, number {number}."
    if asks_next_turn(asked):
        return f"My neighbour came by for coffee and we talked about painting the {room} green, {number} coats of it."
    return f"Coffee with a neighbour sounds like a good start. How was company in the {room} again, {number} weeks on?"


def asks_next_turn(asked: dict) -> bool:
    """Whether the person's next turn is asked for, not the supporter's."""
    return asked["messages"][0]["content"].startswith("Let us write a talk")


class Server:
    """`faults` are used up one a request; `seen` holds the requests and their headers."""

    def __init__(self, author: Callable[[dict], str] = dull_author) -> None:
        self.author = author
        self.faults: list[Fault] = []
        self.seen: list[tuple[dict, dict[str, str]]] = []
        self.delay = threading.Event()
        self.slow_s = 0.0
        self.address = ""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Serve until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"ours": server}))
    http.daemon_threads = True
    http.handle_error = lambda request, client_address: None  # a client that was killed is no news
    server.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.delay.set()
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    ours: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.ours.seen.append((asked, {name.lower(): value for name, value in self.headers.items()}))
        fault = self.ours.faults.pop(0) if self.ours.faults else Fault()
        if fault.stalls:
            self.ours.delay.wait(30)
            self.close_connection = True
            return
        self.ours.delay.wait(self.ours.slow_s)
        known = self.path == "/v1/chat/completions"
        choice = {"message": {"role": "assistant", "content": self.ours.author(asked)}, "finish_reason": "stop"}
        body = json.dumps({"choices": [choice]}).encode() if fault.body is None else fault.body
        self.send_response(fault.status if known else 404)
        for name, value in {"content-length": str(len(body)), **fault.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing: what matters is recorded."""
