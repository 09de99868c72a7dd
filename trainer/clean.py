"""The stage `clean`: takes out what does not belong in a row, and rows that do not belong, and says why of each."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import phonenumbers

from mhdesk.core.atomic import write_json
from trainer.cleaning.duplicates import Duplicates
from trainer.cleaning.language import known_languages
from trainer.cleaning.patterns import compile_pattern
from trainer.cleaning.report import Tally, report_page
from trainer.cleaning.workers import cleaned, judged, workers
from trainer.errors import BadConfiguration, BadRows
from trainer.pipeline_config import PipelineConfig
from trainer.preview import write_dropped
from trainer.rows import ROWS, Row, read_rows, write_rows
from trainer.settings.clean import CleanSettings
from trainer.stage import Counts, Job, deciding_files, make_artefact

REPORT: Final = "report.html"
WORKERS_PEAK: Final = "workers_peak_bytes"
"""In the counts: memory of the processes that clean besides the one whose peak the manifest tells."""
_JUDGED: Final = "judged"
"""Folder for what screen and gate have said so far, so that a run that was stopped need not ask again."""
_BATCH: Final = 1_000


def run(config: PipelineConfig, job: Job) -> Path:
    """Clean the rows of the stage `sources`.

    Raises:
        BadRows: there are none, or none would be left.
        BadConfiguration: the settings name an unknown language or region, or a pattern that is none.
    """
    source = job.needed("sources", ROWS)
    _check(config.clean)
    asked = {"clean": asdict(config.clean), "seed": config.seed, "name": config.name}

    def make(folder: Path) -> Counts:
        return _make(config, job, source, folder)

    return make_artefact(job, "clean", [source, *deciding_files("safety")], asked, make, [_JUDGED])


def _make(config: PipelineConfig, job: Job, source: Path, folder: Path) -> dict[str, Any]:
    tally = Tally()
    dropped: dict[str, str] = {}
    total = sum(1 for _ in read_rows(source))
    with workers(config.clean, total) as working:
        rows = list(_new_rows(config.clean, job, source, tally, dropped, working.map, total))
        kept = []
        for place, batch in enumerate(_batches(iter(rows))):
            for row, reason in zip(batch, _verdicts(folder, place, batch, working.map), strict=True):
                if reason:
                    _note(row, reason, tally, dropped)
                else:
                    kept.append(row)
            job.tell(f"clean: {min(len(rows), (place + 1) * _BATCH):,} of {len(rows):,} rows read by screen and gate")
        peak = working.peak_bytes()
    if not kept:
        raise BadRows(_all_dropped(tally))
    for row in kept:
        tally.keep(row)
    write_rows(folder / ROWS, kept)
    write_dropped(folder, ((row.id, dropped[row.id]) for row in read_rows(source) if row.id in dropped))
    (folder / REPORT).write_text(report_page(config.name, tally, _samples(config, source, kept)), encoding="utf-8")
    return {**tally.counts(), WORKERS_PEAK: peak}


def _new_rows(
    settings: CleanSettings, job: Job, source: Path, tally: Tally, dropped: dict[str, str], mapped: Any, total: int
) -> Iterator[Row]:
    """Rows after every step, without those that are unfit or were there before."""
    duplicates = Duplicates(settings.near_duplicate)
    for batch in _batches(read_rows(source)):
        for before, result in zip(batch, mapped(cleaned, batch), strict=True):
            tally.read(before)
            tally.change(before.source, result.changes)
            reason = result.dropped or duplicates.reason(result.row)
            if reason:
                _note(before, reason, tally, dropped)
            else:
                yield result.row
        job.tell(f"clean: {tally.rows.total():,} of {total:,} rows cleaned")


def _verdicts(folder: Path, place: int, batch: list[Row], mapped: Any) -> list[str]:
    """What screen and gate say of a batch, from the file where they have said it before."""
    path = folder / _JUDGED / f"{place:06d}.json"
    if path.is_file():
        known: list[str] = json.loads(path.read_text(encoding="utf-8"))
        return known
    reasons: list[str] = mapped(judged, batch)
    write_json(path, reasons)
    return reasons


def _note(row: Row, reason: str, tally: Tally, dropped: dict[str, str]) -> None:
    tally.drop(row.source, reason)
    dropped[row.id] = reason


def _samples(config: PipelineConfig, source: Path, kept: list[Row]) -> list[tuple[Row, Row]]:
    chosen = random.Random(config.seed).sample(range(len(kept)), min(config.clean.samples, len(kept)))
    after = {kept[place].id: kept[place] for place in sorted(chosen)}
    return [(row, after[row.id]) for row in read_rows(source) if row.id in after]


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(rows, _BATCH)):
        yield batch


def _all_dropped(tally: Tally) -> str:
    if not tally.dropped:
        return "The stage sources left no rows. Please check the sources in the configuration."
    reason, counts = max(tally.dropped.items(), key=lambda entry: (entry[1].total(), entry[0]))
    return (
        f"No row is left after cleaning: all {tally.rows.total():,} were dropped, {counts.total():,} of them for "
        f"{reason}. Please check the sources, and the section clean of the configuration."
    )


def _check(settings: CleanSettings) -> None:
    if settings.region not in phonenumbers.SUPPORTED_REGIONS:
        raise BadConfiguration(
            f"The configuration's region is no country code of two capital letters: {settings.region}."
        )
    if settings.language and settings.language not in known_languages():
        raise BadConfiguration(f"The configuration's language cannot be told from others: {settings.language}.")
    for pattern in settings.patterns:
        try:
            found = compile_pattern(pattern)
        except ValueError as error:
            raise BadConfiguration(f"The configuration's pattern {pattern} is none that RE2 takes: {error}.") from None
        if found.search("") is not None:
            raise BadConfiguration(f"The configuration's pattern {pattern} matches the empty text.")
