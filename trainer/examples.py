"""From dialogues to batches of token ids, rendered as the app renders them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mhdesk.core.levels import Level
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import PromptRenderer, TrainingExample
from trainer.dialogues import Dialogue
from trainer.errors import BadDialogues

IGNORED = -100
"""Label of a token that does not count towards the loss (PyTorch's default `ignore_index`)."""


def render_dialogues(dialogues: Sequence[Dialogue], renderer: PromptRenderer, max_tokens: int) -> list[TrainingExample]:
    """One example a dialogue, under the app's system prompt; the oldest turns go where it is too long.

    Raises:
        BadDialogues: a dialogue has nothing left to learn from.
    """
    examples = []
    for dialogue in dialogues:
        messages = dialogue.messages
        example = renderer.training_example([system_prompt(Level.NONE), *messages])
        while len(example.token_ids) > max_tokens and len(messages) > 2:
            messages = messages[2:]
            example = renderer.training_example([system_prompt(Level.NONE), *messages])
        if len(example.token_ids) > max_tokens or not any(example.is_target):
            raise BadDialogues(f"The dialogue {dialogue.id} does not fit into {max_tokens} tokens.")
        examples.append(example)
    return examples


def batches(examples: Sequence[TrainingExample], size: int, seed: int) -> list[list[TrainingExample]]:
    """Batches of similar length, in an order drawn from `seed`."""
    generator = torch.Generator().manual_seed(seed)
    jitter = torch.rand(len(examples), generator=generator).tolist()
    by_length = sorted(range(len(examples)), key=lambda i: len(examples[i].token_ids) * (0.9 + 0.2 * jitter[i]))
    groups = [[examples[i] for i in by_length[start : start + size]] for start in range(0, len(by_length), size)]
    return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]


def collate(batch: Sequence[TrainingExample], padding: int) -> dict[str, torch.Tensor]:
    """`input_ids`, `attention_mask` and `labels`, each [batch, longest], padded on the right."""
    longest = max(len(example.token_ids) for example in batch)
    rows = {"input_ids": [], "attention_mask": [], "labels": []}  # type: dict[str, list[list[int]]]
    for example in batch:
        missing = longest - len(example.token_ids)
        labels = [t if target else IGNORED for t, target in zip(example.token_ids, example.is_target, strict=True)]
        rows["input_ids"].append(example.token_ids + [padding] * missing)
        rows["attention_mask"].append([1] * len(example.token_ids) + [0] * missing)
        rows["labels"].append(labels + [IGNORED] * missing)
    return {name: torch.tensor(values) for name, values in rows.items()}
