"""A whole training run on a tiny model, and what the app makes of its adapter."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mhdesk.core.paths import UserPaths
from mhdesk.library.shelf import Shelf
from tests.tiny_model import make_tokenizer
from trainer.config import load_config
from trainer.dialogues import read_dialogues
from trainer.examples import IGNORED, batches, collate, render_dialogues
from trainer.perplexity import perplexity, share_of_resamples_better
from trainer.train import train

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
name: warm
model: {model}
dialogues: [dialogues.jsonl]
output: adapters/warm
held_out_share: 0.25
rank: 4
learning_rate: {rate}
batch_size: 4
gradient_accumulation: 2
epochs: 6
max_tokens: 500
seed: 1
"""


def write_run(folder: Path, model: Path, rate: float = 0.01) -> Path:
    rows = [
        {
            "id": f"row-{number}",
            "turns": [
                {"role": "user", "text": f"Stone {number} lies on the table."},
                {"role": "assistant", "text": "The harbour was quiet and the boats lay still."},
            ],
        }
        for number in range(24)
    ]
    folder.mkdir(exist_ok=True)
    (folder / "dialogues.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (folder / "config.yaml").write_text(CONFIG.format(model=model, rate=rate))
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def trained(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(load_config(write_run(folder, tiny_model)), folder)


def test_the_adapter_is_better_on_what_it_has_not_seen_and_its_card_says_so(trained):
    card = json.loads((trained / "card.json").read_text())
    evaluation = card["evaluation"]
    assert evaluation["held_out_perplexity_adapter"]["value"] < evaluation["held_out_perplexity_base"]["value"] * 0.7
    assert evaluation["share_of_resamples_better"] > 0.99
    assert evaluation["training"]["loss_curve"][-1] < evaluation["training"]["loss_curve"][0]
    assert set(card) == {
        "base_id", "base_sha256", "template_sha256", "adapter_sha256", "data", "evaluation", "created",
    }  # fmt: skip


def test_no_path_of_this_machine_is_left_in_the_adapter(trained):
    for path in trained.glob("*.json"):
        assert str(trained.parent) not in path.read_text()
        assert str(ROOT) not in path.read_text()


def test_the_app_takes_the_adapter_and_answers_with_it(trained, tiny_model, tmp_path):
    paths = UserPaths(tmp_path / "home")
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    shutil.copytree(trained, paths.adapters / "warm")
    Shelf(paths).use_adapter("warm")
    with_adapter = answer(paths)
    assert with_adapter == answer(paths)
    assert with_adapter != answer(paths, "--adapter", "none")


def answer(paths: UserPaths, *more: str) -> str:
    words = ["chat", "--once", "Stone 99 lies on the table.", "--seed", "1", "--max-tokens", "30", *more]
    environment = {**os.environ, "MHDESK_HOME": str(paths.home)}
    result = subprocess.run(
        [sys.executable, str(ROOT / "runApp.py"), *words], capture_output=True, text=True, env=environment, check=True
    )
    return result.stdout


def test_the_same_seed_gives_the_same_adapter(trained, tiny_model, tmp_path):
    again = train(load_config(write_run(tmp_path / "again", tiny_model)), tmp_path / "again")
    assert (again / "adapter_model.safetensors").read_bytes() == (trained / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("model: /nowhere", "neither a folder nor installed"),
        ("dialogues: [nothing.jsonl]", "cannot be read"),
        ("max_tokens: 64", "does not fit into 64 tokens"),
        ("nonsense: 1", "unknown key"),
    ],
)
def test_bad_input_is_one_sentence_exit_2_and_nothing_is_written(tiny_model, tmp_path, change, sentence):
    config = write_run(tmp_path / "run", tiny_model)
    key = change.split(":")[0]
    kept = [line for line in config.read_text().splitlines() if not line.startswith(f"{key}:")]
    config.write_text("\n".join([*kept, change]))
    result = subprocess.run(
        [sys.executable, "-m", "trainer", "train", "--config", str(config)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run" / "adapters").exists()


def test_padding_and_the_persons_words_carry_no_loss(tmp_path, tiny_model):
    from mhdesk.engine.prompt import PromptRenderer

    write_run(tmp_path / "run", tiny_model)
    tokenizer = make_tokenizer()
    found = read_dialogues([tmp_path / "run" / "dialogues.jsonl"])
    examples = render_dialogues(found, PromptRenderer(tokenizer), 500)
    batch = collate(examples[:3], padding=2)
    assert {tuple(tensor.shape) for tensor in batch.values()} == {tuple(batch["labels"].shape)}
    learnt = batch["labels"][0][batch["labels"][0] != IGNORED]
    assert tokenizer.decode(learnt) == "The harbour was quiet and the boats lay still.<|im_end|>"
    assert (batch["labels"][batch["attention_mask"] == 0] == IGNORED).all()
    everything = [example for group in batches(examples, 4, seed=1) for example in group]
    assert len(everything) == len(examples)


def test_perplexity_is_the_exponential_of_the_mean_loss_and_its_interval_holds_it():
    result = perplexity([(math.log(4) * 10, 10), (math.log(4) * 30, 30)])
    assert result.value == pytest.approx(4)
    assert result.low == pytest.approx(4)
    assert result.tokens == 40
    spread = perplexity([(float(loss), 10) for loss in torch.linspace(5, 30, 20)])
    assert spread.low < spread.value < spread.high


def test_one_model_better_on_every_dialogue_is_better_in_every_resample():
    assert share_of_resamples_better([(2.0, 1)] * 9, [(1.0, 1)] * 9) == 1.0
    assert share_of_resamples_better([(1.0, 1)] * 9, [(2.0, 1)] * 9) == 0.0
