"""What the screen can say of a person's words (levels and topics of the published safety protocol)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How much care a message asks for. The order of severity is `none < elevated < crisis`."""

    NONE = "none"
    ELEVATED = "elevated"
    CRISIS = "crisis"

    @property
    def severity(self) -> int:
        """0, 1 or 2."""
        return list(Level).index(self)


class Topic(StrEnum):
    """What a message at level elevated or crisis is about."""

    SUICIDE = "suicide"
    SELF_HARM = "self_harm"
    THIRD_PARTY = "third_party"
    ABUSE = "abuse"
    VIOLENCE = "violence"
    MEDICAL = "medical"
    PSYCHOSIS = "psychosis"
    EATING = "eating"
    MINOR = "minor"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The screen's answer for the last user turn.

    `topics` are in order of weight. `rules` are the identifiers of the rules that decided, for `--explain`.
    `danger_now` says that a plan, means, an attempt or an emergency is under way: emergency number first.
    """

    level: Level
    topics: tuple[Topic, ...] = ()
    rules: tuple[str, ...] = ()
    danger_now: bool = False


NOTHING_FOUND = Verdict(Level.NONE)


@dataclass(frozen=True, slots=True)
class GateStop:
    """Why the gate stopped a reply: `reasons` are identifiers such as `number`, `address`, `method`."""

    reasons: tuple[str, ...] = field(default=())
