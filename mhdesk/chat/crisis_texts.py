"""The texts of resources/crisis: a file for each language, checked for its form while loading."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from mhdesk.core.errors import MHDeskError
from mhdesk.core.levels import Topic
from mhdesk.core.paths import resources_dir

log = logging.getLogger(__name__)

ENGLISH: Final = "en"
STEP: Final = "{step}"
"""Where a text of `own_plan` has the step of the person's own safety plan."""

_PROGRAM: Final = {
    "en": "program", "es": "programa", "fr": "programme", "de": "programm", "pt": "programa", "it": "programma",
    "nl": "programma", "hi": "प्रोग्राम", "hi-Latn": "program", "ar": "برنامج", "ja": "プログラム", "zh": "程序",
}  # fmt: skip
"""The word by which a text says what is speaking."""


class BadReplies(MHDeskError):
    """A file of crisis replies breaks its format."""


@dataclass(frozen=True, slots=True)
class Script:
    """The texts of one topic.

    `first` opens it; `first_plain` does where the person has said it plainly (suicide and self-harm only).
    The others are the stages a talk goes through, each text one step.
    """

    acknowledge: tuple[str, ...]
    first: tuple[str, ...]
    ask: tuple[str, ...]
    people: tuple[str, ...]
    safer: tuple[str, ...]
    stay: tuple[str, ...]
    first_plain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrisisTexts:
    """Everything written in one language.

    `danger_now`: the emergency number comes first. `own_plan`: brings in a step of the person's own safety plan.
    `young_people`, `young_safer`: beside the topic's own, for someone who is not grown up.
    """

    danger_now: tuple[str, ...]
    own_plan: tuple[str, ...]
    young_people: tuple[str, ...]
    young_safer: tuple[str, ...]
    topics: Mapping[Topic, Script]


def load_crisis_texts(folder: Path | None = None) -> dict[str, CrisisTexts]:
    """The texts in `folder` (resources/crisis if not given) by language. Another language's broken file is left out.

    Raises:
        BadReplies: the English file is missing or breaks the format.
    """
    folder = folder or resources_dir() / "crisis"
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = read_crisis_texts(path)
        except BadReplies:
            if path.stem == ENGLISH:
                raise
            log.error("the crisis replies in %s cannot be used", path.name)
    if ENGLISH not in found:
        raise BadReplies("The English crisis replies are missing.")
    return found


def read_crisis_texts(path: Path) -> CrisisTexts:
    """The texts in one file.

    Raises:
        BadReplies: it cannot be read, or a part is missing, empty, unknown or no list of texts.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadReplies(f"The crisis replies in {path.name} cannot be read.") from error
    whole = _parts(raw, ("danger_now", "own_plan", "young", "topics"), path.name)
    young = _parts(whole["young"], ("people", "safer"), f"{path.name}, young")
    topics = _parts(whole["topics"], [topic.value for topic in Topic], f"{path.name}, topics")
    own_plan = _texts(whole["own_plan"], f"{path.name}, own_plan")
    if any(text.count(STEP) != 1 for text in own_plan):
        raise BadReplies(f"A text of {path.name}, own_plan, has no single place for the step.")
    program = _PROGRAM.get(path.stem, "")
    return CrisisTexts(
        _texts(whole["danger_now"], f"{path.name}, danger_now"),
        own_plan,
        _texts(young["people"], f"{path.name}, young people"),
        _texts(young["safer"], f"{path.name}, young safer"),
        {Topic(name): _script(parts, program, f"{path.name}, {name}") for name, parts in topics.items()},
    )


def _script(raw: Any, program: str, where: str) -> Script:
    required = [field.name for field in fields(Script) if field.name != "first_plain"]
    names = [*required, "first_plain"] if isinstance(raw, dict) and "first_plain" in raw else required
    parts = {name: _texts(texts, f"{where}, {name}") for name, texts in _parts(raw, names, where).items()}
    # Whoever has just been pointed to people must not wait for a call that never comes, so this is said at once.
    parts["people"] = tuple(sorted(parts["people"], key=lambda text: program not in text.casefold()))
    return Script(**parts)


def _parts(raw: Any, names: Iterable[str], where: str) -> dict[str, Any]:
    if not isinstance(raw, dict) or set(raw) != set(names):
        raise BadReplies(f"The crisis replies lack a part or have an unknown one: {where}.")
    return raw


def _texts(raw: Any, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not raw or not all(isinstance(text, str) and text.strip() for text in raw):
        raise BadReplies(f"The crisis replies have a part that is no list of texts: {where}.")
    return tuple(raw)
