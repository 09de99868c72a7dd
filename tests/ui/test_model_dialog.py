from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea

from mhdesk.core.errors import EngineError
from mhdesk.core.events import Source, Text
from mhdesk.ui.main_window import is_narrow
from mhdesk.ui.model_controller import UNEXPECTED
from mhdesk.ui.model_dialog import adapter_facts, model_facts
from mhdesk.ui.ports import AdapterOffer, ModelOffer, Offers
from tests.ui.conftest import Desk, breathe
from tests.ui.plain_talk import DONE, SCREENED, PlainChoice, PlainConversation, reply, until

Open = Callable[..., Desk]

SMALL = ModelOffer("small", "Small Model", "Apache-2.0", 163_000_000, 800 * 2**20, in_use=True)
LARGE = ModelOffer("large", "Large Model", "Llama 3.2 Community", 3_200_000_000, 4 * 2**30)
HUGE = ModelOffer("huge", "Huge Model", "MIT", 9_000_000_000, 10 * 2**30, why_not="The model huge does not fit.")
KIND = AdapterOffer("kind", "Small Model", measured=True)
FOREIGN = AdapterOffer("foreign", "Other Model", why_not="It was trained for another model.")
OFFERS = Offers((SMALL, LARGE, HUGE), (KIND, FOREIGN), 5 * 2**30)


def shown(desk: Desk) -> str:
    labels = [label.text() for label in desk.window.models.findChildren(QLabel) if label.isVisible()]
    return "\n".join(labels).replace("\u200b", "")


def buttons(desk: Desk) -> list[str]:
    found = [desk.window.models.back, *desk.window.models.findChildren(QPushButton)]
    return [b.accessibleName() for b in found if b.isVisible() and b.isEnabled()]


def press(desk: Desk, name: str) -> None:
    found = desk.window.findChildren(QPushButton)
    next(b for b in found if b.accessibleName() == name and b.isVisible()).click()


async def opened(open_desk: Open, choice: PlainChoice, *turns: object, **options: object) -> Desk:
    desk = open_desk(PlainConversation(*turns), models=choice, **options)
    await breathe()
    QTest.keyClick(desk.window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    await until(lambda: "None" in shown(desk))
    return desk


async def settled(desk: Desk) -> None:
    await until(lambda: desk.controller._models._task is None)


def test_the_line_of_a_model_says_size_memory_and_licence_and_who_built_it() -> None:
    assert model_facts(SMALL) == "163 MB · needs about 0.8 GiB of memory · licence Apache-2.0"
    assert model_facts(LARGE).endswith("Built with Llama")
    assert "Built with Llama" in model_facts(replace(SMALL, licence="llama3.1"))
    assert model_facts(ModelOffer("x", "x")) == ""


def test_the_line_of_an_adapter_says_what_it_fits_and_whether_it_was_measured() -> None:
    assert adapter_facts(KIND) == "for Small Model · measured"
    assert adapter_facts(AdapterOffer("x")) == "not measured"


async def test_it_lists_what_there_is_what_is_in_use_and_why_something_cannot_be_used(open_desk: Open) -> None:
    desk = await opened(open_desk, PlainChoice(OFFERS))
    words = shown(desk)
    for expected in ("Small Model", "Large Model", "5.0 GiB of memory are there", "The model huge does not fit."):
        assert expected in words
    for expected in ("kind", "It was trained for another model.", "models add", "adapters add"):
        assert expected in words
    assert words.count("In use") == 2
    assert buttons(desk) == ["Back to the conversation", "Use Large Model", "Use kind"]


async def test_a_choice_is_carried_out_at_once_and_said(open_desk: Open) -> None:
    choice = PlainChoice(OFFERS)
    desk = await opened(open_desk, choice)
    choice.held = asyncio.Event()
    press(desk, "Use Large Model")
    await until(lambda: "finished first" in shown(desk))
    assert buttons(desk) == ["Back to the conversation"]
    choice.now = replace(OFFERS, models=(replace(SMALL, in_use=False), replace(LARGE, in_use=True), HUGE))
    choice.held.set()
    await settled(desk)
    assert "Changed to large." in shown(desk)
    assert "Use Small Model" in buttons(desk)
    press(desk, "Use kind")
    await settled(desk)
    assert choice.chosen == ["model large", "model kind"]


async def test_none_can_be_chosen_when_an_adapter_is_in_use(open_desk: Open) -> None:
    choice = PlainChoice(replace(OFFERS, adapters=(replace(KIND, in_use=True),)))
    desk = await opened(open_desk, choice)
    press(desk, "Use None")
    await settled(desk)
    assert choice.chosen == ["model "]
    assert "Changed to no adapter." in shown(desk)


async def test_a_choice_that_fails_is_one_sentence_and_the_old_one_stays(open_desk: Open) -> None:
    choice = PlainChoice(OFFERS)
    desk = await opened(open_desk, choice)
    choice.answer = EngineError("The model large is damaged.")
    press(desk, "Use Large Model")
    await settled(desk)
    assert "The model large is damaged." in shown(desk)
    assert "Changed to" not in shown(desk)
    assert "Use Large Model" in buttons(desk)


async def test_an_unexpected_error_is_a_sentence_and_the_next_choice_works(
    open_desk: Open, caplog: pytest.LogCaptureFixture
) -> None:
    choice = PlainChoice(OFFERS)
    desk = await opened(open_desk, choice)
    choice.answer = RuntimeError("secret")
    with caplog.at_level(logging.ERROR):
        press(desk, "Use Large Model")
        await settled(desk)
    assert UNEXPECTED in shown(desk)
    assert "secret" not in caplog.text
    assert "Use Large Model" in buttons(desk)


async def test_without_a_model_it_says_so_and_how_to_add_one(open_desk: Open) -> None:
    desk = open_desk(PlainConversation(), models=PlainChoice())
    desk.window.toolbar.models_wanted.emit()
    await until(lambda: "No model is installed yet." in shown(desk))
    assert "models add" in shown(desk)


@pytest.mark.parametrize("size", [(1080, 740), (1024, 600), (640, 560), (480, 420)])
async def test_help_stays_in_view_and_nothing_is_cut_off_sideways(open_desk: Open, size: tuple[int, int]) -> None:
    long = ModelOffer("a-very-long-name-of-a-folder-that-somebody-has-chosen.gguf", "A_very-long.title" * 5)
    desk = await opened(open_desk, PlainChoice(replace(OFFERS, models=(*OFFERS.models, long))), size=size)
    await breathe()
    help_place = desk.window.strip if is_narrow(size[0], 1.0) else desk.window.panel
    assert help_place.isVisible()
    (roll,) = desk.window.models.findChildren(QScrollArea)
    assert roll.widget().width() <= roll.viewport().width()
    for label in filter(QLabel.isVisible, roll.findChildren(QLabel)):
        assert label.mapTo(roll.widget(), label.rect().topRight()).x() <= roll.viewport().width()
    assert desk.window.width() == size[0]


async def test_the_conversation_is_only_out_of_sight_and_a_reply_goes_on(open_desk: Open) -> None:
    more = asyncio.Event()
    desk = open_desk(
        PlainConversation(
            [SCREENED, Text("Half", Source.MODEL), more, Text(" done.", Source.MODEL), DONE], reply("Yes.")
        ),
        models=PlainChoice(OFFERS),
    )
    desk.say("hello")
    await until(lambda: len(desk.bubbles()) == 2)
    desk.window.toolbar.models_wanted.emit()
    await until(lambda: desk.window.models.isVisible())
    assert not desk.window.conversation.isVisible()
    more.set()
    await until(lambda: not desk.controller.turns.running)
    press(desk, "Back to the conversation")
    assert desk.window.conversation.isVisible()
    assert desk.bubbles() == ["You: hello", "MHDesk: Half done."]
    desk.say("again")
    await until(lambda: len(desk.bubbles()) == 4 and not desk.controller.turns.running)


async def test_the_keyboard_reaches_every_choice_and_esc_goes_back(open_desk: Open) -> None:
    choice = PlainChoice(OFFERS)
    desk = await opened(open_desk, choice)
    reached = []
    while (here := QApplication.focusWidget()) is not None and here.accessibleName() not in reached:
        reached.append(here.accessibleName())
        assert not here.visibleRegion().isEmpty()
        if here.accessibleName() == "Use kind":
            break
        desk.press(Qt.Key.Key_Tab)
    assert reached == ["Models and adapters on this computer", "Use Large Model", "Use kind"]
    desk.press(Qt.Key.Key_Return)
    await settled(desk)
    assert choice.chosen == ["model kind"]
    assert desk.window.models.isAncestorOf(QApplication.focusWidget())
    desk.press(Qt.Key.Key_Escape)
    assert desk.window.models.isHidden()
    assert QApplication.focusWidget() is desk.window.composer.field


async def test_a_new_conversation_leaves_the_dialog(open_desk: Open) -> None:
    desk = await opened(open_desk, PlainChoice(OFFERS), reply("Hello."))
    desk.window.toolbar.new_wanted.emit()
    assert desk.window.conversation.isVisible()


async def test_closing_gives_up_a_choice_under_way(open_desk: Open) -> None:
    choice = PlainChoice(OFFERS)
    desk = await opened(open_desk, choice)
    choice.held = asyncio.Event()
    press(desk, "Use Large Model")
    await until(lambda: bool(choice.chosen))
    await desk.controller.close()
    assert desk.controller._models._task is None
