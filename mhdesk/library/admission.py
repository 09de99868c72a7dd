"""Whether a model would fit the memory that is available now, container limits included."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mhdesk.library.json_file import BadJsonFile, read_json_object

CONTEXT_TOKENS = 4096
"""The window that the engine uses at most, its cache counted whole: 450 MiB at 3B, which an 8 GB machine can spare."""

PREFILL_CHUNK = 128
"""Tokens the engine reads between two looks at the stop signal: a few seconds for 3B on two slow cores."""

LIBRARIES_BYTES = 550 * 2**20
"""Resident memory of an engine process before any weights: torch, transformers, peft, bitsandbytes (measured)."""

_CACHE_BYTES_PER_VALUE = 2


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes an engine process needs: weights, key-value cache of the whole window, activations, libraries."""

    weights: int
    cache: int
    activations: int
    libraries: int = LIBRARIES_BYTES

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.cache + self.activations + self.libraries


def memory_needed(folder: Path, weights_bytes: int) -> MemoryNeed:
    """By formula from the model's configuration: cache = 2 · layers · KV heads · head size · tokens · 2 bytes.

    Raises:
        BadJsonFile: the configuration cannot be read.
    """
    config = read_json_object(folder / "config.json")
    try:
        heads = int(config["num_attention_heads"])
        head_size = int(config.get("head_dim") or config["hidden_size"] // heads)
        values = 2 * int(config["num_hidden_layers"]) * int(config.get("num_key_value_heads", heads)) * head_size
        widest = max(int(config["intermediate_size"]) * 3, heads * CONTEXT_TOKENS)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise BadJsonFile("config.json lacks the model's shape") from None
    return MemoryNeed(
        weights=weights_bytes,
        cache=values
        * min(CONTEXT_TOKENS, int(config.get("max_position_embeddings", CONTEXT_TOKENS)))
        * _CACHE_BYTES_PER_VALUE,
        activations=PREFILL_CHUNK * widest * 4,
    )


def memory_available() -> int:
    """Bytes that could be used now without swapping: the system's figure, or what a control group leaves if less."""
    available = int(psutil.virtual_memory().available)
    for limit, usage in _group_figures():
        available = min(available, max(0, limit - usage))
    return available


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


def refusal(folder: Path, weights_bytes: int, resident: int = 0) -> str | None:
    """Why a model would not fit now, in one sentence with both figures; None if it would, or cannot be judged.

    `resident` are the bytes of the need that the asking process holds already, such as the libraries in the engine.
    """
    try:
        need = memory_needed(folder, weights_bytes)
    except BadJsonFile:
        return None
    available = memory_available()
    if need.total - resident <= available:
        return None
    return (
        f"The model {folder.name} needs about {need.total / 2**30:.1f} GiB of memory and "
        f"{(available + resident) / 2**30:.1f} GiB are there for it. "
        "Please close other programs or choose a smaller model; help and helplines work without one."
    )
