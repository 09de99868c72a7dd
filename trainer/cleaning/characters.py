"""Signs that no one typed on purpose: controls, invisible marks, odd bullets, runs of signs, repeated spaces."""

from __future__ import annotations

import unicodedata
from typing import Final

from trainer.cleaning.patterns import compile_pattern

_KEPT: Final = frozenset("\n\u200d\u200c\ufe0f")
"""Line breaks, and what holds emoji and some scripts' letters together."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_QUOTES: Final = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "″": '"', "‘": "'", "’": "'", "‚": "'", "`": "'", "´": "'", "′": "'"}
)
_BREAKS: Final = str.maketrans(
    {"\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\x0b": "\n", "\x0c": "\n", "\t": " ", "\u2011": "-"}
)
_BULLET: Final = compile_pattern(r"(^|\n|\s)[ \t]*[·•●▪■□◦‣⁃➢➤►✓✔§][ \t]+")
_LINE_BULLET: Final = compile_pattern(r"(?m)^[ \t]*(?:[*·•●▪■□◦‣⁃➢➤►✓✔§–—]|--+|o[ \t]{2,})[ \t]*([^\s*–—-])")
_INNER_ITEM: Final = compile_pattern(r"[ ]{3,}- +")
_STARS: Final = compile_pattern(r"\*{1,3}([^*\n]{1,200})\*{1,3}")
_DOTS: Final = compile_pattern(r"\.(?:\s?\.){2,}|…+\.*")
_TWO_DOTS: Final = compile_pattern(r"([^.])\.\s?\.(\s|$)")
_SHOUTS: Final = compile_pattern(r"[!?]*\?[!?]+|[!?]+\?[!?]*")
_CALLS: Final = compile_pattern("!{2,}")
_COMMAS: Final = compile_pattern(r",(?:\s?,)+")
_RULES: Final = compile_pattern(r"[-=_~*#^|\\+<>/]{4,}|[_=~^|\\]{3,}")
_HYPHENS: Final = compile_pattern("([^-])-{2,3}([^-])")
_BEFORE_SIGN: Final = compile_pattern(r"[ \t]+([,;:.!?])(\s|$)")
_OTHER_SPACES: Final = "\t\u00a0\u2000-\u200a\u202f\u205f\u3000"
_SPACES: Final = compile_pattern(f"[ {_OTHER_SPACES}]{{2,}}|[{_OTHER_SPACES}]")
_LINE_ENDS: Final = compile_pattern(r" ?\n ?")
_EMPTY_LINES: Final = compile_pattern(r"\n{3,}")


def plain_quotes(text: str) -> str:
    """`text` with straight quotation marks and apostrophes."""
    return text.translate(_QUOTES)


def plain_characters(text: str) -> str:
    """`text` in composed characters (NFC), with one kind of bullet and no runs of signs."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).translate(_BREAKS)
    text = "".join(sign for sign in text if sign in _KEPT or unicodedata.category(sign) not in _UNSEEN)
    text = _LINE_BULLET.sub(r"- \1", _BULLET.sub("\n- ", text))
    text = _INNER_ITEM.sub("\n- ", text)
    text = _STARS.sub(r"\1", text)
    text = _HYPHENS.sub(r"\1 - \2", _RULES.sub(" ", text))
    text = _TWO_DOTS.sub(r"\1.\2", _DOTS.sub("...", text))
    return _COMMAS.sub(",", _CALLS.sub("!", _SHOUTS.sub("?", text)))


def tidy_spaces(text: str) -> str:
    """`text` with single spaces, at most one empty line at a time, and no line of signs alone."""
    text = _LINE_ENDS.sub("\n", _SPACES.sub(" ", text))
    text = _BEFORE_SIGN.sub(r"\1\2", text)
    lines = (line if any(map(str.isalnum, line)) else "" for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
