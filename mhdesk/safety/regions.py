"""Regions: their emergency numbers, and a first guess of the person's region from time zone and locale.

The guess only preselects an entry that the person confirms or changes; no line is ever shown for a guessed place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mhdesk.core.events import HelpLine
from mhdesk.core.paths import resources_dir

POLICE = "police"
"""Kind of an emergency number that reaches the police only; all others are of kind `emergency`."""

_HELP_LINE_FIELDS = frozenset(HelpLine.__dataclass_fields__)
_AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
_TERRITORY = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?![A-Za-z0-9])")
_ZONE_NAME = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|[A-Za-z]+")


@dataclass(frozen=True)
class Region:
    """A country, or a part of one where lines differ (`GB-SCT`). The first emergency number is the one to ring.

    `zones` are IANA names of its clocks; a part of a country has none of its own.
    """

    code: str
    name: str
    emergency: tuple[HelpLine, ...]
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fallback:
    """What is shown where a region is unknown, or has no lines of its own."""

    emergency: HelpLine
    local_number: HelpLine
    someone_near: HelpLine
    tell_an_adult: HelpLine
    directories: tuple[HelpLine, ...]


def help_line(record: Mapping[str, Any], **defaults: Any) -> HelpLine:
    """The line that a record of the tables stands for; fields the window does not show are left out."""
    values = {**defaults, **{name: value for name, value in record.items() if name in _HELP_LINE_FIELDS}}
    values["languages"] = tuple(values.get("languages", ()))
    return HelpLine(**values)


def tables_dir() -> Path:
    """Where the shipped tables are."""
    return resources_dir() / "helplines"


@lru_cache(maxsize=2)
def _table(folder: Path) -> Any:
    return json.loads((folder / "regions.json").read_text(encoding="utf-8"))


def load_regions(folder: Path | None = None) -> dict[str, Region]:
    """Every region by its code; a part of a country follows its country and shares its emergency numbers.

    Raises:
        OSError, ValueError, KeyError, TypeError: the table is missing or damaged.
    """
    regions: dict[str, Region] = {}
    for record in _table(folder or tables_dir())["regions"]:
        emergency = tuple(help_line(line, hours="24/7", cost="free") for line in record["emergency"])
        regions[record["code"]] = Region(record["code"], record["name"], emergency, tuple(record["zones"]))
        for part in record.get("sub_regions", ()):
            regions[part["code"]] = Region(part["code"], part["name"], emergency)
    return regions


def load_fallback(folder: Path | None = None) -> Fallback:
    """The international fallback. Raises as `load_regions` does."""
    record = _table(folder or tables_dir())["fallback"]
    return Fallback(
        emergency=help_line(record["emergency"]),
        local_number=help_line(record["local_number"]),
        someone_near=help_line(record["someone_near"]),
        tell_an_adult=help_line(record["tell_an_adult"]),
        directories=tuple(help_line(line) for line in record["directories"]),
    )


@lru_cache(maxsize=1)
def _region_by_zone() -> dict[str, str]:
    return {zone: record["code"] for record in _table(tables_dir())["regions"] for zone in record["zones"]}


def preselect_region(time_zone: str | None, locale: str | None) -> str:
    """The code to preselect: the time zone's region, else the locale's territory, else empty.

    A zone of a place that has no region here gives empty whatever the locale says: `en_US` is many systems'
    default and must not put American numbers before someone in Kinshasa.
    """
    zone = (time_zone or "").strip()
    by_zone = _region_by_zone()
    if zone in by_zone:
        return by_zone[zone]
    if zone.partition("/")[0] in _AREAS and "/" in zone:
        return ""
    territory = _TERRITORY.match((locale or "").strip())
    code = territory.group(1).upper() if territory else ""
    return code if code in by_zone.values() else ""


def local_time_zone(etc: Path = Path("/etc")) -> str | None:
    """The IANA name of this machine's time zone, from `TZ`, the `localtime` link or the `timezone` file, else None.

    The link is read one step only: distributions join zones that agree today (Stockholm is a link to Berlin).
    """
    named = os.environ.get("TZ", "").strip().removeprefix(":")
    if named:
        return _zone_name(named)
    try:
        return _zone_name(str((etc / "localtime").readlink()))
    except OSError:
        pass
    try:
        return _zone_name((etc / "timezone").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def _zone_name(text: str) -> str | None:
    """`text`, or the part of a path behind `zoneinfo/`, if it has the form of a zone's name."""
    name = text.rpartition("zoneinfo/")[2].removeprefix("posix/").removeprefix("right/")
    return name if _ZONE_NAME.fullmatch(name) else None
