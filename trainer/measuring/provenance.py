"""Where an adapter is from: what the manifests of its own stages say, whatever the configuration says by now."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.errors import BadRows
from trainer.rows import Side, read_rows
from trainer.stage import Job, read_manifest


@dataclass(frozen=True, slots=True)
class SourceRows:
    """One source, and how many of its rows stand on which side of the split."""

    name: str
    origin: str
    licence: str
    commercial: bool
    rows: Mapping[str, int]
    """By side: `training`, `validation`, `test`."""
    synthetic: int

    def to_json(self) -> dict[str, Any]:
        """For `card.json`."""
        return {
            "source": self.name,
            "origin": self.origin,
            "licence": self.licence,
            "commercial": self.commercial,
            "rows": dict(self.rows),
            "synthetic": self.synthetic,
        }


def stages_behind(job: Job) -> list[str]:
    """The stages that rows and adapter went through, up to `evaluate`, each of which read what now stands before it.

    Raises:
        BadRows: one was made from something else; the sentence says which to run again.
    """
    added = _has_read(job, "clean", "augment") and _has_read(job, "augment", "split")
    stages = ["sources", "clean", *(["augment"] if added else []), "split", "render", "train", "evaluate"]
    for before, after in (*itertools.pairwise(stages), ("split", "evaluate")):
        if not _has_read(job, before, after):
            raise BadRows(
                f"The stage {after} was run on something else than {before} has left. Please run the stages again "
                f"from {after} on, or run all."
            )
    return stages


def source_rows(job: Job) -> list[SourceRows]:
    """Each source that the stage `sources` read, and its rows in `split`.

    Raises:
        BadRows: `split` was not run, or its rows are damaged.
    """
    rows: Counter[tuple[str, Side]] = Counter()
    synthetic: Counter[str] = Counter()
    forbidding = set()
    for side in Side:
        for row in read_rows(job.needed("split", side.file)):
            rows[row.source, side] += 1
            synthetic[row.source] += row.is_synthetic
            if not row.commercial:
                forbidding.add(row.source)
    told: dict[str, dict[str, Any]] = read_manifest(job.artefact("sources"))["counts"]["sources"]
    return [
        SourceRows(
            name,
            source["origin"],
            source["licence"],
            source["commercial"] and name not in forbidding,
            {side.label: rows[name, side] for side in Side},
            synthetic[name],
        )
        for name, source in sorted(told.items())
    ]


def _has_read(job: Job, before: str, after: str) -> bool:
    """Whether `after` read files of `before`, and all of them as they stand there now."""
    left: dict[str, str] = read_manifest(job.artefact(before)).get("outputs", {})
    read: dict[str, set[str]] = {}
    for entry in read_manifest(job.artefact(after)).get("inputs", []):
        read.setdefault(entry["file"], set()).add(entry["sha256"])
    both = left.keys() & read.keys()
    return bool(both) and all(left[name] in read[name] for name in both)
