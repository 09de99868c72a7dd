"""The encoder in numpy against the same BERT in torch, and files that are not what they should be."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from transformers import BertConfig, BertModel, BertTokenizerFast

from mhdesk.safety.encoder import Encoder, WordPieces
from mhdesk.safety.patterns import BadRules
from trainer.encoder_files import encoder_tensors, write_encoder

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "don", "'", "t", "want", "to", "wake", "up", "##ing",
          "##s", ".", "good", "##bye", "a", "##b", "un", "##ali", "##ve", "漢"]  # fmt: skip
SENTENCES = ["i don't want to wake up", "goodbye . goodbye", "unalive", "waking wakings", "xyz a", "", "want " * 80]
TOKENS = 44


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    (folder / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True)
    torch.manual_seed(3)
    base = BertModel(
        BertConfig(vocab_size=len(PIECES), hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
                   intermediate_size=48, max_position_embeddings=64)
    ).eval()  # fmt: skip
    head = torch.nn.Linear(24, 3)
    path = folder / "tiny.safetensors"
    write_encoder(
        path, encoder_tensors(base, head, tokenizer, TOKENS), {"outputs": ["a", "b", "c"], "heads": 3, "layers": 2}
    )
    return tokenizer, base, head, path


@pytest.mark.parametrize("text", SENTENCES)
def test_cuts_words_as_berts_own_tokenizer_does(made, text):
    tokenizer, _, _, _ = made
    theirs = tokenizer(text, truncation=True, max_length=TOKENS)["input_ids"]
    assert WordPieces(PIECES).ids(text, TOKENS).tolist() == theirs


def test_gives_what_torch_gives_for_each_stretch_but_for_eight_bits(made):
    tokenizer, base, head, path = made
    found = Encoder.load(path).odds(SENTENCES)
    assert found.shape == (len(SENTENCES), 3)
    for text, odds in zip(SENTENCES, found, strict=True):
        ids = torch.tensor([tokenizer(text, truncation=True, max_length=TOKENS)["input_ids"]])
        with torch.inference_mode():
            expected = head(base(input_ids=ids).last_hidden_state.mean(1))[0].numpy()
        assert np.abs(odds - expected).max() < 0.05, text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_finite_odds(text):
    assert 2 <= len(WordPieces(PIECES).ids(text, TOKENS)) <= TOKENS


def test_a_damaged_file_is_refused(made, tmp_path):
    path = made[3]
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:-100])
    (tmp_path / "other.safetensors").write_bytes(b"not a model")
    save_file({"x": np.zeros(1, np.float32)}, tmp_path / "strange.safetensors", {"about": json.dumps({"outputs": []})})
    for name in ("cut", "other", "strange", "missing"):
        with pytest.raises(BadRules):
            Encoder.load(tmp_path / f"{name}.safetensors")
