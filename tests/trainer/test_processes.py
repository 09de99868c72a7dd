"""Two processes on one processor, started as a user starts them (`accelerate launch`, gloo)."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from mhdesk.library.adapter_tensors import WEIGHTS
from tests.trainer.split_run import make_run
from trainer import render, train
from trainer.stage import read_manifest

ROOT = Path(__file__).resolve().parents[2]
ONE = {"epochs": 2, "validate_every": 2, "gradient_accumulation": 2, "dropout": 0.1}
TWO = {**ONE, "gradient_accumulation": 1, "processes": 2}


def launch(folder: Path) -> subprocess.Popen[str]:
    words = "launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"
    return subprocess.Popen(
        [Path(sys.executable).parent / "accelerate", *words.split(), "--main_process_port", "0",
         "-m", "trainer", "train", "--config", folder / "run.yaml"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def prepared(folder, model, settings):
    config, job = make_run(folder, model, **settings)
    render.run(config, job)
    return config, job


def curve_of(artefact):
    curve = json.loads((artefact / "curve.json").read_text())
    return [entry["loss"] for entry in (*curve["training"], *curve["validation"])]


def test_two_processes_of_which_one_was_killed_learn_what_one_does_from_the_same_global_batch(tiny_model, tmp_path):
    _, job = prepared(tmp_path / "two", tiny_model, TWO)
    process = launch(tmp_path / "two")
    while not list((tmp_path / "two" / "work" / "train.unfinished").glob("checkpoint-*")):
        assert process.poll() is None
        time.sleep(0.005)
    children = psutil.Process(process.pid).children(recursive=True)
    next(child for child in children if child.environ().get("RANK") == "1").send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode != 0
    assert not job.artefact("train").exists()

    again = launch(tmp_path / "two")
    told, _ = again.communicate()
    assert again.returncode == 0, told
    assert "before the first step" not in told
    assert told.count("train: done in") == 1

    assert 0.4 < read_manifest(job.artefact("train"))["counts"]["memory"]["measured_to_estimated"] < 1.5

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = train.run(*prepared(tmp_path / "one", tiny_model, ONE))
    torch.set_num_threads(before)
    assert curve_of(job.artefact("train")) == pytest.approx(curve_of(alone), rel=1e-4)
    weights, others = (load_file(folder / WEIGHTS) for folder in (job.artefact("train"), alone))
    assert weights.keys() == others.keys()
    assert all(torch.allclose(weights[name], others[name], atol=1e-3) for name in weights)
