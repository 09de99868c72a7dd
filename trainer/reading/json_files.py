"""JSON and JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from trainer.errors import BadSource
from trainer.reading.lines import read_lines
from trainer.reading.tally import Record, Tally

_BAD_JSON = (ValueError, RecursionError)
"""Not JSON, a number of too many digits, or nested beyond what can be followed."""


def read_json_lines(path: Path, tally: Tally) -> Iterator[Record]:
    """The records of a file with one object a line; a line that is none is counted and left out.

    Raises:
        BadSource: the file cannot be read.
    """
    return _records(_values(read_lines(path, tally)), tally)


def read_json(path: Path, tally: Tally) -> Iterator[Record]:
    """The records of a file that is a list of objects, or an object with one list. It is read whole.

    A file of one object a line under this ending, as the hub has many, is read as what it is.

    Raises:
        BadSource: the file is none of these; the sentence names the line or the lists.
    """
    text = "".join(read_lines(path, tally))
    if not text.strip():
        return
    try:
        values = _list_in(json.loads(text), path)
    except json.JSONDecodeError as error:
        lines = text.strip().split("\n")
        if not isinstance(_value(lines[0]), dict):
            raise BadSource(f"The file {path} is no JSON: it goes wrong in line {error.lineno}.") from None
        values = _values(lines)
    except _BAD_JSON:
        raise BadSource(f"The file {path} is no JSON that can be read.") from None
    del text
    yield from _records(values, tally)


def _records(values: Iterable[Any], tally: Tally) -> Iterator[Record]:
    for value in values:
        if isinstance(value, dict):
            tally.met(value)
            yield value
        else:
            tally.unreadable()


def _values(lines: Iterable[str]) -> Iterator[Any]:
    return (_value(line) for line in lines if line.strip())


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except _BAD_JSON:
        return None


def _list_in(value: Any, path: Path) -> Iterable[Any]:
    if isinstance(value, list):
        return value
    lists = {name: item for name, item in value.items() if isinstance(item, list)} if isinstance(value, dict) else {}
    if len(lists) != 1:
        there = f"lists called {', '.join(sorted(lists)[:10])}" if lists else "no list"
        raise BadSource(f"The file {path} must be a list of objects, or an object with one list; it has {there}.")
    return next(iter(lists.values()))
