"""Patterns over texts of others. RE2 reads each in time linear in the text, whatever stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

import re2

_MAX_MEMORY: Final = 128 << 20


class Found(Protocol):
    """A match: what `re.Match` has of it."""

    def __getitem__(self, group: int) -> str: ...
    def start(self, group: int = 0) -> int:
        """Where it begins."""

    def end(self, group: int = 0) -> int:
        """Where it ends."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Both."""


class Pattern(Protocol):
    """What `re.Pattern` has of it."""

    def search(self, text: str) -> Found | None:
        """The first match."""

    def finditer(self, text: str) -> Iterator[Found]:
        """All, one after the other."""

    def findall(self, text: str) -> list[str]:
        """All, of a pattern without groups."""

    def sub(self, instead: str | Callable[[Found], str], text: str, count: int = 0) -> str:
        """`text` with each, or the first `count`, replaced."""


def compile_pattern(*alternatives: str, any_case: bool = True) -> Pattern:
    """One RE2 pattern for any of `alternatives`.

    Args:
        alternatives: in RE2's syntax, which has no look-around and no back references.
        any_case: let capital and small letters stand for one another.

    Raises:
        ValueError: one of them is no pattern.
    """
    options = re2.Options()
    options.case_sensitive = not any_case
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        pattern: Pattern = re2.compile("|".join(f"(?:{source})" for source in alternatives), options)
    except re2.error as error:
        raise ValueError(str(error)) from None
    return pattern


def word_set(words: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(words.split())
