"""The row that goes from stage to stage: a conversation, and where it is from. One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from mhdesk.core.messages import Message, Role
from trainer.errors import BadRows

ROWS = "rows.jsonl"
"""What every stage that gives rows calls them."""


class Side(IntEnum):
    """Where a row stands."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2

    @property
    def label(self) -> str:
        """Its name in manifests and file names."""
        return self.name.lower()

    @property
    def file(self) -> str:
        """What its rows are called."""
        return f"{self.label}.jsonl"


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation that begins with the person and ends with the supporter. Ids are unique in a file."""

    id: str
    source: str
    """Name of the source in the configuration."""
    group: str
    """Rows of one group (answers to one question, say) never stand on both sides of a split."""
    turns: tuple[Message, ...]
    licence: str
    commercial: bool
    """False where the licence forbids commercial use."""
    topic: str = ""
    votes: int | None = None
    author: str = ""
    """Who wrote the answer, as the source says; the stage `clean` needs it to take the name out, and empties it."""
    parent: str = ""
    """Id of the row that a synthetic one was made from."""
    made_by: str = ""
    """The model that made a synthetic row."""

    @property
    def is_synthetic(self) -> bool:
        """Whether a language model wrote it."""
        return bool(self.parent)

    def to_json(self) -> str:
        """One line, keys in a fixed order, so that equal rows are equal bytes."""
        values = {
            "id": self.id, "source": self.source, "group": self.group, "topic": self.topic,
            "turns": [turn.to_json() for turn in self.turns],
            "licence": self.licence, "commercial": self.commercial, "votes": self.votes, "author": self.author,
            "parent": self.parent, "made_by": self.made_by,
        }  # fmt: skip
        return json.dumps(values, ensure_ascii=False)


def check_turns(turns: tuple[Message, ...]) -> None:
    """Refuse what no model can be trained on.

    Raises:
        ValueError: the turns do not alternate from person to supporter, or one is empty.
    """
    if not turns or len(turns) % 2:
        raise ValueError("a conversation begins with the person and ends with the supporter")
    if [turn.role for turn in turns] != [Role.USER, Role.ASSISTANT] * (len(turns) // 2):
        raise ValueError("person and supporter must take turns")
    if not all(turn.text.strip() for turn in turns):
        raise ValueError("a turn is empty")


def turns_of(values: Any) -> tuple[Message, ...]:
    """The turns in a list of `{"role", "text"}`.

    Raises:
        ValueError, KeyError, TypeError: it is none, or no model can be trained on it.
    """
    turns = tuple(Message(Role(turn["role"]), str(turn["text"])) for turn in values)
    check_turns(turns)
    return turns


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, one at a time.

    Raises:
        BadRows: the file or a line cannot be used; the sentence names both.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _row(line, path, number)
    except (OSError, UnicodeDecodeError):
        raise BadRows(f"The rows in {path} cannot be read as UTF-8 text. Please run the stage before again.") from None


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write `rows` to a file of an unfinished artefact; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(row.to_json() + "\n")
            count += 1
    return count


def _row(line: str, path: Path, number: int) -> Row:
    try:
        values: dict[str, Any] = json.loads(line)
        return Row(turns=turns_of(values.pop("turns")), **values)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRows(f"Line {number} of {path} is no row. Please run the stage before again.") from None
