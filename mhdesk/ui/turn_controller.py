"""Leads what is typed into the conversation: one turn at a time, but what must not wait ends the reply that runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from PySide6.QtCore import QObject

from mhdesk.core.errors import BadMessage, MHDeskError
from mhdesk.core.events import FinishState, SessionEvent
from mhdesk.core.messages import sendable
from mhdesk.ui.composer import STILL_WRITING
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.ports import Conversation

log = logging.getLogger(__name__)

UNEXPECTED = "Something inside MHDesk went wrong with this message. Please try again."


class TurnController(QObject):
    """Connects composer and conversation view with a `Conversation`.

    The words of a turn that was never taken go back to where they were typed. `before_message` is called before each
    message, `show` with every event; a reply that was asked to stop has `stop_grace_s` seconds to do so.
    """

    def __init__(
        self,
        *,
        window: MainWindow,
        conversation: Conversation,
        show: Callable[[SessionEvent], None],
        before_message: Callable[[], None],
        stop_grace_s: float,
    ) -> None:
        super().__init__(window)
        self._composer = window.composer
        self._view = window.conversation
        self._conversation = conversation
        self._show = show
        self._before_message = before_message
        self._stop_grace_s = stop_grace_s
        self._turn: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._composer.sent.connect(self._send)
        self._composer.stop_wanted.connect(self._begin_stop)

    @property
    def running(self) -> bool:
        """Whether a turn is under way, or words that were typed meanwhile are being read."""
        return self._turn is not None or self._reading is not None

    async def give_up(self) -> None:
        """Cancel whatever is under way and wait until it is over."""
        under_way = [task for task in (self._reading, self._stopping, self._turn) if task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _send(self, typed: str) -> None:
        try:
            text = sendable(typed)
        except BadMessage as refusal:
            self._composer.show_hint(refusal.sentence)
            return
        if not self.running:
            self._begin(typed, text)
        elif self._reading is None:
            self._reading = asyncio.create_task(self._read_meanwhile(typed, text), name="reading")
            self._reading.add_done_callback(self._read)

    def _begin(self, typed: str, text: str) -> None:
        self._before_message()
        if self._composer.text == typed:
            self._composer.show_taken()
        self._composer.show_busy(True)
        self._view.show_user(text)
        self._turn = asyncio.create_task(self._take_turn(typed, text), name="turn")

    async def _read_meanwhile(self, typed: str, text: str) -> None:
        """Words sent while a reply runs: they wait where they are typed, unless they must not."""
        try:
            urgent = await self._conversation.must_not_wait(text)
        except Exception as error:  # help that comes for nothing is better than help that waits
            log.error("a message could not be read in time: %s", type(error).__name__)
            urgent = True
        if not urgent and self._turn is not None:
            self._composer.show_hint(STILL_WRITING)
            return
        if self._composer.text == typed:
            self._composer.show_taken()
        while self._turn is not None:
            await self._stop()
        self._begin(typed, text)

    def _read(self, task: asyncio.Task[None]) -> None:
        self._reading = None
        if not task.cancelled() and task.exception() is not None:
            log.error("a message could not be sent in time: %s", type(task.exception()).__name__)

    async def _take_turn(self, typed: str, text: str) -> None:
        taken = False
        sentence = ""
        events = self._conversation.send(text)
        try:
            async for event in events:
                taken = True
                self._show(event)
        except MHDeskError as error:
            sentence = error.sentence
        except Exception as error:
            # Only the kind: a message or a traceback could quote what the person wrote.
            log.error("a turn ended unexpectedly: %s", type(error).__name__)
            sentence = UNEXPECTED
        finally:
            closing = getattr(events, "aclose", None)
            if closing is not None:
                await closing()
            self._turn = None
            self._composer.show_busy(False)
        if sentence and taken:
            self._view.show_failed(sentence)
        elif sentence:
            self._view.take_back_user()
            self._composer.show_put_back(typed)
            self._composer.show_hint(sentence)

    def _begin_stop(self) -> None:
        if self._stopping is None or self._stopping.done():
            self._stopping = asyncio.create_task(self._stop(), name="stop")

    async def _stop(self) -> None:
        """Stop the reply. One that has not begun, since the model is loading, is given up after a moment."""
        turn = self._turn
        await self._conversation.stop()
        if turn is None:
            return
        await asyncio.wait({turn}, timeout=self._stop_grace_s)
        if not turn.done():
            turn.cancel()
            await asyncio.wait({turn})
            self._view.show_finished(FinishState.STOPPED)
