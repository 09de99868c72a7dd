"""Text as the rules read it: words with single spaces, one sentence a line, and where its clauses part."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from mhdesk.safety.normalise import fold_accents, normalise
from mhdesk.safety.spelling import Speller

_TOKEN: Final = re.compile(
    r"""(?P<word>[^\s.,;:!?()\[\]{}"<>/\\|~&=+_¿¡^%$@-]+)|(?P<pause>\.\.+|[,:()"\[\]]| - )|(?P<end>[.!?;\n]+)"""
)
_QUOTE: Final = '"'


@dataclass(frozen=True, slots=True)
class Clauses:
    """`data` is UTF-8. `pauses` are the offsets where commas, quotes and the like stood, ascending."""

    data: bytes
    pauses: tuple[int, ...]
    quotes: tuple[tuple[int, int], ...]

    def sentence(self, offset: int) -> tuple[int, int]:
        """Start and end of the sentence around `offset`."""
        start = self.data.rfind(b"\n", 0, offset) + 1
        end = self.data.find(b"\n", offset)
        return start, len(self.data) if end < 0 else end

    def clause_start(self, offset: int) -> int:
        """Where the clause around `offset` begins: after the last comma, quote, or sentence end."""
        start = self.data.rfind(b"\n", 0, offset) + 1
        index = bisect_right(self.pauses, offset)
        return max(start, self.pauses[index - 1]) if index else start

    def quoted(self, start: int, end: int) -> bool:
        """Whether the words from `start` to `end` stand in quotation marks."""
        return any(opened <= start and end <= closed for opened, closed in self.quotes)


def read_clauses(text: str, speller: Speller | None = None) -> Clauses:
    """`text` normalised, accents folded, words put right, punctuation turned into breaks. Linear in the text."""
    pieces: list[bytes] = []
    pauses: list[int] = []
    quotes: list[tuple[int, int]] = []
    opened = -1
    length = 0
    at_start = True
    for match in _TOKEN.finditer(fold_accents(normalise(text))):
        kind = match.lastgroup
        if kind == "word":
            word = match[0].strip("'")
            if not word:
                continue
            encoded = (speller.correct(word) if speller else word).encode()
            if not at_start:
                pieces.append(b" ")
                length += 1
            pieces.append(encoded)
            length += len(encoded)
            at_start = False
        elif kind == "pause":
            pauses.append(length)
            if match[0] == _QUOTE:
                if opened < 0:
                    opened = length
                else:
                    quotes.append((opened, length))
                    opened = -1
        elif not at_start:
            pieces.append(b"\n")
            length += 1
            at_start = True
    return Clauses(b"".join(pieces), tuple(pauses), tuple(quotes))
