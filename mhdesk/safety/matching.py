"""Applying the rules to a text: hits, and what lowers them.

People mix languages, so every pack of a script reads the text; idioms of all of them are passed over, and a hit is
lowered by the modifiers of every language that the text speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from mhdesk.core.levels import Level
from mhdesk.safety.clauses import Clauses
from mhdesk.safety.languages import load_language_words
from mhdesk.safety.rules import Modifier, Pack, Rule

_MAX_HITS = 40
"""Hits of one rule looked at in one text: a text that repeats itself would only repeat the answer."""
_WINDOW = 400
"""Bytes of a sentence looked at on either side of a hit, so that an endless sentence costs no more than a short one."""
_WORDS_BEFORE = 3
_SPOKEN = 2
"""Short words of a language from which on a text is taken to speak it, if it has fewer of the rule's own."""
_WORDS_READ = 8_000
"""Bytes read for that; more would not make it any clearer."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that applies. `level` is after lowering; `id` says what lowered it; `start` is an offset in the text."""

    rule: Rule
    level: Level
    id: str
    start: int
    end: int


def find_hits(packs: Iterable[Pack], clauses: Clauses, *, in_context: bool) -> list[Hit]:
    """The weightiest hit of each rule in each pack that applies."""
    by_script = sorted(packs, key=lambda pack: pack.script)
    return [
        hit
        for _, group in groupby(by_script, key=lambda pack: pack.script)
        for matcher in _Tongues(tuple(group), clauses).matchers()
        for hit in matcher.hits(in_context=in_context)
    ]


def has_idiom(packs: Iterable[Pack], data: bytes) -> bool:
    """Whether an idiom of one of `packs` stands in a text."""
    return any(pack.idioms is not None and pack.idioms.search(data) is not None for pack in packs)


class _Tongues:
    """One text and the packs of one script."""

    def __init__(self, packs: Sequence[Pack], clauses: Clauses) -> None:
        self._packs = packs
        self._clauses = clauses

    def matchers(self) -> Iterator[Matcher]:
        data = self._clauses.data
        for pack in self._packs:
            data = _masked(data, pack.idioms)
        for pack in self._packs:
            if pack.needs is None or pack.needs.search(self._clauses.data):
                yield Matcher(pack, self, self._clauses, _masked(data, pack.blind_to))

    def lent(self, borrower: Pack, rule: Rule) -> Iterator[Modifier]:
        """What other spoken languages call by the names of the modifiers of `rule`."""
        own = self._score.get(borrower.language, 0)
        names = {modifier.name for modifier in rule.modifiers}
        for pack in self._packs:
            if pack is not borrower and self._score.get(pack.language, 0) >= max(own + 1, _SPOKEN):
                # Not the short words of denial: one language's "no" is another's "in the".
                yield from (one for one in pack.modifiers if one.name in names and one.scope != "near")

    @cached_property
    def _score(self) -> dict[str, int]:
        words = self._clauses.data[:_WORDS_READ].decode(errors="replace").split()
        known = load_language_words().latin
        return {language: sum(word in own for word in words) for language, own in known.items()}


class Matcher:
    """One text, its idioms blotted out, against one pack."""

    def __init__(self, pack: Pack, tongues: _Tongues, clauses: Clauses, data: bytes) -> None:
        self._pack = pack
        self._tongues = tongues
        self._clauses = clauses
        self._data = data
        self._undone: dict[int, bool] = {}

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
        if level is rule.level:
            for modifier in self._tongues.lent(self._pack, rule):
                if self._applies(modifier, sentence, start, end):
                    level = Level.ELEVATED if level is Level.CRISIS else Level.NONE
                    name = f"{rule.id}/{modifier.name}"
                    break
        return None if level is Level.NONE else Hit(rule, level, name, start, end)

    def _applies(self, modifier: Modifier, sentence: bytes, start: int, end: int) -> bool:
        if modifier.scope == "near":
            region = self._near(start, end)
        elif modifier.scope == "quoted":
            if not self._clauses.quoted(start, end):
                return False
            region = sentence
        elif modifier.scope == "around":
            region = self._data[max(0, start - _WINDOW) : end + _WINDOW]
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
        if id(modifier) not in self._undone:
            self._undone[id(modifier)] = modifier.undone.search(self._data) is not None
        return self._undone[id(modifier)]


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
