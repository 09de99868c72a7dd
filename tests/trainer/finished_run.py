"""A run whose stages up to `train` are done: test rows and an adapter for the tiny model, made on the spot."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from mhdesk.core.messages import Message, Role
from tests.tiny_model import make_adapter
from trainer.pipeline_config import PipelineConfig
from trainer.rows import Row, write_rows
from trainer.settings.evaluate import EvaluateSettings, Thresholds
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.stage import Job, make_artefact

LOSES_ABILITY = Thresholds(least_resamples_better=0, most_ability_lost=-1, most_stopped=1, most_repeated=1)
"""Whatever a random adapter does, it misses one of these and no other."""

ITEMS = [
    {"id": f"item-{n}", "subject": "stones" if n % 2 else "tea", "question": f"How many stones are {n} and one?",
     "choices": [str(n + 1), str(n), "none", "a teapot"], "answer": 0}
    for n in range(6)
]  # fmt: skip


def make_run(folder: Path, model: Path, **evaluate) -> tuple[PipelineConfig, Job]:
    """The configuration and job of it; `evaluate` changes its settings."""
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
        evaluate=replace(settings, **evaluate),
    )
    for stage, counts in (
        ("sources", {"rows": 14, "by_source": {"harbour": 14}}),
        ("clean", {"kept": 12, "dropped": {"too_short": 1, "no_guidance": 1}}),
        ("augment", {"rows": 13, "synthetic": 1}),
    ):
        make_artefact(job, stage, [], {}, lambda unfinished, counts=counts: counts)
    make_artefact(job, "split", [], {}, _split)
    make_artefact(job, "train", [], {}, lambda unfinished: _train(unfinished, model))
    return config, job


def _split(folder: Path) -> dict:
    counts = {}
    for name, numbers in (("training", range(6)), ("validation", range(6, 8)), ("test", range(8, 12))):
        counts[name] = write_rows(folder / f"{name}.jsonl", map(_row, numbers))
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
