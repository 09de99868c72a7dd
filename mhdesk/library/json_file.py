"""Reading a small JSON file that somebody else may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_JSON_BYTES = 64 * 1024 * 1024


class BadJsonFile(ValueError):
    """The file is missing, too large, or not one JSON object."""


def read_json_object(path: Path) -> dict[str, Any]:
    """The object in `path`.

    Raises:
        BadJsonFile: see the class.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise BadJsonFile(f"{path.name} is too large")
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise BadJsonFile(f"{path.name} is missing or damaged") from None
    if not isinstance(value, dict):
        raise BadJsonFile(f"{path.name} is not what it should be")
    return value
