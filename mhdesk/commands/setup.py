"""`setup`: starter model and adapter. The environment stands already when this runs (see `packaging/mhdesk_setup`)."""

from __future__ import annotations

import asyncio
import shutil

from mhdesk.commands.progress_line import ProgressLine
from mhdesk.core.errors import EngineError, SetUpFailed
from mhdesk.core.paths import UserPaths
from mhdesk.engine.client.jobs import run_job
from mhdesk.engine.client.launch import engine_command
from mhdesk.library.shelf import Shelf
from mhdesk.library.shelf_lock import changing_shelf
from mhdesk.library.starter import (
    STARTER_ADAPTER,
    STARTER_ADAPTER_SELECTED,
    StarterModel,
    fetch_starter_file,
    install_adapter,
    starter_model_ready,
)


def run_setup() -> int:
    """Do what is missing, with progress on standard error. Exit code 0."""
    install_starter(UserPaths.from_environment(), StarterModel())
    return 0


def install_starter(paths: UserPaths, starter: StarterModel) -> None:
    """Put starter model and adapter on the shelf. Does only what is missing, so it can be stopped and run again.

    Raises:
        MHDeskError: with the sentence that says what failed.
    """
    with changing_shelf(paths):
        _install_model(paths, starter)
        _install_adapter(paths, starter)


def _install_model(paths: UserPaths, starter: StarterModel) -> None:
    shelf = Shelf(paths)
    step = ProgressLine("[5/6] Starter model")
    own = paths.models / starter.name
    bundled = shelf.models().get(starter.name, own) != own
    if not bundled and not starter_model_ready(paths, starter):
        file = fetch_starter_file(paths, starter, step.say)
        arguments = {"source": str(file), "target": str(own), "facts": starter.facts()}
        try:
            asyncio.run(run_job(engine_command(), "import_model", arguments, step.say))
        except EngineError as error:
            raise SetUpFailed(error.sentence) from error
        shutil.rmtree(file.parent, ignore_errors=True)
    if shelf.selection().model is None:
        shelf.use_model(starter.name)
    step.end(f"{starter.name} is ready")


def _install_adapter(paths: UserPaths, starter: StarterModel) -> None:
    shelf = Shelf(paths)
    step = ProgressLine("[6/6] Starter adapter")
    if install_adapter(paths, shelf.models()[starter.name]) and STARTER_ADAPTER_SELECTED:
        shelf.use_adapter(STARTER_ADAPTER)
    in_use = shelf.selection().adapter == STARTER_ADAPTER
    step.end("installed and in use" if in_use else "installed; adapters use starter switches it on")
