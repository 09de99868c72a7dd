from __future__ import annotations

from datetime import date, datetime

import pytest

from mhdesk.core.events import HelpLine
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.hours import NOT_KNOWN, Opening, OpenState
from mhdesk.ui.contact import breakable, dialled, doubt, facts, is_weak, open_now, spoken, texting, ways

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("voice", "number"),
    [
        ("988 then press 1", "988"),
        ("119 ext 8", "119"),
        ("*4141", "*4141"),
        ("+1 (555) 010-9999", "+1 (555) 010-9999"),
        ("116 123", "116 123"),
        ("*120*7867#", "*120*7867#"),
    ],
)
def test_what_is_copied_is_what_is_dialled(voice: str, number: str) -> None:
    assert dialled(voice) == number


def test_a_line_that_can_only_be_texted_says_text_and_offers_no_call() -> None:
    (way,) = ways(HelpLine("Text line", "Anyone", text="HOME to 741741"))
    assert way.words == "Text HOME to 741741"
    assert way.copied == "741741"
    assert texting("838255") == ("Text 838255", "838255")
    assert texting("SMS SHOUT to 85258")[1] == "85258"


def test_unconfirmed_and_old_lines_ask_to_be_checked_and_fresh_ones_do_not() -> None:
    def line(evidence: str, copied_on: str) -> HelpLine:
        return HelpLine("A", "B", voice="1", evidence=evidence, source_copy_date=copied_on)

    assert doubt(line("official-copy", "2026-09-01"), TODAY) == ""
    assert doubt(line("official-copy", "2021-10-15"), TODAY) == "From its own page, as of October 2021: please check."
    assert doubt(line("secondary", "2021-10-15"), TODAY) == "Please check: last read in October 2021."
    assert doubt(line("official-copy", ""), TODAY) == "From its own page, which bears no date: please check."
    assert "no date" in doubt(line("secondary", ""), TODAY)
    assert "could not confirm" in doubt(line("unconfirmed", "2026-09-01"), TODAY)
    assert "2019" in doubt(line("secondary", "2019"), TODAY)
    assert is_weak(line("secondary", ""))
    assert not is_weak(line("official-copy", ""))


@pytest.mark.parametrize("kind", ["emergency", "police"])
def test_an_emergency_number_is_never_doubted(kind: str) -> None:
    assert doubt(HelpLine("A", "B", voice="999", kind=kind, evidence="secondary"), TODAY) == ""


def test_hours_cost_and_languages_are_read_as_a_person_would_say_them() -> None:
    assert facts(HelpLine("A", "B", hours="24/7", cost="free", languages=("en", "es"))) == (
        "Day and night · Free · English, Spanish"
    )
    assert facts(HelpLine("A", "B")) == ""


@pytest.mark.parametrize(
    ("opening", "words"),
    [
        (NOT_KNOWN, ""),
        (Opening(OpenState.OPEN), "Open now"),
        (Opening(OpenState.OPEN, always=True), "Open now, day and night"),
        (Opening(OpenState.OPEN, by_phone=True, always=True), "Open now by phone"),
        (Opening(OpenState.CLOSED), "Closed now"),
        (Opening(OpenState.CLOSED, datetime(2026, 11, 24, 8, 0)), "Closed now, opens at 08:00"),
        (Opening(OpenState.CLOSED, datetime(2026, 11, 25, 8, 0), 1), "Closed now, opens tomorrow at 08:00"),
        (Opening(OpenState.CLOSED, datetime(2026, 11, 30, 14, 0), 2), "Closed now, opens Monday at 14:00"),
    ],
)
def test_open_and_closed_are_said_in_words(opening: Opening, words: str) -> None:
    assert open_now(opening) == words


def test_what_is_open_is_spoken_too_and_day_and_night_is_said_once() -> None:
    line = HelpLine("A", "B", voice="1", hours="24/7", cost="free")
    heard = spoken(line, Opening(OpenState.OPEN, always=True))
    assert heard == "A. B. 1. Open now, day and night · Free."


def test_a_long_address_may_break_but_a_number_never_does() -> None:
    assert "\u200b" in breakable("Online: chat.example.org/now")
    assert breakable("0800 111 0 111") == "0800 111 0 111"


def test_every_shipped_line_can_be_put_into_words_and_every_way_can_be_copied(book: Helplines) -> None:
    for region in book.regions():
        for line in book.panel(region.code):
            assert spoken(line)
            doubt(line, TODAY)
            for way in ways(line):
                assert way.copied
                assert way.words
