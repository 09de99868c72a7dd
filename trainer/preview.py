"""Rows before and after a stage, for a person to look at."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

from trainer.rows import ROWS, Row, read_rows
from trainer.stage import Job

_BEFORE = {"clean": "sources", "augment": "clean"}
"""The stage whose rows a stage reads."""
DROPPED = "dropped.jsonl"
"""Where a stage says which rows went, and why: `{"id", "reason"}` a line."""
PICTURE = "picture.txt"
"""Where `render` draws tokens and mask."""
_WIDTH = 400


def show_preview(stage: str, job: Job, count: int) -> None:
    """Print `count` rows as they came into a stage and as they left it."""
    folder = job.artefact(stage)
    if (folder / PICTURE).is_file():
        job.tell((folder / PICTURE).read_text(encoding="utf-8"))
    elif stage in _BEFORE:
        after = {row.id: row for row in read_rows(folder / ROWS)}
        reasons = _reasons(folder / DROPPED)
        before = read_rows(job.needed(_BEFORE[stage], ROWS))
        changed = (row for row in before if row != after.get(row.id))
        for row in itertools.islice(changed, count):
            job.tell(f"--- {row.id}\n{_shown(row)}")
            kept = after.get(row.id)
            job.tell(f"    becomes\n{_shown(kept)}" if kept else f"    dropped: {reasons.get(row.id, 'no reason')}")
        for row in itertools.islice((row for row in after.values() if row.is_synthetic), count):
            parent = after.get(row.parent)
            job.tell(f"--- {row.id}, written by {row.made_by}\n{_shown(row)}")
            job.tell(f"    from\n{_shown(parent)}" if parent else "    from a row that is not there")
    else:
        for path in sorted(path for path in folder.glob("*.jsonl") if path.name != DROPPED):
            for row in itertools.islice(read_rows(path), count):
                job.tell(f"--- {row.id}, in {path.name}, of the group {row.group}\n{_shown(row)}")
        for row_id, reason in itertools.islice(_reasons(folder / DROPPED).items(), count):
            job.tell(f"--- {row_id}\n    dropped: {reason}")


def write_dropped(folder: Path, reasons: Iterable[tuple[str, str]]) -> None:
    """Write ids of rows that a stage left out, and why."""
    with (folder / DROPPED).open("w", encoding="utf-8", newline="\n") as file:
        for row_id, reason in reasons:
            file.write(json.dumps({"id": row_id, "reason": reason}, ensure_ascii=False) + "\n")


def _reasons(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as file:
        return {line["id"]: line["reason"] for line in map(json.loads, file)}


def _shown(row: Row) -> str:
    return "\n".join(
        f"    {turn.role.value}: {turn.text[:_WIDTH]}{'…' if len(turn.text) > _WIDTH else ''}" for turn in row.turns
    )
