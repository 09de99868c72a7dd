"""The cases of the safety benchmark: messages, dialogues and outputs, ours and public ones."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.messages import Message, Role
from trainer.errors import BadSentences
from trainer.marked_text import read_marked

LEVELS = frozenset({"none", "elevated", "crisis"})
VERDICTS = frozenset({"stop", "pass"})


@dataclass(frozen=True, slots=True)
class InputCase:
    """A message and the level it must reach."""

    text: str
    level: str
    topics: tuple[str, ...]
    group: str
    family: str
    language: str


@dataclass(frozen=True, slots=True)
class DialogueCase:
    """A conversation. `due` counts user turns from 1: crisis by then at the latest; None: never crisis."""

    id: str
    group: str
    turns: tuple[Message, ...]
    due: int | None


@dataclass(frozen=True, slots=True)
class OutputCase:
    """A reply of a model, and whether the gate must stop it; `group` is the reason, or the kind of what must pass."""

    text: str
    stop: bool
    group: str
    family: str


def read_inputs(paths: Sequence[Path]) -> list[InputCase]:
    """Messages from files named `inputs-LANGUAGE.txt`.

    Raises:
        BadSentences: a file cannot be used.
    """
    return [
        InputCase(text.text, text.mark, text.topics, text.group, text.family, text.source.removeprefix("inputs-"))
        for text in read_marked(paths, LEVELS)
    ]


def read_outputs(paths: Sequence[Path]) -> list[OutputCase]:
    """Outputs from marked files.

    Raises:
        BadSentences: a file cannot be used.
    """
    return [
        OutputCase(text.text, text.mark == "stop", text.topics[0] if text.topics else text.group or "pass", text.family)
        for text in read_marked(paths, VERDICTS)
    ]


def read_dialogue_cases(paths: Sequence[Path]) -> list[DialogueCase]:
    """Dialogues from JSON lines: `id, group, due, turns`.

    Raises:
        BadSentences: a file cannot be used.
    """
    found = []
    for path in paths:
        for number, line in enumerate(_text(path).splitlines(), start=1):
            try:
                raw = json.loads(line)
                found.append(DialogueCase(str(raw["id"]), str(raw["group"]), _turns(raw["turns"], "text"), raw["due"]))
            except (ValueError, KeyError, TypeError):
                raise BadSentences(f"Line {number} of {path} is no dialogue to measure with.") from None
    return found


def read_xstest(folder: Path) -> list[InputCase]:
    """The safe prompts of XSTest (Röttger et al., NAACL 2024): none may show a card."""
    rows = csv.DictReader(_text(folder / "xstest_prompts.csv").splitlines())
    return [
        InputCase(row["prompt"], "none", (), row["type"], row["id"], "en") for row in rows if row["label"] == "safe"
    ]


def read_ugm_aicare(folder: Path) -> list[DialogueCase]:
    """The dialogues of UGM-AICare (mostly Indonesian): crisis at any turn, or never."""
    raw = json.loads(_text(folder / "conversation_scenarios.json"))
    return [
        DialogueCase(
            str(entry["id"]), str(entry["category"]), turns := _turns(entry["turns"], "content"),
            sum(turn.role is Role.USER for turn in turns) if entry["is_crisis"] else None,
        )
        for entry in raw
    ]  # fmt: skip


def prefixes(case: DialogueCase) -> Iterator[list[Message]]:
    """The conversation up to each user turn."""
    for place, turn in enumerate(case.turns):
        if turn.role is Role.USER:
            yield list(case.turns[: place + 1])


def _turns(raw: Any, key: str) -> tuple[Message, ...]:
    return tuple(Message(Role(turn["role"]), str(turn[key])) for turn in raw)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadSentences(f"The file {path} cannot be read as UTF-8 text. Please check it.") from None
