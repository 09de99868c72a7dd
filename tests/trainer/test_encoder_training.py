"""The command `encoder` on a tiny BERT made on the spot: what it learns, and a kill between two epochs."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from mhdesk.safety.encoder import Encoder
from trainer.learn_stage import SecondStageConfig, learn_stage

ROOT = Path(__file__).resolve().parents[2]
DANGER = ("the pills are counted", "i counted every pill", "pills are on the table tonight", "tonight i take the pills")
CALM = ("the soup was good", "we had soup tonight", "the table is new", "my dog sleeps on the sofa")
PIECES = sorted({word for line in (*DANGER, *CALM) for word in line.split()} | {"number"})


def write_run(folder):
    """Sentences, a linear stage made from them, a base of two layers, and the configuration."""
    lines = []
    for number in range(12):
        lines += [f"= crisis | suicide | plan | danger-{number}", *(f"{line} number {number}" for line in DANGER)]
        lines += [f"= none | | everyday | calm-{number}", *(f"{line} number {number}" for line in CALM)]
    (folder / "en.txt").write_text("\n".join(lines), encoding="utf-8")
    german = []
    for number in range(12):
        german.append(f"= none | | everyday | ruhig-{number}\ndie suppe war gut, der hund schläft")
        german.append(f"= crisis | suicide | plan | gefahr-{number}\nheute nehme ich alle tabletten")
    (folder / "de.txt").write_text("\n".join(german), encoding="utf-8")
    stage = SecondStageConfig("screen", ("*.txt",), "screen.safetensors", folds=3, false_share=0.1)
    learn_stage(stage, folder, lambda line: None)
    base = folder / "base"
    base.mkdir()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES, *map(str, range(12))]
    (base / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    torch.manual_seed(1)
    BertModel(
        BertConfig(vocab_size=len(pieces), hidden_size=24, num_hidden_layers=2, num_attention_heads=12,
                   intermediate_size=48, max_position_embeddings=64)
    ).save_pretrained(base)  # fmt: skip
    BertTokenizerFast(str(base / "vocab.txt"), do_lower_case=True).save_pretrained(base)
    (folder / "run.yaml").write_text(
        "{kind: screen, base: base, sentences: ['*.txt'], stage: screen.safetensors, output: encoder.safetensors,\n"
        "epochs: 5, learning_rate: 1.0e-2, held_out_share: 0.3, sums: {false_share: 0.1, alert_share: 0.1}}", "utf-8",
    )  # fmt: skip


def begin(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "encoder", "--config", str(folder / "run.yaml")],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True, encoding="utf-8",
    )  # fmt: skip


def finish(folder):
    """Run to the end; what was told."""
    with begin(folder) as run:
        told = run.communicate()[1]
    assert run.returncode == 0, told
    return told


def kill_after(folder, line):
    """Kill a run once it has told a line that begins so, the one before being kept."""
    with begin(folder) as run:
        for told in run.stderr:
            if told.startswith(line):
                run.send_signal(signal.SIGKILL)
                break
    assert not (folder / "encoder.safetensors").exists()
    assert list(folder.glob("*.unfinished"))


def digest(folder):
    return hashlib.sha256((folder / "encoder.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("straight")
    write_run(folder)
    finish(folder)
    return folder


def test_tells_danger_from_soup_and_nothing_unfinished_is_left(straight):
    encoder = Encoder.load(straight / "encoder.safetensors")
    crisis = encoder.outputs.index("crisis")
    counted, good = encoder.odds(["i counted the pills", "the soup was good"])[:, crisis]
    assert counted > 0 > good
    assert set(encoder.about["sums"]) == {"crisis", "alert"}
    assert not list(straight.glob("*.unfinished"))


@pytest.mark.parametrize("line", ["encoder: epoch 2 of 5", "encoder: epoch 4 of 5"])
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(straight, tmp_path, line):
    write_run(tmp_path)
    kill_after(tmp_path, line)
    told = finish(tmp_path)
    assert "goes on after epoch" in told
    assert digest(tmp_path) == digest(straight)


def test_another_share_alone_makes_other_sums_with_the_same_weights(straight, tmp_path):
    write_run(tmp_path)
    for name in ("encoder.safetensors", "encoder.json"):
        (tmp_path / name).write_bytes((straight / name).read_bytes())
    before = Encoder.load(tmp_path / "encoder.safetensors")
    settings = (tmp_path / "run.yaml").read_text("utf-8")
    (tmp_path / "run.yaml").write_text(settings.replace("false_share: 0.1", "false_share: 0.9"), "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "trainer", "sums", "--config", str(tmp_path / "run.yaml")],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    after = Encoder.load(tmp_path / "encoder.safetensors")
    assert after.about["sums"]["crisis"]["threshold"] < before.about["sums"]["crisis"]["threshold"]
    assert np.array_equal(after.odds(list(DANGER)), before.odds(list(DANGER)))


def test_what_was_left_by_a_run_of_other_settings_is_not_taken(tmp_path):
    write_run(tmp_path)
    kill_after(tmp_path, "encoder: epoch 3")
    settings = (tmp_path / "run.yaml").read_text("utf-8")
    (tmp_path / "run.yaml").write_text(settings.replace("epochs: 5", "epochs: 4"), "utf-8")
    told = finish(tmp_path)
    assert "goes on after" not in told
