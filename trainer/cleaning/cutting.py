"""Taking something out of a sentence that pointed at it, without leaving a stump."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trainer.cleaning.guidance import guides
from trainer.cleaning.patterns import compile_pattern

Span = tuple[int, int]
_LEAD: Final = compile_pattern(
    r"[\s(\[,:;–-]*(?:\b(?:please )?(?:at|on|via|through|by|from|using|is|here|link|toll[- ]free|their|the|number|"
    r"address|is at|numbers|website|site|web|phone|online|visit|or|see|us|usa|uk|canada|text|tty|tdd|local|press "
    r"\d)\b[\s(:,-]*){0,6}$"
)
_CLOSE: Final = compile_pattern(r"^[\s)\]]*[)\]]")
_DANGLING: Final = compile_pattern(
    r"(?:^|\s)(?:call|calling|dial|text|texting|phone|contact|at|on|in|to|via|is|are|see|visit|or|and|the|number|from|"
    r"by|with|for|through|reach|named|called|like|as|go|look|here|this|these)[\s,;:.!?)]*$",
    r":[\s.)]*$",
)
_WORD: Final = compile_pattern(r"[a-z']+")


def cut(sentence: str, spans: Sequence[Span]) -> str:
    """`sentence` without `spans` and the small words that led to them; its last sign stays."""
    end = sentence[-1:] if sentence[-1:] in ".!?" else ""
    kept = sentence
    for start, stop in reversed(spans):
        before, after = kept[:start], kept[stop:]
        lead, close = _LEAD.search(before[-80:]), _CLOSE.search(after)
        before = before[: len(before) - len(lead[0])] if lead else before
        after = after[close.end() :] if close else after
        kept = before + after
    kept = kept.strip(" ,;-")
    return kept if not kept or kept[-1] in ".!?:" else kept + end


def is_stump(sentence: str) -> bool:
    """Whether `sentence` breaks off, or says nothing."""
    return not _WORD.search(sentence) or _DANGLING.search(sentence) is not None


def without_spans(sentence: str, spans: Sequence[Span], *, whole: bool) -> str:
    """`sentence` without `spans`; nothing of it if too little is left.

    Args:
        sentence: one.
        spans: in order, none within another; without any the sentence stays as it is.
        whole: leave something of it only where it leads to people who can help.
    """
    if not spans:
        return sentence
    rest = cut(sentence, spans)
    if whole:
        return rest if guides(rest) and not is_stump(rest) else ""
    return "" if is_stump(rest) and len(rest) < len(sentence) // 3 else rest


def says_only(sentence: str, words: frozenset[str]) -> bool:
    """Whether no word of `sentence` is another than `words`."""
    return all(word in words for word in _WORD.findall(sentence.lower()))
