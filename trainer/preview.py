"""Rows before and after a stage, for a person to look at."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

from trainer.pipeline_config import PipelineConfig
from trainer.rows import ROWS, Row, Side, read_rows
from trainer.sources import first_records
from trainer.stage import Job

_BEFORE = {"clean": "sources", "augment": "clean"}
"""The stage whose rows a stage reads."""
DROPPED = "dropped.jsonl"
"""Where a stage says which rows went, and why: `{"id", "reason"}` a line."""
PICTURE = "picture.txt"
"""Where `render` draws tokens and mask."""
_WIDTH = 400


def show_preview(stage: str, config: PipelineConfig, job: Job, count: int) -> None:
    """Print `count` rows as they came into a stage and as they left it; nothing of a stage that gives no rows.

    Of `sources` these are the first records of each source, of `render` as many rows as its picture has, at most.
    """
    folder = job.artefact(stage)
    if stage == "sources":
        _show_sources(config, job, count)
    elif stage in _BEFORE:
        _show_changes(folder, job.needed(_BEFORE[stage], ROWS), job, count)
    elif stage == "split":
        for path in (folder / side.file for side in Side):
            for row in itertools.islice(read_rows(path), count):
                job.tell(f"--- {row.id}, in {path.name}, of the group {row.group}\n{_shown(row)}")
        for row_id, reason in itertools.islice(_reasons(folder / DROPPED).items(), count):
            job.tell(f"--- {row_id}\n    dropped: {reason}")
    elif stage == "render":
        legend, *rows = (folder / PICTURE).read_text(encoding="utf-8").split("\n--- ")
        job.tell("\n--- ".join([legend, *rows[:count]]))


def write_dropped(folder: Path, reasons: Iterable[tuple[str, str]]) -> None:
    """Write ids of rows that a stage left out, and why."""
    with (folder / DROPPED).open("w", encoding="utf-8", newline="\n") as file:
        for row_id, reason in reasons:
            file.write(json.dumps({"id": row_id, "reason": reason}, ensure_ascii=False) + "\n")


def _show_sources(config: PipelineConfig, job: Job, count: int) -> None:
    for source in config.sources.of:
        for number, (record, rows, left_out) in enumerate(first_records(source, job, count), start=1):
            job.tell(
                f"--- record {number} of {source.name}\n    {_cut(json.dumps(record, ensure_ascii=False, default=str))}"
            )
            for row in rows:
                job.tell(f"    becomes {row.id}\n{_shown(row)}")
            for reason in left_out:
                job.tell(f"    left out: {reason}")


def _show_changes(folder: Path, path: Path, job: Job, count: int) -> None:
    after = {row.id: row for row in read_rows(folder / ROWS)}
    reasons = _reasons(folder / DROPPED)
    changed = (row for row in read_rows(path) if row != after.get(row.id))
    for row in itertools.islice(changed, count):
        job.tell(f"--- {row.id}\n{_shown(row)}")
        kept = after.get(row.id)
        job.tell(f"    becomes\n{_shown(kept)}" if kept else f"    dropped: {reasons.get(row.id, 'no reason')}")
    for row in itertools.islice((row for row in after.values() if row.is_synthetic), count):
        parent = after.get(row.parent)
        job.tell(f"--- {row.id}, written by {row.made_by}\n{_shown(row)}")
        job.tell(f"    from\n{_shown(parent)}" if parent else "    from a row that is not there")


def _reasons(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as file:
        return {line["id"]: line["reason"] for line in map(json.loads, file)}


def _shown(row: Row) -> str:
    return "\n".join(f"    {turn.role.value}: {_cut(turn.text)}" for turn in row.turns)


def _cut(text: str) -> str:
    return text[:_WIDTH] + "…" * (len(text) > _WIDTH)
