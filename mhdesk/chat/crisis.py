"""What the program itself says while a message is at level crisis. The model is silent then.

The order follows what guidance agrees on, in our own words: acknowledge, ask directly, people and lines, make it safer,
stay. No contract, no leading question, no telephone number (the card has them), no end to the talk.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from mhdesk.core.errors import MHDeskError
from mhdesk.core.levels import Topic, Verdict
from mhdesk.core.paths import resources_dir

_STAGES: Final = ("ask", "people", "safer", "stay")
_REQUIRED: Final = frozenset({"acknowledge", "first", *_STAGES})
_KEYS: Final = _REQUIRED | {"first_plain"}


class BadReplies(MHDeskError):
    """The file of crisis replies breaks its format."""


@dataclass(frozen=True, slots=True)
class _Script:
    """The texts of one topic. `first` opens it; `first_plain` does where the person has already said it plainly."""

    acknowledge: tuple[str, ...]
    first: tuple[str, ...]
    first_plain: tuple[str, ...]
    stages: Mapping[str, tuple[str, ...]]

    @property
    def steps(self) -> tuple[str, ...]:
        """All steps, in the order of the stages: first of each, second of each, and so on."""
        longest = max(map(len, self.stages.values()))
        return tuple(
            self.stages[stage][row] for row in range(longest) for stage in _STAGES if row < len(self.stages[stage])
        )


class CrisisReplies:
    """Chooses among the texts in resources/crisis by topic and by what was said before."""

    def __init__(
        self, scripts: Mapping[Topic, _Script], danger_now: Sequence[str], plain_rules: Collection[str]
    ) -> None:
        self._scripts = dict(scripts)
        self._danger_now = tuple(danger_now)
        self._plain_rules = frozenset(plain_rules)

    @classmethod
    def load(cls, path: Path | None = None) -> CrisisReplies:
        """The replies in `path` (the program's English ones if not given).

        Raises:
            BadReplies: a topic or a part is missing, or there is one that is not known.
        """
        path = path or resources_dir() / "crisis" / "en.json"
        raw = json.loads(path.read_text(encoding="utf-8"))
        topics = {topic.value for topic in Topic}
        if set(raw) != {"plain_rules", "danger_now", "topics"} or set(raw["topics"]) != topics:
            raise BadReplies("The crisis replies need a script for each topic, and nothing else.")
        scripts = {Topic(name): _script(name, parts) for name, parts in raw["topics"].items()}
        return cls(scripts, raw["danger_now"], raw["plain_rules"])

    def choose(self, verdict: Verdict, said_before: Collection[str], turn: int) -> str:
        """A text that is not in `said_before`, made of parts that were said least.

        Args:
            verdict: of the person's last message.
            said_before: every fixed text shown in this conversation.
            turn: number of the turn in the conversation; only shifts where the search begins.
        """
        topic = verdict.topics[0] if verdict.topics else Topic.SUICIDE
        script = self._scripts[topic]
        # The medical script opens with the emergency number anyway.
        urgent = self._danger_now if verdict.danger_now and topic is not Topic.MEDICAL else ()
        said = "\n".join(said_before)
        for parts in self._candidates(script, verdict, urgent, said, turn):
            text = " ".join(parts)
            if text not in said_before:
                return text
        # Thousands of turns would be needed to come here; even then the person is not left without an answer.
        return f"{script.acknowledge[0]} {script.first[0]} ({turn})"

    def _candidates(
        self, script: _Script, verdict: Verdict, danger: Sequence[str], said: str, turn: int
    ) -> Iterator[tuple[str, ...]]:
        acknowledgements = _least_said(script.acknowledge, said, turn)
        opening = script.first
        if script.first_plain and self._said_plainly(verdict):
            opening = script.first_plain
        opened = any(text in said for text in script.first + script.first_plain)
        urgent = [text for text in danger if text not in said]
        if not opened:
            lead = tuple(urgent[:1])
            yield from ((acknowledgement, *lead, opening[0]) for acknowledgement in acknowledgements)
        elif urgent:
            yield from ((acknowledgement, urgent[0]) for acknowledgement in acknowledgements)
        steps = _least_said(script.steps, said, 0)
        # The step is what leads on, so its turn comes round before any acknowledgement's does.
        yield from ((acknowledgement, step) for step, acknowledgement in product(steps, acknowledgements))
        pairs = product(steps, acknowledgements, acknowledgements)
        yield from ((one, other, step) for step, one, other in pairs if one != other)

    def _said_plainly(self, verdict: Verdict) -> bool:
        names = {rule.removeprefix("en.") for rule in verdict.rules}
        return not names.isdisjoint(self._plain_rules)


def _least_said(texts: Sequence[str], said: str, shift: int) -> list[str]:
    """`texts`, those said least often first; equals in their own order, begun at `shift`."""
    start = shift % len(texts)
    return sorted((*texts[start:], *texts[:start]), key=said.count)


def _script(name: str, raw: Any) -> _Script:
    if not isinstance(raw, dict) or not set(raw) >= _REQUIRED or not set(raw) <= _KEYS:
        raise BadReplies(f"The crisis replies on {name} lack a part or have an unknown one.")
    parts = {key: tuple(texts) for key, texts in raw.items()}
    if any(not parts[key] for key in _REQUIRED):
        raise BadReplies(f"The crisis replies on {name} have an empty part.")
    stages = {stage: parts[stage] for stage in _STAGES}
    return _Script(parts["acknowledge"], parts["first"], parts.get("first_plain", ()), stages)
