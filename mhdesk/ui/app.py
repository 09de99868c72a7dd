"""The window's composition root.

Start-up order, and why:

0. On the very first start: set-up, in a process of its own, since this one never connects.
1. `stay_offline()`: from here on every connection to another computer is refused and counted.
2. `QApplication`, with the theme from the settings file; a damaged file gives the defaults.
3. The helplines, the parts of the conversation, the engine's supervisor: objects only, nothing is running.
4. The window with the crisis panel, shown. Help is on the screen before anything that can fail has begun.
5. After the first paint: the engine process is started (its death, now or later, is a state of the status strip), and
   what screen and gate have learnt is read.
6. The loop runs until the window is closed by the person or by a signal.
7. The window is gone at once; the running turn is cancelled, the engine ended, every task awaited, the loop closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLocale, QTimer
from PySide6.QtWidgets import QApplication

import mhdesk
from mhdesk.core.engine_status import EngineStatus
from mhdesk.core.errors import MHDeskError
from mhdesk.core.offline import connections_made, stay_offline
from mhdesk.core.paths import UserPaths, resources_dir
from mhdesk.core.settings import AgeBand, Settings, load_settings
from mhdesk.safety.notices import Notices
from mhdesk.ui.controller import Controller, local_now
from mhdesk.ui.event_loop import on_request_to_end, run_until_over
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.ports import Conversation, HelpBook, ModelChoice, RunningEngine
from mhdesk.ui.preferences import Preferences
from mhdesk.ui.region_chooser import ANYWHERE
from mhdesk.ui.theme import Theme

log = logging.getLogger(__name__)

_CLOSE_S = 15.0


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversation, the engine behind it, what that can be changed to, and what to say at the start."""

    conversation: Conversation
    engine: RunningEngine
    models: ModelChoice
    warning: str = ""


Assemble = Callable[[Callable[[EngineStatus], None], Callable[[], str], Callable[[], AgeBand]], Talk]
"""Builds a `Talk` from `on_status`, `region` and `age_band`; starts nothing."""


def run(
    *,
    assemble: Assemble,
    help_book: HelpBook,
    settings_file: Path,
    first_region: str,
    notices: Notices,
    now: Callable[[], datetime] = local_now,
    connections: Callable[[], int] = connections_made,
    arguments: Sequence[str] = (),
) -> int:
    """Open the window and return the exit code once it is closed.

    Args:
        assemble: builds conversation and engine; see `Assemble`.
        help_book: who can be called where.
        settings_file: read once here, written when a choice is made.
        first_region: a guess, shown with a question until the person has chosen.
        notices: the wording of what this is and is not.
        now: the moment, with a time zone; notices and open hours go by it.
        connections: the figure of the status strip.
        arguments: Qt's own command-line arguments.
    """
    stay_offline()
    app = _application(arguments)
    settings = load_settings(settings_file)
    theme = Theme(app, resources_dir(), settings.looks)
    preferences = Preferences(settings_file, settings)
    window = MainWindow(
        regions=help_book.regions(),
        disclaimer=notices.disclaimer,
        connections=connections,
        icon_file=resources_dir() / "icons" / "mhdesk.svg",
    )
    region = _known_region(settings, first_region, help_book)
    talk = assemble(window.status.show_status, lambda: controller.region, lambda: preferences.now.age_band)
    controller = Controller(
        window=window,
        conversation=talk.conversation,
        models=talk.models,
        help_book=help_book,
        preferences=preferences,
        theme=theme,
        region=region,
        notices=notices,
        about=_about(notices),
        now=now,
    )
    window.status.show_trouble(talk.warning)
    return run_until_over(app, _live(window, controller, talk))


async def _live(window: MainWindow, controller: Controller, talk: Talk) -> int:
    over = asyncio.Event()
    starting: list[asyncio.Task[None]] = []
    window.closed.connect(over.set)
    window.painted.connect(lambda: starting.append(asyncio.create_task(_start(talk), name="start")))
    undo = on_request_to_end(window.close, QTimer(window))
    window.show()
    try:
        await over.wait()
        await controller.close()
        await _end(talk.engine)
    finally:
        undo()
    return 0


async def _start(talk: Talk) -> None:
    await talk.engine.start()
    await talk.conversation.prepare()


async def _end(engine: RunningEngine) -> None:
    try:
        await asyncio.wait_for(engine.close(), _CLOSE_S)
    except Exception as error:
        log.error("the engine could not be ended in order: %s", type(error).__name__)


def _application(arguments: Sequence[str]) -> QApplication:
    app = QApplication(["MHDesk", *arguments])
    app.setApplicationName("MHDesk")
    app.setApplicationDisplayName("MHDesk")
    app.setApplicationVersion(mhdesk.__version__)
    app.setDesktopFileName("mhdesk")
    return app


def _known_region(settings: Settings, first_region: str, help_book: HelpBook) -> str:
    codes = [region.code for region in help_book.regions()]
    return next((code for code in (settings.region, first_region) if code in codes), ANYWHERE)


def _about(notices: Notices) -> tuple[str, ...]:
    return (
        f"Version {mhdesk.__version__}. Self-help and support on your own computer; it connects to nothing.",
        *notices.what_this_is,
        notices.what_is_kept,
        notices.disclaimer,
    )


def main(argv: Sequence[str]) -> int:
    """Open the window on what is installed. `argv` are Qt's arguments."""
    return open_window(argv)


def open_window(argv: Sequence[str] = (), wrap: Callable[[Assemble], Assemble] = lambda assemble: assemble) -> int:
    """Put the window's parts together and run it; `wrap` may put something round its conversation and engine."""
    from mhdesk.assembly import build_session
    from mhdesk.engine.client.launch import engine_command
    from mhdesk.engine.client.supervisor import EngineSupervisor
    from mhdesk.first_start import set_up_if_needed
    from mhdesk.library.shelf import Pair, Shelf
    from mhdesk.safety.helplines import Helplines
    from mhdesk.safety.notices import load_notices
    from mhdesk.safety.regions import local_time_zone, preselect_region
    from mhdesk.ui.shelf_choice import ShelfChoice

    paths = UserPaths.from_environment()
    trouble = set_up_if_needed(paths)
    helplines = Helplines.load()

    def assemble(
        on_status: Callable[[EngineStatus], None], region: Callable[[], str], age_band: Callable[[], AgeBand]
    ) -> Talk:
        shelf = Shelf(paths)
        try:
            pair = shelf.pair()
        except MHDeskError as error:
            pair = Pair(None, None, error.sentence)
        engine = EngineSupervisor(engine_command(), pair.model, pair.adapter, on_status)
        usual = load_settings(paths.settings_file).language
        session = build_session(
            engine, paths, helplines=helplines, region=region, age_band=age_band, language=lambda: usual
        )
        return Talk(session, engine, ShelfChoice(shelf, engine), pair.warning or trouble)

    return run(
        assemble=wrap(assemble),
        help_book=helplines,
        settings_file=paths.settings_file,
        first_region=preselect_region(local_time_zone(), QLocale.system().name()),
        notices=load_notices(),
        arguments=argv,
    )
