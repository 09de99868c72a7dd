"""General ability by multiple choice: which of four answers a model finds likeliest. What an adapter must not spoil.

Every choice is scored as the supporter's answer to the question, rendered as in the app under the system prompt of the
rows' language; the log-likelihood of its words is divided by their bytes, so that a short choice has no advantage (the
`acc_norm` of EleutherAI's lm-evaluation-harness).
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from scipy.stats import binomtest
from transformers import DynamicCache

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import PromptRenderer, TrainingExample
from trainer.errors import BadRows
from trainer.perplexity import interval, resamples
from trainer.safety import Share

CHOICES = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A question, its choices, and the index of the right one."""

    id: str
    subject: str
    question: str
    choices: tuple[str, ...]
    answer: int


def read_items(path: Path) -> list[Item]:
    """The items of a JSONL file: `{"id", "subject", "question", "choices": [4], "answer"}`.

    Raises:
        BadRows: the file or a line cannot be used; the sentence names both.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadRows(f"The multiple-choice items in {path} cannot be read. Please check evaluate.abilities.") from None
    items = [_item(line, path, number) for number, line in enumerate(lines, start=1) if line.strip()]
    if not items or len({item.id for item in items}) != len(items):
        raise BadRows(f"The file {path} holds no multiple-choice items, or one id twice.")
    return items


def choose(
    model: Any,
    renderer: PromptRenderer,
    items: Sequence[Item],
    language: str,
    tell: Callable[[int], None] = lambda done: None,
) -> list[int]:
    """The index of the choice that `model` finds likeliest, for each item.

    Args:
        model: a causal language model of `transformers`.
        renderer: that of its tokenizer.
        items: what to ask.
        language: of the system prompt, as of the rows that were learnt from.
        tell: hears how many are done.
    """
    asked = [renderer.render(_question(item, language), reply_follows=True) for item in items]
    columns = zip(*(tokens[:-1] for tokens in asked), strict=False)  # one token at least is left to read
    shared = [column[0] for column in itertools.takewhile(lambda column: len(set(column)) == 1, columns)]
    beginning = _read(model, DynamicCache(config=model.config), [shared]) if shared else None
    chosen = []
    for item, tokens in zip(items, asked, strict=True):
        cache = copy.deepcopy(beginning[1]) if beginning else DynamicCache(config=model.config)
        answered = [
            renderer.training_example([*_question(item, language), Message(Role.ASSISTANT, choice)])
            for choice in item.choices
        ]
        scores = _scores(model, item, answered, tokens, cache, len(shared))
        chosen.append(max(range(CHOICES), key=scores.__getitem__))
        tell(len(chosen))
    return chosen


def compare(items: Sequence[Item], before: Sequence[int], after: Sequence[int]) -> dict[str, Any]:
    """Share of right answers of both, what was lost with its interval, and an exact McNemar test (McNemar, 1947).

    Args:
        items: what was asked.
        before: the base's choices.
        after: the adapter's choices.
    """
    right_before = [choice == item.answer for item, choice in zip(items, before, strict=True)]
    right_after = [choice == item.answer for item, choice in zip(items, after, strict=True)]
    only_before = sum(b and not a for b, a in zip(right_before, right_after, strict=True))
    only_after = sum(a and not b for b, a in zip(right_before, right_after, strict=True))
    differing = only_before + only_after
    lost = torch.tensor([b - a for b, a in zip(right_before, right_after, strict=True)], dtype=torch.float64)
    subjects = sorted({item.subject for item in items})
    return {
        "items": len(items),
        "base": Share.of(right_before).to_json(),
        "adapter": Share.of(right_after).to_json(),
        "lost": float(lost.mean()),
        "lost_interval": list(interval(lost[resamples(len(items))].mean(dim=1))),
        "only_base_right": only_before,
        "only_adapter_right": only_after,
        "mcnemar_p": float(binomtest(only_before, differing).pvalue) if differing else 1.0,
        "subjects": {
            subject: {
                name: Share.of(
                    [right for item, right in zip(items, side, strict=True) if item.subject == subject]
                ).to_json()
                for name, side in (("base", right_before), ("adapter", right_after))
            }
            for subject in subjects
        },
    }


def _question(item: Item, language: str) -> list[Message]:
    return [system_prompt(Level.NONE, language), Message(Role.USER, item.question)]


def _scores(
    model: Any, item: Item, answered: Sequence[TrainingExample], asked: list[int], cache: DynamicCache, read: int
) -> list[float]:
    """Log-likelihood a byte of each choice; `cache` has read the first `read` tokens of `asked`."""
    words = [[t for t, target in zip(e.token_ids, e.is_target, strict=True) if target][:-1] for e in answered]
    last, cache = _read(model, cache, [asked[read:]])
    cache.batch_repeat_interleave(CHOICES)
    longest = max(map(len, words))
    # Padded on the right: a token never sees what follows it, and what stands behind the words is not counted.
    logits, _ = _read(model, cache, [choice + [choice[-1]] * (longest - len(choice)) for choice in words])
    expected = torch.cat([last[:, -1:].expand(CHOICES, -1, -1), logits[:, :-1]], dim=1).log_softmax(-1)
    scores = []
    for place, (choice, text) in enumerate(zip(words, item.choices, strict=True)):
        picked = expected[place, range(len(choice)), choice]
        scores.append(float(picked.sum()) / len(text.encode()))
    return scores


@torch.inference_mode()
def _read(model: Any, cache: DynamicCache, rows: list[list[int]]) -> tuple[torch.Tensor, DynamicCache]:
    """Logits [rows, tokens, vocabulary] in float32 of what comes onto `cache`, and the cache."""
    output = model(input_ids=torch.tensor(rows, device=model.device), past_key_values=cache, use_cache=True)
    return output.logits.float().cpu(), output.past_key_values


def _item(line: str, path: Path, number: int) -> Item:
    try:
        raw = json.loads(line)
        item = Item(
            str(raw["id"]), str(raw["subject"]), str(raw["question"]), tuple(map(str, raw["choices"])), raw["answer"]
        )
        if len(set(item.choices)) != CHOICES or not all(item.choices) or item.answer not in range(CHOICES):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise BadRows(f"Line {number} of {path} is no multiple-choice item with {CHOICES} choices.") from None
    return item
