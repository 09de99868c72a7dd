"""Has the choices made in the dialog carried out, one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject

from mhdesk.core.errors import MHDeskError
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.ports import ModelChoice

log = logging.getLogger(__name__)

UNEXPECTED = "Something inside MHDesk went wrong with this. Please look below at what is in use."


class ModelController(QObject):
    """Connects the dialog of the window with a `ModelChoice`. The conversation is never touched."""

    def __init__(self, window: MainWindow, choice: ModelChoice) -> None:
        super().__init__(window)
        self._window = window
        self._dialog = window.models
        self._choice = choice
        self._task: asyncio.Task[None] | None = None
        window.toolbar.models_wanted.connect(self._open)
        self._dialog.left.connect(lambda: window.show_models(False))
        self._dialog.model_wanted.connect(lambda name: self._begin(self._use(choice.use_model, name)))
        self._dialog.adapter_wanted.connect(lambda name: self._begin(self._use(choice.use_adapter, name)))

    async def close(self) -> None:
        """Give up what is under way and wait until it is over."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _open(self) -> None:
        self._window.show_models(True)
        if self._task is None:
            self._dialog.show_busy("Looking at what there is…")
            self._begin(self._look())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        if self._task is not None:
            work.close()
            return
        self._task = asyncio.create_task(work, name="models")
        self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            log.error("the list of models ended unexpectedly: %s", type(task.exception()).__name__)
            self._dialog.show_sentence(UNEXPECTED, trouble=True)

    async def _use(self, use: Callable[[str], Awaitable[str]], name: str) -> None:
        shown = name or "no adapter"
        self._dialog.show_busy(f"Changing to {shown}. A reply that is being written is finished first.")
        try:
            trouble = await use(name)
        except MHDeskError as error:
            trouble = error.sentence
        except Exception as error:
            log.error("a choice ended unexpectedly: %s", type(error).__name__)
            trouble = UNEXPECTED
        await self._look()
        self._dialog.show_sentence(trouble or f"Changed to {shown}.", trouble=bool(trouble))

    async def _look(self) -> None:
        self._dialog.show_offers(await self._choice.offers())
        self._dialog.show_sentence("")
