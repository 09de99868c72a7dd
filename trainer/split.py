"""The stage `split`: rows parted into those learnt from, those that choose the best checkpoint, those measured on."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import BadRows
from trainer.leaks import NearRows
from trainer.pipeline_config import PipelineConfig
from trainer.preview import write_dropped
from trainer.rows import ROWS, Row, Side, read_rows, write_rows
from trainer.settings.split import SplitSettings
from trainer.stage import Counts, Job, make_artefact


@dataclass(frozen=True, slots=True)
class Parting:
    """Where everything goes."""

    sides: dict[str, Side]
    """Side of each group of rows that people wrote."""
    moved: frozenset[str]
    """Groups that are not where their name puts them, as they are near one that goes elsewhere."""
    dropped: dict[str, str]
    """Ids of synthetic rows that stand nowhere, and why."""

    def side_of(self, row: Row) -> Side | None:
        """None for a row that was dropped. Any other synthetic row is learnt from."""
        if row.is_synthetic:
            return None if row.id in self.dropped else Side.TRAINING
        return self.sides[row.group]


def run(config: PipelineConfig, job: Job) -> Path:
    """Part the rows of `augment`, or of `clean` where nothing was added, into `training`, `validation`, `test.jsonl`.

    A group goes where the hash of its name says. Groups with rows near each other (`trainer.leaks`) are joined: all go
    where one of them does, which another hash chooses, so the shares stay what was asked for, and more data moves only
    groups that it joins. Synthetic rows are only learnt from, and only if the row that each was made from is, and it
    is near no row that is not.

    Raises:
        BadRows: the stage before was not run, or a side has no rows.
    """
    before = job.needed("clean" if config.augment.writer == "none" else "augment", ROWS)
    return make_artefact(job, "split", [before], config.split, lambda folder: _make(before, config.split, job, folder))


def side_by_name(group: str, settings: SplitSettings) -> Side:
    """Where the name of a group puts it, whatever other groups there are."""
    place = _place(group)
    if place < settings.test:
        return Side.TEST
    return Side.VALIDATION if place < settings.test + settings.validation else Side.TRAINING


def part(rows: Path, settings: SplitSettings) -> Parting:
    """Decide where the rows of a file go."""
    index = NearRows((row for row in read_rows(rows) if not row.is_synthetic), settings.leak)
    sides: dict[str, Side] = {}
    moved: set[str] = set()
    for joined in index.joined():
        deciding = min(joined, key=lambda group: (_place(f"near {group}"), group))
        side = side_by_name(deciding, settings)
        sides.update(dict.fromkeys(joined, side))
        moved.update(group for group in joined if side_by_name(group, settings) is not side)
    return Parting(sides, frozenset(moved), _dropped(rows, sides, index))


def leaks(folder: Path, settings: SplitSettings) -> int:
    """How many rows are near one on another side that is measured on, or of its group, or synthetic and measured on.

    Nothing is taken from `part`: the files are read as the stages behind read them.
    """
    measured = (Side.VALIDATION, Side.TEST)
    sides = {row.group: side for side in measured for row in read_rows(folder / side.file)}
    index = NearRows((row for side in measured for row in read_rows(folder / side.file)), settings.leak)
    found = 0
    for side in Side:
        own = {group for group, its_side in sides.items() if its_side is side}
        for row in read_rows(folder / side.file):
            misplaced = sides.get(row.group, side) is not side or (row.is_synthetic and side in measured)
            found += misplaced or index.is_near_any(row, own)
    return found


def _make(before: Path, settings: SplitSettings, job: Job, folder: Path) -> Counts:
    parting = part(before, settings)
    job.tell(f"split: {len(parting.sides):,} groups, of which {len(parting.moved):,} moved, being near another side")
    rows, moved = Counter[Side | None](), 0
    for row in read_rows(before):
        rows[parting.side_of(row)] += 1
        moved += not row.is_synthetic and row.group in parting.moved
    groups = Counter(parting.sides.values())
    for side in Side:
        if not rows[side]:
            raise BadRows(
                f"There are too few rows to part: of {len(parting.sides):,} groups, {len(parting.moved):,} of which "
                f"are near another, none is left for {side.label}. Please add rows, or raise the shares."
            )
    for side in Side:
        write_rows(folder / side.file, (row for row in read_rows(before) if parting.side_of(row) is side))
    write_dropped(folder, sorted(parting.dropped.items()))
    left = leaks(folder, settings)
    if left:
        raise BadRows(f"After parting, {left:,} rows still stand near a row on another side, so nothing was written.")
    return {
        "rows": {side.label: rows[side] for side in Side},
        "groups": {side.label: groups[side] for side in Side},
        "groups_moved": len(parting.moved),
        "rows_moved": moved,
        "synthetic_dropped": dict(sorted(Counter(parting.dropped.values()).items())),
        "leaks_left": left,
    }


def _place(text: str) -> float:
    """A number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def _dropped(rows: Path, sides: dict[str, Side], index: NearRows) -> dict[str, str]:
    """Synthetic rows whose first parent is not learnt from, or that a row not learnt from is near."""
    parents = {row.id: row.parent for row in read_rows(rows) if row.is_synthetic}
    roots = set(parents.values()) - set(parents)
    by_id = {row.id: sides[row.group] for row in read_rows(rows) if row.id in roots} if roots else {}
    learnt = {group for group, side in sides.items() if side is Side.TRAINING}
    dropped = {}
    for row in read_rows(rows) if parents else ():
        if not row.is_synthetic:
            continue
        root = by_id.get(_root(row.id, parents))
        if root is None:
            dropped[row.id] = "its parent is not there"
        elif root is not Side.TRAINING:
            dropped[row.id] = "its parent is not learnt from"
        elif index.is_near_any(row, learnt):
            dropped[row.id] = "a row that is not learnt from is near"
    return dropped


def _root(row_id: str, parents: dict[str, str]) -> str:
    met = set[str]()
    while row_id in parents and row_id not in met:
        met.add(row_id)
        row_id = parents[row_id]
    return row_id
