"""What publishing does a second time, where it cannot write, and after a kill, of a card that holds what it checks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mhdesk.core.errors import StorageError
from mhdesk.library.adapter_folder import AdapterCard, write_card
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.model_folder import read_manifest
from mhdesk.library.replace_folder import UNFINISHED
from tests.tiny_model import make_adapter
from tests.trainer.reading_job import source
from trainer import publish
from trainer.pipeline_config import PipelineConfig
from trainer.settings.publish import PublishSettings
from trainer.settings.sources import SourcesSettings
from trainer.stage import Job, make_artefact

ROOT = Path(__file__).resolve().parents[2]
PLACES = [("app", ""), ("folder", "out/talk"), ("zip", "out/talk.zip")]


def carded(folder: Path, model: Path, to: str = "app", path: str = "") -> tuple[PipelineConfig, Job]:
    """A run whose stage `card` is done."""
    job = Job(folder, folder / "work", lambda line: None)

    def make(unfinished):
        made = make_adapter(unfinished / "made", model)
        for file in made.iterdir():
            if file.name != "card.json":
                shutil.move(file, unfinished / file.name)
        shutil.rmtree(made)
        (unfinished / "README.md").write_text("An adapter.", encoding="utf-8")
        base = read_manifest(model)
        evaluation = {"missed": [], "passed": True}
        weights = sha256_of_weights(unfinished)
        card = AdapterCard(base.id, base.weights_sha256, base.template_sha256, weights, [], evaluation, "2026-11-27")
        write_card(unfinished, card)
        return {}

    make_artefact(job, "card", [], {}, make)
    sources = SourcesSettings((source("a.csv"),))
    return PipelineConfig("talk", str(model), "work", sources, publish=PublishSettings(to=to, path=path)), job


@pytest.fixture(autouse=True)
def home(paths, tiny_model):
    """The app's data directory with the tiny model."""
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    return paths


@pytest.mark.parametrize(("to", "path"), PLACES)
def test_what_stands_there_already_is_not_published_again_and_what_was_spoilt_is(tiny_model, tmp_path, to, path):
    config, job = carded(tmp_path, tiny_model, to, path)
    target = publish.run(config, job)
    before = target.stat()
    told = []
    assert publish.run(config, replace(job, tell=told.append)) == target
    assert told == [f"publish: talk is at {target}, unchanged"]
    assert target.stat().st_mtime_ns == before.st_mtime_ns
    if to == "zip":
        whole = target.read_bytes()
        target.write_bytes(whole[:200] + b"soup" + whole[204:])
    else:
        (target / "README.md").write_text("spoilt", encoding="utf-8")
    publish.run(config, replace(job, tell=told.append))
    publish.run(config, replace(job, tell=told.append))
    assert [line.endswith("unchanged") for line in told] == [True, False, True]


def test_a_place_that_cannot_be_written_is_named(tiny_model, tmp_path):
    config, job = carded(tmp_path, tiny_model, "zip", "letter.txt/talk.zip")
    (tmp_path / "letter.txt").write_text("Dear Ann", encoding="utf-8")
    with pytest.raises(StorageError, match=r"could not write to .*letter\.txt/talk\.zip"):
        publish.run(config, job)


@pytest.mark.parametrize(("to", "path"), PLACES)
def test_a_kill_leaves_the_place_as_it_was_and_the_next_run_fills_it(tiny_model, tmp_path, home, to, path):
    config, job = carded(tmp_path, tiny_model, to, path)
    section = {"name": "soup", "path": "a.csv", "form": "answers", "licence": "MIT"}
    values = {"name": "talk", "model": config.model, "work": "work", "sources": {"of": [section]}}
    (tmp_path / "run.yaml").write_text(json.dumps({**values, "publish": {"to": to, "path": path}}), encoding="utf-8")
    os.truncate(job.artefact("card") / "README.md", 2**29)  # so that copying it takes a while
    target = home.adapters / "talk" if to == "app" else tmp_path / path
    unfinished = home.adapters / UNFINISHED / "talk" if to == "app" else target.with_name(f".{target.name}{UNFINISHED}")
    command = [sys.executable, "-m", "trainer", "publish", "--config", str(tmp_path / "run.yaml")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while not unfinished.exists():
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert unfinished.exists()
    assert not target.exists()
    (job.artefact("card") / "README.md").write_text("An adapter.", encoding="utf-8")
    assert publish.run(config, job) == target
    assert target.exists()
    assert not unfinished.exists()
