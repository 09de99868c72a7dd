"""Connects what the widgets want with what the program does. The only place where the two meet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from mhdesk.core.errors import MHDeskError, StorageError
from mhdesk.core.events import Card, Failed, Finished, Replaced, Screened, SessionEvent, Text, Window
from mhdesk.core.settings import Looks
from mhdesk.safety.notices import Notices
from mhdesk.ui.about import About
from mhdesk.ui.help_line import Present
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.model_controller import ModelController
from mhdesk.ui.notice_controller import NoticeController
from mhdesk.ui.ports import Conversation, HelpBook, ModelChoice
from mhdesk.ui.preferences import Preferences
from mhdesk.ui.theme import Theme
from mhdesk.ui.turn_controller import TurnController

log = logging.getLogger(__name__)


def local_now() -> datetime:
    """This moment by the computer's clock, with its time zone."""
    return datetime.now().astimezone()


class Controller(QObject):
    """What the widgets ask for is done here or by the controllers of turns, notices and models."""

    def __init__(
        self,
        *,
        window: MainWindow,
        conversation: Conversation,
        models: ModelChoice,
        help_book: HelpBook,
        preferences: Preferences,
        theme: Theme,
        region: str,
        notices: Notices,
        about: tuple[str, ...],
        now: Callable[[], datetime] = local_now,
        stop_grace_s: float = 1.5,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._conversation = conversation
        self._models = ModelController(window, models)
        self._help_book = help_book
        self._preferences = preferences
        self._theme = theme
        self._about = about
        self._now = now
        self._region = region
        self._tasks: set[asyncio.Task[None]] = set()
        self.notices = NoticeController(
            window=window, notices=notices, preferences=preferences, keep=self._keep, now=now
        )
        self.turns = TurnController(
            window=window,
            conversation=conversation,
            show=self._show,
            before_message=self.notices.before_message,
            stop_grace_s=stop_grace_s,
        )
        self._connect()
        self._show_region(region, guessed=not preferences.now.region)
        window.toolbar.show_looks(theme.looks)

    @property
    def region(self) -> str:
        """The region whose lines are shown."""
        return self._region

    async def close(self) -> None:
        """Cancel whatever is under way and wait until it is over."""
        self.notices.close()
        await self.turns.give_up()
        running = [task for task in self._tasks if not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._models.close()

    def _connect(self) -> None:
        window = self._window
        window.conversation.again.connect(window.composer.show_put_back)
        window.conversation.hide_wanted.connect(window.show_hidden)
        window.copied.connect(lambda text: QApplication.clipboard().setText(text))
        window.region_chosen.connect(self._choose_region)
        window.confirm.confirmed.connect(lambda: self._begin(self._start_anew()))
        window.confirm.declined.connect(window.composer.field.setFocus)
        window.toolbar.new_wanted.connect(self._ask_for_new)
        window.toolbar.hide_wanted.connect(window.show_hidden)
        window.toolbar.looks_chosen.connect(self._choose_looks)
        window.toolbar.text_size_wanted.connect(self._theme.resize_text)
        window.toolbar.about_wanted.connect(lambda: About(self._about, window).show())
        window.toolbar.leave_wanted.connect(window.close)
        self._theme.changed.connect(lambda: window.show_scale(self._theme.scale))
        self.notices.changed.connect(lambda: self._show_region(self._region, guessed=not self._preferences.now.region))

    # --- a turn ----------------------------------------------------------------------------------------------------

    def _show(self, event: SessionEvent) -> None:
        view = self._window.conversation
        match event:
            case Card():
                present = self._present(event.region)
                view.show_card(event, present, self._help_book.what_happens, young=self.notices.is_minor)
            case Window():
                view.show_forgotten(event.first_kept_turn)
            case Text():
                view.show_text(event.text, event.source)
            case Replaced():
                view.show_replaced(event.text)
            case Finished():
                view.show_finished(event.state)
            case Failed():
                view.show_failed(event.sentence)
            case Screened():
                pass

    # --- a new conversation ----------------------------------------------------------------------------------------

    def _ask_for_new(self) -> None:
        self._window.show_models(False)
        if self._window.conversation.has_turns:
            self._window.confirm.show_question()
        else:
            self._window.composer.field.setFocus()

    async def _start_anew(self) -> None:
        view = self._window.conversation
        view.show_empty()
        self.notices.begin()
        await self.turns.give_up()
        try:
            await self._conversation.new_conversation()
        except MHDeskError as error:
            self._window.status.show_trouble(error.sentence)
        self._window.composer.field.setFocus()

    # --- preferences -----------------------------------------------------------------------------------------------

    def _choose_region(self, code: str) -> None:
        self._show_region(code, guessed=False)
        self._keep({"region": code})

    def _show_region(self, code: str, *, guessed: bool) -> None:
        self._region = code
        book = self._help_book
        lines = book.panel(code, self._preferences.now.age_band)
        self._window.show_help(code, book.emergency(code), lines, self._present(code), guessed=guessed)

    def _present(self, code: str) -> Present:
        return Present(self._now().date(), lambda line: self._help_book.opening(line, code, self._now()))

    def _choose_looks(self, looks: Looks) -> None:
        self._theme.show_looks(looks)
        self._keep({"looks": looks})

    def _keep(self, changes: dict[str, object]) -> None:
        self._preferences.change(**changes)
        self._begin(self._save())

    async def _save(self) -> None:
        try:
            await self._preferences.save()
        except StorageError as error:
            self._window.status.show_trouble(f"Your choice holds for now, but it was not saved. {error.sentence}")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("work of the window ended unexpectedly: %s", type(task.exception()).__name__)
