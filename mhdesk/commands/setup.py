"""`setup`: starter model and adapter. The environment stands already when this runs (see `packaging/mhdesk_setup`)."""

from __future__ import annotations

import asyncio
import sys

from mhdesk.core.errors import EngineError, SetUpFailed
from mhdesk.core.paths import UserPaths
from mhdesk.engine.client.jobs import run_job
from mhdesk.engine.client.launch import engine_command
from mhdesk.library.shelf import Shelf
from mhdesk.library.starter import (
    STARTER_ADAPTER,
    Say,
    StarterModel,
    fetch_starter_file,
    install_adapter,
    starter_model_ready,
)


def run_setup() -> int:
    """Do what is missing, with progress on standard error. Exit code 0."""
    install_starter(UserPaths.from_environment(), _say)
    return 0


def install_starter(paths: UserPaths, say: Say, starter: StarterModel | None = None) -> None:
    """Put starter model and adapter on the shelf. Does only what is missing, so it can be stopped and run again.

    Raises:
        MHDeskError: with the sentence that says what failed.
    """
    starter = starter or StarterModel()
    shelf = Shelf(paths)
    if starter.name not in shelf.models() or not (
        starter_model_ready(paths, starter) or (paths.models / starter.name) != shelf.models()[starter.name]
    ):
        paths.ensure()
        file = fetch_starter_file(paths, starter, say)
        arguments = {"source": str(file), "target": str(paths.models / starter.name), "facts": starter.facts()}
        try:
            asyncio.run(run_job(engine_command(), "import_gguf", arguments, say))
        except EngineError as error:
            raise SetUpFailed(error.sentence) from error
        file.unlink()
        if shelf.selection().model is None:
            shelf.use_model(starter.name)
        say("The starter model is ready.", 1.0)
    if install_adapter(paths, starter):
        if shelf.adapters() and shelf.selection().adapter is None and _better_than_base(shelf):
            shelf.use_adapter(STARTER_ADAPTER)
        say("The starter adapter is installed.", 1.0)


def _better_than_base(shelf: Shelf) -> bool:
    """An adapter is selected by itself only where it was measured to be better on dialogues it had not seen."""
    evaluation = shelf.cards()[STARTER_ADAPTER].evaluation
    return evaluation is not None and evaluation.get("selected_by_default") is True


def _say(sentence: str, fraction: float | None) -> None:
    share = "" if fraction is None else f" {fraction:4.0%}"
    ending = "\n" if fraction is None or fraction >= 1 or not sys.stderr.isatty() else ""
    sys.stderr.write(f"\r{sentence}{share}  {ending}")
    sys.stderr.flush()
