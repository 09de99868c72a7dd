"""A Qt application without a screen, one loop for Qt and asyncio, and a whole window round a plain conversation."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from qasync import QEventLoop

from mhdesk.core.paths import resources_dir
from mhdesk.core.settings import Looks, Settings
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.hours import NOT_KNOWN
from mhdesk.safety.notices import load_notices
from mhdesk.ui.controller import Controller
from mhdesk.ui.help_line import Present
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.ports import ModelChoice
from mhdesk.ui.preferences import Preferences
from mhdesk.ui.theme import Theme
from tests.ui.plain_talk import PlainChoice, PlainConversation

NOTICES = load_notices()
NOTICE = NOTICES.ai_notice
TODAY = date(2026, 11, 24)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **time: float) -> None:
        self.now += timedelta(**time)


def application() -> QApplication:
    app = QApplication.instance() or QApplication(["MHDesk"])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    return app


class Loop(QEventLoop):
    """Ends its timers with itself.

    qasync leaves them to Python's collector, which may run on another thread, where Qt cannot stop them: they would
    then go off in a later test, on an object that is gone.
    """

    def close(self) -> None:
        super().close()
        if shiboken6.isValid(self._timer):
            shiboken6.delete(self._timer)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], QEventLoop]]:
    return {"qasync": lambda: Loop(application())}


@pytest.fixture(autouse=True)
def app() -> Iterator[QApplication]:
    app = application()
    yield app
    for widget in app.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    app.clipboard().clear()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    app.processEvents()


@pytest.fixture(scope="session")
def book() -> Helplines:
    return Helplines.load()


PRESENT = Present(TODAY, lambda line: NOT_KNOWN)


def settle(rounds: int = 6) -> None:
    """Let Qt catch up, in a test without a loop: inside a coroutine this would step other tasks from within."""
    for _ in range(rounds):
        application().processEvents()


async def breathe() -> None:
    """Let Qt catch up, in a test with a loop."""
    await asyncio.sleep(0.03)


@dataclass
class Desk:
    """The window with everything connected, and the hands of a person."""

    window: MainWindow
    controller: Controller
    conversation: PlainConversation
    theme: Theme
    settings_file: Path
    clock: Clock

    def type(self, text: str) -> None:
        QTest.keyClicks(self.window.composer.field, text)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        target: QWidget = QApplication.focusWidget() or self.window
        QTest.keyClick(target, key, modifiers)

    def say(self, text: str) -> None:
        self.window.composer.field.setPlainText(text)
        QTest.keyClick(self.window.composer.field, Qt.Key.Key_Return)

    def bubbles(self) -> list[str]:
        return [entry.spoken() for entry in self.window.conversation._entries]


@pytest.fixture
def open_desk(tmp_path: Path, book: Helplines, app: QApplication) -> Callable[..., Desk]:
    def build(
        conversation: PlainConversation,
        *,
        models: ModelChoice | None = None,
        region: str = "US",
        settings: Settings | None = None,
        size: tuple[int, int] = (1080, 740),
    ) -> Desk:
        settings_file = tmp_path / "settings.json"
        clock = Clock()
        theme = Theme(app, resources_dir(), Looks.LIGHT)
        window = MainWindow(
            regions=book.regions(),
            disclaimer=NOTICES.disclaimer,
            connections=lambda: 0,
            icon_file=resources_dir() / "icons" / "mhdesk.svg",
        )
        controller = Controller(
            window=window,
            conversation=conversation,
            models=models or PlainChoice(),
            help_book=book,
            preferences=Preferences(settings_file, settings or Settings()),
            theme=theme,
            region=region,
            notices=NOTICES,
            about=("About",),
            now=clock,
            stop_grace_s=0.05,
        )
        window.resize(*size)
        window.show()
        window.activateWindow()
        for _ in range(4):
            app.sendPostedEvents()
        return Desk(window, controller, conversation, theme, settings_file, clock)

    return build
