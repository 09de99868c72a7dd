from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest

from mhdesk.ui.composer import Composer


@pytest.fixture
def composer() -> Composer:
    made = Composer()
    made.resize(600, 80)
    made.show()
    return made


def test_return_sends_and_shift_return_breaks_the_line(composer: Composer) -> None:
    sent: list[str] = []
    composer.sent.connect(sent.append)
    QTest.keyClicks(composer.field, "one")
    QTest.keyClick(composer.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(composer.field, "two")
    assert sent == []
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    QTest.keyClick(composer.field, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert sent == ["one\ntwo", "one\ntwo"]


def test_it_grows_with_the_text_to_six_lines_and_no_further(composer: Composer) -> None:
    heights = []
    for lines in (1, 3, 6, 40):
        composer.field.setPlainText("\n".join("x" * lines))
        heights.append(composer.field.height())
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_while_a_reply_is_written_return_tells_and_keeps_the_words(composer: Composer) -> None:
    sent: list[str] = []
    stopped: list[bool] = []
    composer.sent.connect(sent.append)
    composer.stop_wanted.connect(lambda: stopped.append(True))
    composer.show_busy(True)
    QTest.keyClicks(composer.field, "wait")
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert sent == ["wait"]
    assert composer.text == "wait"
    QTest.keyClick(composer.field, Qt.Key.Key_Escape)
    composer.stop.click()
    assert stopped == [True, True]


def test_a_megabyte_pasted_is_refused_at_once_with_a_sentence_and_what_was_typed_stays(composer: Composer) -> None:
    composer.field.setPlainText("mine")
    mime = QMimeData()
    mime.setText("x" * 1_000_000)
    begun = time.monotonic()
    composer.field.insertFromMimeData(mime)
    assert time.monotonic() - begun < 0.3
    assert composer.text == "mine"
    assert "too long (1,000,004 characters" in composer._hint.text()
    assert "still on the clipboard" in composer._hint.text()


def test_a_paste_that_fits_is_plain_text(composer: Composer) -> None:
    mime = QMimeData()
    mime.setHtml("<b>bold</b>")
    mime.setText("bold")
    composer.field.insertFromMimeData(mime)
    assert composer.text == "bold"


def test_words_put_back_come_before_what_was_typed_since(composer: Composer) -> None:
    composer.field.setPlainText("since")
    composer.show_put_back("before")
    assert composer.text == "before\nsince"


def test_esc_without_a_reply_does_nothing(composer: Composer) -> None:
    stopped: list[bool] = []
    composer.stop_wanted.connect(lambda: stopped.append(True))
    QTest.keyClick(composer.field, Qt.Key.Key_Escape)
    assert stopped == []
