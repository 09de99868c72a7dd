"""Memory control groups of our own: the honest limit on memory. Needs root; tests skip where it is not there."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")


class ControlGroup:
    """A group with a limit in bytes that can be changed."""

    def __init__(self, folder: Path, limit_file: str) -> None:
        self.folder = folder
        self._limit_file = limit_file

    def limit(self, size: int) -> None:
        """Allow so many bytes from now on."""
        (self.folder / self._limit_file).write_text(str(size))

    def take_in(self, pid: int) -> None:
        """Move a process in; what it starts belongs too."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    def enter_script(self) -> str:
        """Python that moves the process that runs it in."""
        return f"import os; open({str(self.folder / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"


@contextlib.contextmanager
def control_group(size: int) -> Iterator[ControlGroup]:
    """A new group of `size` bytes."""
    root, limit_file = (_V1, "memory.limit_in_bytes") if _V1.is_dir() else (_V2, "memory.max")
    group = ControlGroup(root / f"mhdesk-test-{os.getpid()}-{time.monotonic_ns()}", limit_file)
    try:
        group.folder.mkdir()
        group.limit(size)
    except OSError:
        with contextlib.suppress(OSError):
            group.folder.rmdir()
        pytest.skip("this machine lets us make no control group")
    try:
        yield group
    finally:
        for _ in range(50):  # a process that was killed leaves its group a moment later
            with contextlib.suppress(OSError):
                group.folder.rmdir()
                break
            time.sleep(0.1)
