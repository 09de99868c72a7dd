"""What a backend of the engine process must do, and what it says while it does it.

A backend answers in frames of the protocol, all with the turn `UNNUMBERED`: the worker puts the request's number on
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from mhdesk.core.messages import Message
from mhdesk.core.sampling import Sampling
from mhdesk.engine.protocol import Ended, Loaded, Progress, Started, Token

UNNUMBERED = 0
"""Turn of a frame whose request the backend does not know."""

Say = Callable[[str, float | None], None]
"""Tells the person a sentence and the fraction done, None if it is not known."""

Step = Started | Progress | Token | Ended
"""What happens while a reply is written."""


class Backend(Protocol):
    """Does the engine's work on the worker thread. Raises `MHDeskError` with a sentence for what it cannot do."""

    name: str
    kernel: str
    cpu: str

    def load(
        self, model: Path, adapter: Path | None, threads: int | None, say: Say, context_tokens: int | None = None
    ) -> Loaded:
        """Load a base model folder and an adapter folder. One that does not fit is left out, with a warning."""
        ...

    def use_adapter(self, adapter: Path | None, say: Say) -> Loaded:
        """Put another adapter folder, or none, beside the base, which stays in memory.

        Whatever this raises, the base is left without an adapter and works.
        """
        ...

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, should_stop: Callable[[], bool]
    ) -> Iterator[Step]:
        """Yield `Started`, then `Progress` of reading and `Token`s, then one `Ended`.

        `should_stop` is asked before every token and every chunk of prefill.
        """
        ...

    def relieve(self) -> None:
        """Called now and then while nothing is asked: give back what memory is not needed, if it is short."""
        ...

    def job(self, name: str, arguments: dict[str, Any], say: Say, should_stop: Callable[[], bool]) -> dict[str, Any]:
        """Heavy work on models; returns what it made. A job that sees `should_stop` cleans up and raises."""
        ...
