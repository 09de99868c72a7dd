"""The stage `card`: PEFT's files, a model card and `card.json` in one folder, which is the adapter.

`created` is the day on which the weights that `train` left were written (UTC, from the file): a card that is made again
of the same weights is the same to the byte. What it says of data and training is what the manifests of those stages
say: the configuration may have changed since.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mhdesk.library.adapter_configuration import CONFIGURATION
from mhdesk.library.adapter_folder import AdapterCard, check_new_adapter, write_card
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.model_folder import check_model_folder
from mhdesk.library.model_folder import read_manifest as read_model_manifest
from trainer.base_model import base_folder
from trainer.errors import BadRows
from trainer.evaluate import ANSWERS, EVALUATION
from trainer.measuring.answers import read_answers
from trainer.measuring.model_card import CardMaterial, model_card
from trainer.measuring.provenance import source_rows, stages_behind
from trainer.pipeline_config import PipelineConfig
from trainer.stage import Counts, Job, make_artefact, read_manifest

_NOT_COUNTED = ("train", "evaluate")
"""Stages whose counts the card does not tell, since it has their figures."""


def run(config: PipelineConfig, job: Job) -> Path:
    """Put the adapter's folder together; returns it.

    Raises:
        BadRows: an earlier stage has not been run, or on something else than the one before it left.
        BadConfiguration, ShelfError: the base model is missing, or the adapter does not fit it.
    """
    adapter = job.needed("train", WEIGHTS).parent
    curve = job.needed("train", "curve.json")
    evaluation, answers = job.needed("evaluate", EVALUATION), job.needed("evaluate", ANSWERS)
    base = base_folder(config.model, job.folder)
    known = read_model_manifest(base)
    figures = _json(evaluation)
    if "stopped_above_base" not in figures:
        raise BadRows("The evaluation is of an earlier version of the program. Please run evaluate again.")
    stages = stages_behind(job)
    learnt_with = read_manifest(adapter)["settings"]
    if learnt_with["base_sha256"] != known.weights_sha256:
        raise BadRows(
            f"The adapter was learnt on another base model than {config.model}. Please name that one under model, or "
            "run train again."
        )
    sources = source_rows(job)
    counts = {stage: read_manifest(job.artefact(stage))["counts"] for stage in stages if stage not in _NOT_COUNTED}
    language = read_manifest(job.artefact("clean"))["settings"]["clean"]["language"]
    created = datetime.fromtimestamp((adapter / WEIGHTS).stat().st_mtime, UTC).date().isoformat()
    settings = {
        "name": config.name,
        "language": language,
        "learnt_with": learnt_with,
        "sources": [source.to_json() for source in sources],
        "counts": counts,
        "created": created,
        "base": asdict(known),
    }
    inputs = [adapter / WEIGHTS, adapter / CONFIGURATION, curve, evaluation, answers]

    def make(folder: Path) -> Counts:
        material = CardMaterial(
            name=config.name,
            language=language,
            train=learnt_with["train"],
            seed=learnt_with["seed"],
            base=known,
            sources=sources,
            counts={stage: found for stage, found in counts.items() if found},
            curve=_json(curve),
            evaluation=figures,
            five=[answer for answer in read_answers(answers) if answer.kind == "five"],
            created=created,
        )
        for name in (CONFIGURATION, WEIGHTS):
            shutil.copyfile(adapter / name, folder / name)
        check_new_adapter(folder, check_model_folder(base))
        (folder / "README.md").write_text(model_card(material), encoding="utf-8")
        write_card(folder, _card(material, folder))
        return {"sources": len(material.sources), "passed": material.evaluation["passed"]}

    return make_artefact(job, "card", inputs, settings, make)


def _card(material: CardMaterial, folder: Path) -> AdapterCard:
    return AdapterCard(
        base_id=material.base.id,
        base_sha256=material.base.weights_sha256,
        template_sha256=material.evaluation["engine"]["template_sha256"],
        adapter_sha256=sha256_of_weights(folder),
        data=[source.to_json() for source in material.sources],
        evaluation={
            **material.evaluation,
            "training": {"settings": dict(material.train), "seed": material.seed, "best": material.curve["best"]},
        },
        created=material.created,
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadRows(f"The file {path} is damaged. Please run the stage {path.parent.name} again.") from None
