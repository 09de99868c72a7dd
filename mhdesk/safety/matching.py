"""Applying the rules of one language to a text: hits, and what lowers them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mhdesk.core.levels import Level
from mhdesk.safety.clauses import Clauses
from mhdesk.safety.rules import Modifier, Pack, Rule

_MAX_HITS = 40
"""Hits of one rule looked at in one text: a text that repeats itself would only repeat the answer."""
_WINDOW = 400
"""Bytes of a sentence looked at on either side of a hit, so that an endless sentence costs no more than a short one."""
_WORDS_BEFORE = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that applies. `level` is after lowering; `id` says what lowered it; `start` is an offset in the text."""

    rule: Rule
    level: Level
    id: str
    start: int
    end: int


class Matcher:
    """One text against one pack."""

    def __init__(self, pack: Pack, clauses: Clauses) -> None:
        self._pack = pack
        self._clauses = clauses
        self._data = _masked(clauses.data, pack.idioms)
        self._undone: dict[str, bool] = {}

    def hits(self, *, in_context: bool) -> Iterator[Hit]:
        """The weightiest hit of each rule that applies."""
        for rule in self._pack.rules:
            if rule.needs_context and not in_context:
                continue
            best: Hit | None = None
            for start, end in self._spans(rule):
                hit = self._weigh(rule, start, end)
                if hit is not None and (best is None or hit.level.severity > best.level.severity):
                    best = hit
                if best is not None and best.level is rule.level:
                    break
            if best is not None:
                yield best

    def _spans(self, rule: Rule) -> Iterator[tuple[int, int]]:
        """Where the rule's patterns stand; a span that holds a word it must not reach over is tried further on."""
        position = 0
        for _ in range(_MAX_HITS):
            match = rule.found.search(self._data, position)
            if match is None:
                return
            start, end = match.span()
            position = max(end, position + 1)
            if rule.not_across is not None:
                barrier = rule.not_across.search(self._data[start:end])
                if barrier is not None:
                    position = start + max(1, barrier.start())
                    continue
            yield start, end

    def _weigh(self, rule: Rule, start: int, end: int) -> Hit | None:
        first, last = self._clauses.sentence(start)
        first, last = max(first, start - _WINDOW), min(max(last, end), end + _WINDOW)
        sentence = self._data[first:last]
        if rule.unless is not None and rule.unless.search(sentence):
            return None
        level, name = rule.level, rule.id
        for modifier in rule.modifiers:
            if self._applies(modifier, sentence, start, end):
                lowered = Level.ELEVATED if rule.now and rule.level is Level.CRISIS else modifier.to
                if rule.level is Level.ELEVATED:
                    lowered = Level.NONE
                if lowered.severity < level.severity:
                    level, name = lowered, f"{rule.id}/{modifier.name}"
        return None if level is Level.NONE else Hit(rule, level, name, start, end)

    def _applies(self, modifier: Modifier, sentence: bytes, start: int, end: int) -> bool:
        if modifier.scope == "near":
            region = self._near(start, end)
        elif modifier.scope == "quoted":
            if not self._clauses.quoted(start, end):
                return False
            region = sentence
        else:
            region = sentence
        if modifier.excepted is not None:
            region = _masked(region, modifier.excepted)
        if modifier.found is not None and modifier.found.search(region) is None:
            return False
        return not self._is_undone(modifier)

    def _near(self, start: int, end: int) -> bytes:
        """The hit and a few words before it, from the last pause on: no "not" reaches over a comma."""
        begin = max(self._clauses.clause_start(end - 1), start - 60)
        if begin >= start:
            return self._data[begin:end]
        before = self._data[begin:start].split(b" ")
        return b" ".join(before[-_WORDS_BEFORE - 1 :]) + self._data[start:end]

    def _is_undone(self, modifier: Modifier) -> bool:
        if modifier.undone is None:
            return False
        if modifier.name not in self._undone:
            self._undone[modifier.name] = modifier.undone.search(self._data) is not None
        return self._undone[modifier.name]


def _masked(data: bytes, family: Any) -> bytes:
    """`data` with what `family` matches blotted out, offsets unchanged."""
    if family is None:
        return data
    blotted: bytearray | None = None
    for match in family.finditer(data):
        start, end = match.span()
        if blotted is None:
            blotted = bytearray(data)
        blotted[start:end] = bytes(byte if byte == 10 else 126 for byte in data[start:end])
    return data if blotted is None else bytes(blotted)
