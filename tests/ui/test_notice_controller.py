"""Notices in the window: when they come, that they cover nothing, and what an answer to the question of age changes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from mhdesk.core.events import Card, Source, Text
from mhdesk.core.levels import Topic
from mhdesk.core.settings import AgeBand, Settings
from mhdesk.safety.helplines import Helplines
from tests.ui.conftest import NOTICES, Desk, breathe, settle
from tests.ui.plain_talk import DONE, SCREENED, PlainConversation, reply, until

Open = Callable[..., Desk]
SEEN = Settings(last_used="2026-11-24", age_band=AgeBand.ADULT)
TEEN = Settings(last_used="2026-11-24", age_band=AgeBand.TEEN)
CAPITALS = NOTICES.ai_notice.upper()


def visible_words(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]


def notices(desk: Desk) -> int:
    return visible_words(desk.window.conversation).count(CAPITALS)


def press(desk: Desk, name: str) -> None:
    next(b for b in desk.window.conversation.findChildren(QPushButton) if b.text() == name).click()


async def say(desk: Desk, text: str = "hello") -> None:
    desk.say(text)
    await until(lambda: not desk.controller.turns.running)
    await breathe()


async def look(desk: Desk) -> None:
    desk.controller.notices.look_at_clock()
    await breathe()


def test_before_first_use_all_is_said_in_one_page_and_the_age_is_asked(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    settle()
    shown = visible_words(desk.window.conversation)
    assert shown.index(CAPITALS) < shown.index("What this is") < shown.index("How old are you?")
    assert set(NOTICES.what_this_is) | {NOTICES.what_is_kept, NOTICES.age_why} <= set(shown)
    assert NOTICES.disclaimer in visible_words(desk.window)


def test_the_notice_is_bold_and_at_least_16_points(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    for _ in range(3):
        desk.theme.resize_text(-1)
    settle()
    label = next(label for label in desk.window.conversation.findChildren(QLabel) if label.text() == CAPITALS)
    assert label.font().pointSizeF() >= 16
    assert label.font().bold()
    desk.theme.resize_text(0)


@pytest.mark.parametrize("size", [(1080, 740), (640, 560), (480, 420)])
def test_the_first_page_is_read_from_its_beginning_and_hides_neither_help_nor_field(
    open_desk: Open, size: tuple[int, int]
) -> None:
    desk = open_desk(PlainConversation(), size=size)
    settle()
    window = desk.window
    assert window.conversation.verticalScrollBar().value() == 0
    assert window.conversation.jump.isHidden()
    assert QApplication.focusWidget() is window.composer.field
    help_place = window.panel if window.panel.isVisible() else window.strip
    assert "911" in visible_words(help_place)


async def test_one_can_write_without_reading_or_answering_anything(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("Hello.")))
    desk.type("hi")
    QTest.keyClick(desk.window.composer.field, Qt.Key.Key_Return)
    await until(lambda: not desk.controller.turns.running and len(desk.bubbles()) == 2)
    assert desk.bubbles() == ["You: hi", "MHDesk: Hello."]
    assert not desk.settings_file.exists()


async def test_one_button_closes_the_page_and_the_day_is_saved(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    press(desk, "OK, close this")
    await until(desk.settings_file.exists)
    assert json.loads(desk.settings_file.read_text())["last_used"] == "2026-11-24"
    assert "What this is" not in visible_words(desk.window.conversation)
    assert QApplication.focusWidget() is desk.window.composer.field


@pytest.mark.parametrize(("last_used", "shown"), [("2026-11-18", False), ("2026-11-17", True), ("2027-01-01", True)])
async def test_the_page_comes_again_after_seven_days_away(open_desk: Open, last_used: str, shown: bool) -> None:
    desk = open_desk(PlainConversation(), settings=Settings(last_used=last_used, age_band=AgeBand.ADULT))
    await breathe()
    assert ("What this is" in visible_words(desk.window.conversation)) is shown


async def test_a_use_is_noted_by_its_day(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(), settings=Settings(last_used="2026-11-20", age_band=AgeBand.ADULT))
    await until(desk.settings_file.exists)
    assert json.loads(desk.settings_file.read_text())["last_used"] == "2026-11-24"


async def test_a_window_left_open_for_a_week_says_again_what_this_is_before_the_next_message(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("Hello.")), settings=SEEN)
    await breathe()
    desk.clock.move(days=7)
    await look(desk)
    assert "What this is" not in visible_words(desk.window.conversation)
    await say(desk)
    assert "What this is" in visible_words(desk.window.conversation)


async def test_the_notice_comes_again_every_three_hours_of_a_conversation(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("One."), reply("Two.")), settings=SEEN)
    await say(desk)
    desk.clock.move(hours=2, minutes=59)
    await look(desk)
    assert notices(desk) == 1
    desk.clock.move(minutes=1)
    await look(desk)
    assert notices(desk) == 2
    desk.clock.move(hours=9)
    await look(desk)
    assert notices(desk) == 2, "nothing was said since"
    await say(desk)
    assert notices(desk) == 3
    assert NOTICES.break_reminder not in visible_words(desk.window.conversation)


@pytest.mark.parametrize("band", [AgeBand.UNDER_13, AgeBand.TEEN])
async def test_minors_are_reminded_to_take_a_break_with_it(open_desk: Open, band: AgeBand) -> None:
    desk = open_desk(PlainConversation(reply("One.")), settings=Settings(last_used="2026-11-24", age_band=band))
    await say(desk)
    assert NOTICES.break_reminder not in visible_words(desk.window.conversation)
    desk.clock.move(hours=3)
    await look(desk)
    assert NOTICES.break_reminder in visible_words(desk.window.conversation)
    assert notices(desk) == 2


async def test_a_new_conversation_begins_with_the_notice_and_with_what_is_still_unanswered(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("One.")))
    await say(desk)
    desk.window.toolbar.new.click()
    desk.window.confirm.yes.click()
    await until(lambda: desk.conversation.begun_anew == 1)
    shown = visible_words(desk.window.conversation)
    assert {CAPITALS, "What this is", "How old are you?"} <= set(shown)
    press(desk, "18 or older")
    press(desk, "OK, close this")
    await breathe()
    assert {"What this is", "How old are you?"}.isdisjoint(visible_words(desk.window.conversation))


async def test_an_answer_is_saved_and_not_asked_again(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    press(desk, "13 to 17")
    await until(desk.settings_file.exists)
    assert json.loads(desk.settings_file.read_text())["age_band"] == "13_17"
    assert "How old are you?" not in visible_words(desk.window.conversation)
    assert desk.window.toolbar._ages[AgeBand.TEEN].isChecked()


async def test_whoever_would_rather_not_say_stays_unknown_and_is_not_asked_again_in_this_run(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("One.")))
    press(desk, "Rather not say")
    await say(desk)
    desk.window.toolbar.new.click()
    desk.window.confirm.yes.click()
    await until(lambda: desk.conversation.begun_anew == 1)
    assert "How old are you?" not in visible_words(desk.window.conversation)
    assert json.loads(desk.settings_file.read_text())["age_band"] == "unknown"


async def test_under_13_the_field_says_so_and_an_adult_and_childrens_lines_stand_first(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(), region="GB")
    press(desk, "Under 13")
    await breathe()
    assert NOTICES.under_13_short in visible_words(desk.window.composer)
    assert "aged 13 and older" in desk.window.composer.field.accessibleName()
    shown = visible_words(desk.window.panel)
    assert shown.index("An adult you trust") < shown.index("Childline") < shown.index("Samaritans")


async def test_two_clicks_in_the_menu_change_the_age_and_the_lines(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(), region="GB", settings=SEEN)
    desk.window.toolbar._ages[AgeBand.UNDER_13].trigger()
    await breathe()
    assert NOTICES.under_13_short in visible_words(desk.window.composer)
    assert "An adult you trust" in visible_words(desk.window.panel)
    desk.window.toolbar._ages[AgeBand.ADULT].trigger()
    await breathe()
    assert NOTICES.under_13_short not in visible_words(desk.window.composer)
    assert "An adult you trust" not in visible_words(desk.window.panel)
    await until(desk.settings_file.exists)


async def test_a_card_for_a_minor_speaks_of_an_adult_to_tell(open_desk: Open, book: Helplines) -> None:
    card = Card("GB", Topic.SUICIDE, book.panel("GB")[1:3])
    turn = [SCREENED, card, Text("I hear you.", Source.FIXED), DONE]
    desk = open_desk(PlainConversation(turn), region="GB", settings=TEEN)
    await say(desk)
    assert any("an adult you trust" in words for words in visible_words(desk.window.conversation._entries[1]))


async def test_open_and_closed_follow_the_clock_in_panel_strip_and_card(open_desk: Open, book: Helplines) -> None:
    lines = tuple(line for line in book.panel("AE") if line.kind == "crisis")
    desk = open_desk(PlainConversation([SCREENED, Card("AE", Topic.SUICIDE, lines), DONE]), region="AE", settings=SEEN)
    await say(desk)
    card = desk.window.conversation._entries[1]
    places: list[QWidget] = [desk.window.panel, desk.window.strip, card]
    assert all(any(words.startswith("Open now") for words in visible_words(place)) for place in places)
    desk.clock.move(hours=5)
    await look(desk)
    closed = "Closed now, opens tomorrow at 08:00"
    assert all(any(words.startswith(closed) for words in visible_words(place)) for place in places)
    heard = [child.accessibleName() for place in places for child in place.findChildren(QWidget)]
    assert sum(closed in name for name in heard) >= 3


def test_the_keyboard_reaches_every_answer(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    QTest.qWaitForWindowActive(desk.window)
    wanted = {"OK, close this", "Under 13", "13 to 17", "18 or older", "Rather not say"}
    reached: set[str] = set()
    for _ in range(40):
        desk.press(Qt.Key.Key_Tab)
        here = QApplication.focusWidget()
        if isinstance(here, QPushButton):
            reached.add(here.text())
    assert wanted <= reached
