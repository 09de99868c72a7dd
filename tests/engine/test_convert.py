"""Writing 8-bit folders, and the starter model made from its GGUF."""

import itertools
import json

import pytest
import torch
from safetensors import safe_open

from mhdesk.core.errors import ModelUnusable
from mhdesk.engine.child.convert import import_gguf, save_eight_bit
from mhdesk.engine.child.llama import load_base
from mhdesk.library.model_folder import read_manifest
from mhdesk.library.safetensors_file import read_header
from mhdesk.library.starter import StarterModel
from tests.conftest import STARTER
from tests.namespaces import in_namespace
from tests.tiny_model import FACTS, make_float_model, make_tokenizer


def test_bitsandbytes_loads_the_folder_and_its_logits_are_near_full_precision(tiny_model):
    exact = make_float_model(len(make_tokenizer()))
    model, _ = load_base(tiny_model)
    ids = torch.arange(3, 60)[None]
    with torch.inference_mode():
        difference = (model(ids).logits.float() - exact(ids).logits).abs().max()
        scale = exact(ids).logits.abs().max()
    assert difference < 0.05 * scale


def test_the_safetensors_library_reads_what_our_writer_wrote(tiny_model):
    ours = read_header(tiny_model / "model.safetensors")
    with safe_open(tiny_model / "model.safetensors", "pt") as theirs:
        assert set(theirs.keys()) == set(ours)
        for name, place in ours.items():
            assert tuple(theirs.get_tensor(name).shape) == place.shape


def test_query_key_value_and_gate_up_lie_side_by_side(tiny_model):
    places = read_header(tiny_model / "model.safetensors")
    for group in (["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], ["mlp.gate_proj", "mlp.up_proj"]):
        for kind in ("weight", "SCB"):
            row = [places[f"model.layers.1.{name}.{kind}"] for name in group]
            assert all(first.end == second.begin for first, second in itertools.pairwise(row))


def test_the_same_model_gives_the_same_bytes(tiny_model, tmp_path):
    tokenizer = make_tokenizer()
    again = save_eight_bit(make_float_model(len(tokenizer)), tokenizer, tmp_path / "tiny", FACTS)
    assert again.weights_sha256 == read_manifest(tiny_model).weights_sha256


def test_a_file_that_is_no_gguf_is_refused_and_nothing_is_left_on_the_shelf(tmp_path):
    source = tmp_path / "in" / "model.gguf"
    source.parent.mkdir()
    source.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelUnusable, match="could not be read as a GGUF"):
        import_gguf(source, tmp_path / "shelf" / "m", FACTS, lambda *_: None)
    assert not (tmp_path / "shelf" / "m").exists()


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(tmp_path):
    result = in_namespace(
        """
        import subprocess, sys
        from pathlib import Path
        shelf = Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(shelf)], check=True)
        from mhdesk.core.errors import StorageError
        from tests.tiny_model import make_tiny_model
        try:
            make_tiny_model(shelf / "tiny")
        except StorageError as error:
            print(error.sentence)
        print(list(shelf.iterdir()))
        """,
        str(tmp_path),
    )
    assert "is full" in result.stdout, result.stderr
    assert "[]" in result.stdout


@pytest.mark.starter
def test_the_starter_folder_is_the_one_the_starter_adapter_was_trained_on(starter_home):
    from mhdesk.core.paths import resources_dir

    manifest = read_manifest(starter_home / "models" / STARTER)
    card = json.loads((resources_dir() / "adapters" / "starter" / "card.json").read_text())
    assert manifest.source_sha256 == StarterModel().member_sha256
    assert manifest.weights_sha256 == card["base_sha256"]
    assert manifest.template_sha256 == card["template_sha256"]
    assert manifest.parameters == 134_515_008


@pytest.mark.starter
def test_the_starter_tokenizer_splits_numbers_into_digits_and_knows_its_marks(starter_home):
    _, tokenizer = load_base(starter_home / "models" / STARTER)
    assert tokenizer.tokenize("in 2019") == ["in", "Ġ", "2", "0", "1", "9"]
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") == tokenizer.eos_token_id
