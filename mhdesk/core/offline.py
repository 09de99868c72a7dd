"""The promise to connect to nothing, kept by an audit hook (PEP 578) in both processes.

The hook refuses internet sockets and name look-ups that Python code asks for. Local sockets stay, since Qt's D-Bus,
single-instance locks and, on Windows, the event loop need them. Native code is outside its reach; the tests cover
that with strace and an empty network namespace.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from dataclasses import dataclass
from typing import Any

from mhdesk.core.errors import ConnectionRefusedOffline

_SENTENCE = "MHDesk works offline and refused a connection that something inside it tried to make."
_LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
_SENDS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


@dataclass(slots=True)
class _Watch:
    installed: bool = False
    refusing: bool = False
    made: int = 0
    refused: int = 0


_watch = _Watch()


def connections_made() -> int:
    """Look-ups and connections beyond this computer that this process let through since it is watched."""
    return _watch.made


def connections_refused() -> int:
    """Those it refused."""
    return _watch.refused


def stay_offline() -> None:
    """Refuse every connection for the rest of this process's life. Calling it again changes nothing."""
    _watch.refusing = True
    count_connections()


def count_connections() -> None:
    """Let connections through, counted: for the two commands that say beforehand that they connect."""
    if not _watch.installed:
        _watch.installed = True
        sys.addaudithook(_observe)


def _observe(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _LOOK_UPS:
        outward = event != "socket.getaddrinfo" or not _is_loopback(arguments[0])
    elif event in _SENDS:
        internet = getattr(arguments[0], "family", None) in (socket.AF_INET, socket.AF_INET6)
        address = arguments[1]
        outward = internet and not _is_loopback(address[0] if isinstance(address, tuple) and address else None)
    else:
        return
    if not outward:
        return
    if _watch.refusing:
        _watch.refused += 1
        raise ConnectionRefusedOffline(_SENTENCE)
    _watch.made += 1


def _is_loopback(host: object) -> bool:
    if not isinstance(host, str):
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
