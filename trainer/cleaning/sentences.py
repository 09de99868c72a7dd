"""A text as its sentences, so that one can be taken out and the rest stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from trainer.cleaning.patterns import compile_pattern, word_set

_BORDER: Final = compile_pattern(r"""[.!?…]+["'”’)\]]*\s+|\n+""")
_ABBREVIATIONS: Final = word_set(
    "dr mr mrs ms prof st vs e.g i.e etc no dept jr sr m.s m.a m.ed ph.d psy.d b.a p.o approx"
)
_WORD: Final = 12
"""Characters before a full stop that are looked at."""


def split_sentences(text: str) -> list[str]:
    """Sentences and lines with the space behind them; put together again they are `text`."""
    return list(_pieces(text))


def keep_sentences(text: str, keep: Callable[[str], bool]) -> str:
    """`text` without the sentences that `keep` refuses. It is asked about each without the space around it."""
    return edit_sentences(text, lambda sentence: sentence if keep(sentence) else "")


def edit_sentences(text: str, edit: Callable[[str], str]) -> str:
    """`text` with every sentence as `edit` gives it back; an empty one is taken out, its line breaks stay."""
    kept = []
    for piece in _pieces(text):
        sentence = piece.strip()
        edited = edit(sentence) if sentence else ""
        if edited == sentence:
            kept.append(piece)
        elif edited:
            kept.append(piece.replace(sentence, edited, 1))
        else:
            kept.append("\n" * piece.count("\n"))
    return "".join(kept)


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for match in _BORDER.finditer(text):
        if _ends_sentence(text, match.start(), match.end()):
            yield text[start : match.end()]
            start = match.end()
    if start < len(text):
        yield text[start:]


def _ends_sentence(text: str, start: int, end: int) -> bool:
    if "\n" in text[start:end] or text[start] != "." or end >= len(text):
        return True
    before = text[max(0, start - _WORD) : start].split()
    last = before[-1].strip("(\"'").lower() if before else ""
    initial = len(last) == 1 and last.isalpha() and last != "i"
    return not (initial or last in _ABBREVIATIONS or text[end].islower())
