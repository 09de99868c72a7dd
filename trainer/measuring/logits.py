"""How far the logits of one model lie from those of another, on the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mhdesk.core.levels import Level
from mhdesk.core.messages import FIVE_MESSAGES, Message, Role
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import PromptRenderer
from trainer.perplexity import logits_of

_KEPT = 48
"""Last tokens of each prompt whose logits are compared: at 128,256 words of vocabulary, 120 MB of them."""


@dataclass(frozen=True, slots=True)
class Distance:
    """`largest` and `mean` difference of a logit, in standard deviations of the reference's logits.

    `same_token` is the share of places at which both find the same next token likeliest.
    """

    largest: float
    mean: float
    same_token: float
    tokens: int

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


def prompts(renderer: PromptRenderer) -> list[list[int]]:
    """Token ids of the five messages as the app gives them to a model."""
    return [
        renderer.render([system_prompt(Level.NONE), Message(Role.USER, text)], reply_follows=True)
        for text in FIVE_MESSAGES
    ]


def last_logits(model: Any, asked: Sequence[Sequence[int]]) -> torch.Tensor:
    """[tokens, vocabulary] in float32, of the last tokens of each prompt."""
    return torch.cat([logits_of(model, tokens)[-_KEPT:].cpu().clone() for tokens in asked])


def distance(reference: torch.Tensor, other: torch.Tensor) -> Distance:
    """How far `other` lies from `reference`, both [tokens, vocabulary]."""
    difference = (other - reference).abs() / reference.std()
    same = (other.argmax(-1) == reference.argmax(-1)).double().mean()
    return Distance(float(difference.max()), float(difference.mean()), float(same), len(reference))
