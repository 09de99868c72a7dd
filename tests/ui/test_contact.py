from __future__ import annotations

from datetime import date

import pytest

from mhdesk.core.events import HelpLine
from mhdesk.safety.helplines import Helplines
from mhdesk.ui.contact import breakable, dialled, doubt, facts, is_weak, spoken, texting, ways

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
    assert doubt(line("official-copy", "2021-10-15"), TODAY) == "Please check: last read in October 2021."
    assert "no date" in doubt(line("secondary", ""), TODAY)
    assert "could not confirm" in doubt(line("unconfirmed", "2026-09-01"), TODAY)
    assert "2019" in doubt(line("secondary", "2019"), TODAY)
    assert is_weak(line("secondary", ""))
    assert not is_weak(line("official-copy", ""))


def test_hours_cost_and_languages_are_read_as_a_person_would_say_them() -> None:
    assert facts(HelpLine("A", "B", hours="24/7", cost="free", languages=("en", "es"))) == (
        "Day and night · Free · English, Spanish"
    )
    assert facts(HelpLine("A", "B")) == ""


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
