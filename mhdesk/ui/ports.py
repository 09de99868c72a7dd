"""What the window needs of the rest of the program, as Protocols: it can be built round anything that keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from mhdesk.chat.ports import Engine
from mhdesk.core.events import HelpLine, SessionEvent


class Conversation(Protocol):
    """One conversation, kept by whoever implements it; `chat.session.Session` does."""

    def send(self, text: str) -> AsyncIterator[SessionEvent]:
        """Say `text`; yields what happens, ending with one `Finished` or `Failed`.

        Raises `BadMessage` before anything has happened when `text` cannot be sent.
        """
        ...

    async def stop(self) -> None:
        """Stop the running reply; its `Finished` still arrives."""
        ...

    async def new_conversation(self) -> None:
        """Forget everything said."""
        ...


class RunningEngine(Engine, Protocol):
    """An engine whose process this window starts and ends."""

    async def start(self) -> None:
        """Start it and return at once; what becomes of it is told as `EngineStatus`."""
        ...

    async def close(self) -> None:
        """End it, and everything that waits on it."""
        ...


class Region(Protocol):
    """A place with its own lines."""

    @property
    def code(self) -> str:
        """ISO 3166 alpha-2, or a code of ours."""
        ...

    @property
    def name(self) -> str:
        """As people call it."""
        ...


class HelpBook(Protocol):
    """Who can be called where; `safety.helplines.Helplines` is one."""

    def regions(self) -> Sequence[Region]:
        """Every region, in the order of the list."""
        ...

    def panel(self, region: str) -> tuple[HelpLine, ...]:
        """The region's lines, the emergency number first."""
        ...

    def what_happens(self, line: HelpLine) -> str:
        """What to expect when calling, in a sentence; empty if nothing is known."""
        ...

    def emergency(self, region: str) -> HelpLine:
        """The region's emergency number."""
        ...
