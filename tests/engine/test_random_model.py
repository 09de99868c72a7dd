"""Models of random weights: every form is read by the library that reads the real thing, and all are the same model."""

import asyncio
import hashlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from mhdesk.bench.random_model import FORMS
from mhdesk.core.errors import BadInput, EngineError, StorageError
from mhdesk.engine.child.random_folder import FULL_FORM
from mhdesk.engine.child.random_gguf import GGUF_FORMS
from mhdesk.engine.child.random_model import make_random_model
from mhdesk.engine.client.jobs import run_job
from mhdesk.engine.client.launch import engine_command
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.safetensors_file import read_header

ROOT = Path(__file__).resolve().parents[2]
TIED = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 600,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "rope_theta": 50000.0,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 128000,
    "eos_token_id": [128001, 128008],
    "quantization_config": {"load_in_8bit": True},
}
UNTIED = TIED | {"tie_word_embeddings": False, "head_dim": 32, "vocab_size": 1500}
TEXTS = [
    "There is no hurry; it's 12:30, don't  worry.",
    "Grüße, 日本語 مرحبا 🙂\n\n\tfiller0599 ",
    "<|im_start|>user\nhi<|im_end|>\n",
]


def make(target, form=FULL_FORM, config=TIED, seed=0, should_stop=lambda: False, **options):
    return make_random_model(config, target, form, seed, lambda *_: None, should_stop, **options)


def load(path):
    folder, place = (path, {}) if path.is_dir() else (path.parent, {"gguf_file": path.name})
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True, **place)
    return model.eval(), AutoTokenizer.from_pretrained(folder, local_files_only=True, **place)


def logits_of(model):
    with torch.inference_mode():
        return model(torch.arange(3, 60)[None]).logits


def digests(path):
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


@pytest.mark.parametrize(("config", "form", "tolerance"), [
    (TIED, "gguf-f16", 1e-5),
    (UNTIED, "gguf-f16", 1e-5),
    (TIED, "gguf-q8_0", 0.1),
])  # fmt: skip
def test_transformers_reads_the_same_model_from_folder_and_gguf(tmp_path, config, form, tolerance):
    make(tmp_path / "full", config=config)
    make(tmp_path / "m.gguf", form, config=config)
    exact, _ = load(tmp_path / "full")
    other, _ = load(tmp_path / "m.gguf")
    assert isinstance(exact, LlamaForCausalLM)
    assert other.config.rope_parameters["rope_theta"] == exact.config.rope_parameters["rope_theta"] == 50000.0
    expected = logits_of(exact)
    assert expected.std() > 0.1
    assert (logits_of(other) - expected).abs().max() < tolerance * expected.abs().max()


def test_both_tokenizers_have_all_ids_and_agree_on_every_text(tmp_path):
    make(tmp_path / "full", config=UNTIED)
    make(tmp_path / "m.gguf", "gguf-q4_0", config=UNTIED)
    model, ours = load(tmp_path / "full")
    theirs = load(tmp_path / "m.gguf")[1]
    assert sorted(ours.get_vocab().values()) == list(range(UNTIED["vocab_size"]))
    assert ours.get_vocab() == theirs.get_vocab()
    assert ours.chat_template == theirs.chat_template
    assert ours.eos_token_id == theirs.eos_token_id == model.config.eos_token_id == 2
    for text in TEXTS:
        ids = ours(text)["input_ids"]
        assert ids == theirs(text)["input_ids"]
        assert ours.decode(ids) == text
    turns = ours.apply_chat_template([{"role": "user", "content": "hi"}], add_generation_prompt=True, tokenize=False)
    assert turns == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


def test_the_folder_has_every_tensor_of_the_shape_in_bfloat16(tmp_path):
    made = make(tmp_path / "full", config=UNTIED)
    places = read_header(tmp_path / "full" / "model.safetensors")
    shape = LlamaShape.from_config(UNTIED)
    linears = {f"{name}.weight": size for name, size in shape.linears().items()}
    assert {name: place.shape for name, place in places.items()} == linears | shape.plain_tensors()
    assert {place.dtype for place in places.values()} == {"BF16"}
    assert made["parameters"] == shape.parameters
    assert made["bytes"] == sum(file.stat().st_size for file in (tmp_path / "full").iterdir())


def test_a_large_folder_is_cut_into_shards_that_hold_the_same_values(tmp_path):
    make(tmp_path / "one")
    make(tmp_path / "many", shard_bytes=60_000)
    index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
    shards = sorted(file.name for file in (tmp_path / "many").glob("*.safetensors"))
    assert len(shards) > 2
    assert set(index["weight_map"].values()) == set(shards)
    assert shards[0] == f"model-00001-of-{len(shards):05d}.safetensors"
    assert torch.equal(logits_of(load(tmp_path / "many")[0]), logits_of(load(tmp_path / "one")[0]))


@pytest.mark.parametrize("form", FORMS)
def test_a_seed_gives_the_same_bytes_every_time_and_another_seed_gives_others(tmp_path, form):
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        make(tmp_path / folder / "m", form, seed=seed)
    first, again, other = (digests(tmp_path / folder / "m") for folder in "abc")
    assert first == again
    assert first != other


def test_the_command_offers_the_forms_that_the_job_knows():
    assert set(FORMS) == {FULL_FORM, *GGUF_FORMS}


@pytest.mark.parametrize(("config", "form", "sentence"), [
    (TIED, "gguf-q2_k", "no form called gguf-q2_k"),
    (TIED | {"model_type": "mamba"}, "full", "not of the Llama architecture"),
    (TIED | {"vocab_size": 200}, "full", "at least 259"),
    (TIED | {"intermediate_size": 150}, "gguf-q8_0", "32 values of a row"),
    (TIED | {"rms_norm_eps": "small"}, "gguf-f16", "no usable rms_norm_eps"),
])  # fmt: skip
def test_what_cannot_be_made_is_refused_in_a_sentence_and_leaves_nothing(tmp_path, config, form, sentence):
    with pytest.raises(BadInput, match=sentence):
        make(tmp_path / "m", form, config=config)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_already_is_not_written_over(tmp_path):
    (tmp_path / "m").write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        make(tmp_path / "m")
    assert (tmp_path / "m").read_text() == "mine"


def test_a_model_larger_than_the_disk_is_refused_before_anything_is_written(tmp_path):
    huge = TIED | {"hidden_size": 65536, "intermediate_size": 262144, "num_attention_heads": 512}
    huge |= {"num_hidden_layers": 512, "num_key_value_heads": 512}
    with pytest.raises(StorageError, match="GB free"):
        make(tmp_path / "m", config=huge)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_stopping_halfway_leaves_nothing(tmp_path, form):
    asked = itertools.count()
    with pytest.raises(EngineError, match="stopped"):
        make(tmp_path / "m", form, should_stop=lambda: next(asked) == 5)
    assert list(tmp_path.iterdir()) == []


def test_the_engine_child_does_it_as_a_job_and_tells_how_far_it_is(tmp_path):
    told = []
    job = {"config": TIED, "target": str(tmp_path / "m"), "form": FULL_FORM, "seed": 0}
    made = asyncio.run(run_job(engine_command(), "random_model", job, lambda *heard: told.append(heard)))
    assert made["path"] == str(tmp_path / "m")
    assert told[-1][1] == 1.0
    make(tmp_path / "here")
    assert digests(tmp_path / "m") == digests(tmp_path / "here")


@pytest.mark.parametrize(("words", "sentence"), [
    (["no-such-model", "x", "--form", "full"], "knows no model called no-such-model"),
    (["none.json", "x", "--form", "full"], "none.json is missing"),
    (["smollm2-135m-instruct", "x", "--form", "q8"], "invalid choice: 'q8'"),
    (["smollm2-135m-instruct"], "required: TARGET, --form"),
])  # fmt: skip
def test_the_command_refuses_bad_input_in_one_line_with_exit_code_2(words, sentence):
    command = [sys.executable, "-m", "mhdesk.bench.random_model", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
