"""A conversation that lives in memory only and is gone with the program. Also what `chat` on the command line uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mhdesk.core.events import FinishState
from mhdesk.core.levels import Verdict
from mhdesk.core.messages import Message
from mhdesk.core.saved_turn import SavedTurn


class MemoryConversation:
    """Keeps one conversation (the port `chat.ports.ConversationStore`)."""

    def __init__(self) -> None:
        self._turns: list[SavedTurn] = []

    async def begin_turn(self, user: Message, verdict: Verdict) -> int:
        """Keep the user's words; gives the turn's number."""
        self._turns.append(SavedTurn(user, verdict))
        return len(self._turns) - 1

    async def update_reply(self, turn: int, reply: str, *, fixed: bool) -> None:
        """Keep what is shown of the reply."""
        self._turns[turn] = replace(self._turns[turn], reply=reply, fixed=fixed)

    async def finish_turn(self, turn: int, state: FinishState | None) -> None:
        """Note how the turn ended."""
        self._turns[turn] = replace(self._turns[turn], state=state)

    async def turns(self) -> Sequence[SavedTurn]:
        """All turns, oldest first."""
        return tuple(self._turns)

    async def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()
