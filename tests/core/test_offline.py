"""The audit hook, each time in a process of its own, since it cannot be taken out again."""

import subprocess
import sys
import textwrap

import pytest


def run(script: str) -> str:
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('example.org', 443)",
        "socket.gethostbyname('example.org')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        "__import__('urllib.request').request.urlopen('http://example.org')",
    ],
)
def test_connections_and_look_ups_are_refused(attempt):
    script = f"""
        import socket
        from mhdesk.core.offline import stay_offline, connections_made, connections_refused
        from mhdesk.core.errors import ConnectionRefusedOffline
        stay_offline()
        try:
            {attempt}
        except ConnectionRefusedOffline:
            print("refused", connections_made(), connections_refused() > 0)
        """
    assert run(script) == "refused 0 True"


def test_local_sockets_and_the_event_loop_stay():
    script = """
        import asyncio, socket
        from mhdesk.core.offline import stay_offline, connections_refused
        stay_offline()
        a, b = socket.socketpair()
        a.sendall(b"x")
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname()).close()
        asyncio.run(asyncio.sleep(0))
        print(b.recv(1), connections_refused())
        """
    assert run(script) == "b'x' 0"


def test_an_allowed_attempt_is_counted():
    script = """
        import socket
        from mhdesk.core.offline import count_connections, connections_made
        count_connections()
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.connect(("192.0.2.1", 9))
        except OSError:
            pass
        print(connections_made())
        """
    assert run(script) == "1"
