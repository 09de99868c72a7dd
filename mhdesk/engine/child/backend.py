"""What a backend of the engine process must do, and what it says while it does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mhdesk.core.messages import Message
from mhdesk.core.sampling import Sampling

Say = Callable[[str, float | None], None]
"""Tells the person a sentence and the fraction done, None if it is not known."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What stands ready. See `protocol.Loaded`."""

    model: str
    adapter: str | None
    context_tokens: int
    template_sha256: str
    kernel: str
    threads: int
    load_s: float


@dataclass(frozen=True, slots=True)
class PromptReady:
    """The prompt has been rendered; `reused_tokens` of it need no prefill."""

    prompt_tokens: int
    first_kept_turn: int
    template_sha256: str
    reused_tokens: int


@dataclass(frozen=True, slots=True)
class Prefilled:
    """So much of the prompt has been read."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The reply is complete or was stopped; times in seconds."""

    stopped: bool
    new_tokens: int
    prefill_s: float
    decode_s: float


Step = PromptReady | Prefilled | Piece | ReplyEnded


class Backend(Protocol):
    """Does the engine's work on the worker thread. Raises `MHDeskError` with a sentence for what it cannot do."""

    name: str
    kernel: str
    cpu: str

    def load(self, model: Path, adapter: Path | None, threads: int | None, say: Say) -> LoadedModel:
        """Load a base model folder and an adapter folder."""
        ...

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, should_stop: Callable[[], bool]
    ) -> Iterator[Step]:
        """Yield `PromptReady`, then `Prefilled` and `Piece`s, then one `ReplyEnded`.

        `should_stop` is asked before every token and every chunk of prefill.
        """
        ...

    def job(self, name: str, arguments: dict[str, Any], say: Say) -> dict[str, Any]:
        """Heavy work on models; returns what it made."""
        ...
