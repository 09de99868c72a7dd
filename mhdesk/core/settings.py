"""The few settings that must be known before anything is unlocked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from mhdesk.core.atomic import write_json

log = logging.getLogger(__name__)


class AgeBand(StrEnum):
    """Asked, never guessed; `unknown` until the person answers."""

    UNKNOWN = "unknown"
    UNDER_13 = "under_13"
    TEEN = "13_17"
    ADULT = "adult"


class Looks(StrEnum):
    """Colour scheme: what the system says, or one of ours."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """`region` is an ISO 3166 alpha-2 code, empty until chosen; `language` a BCP 47 tag.

    `last_used` is the day the window was last used, empty before the first use: the notice of what this is comes again
    after seven days away. Only the day, since a time would tell more about a person than is needed.
    """

    region: str = ""
    language: str = "en"
    age_band: AgeBand = AgeBand.UNKNOWN
    looks: Looks = Looks.SYSTEM
    last_used: str = ""

    def with_(self, **changes: object) -> Settings:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _day(value: str) -> str:
    return date.fromisoformat(value).isoformat() if value else ""


_READ: dict[str, Callable[[str], object]] = {"age_band": AgeBand, "looks": Looks, "last_used": _day}
"""How fields are read that are not any words; each raises ValueError for what it does not know."""


def load_settings(path: Path) -> Settings:
    """The settings at `path`. A missing or damaged file gives the defaults: help must show whatever the file says."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError):
        log.warning("settings file unreadable; using defaults")
        return Settings()
    if not isinstance(raw, dict):
        return Settings()
    known: dict[str, object] = {}
    for field in fields(Settings):
        value = raw.get(field.name)
        if not isinstance(value, str):
            continue
        try:
            known[field.name] = _READ.get(field.name, str)(value)
        except ValueError:
            log.warning("setting %s has an unknown value; using its default", field.name)
    return Settings(**known)  # type: ignore[arg-type]


def save_settings(path: Path, settings: Settings) -> None:
    """Write `settings` whole or not at all.

    Raises:
        StorageError: the write failed; the old file is unchanged.
    """
    write_json(path, asdict(settings))
