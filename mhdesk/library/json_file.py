"""Reading a small JSON file that somebody else may have written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mhdesk.library.plain_file import open_plain_file

MAX_JSON_BYTES = 64 * 1024 * 1024


class BadJsonFile(ValueError):
    """The file is missing, too large, or not one JSON object."""


def read_json_object(path: Path, *, largest_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """The object in `path`, which must be a regular file.

    Raises:
        BadJsonFile: see the class.
    """
    try:
        with open_plain_file(path) as file:
            content = file.read(largest_bytes + 1)
        if len(content) > largest_bytes:
            raise BadJsonFile(f"{path.name} is too large")
        value = json.loads(content.decode("utf-8"), object_pairs_hook=unique_keys)
    except BadJsonFile:
        raise
    except (OSError, ValueError, RecursionError):
        raise BadJsonFile(f"{path.name} is missing or damaged") from None
    if not isinstance(value, dict):
        raise BadJsonFile(f"{path.name} is not what it should be")
    return value


def unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The dict of an object's pairs; for `json.loads`, whose readers elsewhere differ in which of two keys they take.

    Raises:
        ValueError: a key comes twice.
    """
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key comes twice")
    return value
