"""How much memory could be used now without swapping, container limits included."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import psutil


def memory_available() -> int:
    """Bytes that could be used now without swapping: the system's figure, or what a control group leaves if less."""
    available = int(psutil.virtual_memory().available)
    for limit, usage in _group_figures():
        available = min(available, max(0, limit - usage))
    return available


def memory_held(pid: int | None = None) -> int:
    """Bytes that would be free if a process ended, by default this one; 0 if it has ended.

    Pages of files that it has mapped are left out: they count as available while it runs.
    """
    try:
        information = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(information.rss - getattr(information, "shared", 0))


def _group_figures() -> list[tuple[int, int]]:
    """Limit and use in bytes of our control groups and those above them (v1 and v2), where there is a limit."""
    figures = []
    for name, root, limit_file, use_file in _group_files():
        group = root / name.lstrip("/")
        while True:
            with contextlib.suppress(OSError, ValueError):
                limit = int((group / limit_file).read_text())
                figures.append((limit, int((group / use_file).read_text()) - _reclaimable(group)))
            if group == root or root not in group.parents:
                break
            group = group.parent
    return figures


def _group_files() -> list[tuple[str, Path, str, str]]:
    found = []
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            found.append((name, Path("/sys/fs/cgroup"), "memory.max", "memory.current"))
        elif "memory" in controllers.split(","):
            v1 = Path("/sys/fs/cgroup/memory")
            found.append((name, v1, "memory.limit_in_bytes", "memory.usage_in_bytes"))
    return found


def _reclaimable(group: Path) -> int:
    """File cache that the kernel drops when memory is asked for."""
    statistics: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int(statistics.get("total_inactive_file", statistics.get("inactive_file", 0)))
