"""Where somebody lives or works, birth dates and numbers of documents; of whoever asks and whoever answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainer.cleaning.cutting import Span, without_spans
from trainer.cleaning.patterns import Found, compile_pattern, word_set
from trainer.cleaning.sentences import edit_sentences, keep_sentences

_STATE: Final = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|"
    r"W[AIVY])"
)
_ZIP: Final = r"\d{5}(?:-\d{4})?"
_KIND: Final = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Terrace|Highway|Hwy|"
    r"Parkway|Pkwy|Circle|Square)"
)
_WITHIN: Final = (
    r"(?:(?:(?:Apt|Apartment|Unit|Suite|Ste)\b\.? ?#?|#) ?\w{1,5}|(?:\d{1,2}(?:st|nd|rd|th)|[A-Z][a-z]+) Floor)\b"
)
_TOWN: Final = r"[A-Z][a-z]+(?: [A-Z][a-z]+){0,2}"
_PLACE: Final = rf"(?:(?:,? {_TOWN})?,? {_STATE}\b(?:,? {_ZIP})?|,? {_ZIP}\b)"
_STREET: Final = compile_pattern(
    rf"((?:\b(?:at|on|in|is) )?)\b(\d{{1,5}})[A-Z]? (?:[NSEW]{{1,2}}\.? )?((?:(?:[A-Z][\w'-]+|\d{{1,3}}(?:st|nd|rd|"
    rf"th)) ){{1,3}}){_KIND}\b(?:(\.?,? {_WITHIN}(?:{_PLACE}|,? {_TOWN})?|\.?{_PLACE})|,? {_TOWN})?",
    any_case=False,
)
"""Groups: the word before, the number, the name, and what makes it an address in any case."""
_REST: Final = compile_pattern(
    rf"(?:\b{_TOWN},? )?\b{_STATE},? {_ZIP}\b",
    r"\bP\.? ?O\.? Box \d{1,6}\b",
    r"^(?:Apt|Apartment|Suite|Ste)\b\.? ?#?\w{1,5}[.,]?$",
    any_case=False,
)
"""What may stand in a line of its own beside a street."""
_YEAR: Final = compile_pattern(r"^(?:1[89]|20)\d\d$")
_COUNTED: Final = word_set("way step steps hour minute day week year")
"""A number before these counts them: a 2 Way Street."""
_NUMBER: Final = compile_pattern(r"\b\d{3}-\d{2}-\d{4}\b")
_BIRTH: Final = compile_pattern(
    r"\b(?:born (?:on|in)|birth ?day is|date of birth|dob)\b[^.!?\n]{0,40}\b(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|(?:19|"
    r"20)\d\d)\b"
)


def without_address(text: str, *, whole: bool) -> str:
    """`text` without street addresses, postal codes with their state, birth dates and social security numbers.

    Args:
        text: of one turn.
        whole: take out the sentence of an address, unless it leads to people who can help.
    """
    text = keep_sentences(text, lambda sentence: _BIRTH.search(sentence) is None)
    text = edit_sentences(text, lambda sentence: without_spans(sentence, _addresses(sentence), whole=whole))
    return _NUMBER.sub("", text)


def _addresses(sentence: str) -> list[Span]:
    spans: list[Span] = []
    for start, stop in sorted(_found(sentence)):
        if not spans or start >= spans[-1][1]:
            spans.append((start, stop))
    return spans


def _found(sentence: str) -> Iterator[Span]:
    yield from (match.span() for match in _STREET.finditer(sentence) if _is_address(match))
    yield from (match.span() for match in _REST.finditer(sentence))


def _is_address(match: Found) -> bool:
    """Not a year before what it tells of (in 2008 Wall Street fell), nor a count, unless more makes it an address."""
    if match[4] or match[1] in ("at ", "on ", "is "):
        return True
    return not _YEAR.search(match[2]) and match[3].split(" ", 1)[0].lower() not in _COUNTED
