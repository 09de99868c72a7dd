"""Published hours: every one of the table is read or knowingly not, and open or closed is said only when certain."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhdesk.safety.helplines import Helplines
from mhdesk.safety.hours import NOT_KNOWN, UNKNOWN, Opening, OpenState, opening, read_hours
from mhdesk.safety.regions import load_regions, tables_dir

TABLE = json.loads((tables_dir() / "helplines.json").read_text(encoding="utf-8"))
REGIONS = load_regions()
BERLIN = ("Europe/Berlin",)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("hours", sorted({record["hours"] for record in TABLE["lines"]}))
def test_every_hours_of_the_table_are_read_or_knowingly_not(hours: str) -> None:
    readings = TABLE["hours_read"]
    if read_hours(hours) is not None:
        assert hours not in readings
    else:
        assert readings[hours] == UNKNOWN or read_hours(readings[hours]) is not None


def test_no_reading_is_left_over_from_an_older_table() -> None:
    assert set(TABLE["hours_read"]) <= {record["hours"] for record in TABLE["lines"]}


@pytest.mark.parametrize(
    ("hours", "moment", "state", "opens"),
    [
        ("Daily 08:00-20:00", "2026-11-24 07:00", "open", None),  # 08:00 in Berlin
        ("Daily 08:00-20:00", "2026-11-24 06:59", "closed", "2026-11-24 08:00"),
        ("Daily 08:00-20:00", "2026-11-24 19:00", "closed", "2026-11-25 08:00"),
        ("Daily 09:00-05:00", "2026-11-24 03:59", "open", None),
        ("Daily 09:00-05:00", "2026-11-24 04:00", "closed", "2026-11-24 09:00"),
        ("Daily 09:00-24:00", "2026-11-24 22:59", "open", None),
        ("Daily 09:00-24:00", "2026-11-24 23:00", "closed", "2026-11-25 09:00"),
        ("Mon-Sat 14:00-20:00", "2026-11-28 20:00", "closed", "2026-11-30 14:00"),
        ("Weekdays 09:00-17:00", "2026-11-28 10:00", "closed", "2026-11-30 09:00"),
        ("Sun-Thu 16:00-24:00, Sat 18:00-24:00", "2026-11-27 18:00", "closed", "2026-11-28 18:00"),
        ("Fri 20:00-02:00", "2026-11-28 00:30", "open", None),
        ("at least Daily 16:00-21:00", "2026-11-24 16:00", "open", None),
        ("at least Daily 16:00-21:00", "2026-11-24 10:00", "unknown", None),
    ],
)
def test_a_line_is_open_or_closed_by_the_clock_of_its_place(hours: str, moment: str, state: str, opens) -> None:
    found = opening(hours, BERLIN, at(moment))
    assert found.state is OpenState(state)
    assert found.opens == (datetime.fromisoformat(opens) if opens else None)


def test_summer_time_moves_the_hour_at_which_a_line_opens() -> None:
    assert opening("Daily 08:00-20:00", BERLIN, at("2026-07-01 06:30")).state is OpenState.OPEN
    assert opening("Daily 08:00-20:00", BERLIN, at("2026-12-01 06:30")).state is OpenState.CLOSED


def test_a_line_for_calls_round_the_clock_says_that_it_is_for_calls() -> None:
    assert opening("24/7 by phone; chat 16:00-23:00", (), at("2026-11-24 03:00")) == Opening(
        OpenState.OPEN, by_phone=True, always=True
    )


def test_several_clocks_say_only_what_holds_by_all_of_them() -> None:
    coasts = ("America/New_York", "America/Los_Angeles")
    assert opening("Daily 08:00-20:00", coasts, at("2026-11-24 18:00")).state is OpenState.OPEN
    assert opening("Daily 08:00-20:00", coasts, at("2026-11-24 13:30")) == NOT_KNOWN
    night = opening("Daily 08:00-20:00", coasts, at("2026-11-24 11:00"))
    assert night == Opening(OpenState.CLOSED, datetime(2026, 11, 24, 8, 0))
    evening = opening("Daily 08:00-20:00", coasts, at("2026-11-24 06:00"))
    assert evening == Opening(OpenState.CLOSED), "tomorrow on one coast, today on the other"
    assert opening("Daily 09:00-10:00", coasts, at("2026-11-24 15:00")) == Opening(OpenState.CLOSED)


def test_two_names_of_one_clock_are_one_clock() -> None:
    assert opening("Daily 08:00-20:00", ("Asia/Calcutta", "Asia/Kolkata"), at("2026-11-24 20:00")).opens is not None


@pytest.mark.parametrize("zones", [(), ("Nowhere/At_All",), ("",), ("../etc/passwd",), ("Europe/Berlin", "No/Such")])
def test_without_the_rules_of_a_zone_it_is_unknown(zones: tuple[str, ...]) -> None:
    assert opening("Daily 08:00-20:00", zones, at("2026-11-24 12:00")) == NOT_KNOWN


@pytest.mark.parametrize(
    "hours",
    [
        "", "Daytime", "Daily", "Daily 8-20", "Daily 25:00-26:00", "Daily 08:00-08:00", "Daily 08:61-09:00",
        "24/7; more", "24/7 by press reports", "Mon-Xyz 08:00-20:00", "Someday 08:00-20:00",
        "Daily 08:00-20:00; sources have differed",
    ],
)  # fmt: skip
def test_words_that_are_not_plain_are_not_read(hours: str) -> None:
    assert read_hours(hours) is None
    assert opening(hours, BERLIN, at("2026-11-24 12:00")) == NOT_KNOWN


@given(st.text())
def test_no_words_raise(hours: str) -> None:
    opening(hours, BERLIN, at("2026-11-24 12:00"))


def test_every_line_of_every_region_has_a_state_by_day_and_by_night() -> None:
    book = Helplines.load()
    for region in REGIONS:
        for line in book.panel(region):
            for hour in range(0, 24, 3):
                found = book.opening(line, region, datetime(2026, 11, 24, hour, tzinfo=UTC))
                assert found.state is not OpenState.CLOSED or not line.hours.startswith("24/7")
                if line.evidence == "unconfirmed" or line.kind in ("guidance", "directory"):
                    assert found == NOT_KNOWN


def test_known_lines_are_open_and_closed_when_their_places_say_so() -> None:
    book = Helplines.load()
    noon_in_dubai, night_in_dubai = at("2026-11-24 08:00"), at("2026-11-24 22:00")
    hope = next(line for line in book.panel("AE") if line.kind == "crisis")
    assert book.opening(hope, "AE", noon_in_dubai).state is OpenState.OPEN
    assert book.opening(hope, "AE", night_in_dubai) == Opening(OpenState.CLOSED, datetime(2026, 11, 25, 8, 0))
    child = next(line for line in book.panel("DE") if line.kind == "youth")
    assert book.opening(child, "DE", at("2026-11-29 15:00")).opens == datetime(2026, 11, 30, 14, 0)
    assert book.opening(child, "DE-BY", at("2026-11-29 15:00")).opens == datetime(2026, 11, 30, 14, 0)
