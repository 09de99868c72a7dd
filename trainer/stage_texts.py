"""The texts that screen and gate learn from: read, marked for each output, and parted by family."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhdesk.core.messages import Role
from mhdesk.safety.learnt import ENGLISH
from trainer.dialogues import read_dialogues
from trainer.errors import BadConfiguration, BadSentences
from trainer.marked_text import MarkedText, read_marked
from trainer.safety_cases import LEVELS, VERDICTS

_HEAVY_TOPICS = frozenset({
    "low_mood", "low mood, asked directly", "emptiness", "bereaved_by_suicide", "after_bad_time", "eating", "drinking",
    "medicine", "nothing_helps", "suspicion", "worried_friend",
})  # fmt: skip
"""Of these some turns are rightly watched, and nobody has marked which."""
_ENGLISH_SHARE = 0.97
"""Of plain letters and signs, where a file of outputs does not say its language."""
_OTHER_LANGUAGE = re.compile(r"outputs-\d+-[a-z]|(?!en$)[a-z]{2}(-Latn)?$")
"""The name of a file in one language other than English, such as `outputs-8-es` or `es`."""


def read_texts(kind: str, names: Sequence[str], folder: Path) -> tuple[list[MarkedText], list[Path]]:
    """The sentences of some files, whose names may hold stars, and the files.

    Of dialogues (JSONL) the gate's stage reads the supporter's words, the screen's the person's; of the app's own fixed
    words (JSON) the gate's reads all. None of these may be stopped, or bring a card.

    Raises:
        BadConfiguration: there is no such file.
        BadSentences: a file cannot be used.
    """
    paths = sorted({path for name in names for path in folder.glob(name)})
    if not paths:
        raise BadConfiguration("No file of sentences matches the configuration.")
    marked = [path for path in paths if path.suffix == ".txt"]
    spoken = [path for path in paths if path.suffix == ".jsonl"]
    fixed = [path for path in paths if path.suffix == ".json"]
    texts = read_marked(marked, LEVELS if kind == "screen" else VERDICTS)
    if spoken:
        texts += _asked(spoken) if kind == "screen" else _replies(spoken)
    return texts + [text for path in fixed for text in _fixed_words(path)], paths


def _replies(paths: Sequence[Path]) -> list[MarkedText]:
    """What the supporter says in dialogues written for training: all of it may pass the gate."""
    return [
        MarkedText(message.text, "pass", (), "reply", dialogue.id, "en-replies")
        for dialogue in read_dialogues(paths)
        for message in dialogue.messages
        if message.role is Role.ASSISTANT
    ]


def _asked(paths: Sequence[Path]) -> list[MarkedText]:
    """What the person says in dialogues written for training: everyday distress, but for those on a heavy topic."""
    return [
        MarkedText(message.text, "none", (), "turns", dialogue.id, "en-asked")
        for dialogue in read_dialogues(paths)
        if dialogue.topic not in _HEAVY_TOPICS
        for message in dialogue.messages
        if message.role is Role.USER
    ]


def _fixed_words(path: Path) -> list[MarkedText]:
    """Every text of a JSON file of the app's own words, each a family of its own.

    Raises:
        BadSentences: the file cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadSentences(f"The file {path} cannot be read as JSON. Please check it.") from None
    return [MarkedText(text, "pass", (), "fixed", text, path.stem) for text in _strings(values)]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if " " in value else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _strings(part)]


def fold_of(text: MarkedText, folds: int) -> int:
    """Which part the family of `text` belongs to."""
    return int(place_of(text, "fold") * folds)


def place_of(text: MarkedText, purpose: str) -> float:
    """Where the family of `text` falls between 0 and 1, by chance but the same in every run; each `purpose` anew."""
    family = f"{purpose} {text.source}/{text.family}"
    return int.from_bytes(hashlib.sha256(family.encode()).digest()[:4], "big") / 2**32


def labels_of(text: MarkedText, outputs: Sequence[str], kind: str) -> NDArray[np.bool_]:
    """What each of `outputs` should say of `text`."""
    marked = set(text.topics) if text.mark not in ("none", "pass") else set()
    if kind == "screen":
        marked |= {"crisis"} if text.mark == "crisis" else set()
        marked |= {"alert"} if text.mark != "none" else set()
        marked |= {ENGLISH} if text.language == "en" else set()
    else:
        marked |= {"stop"} if text.mark == "stop" else set()
        plain = sum(sign.isascii() for sign in text.text) > _ENGLISH_SHARE * len(text.text)
        marked |= {ENGLISH} if plain and not _OTHER_LANGUAGE.match(text.source) else set()
    return np.array([output in marked for output in outputs])


def harmless_of(texts: Sequence[MarkedText]) -> NDArray[np.bool_]:
    """Which texts may pass, or bring nothing."""
    return np.array([text.mark in ("none", "pass") for text in texts])
