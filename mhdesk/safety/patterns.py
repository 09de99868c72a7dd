"""The small language in which the rules are written, and its translation to RE2.

| in a rule | means |
|---|---|
| `want to die` | these words, in any spacing; accents, apostrophes and doubled letters may be missing |
| `(a|b)`, `(very )?` | one of several; something that may be absent |
| ` _ `, ` __ ` | up to three, up to seven other words of the same sentence |
| `..` | (scripts without spaces) up to ten characters of the same sentence |
| `{name}` | a family of words given under `words` |
| `^`, `$` | the beginning, the end of the sentence |

Patterns and text are matched as UTF-8 bytes: RE2 then needs no tables for Unicode classes, and compiles fast.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import re2

from mhdesk.core.errors import MHDeskError
from mhdesk.safety.normalise import fold_accents

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_DOUBLED: Final = re.compile(r"(?<!\\)([a-z])\1")
_APOSTROPHE: Final = re.compile("['’]")
_GAP: Final = r"(?: [^ \n]+){0,3} "
_WIDE_GAP: Final = r"(?: [^ \n]+){0,7} "
_NEAR: Final = r"[^\n]{0,30}"
_MAX_MEMORY: Final = 32 << 20
_DEPTH: Final = 6


class BadRules(MHDeskError):
    """A file of rules cannot be used; raised while loading, so that a fault shows at start and in the tests."""


def expand(source: str, words: Mapping[str, str]) -> str:
    """`source` with every `{name}` replaced by its family.

    Raises:
        BadRules: a name that is not in `words`, or families that hold one another.
    """
    for _ in range(_DEPTH):
        unknown = [name for name in _NAME.findall(source) if name not in words]
        if unknown:
            raise BadRules(f"The safety rules use a word family that is not there: {unknown[0]}.")
        if not _NAME.search(source):
            return source
        source = _NAME.sub(lambda match: f"({words[match[1]]})", source)
    raise BadRules(f"Word families hold one another in the safety rule {source[:60]}.")


def to_re2(source: str) -> str:
    """One rule pattern, its families already put in, as a regular expression."""
    pattern = fold_accents(source.strip())
    pattern = pattern.replace(" __ ", "\x01").replace(" _ ", "\x00")
    pattern = _DOUBLED.sub(r"\1\1?", pattern)
    pattern = _APOSTROPHE.sub("'?", pattern)
    pattern = pattern.replace("..", _NEAR).replace("\x01", _WIDE_GAP).replace("\x00", _GAP)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def compile_family(sources: Iterable[str], words: Mapping[str, str], *, spaced: bool = True) -> Any:
    """One RE2 object for all `sources`; `spaced` says that words are parted by spaces and must match whole.

    Raises:
        BadRules: a pattern is no regular expression, or matches the empty text.
    """
    branches = [to_re2(expand(source, words)) for source in sources]
    joined = "|".join(f"(?:{branch})" for branch in branches)
    return compile_bytes(rf"\b(?:{joined})\b" if spaced else f"(?:{joined})")


def compile_bytes(pattern: str) -> Any:
    """`pattern` for UTF-8 bytes, line by line.

    Raises:
        BadRules: it is no regular expression, or matches the empty text.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(f"(?m:{pattern})".encode(), options)
    except re2.error as error:
        raise BadRules(f"A safety rule is no valid pattern: {pattern[:80]} ({error}).") from error
    empty = compiled.search(b"") or compiled.search(b"x")
    if empty is not None and empty.span()[0] == empty.span()[1]:
        raise BadRules(f"A safety rule matches everything: {pattern[:80]}.")
    return compiled
