"""What is asked of the language model, and what comes back, before any gate has seen it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mhdesk.core.events import Window
from mhdesk.core.messages import Message
from mhdesk.core.sampling import Sampling


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """`messages` begin with the system prompt and end with the person's words."""

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class ModelText:
    """Words straight from the model: not yet seen by the gate, never to be painted as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class ModelFinished:
    """The model has ended its reply, or was stopped. Times in seconds since the request was sent."""

    stopped: bool
    prompt_tokens: int
    new_tokens: int
    first_token_s: float | None
    total_s: float


EngineEvent = Window | ModelText | ModelFinished
