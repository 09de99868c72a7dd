"""The stage `card`: PEFT's files, a model card and `card.json` in one folder, which is the adapter.

`created` is the day on which the weights that `train` left were written (UTC, from the file): a card that is made again
of the same weights is the same to the byte.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
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
from trainer.measuring.model_card import SIDES, CardMaterial, SourceRows, model_card
from trainer.pipeline_config import PipelineConfig
from trainer.rows import read_rows
from trainer.stage import Counts, Job, make_artefact, read_manifest

_COUNTED = ("sources", "clean", "augment", "split", "render")
"""Stages whose counts the card tells."""


def run(config: PipelineConfig, job: Job) -> Path:
    """Put the adapter's folder together; returns it.

    Raises:
        BadRows: an earlier stage has not been run, or measured something else than what `train` left.
        BadConfiguration, ShelfError: the base model is missing, or the adapter does not fit it.
    """
    adapter = job.needed("train", WEIGHTS).parent
    curve = job.needed("train", "curve.json")
    evaluation, answers = job.needed("evaluate", EVALUATION), job.needed("evaluate", ANSWERS)
    rows = [job.needed("split", f"{side}.jsonl") for side in SIDES]
    base = base_folder(config.model, job.folder)
    known = read_model_manifest(base)
    counts = {stage: read_manifest(job.artefact(stage)).get("counts", {}) for stage in _COUNTED}
    created = datetime.fromtimestamp((adapter / WEIGHTS).stat().st_mtime, UTC).date().isoformat()
    settings = {
        "config": asdict(config),
        "counts": counts,
        "created": created,
        "base": asdict(known),
    }
    inputs = [adapter / WEIGHTS, adapter / CONFIGURATION, curve, evaluation, answers, *rows]
    _check_measured(job, adapter)

    def make(folder: Path) -> Counts:
        material = CardMaterial(
            config=config,
            base=known,
            sources=_source_rows(config, rows),
            counts={stage: found for stage, found in counts.items() if found},
            curve=_json(curve),
            evaluation=_json(evaluation),
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
    train = asdict(material.config.train)
    return AdapterCard(
        base_id=material.base.id,
        base_sha256=material.base.weights_sha256,
        template_sha256=material.evaluation["engine"]["template_sha256"],
        adapter_sha256=sha256_of_weights(folder),
        data=[source.to_json() for source in material.sources],
        evaluation={
            **material.evaluation,
            "training": {"settings": train, "seed": material.config.seed, "best": material.curve["best"]},
        },
        created=material.created,
    )


def _check_measured(job: Job, adapter: Path) -> None:
    """Refuse figures of another adapter: `train` may have been run again since."""
    trained = read_manifest(adapter).get("outputs", {}).get(WEIGHTS)
    measured = {found["file"]: found["sha256"] for found in read_manifest(job.artefact("evaluate")).get("inputs", [])}
    if measured.get(WEIGHTS) != trained:
        raise BadRows("The stage evaluate measured another adapter than train has left. Please run evaluate again.")


def _source_rows(config: PipelineConfig, paths: list[Path]) -> list[SourceRows]:
    rows: Counter[tuple[str, str]] = Counter()
    synthetic: Counter[str] = Counter()
    for side, path in zip(SIDES, paths, strict=True):
        for row in read_rows(path):
            rows[row.source, side] += 1
            synthetic[row.source] += row.is_synthetic
    return [
        SourceRows(source, {side: rows[source.name, side] for side in SIDES}, synthetic[source.name])
        for source in config.sources.of
    ]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadRows(f"The file {path} is damaged. Please run the stage {path.parent.name} again.") from None
