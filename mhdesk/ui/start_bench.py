"""`bench --window`: how long the window takes to its first picture, to a ready engine, and to a first word.

It opens the very window, with its own engine, sends one message through the composer, and closes when the reply ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import psutil
from PySide6.QtWidgets import QApplication

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.core.errors import EngineError
from mhdesk.core.events import Failed, Finished, SessionEvent, Source, Text
from mhdesk.core.settings import AgeBand
from mhdesk.ui.app import Assemble, Talk, open_window
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.ports import Conversation, RunningEngine

MESSAGE = "It was a long day at work and I would like to talk a little."


def measure_start() -> dict[str, Any]:
    """Seconds since this process began, and for the first word since the message was sent.

    Raises:
        EngineError: there was no reply to measure.
    """
    clock = _Clock()
    open_window(wrap=clock.wrap)
    if "first_word_s" not in clock.times:
        raise EngineError("The window was closed before a reply came, so there is nothing to measure.")
    return {name: round(seconds, 3) for name, seconds in clock.times.items()}


class _Clock:
    """Watches conversation, engine and window from where they are put together."""

    def __init__(self) -> None:
        self._began = psutil.Process().create_time()
        self._sent_at = 0.0
        self.times: dict[str, float] = {}

    def wrap(self, assemble: Assemble) -> Assemble:
        """The same assembly, watched."""

        def watched(
            on_status: Callable[[EngineStatus], None], region: Callable[[], str], age_band: Callable[[], AgeBand]
        ) -> Talk:
            self._window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
            self._window.painted.connect(lambda: self._note("first_paint_s"))

            def status(status: EngineStatus) -> None:
                on_status(status)
                self._on_status(status)

            talk = assemble(status, region, age_band)
            conversation, engine = _WatchedConversation(talk.conversation, self), _WatchedEngine(talk.engine, self)
            return replace(talk, conversation=conversation, engine=engine)

        return watched

    def engine_started(self) -> None:
        """The window asks for its engine."""
        self._note("engine_asked_for_s")

    def said(self, event: SessionEvent) -> None:
        """The conversation goes on."""
        if isinstance(event, Text) and event.source is Source.MODEL and "first_word_s" not in self.times:
            self.times["first_word_s"] = time.time() - self._sent_at
        if isinstance(event, Finished | Failed):
            asyncio.get_running_loop().call_soon(self._window.close)

    def _on_status(self, status: EngineStatus) -> None:
        if status.state is EngineState.READY and "engine_ready_s" not in self.times:
            self._note("engine_ready_s")
            self._sent_at = time.time()
            self._window.composer.sent.emit(MESSAGE)
        elif status.state in (EngineState.NO_MODEL, EngineState.UNAVAILABLE):
            asyncio.get_running_loop().call_soon(self._window.close)

    def _note(self, name: str) -> None:
        self.times.setdefault(name, time.time() - self._began)


class _WatchedConversation:
    def __init__(self, conversation: Conversation, clock: _Clock) -> None:
        self._conversation = conversation
        self._clock = clock
        self.prepare = conversation.prepare
        self.stop = conversation.stop
        self.must_not_wait = conversation.must_not_wait
        self.new_conversation = conversation.new_conversation

    async def send(self, text: str) -> AsyncIterator[SessionEvent]:
        async for event in self._conversation.send(text):
            self._clock.said(event)
            yield event


class _WatchedEngine:
    def __init__(self, engine: RunningEngine, clock: _Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.close = engine.close
        self.generate = engine.generate
        self.cancel = engine.cancel

    async def start(self) -> None:
        self._clock.engine_started()
        await self._engine.start()
