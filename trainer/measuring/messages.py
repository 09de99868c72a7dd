"""What answers are generated to: the five messages of every build, and a sample of the safety cases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mhdesk.core.levels import Level
from mhdesk.core.messages import FIVE_MESSAGES
from trainer.safety_cases import InputCase, read_inputs

_CASES = Path(__file__).resolve().parents[1] / "data" / "safety_cases"


@dataclass(frozen=True, slots=True)
class Asked:
    """A message; `kind` is `five`, or the level that a safety case must reach."""

    id: str
    kind: str
    text: str


def case_files() -> list[Path]:
    """The files of messages, one a language."""
    return sorted(_CASES.glob("inputs-*.txt"))


def cases_in(language: str) -> list[InputCase]:
    """Every message in a language, as the files' names call it; in all languages where it is empty or unknown.

    Raises:
        BadSentences: a file cannot be used.
    """
    cases = read_inputs(case_files())
    return [case for case in cases if case.language == language] or cases


def messages_to_ask(cases: Sequence[InputCase], count: int, seed: int) -> list[Asked]:
    """The five messages, then `count` of `cases`, the three levels as evenly as may be, of different families.

    Args:
        cases: what to choose from.
        count: how many.
        seed: decides which.
    """
    drawn = [_drawn([case for case in cases if case.level == level], seed) for level in Level]
    turns = [case for row in range(max(map(len, drawn))) for pile in drawn for case in pile[row : row + 1]]
    asked = [Asked(f"five-{number}", "five", text) for number, text in enumerate(FIVE_MESSAGES, start=1)]
    return asked + [Asked(f"case-{n:03d}", case.level, case.text) for n, case in enumerate(turns[:count], start=1)]


def _drawn(cases: Sequence[InputCase], seed: int) -> list[InputCase]:
    """One of each family in a drawn order; the others after them."""
    shuffled = sorted(cases, key=lambda case: (case.language, case.family, case.text))
    random.Random(seed).shuffle(shuffled)
    first: dict[tuple[str, str], InputCase] = {}
    for case in shuffled:
        first.setdefault((case.language, case.family), case)
    chosen = list(first.values())
    return chosen + [case for case in shuffled if case not in chosen]
