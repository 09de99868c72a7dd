"""From rows to tensors, and the loss of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from trainer.examples import Examples
from trainer.training.order import Batch, longest

IGNORED = -100
"""Label of a token that does not count towards the loss (PyTorch's default `ignore_index`)."""
_PADDING = -1


def collate(examples: Examples, batch: Batch, padding: int, counts: bool = True) -> dict[str, torch.Tensor]:
    """A batch for the model, padded on the right.

    Rows of a pack do not attend to one another, and the positions of each begin at 0, so that each is read as if it
    stood alone. Padding attends to padding only: a token that attends to nothing would have no softmax.

    Args:
        examples: all rows.
        batch: which of them.
        padding: id of the token to pad with.
        counts: false for a batch that is read for company only: no label of it counts.

    Returns:
        `input_ids`, `position_ids` and `labels`, [packs, longest]; `attention_mask`, [packs, 1, longest, longest], true
        where the token of the row attends to that of the column.
    """
    size = (len(batch), longest(batch, examples.lengths))
    ids = np.full(size, padding, dtype=np.int64)
    positions = np.zeros(size, dtype=np.int64)
    labels = np.full(size, IGNORED, dtype=np.int64)
    owner = np.full(size, _PADDING, dtype=np.int64)
    for line, pack in enumerate(batch):
        start = 0
        for row in pack:
            row_ids, is_target = examples.row(row)
            here = slice(start, start + len(row_ids))
            ids[line, here] = row_ids
            positions[line, here] = np.arange(len(row_ids))
            owner[line, here] = row
            if counts:
                labels[line, here] = np.where(is_target, row_ids, IGNORED)
            start += len(row_ids)
    owners = torch.from_numpy(owner)
    earlier = torch.ones(size[1], size[1], dtype=torch.bool).tril()
    mask = (owners[:, None, :, None] == owners[:, None, None, :]) & earlier
    return {
        "input_ids": torch.from_numpy(ids),
        "position_ids": torch.from_numpy(positions),
        "labels": torch.from_numpy(labels),
        "attention_mask": mask,
    }


def summed_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Summed negative log-likelihood (nats) of the labels that count.

    Logits are made only where a label of some row of the batch counts: with a vocabulary of 128,000 they are the
    largest thing in memory.
    """
    following = batch["labels"][:, 1:]
    kept = (following != IGNORED).any(dim=0).nonzero().flatten()
    if not len(kept):
        kept = torch.zeros(1, dtype=torch.long, device=following.device)
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        position_ids=batch["position_ids"],
        logits_to_keep=kept,
        use_cache=False,
    ).logits
    return cross_entropy(
        logits.flatten(0, 1).float(), following[:, kept].flatten(), reduction="sum", ignore_index=IGNORED
    )
