from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from mhdesk.core.errors import BadMessage, StorageError
from mhdesk.core.events import Card, Failed, Finished, FinishState, HelpLine, Screened, Source, Text, Window
from mhdesk.core.levels import Level, Topic
from mhdesk.ui.composer import STILL_WRITING
from mhdesk.ui.conversation_view import FORGOTTEN
from mhdesk.ui.turn_controller import UNEXPECTED
from tests.ui.conftest import NOTICE, Desk, breathe
from tests.ui.plain_talk import DONE, SCREENED, PlainConversation, Step, reply, until

Open = Callable[..., Desk]


async def idle(desk: Desk) -> None:
    await until(lambda: not desk.controller.turns.running)


async def test_a_message_is_sent_and_its_reply_streams_in(open_desk: Open) -> None:
    more = asyncio.Event()
    desk = open_desk(
        PlainConversation([SCREENED, Text("Good ", Source.MODEL), more, Text("night.", Source.MODEL), DONE])
    )
    desk.say("hello")
    await until(lambda: "MHDesk: Good" in desk.bubbles()[-1])
    assert desk.window.composer.text == ""
    assert desk.window.composer.stop.isVisible()
    more.set()
    await idle(desk)
    assert desk.bubbles() == ["You: hello", "MHDesk: Good night."]
    assert desk.window.composer.send.isVisible()


async def test_an_engine_that_fails_mid_reply_keeps_the_text_and_the_next_message_works(open_desk: Open) -> None:
    broken = [SCREENED, Text("Half a", Source.MODEL), Failed("The engine ended.")]
    desk = open_desk(PlainConversation(broken, reply("Here again.")))
    desk.say("one")
    await idle(desk)
    assert desk.bubbles()[-1] == "MHDesk: Half a The engine ended."
    desk.say("two")
    await idle(desk)
    assert desk.bubbles()[-2:] == ["You: two", "MHDesk: Here again."]


async def test_esc_stops_the_reply_and_what_was_written_stays(open_desk: Open) -> None:
    never = asyncio.Event()
    desk = open_desk(PlainConversation([SCREENED, Text("Half", Source.MODEL), never, Text("x", Source.MODEL), DONE]))
    desk.say("hello")
    await until(lambda: len(desk.bubbles()) == 2)
    QTest.keyClick(desk.window.composer.field, Qt.Key.Key_Escape)
    await idle(desk)
    assert desk.bubbles()[-1] == "MHDesk: Half Stopped."


async def test_esc_stops_the_reply_from_the_conversation_too(open_desk: Open) -> None:
    desk = open_desk(PlainConversation([SCREENED, Text("Half", Source.MODEL), asyncio.Event(), DONE]))
    desk.say("hello")
    await until(lambda: len(desk.bubbles()) == 2)
    QTest.keyClick(desk.window.conversation, Qt.Key.Key_Escape)
    await idle(desk)
    assert "Stopped" in desk.bubbles()[-1]


async def test_a_reply_that_has_not_begun_can_be_stopped_too(open_desk: Open) -> None:
    class Deaf(PlainConversation):
        async def stop(self) -> None:
            """Like an engine that is still loading: nothing runs that could be stopped."""

    desk = open_desk(Deaf([SCREENED, asyncio.Event(), DONE]))
    desk.say("hello")
    await asyncio.sleep(0.05)
    desk.window.composer.stop.click()
    await idle(desk)
    await until(lambda: "Stopped" in desk.bubbles()[-1])


async def test_words_that_were_never_taken_go_back_to_where_they_were_typed(open_desk: Open) -> None:
    desk = open_desk(PlainConversation([BadMessage("Not like that.")], [StorageError("The disk is full.")]))
    for sentence in ("Not like that.", "The disk is full."):
        desk.say("  my words ")
        await idle(desk)
        assert desk.window.composer.text == "  my words "
        assert desk.window.composer._hint.text() == sentence
        assert desk.bubbles() == []


async def test_an_unexpected_error_says_a_plain_sentence_and_logs_no_words(
    open_desk: Open, caplog: pytest.LogCaptureFixture
) -> None:
    desk = open_desk(PlainConversation([SCREENED, RuntimeError("secret words")], reply("Fine.")))
    with caplog.at_level(logging.ERROR):
        desk.say("secret words")
        await idle(desk)
    assert UNEXPECTED in desk.bubbles()[-1]
    assert "secret" not in caplog.text
    desk.say("again")
    await idle(desk)
    assert desk.bubbles()[-1] == "MHDesk: Fine."


async def test_nothing_is_sent_for_empty_or_too_long_text_and_it_stays(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    desk.say("   ")
    assert "nothing to send" in desk.window.composer._hint.text()
    long = "words " * 4000
    desk.say(long)
    assert "too long" in desk.window.composer._hint.text()
    assert desk.window.composer.text == long
    assert desk.conversation.said == []


async def test_a_card_shows_its_numbers_and_copying_fills_the_clipboard(open_desk: Open) -> None:
    card = Card("US", Topic.SUICIDE, (HelpLine("Somebody", "Anyone", voice="555 0100"),))
    desk = open_desk(PlainConversation([Screened(Level.CRISIS, ()), card, Text("I hear you.", Source.FIXED), DONE]))
    desk.say("hello")
    await idle(desk)
    shown = desk.window.conversation._entries[1]
    assert "555 0100" in [label.text() for label in shown.findChildren(QLabel)]
    next(b for b in shown.findChildren(QPushButton) if "555 0100" in b.accessibleName()).click()
    assert QApplication.clipboard().text() == "555 0100"
    assert desk.bubbles()[-1] == "Written for MHDesk: I hear you."


async def test_every_bubble_can_be_copied(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("**All** of it.")))
    desk.say("hello")
    await idle(desk)
    await breathe()
    next(b for b in desk.window.conversation._entries[-1].findChildren(QPushButton) if b.isVisible()).click()
    assert QApplication.clipboard().text() == "**All** of it."


def half() -> list[Step]:
    return [SCREENED, Text("Half", Source.MODEL), asyncio.Event(), Text("x", Source.MODEL), DONE]


CRISIS: list[Step] = [Screened(Level.CRISIS, ()), Text("I hear you.", Source.FIXED), DONE]


async def test_ordinary_words_typed_while_a_reply_runs_wait_where_they_are(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(half()))
    desk.say("hello")
    await until(lambda: desk.bubbles()[-1] == "MHDesk: Half")
    desk.say("and one thing more")
    await until(lambda: desk.window.composer._hint.text() == STILL_WRITING)
    assert desk.conversation.read == ["and one thing more"]
    assert desk.window.composer.text == "and one thing more"
    assert desk.bubbles() == ["You: hello", "MHDesk: Half"]


@pytest.mark.parametrize("urgent", [True, RuntimeError("secret words")])
async def test_words_that_must_not_wait_end_the_reply_and_are_answered(
    open_desk: Open, urgent: bool | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    desk = open_desk(PlainConversation(half(), CRISIS))
    desk.conversation.urgent = urgent
    desk.say("hello")
    await until(lambda: desk.bubbles()[-1] == "MHDesk: Half")
    desk.say("help me")
    await until(lambda: len(desk.bubbles()) == 4)
    await idle(desk)
    assert desk.bubbles() == ["You: hello", "MHDesk: Half Stopped.", "You: help me", "Written for MHDesk: I hear you."]
    assert desk.window.composer.text == ""
    assert desk.window.composer.send.isVisible()
    assert "secret" not in caplog.text


async def test_words_that_must_not_wait_do_not_wait_for_a_model_that_is_loading(open_desk: Open) -> None:
    class Deaf(PlainConversation):
        async def stop(self) -> None:
            """Like an engine that is still loading: nothing runs that could be stopped."""

    desk = open_desk(Deaf([SCREENED, asyncio.Event(), DONE], CRISIS))
    desk.conversation.urgent = True
    desk.say("hello")
    await until(lambda: desk.bubbles() == ["You: hello"])
    desk.say("help me")
    await until(lambda: desk.bubbles()[-1] == "Written for MHDesk: I hear you.")


async def test_closing_while_words_are_being_read_leaves_nothing_under_way(open_desk: Open) -> None:
    class Reader(PlainConversation):
        async def must_not_wait(self, text: str) -> bool:
            self.read.append(text)
            await asyncio.Event().wait()
            return True

    desk = open_desk(Reader(half()))
    desk.say("hello")
    await until(lambda: desk.bubbles()[-1] == "MHDesk: Half")
    desk.say("help me")
    await until(lambda: desk.conversation.read == ["help me"])
    await desk.controller.close()
    assert not desk.controller.turns.running
    assert desk.window.composer.text == "help me"


async def test_a_window_that_has_moved_on_is_shown_in_the_conversation(open_desk: Open) -> None:
    turns = [[SCREENED, Window(10, kept, "x"), Text("ok", Source.MODEL), DONE] for kept in (0, 0, 1)]
    desk = open_desk(PlainConversation(*turns))
    for number in range(3):
        desk.say(str(number))
        await idle(desk)
    assert FORGOTTEN in [label.text() for label in desk.window.conversation.findChildren(QLabel)]


async def test_a_new_conversation_is_begun_only_after_a_yes_if_there_is_something_to_lose(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("Hello."), reply("Afresh.")))
    desk.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert desk.window.confirm.isHidden()
    desk.say("hello")
    await idle(desk)
    QTest.keyClick(desk.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert desk.window.confirm.isVisible()
    assert QApplication.focusWidget() is desk.window.confirm.no
    QTest.keyClick(desk.window.confirm.no, Qt.Key.Key_Escape)
    assert desk.window.confirm.isHidden()
    assert len(desk.bubbles()) == 2
    QTest.keyClick(desk.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    desk.window.confirm.yes.click()
    await until(lambda: desk.conversation.begun_anew == 1)
    assert desk.bubbles() == []
    assert NOTICE.upper() in [label.text() for label in desk.window.conversation.findChildren(QLabel)]
    desk.say("hello")
    await idle(desk)
    assert desk.bubbles() == ["You: hello", "MHDesk: Afresh."]


async def test_a_new_conversation_ends_the_reply_that_is_running(open_desk: Open) -> None:
    desk = open_desk(PlainConversation([SCREENED, Text("Half", Source.MODEL), asyncio.Event(), DONE]))
    desk.say("hello")
    await until(lambda: len(desk.bubbles()) == 2)
    desk.window.toolbar.new.click()
    desk.window.confirm.yes.click()
    await until(lambda: desk.conversation.begun_anew == 1)
    await idle(desk)
    assert desk.bubbles() == []
    assert desk.window.composer.send.isVisible()


async def test_choosing_a_region_changes_the_lines_and_is_saved(open_desk: Open) -> None:
    desk = open_desk(PlainConversation())
    box = desk.window.panel.region.box
    assert desk.window.panel.region.yes.isVisible()
    box.setCurrentIndex(box.findData("GB"))
    box.activated.emit(box.currentIndex())
    await breathe()
    assert desk.controller.region == "GB"
    assert "999" in [label.text() for label in desk.window.panel.findChildren(QLabel) if label.isVisible()]
    assert desk.window.strip.region.box.currentData() == "GB"
    assert not desk.window.panel.region.yes.isVisible()
    await until(desk.settings_file.exists)
    assert json.loads(desk.settings_file.read_text())["region"] == "GB"


async def test_a_choice_that_cannot_be_saved_holds_and_a_sentence_says_so(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(reply("Still here.")))
    desk.settings_file.mkdir()
    desk.window.region_chosen.emit("GB")
    await until(lambda: desk.window.status._trouble.isVisible())
    assert "was not saved" in desk.window.status._trouble.text()
    assert desk.controller.region == "GB"
    desk.say("hello")
    await idle(desk)
    assert desk.bubbles()[-1] == "MHDesk: Still here."


async def test_closing_cancels_what_is_under_way(open_desk: Open) -> None:
    desk = open_desk(PlainConversation([SCREENED, asyncio.Event(), Finished(FinishState.DONE)]))
    desk.say("hello")
    await asyncio.sleep(0.05)
    await desk.controller.close()
    assert not desk.controller.turns.running
