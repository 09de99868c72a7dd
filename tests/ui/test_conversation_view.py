from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from mhdesk.core.events import Card, FinishState, HelpLine, Source
from mhdesk.core.levels import Topic
from mhdesk.ui.bubble import Bubble
from mhdesk.ui.conversation_view import FORGOTTEN, STOPPED, ConversationView
from tests.ui.conftest import NOTICE, PRESENT, settle

PARAGRAPH = "A sentence that goes on for a while, as replies do. " * 6


@pytest.fixture
def view() -> ConversationView:
    made = ConversationView()
    made.resize(600, 400)
    made.show()
    settle()
    return made


def turn(view: ConversationView, number: int) -> None:
    view.show_user(f"question {number}")
    view.show_text(f"answer {number}. {PARAGRAPH}", Source.MODEL)
    view.show_finished(FinishState.DONE)


def bubbles(view: ConversationView) -> list[Bubble]:
    return [entry for entry in view._entries if isinstance(entry, Bubble)]


def test_the_notice_stands_in_capitals(view: ConversationView) -> None:
    view.show_notice(NOTICE)
    assert any(label.text() == NOTICE.upper() for label in view.findChildren(QLabel))


def test_streamed_text_is_painted_together_not_piece_by_piece(view: ConversationView) -> None:
    view.show_user("hello")
    for piece in ("Some ", "**bold** ", "words"):
        view.show_text(piece, Source.MODEL)
    assert bubbles(view)[-1].text == ""
    QTest.qWait(80)
    assert bubbles(view)[-1].text == "Some **bold** words"
    assert bubbles(view)[-1].body.toPlainText() == "Some bold words"


def test_the_view_follows_the_reply_while_the_person_is_at_the_bottom(view: ConversationView) -> None:
    for number in range(6):
        turn(view, number)
        settle()
    bar = view.verticalScrollBar()
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()
    assert view.jump.isHidden()


def test_whoever_has_scrolled_up_is_not_pulled_down(view: ConversationView) -> None:
    for number in range(6):
        turn(view, number)
        settle()
    bar = view.verticalScrollBar()
    bar.setValue(10)
    view.show_text(PARAGRAPH * 3, Source.MODEL)
    QTest.qWait(80)
    settle()
    assert bar.value() == 10
    assert view.jump.isVisible()
    view.jump.click()
    settle()
    assert bar.value() == bar.maximum()
    assert view.jump.isHidden()


def test_one_who_sends_is_taken_to_the_bottom(view: ConversationView) -> None:
    for number in range(6):
        turn(view, number)
        settle()
    view.verticalScrollBar().setValue(0)
    view.show_user("next")
    settle()
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_fixed_and_model_replies_are_told_apart(view: ConversationView) -> None:
    view.show_user("hello")
    view.show_text("from the model", Source.MODEL)
    view.show_text("from people", Source.FIXED)
    view.show_finished(FinishState.DONE)
    assert [bubble.spoken() for bubble in bubbles(view)] == [
        "You: hello",
        "MHDesk: from the model",
        "Written for MHDesk: from people",
    ]


def test_a_replaced_reply_leaves_nothing_of_what_stood_there(view: ConversationView) -> None:
    view.show_user("hello")
    view.show_text("something wrong", Source.MODEL)
    QTest.qWait(80)
    view.show_text(" and more", Source.MODEL)
    view.show_replaced("A safer sentence.")
    QTest.qWait(80)
    assert bubbles(view)[-1].spoken() == "Written for MHDesk: A safer sentence."
    assert len(bubbles(view)) == 2


def test_a_failure_keeps_the_partial_text_with_the_sentence_below(view: ConversationView) -> None:
    view.show_user("hello")
    view.show_text("Half a thou", Source.MODEL)
    view.show_failed("The engine ended.")
    assert bubbles(view)[-1].spoken() == "MHDesk: Half a thou The engine ended."
    again: list[str] = []
    view.again.connect(again.append)
    bubbles(view)[-1].again.emit("hello")
    assert again == ["hello"]


def test_a_stopped_reply_says_so(view: ConversationView) -> None:
    view.show_user("hello")
    view.show_text("Half", Source.MODEL)
    view.show_finished(FinishState.STOPPED)
    assert bubbles(view)[-1].spoken() == f"MHDesk: Half {STOPPED}"


def test_a_line_shows_what_has_left_the_models_window_and_moves_on(view: ConversationView) -> None:
    for number in range(5):
        turn(view, number)
    view.show_forgotten(0)
    assert not [label for label in view.findChildren(QLabel) if label.text() == FORGOTTEN]
    for kept in (2, 3):
        view.show_forgotten(kept)
        (line,) = (label for label in view.findChildren(QLabel) if label.text() == FORGOTTEN)
        assert view._column.indexOf(line) == view._column.indexOf(view._turn_starts[kept]) - 1


def test_a_persons_words_are_shown_as_typed(view: ConversationView) -> None:
    view.show_user("**not bold** <b>x</b>\n# no heading")
    assert bubbles(view)[-1].body.toPlainText() == "**not bold** <b>x</b>\n# no heading"


def test_the_arrows_go_from_message_to_message(view: ConversationView, app: QApplication) -> None:
    view.activateWindow()
    for number in range(3):
        turn(view, number)
    view.setFocus()
    settle()
    QTest.keyClick(view, Qt.Key.Key_Up)
    here = bubbles(view)[-2]
    assert app.focusWidget() is here.body
    QTest.keyClick(here.body, Qt.Key.Key_Down)
    assert app.focusWidget() is bubbles(view)[-1].body
    stops = [b for b in bubbles(view) if b.body.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == [bubbles(view)[-1]]


def test_hundreds_of_turns_stay_fluid(view: ConversationView) -> None:
    for number in range(300):
        turn(view, number)
    settle()
    view.show_user("one more")
    slowest = 0.0
    for _ in range(20):
        view.show_text("some words and ", Source.MODEL)
        begun = time.monotonic()
        view._paint_text()
        settle(2)
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 0.15


def test_old_bubbles_are_not_laid_out_again_by_new_text(view: ConversationView) -> None:
    turn(view, 0)
    settle()
    changes: list[object] = []
    bubbles(view)[1].body.document().documentLayout().documentSizeChanged.connect(changes.append)
    view.show_user("more")
    view.show_text("words", Source.MODEL)
    view.show_finished(FinishState.DONE)
    settle()
    assert changes == []


def test_emptying_it_takes_everything_away(view: ConversationView) -> None:
    turn(view, 0)
    view.show_empty()
    settle()
    assert not view.has_turns
    assert bubbles(view) == []
    turn(view, 1)
    assert len(bubbles(view)) == 2


@pytest.mark.parametrize("height", [130, 240, 400, 900])
def test_a_card_is_read_from_its_top_whatever_comes_after_it(view: ConversationView, height: int) -> None:
    view.resize(600, height)
    settle()
    turn(view, 1)
    view.show_user("help")
    lines = tuple(HelpLine(f"Line {number}", "Anyone", voice=f"{number}00 100") for number in (1, 2, 3))
    view.show_card(Card("GB", Topic.SUICIDE, lines), PRESENT, lambda line: "What happens.")
    view.show_text(PARAGRAPH * 3, Source.FIXED)
    view.show_finished(FinishState.DONE)
    settle()
    card = view._entries[-2]
    top = card.mapTo(view.viewport(), card.rect().topLeft()).y()
    assert 0 <= top < 60 or view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    assert top >= 0
    view.show_user("thank you")
    settle()
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_the_button_to_the_newest_covers_no_words_where_there_is_room(view: ConversationView) -> None:
    view.resize(600, 500)
    for number in range(8):
        turn(view, number)
        settle()
    view.verticalScrollBar().setValue(0)
    settle()
    assert view.jump.isVisible()
    assert not view.jump.geometry().intersects(view.viewport().geometry())
    view.jump.click()
    settle()
    assert view.jump.isHidden()
    assert view.viewportMargins().bottom() == 0


def test_what_stands_there_takes_no_more_height_than_its_words(view: ConversationView) -> None:
    view.show_notice(NOTICE, "More words. " * 30)
    settle()
    frame = next(child for child in view.findChildren(QLabel) if child.text() == NOTICE.upper()).parentWidget()
    assert frame is not None
    assert frame.height() == frame.heightForWidth(frame.width())
    assert view.widget().height() == max(view.viewport().height(), frame.height() + 12)
