"""The small language in which the rules are written, the reading of their files, and the translation to RE2.

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
from pathlib import Path
from typing import Any, Final

import re2
import yaml

from mhdesk.core.errors import MHDeskError
from mhdesk.safety.normalise import fold_accents

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_DOUBLED: Final = re.compile(r"(?<!\\)([a-z])\1")
_LETTER: Final = re.compile("[a-z0-9]")
_APOSTROPHE: Final = re.compile("['’]")
_GAP: Final = r"(?: [^ \n]+){0,3} "
_WIDE_GAP: Final = r"(?: [^ \n]+){0,7} "
_NEAR: Final = r"[^\n]{0,30}"
_MAX_MEMORY: Final = 32 << 20
_DEPTH: Final = 6


class BadRules(MHDeskError):
    """A file of rules cannot be used; raised while loading, so that a fault shows at start and in the tests."""


def read_yaml(path: Path, allowed: Iterable[str]) -> dict[str, Any]:
    """The mapping in `path`.

    Raises:
        BadRules: it cannot be read, is no mapping, or has a key that is not `allowed`.
    """
    try:
        with path.open("rb") as file:
            raw = yaml.load(file, Loader=_LOADER)  # noqa: S506  (the C twin of the safe loader)
    except (OSError, yaml.YAMLError) as error:
        raise BadRules(f"The safety rules in {path.name} cannot be read.") from error
    return checked(raw, allowed, path.name)


def checked(raw: Any, allowed: Iterable[str], where: str) -> dict[str, Any]:
    """`raw`, if it is a mapping with no key beyond `allowed`.

    Raises:
        BadRules: it is not.
    """
    if not isinstance(raw, dict):
        raise BadRules(f"The safety rules in {where} are not a mapping.")
    unknown = set(raw) - set(allowed)
    if unknown:
        raise BadRules(f"The safety rules in {where} have an unknown key: {sorted(map(str, unknown))[0]}.")
    return raw


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
    """One RE2 object for all `sources`.

    Where they are `spaced`, words are parted by spaces and must match whole; emoji, which are no words, stand anywhere.

    Raises:
        BadRules: a pattern is no regular expression, or matches the empty text.
    """
    branches = [f"(?:{to_re2(expand(source, words))})" for source in sources]
    whole = [branch for branch in branches if spaced and _LETTER.search(branch)]
    parts = [branch for branch in branches if branch not in whole]
    return compile_bytes("|".join(([rf"\b(?:{'|'.join(whole)})\b"] if whole else []) + parts))


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
