"""A turn as the store keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from mhdesk.core.events import FinishState
from mhdesk.core.levels import Verdict
from mhdesk.core.messages import Message


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """A turn as it is kept: what was said, how it was read, and what was shown in answer."""

    user: Message
    verdict: Verdict
    reply: str = ""
    fixed: bool = False
    state: FinishState | None = None
