"""What of a conversation is given to the model. Pure functions over saved turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mhdesk.core.levels import Level, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.core.saved_turn import SavedTurn
from mhdesk.core.system_prompts import system_prompt

MAX_HISTORY_CHARS = 60_000
"""More than any window of 4,096 tokens holds; what is beyond it would only be rendered in order to be dropped."""

GENTLE_TURNS = 6
"""So many turns after a crisis or elevated one still get the gentle prompt."""


@dataclass(frozen=True, slots=True)
class ModelContext:
    """`messages` for the engine; the first user message in them belongs to turn `first_turn`."""

    messages: tuple[Message, ...]
    first_turn: int


def model_context(earlier: Sequence[SavedTurn], user: Message, verdict: Verdict, language: str = "en") -> ModelContext:
    """The system prompt that fits, the newest earlier turns, and the person's words. One user message a turn."""
    first = len(earlier)
    room = MAX_HISTORY_CHARS
    while first > 0:
        room -= len(earlier[first - 1].user.text) + len(earlier[first - 1].reply)
        if room < 0:
            break
        first -= 1
    messages = [system_prompt(_care(earlier, verdict), language)]
    for turn in earlier[first:]:
        messages.append(turn.user)
        if turn.reply:
            messages.append(Message(Role.ASSISTANT, turn.reply))
    return ModelContext((*messages, user), first)


def spoken(turns: Sequence[SavedTurn]) -> list[Message]:
    """The conversation as the screen reads it."""
    messages = []
    for turn in turns:
        messages.append(turn.user)
        if turn.reply:
            messages.append(Message(Role.ASSISTANT, turn.reply))
    return messages


def _care(earlier: Sequence[SavedTurn], verdict: Verdict) -> Level:
    recent = [turn.verdict.level for turn in earlier[-GENTLE_TURNS:]]
    return max([verdict.level, *recent], key=lambda level: level.severity)
