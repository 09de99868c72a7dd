"""A run whose stages up to `train` are done: test rows and an adapter for the tiny model, made on the spot."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from mhdesk.core.messages import Message, Role
from mhdesk.library.model_folder import read_manifest
from tests.tiny_model import make_adapter
from trainer import render
from trainer.pipeline_config import PipelineConfig
from trainer.rows import ROWS, Row, Side, write_rows
from trainer.settings.evaluate import EvaluateSettings, Thresholds
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.settings.train import TrainSettings
from trainer.stage import Job, make_artefact

LOSES_ABILITY = Thresholds(
    least_resamples_better=0,
    most_ability_lost=-1,
    most_stopped=1,
    most_stopped_above_base=1,
    most_crisis_stopped_above_base=1,
    most_repeated=1,
)
"""Whatever a random adapter does, it misses one of these and no other."""

ITEMS = [
    {"id": f"item-{n}", "subject": "stones" if n % 2 else "tea", "question": f"How many stones are {n} and one?",
     "choices": [str(n + 1), str(n), "none", "a teapot"], "answer": 0}
    for n in range(6)
]  # fmt: skip


def make_run(
    folder: Path, model: Path, billions: float = 0.0, train: TrainSettings | None = None, **evaluate
) -> tuple[PipelineConfig, Job]:
    """The configuration and job of it; `evaluate` changes its settings, `billions` is the size of the writer."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "items.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in ITEMS), encoding="utf-8")
    job = Job(folder, folder / "work", lambda line: None)
    source = SourceSettings("harbour", "harbour.jsonl", "dialogues", "CC-BY-NC-4.0", commercial=False, origin="a shelf")
    settings = EvaluateSettings(seeds=(1,), answers=2, new_tokens=8, abilities="items.jsonl", thresholds=LOSES_ABILITY)
    config = PipelineConfig(
        name="harbour-talk",
        model=str(model),
        work="work",
        sources=SourcesSettings((source,), non_commercial=True),
        train=train or TrainSettings(),
        evaluate=replace(settings, **evaluate),
    )
    told = {"licence": source.licence, "commercial": source.commercial, "origin": source.origin}
    before: list[Path] = []
    for stage, settings, counts in (
        ("sources", asdict(config.sources), {"rows": 14, "sources": {"harbour": told}}),
        ("clean", {"clean": asdict(config.clean)}, {"kept": 12, "dropped": {"too_short": 1, "no_guidance": 1}}),
        ("augment", {"billions": billions}, {"rows": 13, "synthetic": 1}),
    ):
        made = make_artefact(job, stage, before, settings, lambda unfinished, counts=counts: _rows(unfinished, counts))
        before = [made / ROWS]
    make_artefact(job, "split", before, {}, _split)
    rendered = [render.run(config, job) / render.rendered_file(side) for side in render.RENDERED]
    learnt_with = {
        "train": config.train.deciding,
        "seed": config.seed,
        "base_sha256": read_manifest(model).weights_sha256,
    }
    make_artefact(job, "train", rendered, learnt_with, lambda unfinished: _train(unfinished, model))
    return config, job


def _rows(folder: Path, counts: dict) -> dict:
    write_rows(folder / ROWS, map(_row, range(12)))
    return counts


def _split(folder: Path) -> dict:
    counts = {}
    for side, numbers in zip(Side, (range(6), range(6, 8), range(8, 12)), strict=True):
        counts[side.label] = write_rows(folder / side.file, map(_row, numbers))
    return counts


def _row(number: int) -> Row:
    turns = (
        Message(Role.USER, f"Stone {number} lies on the table."),
        Message(Role.ASSISTANT, "The harbour was quiet and the boats lay still."),
    )
    parent = "harbour-0" if number == 1 else ""
    return Row(
        f"harbour-{number}", "harbour", f"group-{number}", turns, "CC-BY-NC-4.0", commercial=False, parent=parent
    )


def _train(folder: Path, model: Path) -> dict:
    made = make_adapter(folder / "made", model)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.move(made / name, folder / name)
    shutil.rmtree(made)
    curve = {"training": [{"step": 1, "loss": 3.5, "learning_rate": 1e-4}], "validation": [{"step": 4, "loss": 3.25}]}
    (folder / "curve.json").write_text(json.dumps(curve | {"best": {"step": 4, "loss": 3.25}}), encoding="utf-8")
    return {"steps": 4}
