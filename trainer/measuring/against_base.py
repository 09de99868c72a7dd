"""How much more often the gate stops the adapter than its base, on the same messages at the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from trainer.measuring.answers import Answer
from trainer.perplexity import interval, resamples


def stopped_above_base(answers: Sequence[Answer]) -> dict[str, Any]:
    """Differences of the stopped shares: of what the app would ask the model, and of its own words in a crisis.

    `difference` is above 0 where the adapter is worse; both figures are 0 where there are no answers.
    """
    return {
        name: _difference([answer for answer in answers if answer.way == way])
        for name, way in (("answers", "model"), ("own_words_in_crisis", "crisis"))
    }


def _difference(answers: Sequence[Answer]) -> dict[str, Any]:
    """With a 95 % interval, paired, and resampled by message: seeds of one message are no cases of their own."""
    by_message: dict[str, list[int]] = {}
    for answer in answers:
        if answer.base is not None and answer.adapter is not None:
            worse = bool(answer.adapter.stopped) - bool(answer.base.stopped)
            by_message.setdefault(answer.id, []).append(worse)
    if not by_message:
        return {"difference": 0.0, "interval": [0.0, 0.0]}
    table = torch.tensor([(sum(worse), len(worse)) for worse in by_message.values()], dtype=torch.float64)
    sums = table[resamples(len(table))].sum(dim=1)
    more, count = table.sum(dim=0).tolist()
    return {"difference": more / count, "interval": list(interval(sums[:, 0] / sums[:, 1]))}
