"""Perplexity on the supporter's words: how surprised a model is by replies it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from mhdesk.engine.prompt import TrainingExample
from trainer.examples import IGNORED, collate

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


def losses_by_dialogue(model: Any, examples: Sequence[TrainingExample], padding: int) -> list[tuple[float, int]]:
    """Summed negative log-likelihood (nats) and number of target tokens of each example."""
    results = []
    with torch.inference_mode():
        for example in examples:
            batch = {name: tensor.to(model.device) for name, tensor in collate([example], padding).items()}
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            labels = batch["labels"][:, 1:].reshape(-1)
            loss = cross_entropy(
                logits[:, :-1].reshape(-1, logits.shape[-1]).float(), labels, ignore_index=IGNORED, reduction="sum"
            )
            results.append((float(loss), int((labels != IGNORED).sum())))
    return results


def perplexity(losses: Sequence[tuple[float, int]], seed: int = 0) -> Perplexity:
    """Perplexity over all tokens, and the interval of resampled dialogues (percentile bootstrap)."""
    table = torch.tensor(losses, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(len(losses), (RESAMPLES, len(losses)), generator=generator)
    sums = table[picks].sum(dim=1)
    low, high = torch.quantile((sums[:, 0] / sums[:, 1]).exp(), torch.tensor([0.025, 0.975], dtype=torch.float64))
    total, tokens = table.sum(dim=0).tolist()
    return Perplexity(math.exp(total / tokens), float(low), float(high), int(tokens), len(losses))


def share_of_resamples_better(before: Sequence[tuple[float, int]], after: Sequence[tuple[float, int]]) -> float:
    """How often, over resampled dialogues, `after` has a lower loss than `before` on the same dialogues."""
    difference = torch.tensor([b[0] - a[0] for b, a in zip(before, after, strict=True)], dtype=torch.float64)
    picks = torch.randint(len(before), (RESAMPLES, len(before)), generator=torch.Generator().manual_seed(0))
    return float((difference[picks].sum(dim=1) > 0).double().mean())
