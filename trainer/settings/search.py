"""What the search for settings may try."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config import check


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Trials of `train` with other settings, each judged by its validation loss."""

    trials: int = 12
    steps: int = 60
    """Steps of the optimiser in a trial; the schedule is drawn to that length."""
    lowest_learning_rate: float = 2e-5
    highest_learning_rate: float = 2e-3
    """Tried on a logarithmic scale."""
    ranks: tuple[int, ...] = (4, 8, 16, 32)
    """Alpha goes with the rank, in the proportion that `train` gives."""
    batch_sizes: tuple[int, ...] = (2, 4, 8)

    def __post_init__(self) -> None:
        check(
            self,
            {
                "trials": self.trials >= 1,
                "steps": self.steps >= 1,
                "lowest_learning_rate": self.lowest_learning_rate > 0,
                "highest_learning_rate": self.highest_learning_rate >= self.lowest_learning_rate,
                "ranks": bool(self.ranks) and all(1 <= rank <= 256 for rank in self.ranks),
                "batch_sizes": bool(self.batch_sizes) and min(self.batch_sizes) >= 1,
            },
        )
