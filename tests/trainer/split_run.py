"""A run whose stage `split` is done: rows that a tiny model can learn something from, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

from mhdesk.core.messages import Message, Role
from trainer.pipeline_config import PipelineConfig
from trainer.rows import Row, Side, write_rows
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.settings.train import TrainSettings
from trainer.stage import Job, make_artefact

REPLIES = (
    "The harbour was quiet and the boats lay still.",
    "She counted four stones, then three, and put them back.",
    "Tea helps on a cold evening, and so does a blanket.",
)


def row(name: str, *texts: str) -> Row:
    """A conversation of these texts, the person's first."""
    roles = [Role.USER, Role.ASSISTANT] * len(texts)
    turns = tuple(Message(role, text) for role, text in zip(roles, texts, strict=False))
    return Row(name, "stones", name, turns, "Apache-2.0", True)


def stones(first: int, count: int) -> list[Row]:
    """Rows of different lengths."""
    return [
        row(f"stone-{n}", f"Stone {n} lies on the table{' beside the harbour' * (n % 5)}.", REPLIES[n % len(REPLIES)])
        for n in range(first, first + count)
    ]


def make_run(
    folder: Path, model: Path, training: list[Row] | None = None, validation: list[Row] | None = None, **train
) -> tuple[PipelineConfig, Job]:
    """Configuration and job; `train` gives settings of that stage. `run.yaml` in the folder says the same."""
    folder.mkdir(parents=True, exist_ok=True)
    job = Job(folder, folder / "work", lambda line: None)
    settings = {
        "rank": 4, "learning_rate": 0.01, "batch_size": 4, "gradient_accumulation": 2, "epochs": 3, "max_tokens": 500,
        "validate_every": 2, **train,
    }  # fmt: skip
    source = {"name": "stones", "path": "stones.jsonl", "form": "dialogues", "licence": "Apache-2.0"}
    values = {"name": "warm", "model": str(model), "work": "work", "sources": {"of": [source]}, "train": settings}
    (folder / "run.yaml").write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    parts = {Side.TRAINING: training or stones(0, 24), Side.VALIDATION: validation or stones(100, 5)}

    def split(unfinished: Path) -> dict[str, int]:
        return {side.label: write_rows(unfinished / side.file, rows) for side, rows in parts.items()}

    make_artefact(job, "split", [], {"rows": [r.to_json() for rows in parts.values() for r in rows]}, split)
    config = PipelineConfig(
        name="warm",
        model=str(model),
        work="work",
        sources=SourcesSettings((SourceSettings(**source),)),
        train=TrainSettings(**settings),
    )
    return config, job
