"""Turns what a tool printed while failing into one sentence that says what happened and what to do."""

from __future__ import annotations

import errno
import re
from pathlib import Path

AGAIN = "run the same command again to go on"
FREE = "free some space (3 GB, or 10 GB where PyTorch comes with CUDA)"


class SetUpError(Exception):
    """The set-up cannot go on. `sentence` is complete and plain."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


_DISK_FULL = re.compile(r"No space left on device|not enough space on the disk|Disk quota exceeded|\[Errno 28\]")
_WRONG_HASH = re.compile(r"DO NOT MATCH THE HASHES|Hash(es)? (mis)?match|HashMismatch|do not match the hashes")
_NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|getaddrinfo|Network is unreachable"
    r"|Temporary failure in name resolution|ProxyError|ConnectionResetError|RemoteDisconnected|IncompleteRead"
    r"|Connection broken|Could not fetch URL|Max retries exceeded|SSLError|ConnectionError"
)
_NOT_OFFERED = re.compile(r"No matching distribution found for (?P<what>\S+)")
_NOT_ALLOWED = re.compile(r"Permission denied|\[Errno 13\]|Access is denied|Read-only file system|\[Errno 30\]")


def explain_output(doing: str, output: str, log: Path | None = None) -> str:
    """One sentence for a tool that failed.

    Args:
        doing: what was being done, as it follows "could not be finished": for example "Installing packages".
        output: all that the tool printed.
        log: where the whole of it can be read, if it was kept.
    """
    where = f" (the full log is {log})" if log else ""
    if _DISK_FULL.search(output):
        return f"{doing} stopped because the disk is full; {FREE}, then {AGAIN}{where}."
    if _WRONG_HASH.search(output):
        return f"{doing} stopped because a download was not the expected file (wrong hash); {AGAIN}{where}."
    if _NO_NETWORK.search(output):
        return f"{doing} stopped because the network could not be reached; check the connection, then {AGAIN}{where}."
    if offered := _NOT_OFFERED.search(output):
        what = offered["what"].rstrip(".")
        return f"{doing} stopped because {what} is not offered for this computer and this version of Python{where}."
    if _NOT_ALLOWED.search(output):
        return f"{doing} stopped because a folder may not be written to; allow that, then {AGAIN}{where}."
    last = _last_word(output)
    return f"{doing} could not be finished{f': {last}' if last else ''}{where or f'; {AGAIN}'}."


def explain_os_error(error: OSError) -> str:
    """One sentence for a file that could not be read or written."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"Set-up stopped because the disk is full{place}; {FREE}, then {AGAIN}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Set-up stopped because it may not write there{place}; allow that, then {AGAIN}."
    return f"Set-up stopped: {error.strerror or type(error).__name__}{place}; {AGAIN}."


def _last_word(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("error:")]
    return (errors or lines or [""])[-1].rstrip(".")[:200]
