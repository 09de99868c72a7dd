"""The records of a source, and the rows they give."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from trainer.reading.answers import rows_of_answers
from trainer.reading.dialogues import rows_of_dialogue
from trainer.reading.feedback import rows_of_feedback
from trainer.reading.json_files import read_json, read_json_lines
from trainer.reading.located import Located
from trainer.reading.tables import read_table
from trainer.reading.tally import Record, Tally
from trainer.rows import Row
from trainer.settings.sources import SourceSettings

_READERS = {
    ".csv": read_table,
    ".tsv": read_table,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}
_FORMS = {"answers": rows_of_answers, "dialogues": rows_of_dialogue, "feedback": rows_of_feedback}


def read_source(source: SourceSettings, located: Located, from_hub: Any, tally: Tally) -> Iterator[Row]:
    """The rows of a source in its order, one at a time; ids may repeat.

    Args:
        source: its settings.
        located: where it is.
        from_hub: the data set, where it is on the hub.
        tally: what is counted.

    Raises:
        BadSource: a file cannot be read.
    """
    for record in read_records(source, located, from_hub, tally):
        yield from rows_of_record(record, source, tally)


def read_records(source: SourceSettings, located: Located, from_hub: Any, tally: Tally) -> Iterator[Record]:
    """The records of a source as they stand there; arguments and errors are those of `read_source`."""
    if located.on_hub:
        from trainer.reading.data_sets import read_from_hub

        yield from read_from_hub(from_hub, source, tally)
    elif located.saved_to is not None:
        from trainer.reading.data_sets import read_saved

        yield from read_saved(located.saved_to, source, tally)
    else:
        for file in located.files:
            yield from _read_file(file, tally)


def rows_of_record(record: Record, source: SourceSettings, tally: Tally) -> Iterator[Row]:
    """The rows that one record of a source gives; why it gives fewer than it could is counted."""
    return _FORMS[source.form](record, source, tally)


def most_voted(rows: Iterable[Row], most: int) -> set[int]:
    """The places, counted from 0, of the `most` rows of each group with most votes; the earlier of two that are even.

    A row without votes comes last.
    """
    best: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for place, row in enumerate(rows):
        kept = best[row.group]
        entry = (float("-inf") if row.votes is None else row.votes, -place)
        if len(kept) < most:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
    return {-place for kept in best.values() for _, place in kept}


def _read_file(file: Path, tally: Tally) -> Iterator[Record]:
    kind = file.suffix.lower()
    if kind != ".parquet":
        return _READERS[kind](file, tally)
    from trainer.reading.data_sets import read_parquet  # loading the library takes seconds, which text files need not

    return read_parquet(file, tally)
