"""What a turn tells whoever shows it: one frozen dataclass an event, and the JSON that `chat --json` prints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mhdesk.core.levels import Level, Topic


class Source(StrEnum):
    """Whether words come from the model (released by the gate) or are fixed words of the program."""

    MODEL = "model"
    FIXED = "fixed"


class FinishState(StrEnum):
    """How a turn ended: in full, stopped by the person, or replaced by a fixed reply."""

    DONE = "done"
    STOPPED = "stopped"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One line of help as it is shown: `voice`, `text` and `chat` are as dialled or opened there; empty if none."""

    name: str
    audience: str
    voice: str = ""
    text: str = ""
    chat: str = ""
    hours: str = ""
    languages: tuple[str, ...] = ()
    cost: str = ""
    kind: str = "crisis"
    evidence: str = "unconfirmed"
    source_url: str = ""
    source_copy_date: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, empty fields left out."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["languages"] = list(self.languages)
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Screened:
    """The screen has read the person's words."""

    level: Level
    topics: tuple[Topic, ...]

    def to_json(self) -> dict[str, Any]:
        return {"event": "screened", "level": self.level.value, "topics": [topic.value for topic in self.topics]}


@dataclass(frozen=True, slots=True)
class Card:
    """The region's lines, most fitting first. `topic` is what they were chosen for, `suicide` if nothing narrower."""

    region: str
    topic: Topic
    lines: tuple[HelpLine, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "event": "card",
            "region": self.region,
            "topic": self.topic.value,
            "lines": [line.to_json() for line in self.lines],
        }


@dataclass(frozen=True, slots=True)
class Text:
    """Words to append to the reply."""

    text: str
    source: Source

    def to_json(self) -> dict[str, Any]:
        return {"event": "text", "text": self.text, "source": self.source.value}


@dataclass(frozen=True, slots=True)
class Replaced:
    """What was shown of this reply is gone; `text` stands in its place."""

    text: str
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"event": "replaced", "text": self.text, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Window:
    """What the model is given of the conversation: turns before `first_kept_turn` have left its window."""

    prompt_tokens: int
    first_kept_turn: int
    template_sha256: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn is over. Times are in seconds from the moment the request was sent; None where no model was called."""

    state: FinishState
    prompt_tokens: int = 0
    new_tokens: int = 0
    first_token_s: float | None = None
    total_s: float = 0.0
    first_kept_turn: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "event": "finished",
            "state": self.state.value,
            "prompt_tokens": self.prompt_tokens,
            "new_tokens": self.new_tokens,
            "first_token_s": None if self.first_token_s is None else round(self.first_token_s, 4),
            "total_s": round(self.total_s, 4),
            "first_kept_turn": self.first_kept_turn,
        }


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn could not be finished; `sentence` says why and what to do. What was shown before stays."""

    sentence: str

    def to_json(self) -> dict[str, Any]:
        return {"event": "failed", "sentence": self.sentence}


SessionEvent = Screened | Card | Text | Replaced | Window | Finished | Failed
"""Everything a turn yields. It ends with exactly one `Finished` or `Failed`. `Window` is for the view only."""
