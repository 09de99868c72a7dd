"""The lines of help for a region, in the order that fits what was said.

One table in `resources/helplines`, refreshed only by a new version. What is shown is as dialled there and is never
reformatted: short codes such as 988 or 113 mean different things in different countries and have no international form.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from mhdesk.core.events import Card, HelpLine
from mhdesk.core.levels import Topic, Verdict
from mhdesk.core.settings import AgeBand
from mhdesk.safety.hours import NOT_KNOWN, Opening, opening
from mhdesk.safety.regions import POLICE, Fallback, Region, help_line, load_fallback, load_regions, tables_dir

log = logging.getLogger(__name__)

EVIDENCE = ("official-copy", "open-helplines", "secondary", "unconfirmed")
"""Strongest first."""

MOST_LINES = 6
"""More than this is a directory, and a person in distress reads none of it."""

_BARE = Fallback(
    emergency=HelpLine(
        "Emergency services", "Life in danger now: 112 in many countries", voice="112", kind="emergency"
    ),
    local_number=HelpLine("Your local emergency number", "Anyone near you will know it", kind="guidance"),
    someone_near=HelpLine("Someone near you", "A person you trust, or the nearest hospital", kind="guidance"),
    tell_an_adult=HelpLine("An adult you trust", "Tell them what happened and how you feel", kind="guidance"),
    directories=(),
)
_MINORS = (AgeBand.UNDER_13, AgeBand.TEEN)
_HARM_BY_OTHERS = {Topic.ABUSE, Topic.VIOLENCE}
_LEADS: dict[Topic, tuple[str, ...]] = {
    Topic.ABUSE: ("abuse", POLICE, "emergency"),
    Topic.VIOLENCE: ("crisis", "text", POLICE, "emergency"),
}
_OTHERWISE = ("crisis", "text", "emergency", "indigenous")
_NO_ADULT_SAID = ("youth", "child_protection")
_STAND_INS = ("guidance", "directory")
_AT_MOST = {"crisis": 3, "text": 1, "youth": 2, "child_protection": 1, POLICE: 1, "emergency": 1}
_ALSO_FOR_OTHERS = "; you can also ask how to help someone you worry about"


class Helplines:
    """The table, loaded once. No method raises for any region string."""

    def __init__(
        self,
        regions: Mapping[str, Region],
        lines: Mapping[str, Sequence[tuple[str, HelpLine]]],
        fallback: Fallback,
        what_happens: Mapping[str, str],
        hours_read: Mapping[str, str],
    ) -> None:
        """`lines` holds for each country its lines, each with the part of the country it is for (empty: all of it).

        `hours_read` says how hours are to be read that are not plainly readable.
        """
        self._regions = regions
        self._lines = lines
        self._fallback = fallback
        self._what_happens = what_happens
        self._hours_read = hours_read

    @classmethod
    def load(cls, folder: Path | None = None) -> Helplines:
        """The shipped tables, or those of `folder`.

        A missing or damaged table leaves what the other holds, at the least an emergency number: help must show
        whatever the disk says.
        """
        regions: Mapping[str, Region] = {}
        fallback = _BARE
        lines: dict[str, list[tuple[str, HelpLine]]] = {}
        what_happens: Mapping[str, str] = {}
        hours_read: Mapping[str, str] = {}
        try:
            regions, fallback = load_regions(folder), load_fallback(folder)
            table = json.loads(((folder or tables_dir()) / "helplines.json").read_text(encoding="utf-8"))
            what_happens, hours_read = table["what_happens"], table["hours_read"]
            for record in table["lines"]:
                lines.setdefault(record["region"], []).append((record["sub_region"], help_line(record)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            log.exception("helpline tables unreadable; emergency numbers are all that is left")
        return cls(regions, lines, fallback, what_happens, hours_read)

    def regions(self) -> Sequence[Region]:
        """Every region, sorted by name; parts of a country follow it."""
        return sorted(self._regions.values(), key=lambda region: region.name.casefold())

    def emergency(self, region: str) -> HelpLine:
        """The number to ring when life is in danger."""
        known = self._find(region)
        return known.emergency[0] if known else self._fallback.emergency

    def panel(self, region: str, age_band: AgeBand = AgeBand.UNKNOWN) -> tuple[HelpLine, ...]:
        """What is always visible beside the talk: emergency, crisis lines, one for the young, for abuse if it fits.

        For minors the lines for the young come first, and under 13 an adult to tell before them.
        """
        known = self._find(region)
        adult = (self._fallback.tell_an_adult,) if age_band is AgeBand.UNDER_13 else ()
        if known is None:
            emergency, *others = self._anywhere()
            return (emergency, *adult, *others)
        lines = self._by_kind(known)
        text = lines.get("text", ())[:1]
        young = (*lines.get("youth", ()), *lines.get("child_protection", ()))
        leading = [line for line in young if age_band in _MINORS and _may_lead(line, age_band)][:2]
        chosen = [known.emergency[0], *adult, *leading, *lines.get("crisis", ())[: 3 - len(text)], *text]
        chosen += [line for line in young if line not in leading][: 0 if leading else 1]
        if len(chosen) + len(lines.get("abuse", ())) <= MOST_LINES:
            chosen += lines.get("abuse", ())
        for kind in _STAND_INS:
            chosen += lines.get(kind, ())
        return tuple(chosen[:MOST_LINES])

    def card(self, region: str, verdict: Verdict, age_band: AgeBand) -> Card:
        """The lines that fit `verdict`, most fitting first; the emergency number is always among them."""
        known = self._find(region)
        topic = _topic(verdict.topics)
        if known is None:
            return Card("", topic, self._anywhere())
        lines = self._by_kind(known)
        chosen: dict[HelpLine, None] = {}
        for kind in _order(verdict, age_band, lines):
            chosen.update(dict.fromkeys(lines.get(kind, ())[: _AT_MOST.get(kind, MOST_LINES)]))
        shortened = _shortened(list(chosen))
        if Topic.THIRD_PARTY in verdict.topics:
            shortened = [
                replace(line, audience=line.audience + _ALSO_FOR_OTHERS)
                if line.kind in ("crisis", "text") and "worr" not in line.audience
                else line
                for line in shortened
            ]
        return Card(known.code, topic, tuple(shortened))

    def opening(self, line: HelpLine, region: str, now: datetime) -> Opening:
        """Whether `line` is open at `now`; unknown for one that could not be confirmed, and for what is no line."""
        if line.evidence == "unconfirmed" or line.kind in _STAND_INS:
            return NOT_KNOWN
        known = self._find(region)
        country = self._regions.get(known.code.partition("-")[0], known) if known else None
        return opening(self._hours_read.get(line.hours, line.hours), country.zones if country else (), now)

    def what_happens(self, line: HelpLine) -> str:
        """One sentence on what to expect of a line of this kind; empty if nothing is known."""
        return self._what_happens.get(line.kind, "")

    def _find(self, region: str) -> Region | None:
        """The region of that code, else the country it is a part of, else None."""
        code = region.strip().upper().replace("_", "-")
        return self._regions.get(code) or self._regions.get(code.partition("-")[0])

    def _by_kind(self, region: Region) -> dict[str, tuple[HelpLine, ...]]:
        """The region's lines by kind, best first.

        A whole country shows the lines of its parts only where it has none of that kind itself; they name their part.
        Where nobody is confirmed who can be rung or texted, people nearby and directories stand in.
        """
        country, _, part = region.code.partition("-")
        of_country: dict[str, list[HelpLine]] = {}
        of_parts: dict[str, list[HelpLine]] = {}
        for place, line in self._lines.get(country, ()):
            if place in ("", region.code):
                of_country.setdefault(line.kind, []).append(line)
            elif not part:
                of_parts.setdefault(line.kind, []).append(line)
        lines = {kind: tuple(sorted(found, key=_merit)) for kind, found in {**of_parts, **of_country}.items()}
        listeners = (*lines.get("crisis", ()), *lines.get("text", ()))
        if all(line.evidence == "unconfirmed" or not (line.voice or line.text) for line in listeners):
            lines["guidance"] = (self._fallback.someone_near,)
            lines["directory"] = self._fallback.directories
        lines["emergency"] = (region.emergency[0],)
        lines[POLICE] = tuple(line for line in region.emergency if line.kind == POLICE)
        return lines

    def _anywhere(self) -> tuple[HelpLine, ...]:
        """What can be said without knowing the country: the directories need the internet, and say so."""
        world = self._fallback
        return (world.emergency, world.local_number, world.someone_near, *world.directories)


def stale(line: HelpLine, today: date) -> bool:
    """Whether the window says "please check": the copy that was read bears no date, or is older than a year."""
    if line.kind == "guidance":
        return False
    parts = line.source_copy_date.split("-")
    try:
        year, month, day = (int(part) for part in (*parts, "1", "1")[:3])
        return today - date(year, month, day) > timedelta(days=365)
    except ValueError:
        return True


def _merit(line: HelpLine) -> tuple[bool, bool, int]:
    """Confirmed before unconfirmed, round the clock before office hours, then by evidence; then as in the table."""
    rank = EVIDENCE.index(line.evidence) if line.evidence in EVIDENCE else len(EVIDENCE)
    return line.evidence == "unconfirmed", not line.hours.startswith("24/7"), rank


def _topic(topics: Sequence[Topic]) -> Topic:
    """What the card is for: a medical emergency and a third person change its wording whatever else was said."""
    for decisive in (Topic.MEDICAL, Topic.THIRD_PARTY):
        if decisive in topics:
            return decisive
    return topics[0] if topics else Topic.SUICIDE


def _order(verdict: Verdict, age_band: AgeBand, lines: Mapping[str, Sequence[HelpLine]]) -> Iterable[str]:
    """Kinds of line, the first to be shown first; a kind may be named twice."""
    topics = verdict.topics
    if verdict.danger_now or Topic.MEDICAL in topics:
        if topics and topics[0] in _HARM_BY_OTHERS and Topic.MEDICAL not in topics:
            yield POLICE
        yield "emergency"
    if Topic.MINOR in topics or age_band in _MINORS:
        yield from _for_the_young(topics, age_band, lines)
    for topic in topics:
        yield from _LEADS.get(topic, () if topic in (Topic.THIRD_PARTY, Topic.MINOR) else ("crisis", "text"))
    yield from _OTHERWISE
    if age_band not in _MINORS:
        yield "veterans"
    if age_band is not AgeBand.ADULT:
        yield from _NO_ADULT_SAID
    yield from _STAND_INS


def _for_the_young(
    topics: Sequence[Topic], age_band: AgeBand, lines: Mapping[str, Sequence[HelpLine]]
) -> Iterable[str]:
    """Lines for children. One against child abuse leads where harm is the matter, or in place of a general one."""
    protection = lines.get("child_protection", ())
    if _HARM_BY_OTHERS & set(topics):
        yield "child_protection"
    yield "youth"
    stands_in = not lines.get("youth") and any(_may_lead(line, age_band) for line in protection)
    if Topic.MINOR in topics or stands_in:
        yield "child_protection"


def _may_lead(line: HelpLine, age_band: AgeBand) -> bool:
    """Whether a line for the young may come before the country's crisis line: an unconfirmed one only under 13."""
    return line.kind == "youth" or line.evidence != "unconfirmed" or age_band is AgeBand.UNDER_13


def _shortened(lines: list[HelpLine]) -> list[HelpLine]:
    """At most `MOST_LINES`, the last ones gone, emergency numbers never."""
    kept = list(lines)
    for line in reversed(lines):
        if len(kept) <= MOST_LINES:
            break
        if line.kind not in ("emergency", POLICE):
            kept.remove(line)
    return kept
