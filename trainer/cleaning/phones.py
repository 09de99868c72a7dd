"""Phone numbers, and short codes of helplines. The app shows checked numbers itself; a model should name none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from phonenumbers import Leniency, PhoneNumberMatcher

from trainer.cleaning.cutting import Span, cut, is_stump, says_only
from trainer.cleaning.patterns import compile_pattern, word_set
from trainer.cleaning.sentences import edit_sentences

_DIGITS: Final = compile_pattern(r"[+(]?\d[\d ().\-/]{5,60}\d")
_SHAPES: Final = compile_pattern(
    r"(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\b\d{3}[-. ])\d{3}[-. ]\d{4}\b",
    r"\b\d{6}-\d{4}\b|\b\d{3}-\d{7}\b",
    r"\b1[-. ]\(?8(?:00|33|44|55|66|77|88)\)?[-. ]?\d{3}[-. ]?\d{4}\b",
    r"(?:\b1[-. ]?)?\(?\b8(?:00|33|44|55|66|77|88)\)?[-. ](?:\d{1,3}[-. ])?(?:[A-Z]-?)?[A-Z]{3,9}(?:-[A-Z]{2,9})?(?: "
    r"?\(\d{4}\))?",
    r"\b1?-?8(?:00|33|44|55|66|77|88)-(?:\d{1,3}-)?[a-z]{4,9}\b",
    any_case=False,
)
_CODE: Final = compile_pattern(
    r"\b(?:call|calling|dial|dialing|ring|phone|text|texting|at|on|to|or|line|hot ?line|help ?line|life ?line|"
    r"samaritans|number(?: is)?)[\s:,(#\"'-]{1,3}((?:988|741[ -]?741|2-1-1|116[ -]?123|13[ -]?11[ -]?14|999|112|211|"
    r"111|85258|686868)\b)",
    r"\btext (?:the word )?((?:\"?[a-z]{2,10}\"? )?to (?:the number )?\d{5,6})\b",
    r"\b(988)\b(?: (?:suicide|crisis|life ?line))?",
)
_EMERGENCY: Final = compile_pattern(r"\b9-?1-?1\b")
_ASKS_TO_CALL: Final = compile_pattern(r"\b(?:call|calling|dial|dialing|ring|phone|text|texting|contact|contacting) ?$")
_HELPLINES: Final = word_set(
    "8002738255 8007842433 988 741741 8007997233 8006564673 8664887386 116123 131114 8004224453 8002255"
)
"""Crisis lines of the United States, Britain and Australia that answers name most, without their country codes."""
_CALL_WORDS: Final = word_set(
    "call calling dial dialing phone text texting ring contact reach please can you may also at on the number is for "
    "us me our my them or and to toll free toll-free hours day days week now today just a if need it anytime always "
    "here office line hotline services emergency talk help immediately right away"
)


def find_numbers(text: str, region: str) -> list[Span]:
    """Where numbers to call stand in `text`, in order, none within another.

    Args:
        text: read in stretches of at most 60 characters, so that the time stays linear.
        region: ISO 3166; where numbers without a country code are from.
    """
    found = sorted(_found(text, region))
    spans: list[Span] = []
    for start, stop in found:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
        else:
            spans.append((start, stop))
    return spans


def without_numbers(text: str, region: str, *, whole: bool) -> str:
    """`text` without numbers to call.

    Args:
        text: of one turn.
        region: see `find_numbers`.
        whole: take out a sentence that says nothing but to call one, and one that would break off.
    """
    return edit_sentences(text, lambda sentence: _edited(sentence, region, whole=whole))


def _edited(sentence: str, region: str, *, whole: bool) -> str:
    spans = find_numbers(sentence, region)
    if spans and whole and says_only(cut(sentence, spans), _CALL_WORDS):
        return ""
    plain = _EMERGENCY.sub("emergency services", sentence)
    if plain != sentence:
        sentence, spans = plain, find_numbers(plain, region)
    if not spans:
        return sentence
    for start, stop in reversed(spans):
        digits = "".join(sign for sign in sentence[start:stop] if sign.isdigit())
        if digits.removeprefix("1") in _HELPLINES and _ASKS_TO_CALL.search(sentence[:start]):
            sentence = f"{sentence[:start]}a crisis line{sentence[stop:]}"
    rest = cut(sentence, find_numbers(sentence, region))
    return "" if whole and is_stump(rest) else rest


def _found(text: str, region: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        for number in PhoneNumberMatcher(match[0], region, leniency=Leniency.VALID):
            yield match.start() + number.start, match.start() + number.end
    for match in _SHAPES.finditer(text):
        yield match.span()
    for match in _CODE.finditer(text):
        group = next(group for group in (1, 2, 3) if match[group] is not None)
        yield match.span(group)
