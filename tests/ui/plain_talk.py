"""A conversation whose turns are written down beforehand. Keeps the same promises as the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from mhdesk.core.events import Finished, FinishState, Screened, SessionEvent, Source, Text
from mhdesk.core.levels import Level

Step = SessionEvent | asyncio.Event | Exception

SCREENED = Screened(Level.NONE, ())
DONE = Finished(FinishState.DONE)


def reply(*parts: str, source: Source = Source.MODEL) -> list[Step]:
    return [SCREENED, *(Text(part, source) for part in parts), DONE]


class PlainConversation:
    """Each message is answered by the next of `turns`: events are yielded, an `asyncio.Event` is waited for."""

    def __init__(self, *turns: Sequence[Step]) -> None:
        self._turns = list(turns)
        self._stopping = asyncio.Event()
        self.said: list[str] = []
        self.begun_anew = 0

    async def send(self, text: str) -> AsyncIterator[SessionEvent]:
        self.said.append(text)
        self._stopping = asyncio.Event()
        for step in self._turns.pop(0):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await self._either(step)
            elif self._stopping.is_set():
                yield Finished(FinishState.STOPPED)
                return
            else:
                yield step
            await asyncio.sleep(0)

    async def stop(self) -> None:
        self._stopping.set()

    async def new_conversation(self) -> None:
        self.begun_anew += 1

    async def _either(self, step: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(step.wait()), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


async def until(true: object, seconds: float = 3.0) -> None:
    """Wait until the callable `true` is, failing after `seconds`."""
    assert callable(true)
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
