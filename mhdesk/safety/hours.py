"""Whether a line answers at this hour, as far as its published hours say so, and when it opens next.

A line wrongly called open costs a call that nobody answers; one wrongly called closed is not rung at all. So whatever
is not plainly readable is unknown, and then the window shows the published words alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMED = {"Daily": range(7), "Weekdays": range(5), "Weekends": range(5, 7)}
_SPAN = re.compile(
    r"(?P<days>Daily|Weekdays|Weekends|[A-Z][a-z]{2}(?:-[A-Z][a-z]{2})?) "
    r"(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)"
)
_BY_PHONE = " by phone"
_AT_LEAST = "at least "
ALWAYS = "24/7"
UNKNOWN = "unknown"
"""How the table names hours that are knowingly not readable."""


class OpenState(StrEnum):
    """What can be said of a line at a moment."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a line is open.

    `opens` is the wall clock there when it opens next, None where that is not certain, and `days_ahead` 0 for today
    there, 1 for tomorrow. `by_phone` says that all this holds for calls, while its chat has hours of its own; `always`
    that it never closes.
    """

    state: OpenState
    opens: datetime | None = None
    days_ahead: int = 0
    by_phone: bool = False
    always: bool = False


NOT_KNOWN = Opening(OpenState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours of a week. A span is (weekday from 0, minute it opens, minute it closes), past 1440 after midnight.

    `at_least`: the line is known to be open longer at times, so that outside the spans nothing is certain.
    """

    spans: tuple[tuple[int, int, int], ...]
    by_phone: bool = False
    at_least: bool = False
    always: bool = False


@lru_cache(maxsize=512)
def read_hours(hours: str) -> Schedule | None:
    """The schedule that the words of the table stand for; None where they are not plainly readable.

    `24/7`, `Daily 09:00-05:00`, `Sun-Thu 16:00-24:00, Sat 18:00-24:00`, each with ` by phone` behind it if it is for
    calls only, `at least ` before it if the line may be open longer, and `; chat …` after it, which is not read.
    """
    first, *others = (part.strip() for part in hours.split(";"))
    if any(not other.startswith("chat ") for other in others):
        return None
    at_least, by_phone = first.startswith(_AT_LEAST), first.endswith(_BY_PHONE)
    words = first.removeprefix(_AT_LEAST).removesuffix(_BY_PHONE)
    if words == ALWAYS:
        return Schedule((), by_phone, at_least, always=True)
    spans: list[tuple[int, int, int]] = []
    for part in words.split(", "):
        match = _SPAN.fullmatch(part)
        days = _days(match["days"]) if match else ()
        if match is None or not days:
            return None
        opens, closes = _minutes(match["opens"]), _minutes(match["closes"])
        if opens is None or closes is None or opens == closes:
            return None
        spans += [(day, opens, closes if closes > opens else closes + 1440) for day in days]
    return Schedule(tuple(spans), by_phone, at_least)


def opening(hours: str, zones: Sequence[str], now: datetime) -> Opening:
    """Whether a line with these `hours` is open at `now`, in a region whose clocks are those of `zones`.

    Where a region has several clocks, only what holds by all of them is said: nobody knows by which one a line goes.
    Without the zones' rules on this computer (Python on Windows has none of its own) it is unknown.

    Args:
        hours: as in the table, or the reading that the table gives of them.
        zones: IANA names; may be empty.
        now: a moment with a time zone of its own.
    """
    schedule = read_hours(hours)
    if schedule is None:
        return NOT_KNOWN
    if schedule.always:
        return Opening(OpenState.OPEN, by_phone=schedule.by_phone, always=True)
    try:
        clocks = {now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in zones}
    except (OSError, ValueError, KeyError):
        return NOT_KNOWN
    if not clocks:
        return NOT_KNOWN
    found = {_at(schedule, clock) for clock in clocks}
    if len({each.state for each in found}) > 1:
        return NOT_KNOWN
    return found.pop() if len(found) == 1 else Opening(found.pop().state, by_phone=schedule.by_phone)


def _at(schedule: Schedule, clock: datetime) -> Opening:
    spans = list(_dated(schedule, clock))
    if any(opens <= clock < closes for opens, closes in spans):
        return Opening(OpenState.OPEN, by_phone=schedule.by_phone)
    if schedule.at_least:
        return NOT_KNOWN
    opens = min(opens for opens, _ in spans if opens > clock)
    return Opening(OpenState.CLOSED, opens, (opens.date() - clock.date()).days, schedule.by_phone)


def _dated(schedule: Schedule, clock: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans around `clock`: from yesterday, which may reach past midnight, to this day of the next week."""
    midnight = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    for offset in range(-1, 8):
        day = midnight + timedelta(days=offset)
        for weekday, opens, closes in schedule.spans:
            if weekday == day.weekday():
                yield day + timedelta(minutes=opens), day + timedelta(minutes=closes)


def _days(words: str) -> tuple[int, ...]:
    """Weekdays from 0; empty for words that are no days. A range may go round the end of the week."""
    if words in _NAMED:
        return tuple(_NAMED[words])
    first, _, last = words.partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        return ()
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


def _minutes(time: str) -> int | None:
    """Minutes since midnight, up to 24:00; None for a time that no clock shows."""
    hour, minute = int(time[:2]), int(time[3:])
    total = 60 * hour + minute
    return total if minute < 60 and total <= 1440 else None
