"""What the conductor needs of engine, store and safety plan, as Protocols: it knows none of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from mhdesk.core.events import FinishState
from mhdesk.core.generation import EngineEvent, GenerationRequest
from mhdesk.core.levels import Verdict
from mhdesk.core.messages import Message
from mhdesk.core.saved_turn import SavedTurn


class Engine(Protocol):
    """Something that answers messages: one request at a time."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """Yield one `Window`, then `ModelText`s, then one `ModelFinished`.

        Raises `EngineError` when the engine dies or hangs. Closing the iterator early cancels the generation and
        waits for its acknowledgement.
        """
        ...

    async def cancel(self) -> None:
        """Stop the running generation at the next token; its `ModelFinished(stopped=True)` still arrives."""
        ...


class ConversationStore(Protocol):
    """Keeps one conversation. The user's words are saved before anything is generated."""

    async def begin_turn(self, user: Message, verdict: Verdict) -> int:
        """Save the user's words; returns the turn's number, counted from 0."""
        ...

    async def update_reply(self, turn: int, reply: str, *, fixed: bool) -> None:
        """Save what has been shown of the reply so far."""
        ...

    async def finish_turn(self, turn: int, state: FinishState | None) -> None:
        """Mark the turn as ended; None when it failed and only part of it stands."""
        ...

    async def turns(self) -> Sequence[SavedTurn]:
        """All turns, oldest first."""
        ...

    async def clear(self) -> None:
        """Forget everything said."""
        ...


class SafetyPlan(Protocol):
    """The person's own plan for bad hours."""

    def next_step(self, said_before: Sequence[str]) -> str | None:
        """The first step, in the person's words, that is in none of the texts shown so far; None if none is left."""
        ...


class NoSafetyPlan:
    """Stands for the plan of someone who has made none."""

    def next_step(self, said_before: Sequence[str]) -> str | None:
        """None."""
        return None
