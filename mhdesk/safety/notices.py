"""The notices that the law and fairness ask for (sources in the safety protocol): what this program is, and is not.

At the start and every three hours of a conversation that goes on: a computer program, no human being (New York General
Business Law, article 47); for known minors with a reminder to take a break (California SB 243). Before first use and
after seven days away: what this is (Utah HB 452).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from mhdesk.core.paths import resources_dir

EVERY = timedelta(hours=3)
AWAY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Notices:
    """The wording.

    `what_this_is` has a heading and short paragraphs, `what_is_kept` being the last of them. `under_13` is said instead
    of a chat, `under_13_short` stands where one types. `age_why` says why the question is asked.
    """

    disclaimer: str
    ai_notice: str
    break_reminder: str
    what_this_is_heading: str
    what_this_is: tuple[str, ...]
    what_is_kept: str
    age_question: str
    age_why: str
    under_13: str
    under_13_short: str
    when_asked: str


@cache
def load_notices() -> Notices:
    """The shipped wording."""
    raw: dict[str, Any] = json.loads((resources_dir() / "notices.json").read_text(encoding="utf-8"))
    values = {field.name: raw[field.name] for field in fields(Notices)}
    return Notices(**values | {"what_this_is": tuple(raw["what_this_is"])})


def disclaimer() -> str:
    """Self-help and support, no substitute for professional advice."""
    return load_notices().disclaimer


def ai_notice() -> str:
    """A computer program, no human being, without human emotion."""
    return load_notices().ai_notice


def under_13() -> str:
    """What is said instead of a chat to someone under 13."""
    return load_notices().under_13


def when_asked() -> str:
    """The answer to whoever asks if this is a human being (Utah HB 452)."""
    return load_notices().when_asked


def was_away(last_used: str, today: date) -> bool:
    """Whether what this is has to be said again: never used, away for seven days, or a day that cannot be."""
    try:
        day = date.fromisoformat(last_used)
    except ValueError:
        return True
    return day > today or today - day >= AWAY


class Reminder:
    """Says when a notice is due again. `now` gives the moment; it need not run evenly."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._shown_at = now()

    def shown(self) -> None:
        """The notice has just been shown."""
        self._shown_at = self._now()

    def is_due(self) -> bool:
        """Whether three hours have gone by. A clock that was put back must not put the notice off for longer."""
        now = self._now()
        self._shown_at = min(self._shown_at, now)
        return now - self._shown_at >= EVERY
