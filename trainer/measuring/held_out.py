"""What a model makes of rows and items that nothing was learnt from: by itself, and with each adapter in turn."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.engine.child.adapter import load_adapter, remove_adapter
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.prompt import PromptRenderer, TrainingExample
from mhdesk.library.model_folder import read_manifest
from trainer.errors import BadRows
from trainer.examples import render_row
from trainer.measuring.abilities import Item, choose
from trainer.perplexity import losses_by_dialogue
from trainer.rows import read_rows

BASE, ADAPTER, WITHOUT_SYNTHETIC = "base", "adapter", "without_synthetic"
"""Sides; the last is another adapter, which is only compared by its losses."""
_TOLD_EVERY = 20


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows, items, and how they are rendered."""

    rows: Path
    items: Sequence[Item]
    most_tokens: int
    """Rows lose their oldest turns to fit; one that does not fit even so is left out."""
    language: str


def read_with_each(
    held: HeldOut, model: Path, adapters: Mapping[str, Path], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Losses and choices of every side, in a form that JSON can hold.

    The model is loaded here as the engine's process loads it, and is gone again when this returns.

    Args:
        held: what is read.
        model: folder of the base.
        adapters: folder of each side but the base.
        tell: hears how far it is.

    Returns:
        `rows` and `items`, their ids in order; `losses`, by side [nats, tokens] of each row; `choices`, by side the
        index chosen of each item; `rows_too_long`; and `engine`, what it was measured with.

    Raises:
        BadRows: rows are damaged, or none of them fits.
        ModelUnusable, AdapterUnusable: base or adapter cannot be used.
    """
    base, tokenizer = load_base(model)
    speed_up(base, choose_kernel())
    base.eval()
    renderer = PromptRenderer(tokenizer)
    examples, left_out = _rendered(held, renderer)
    losses, choices = {}, {}
    for side in (BASE, *adapters):
        read = base if side == BASE else load_adapter(base, adapters[side])
        losses[side] = losses_by_dialogue(
            read, list(examples.values()), _telling(tell, f"{side}, test rows", len(examples))
        )
        if side != WITHOUT_SYNTHETIC:
            told = _telling(tell, f"{side}, items", len(held.items))
            choices[side] = choose(read, renderer, held.items, held.language, told)
        remove_adapter(base)
    del base, read
    gc.collect()
    return {
        "rows": list(examples),
        "rows_too_long": left_out,
        "losses": losses,
        "items": [item.id for item in held.items],
        "choices": choices,
        "engine": {
            "base_sha256": read_manifest(model).weights_sha256,
            "template_sha256": renderer.template_sha256,
            "kernel": choose_kernel(),
        },
    }


def _rendered(held: HeldOut, renderer: PromptRenderer) -> tuple[dict[str, TrainingExample], int]:
    """Rows that fit, by id, and how many do not."""
    examples: dict[str, TrainingExample] = {}
    left_out = 0
    for row in read_rows(held.rows):
        example, _ = render_row(row, renderer, held.most_tokens, held.language)
        if len(example.token_ids) <= held.most_tokens:
            examples[row.id] = example
        else:
            left_out += 1
    if not examples:
        raise BadRows(f"No test row fits into {held.most_tokens} tokens. Please raise train.max_tokens.")
    return examples, left_out


def _telling(tell: Callable[[str], None], what: str, total: int) -> Callable[[int], None]:
    def told(done: int) -> None:
        if done % _TOLD_EVERY == 0 or done == total:
            tell(f"{what}, {done} of {total}")

    return told
