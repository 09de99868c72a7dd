"""The stage `sources`: every source read into rows of one form, with where each is from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from trainer.errors import BadSource
from trainer.pipeline_config import PipelineConfig
from trainer.reading.columns import check_columns
from trainer.reading.located import Located, locate
from trainer.reading.records import most_voted, read_records, read_source, rows_of_record
from trainer.reading.tally import Record, Tally
from trainer.rows import ROWS, Row, write_rows
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.stage import Counts, Job, make_artefact

_TELL_EVERY = 20_000


@dataclass(frozen=True, slots=True)
class _Source:
    """A source that was found."""

    settings: SourceSettings
    located: Located
    from_hub: Any
    """Its data set, where it is on the hub."""
    fingerprint: str
    """Of that data set."""


def run(config: PipelineConfig, job: Job) -> Path:
    """Read all sources into `rows.jsonl`.

    A row's id is the source's name with the source's own id, or with a hash of what was said, so it stays what it is
    when other rows are added. Rows that say the same are all kept (`clean` looks for them); their ids get a number.

    Raises:
        BadSource: a source is missing, cannot be read, lacks a column, gives no row, or may not be used.
    """
    settings = config.sources
    _check_licences(settings)
    sources = [_found(source, job) for source in settings.of]
    inputs = [file for source in sources for file in source.located.files]
    fingerprints = {source.settings.name: source.fingerprint for source in sources if source.fingerprint}
    asked = {**asdict(settings), "fingerprints": fingerprints}
    return make_artefact(job, "sources", inputs, asked, lambda folder: _make(sources, settings, job, folder))


def first_records(source: SourceSettings, job: Job, count: int) -> Iterator[tuple[Record, list[Row], list[str]]]:
    """The first records of a source that can be read, the rows that each gives, and why it gives fewer than it could.

    Ids are those that rows have before equal ones get a number; `most_answers` is not looked at.

    Raises:
        BadSource: as `run`.
    """
    found = _found(source, job)
    for record in itertools.islice(read_records(source, found.located, found.from_hub, Tally()), count):
        tally = Tally()
        yield record, list(rows_of_record(record, source, tally)), sorted(tally.left_out)


def _check_licences(settings: SourcesSettings) -> None:
    for source in settings.of:
        if not source.commercial and not settings.non_commercial:
            raise BadSource(
                f"The licence of the source {source.name} ({source.licence}) forbids commercial use. Please leave it "
                "out, or set non_commercial under sources to true; the evaluation card then says so."
            )


def _found(source: SourceSettings, job: Job) -> _Source:
    located = locate(source, job.folder)
    if not located.on_hub:
        return _Source(source, located, None, "")
    from trainer.reading.data_sets import fingerprint_of, load_from_hub  # takes seconds to load

    job.tell(f"sources: {source.name} from the hub")
    data_set = load_from_hub(source)
    return _Source(source, located, data_set, fingerprint_of(data_set))


def _make(sources: list[_Source], settings: SourcesSettings, job: Job, folder: Path) -> Counts:
    tallies = {source.settings.name: Tally() for source in sources}
    count = write_rows(folder / ROWS, _with_own_ids(_all_rows(sources, tallies, job)))
    by_source = {
        source.settings.name: {
            **tallies[source.settings.name].to_json(),
            "licence": source.settings.licence,
            "commercial": source.settings.commercial,
            "origin": source.settings.origin,
        }
        for source in sources
    }
    return {"rows": count, "sources": by_source, "non_commercial": not all(row.settings.commercial for row in sources)}


def _all_rows(sources: list[_Source], tallies: dict[str, Tally], job: Job) -> Iterator[Row]:
    for source in sources:
        tally = tallies[source.settings.name]
        for row in _chosen_rows(source, tally):
            tally.rows += 1
            if tally.rows % _TELL_EVERY == 0:
                job.tell(f"sources: {source.settings.name}, {tally.rows:,} rows so far")
            yield row
        _check_rows(source.settings, tally)
        job.tell(f"sources: {source.settings.name}, {tally.read:,} read, {tally.rows:,} rows")


def _chosen_rows(source: _Source, tally: Tally) -> Iterator[Row]:
    """The rows, of which only the best answers of each question if so asked; the source is then read twice."""
    most = source.settings.most_answers
    rows = read_source(source.settings, source.located, source.from_hub, tally)
    if not most:
        yield from rows
        return
    chosen = most_voted(read_source(source.settings, source.located, source.from_hub, Tally()), most)
    for place, row in enumerate(rows):
        if place in chosen:
            yield row
        else:
            tally.left_out["beyond most_answers"] += 1


def _check_rows(source: SourceSettings, tally: Tally) -> None:
    if not tally.read:
        raise BadSource(f"The source {source.name} is empty: {source.path} holds no rows.")
    if tally.columns:
        check_columns(source, tally)
    if not tally.rows:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(tally.left_out.items()))
        raise BadSource(
            f"No row of the source {source.name} can be used, of {tally.read:,} read: {reasons}. "
            "Please check its form, fields and roles."
        )


def _with_own_ids(rows: Iterator[Row]) -> Iterator[Row]:
    last: dict[str, int] = {}
    """Ids that were given, to the last number behind them."""
    for row in rows:
        name = row.id
        while name in last:
            last[row.id] += 1
            name = f"{row.id}-{last[row.id]}"
        last[name] = 1
        yield row if name == row.id else replace(row, id=name)
