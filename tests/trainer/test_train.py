"""A whole training run on a tiny model, killed, spoilt and starved."""

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
import torch

from mhdesk.engine.child.adapter import load_adapter
from mhdesk.engine.child.base import load_base
from tests.namespaces import in_namespace
from tests.trainer.split_run import make_run
from trainer import render, train
from trainer.errors import BadConfiguration, BadRows, TrainingStopped
from trainer.stage import read_manifest
from trainer.training.batches import collate, summed_loss

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"epochs": 2, "validate_every": 2, "warmup_share": 0.0}
FILES = {"adapter_config.json", "adapter_model.safetensors", "curve.json", "curve.png"}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """On few cores, threads that wait for one another take ten times as long; and sums have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prepared(folder, model, **settings):
    config, job = make_run(folder, model, **(SETTINGS | settings))
    render.run(config, job)
    return config, job


@pytest.fixture(scope="module")
def trained(tiny_model, tmp_path_factory):
    config, job = prepared(tmp_path_factory.mktemp("run"), tiny_model)
    return train.run(config, job)


def test_it_learns_and_says_how_in_curve_and_manifest(trained):
    curve = json.loads((trained / "curve.json").read_text())
    counts = read_manifest(trained)["counts"]
    assert [entry["step"] for entry in curve["training"]] == [1, 2, 3, 4, 5, 6]
    assert [entry["step"] for entry in curve["validation"]] == [0, 2, 4, 6]
    assert counts["validation_loss"] == curve["best"]["loss"] < counts["validation_loss_before"] * 0.96
    assert counts["memory"]["measured_bytes"] > 0


def test_the_artefact_holds_pefts_files_and_curves_and_no_path_of_this_machine(trained):
    assert set(read_manifest(trained)["outputs"]) == FILES
    assert {path.name for path in trained.iterdir()} == {*FILES, "manifest.json"}
    for path in trained.glob("*.json"):
        assert str(trained.parent) not in path.read_text()
        assert str(ROOT) not in path.read_text()
    assert json.loads((trained / "adapter_config.json").read_text())["base_model_name_or_path"] == "tests/tiny"


def test_tensorboards_files_lie_beside_the_artefacts(trained):
    assert list((trained.parent / "curves" / "train").glob("events.*"))


def test_the_adapter_is_the_one_of_the_best_look(trained, tiny_model):
    config, job = make_run(trained.parent.parent, tiny_model, **SETTINGS)
    plan = train.plan_of(train.rendered_files(job, tiny_model), config.train, config.seed)
    model, _ = load_base(tiny_model)
    adapted = load_adapter(model, trained)
    losses = [
        summed_loss(adapted, collate(plan.validation, ((row,),), 2)).item() for row in range(5)
    ]  # fmt: skip
    best = read_manifest(trained)["counts"]["validation_loss"]
    assert sum(losses) / plan.validation.targets.sum() == pytest.approx(best, rel=0.02)


def test_what_is_done_is_skipped(trained, tiny_model):
    config, job = make_run(trained.parent.parent, tiny_model, **SETTINGS)
    before = (trained / "manifest.json").stat().st_mtime_ns
    assert train.run(config, job) == trained
    assert (trained / "manifest.json").stat().st_mtime_ns == before


def test_another_memory_limit_makes_nothing_anew_and_another_learning_rate_does(trained, tiny_model, tmp_path):
    shutil.copytree(trained.parent, tmp_path / "work", ignore=shutil.ignore_patterns("curves"))
    for changed, done in (({"memory_limit_gib": 4.0}, True), ({"learning_rate": 0.02}, False)):
        config, job = make_run(tmp_path, tiny_model, **SETTINGS, **changed)
        told = []
        train.run(config, replace(job, tell=told.append))
        assert ("train: done before" in told) is done


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(trained, tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model)
    killed = subprocess.Popen(
        [sys.executable, "-m", "trainer", "train", "--config", str(tmp_path / "run.yaml")],
        stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    unfinished = tmp_path / "work" / "train.unfinished"
    while not list(unfinished.glob("checkpoint-*")):
        assert killed.poll() is None
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not job.artefact("train").exists()
    told = []
    again = train.run(config, replace(job, tell=told.append))
    assert not any("before the first step" in line for line in told)
    assert read_manifest(again)["outputs"] == read_manifest(trained)["outputs"]


def test_a_run_that_was_stopped_at_its_very_end_learns_nothing_anew(trained, tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model)

    def stop(line):
        if "which is kept" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.run(config, replace(job, tell=stop))
    told = []
    again = train.run(config, replace(job, tell=told.append))
    assert not any("step 2 of" in line or "before the first step" in line for line in told)
    assert read_manifest(again)["outputs"] == read_manifest(trained)["outputs"]
    assert {path.name for path in again.iterdir()} == {*FILES, "manifest.json"}


def test_packing_bf16_and_checkpointing_learn_too(tiny_model, tmp_path):
    config, job = prepared(
        tmp_path, tiny_model, packing=True, base="bf16", gradient_checkpointing=True, max_tokens=800, batch_size=2,
        most_steps=3, schedule="constant",
    )  # fmt: skip
    counts = read_manifest(train.run(config, job))["counts"]
    assert counts["steps"] == 3
    assert counts["validation_loss"] < counts["validation_loss_before"]


def test_a_learning_rate_that_diverges_is_a_sentence_and_nothing_is_published(tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model, learning_rate=1e30)
    with pytest.raises(TrainingStopped, match="The loss is no longer a number at step"):
        train.run(config, job)
    assert not job.artefact("train").exists()


def test_an_adapter_that_is_no_better_than_the_base_is_not_published(tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model, learning_rate=1e-30, most_steps=2)
    with pytest.raises(TrainingStopped, match=r"Nothing was learnt: the validation loss is 6\.002 without"):
        train.run(config, job)
    assert not job.artefact("train").exists()


def test_what_would_not_fit_the_memory_is_refused_before_it_begins(tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model, memory_limit_gib=0.01)
    with pytest.raises(BadConfiguration, match=r"needs about 0\.\d\d GiB of memory and 0\.01 GiB are there"):
        train.run(config, job)


def test_fewer_processes_than_asked_for_are_refused(tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model, processes=2)
    with pytest.raises(BadConfiguration, match=r"asks for 2 processes .* and 1 were started"):
        train.run(config, job)


def test_rows_of_another_base_are_refused(tiny_model, tmp_path):
    from tests.tiny_model import make_tiny_model

    _, job = prepared(tmp_path, tiny_model)
    config, _ = make_run(tmp_path, make_tiny_model(tmp_path / "other", seed=5), **SETTINGS)
    with pytest.raises(BadRows, match="rendered for another base"):
        train.run(config, job)


def test_a_missing_base_is_a_sentence(tiny_model, tmp_path):
    config, job = prepared(tmp_path, tiny_model)
    with pytest.raises(BadConfiguration, match="The base model /nowhere is neither a folder nor installed"):
        train.run(replace(config, model="/nowhere"), job)


def test_rows_that_were_not_rendered_are_a_sentence(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model)
    with pytest.raises(BadRows, match="The stage render has not been run"):
        train.run(config, job)


def test_a_full_disk_is_one_sentence_and_nothing_is_published(tiny_model, tmp_path):
    prepared(tmp_path, tiny_model)
    result = in_namespace(
        """
        import runpy, shutil, subprocess, sys
        from pathlib import Path
        here = Path(sys.argv[1])
        (here / "small").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", here / "small"], check=True)
        shutil.copytree(here / "work", here / "small" / "work")
        shutil.copy(here / "run.yaml", here / "small")
        (here / "small" / "filler").write_bytes(b"x" * int(sys.argv[2]))
        sys.argv = ["trainer", "train", "--config", str(here / "small" / "run.yaml")]
        try:
            runpy.run_module("trainer", run_name="__main__", alter_sys=True)
        finally:
            print((here / "small" / "work" / "train").exists())
        """,
        str(tmp_path),
        "30000",
    )
    assert result.returncode == 1, result.stderr
    assert "is full. Please free some space" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout.strip() == "False"
