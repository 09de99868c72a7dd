"""Notices: what they say, what they never say, and when they are due."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest

from mhdesk.core.paths import resources_dir
from mhdesk.safety.notices import Reminder, load_notices, was_away

NOTICES = load_notices()
TEXTS = [text for value in asdict(NOTICES).values() for text in (value if isinstance(value, tuple) else (value,))]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **time: int) -> None:
        self.now += timedelta(**time)


def test_every_text_of_the_file_is_used_and_none_is_empty() -> None:
    raw = json.loads((resources_dir() / "notices.json").read_text(encoding="utf-8"))
    assert set(raw) == set(asdict(NOTICES))
    assert all(text.strip() for text in TEXTS)


@pytest.mark.parametrize("text", TEXTS)
def test_therapy_and_treatment_are_named_only_as_what_this_is_not(text: str) -> None:
    for sentence in re.split(r"(?<=[.?!])\s", text):
        if re.search(r"therap|treat", sentence, re.IGNORECASE):
            assert re.search(r"\bnot\b", sentence), sentence


def test_the_notice_says_program_no_human_and_no_emotion() -> None:
    for word in ("COMPUTER PROGRAM", "NOT A HUMAN BEING", "CANNOT FEEL HUMAN EMOTION"):
        assert word in NOTICES.ai_notice.upper()


def test_what_this_is_says_program_support_no_substitute_help_and_what_is_kept() -> None:
    page = " ".join((*NOTICES.what_this_is, NOTICES.what_is_kept))
    for words in (
        "computer program",
        "self-help and support",
        "not a substitute for professional advice",
        "help panel",
    ):
        assert words in page
    assert "gone when you close" in page
    assert len(page) < 400, "a tired person reads no more"


def test_a_break_is_suggested_without_sending_anyone_away_from_help() -> None:
    assert "break" in NOTICES.break_reminder
    assert "help panel" in NOTICES.break_reminder


def test_under_13_is_pointed_to_an_adult_and_to_lines() -> None:
    for text in (NOTICES.under_13_short, NOTICES.under_13):
        assert "aged 13 and older" in text
        assert re.search("adult|grown-up", text)
        assert "help panel" in text


@pytest.mark.parametrize(
    ("last_used", "away"),
    [
        ("", True), ("2026-11-24", False), ("2026-11-18", False), ("2026-11-17", True), ("2025-01-01", True),
        ("2026-11-25", True), ("yesterday", True),
    ],
)  # fmt: skip
def test_seven_days_away_are_counted_in_days(last_used: str, away: bool) -> None:
    assert was_away(last_used, date(2026, 11, 24)) is away


def test_a_notice_is_due_after_three_hours_and_again_after_three_more() -> None:
    clock = Clock()
    reminder = Reminder(clock)
    clock.move(hours=2, minutes=59)
    assert not reminder.is_due()
    clock.move(minutes=1)
    assert reminder.is_due()
    reminder.shown()
    assert not reminder.is_due()
    clock.move(hours=3)
    assert reminder.is_due()


def test_a_clock_put_back_does_not_put_the_notice_off() -> None:
    clock = Clock()
    reminder = Reminder(clock)
    clock.move(days=-1)
    assert not reminder.is_due()
    clock.move(hours=3)
    assert reminder.is_due()
