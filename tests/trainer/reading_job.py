"""Running the stage `sources` on files of a test."""

import json
from pathlib import Path

from trainer import sources
from trainer.pipeline_config import PipelineConfig
from trainer.rows import ROWS, read_rows
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.stage import Job, read_manifest


def source(path, form="answers", name="soup", **settings):
    return SourceSettings(name=name, path=str(path), form=form, licence="MIT", **settings)


def read(folder: Path, *of, non_commercial=False):
    """Rows, and the counts of the manifest."""
    config = PipelineConfig("tried", "none", "work", SourcesSettings(of, non_commercial))
    made = sources.run(config, Job(folder, folder / "work", lambda line: None))
    return list(read_rows(made / ROWS)), read_manifest(made)["counts"]


def json_lines(path: Path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def said(row):
    return [(turn.role.value, turn.text) for turn in row.turns]
