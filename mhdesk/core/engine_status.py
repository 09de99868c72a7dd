"""What the engine process is doing, as the window and the command line tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineState(StrEnum):
    """The ordinary states of the engine. Being dead or having no model is one of them, not an exception."""

    NO_MODEL = "no_model"
    LOADING = "loading"
    READY = "ready"
    THINKING = "thinking"
    RESTARTING = "restarting"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """`sentence` is shown as it is; `progress` runs from 0 to 1 while loading, None when it is not known."""

    state: EngineState
    sentence: str
    progress: float | None = None
    model: str = ""
    adapter: str = ""
