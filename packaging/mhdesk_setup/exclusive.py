"""Two set-ups at once, as after a double click, take turns."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from mhdesk_setup.progress import Progress

_FAR_BEYOND_THE_END = 1 << 30
"""Windows locks bytes, also ones that do not exist; this one is never read."""


@contextlib.contextmanager
def one_at_a_time(file: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock on `file` (which exists, and stays unchanged) while the block runs; waits for it, saying so.

    The system lets go of the lock when the process ends, however it ends.
    """
    with file.open("rb") as held:
        if not _locked(held.fileno(), waiting=False):
            progress.note("Another set-up of MHDesk is running here; waiting for it to finish.")
            while not _locked(held.fileno(), waiting=True):
                continue
        yield


if sys.platform == "win32":
    import msvcrt
    import os

    def _locked(descriptor: int, *, waiting: bool) -> bool:
        os.lseek(descriptor, _FAR_BEYOND_THE_END, os.SEEK_SET)
        try:
            # LK_LOCK gives up by itself after ten seconds.
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if waiting else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _locked(descriptor: int, *, waiting: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if waiting else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
