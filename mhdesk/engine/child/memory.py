"""How much memory this process uses."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Resident memory in bytes: now, and at its highest (VmHWM)."""

    rss_bytes: int
    peak_rss_bytes: int


def memory_of_this_process() -> ProcessMemory:
    """Measured by the operating system."""
    information = psutil.Process().memory_info()
    if sys.platform == "win32":
        return ProcessMemory(information.rss, information.peak_wset)
    if sys.platform == "linux":
        # Not getrusage: its peak is carried over from the parent through exec.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return ProcessMemory(information.rss, int(line.split()[1]) * 1024)
    import resource

    return ProcessMemory(information.rss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
