"""What would tell who asks: names, addresses, birth dates, numbers of documents. Ages stay."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.patterns import Found, compile_pattern, word_set
from trainer.cleaning.sentences import keep_sentences

_NOT_NAMES: Final = word_set("not on in being mud a the always never and is was no called dragged")
_NAME: Final = compile_pattern(
    r"\b((?i:(?:hi|hello|hey),? )?(?i:my (?:full |first |last |real )?name(?: is|'s)|i am called|i'm called|i go "
    r"by(?: the name(?: of)?)?|call me))\s+([A-Z][\w'-]+(?: [A-Z][\w.'-]+){0,2}|(?:[a-z][\w'-]+))((?i:,? (?:and|"
    r"but)) |, |)",
    any_case=False,
)
_STREET: Final = compile_pattern(
    r"(?:\b(?:at|on|in|is) )?\b\d{1,5} (?:[NSEW]\.? )?(?:[A-Z][\w'-]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|"
    r"Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Terrace|Highway|Hwy)\b\.?(?:,? (?:Apt|Unit|Suite|#)\.? "
    r"?\w{1,5})?(?:,? [A-Z][a-z]+){0,3}(?:,? [A-Z]{2})?(?:,? \d{5}(?:-\d{4})?)?",
    r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b",
    r"\bP\.? ?O\.? Box \d{1,6}\b",
    any_case=False,
)
_NUMBER: Final = compile_pattern(r"\b\d{3}-\d{2}-\d{4}\b")
_BIRTH: Final = compile_pattern(
    r"\b(?:born (?:on|in)|birth ?day is|date of birth|dob)\b[^.!?\n]{0,40}\b(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|(?:19|"
    r"20)\d\d)\b"
)


def without_name(text: str) -> str:
    """`text` without "my name is …", where a name follows."""
    return _NAME.sub(_unnamed, text).lstrip(" .,!") if _NAME.search(text) else text


def without_address(text: str) -> str:
    """`text` without street addresses, postal codes with their state, birth dates and social security numbers."""
    text = keep_sentences(text, lambda sentence: _BIRTH.search(sentence) is None)
    text = _STREET.sub("", text)
    return _NUMBER.sub("", text)


def _unnamed(match: Found) -> str:
    if match[2].lower() in _NOT_NAMES or (match[1].lower() == "call me" and match[2].islower()):
        return match[0]
    return ""
