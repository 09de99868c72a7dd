"""One function over many rows, in their order, on several processors where there are many rows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from mhdesk.engine.child.memory import memory_of_process
from trainer.cleaning.judging import reason_to_drop
from trainer.cleaning.patterns import compile_pattern
from trainer.cleaning.steps import Cleaned, clean_row
from trainer.errors import TrainingStopped
from trainer.rows import Row
from trainer.settings.clean import CleanSettings

_FEW: Final = 200
"""Rows for which starting processes takes longer than it saves."""
_CHUNK: Final = 20
Given = TypeVar("Given")
Made = TypeVar("Made")
Mapping = Callable[[Callable[[Given], Made], Iterable[Given]], list[Made]]


@dataclass(frozen=True, slots=True)
class Workers:
    """`map` gives its results in order; what `cleaned` and `judged` need is there wherever it calls them."""

    map: Mapping[Any, Any]
    processes: int
    """Besides this one; 0 where this one does it all."""

    def peak_bytes(self) -> int:
        """The most resident memory that each of them has had, added up, while they are there."""
        children = multiprocessing.active_children() if self.processes else []
        return sum(memory_of_process(child.pid).peak_rss_bytes for child in children if child.pid is not None)


@contextmanager
def workers(settings: CleanSettings, rows: int) -> Iterator[Workers]:
    """As many processes as there are processors, or none where rows are few.

    Raises:
        TrainingStopped: a process ended while it was needed.
    """
    if rows < _FEW:
        _begin(settings)
        yield Workers(lambda function, items: [function(item) for item in items], 0)
        return
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin_child, initargs=(settings,))
    try:
        yield Workers(lambda function, items: list(pool.map(function, items, chunksize=_CHUNK)), count)
    except BrokenProcessPool:
        raise TrainingStopped(
            f"One of the {count} processes that clean was ended by the system, which may have run out of memory. "
            "Please close other programs and run clean again, which goes on from there."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def cleaned(row: Row) -> Cleaned:
    """`clean_row` with the settings of the run."""
    return clean_row(row, _settings(), _patterns(_settings().patterns))


def judged(row: Row) -> str:
    """Why screen or gate leave `row` out; empty if they do not."""
    return reason_to_drop(row, _settings())


_of_run: list[CleanSettings] = []
"""The settings of this process's run; a worker process is given them once, not with every row."""


def _begin(settings: CleanSettings) -> None:
    _of_run[:] = [settings]


def _begin_child(settings: CleanSettings) -> None:
    """The parent alone answers to Ctrl-C, and a child whose parent was killed ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _begin(settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _settings() -> CleanSettings:
    return _of_run[0]


@cache
def _patterns(sources: tuple[str, ...]) -> Any:
    return compile_pattern(*sources) if sources else None
