"""The way of a training row, from the first stage to the last. Every stage is a module with a function `run`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout

from mhdesk.core.errors import StorageError
from mhdesk.core.paths import unwritable_sentence
from trainer.errors import BadConfiguration, BadRows
from trainer.pipeline_config import PipelineConfig
from trainer.preview import show_preview
from trainer.stage import Job, read_manifest
from trainer.writing.review import REVIEW

_LOCK = ".lock"
STAGES = {
    "sources": "read every source into rows of one form",
    "clean": "take out what does not belong in a row, and rows that do not belong",
    "augment": "add rows that a language model wrote and a person accepted",
    "split": "part the rows into those learnt from, chosen by, and measured on",
    "render": "rows to token ids, and where the loss counts",
    "train": "learn a LoRA adapter",
    "evaluate": "measure base and adapter as the app runs them",
    "card": "put adapter, model card and card.json together",
    "publish": "bring the adapter into the app, a folder, or a zip file",
}
"""In their order, with what each does. `all` runs every one of them."""
BESIDE = {
    "search": "try learning rates, ranks and batch sizes on the rendered rows",
    "export": "base and adapter as one full-precision model",
}
"""Stages of the same configuration that `all` leaves out."""


def run_stages(names: list[str], config: PipelineConfig, job: Job, preview: int) -> Path:
    """Run some stages in order; each skips what it has done before. Returns the last artefact.

    None is run behind `augment` while written rows wait for a person's review, for it would go on without them.

    Args:
        names: of `STAGES` or `BESIDE`.
        config: the run.
        job: where it runs.
        preview: show so many rows before and after each stage that gives rows.

    Raises:
        BadRows: rows wait for review.
        MHDeskError: a stage could not do its work; the stages before it stand.
    """
    made = job.work
    with _alone_in(job.work):
        for name in names:
            made = import_module(f"trainer.{name}").run(config, job)
            if preview:
                show_preview(name, config, job, preview)
            if name == "augment" and name != names[-1]:
                _refuse_unreviewed(config, job, made)
    return made


def _refuse_unreviewed(config: PipelineConfig, job: Job, augmented: Path) -> None:
    waiting = read_manifest(augmented)["counts"].get("offered", {}).get("open", 0) if config.augment.review else 0
    if waiting:
        review = config.augment.kept_in(job.folder, job.work) / REVIEW
        raise BadRows(
            f"{waiting} rows that a model wrote wait for accept or reject in {review}. Please mark them and run all "
            "again, or go on without them by running split and each stage behind it by name."
        )


@contextlib.contextmanager
def _alone_in(work: Path) -> Iterator[None]:
    """Keep other runs out of a folder: two that write the same artefact would spoil it.

    Of the processes of one `accelerate launch` the first does this for all.
    """
    lock = FileLock(work / _LOCK)
    try:
        work.mkdir(parents=True, exist_ok=True)
        if os.environ.get("RANK", "0") == "0":
            lock.acquire(timeout=0)
    except Timeout:
        raise BadConfiguration(
            f"Another run works in {work}. Please wait until it has ended, or give this one a work folder of its own."
        ) from None
    except OSError as error:
        raise StorageError(unwritable_sentence(work, error)) from error
    try:
        yield
    finally:
        lock.release()
