"""One loop for Qt and asyncio: its start, its signals, and an end that leaves nothing running."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY_MS = 200


def run_until_over(app: QApplication, life: Coroutine[Any, Any, int]) -> int:
    """Run `life` to its end, then cancel every task that is left, wait for them, and close the loop."""
    app.setQuitOnLastWindowClosed(False)
    with QEventLoop(app) as loop:
        asyncio.set_event_loop(loop)
        # qasync's own executor is made of QThreads; plain threads end by themselves.
        loop.set_default_executor(ThreadPoolExecutor(max_workers=4, thread_name_prefix="mhdesk"))
        try:
            return int(loop.run_until_complete(_to_the_end(life)))
        finally:
            asyncio.set_event_loop(None)


async def _to_the_end(life: Coroutine[Any, Any, int]) -> int:
    try:
        return await life
    finally:
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def on_request_to_end(do: Callable[[], object], parent: QTimer) -> Callable[[], None]:
    """Call `do` on SIGINT and SIGTERM. Returns what undoes it. `parent` is only started where it is needed."""
    loop = asyncio.get_running_loop()
    try:
        for number in _SIGNALS:
            loop.add_signal_handler(number, do)
    except NotImplementedError:
        return _watch_plainly(do, parent)

    def undo() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    return undo


def _watch_plainly(do: Callable[[], object], parent: QTimer) -> Callable[[], None]:
    """For Windows, whose loops take no signal handlers: a timer lets Python look whether a signal came."""
    before = {number: signal.signal(number, lambda *_: do()) for number in _SIGNALS}
    parent.timeout.connect(lambda: None)
    parent.start(_LOOK_EVERY_MS)

    def undo() -> None:
        parent.stop()
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo
