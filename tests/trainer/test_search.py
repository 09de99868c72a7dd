"""The search for settings."""

import dataclasses
import json

import pytest
import torch
import yaml

from tests.trainer.split_run import make_run
from trainer import render, search
from trainer.errors import TrainingStopped
from trainer.settings.search import SearchSettings
from trainer.settings.train import TrainSettings

SPACE = SearchSettings(
    trials=3, steps=2, lowest_learning_rate=1e-3, highest_learning_rate=0.05, ranks=(2, 4), batch_sizes=(2, 4)
)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prepared(folder, model, space=SPACE):
    config, job = make_run(folder, model, warmup_share=0.0, alpha=8)
    render.run(config, job)
    return dataclasses.replace(config, search=space), job


def stopping_after(trials):
    def tell(line):
        if line.startswith(f"search: trial {trials} "):
            raise KeyboardInterrupt

    return tell


def test_a_search_that_was_stopped_goes_on_to_the_same_bytes(tiny_model, tmp_path):
    config, job = prepared(tmp_path / "whole", tiny_model)
    whole = search.run(config, job)
    config, job = prepared(tmp_path / "stopped", tiny_model)
    with pytest.raises(KeyboardInterrupt):
        search.run(config, dataclasses.replace(job, tell=stopping_after(2)))
    assert not job.artefact("search").exists()
    told = []
    again = search.run(config, dataclasses.replace(job, tell=told.append))
    assert [line.split(",")[0] for line in told[:-1]] == ["search: trial 3 of 3"]
    assert {path.name: path.read_bytes() for path in again.iterdir() if path.name != "manifest.json"} == {
        path.name: path.read_bytes() for path in whole.iterdir() if path.name != "manifest.json"
    }
    trials = json.loads((whole / "trials.json").read_text())
    best = min(trials, key=lambda trial: trial["validation_loss"])
    assert len({trial["learning_rate"] for trial in trials}) == 3
    proposed = yaml.safe_load((whole / "best.yaml").read_text())["train"]
    assert proposed == {
        "learning_rate": best["learning_rate"],
        "rank": best["rank"],
        "alpha": best["rank"] * 2,
        "batch_size": best["batch_size"],
    }
    assert TrainSettings(**proposed).rank == best["rank"]


def test_where_every_trial_diverges_nothing_is_written(tiny_model, tmp_path):
    space = dataclasses.replace(SPACE, trials=1, lowest_learning_rate=1e30, highest_learning_rate=1e30)
    config, job = prepared(tmp_path, tiny_model, space)
    with pytest.raises(TrainingStopped, match="No trial was better than the base"):
        search.run(config, job)
    assert not job.artefact("search").exists()
