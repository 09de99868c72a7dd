"""Which rows are learnt from, which choose the best checkpoint, which measure."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config import check


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Shares of groups.

    A group's place depends on its name alone, so more data moves none from one side to another, except groups that it
    shows to be near each other: they are joined on the side of one of them.
    """

    validation: float = 0.05
    """Chooses the best checkpoint and ends training early."""
    test: float = 0.1
    """Only measures."""
    leak: float = 0.6
    """Jaccard similarity of word shingles, of what the person says or of what the supporter says, from which on two
    rows may not stand on two sides."""

    def __post_init__(self) -> None:
        check(
            self,
            {
                "validation": 0 < self.validation < 0.5,
                "test": 0 < self.test < 0.5,
                "leak": 0 < self.leak <= 1,
            },
        )
