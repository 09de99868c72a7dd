"""What is counted while a source is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]
"""One record of a source: columns to values of any type."""

_MOST_COLUMNS = 200


@dataclass(slots=True)
class Tally:
    """Counts of one source, and which columns it was seen to have."""

    read: int = 0
    """Records, with those that could not be made out."""
    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """By reason. A record with several answers may leave out some of them."""
    words: Counter[str] = field(default_factory=Counter)
    """Of feedback, records with a word of the user, by thumb. The words themselves go nowhere."""
    items: int = 0
    """Turns or answers in the lists of records."""
    encodings: Counter[str] = field(default_factory=Counter)
    """Files of text by encoding."""
    guessed_lines: int = 0
    """Lines with bytes that are not UTF-8, which were taken as Windows-1252."""
    columns: dict[str, None] = field(default_factory=dict)
    """Names of columns in the order in which they were met, the first 200."""
    found: set[str] = field(default_factory=set)
    """Our names of columns that at least one record had."""

    def met(self, record: Record) -> None:
        """Count a record that could be read."""
        self.read += 1
        if len(self.columns) < _MOST_COLUMNS:
            self.columns.update(dict.fromkeys(record))

    def unreadable(self) -> None:
        """Count a line, or an item of a list, that is no record."""
        self.read += 1
        self.left_out["unreadable"] += 1

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "read": self.read,
            "rows": self.rows,
            "left_out": dict(sorted(self.left_out.items())),
            "words": dict(sorted(self.words.items())),
            "encodings": dict(sorted(self.encodings.items())),
            "lines_as_windows_1252": self.guessed_lines,
        }
