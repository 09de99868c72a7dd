"""Stages that end within seconds, killed in the middle by SIGKILL and run again."""

import json
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.trainer.measured_run import measured
from tests.trainer.split_run import make_run, row, stones
from trainer import card
from trainer.rows import ROWS, write_rows
from trainer.stage import make_artefact, read_manifest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = textwrap.dedent(
    """
    import os, signal, sys
    from importlib import import_module
    from pathlib import Path
    from trainer.config import load_config
    from trainer.pipeline_config import PipelineConfig
    from trainer.stage import Job

    folder, stage, last = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    def tell(line):
        if last and last in line:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event, values):
        if event == "os.rename" or (event == "open" and values[2] & (os.O_WRONLY | os.O_RDWR)):
            path = Path(str(values[0]))
            tell(f"{event} {path.parent.name}/{path.name}")

    sys.addaudithook(hear)
    run = import_module(f"trainer.{stage}").run
    run(load_config(folder / "run.yaml", PipelineConfig), Job(folder, folder / "work", tell))
    """
)


def run(folder, stage, last=""):
    """The stage in a process of its own, killed where it tells, opens or renames `last`; its return code."""
    return subprocess.run([sys.executable, "-c", PROGRAM, folder, stage, last], cwd=ROOT, check=False).returncode


def words(name):
    chance = random.Random(name)
    return " ".join(f"w{chance.randrange(10_000)}" for _ in range(20))


def prepared(folder, model):
    """A run of which any of the stages below can be run."""
    training = [*stones(0, 24), row("too-long", "Stone? " * 200, "Yes.")]
    _, job = make_run(folder, model, training=training)
    rows = [row(f"g{number}", words(number), words(f"re {number}")) for number in range(100)]
    lines = [{"id": row.id, "turns": [turn.to_json() for turn in row.turns]} for row in rows]
    (folder / "stones.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    make_artefact(job, "clean", [], {}, lambda unfinished: {"kept": write_rows(unfinished / ROWS, rows)})
    return job


@pytest.mark.parametrize(
    ("stage", "last"),
    [
        ("sources", "stones, 100 read"),
        ("split", "groups, of which"),
        ("render", "do not fit into"),
    ],
)
def test_a_killed_stage_leaves_nothing_under_its_name_and_ends_in_the_bytes_of_one_that_was_not(
    tiny_model, tmp_path, stage, last
):
    outputs = []
    for name in ("whole", "killed"):
        job = prepared(tmp_path / name, tiny_model)
        before = read_manifest(job.artefact(stage))
        if name == "killed":
            assert run(tmp_path / name, stage, last) == -signal.SIGKILL
            assert job.artefact(f"{stage}.unfinished").is_dir()
            assert read_manifest(job.artefact(stage)) == before
        assert run(tmp_path / name, stage) == 0
        assert not job.artefact(f"{stage}.unfinished").exists()
        assert read_manifest(job.artefact(stage)) != before
        outputs.append(read_manifest(job.artefact(stage))["outputs"])
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    "last",
    [
        "open card.unfinished/README.md",
        "os.rename card.unfinished/.card.json.",
        "os.rename card.unfinished/.manifest.json.",
    ],
)
def test_a_killed_card_leaves_nothing_under_its_name_and_ends_in_the_bytes_of_one_that_was_not(
    tiny_model, tmp_path, last
):
    config, job = measured(tmp_path, tiny_model)
    source = {"name": "harbour", "path": "harbour.jsonl", "form": "dialogues", "licence": "CC-BY-NC-4.0"}
    values = {"name": config.name, "model": config.model, "work": config.work, "sources": {"of": [source]}}
    (tmp_path / "run.yaml").write_text(json.dumps(values), encoding="utf-8")
    whole = read_manifest(card.run(config, job))["outputs"]
    assert {"README.md", "card.json", "adapter_model.safetensors"} <= set(whole)
    shutil.rmtree(job.artefact("card"))
    assert run(tmp_path, "card", last) == -signal.SIGKILL
    assert (job.artefact("card.unfinished") / "adapter_model.safetensors").is_file()
    assert not job.artefact("card").exists()
    assert run(tmp_path, "card") == 0
    assert not job.artefact("card.unfinished").exists()
    assert read_manifest(job.artefact("card"))["outputs"] == whole
