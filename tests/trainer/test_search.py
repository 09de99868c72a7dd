"""The search for settings."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
import yaml

from mhdesk.library.model_folder import check_model_folder, read_manifest
from tests.trainer.split_run import make_run
from trainer import render, search
from trainer.errors import TrainingStopped
from trainer.settings.search import SearchSettings
from trainer.settings.train import TrainSettings
from trainer.train import plan_of, rendered_files
from trainer.training.memory import TooLarge, largest_batch, memory_needed

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


def limited(config, job, batch_size):
    """The configuration with a memory that takes a batch of this size and hardly more."""
    plan = plan_of(rendered_files(job, Path(config.model)), config.train, config.seed)
    plan = dataclasses.replace(plan, settings=dataclasses.replace(config.train, batch_size=batch_size, rank=4))
    batch = largest_batch(plan.steps_of_epoch(0), plan.training)
    shape = check_model_folder(Path(config.model))
    need = memory_needed(shape, read_manifest(Path(config.model)).weights_bytes, plan.settings, batch)
    train = dataclasses.replace(config.train, memory_limit_gib=need.total / 2**30 + 0.001)
    return dataclasses.replace(config, train=train)


def test_a_trial_that_does_not_fit_the_memory_is_passed_over(tiny_model, tmp_path):
    space = dataclasses.replace(SPACE, ranks=(4,), batch_sizes=(2, 24))
    config, job = prepared(tmp_path, tiny_model, space)
    told = []
    made = search.run(limited(config, job, 2), dataclasses.replace(job, tell=told.append))
    trials = json.loads((made / "trials.json").read_text())
    assert {(trial["batch_size"], trial["too_large"], trial["validation_loss"] is None) for trial in trials} == {
        (2, False, False), (24, True, True)
    }  # fmt: skip
    assert any(line.endswith("too large for the memory") for line in told)


def test_where_no_trial_fits_the_memory_that_is_said(tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model, dataclasses.replace(SPACE, trials=1, batch_sizes=(24,)))
    with pytest.raises(TooLarge, match=r"No trial fits the memory. Please lower search\.batch_sizes"):
        search.run(limited(config, job, 2), job)
    assert not job.artefact("search").exists()


def test_where_every_trial_diverges_nothing_is_written(tiny_model, tmp_path):
    space = dataclasses.replace(SPACE, trials=1, lowest_learning_rate=1e30, highest_learning_rate=1e30)
    config, job = prepared(tmp_path, tiny_model, space)
    with pytest.raises(TrainingStopped, match="No trial was better than the base"):
        search.run(config, job)
    assert not job.artefact("search").exists()
