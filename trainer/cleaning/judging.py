"""Rows as the app's own screen and gate see them: what the gate would stop, and crises that are left alone."""

from __future__ import annotations

from functools import cache
from typing import Final

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.safety.gate import Gate
from mhdesk.safety.screen import Screen
from trainer.cleaning.guidance import guides
from trainer.rows import Row
from trainer.settings.clean import CleanSettings

FORBIDDEN: Final = "forbidden_"
"""Followed by the gate's reason."""
UNGUIDED: Final = "unguided_crisis"


def reason_to_drop(row: Row, settings: CleanSettings) -> str:
    """Why screen or gate leave `row` out; empty if they do not, or are not asked."""
    forbidden = _forbidden(row) if settings.drop_forbidden_answers else ""
    return forbidden or (_unguided(row) if settings.drop_unguided_crisis else "")


def _forbidden(row: Row) -> str:
    for turn in row.turns:
        if turn.role is Role.ASSISTANT:
            stop = _gate().stop_of(turn.text)
            if stop is not None:
                return FORBIDDEN + stop.reasons[0]
    return ""


def _unguided(row: Row) -> str:
    """A crisis must be answered, there or later in the conversation, by where help is."""
    for place, turn in enumerate(row.turns):
        if turn.role is not Role.USER or _is_guided(row.turns[place:]):
            continue
        if _screen().assess(row.turns[: place + 1]).level is Level.CRISIS:
            return UNGUIDED
    return ""


def _is_guided(turns: tuple[Message, ...]) -> bool:
    return any(guides(turn.text) for turn in turns if turn.role is Role.ASSISTANT)


@cache
def _gate() -> Gate:
    return Gate.load()


@cache
def _screen() -> Screen:
    return Screen.load()
