"""Which attempts are made, in which order, and how many rows may come of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from trainer.rows import Row


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to make a row of `parent` in some way; `number` counts from 1 within parent and way."""

    parent: Row
    way: str
    number: int

    @property
    def id(self) -> str:
        """Of the row that it would make."""
        return f"{self.parent.id}~{self.way}-{self.number}"

    def seed(self, seed: int, step: str) -> int:
        """For sampling: 31 bits, which every server takes. Another one for each step of an attempt."""
        return int.from_bytes(_digest(seed, f"{self.id}/{step}")[:4], "big") >> 1


def plan_attempts(rows: Iterable[Row], ways: Sequence[str], per_row: int, seed: int) -> list[Attempt]:
    """All attempts in the order in which they are made: one for each parent, then a second one for each, and so on.

    Whoever stops anywhere has spread over as many parents as can be. Parents, and the ways of each, stand in an order
    that depends on nothing but `seed` and their ids. Rows that a model wrote are no parents.
    """
    rounds = []
    for row in rows:
        if not row.is_synthetic:
            attempts = [Attempt(row, way, number) for way in ways for number in range(1, per_row + 1)]
            attempts.sort(key=lambda attempt: (attempt.number, _digest(seed, attempt.id)))
            rounds += [(place, _digest(seed, row.id), attempt) for place, attempt in enumerate(attempts)]
    return [attempt for *_, attempt in sorted(rounds, key=lambda entry: entry[:2])]


def most_written(rows: int, most_share: float) -> int:
    """How many synthetic rows may join `rows` others so that they are at most `most_share` of all."""
    share = Fraction(repr(most_share))  # as it is written: in binary, 0.3 of 1,000 would be 299
    return int(rows * share / (1 - share))


def _digest(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()
