"""How much memory this process, or another, uses."""

from __future__ import annotations

import os
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
    measured = memory_of_process(os.getpid())
    if sys.platform != "win32" and sys.platform != "linux":
        import resource

        return ProcessMemory(measured.rss_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return measured


def memory_of_process(process_id: int) -> ProcessMemory:
    """Of any process; where the system does not tell the peak, what it uses now stands for it.

    Raises:
        psutil.NoSuchProcess: it has ended.
    """
    information = psutil.Process(process_id).memory_info()
    if sys.platform == "win32":
        return ProcessMemory(information.rss, information.peak_wset)
    if sys.platform == "linux":
        # Not getrusage: its peak is carried over from the parent through exec.
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return ProcessMemory(information.rss, int(line.split()[1]) * 1024)
    return ProcessMemory(information.rss, information.rss)
