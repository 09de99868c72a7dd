"""Whether PyTorch's own index answers, asked of servers on this computer only."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from mhdesk_setup.torch_index import PATIENCE_SECONDS, answers


class Page(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/whl/cpu/torch/" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_page_that_is_served_counts_as_an_answer(server: str) -> None:
    assert answers(f"{server}/whl/cpu/torch/")


def test_a_page_that_is_not_there_does_not(server: str) -> None:
    assert not answers(f"{server}/whl/cu999/torch/")


def test_a_refused_connection_does_not() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        assert not answers(f"http://127.0.0.1:{unheard.getsockname()[1]}/")


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)


def test_a_server_that_trickles_is_given_up_too() -> None:
    # Each byte restarts a time limit that counts from step to step; only one for the whole ends this.
    over = threading.Event()

    def trickle(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            while not over.wait(0.05):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        try:
            assert not answers(f"http://127.0.0.1:{listening.getsockname()[1]}/", seconds=0.3)
        finally:
            over.set()
            thread.join()


def test_nobody_waits_longer_than_three_seconds() -> None:
    assert PATIENCE_SECONDS <= 3
