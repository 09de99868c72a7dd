"""What the window needs of the rest of the program, as Protocols: it can be built round anything that keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mhdesk.chat.ports import Engine
from mhdesk.core.events import HelpLine, SessionEvent
from mhdesk.core.settings import AgeBand
from mhdesk.safety.hours import Opening


class Conversation(Protocol):
    """One conversation, kept by whoever implements it; `chat.session.Session` does."""

    async def prepare(self) -> None:
        """Read what the first message would otherwise wait for; called once the window is painted."""
        ...

    def send(self, text: str) -> AsyncIterator[SessionEvent]:
        """Say `text`; yields what happens, ending with one `Finished` or `Failed`.

        Raises `BadMessage` before anything has happened when `text` cannot be sent.
        """
        ...

    async def must_not_wait(self, text: str) -> bool:
        """Whether `text`, written while a reply runs, needs an answer at once. Nothing is said or kept by asking."""
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

    def panel(self, region: str, age_band: AgeBand) -> tuple[HelpLine, ...]:
        """The region's lines, the emergency number first, then what fits the age."""
        ...

    def opening(self, line: HelpLine, region: str, now: datetime) -> Opening:
        """Whether a line is open at a moment, as far as that is certain."""
        ...

    def what_happens(self, line: HelpLine) -> str:
        """What to expect when calling, in a sentence; empty if nothing is known."""
        ...

    def emergency(self, region: str) -> HelpLine:
        """The region's emergency number."""
        ...


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """A base model on this computer. `why_not` says in a sentence why it cannot be used, empty if it can.

    `weights_bytes` and `memory_bytes` (what running it takes) are None where they are not known.
    """

    name: str
    title: str
    licence: str = ""
    weights_bytes: int | None = None
    memory_bytes: int | None = None
    in_use: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class AdapterOffer:
    """An adapter on this computer. `base` is the model it fits, as people call it, empty if nobody knows."""

    name: str
    base: str = ""
    measured: bool = False
    in_use: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be chosen, and the memory in bytes that is there for a model."""

    models: tuple[ModelOffer, ...]
    adapters: tuple[AdapterOffer, ...]
    memory_bytes: int


class ModelChoice(Protocol):
    """Which model and adapter there are; one that is chosen is in use at once and stays so after a restart."""

    async def offers(self) -> Offers:
        """What there is now."""
        ...

    async def use_model(self, name: str) -> str:
        """Use a base model; gives what else should be said about it, empty if nothing.

        Raises `MHDeskError` when it cannot be used, and what was in use before still is.
        """
        ...

    async def use_adapter(self, name: str) -> str:
        """Use an adapter, none if `name` is empty. Gives and raises what `use_model` does."""
        ...
