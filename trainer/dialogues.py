"""Reading the project's own dialogues as they were written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mhdesk.core.messages import Message, Role
from trainer.errors import BadDialogues


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation that begins with the person and ends with the supporter."""

    id: str
    topic: str
    messages: tuple[Message, ...]


def read_dialogues(paths: Sequence[Path]) -> list[Dialogue]:
    """All dialogues of some JSONL files, in order.

    Raises:
        BadDialogues: a file or line cannot be used; the sentence names both.
    """
    found: dict[str, Dialogue] = {}
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise BadDialogues(f"The dialogues {path} cannot be read as UTF-8 text. Please check the file.") from None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            dialogue = _dialogue(line, path, number)
            if dialogue.id in found:
                raise BadDialogues(f"Two dialogues are called {dialogue.id}; the second is line {number} of {path}.")
            found[dialogue.id] = dialogue
    if not found:
        raise BadDialogues("There are no dialogues to train on. Please check the files named in the configuration.")
    return list(found.values())


def _dialogue(line: str, path: Path, number: int) -> Dialogue:
    try:
        values = json.loads(line)
        messages = tuple(Message(Role(turn["role"]), turn["text"].strip()) for turn in values["turns"])
        dialogue = Dialogue(str(values["id"]), str(values.get("topic", "")), messages)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadDialogues(f"Line {number} of {path} is not a dialogue.") from None
    expected = [Role.USER, Role.ASSISTANT] * (len(messages) // 2)
    if not messages or [message.role for message in messages] != expected or not all(m.text for m in messages):
        raise BadDialogues(
            f"Line {number} of {path} must alternate between user and assistant, and end with the assistant."
        )
    return dialogue
