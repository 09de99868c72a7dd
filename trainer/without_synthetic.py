"""A second adapter, learnt without the rows that a language model wrote: what `evaluate` sets the first one beside.

It is made by the stages themselves, with the same settings, in a work folder within the run's own. It is measured, and
never published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mhdesk.library.model_folder import read_manifest as read_model_manifest
from trainer import render, train
from trainer.base_model import base_folder
from trainer.errors import BadConfiguration, BadRows
from trainer.pipeline_config import PipelineConfig
from trainer.rows import Side, read_rows, write_rows
from trainer.stage import Counts, Job, make_artefact, read_manifest

FOLDER = "without-synthetic"
"""In the run's work folder; holds artefacts of `split`, `render` and `train`."""


def train_without_synthetic(config: PipelineConfig, job: Job) -> Path | None:
    """The second adapter's folder; None where no synthetic row is learnt from, or the comparison is turned off.

    A step reads as many rows as in the first training, whose processes one process stands for here.

    Raises:
        BadRows: a stage before was not run, or `train` with other settings than `config` has.
        BadConfiguration: the comparison is turned off for a writer that is not known to be larger than the base.
        MHDeskError: whatever the stages `render` and `train` raise.
    """
    paths = {side: job.needed("split", side.file) for side in render.RENDERED}
    if not any(row.is_synthetic for row in read_rows(paths[Side.TRAINING])):
        return None
    if not config.evaluate.compare_synthetic:
        _check_writer_is_larger(config, job)
        return None
    _check_same_settings(config, job)
    within = Job(job.folder, job.work / FOLDER, lambda line: job.tell(f"without synthetic rows, {line}"))
    make_artefact(within, "split", list(paths.values()), {}, lambda folder: _written_by_people(paths, folder))
    alone = replace(config.train, processes=1, gradient_accumulation=config.train.batches_a_step)
    changed = replace(config, train=alone)
    render.run(changed, within)
    return train.run(changed, within)


def _written_by_people(paths: Mapping[Side, Path], folder: Path) -> Counts:
    return {
        side.label: write_rows(folder / side.file, (row for row in read_rows(path) if not row.is_synthetic))
        for side, path in paths.items()
    }


def _check_writer_is_larger(config: PipelineConfig, job: Job) -> None:
    writer: float = read_manifest(job.artefact("augment")).get("settings", {}).get("billions", 0.0) * 1e9
    if writer <= read_model_manifest(base_folder(config.model, job.folder)).parameters:
        raise BadConfiguration(
            "Only rows of a writer that is larger than the base go without the comparison. Please set "
            "evaluate.compare_synthetic to true, or say under augment.billions how many parameters the writer has."
        )


def _check_same_settings(config: PipelineConfig, job: Job) -> None:
    learnt_with: dict[str, Any] = read_manifest(job.artefact("train")).get("settings", {})
    now: dict[str, Any] = json.loads(json.dumps({"train": config.train.deciding, "seed": config.seed}))
    asked = {name: now["train"].get(name) for name in learnt_with.get("train", {})}
    if {"train": asked, "seed": now["seed"]} != {name: learnt_with.get(name) for name in now}:
        raise BadRows("The stage train was run with other settings than the configuration has. Please run train again.")
