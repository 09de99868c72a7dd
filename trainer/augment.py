"""The stage `augment`: rows that a language model wrote, as far as filters let them pass and a person accepts them.

The artefact always holds all rows that go on, those of `clean` first and unchanged; without a writer they are all, so
that `split` has one place to read from. The work goes in the order of a plan and ends when as many rows have passed,
and were not rejected, as the share allows: nobody waits for texts, or reviews them, that would not be used. What a
person rejects is made good by further attempts at the next run.

Two files outlive the artefact: `attempts.jsonl` with every text a writer gave, and `review.tsv` with a person's marks,
which are an input. They stand beside it, or in `augment.folder`.

Rows of the 135M starter model read badly, and enter an adapter only if held-out perplexity improves. This stage cannot
know that: each of its rows says in `made_by` which model wrote it and in `parent` from what, and the stage `evaluate`
trains an adapter without them, sets it beside the one with them, and decides.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mhdesk.core.errors import StorageError
from mhdesk.core.paths import unwritable_sentence
from trainer.errors import BadConfiguration
from trainer.pipeline_config import PipelineConfig
from trainer.preview import write_dropped
from trainer.rows import ROWS, Row, read_rows, write_rows
from trainer.settings.augment import NO_WRITER
from trainer.stage import Counts, Job, deciding_files, make_artefact
from trainer.writing.attempt import Maker
from trainer.writing.filters import Filters
from trainer.writing.kept_texts import ATTEMPTS, KeptTexts
from trainer.writing.plan import most_written, plan_attempts
from trainer.writing.progress import Progress
from trainer.writing.prompts import PROMPTS
from trainer.writing.review import REVIEW, Line, Mark, line_of, marks_of, marks_sha256, merge_review, read_review
from trainer.writing.writer import choose_writer

OFFERED = "offered.jsonl"
"""Rows that passed the filters, whatever a person says of them."""


def run(config: PipelineConfig, job: Job) -> Path:
    """Write rows, or copy those of `clean` if no writer is named; returns the artefact with `rows.jsonl`.

    Raises:
        BadRows: `clean` was not run, or the review file is damaged.
        BadConfiguration, ShelfError: there is no such model or address, or it cannot be used; or `augment.folder` lies
            where the run would replace it.
        StorageError: the disk would not take it.
        WriterFailed, EngineError: the writer stopped giving texts; what it gave is kept.
    """
    rows = job.needed("clean", ROWS)
    settings = config.augment
    if settings.writer == NO_WRITER:
        return make_artefact(job, "augment", [rows], {"writer": NO_WRITER}, lambda folder: _copy(rows, folder))
    kept = _kept_folder(config, job)
    marked = read_review(kept / REVIEW) if settings.review else []
    writer = choose_writer(settings, job.folder, job.tell)
    made_from = {
        **settings.deciding,
        "writer_is": writer.identity,
        "seed": config.seed,
        "language": config.clean.language,
        "marks_sha256": marks_sha256(marked),
    }
    try:
        made = make_artefact(
            job,
            "augment",
            [rows, PROMPTS, *deciding_files("safety", "prompts")],
            made_from,
            lambda folder: _make(folder, rows, config, job, KeptTexts(writer, kept / ATTEMPTS), marked),
        )
    finally:
        writer.close()
    if settings.review:
        _offer(kept / REVIEW, job, rows, made)
    return made


def _copy(rows: Path, folder: Path) -> Counts:
    shutil.copyfile(rows, folder / ROWS)
    return {"rows": sum(1 for _ in read_rows(rows)), "synthetic": 0}


def _kept_folder(config: PipelineConfig, job: Job) -> Path:
    kept = config.augment.kept_in(job.folder, job.work)
    if job.work.resolve() in kept.parents:
        raise BadConfiguration(
            f"The configuration's augment.folder is {kept}, within the work folder, where stages are made anew. Please "
            "name a folder outside of it, or leave it empty."
        )
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(unwritable_sentence(kept, error)) from error
    return kept


def _make(
    folder: Path, path: Path, config: PipelineConfig, job: Job, texts: KeptTexts, marked: Sequence[Line]
) -> Counts:
    settings = config.augment
    rows = list(read_rows(path))
    plan = plan_attempts(rows, settings.ways, settings.per_row, config.seed)
    room = most_written(len(rows), settings.most_share)
    filters = Filters(settings, (turn.text for row in rows for turn in row.turns))
    maker = Maker(texts, filters, settings, config.seed, config.clean.language, {})
    progress = Progress(len(plan), room, job.tell)
    marks = marks_of(marked)
    offered: dict[Mark, list[Row]] = {mark: [] for mark in Mark}
    dropped: list[tuple[str, str]] = []
    with (folder / OFFERED).open("w", encoding="utf-8", newline="\n") as file:
        for done, attempt in enumerate(plan, start=1):
            passed = len(offered[Mark.ACCEPT]) + len(offered[Mark.OPEN])
            if passed >= room:
                break
            made = maker.make(attempt)
            if isinstance(made, Row):
                offered[marks.get(line_of(made, attempt.parent).shown, Mark.OPEN)].append(made)
                file.write(made.to_json() + "\n")
            else:
                dropped.append((attempt.id, made))
            progress.after(done, passed, texts.asked)
    write_dropped(folder, dropped)
    kept = offered[Mark.ACCEPT] if settings.review else offered[Mark.OPEN]
    return {
        "rows": write_rows(folder / ROWS, [*rows, *kept]),
        "synthetic": len(kept),
        "most_synthetic": room,
        "attempts": len(dropped) + sum(map(len, offered.values())),
        "offered": {mark.name.lower(): len(of_mark) for mark, of_mark in offered.items()},
        "dropped": dict(sorted(Counter(reason for _, reason in dropped).items())),
    }


def _offer(path: Path, job: Job, rows: Path, made: Path) -> None:
    """Bring the review file up to date, whether the artefact is new or not: a person may have deleted it."""
    parents = {row.id: row for row in read_rows(rows)}
    offered = [line_of(row, parents[row.parent]) for row in read_rows(made / OFFERED)]
    lines = merge_review(path, offered) if offered or path.is_file() else []
    waiting = sum(line.mark is Mark.OPEN for line in lines)
    if waiting:
        job.tell(f"augment: {waiting} rows wait for accept or reject in {path}; then please run augment again")
    if void := len(lines) - len(offered):
        job.tell(f"augment: {void} marks at the end of {path} hold for nothing now: parent or words are others")
