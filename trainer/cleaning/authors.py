"""The practitioner who wrote an answer, as the source's column tells: name, credentials, practice in one string."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2

from trainer.cleaning.patterns import compile_pattern
from trainer.cleaning.sentences import edit_sentences

_GLUED: Final = compile_pattern(r"([a-z'.)]{3}|[A-Z]{2,5})([A-Z][a-z])", r"\n", any_case=False)
_TITLE: Final = compile_pattern(r"^\s*(?:dr|mr|mrs|ms|prof|rev)\b\.?\s*")
_NAME_WORD: Final = compile_pattern(r"^[A-Z][\w'’-]*\.?$|^(?:van|von|de|da|del|la|le|di)$", any_case=False)
_CREDENTIAL: Final = compile_pattern(r"^[A-Z][A-Z.-]{1,7}$", any_case=False)
_PRACTICE: Final = compile_pattern(
    r"\b(?:counsell?ing|therapy|cent(?:er|re)|clinic|services?|wellness|associates|llc|inc|institute|practice|"
    r"group)\b"
)
_LONGEST_NAME: Final = 4
_LONG_BEFORE: Final = 60
"""Characters of a sentence before the name from which on the sentence stays and only its end is cut."""


@dataclass(frozen=True, slots=True)
class Author:
    """Patterns that find one practitioner; None where the column tells nothing of the kind."""

    first: str
    found: Any

    def __bool__(self) -> bool:
        return self.found is not None


@lru_cache(maxsize=1024)
def read_author(column: str) -> Author:
    """What the source's column tells; it may have glued a name to a slogan."""
    name, slogan = _parted(column[:300])
    parts = [part.strip() for part in (column[:300] if not name else slogan).split(",")]
    words = name.split()
    sources = []
    if len(words) >= 2:
        first, last = re2.escape(words[0]), re2.escape(words[-1])
        sources.append(rf"(?:\b[Dd]r\.?\s+)?{first}(?:\s+[A-Z][\w'.-]*){{0,2}}\s+{last}")
        sources.append(rf"\b(?:[Dd]r\.?|[Mm]rs?\.?|[Mm]s\.?)\s+{last}\b")
    sources += [re2.escape(part) for part in parts if len(part.split()) >= 2 and _PRACTICE.search(part)]
    return Author(words[0] if words else "", compile_pattern(*sources, any_case=False) if sources else None)


def without_author(text: str, author: Author) -> str:
    """`text` without sentences that name the practitioner or the practice."""
    return edit_sentences(text, lambda sentence: _edited(sentence, author)) if author else text


def _edited(sentence: str, author: Author) -> str:
    match = author.found.search(sentence)
    if match is None:
        return sentence
    before = sentence[: match.start()].rstrip(" ,-–—~(")
    return before if len(before) > _LONG_BEFORE and before[-1:] in ".!?" else ""


def _parted(column: str) -> tuple[str, str]:
    plain = _TITLE.sub("", column)
    words: list[str] = []
    rest = plain.split(" ")
    for place, word in enumerate(rest):
        glued = _GLUED.search(word) if words else None
        own = word if glued is None else word[: glued.end(1)]
        bare = own.rstrip(",")
        if not _NAME_WORD.search(bare) or (len(words) >= 2 and _CREDENTIAL.search(bare)) or len(words) == _LONGEST_NAME:
            return _named(words), " ".join(rest[place:])
        words.append(bare)
        if glued is not None or own != bare:
            return _named(words), " ".join([word[len(own) :], *rest[place + 1 :]])
    return _named(words), ""


def _named(words: list[str]) -> str:
    """A practice is no person."""
    name = " ".join(words)
    return "" if _PRACTICE.search(name) else name
