"""Texts that a model's perplexity is measured on: plain ones in pieces, and conversations as the app renders them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import ChatTokenizer, PromptRenderer, TrainingExample
from trainer.errors import BadRows
from trainer.rows import turns_of

_LONGEST = 2048
"""Tokens of a conversation that are read."""


def read_text(paths: Sequence[Path], tokenizer: ChatTokenizer, piece: int) -> list[TrainingExample]:
    """What some files hold.

    Args:
        paths: `.jsonl` files of lines with `turns` (rows of a run, or dialogues), where the supporter's words count;
            any other is plain text, where every token but the first of a piece counts.
        tokenizer: of the models that are compared.
        piece: tokens of a piece of plain text.

    Raises:
        BadRows: a file cannot be read, or nothing in it counts.
    """
    renderer = PromptRenderer(tokenizer)
    found: list[TrainingExample] = []
    for path in paths:
        text = _content(path)
        if path.suffix == ".jsonl":
            found += (_cut(renderer.training_example(_turns(line, path))) for line in text.split("\n") if line.strip())
        else:
            found += _pieces(list(tokenizer(text, add_special_tokens=False)["input_ids"]), piece)
    found = [example for example in found if any(example.is_target)]
    if not found:
        raise BadRows("There is nothing to measure perplexity on. Please check the texts of the configuration.")
    return found


def _pieces(tokens: list[int], piece: int) -> Iterator[TrainingExample]:
    for begin in range(0, len(tokens), piece):
        part = tokens[begin : begin + piece]
        yield TrainingExample(part, [False] + [True] * (len(part) - 1))


def _cut(example: TrainingExample) -> TrainingExample:
    return TrainingExample(example.token_ids[:_LONGEST], example.is_target[:_LONGEST])


def _turns(line: str, path: Path) -> list[Message]:
    try:
        turns = turns_of(json.loads(line)["turns"])
    except (ValueError, KeyError, TypeError):
        raise BadRows(f"A line of {path} holds no conversation that begins with the person.") from None
    return [system_prompt(Level.NONE), *turns]


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadRows(f"The text {path} cannot be read as UTF-8. Please check its path.") from None
