"""The review file, in which a person accepts or rejects what a model wrote.

It is a table of tab-separated text: a spreadsheet program shows parent and new words side by side without any set-up,
and in a plain editor each row is one line whose first word is the mark. JSON lines would show neither. Only the first
column is the person's; a mark holds for exactly the words beside it, so it is void once parent or text has changed.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from mhdesk.core.atomic import write_bytes
from mhdesk.core.messages import Message, Role
from trainer.errors import BadRows
from trainer.rows import Row
from trainer.writing.attempt import new_turns

REVIEW = "review.tsv"
_COLUMNS = ("accept or reject", "parent", "new", "id")
_SPEAKERS = {Role.USER: "person", Role.ASSISTANT: "supporter"}
_NEXT_LINE = " ⏎ "


class Mark(StrEnum):
    """What a person says of a row; a mark's first letter will do."""

    ACCEPT = "accept"
    REJECT = "reject"
    OPEN = ""


_MARKS = {"a": Mark.ACCEPT, "accept": Mark.ACCEPT, "r": Mark.REJECT, "reject": Mark.REJECT, "": Mark.OPEN}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file. `parent` and `written` are shown in one line each."""

    mark: Mark
    parent: str
    written: str
    id: str

    @property
    def shown(self) -> tuple[str, str, str]:
        """What a mark holds for."""
        return self.id, self.parent, self.written


def line_of(row: Row, parent: Row) -> Line:
    """The line that shows a written row, not marked yet."""
    return Line(Mark.OPEN, _shown(parent.turns), _shown(new_turns(row, parent)), row.id)


def read_review(path: Path) -> list[Line]:
    """The lines of the file as it stands; none if it is not there. Takes what spreadsheet programs save.

    Raises:
        BadRows: it cannot be read, or a line has no mark that is one.
    """
    if not path.is_file():
        return []
    try:
        data = path.read_bytes()
        encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        reader = csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter="\t", strict=True)
        return [
            _line(cells, path, reader.line_num)
            for cells in reader
            if any(cells) and cells[: len(_COLUMNS)] != list(_COLUMNS)
        ]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadRows(
            f"The review file {path} cannot be read. Please save it as tab-separated text in UTF-8; "
            "nothing in it was changed."
        ) from None


def marks_of(lines: Sequence[Line]) -> Mapping[tuple[str, str, str], Mark]:
    """The mark of everything shown; where it is shown twice, a rejection wins."""
    marks: dict[tuple[str, str, str], Mark] = {}
    for line in lines:
        if line.mark is not Mark.OPEN and marks.get(line.shown) is not Mark.REJECT:
            marks[line.shown] = line.mark
    return marks


def marks_sha256(lines: Sequence[Line]) -> str:
    """Of the marks alone: new lines that nobody has marked yet, and their order, change nothing."""
    marks = sorted([*shown, mark.value] for shown, mark in marks_of(lines).items())
    return hashlib.sha256(json.dumps(marks).encode()).hexdigest()


def merge_review(path: Path, offered: Sequence[Line]) -> list[Line]:
    """Bring the file to what is `offered` now, every mark kept; gives its lines.

    Marks of what is no longer offered stay at the end, so that they hold again if it returns. A file that needs
    nothing is left alone; another is replaced by a whole one.

    Raises:
        BadRows: the file cannot be read.
        StorageError: it cannot be written.
    """
    before = read_review(path)
    marks = marks_of(before)
    now = {line.shown for line in offered}
    left = [line for line in dict.fromkeys(before) if line.mark is not Mark.OPEN and line.shown not in now]
    merged = [*(replace(line, mark=marks.get(line.shown, Mark.OPEN)) for line in offered), *left]
    if set(merged) != set(before):
        table = [_COLUMNS, *((line.mark.value, line.parent, line.written, line.id) for line in merged)]
        text = "".join("\t".join(cells) + "\r\n" for cells in table)
        write_bytes(path, text.encode("utf-8-sig"))  # without the mark at its beginning, Excel takes it for Latin-1
    return merged


def _line(cells: list[str], path: Path, number: int) -> Line:
    if len(cells) < len(_COLUMNS):
        raise BadRows(f"Line {number} of {path} has lost a column. Please change nothing but the first one.")
    mark = _MARKS.get(cells[0].strip().lower())
    if mark is None:
        raise BadRows(f"The mark in line {number} of {path} is unknown. Please write accept or reject, or nothing.")
    parent, written, row_id = (" ".join(cell.split()) for cell in cells[1 : len(_COLUMNS)])
    return Line(mark, parent, written, row_id)


def _shown(turns: Sequence[Message]) -> str:
    return _NEXT_LINE.join(
        f"{_SPEAKERS[turn.role]}: {' '.join(turn.text.replace(chr(10), _NEXT_LINE).split())}" for turn in turns
    ).strip()
