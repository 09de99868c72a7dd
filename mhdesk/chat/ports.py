"""What the conductor needs of the engine and the store, as Protocols: it knows neither."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mhdesk.core.events import FinishState
from mhdesk.core.generation import EngineEvent, GenerationRequest
from mhdesk.core.levels import Verdict
from mhdesk.core.messages import Message


class Engine(Protocol):
    """Something that answers messages: one request at a time."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[EngineEvent]:
        """Yield one `Window`, then `ModelText`s, then one `ModelFinished`.

        Raises `EngineError` when the engine dies or hangs. Closing the iterator early cancels the generation and
        waits for its acknowledgement.
        """
        ...

    async def cancel(self) -> None:
        """Stop the running generation at the next token; its `ModelFinished(stopped=True)` still arrives."""
        ...


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """A turn as it is kept: what was said, how it was read, and what was shown in answer."""

    user: Message
    verdict: Verdict
    reply: str = ""
    fixed: bool = False
    state: FinishState | None = None


class ConversationStore(Protocol):
    """Keeps one conversation. The user's words are saved before anything is generated."""

    def begin_turn(self, user: Message, verdict: Verdict) -> int:
        """Save the user's words; returns the turn's number, counted from 0."""
        ...

    def update_reply(self, turn: int, reply: str, *, fixed: bool) -> None:
        """Save what has been shown of the reply so far."""
        ...

    def finish_turn(self, turn: int, state: FinishState | None) -> None:
        """Mark the turn as ended; None when it failed and only part of it stands."""
        ...

    def turns(self) -> Sequence[SavedTurn]:
        """All turns, oldest first."""
        ...

    def clear(self) -> None:
        """Forget everything said."""
        ...
