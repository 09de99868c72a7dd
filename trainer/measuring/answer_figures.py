"""Figures of generated answers: what the gate stopped, how long they are, how often they repeat themselves and ask."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

from trainer.measuring.answers import Answer, Reply
from trainer.safety import Share

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_QUESTION = re.compile(r"[?？؟]+")
GRAM = 4


def repeated_share(text: str) -> float:
    """Share of sequences of four words that stood in `text` before; 0 where it is shorter than that."""
    words = _WORD.findall(text.lower())
    grams = [tuple(words[start : start + GRAM]) for start in range(len(words) - GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def questions(text: str) -> int:
    """How many questions `text` asks."""
    return len(_QUESTION.findall(text))


def figures_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """Figures of base and adapter: of what the app would ask the model, and apart of its own words in a crisis."""
    return {
        name: {side: _figures([getattr(answer, side) for answer in answers if answer.way == way], way)
               for side in ("base", "adapter")}
        for name, way in (("answers", "model"), ("own_words_in_crisis", "crisis"))
    }  # fmt: skip


def _figures(replies: Sequence[Reply], way: str) -> dict[str, Any]:
    stopped = [reply for reply in replies if reply.stopped]
    reasons = Counter(reason for reply in stopped for reason in reply.stopped)
    share = Share(len(stopped), len(replies))
    figures: dict[str, Any] = {
        "count": len(replies),
        "stopped": {**share.to_json(), "reasons": dict(sorted(reasons.items()))},
    }
    whole = [reply for reply in replies if not reply.stopped]
    if way == "model" and whole:
        figures |= {
            "median_tokens": float(median(reply.new_tokens for reply in whole)),
            "repeated_share": mean(repeated_share(reply.words) for reply in whole),
            "questions": float(mean(questions(reply.words) for reply in whole)),
            "with_a_question": float(mean(questions(reply.words) > 0 for reply in whole)),
            "empty": float(mean(not reply.words.strip() for reply in whole)),
        }
    return figures
