from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QToolButton, QWidget

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.core.events import FinishState, Source
from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.settings import AgeBand
from mhdesk.safety.helplines import Helplines
from mhdesk.ui.main_window import is_narrow
from tests.ui.conftest import NOTICES, PRESENT, Desk, settle
from tests.ui.plain_talk import PlainConversation

SIZES = [(1080, 740), (1024, 600), (640, 560), (480, 420)]


def visible_words(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


@pytest.mark.parametrize("state", list(EngineState))
@pytest.mark.parametrize("size", SIZES)
def test_help_and_disclaimer_are_visible_in_every_state_and_size(
    open_desk: Callable[..., Desk], state: EngineState, size: tuple[int, int]
) -> None:
    window = open_desk(PlainConversation(), size=size).window
    window.status.show_status(EngineStatus(state, "A sentence."))
    settle()
    help_place = window.strip if is_narrow(size[0], 1.0) else window.panel
    assert help_place.isVisible()
    words = visible_words(help_place)
    assert "911" in words
    assert "988" in words
    assert NOTICES.disclaimer in visible_words(window)
    number = next(label for label in help_place.findChildren(QLabel) if label.text() == "911" and label.isVisible())
    assert number.visibleRegion().boundingRect().size() == number.size()


def test_larger_type_moves_the_help_on_top_sooner() -> None:
    assert is_narrow(719, 1.0)
    assert not is_narrow(720, 1.0)
    assert is_narrow(1000, 1.5)


def test_another_size_of_type_keeps_help_in_view(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(PlainConversation(), size=(1024, 600))
    for _ in range(8):
        desk.theme.resize_text(1)
        settle()
        assert desk.window.panel.isVisible() != desk.window.strip.isVisible()
    desk.theme.resize_text(0)


def walk(desk: Desk, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> list[QWidget]:
    """Every widget that the key stops at, until it comes to one again."""
    reached: list[QWidget] = []
    while (here := QApplication.focusWidget()) is not None and here not in reached:
        reached.append(here)
        desk.press(key, modifiers)
    return reached


def test_the_tab_key_reaches_everything_that_can_be_pressed(open_desk: Callable[..., Desk], book: Helplines) -> None:
    desk = open_desk(PlainConversation())
    QTest.qWaitForWindowActive(desk.window)
    view = desk.window.conversation
    view.show_user("hello")
    card = book.card("US", Verdict(Level.CRISIS, (Topic.ABUSE,)), AgeBand.UNKNOWN)
    view.show_card(card, PRESENT, book.what_happens)
    view.show_text("A reply.", Source.FIXED)
    view.show_finished(FinishState.DONE)
    settle()
    desk.window.composer.field.setFocus()
    reached = walk(desk, Qt.Key.Key_Tab, Qt.KeyboardModifier.NoModifier)
    kinds = (QPushButton, QToolButton, QComboBox)
    pressable = [w for kind in kinds for w in desk.window.findChildren(kind) if w.isVisible() and w.isEnabled()]
    of_older_messages = list(view._entries[0].findChildren(QPushButton))
    assert set(pressable) - set(reached) <= set(of_older_messages)
    assert desk.window.composer.field in reached
    assert view in reached
    desk.window.composer.field.setFocus()
    backwards = walk(desk, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    # The button that jumps to the newest message is there only while the walk is above it.
    assert set(backwards) | {view.jump} == set(reached) | {view.jump}


def test_everything_that_takes_the_keyboard_has_a_name_for_screen_readers(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(PlainConversation())
    desk.window.conversation.show_user("hello")
    settle()
    nameless = [
        widget
        for widget in desk.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and not widget.accessibleName()
    ]
    assert nameless == []


def test_the_strip_opens_to_every_line_and_closes_again(open_desk: Callable[..., Desk]) -> None:
    strip = open_desk(PlainConversation(), size=(640, 560)).window.strip
    strip.more.click()
    settle()
    assert "Crisis Text Line" in visible_words(strip)
    strip.more.click()
    settle()
    assert "Crisis Text Line" not in visible_words(strip)


def test_hiding_minimises_the_window(open_desk: Callable[..., Desk]) -> None:
    window = open_desk(PlainConversation()).window
    window.toolbar.hide_window.click()
    settle()
    assert window.isMinimized()
