"""Sentences and list items that lost the space between them, as where paragraphs were put together without one."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.patterns import Found, compile_pattern

_SENTENCES: Final = compile_pattern(
    r"""([a-z]{2}|[a-z]['"]?\)|\d{4})([.!?]["')]?|["')][.!?])(["'(¿¡]?[A-Z][a-z' ])""", any_case=False
)
_AFTER_LINK: Final = compile_pattern(r"(\.(?:com|org|net|edu|gov|ca))\.?([A-Z][a-z ])", any_case=False)
_ITEMS: Final = compile_pattern(r"([a-z.!?:;])[ ]?(\d{1,2}[.)])[ ]{0,4}([A-Z][a-z ])", any_case=False)
_LINK: Final = compile_pattern(r"www\.|https?:|@")
_BRACKET: Final = compile_pattern(r"([a-z.!?]\))([A-Z][a-z])", any_case=False)
_COMMA: Final = compile_pattern("([a-z]{3},)([A-Z][a-z])", any_case=False)
_DOUBLED: Final = compile_pattern(r"([a-z]{4}|\))[.][ ]?,([ ]+[a-z])", any_case=False)
_WRAPPED: Final = compile_pattern(r"([\pL,;])[ ]?\n([a-z])", any_case=False)
_LONGEST_LINK: Final = 80


def part_joined(text: str) -> str:
    """`text` with a space between two sentences, and a line break before a number that opens a list item.

    A line that breaks off in the middle of a sentence goes on, and a full stop before a comma goes.
    """
    text = _AFTER_LINK.sub(r"\1 \2", text)
    text = _ITEMS.sub(r"\1\n\2 \3", text)
    text = _WRAPPED.sub(r"\1 \2", text)
    text = _BRACKET.sub(r"\1 \2", text)
    text = _COMMA.sub(r"\1 \2", text)
    text = _DOUBLED.sub(r"\1,\2", text)
    return _SENTENCES.sub(lambda match: _parted(match, text), text)


def _parted(match: Found, text: str) -> str:
    word = text[max(0, match.start() - _LONGEST_LINK) : match.end(2)].split()[-1]
    return match[0] if _LINK.search(word) else f"{match[1]}{match[2]} {match[3]}"
