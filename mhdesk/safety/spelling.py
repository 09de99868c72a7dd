"""Putting right the words that rules depend on: misspelt, masked with stars, or run together.

Only a short list of words is known (resources/safety/spelling.yaml). A word one slip away from one of them is read as
that word unless it is listed as a word of its own. Symmetric deletion (W. Garbe, 2012) finds it without a dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_MAX_WORD: Final = 14
_MIN_FUZZY: Final = 5
_MAX_RUN: Final = 60
_MASK: Final = re.compile(r"[*#]+")


class Speller:
    """`correct` gives the words meant by one token. Answers are kept: texts repeat their words."""

    def __init__(
        self, keys: Iterable[str], own_words: Iterable[str], variants: Mapping[str, str], parts: Iterable[str]
    ) -> None:
        self._keys = frozenset(keys)
        self._own = frozenset(own_words) | self._keys
        self._variants = dict(variants)
        self._parts = frozenset(parts) | self._keys
        self._longest = max(map(len, self._parts), default=0)
        self._near: dict[str, list[str]] = {}
        for key in sorted(self._keys):
            if len(key) >= _MIN_FUZZY:
                for form in (key, *_deletions(key)):
                    self._near.setdefault(form, []).append(key)
        self._seen: dict[str, str] = {}

    def correct(self, word: str) -> str:
        """`word`, or what it was meant to be (several words parted by spaces if it was a run)."""
        found = self._seen.get(word)
        if found is None:
            found = self._look_up(word)
            if len(self._seen) < 50_000:
                self._seen[word] = found
        return found

    def _look_up(self, word: str) -> str:
        if word in self._variants:
            return self._variants[word]
        if not word.isascii() or word in self._own:
            return word
        if "*" in word or "#" in word:
            return self._unmasked(word)
        if not word.isalpha():
            return word
        if _MIN_FUZZY - 1 <= len(word) <= _MAX_WORD:
            for form in (word, *_deletions(word)):
                for key in self._near.get(form, ()):
                    if word[0] == key[0] and _one_slip(word, key):
                        return key
        if 8 <= len(word) <= _MAX_RUN:
            return self._parted(word)
        return word

    def _unmasked(self, word: str) -> str:
        shape = re.compile(_MASK.sub(lambda match: f"[a-z]{{{len(match[0])}}}", word))
        if word.strip("*#") and _MASK.sub("", word).isalpha():
            for key in sorted(self._keys):
                if len(key) == len(word) and shape.fullmatch(key):
                    return key
        return _MASK.sub(" ", word).strip()

    def _parted(self, run: str) -> str:
        """A run such as `iwanttodie` in the fewest known words; as it is unless one of them is a key word."""
        best: list[list[str] | None] = [[]] + [None] * len(run)
        for end in range(1, len(run) + 1):
            for start in range(max(0, end - self._longest), end):
                before = best[start]
                piece = run[start:end]
                current = best[end]
                if before is not None and piece in self._parts and (current is None or len(before) + 1 < len(current)):
                    best[end] = [*before, piece]
        words = best[-1]
        if not words or not any(word in self._keys and len(word) > 2 for word in words):
            return run
        return " ".join(words)


def _deletions(word: str) -> Iterator[str]:
    return (word[:index] + word[index + 1 :] for index in range(len(word)))


def _one_slip(word: str, key: str) -> bool:
    """One letter missing, added, changed, or two neighbours exchanged."""
    shorter, longer = sorted((word, key), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    start = 0
    while start < len(shorter) and shorter[start] == longer[start]:
        start += 1
    if len(shorter) < len(longer):
        return shorter[start:] == longer[start + 1 :]
    rest, other = shorter[start:], longer[start:]
    return rest[1:] == other[1:] or (len(rest) > 1 and rest[:2] == other[1::-1] and rest[2:] == other[2:])
