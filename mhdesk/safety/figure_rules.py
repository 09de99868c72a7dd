"""What the file of figures says (resources/safety/gate/numbers.yaml), compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mhdesk.safety.rules import read_yaml
from mhdesk.safety.spelt import SPELT_KEYS, DigitWords, plain_words

_KEYS: Final = {
    *SPELT_KEYS, "sequence_words", "filler_words", "ordinal_signs", "always", "emergency", "calling", "calling_phrases",
    "keying_phrases", "called_after", "adjacent_words", "units", "units_joined", "verses", "ratings",
    "open_words",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FigureRules:
    """What resources/safety/gate/numbers.yaml says, ready for use."""

    words: DigitWords
    sequence: frozenset[str]
    fillers: frozenset[str]
    ordinal: Any
    always: frozenset[str]
    emergency: frozenset[str]
    calling: Any
    keying: Any
    after: Any
    adjacent: Any
    unit: Any
    verse: Any
    rating: Any
    open_words: frozenset[str]

    @classmethod
    def load(cls, path: Path) -> FigureRules:
        """The rules in `path`.

        Raises:
            BadRules: the file breaks the format.
        """
        raw = read_yaml(path, _KEYS)
        calling = _either(raw["calling"])
        phrases = "|".join(raw["calling_phrases"])
        keying = "|".join(raw["keying_phrases"])
        own = r"(?<![^\W\d_])"  # no letter before: a word of its own, also beside signs of Chinese or Japanese
        return cls(
            words=DigitWords.read(raw),
            sequence=frozenset(plain_words(raw["sequence_words"])),
            fillers=frozenset(plain_words(raw["filler_words"])) | frozenset(plain_words(raw["joining_words"])),
            ordinal=re.compile(_either(raw["ordinal_signs"])),
            always=frozenset(raw["always"].split()),
            emergency=frozenset(raw["emergency"].split()),
            calling=re.compile(rf"{own}(?:{calling}|{phrases})(?![a-z])|{_wide(raw['calling'])}"),
            keying=re.compile(rf"{own}(?:{keying})(?![a-z])"),
            after=re.compile(rf"\W{{0,3}}(?:{_either(raw['called_after']).replace('_', ' ?')})(?![a-z])"),
            adjacent=re.compile(
                rf"(?:{own}(?:{calling}|enter|press|type|punch)|{_wide(raw['calling'])})"
                rf"(?:,? (?:{_either(raw['adjacent_words'])}))*(?: \S+ (?:to|al|an))?[\s:\-\"'(]*$"
            ),
            unit=re.compile(rf"\s?-?(?:{_either(raw['units'])})(?![a-z])|\s?(?:{_either(raw['units_joined'])})"),
            verse=re.compile(rf"{own}(?:{_either(raw['verses'])}) $"),
            open_words=frozenset(plain_words(f"{raw['open_words']} {raw['calling']}")),
            rating=re.compile(rf"{own}(?:{_either(raw['ratings'])})(?![a-z])"),
        )


def _either(words: str) -> str:
    return "|".join(map(re.escape, sorted(words.split(), key=len, reverse=True)))


def _wide(words: str) -> str:
    """Words of scripts without blanks, which stand inside a chain of letters."""
    return "|".join(word for word in words.split() if word[0] >= "\u3040")
