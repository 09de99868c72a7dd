"""Memory that runs short while the engine runs: what it could still use, and giving back what it can do without."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable

from mhdesk.library.admission import SMALL_CONTEXT_TOKENS
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.memory_available import memory_available

FLOOR_BYTES = 128 * 2**20
"""Left to the rest of the system. Below it the engine gives back its cache; a reply that needs more is broken off."""

SMALLEST_WINDOW_TOKENS = SMALL_CONTEXT_TOKENS // 4


_LOOK_EVERY = 8
"""Tokens or chunks between two looks at the system's figures, each of which takes a fraction of a millisecond."""


def memory_is_short() -> bool:
    """Whether less than `FLOOR_BYTES` could be used now."""
    return memory_available() < FLOOR_BYTES


def window_for_now(shape: LlamaShape, window: int, held_bytes: int) -> int:
    """`window` in tokens, or as much less as memory asks for; `held_bytes` of the cache are there already."""
    room = memory_available() + held_bytes - FLOOR_BYTES
    while window > SMALLEST_WINDOW_TOKENS and shape.cache_bytes(window) * 4 // 3 > room:
        window //= 2
    return window


def watched(should_stop: Callable[[], bool]) -> Callable[[], bool]:
    """`should_stop`, which also looks at memory now and then and raises `MemoryError` when it is short."""
    asked = 0

    def ask() -> bool:
        nonlocal asked
        asked += 1
        if asked % _LOOK_EVERY == 0 and memory_is_short():
            raise MemoryError
        return should_stop()

    return ask


def give_memory_back() -> None:
    """Free what nobody holds any more, and return it to the system."""
    gc.collect()
    trim_heap()


def trim_heap() -> None:
    """Return to the system what was freed, which the allocator would otherwise keep."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's own; musl has none
        if trim is not None:
            trim(0)
