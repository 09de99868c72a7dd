"""What 8 bits cost: the page, and that it is made of the same numbers on both sides."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from mhdesk.core.errors import BadInput, ModelUnusable
from mhdesk.engine.child.random_model import make_random_model
from mhdesk.library.model_source import inspect_source
from tests.tiny_model import make_full_folder, make_tokenizer
from trainer.config import load_config
from trainer.errors import BadConfiguration, BadRows
from trainer.measuring.full_precision import full_precision_folder
from trainer.measuring.reading import read_text
from trainer.perplexity import perplexity, perplexity_ratio
from trainer.precision import PrecisionConfig, measure_precision

TURNS = {"turns": [{"role": "user", "text": "Is it cold?"}, {"role": "assistant", "text": "Tea helps on a cold day."}]}


def config(**changes):
    values = {"model": "tiny", "texts": {"plain words": ("*.txt",), "answers": ("talk.jsonl",)}, "page": "page.md",
              "against": ("bfloat16",), "piece": 32, "prompt_tokens": 32, "new_tokens": 4, "rounds": 2,
              "threads": 1}  # fmt: skip
    return PrecisionConfig(**{**values, **changes})


@pytest.fixture
def folder(tmp_path):
    make_full_folder(tmp_path / "tiny")
    (tmp_path / "a.txt").write_text("The harbour was quiet and the boats lay still. " * 20, encoding="utf-8")
    (tmp_path / "talk.jsonl").write_text(f"{json.dumps(TURNS)}\n" * 3, encoding="utf-8")
    return tmp_path


def test_one_command_writes_the_page(folder):
    text = measure_precision(config(), folder, lambda line: None).read_text("utf-8")
    head = next(line for line in text.splitlines() if line.startswith("|"))
    assert "bfloat16" in head
    assert "8 bits" in head
    for told in (
        "weights on disk",
        "memory, after a reply",
        "perplexity, plain words",
        "perplexity, answers",
        "same next token",
        "reading 32 tokens",
        "writing 4 tokens",
        "on 1 thread;",
        "95 % intervals",
    ):
        assert told in " ".join(text.split()), told
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "page.md", "talk.jsonl", "tiny"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "nothing"}, "There is no ordinary file or folder"),
        ({"texts": {"plain": ("nothing.txt",)}}, "There is no file nothing.txt"),
        ({"texts": {"plain": ("bad.jsonl",)}}, "no conversation"),
        ({"texts": {"plain": ("empty.txt",)}}, "nothing to measure"),
    ],
)
def test_bad_input_is_a_sentence_and_no_page(folder, changes, sentence):
    (folder / "bad.jsonl").write_text('{"turns": []}\n', encoding="utf-8")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match=sentence):
        measure_precision(config(**changes), folder, lambda line: None)
    assert not (folder / "page.md").exists()


def test_a_model_that_comes_in_8_bits_has_nothing_to_be_compared_with(tiny_model, folder):
    with pytest.raises(ModelUnusable, match="8-bit weights only"):
        measure_precision(config(model=str(tiny_model)), folder, lambda line: None)


def test_the_shipped_configuration_names_files_that_are_there():
    path = Path(__file__).resolve().parents[2] / "trainer" / "configs" / "precision.yaml"
    loaded = load_config(path, PrecisionConfig)
    assert loaded.model == "starter"
    for patterns in loaded.texts.values():
        assert all(list(path.parent.glob(pattern)) for pattern in patterns)


def test_the_full_precision_of_a_gguf_file_is_what_transformers_reads_from_it(tmp_path):
    shape = {
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "vocab_size": 600,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "rope_theta": 50000.0,
        "tie_word_embeddings": False, "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2,
        "quantization_config": {"load_in_8bit": True},
    }  # fmt: skip
    path = tmp_path / "random.gguf"
    make_random_model(shape, path, "gguf-q8_0", 0, lambda *_: None, lambda: False)
    folder = full_precision_folder(inspect_source(path), tmp_path / "full")
    ours = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=path.name, dtype=torch.float32)
    tokens = torch.arange(20)[None]
    assert ours.dtype is torch.float32
    with torch.inference_mode():
        assert torch.allclose(ours(tokens).logits, theirs(tokens).logits, atol=1e-5)


def test_numbers_outside_what_makes_sense_are_refused():
    for changes in ({"against": ("float16",)}, {"texts": {}}, {"piece": 1}, {"rounds": 0}):
        with pytest.raises(BadConfiguration):
            config(**changes)


def test_of_a_conversation_the_supporters_words_count_and_of_plain_text_all(folder):
    tokenizer = make_tokenizer()
    talk = read_text([folder / "talk.jsonl"], tokenizer, 32)
    assert len(talk) == 3
    words = [token for token, counts in zip(talk[0].token_ids, talk[0].is_target, strict=True) if counts]
    assert tokenizer.decode(words) == "Tea helps on a cold day.<|im_end|>"
    plain = read_text([folder / "a.txt"], tokenizer, 32)
    assert sum(len(piece.token_ids) for piece in plain) == len(tokenizer((folder / "a.txt").read_text())["input_ids"])
    assert all(sum(piece.is_target) == len(piece.token_ids) - 1 for piece in plain)


def test_a_file_that_is_no_text_is_a_sentence(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRows, match="UTF-8"):
        read_text([tmp_path / "a.txt"], make_tokenizer(), 32)


def test_the_ratio_of_perplexities_is_paired():
    before = [(float(loss), 10) for loss in range(10, 40)]
    after = [(loss + 0.1, tokens) for loss, tokens in before]
    value, low, high = perplexity_ratio(before, after)
    assert value == pytest.approx(1.01005, abs=1e-4)
    assert low == pytest.approx(high)
    assert perplexity(before).high - perplexity(before).low > 1
