"""`setup`: starter model and adapter. The environment stands already when this runs (see `packaging/mhdesk_setup`)."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time

from mhdesk.core.errors import EngineError, SetUpFailed
from mhdesk.core.paths import UserPaths
from mhdesk.engine.client.jobs import run_job
from mhdesk.engine.client.launch import engine_command
from mhdesk.library.shelf import Shelf
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
    shelf = Shelf(paths)
    step = _Step(5, "Starter model")
    own = paths.models / starter.name
    bundled = shelf.models().get(starter.name, own) != own
    if not bundled and not starter_model_ready(paths, starter):
        paths.ensure()
        file = fetch_starter_file(paths, starter, step.say)
        arguments = {"source": str(file), "target": str(own), "facts": starter.facts()}
        try:
            asyncio.run(run_job(engine_command(), "import_gguf", arguments, step.say))
        except EngineError as error:
            raise SetUpFailed(error.sentence) from error
        shutil.rmtree(paths.downloads, ignore_errors=True)
    if shelf.selection().model is None:
        shelf.use_model(starter.name)
    step.end(f"{starter.name} is ready")
    step = _Step(6, "Starter adapter")
    if install_adapter(paths, shelf.models()[starter.name]) and STARTER_ADAPTER_SELECTED:
        shelf.use_adapter(STARTER_ADAPTER)
    in_use = shelf.selection().adapter == STARTER_ADAPTER
    step.end("installed and in use" if in_use else "installed; adapters use starter switches it on")


class _Step:
    """One step's line on standard error, in the form of the steps before it."""

    def __init__(self, number: int, title: str) -> None:
        self._head = f"[{number}/6] {title} … "
        self._rewrites = sys.stderr.isatty()
        self._shown_at = 0.0

    def say(self, sentence: str, fraction: float | None) -> None:
        """Show how far the step is; where lines cannot be rewritten, only now and then."""
        now = time.monotonic()
        if self._rewrites or now - self._shown_at > 2:
            self._shown_at = now
            self._write(f"{sentence}{'' if fraction is None else f' {fraction:.0%}'}")

    def end(self, result: str) -> None:
        """Finish the line."""
        self._write(result)
        if self._rewrites:
            sys.stderr.write("\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{self._head}{text}\x1b[K" if self._rewrites else f"{self._head}{text}\n")
        sys.stderr.flush()
