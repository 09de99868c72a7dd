"""Rows as token ids, rendered as the app renders them, and the file that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from mhdesk.core.levels import Level
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import PromptRenderer, TrainingExample
from trainer.errors import BadRows
from trainer.rows import Row


@dataclass(frozen=True)  # no slots, so that what is computed once is kept
class Examples:
    """Token ids of many rows behind one another: row i is `offsets[i]` up to, and without, `offsets[i + 1]`."""

    token_ids: NDArray[np.int32]
    is_target: NDArray[np.bool_]
    """True where the loss counts; never at a row's first token, which nothing precedes."""
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row."""
        return np.diff(self.offsets)

    @cached_property
    def targets(self) -> NDArray[np.int64]:
        """Tokens of each row on which the loss counts."""
        before = np.concatenate([[0], np.cumsum(self.is_target, dtype=np.int64)])
        return np.diff(before[self.offsets])

    def row(self, index: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Token ids of one row, and where its loss counts."""
        here = slice(self.offsets[index], self.offsets[index + 1])
        return self.token_ids[here], self.is_target[here]


def render_row(row: Row, renderer: PromptRenderer, most_tokens: int, language: str) -> tuple[TrainingExample, int]:
    """A row under the app's system prompt, and how many of its oldest messages left so that it fits.

    The newest two messages stay, even if they are longer than `most_tokens`: what to do then is up to the caller.

    Raises:
        BadRows: the chat template leaves nothing to learn from, or renders a conversation in no usable way.
    """
    turns = row.turns
    try:
        example = renderer.training_example([system_prompt(Level.NONE, language), *turns])
        while len(example.token_ids) > most_tokens and len(turns) > 2:
            turns = turns[2:]
            example = renderer.training_example([system_prompt(Level.NONE, language), *turns])
    except ValueError:
        raise BadRows(f"The model's chat template cannot render the row {row.id} for training.") from None
    if not any(example.is_target[1:]):
        raise BadRows(f"The model's chat template leaves no word of the supporter to learn from in the row {row.id}.")
    return example, len(row.turns) - len(turns)


def gather_examples(rendered: Sequence[tuple[NDArray[np.int32], NDArray[np.bool_]]]) -> Examples:
    """Put rows, each its token ids and where the loss counts, behind one another."""
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids, _ in rendered], dtype=np.int64)])
    token_ids = np.concatenate([ids for ids, _ in rendered])
    return Examples(token_ids, np.concatenate([targets for _, targets in rendered]), offsets)


def write_examples(path: Path, examples: Examples) -> None:
    """Write a safetensors file of `token_ids`, `is_target` and `offsets`.

    Raises:
        OSError: the disk would not take it.
    """
    arrays = {"token_ids": examples.token_ids, "is_target": examples.is_target, "offsets": examples.offsets}
    try:
        save_file(arrays, path)
    except SafetensorError as error:  # which is how its Rust side names what the system refused
        raise OSError(str(error)) from error


def read_examples(path: Path) -> Examples:
    """The rows of a file that `write_examples` made.

    Raises:
        BadRows: it is damaged.
    """
    try:
        return Examples(**load_file(path))
    except (OSError, SafetensorError, TypeError):
        raise BadRows(f"The rendered rows in {path} cannot be read. Please run the stage render again.") from None
