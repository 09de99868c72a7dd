"""CSV and TSV, with the lines that are neither."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from trainer.reading.lines import read_lines
from trainer.reading.tally import Record, Tally

_LONGEST_CELL = 2**31 - 1
"""Characters; the library's own limit of 131,072 would end the reading at the first long answer."""
_DELIMITERS = (",", ";", "\t", "|")


def read_table(path: Path, tally: Tally) -> Iterator[Record]:
    """The records of a table whose first line names the columns.

    The delimiter is the tab in a `.tsv`, and else the sign that the first line has most of. A line with more or fewer
    cells than there are columns is left out, for one cannot know which cell is which; so is one whose quotes do not
    close where a cell ends. After the latter, reading goes on at the very next line, so that one stray quote does not
    swallow the rows behind it.

    Raises:
        BadSource: the file cannot be read.
    """
    csv.field_size_limit(_LONGEST_CELL)
    feed = _Feed(read_lines(path, tally))
    first = feed.first_line()
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=first.count)
    header: list[str] = []
    while True:
        try:
            cells = next(csv.reader(feed, delimiter=delimiter, strict=True, skipinitialspace=True), None)
        except csv.Error:
            tally.unreadable()
            feed.go_on_after_first()
            continue
        feed.taken.clear()
        if cells is None:
            return
        if not any(cells):
            continue
        if not header:
            header = [name.strip() for name in cells]
        elif len(cells) < len(header) or any(cells[len(header) :]):
            tally.unreadable()
        else:
            record = dict(zip(header, cells, strict=False))
            tally.met(record)
            yield record


class _Feed:
    """Lines for the csv reader, which can be taken back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        """Lines that the record being read has used."""

    def first_line(self) -> str:
        """The first line that is not blank, which stays to be read."""
        for line in self._lines:
            if line.strip():
                self._again.append(line)
                return line
        return ""

    def go_on_after_first(self) -> None:
        """Leave out the first line of the record, and offer the others again."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.taken.clear()

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line
