"""The name of whoever asks."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.patterns import Found, compile_pattern, word_set

_NOT_NAMES: Final = word_set("not on in being mud a the always never and is was no called dragged")
_NAME: Final = compile_pattern(
    r"\b((?i:(?:hi|hello|hey),? )?(?i:my (?:full |first |last |real )?name(?: is|'s)|i am called|i'm called|i go "
    r"by(?: the name(?: of)?)?|call me))\s+([A-Z][\w'-]+(?: [A-Z][\w.'-]+){0,2}|(?:[a-z][\w'-]+))((?i:,? (?:and|"
    r"but)) |, |)",
    any_case=False,
)


def without_name(text: str) -> str:
    """`text` without "my name is …", where a name follows."""
    return _NAME.sub(_unnamed, text).lstrip(" .,!") if _NAME.search(text) else text


def _unnamed(match: Found) -> str:
    if match[2].lower() in _NOT_NAMES or (match[1].lower() == "call me" and match[2].islower()):
        return match[0]
    return ""
