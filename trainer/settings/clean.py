"""What is taken out of rows, and which rows are dropped."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config import check


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """Defaults suit counselling questions and answers in English."""

    language: str = "en"
    """Rows in another language are dropped; empty keeps all."""
    region: str = "US"
    """Where phone numbers without a country code are from (ISO 3166)."""
    shortest_question: int = 10
    """Characters."""
    shortest_answer: int = 80
    longest_turn: int = 4000
    """Characters; a longer turn drops its row."""
    longest_cell: int = 100_000
    """Characters; a cell beyond it is not even cleaned."""
    near_duplicate: float = 0.8
    """Jaccard similarity of word shingles from which on the later of two rows is dropped."""
    drop_unguided_crisis: bool = True
    """Drop rows whose question the screen calls a crisis and whose answers guide nobody to people who can help."""
    drop_forbidden_answers: bool = True
    """Drop rows whose answer the app's gate would stop."""
    patterns: tuple[str, ...] = ()
    """Regular expressions of one's own, in RE2's syntax, which knows no look-around: what they match is removed."""
    samples: int = 50
    """Random kept rows in the report."""

    def __post_init__(self) -> None:
        check(
            self,
            {
                "shortest_question": self.shortest_question >= 0,
                "shortest_answer": self.shortest_answer >= 0,
                "longest_turn": self.longest_turn > self.shortest_answer,
                "longest_cell": self.longest_cell >= self.longest_turn,
                "near_duplicate": 0 < self.near_duplicate <= 1,
                "samples": self.samples >= 0,
            },
        )
