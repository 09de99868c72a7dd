"""How much memory this process uses."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Resident memory in bytes: now, and at its highest (VmHWM)."""

    rss_bytes: int
    peak_rss_bytes: int


def memory_of_this_process() -> ProcessMemory:
    """Measured by the operating system. Windows keeps its own peak; elsewhere it is `getrusage`'s."""
    information = psutil.Process().memory_info()
    if sys.platform == "win32":
        return ProcessMemory(information.rss, information.peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return ProcessMemory(information.rss, peak if sys.platform == "darwin" else peak * 1024)
