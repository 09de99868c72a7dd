"""A conversation and a choice of models written down beforehand. They keep the same promises as the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from mhdesk.core.events import Finished, FinishState, Screened, SessionEvent, Source, Text
from mhdesk.core.levels import Level
from mhdesk.ui.ports import Offers

Step = SessionEvent | asyncio.Event | Exception

SCREENED = Screened(Level.NONE, ())
DONE = Finished(FinishState.DONE)


def reply(*parts: str, source: Source = Source.MODEL) -> list[Step]:
    return [SCREENED, *(Text(part, source) for part in parts), DONE]


class PlainConversation:
    """Each message is answered by the next of `turns`: events are yielded, an `asyncio.Event` is waited for.

    `urgent` is what it says of words typed meanwhile, or an error that is raised.
    """

    def __init__(self, *turns: Sequence[Step]) -> None:
        self._turns = list(turns)
        self._stopping = asyncio.Event()
        self.said: list[str] = []
        self.read: list[str] = []
        self.urgent: bool | Exception = False
        self.begun_anew = 0

    async def prepare(self) -> None:
        """Nothing has to be read."""

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

    async def must_not_wait(self, text: str) -> bool:
        self.read.append(text)
        if isinstance(self.urgent, Exception):
            raise self.urgent
        return self.urgent

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


class PlainChoice:
    """Offers what it is given. `answer` is what becomes of a choice: words, or an error that is raised."""

    def __init__(self, offers: Offers | None = None) -> None:
        self.now = offers or Offers((), (), 4 * 2**30)
        self.answer: str | Exception = ""
        self.held: asyncio.Event | None = None
        self.chosen: list[str] = []

    async def offers(self) -> Offers:
        return self.now

    async def use_model(self, name: str) -> str:
        self.chosen.append(f"model {name}")
        if self.held is not None:
            await self.held.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def use_adapter(self, name: str) -> str:
        return await self.use_model(name)


async def until(true: object, seconds: float = 3.0) -> None:
    """Wait until the callable `true` is, failing after `seconds`."""
    assert callable(true)
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
