"""Perplexity on the supporter's words: how surprised a model is by replies it has not seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from mhdesk.engine.prompt import TrainingExample

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Perplexity:
    """exp of the mean negative log-likelihood a token, with a 95 % bootstrap interval over dialogues."""

    value: float
    low: float
    high: float
    tokens: int
    dialogues: int

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


def logits_of(model: Any, token_ids: Sequence[int]) -> torch.Tensor:
    """What `model` expects after each token: [tokens, vocabulary] in float32."""
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.tensor([list(token_ids)], device=model.device)).logits
    return logits[0].float()


def losses_by_dialogue(
    model: Any, examples: Sequence[TrainingExample], tell: Callable[[int], None] = lambda done: None
) -> list[tuple[float, int]]:
    """Summed negative log-likelihood (nats) and number of target tokens of each example, one at a time, unpadded.

    Args:
        model: a causal language model.
        examples: what it reads, and which tokens count.
        tell: hears how many are done.
    """
    results = []
    for example in examples:
        labels = torch.tensor(example.token_ids[1:], device=model.device)
        counts = torch.tensor(example.is_target[1:], device=model.device)
        losses = cross_entropy(logits_of(model, example.token_ids)[:-1], labels, reduction="none")
        results.append((float(losses[counts].sum()), int(counts.sum())))
        tell(len(results))
    return results


def perplexity(losses: Sequence[tuple[float, int]]) -> Perplexity:
    """Perplexity over all tokens, and the interval of resampled dialogues (percentile bootstrap)."""
    table = torch.tensor(losses, dtype=torch.float64)
    sums = table[resamples(len(losses))].sum(dim=1)
    low, high = interval((sums[:, 0] / sums[:, 1]).exp())
    total, tokens = table.sum(dim=0).tolist()
    return Perplexity(math.exp(total / tokens), low, high, int(tokens), len(losses))


def perplexity_ratio(
    before: Sequence[tuple[float, int]], after: Sequence[tuple[float, int]]
) -> tuple[float, float, float]:
    """Perplexity of `after` over that of `before` on the same dialogues, and its 95 % interval (paired bootstrap)."""
    difference = torch.tensor([(a[0] - b[0], b[1]) for b, a in zip(before, after, strict=True)], dtype=torch.float64)
    sums = difference[resamples(len(before))].sum(dim=1)
    low, high = interval((sums[:, 0] / sums[:, 1]).exp())
    total, tokens = difference.sum(dim=0).tolist()
    return math.exp(total / tokens), low, high


def share_of_resamples_better(before: Sequence[tuple[float, int]], after: Sequence[tuple[float, int]]) -> float:
    """How often, over resampled dialogues, `after` has a lower loss than `before` on the same dialogues."""
    difference = torch.tensor([b[0] - a[0] for b, a in zip(before, after, strict=True)], dtype=torch.float64)
    return float((difference[resamples(len(before))].sum(dim=1) > 0).double().mean())


def resamples(count: int) -> torch.Tensor:
    """Places of `count` cases drawn with replacement, the same every time: [resamples, count]."""
    return torch.randint(count, (RESAMPLES, count), generator=torch.Generator().manual_seed(0))


def interval(values: torch.Tensor) -> tuple[float, float]:
    """The middle 95 % of float64 `values`, one a resample (percentile bootstrap)."""
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=torch.float64))
    return float(low), float(high)
