"""What a cell holds: text, a number, a list; whatever type the source gave it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from trainer.reading.tally import Record, Tally
from trainer.settings.sources import SourceSettings

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_NO_WORD = re.compile(r"[\W_]+")


def cell(record: Record, source: SourceSettings, name: str, tally: Tally) -> Any:
    """The value of the column that stands for our `name`, reached through dots; None where the record has none."""
    path = source.fields.get(name, name)
    value: Any = record
    for step in [path] if path in record else path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    tally.found.add(name)
    return value


def text_of(value: Any) -> str:
    """Text or a number as trimmed text, of several texts those that are any; empty for anything else.

    Line ends become plain, and halves of a character, which no file can hold, the sign for what is unknown.
    """
    if isinstance(value, str):
        unified = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        return unified if unified.isascii() else _LONE_SURROGATES.sub("\ufffd", unified)
    if isinstance(value, list):
        return ", ".join(filter(None, map(text_of, value)))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # of any size, where a float would be infinite
    if not isinstance(value, float) or not math.isfinite(value):
        return ""
    return str(int(value)) if value == int(value) else str(value)


def prose_of(value: Any) -> str:
    """As `text_of`, but what a person says is no list."""
    return "" if isinstance(value, list) else text_of(value)


def count_of(value: Any) -> int | None:
    """A whole number, out of a number or its text; None where it is none."""
    try:
        return int(float(text_of(value)))
    except (ValueError, OverflowError):
        return None


def items_of(value: Any) -> list[Any]:
    """A list, also out of its JSON text, or out of an object of lists, as Arrow keeps a list of objects."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, Mapping) and value and all(isinstance(column, list) for column in value.values()):
        return [dict(zip(value, items, strict=True)) for items in zip(*value.values(), strict=False)]
    return value if isinstance(value, list) else []


def bare(text: str) -> str:
    """Letters and digits only, in small ones, for telling whether two texts say the same."""
    return _NO_WORD.sub("", text.casefold())


def digest(*texts: str) -> str:
    """Sixteen hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
