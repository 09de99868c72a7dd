"""Putting models on the shelf as 8-bit folders: from full precision, GGUF and 8 bits; interrupted; and the starter."""

import contextlib
import itertools
import json
import shutil
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mhdesk.core.errors import EngineError, ModelUnusable
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.convert import ManifestFacts, import_model
from mhdesk.engine.child.eight_bit_weights import QuantisationStopped, plan_files, write_eight_bit_weights
from mhdesk.engine.child.weight_source import FullPrecisionWeights
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.model_folder import read_manifest, verify_model_folder
from mhdesk.library.model_weights import check_eight_bit, stored_tensors
from mhdesk.library.replace_folder import UNFINISHED
from mhdesk.library.safetensors_file import read_header
from mhdesk.library.starter import StarterModel
from tests.conftest import STARTER
from tests.namespaces import in_namespace
from tests.tiny_model import FACTS, make_float_model, make_full_folder, make_tiny_model, make_tokenizer


def put(source, target, *, stop_after=None):
    """Import `source`, stopping at the so-manieth question whether to stop."""
    asked = itertools.count()
    return import_model(
        source,
        target,
        ManifestFacts(**FACTS),
        lambda *_: None,
        lambda: stop_after is not None and next(asked) >= stop_after,
    )


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return make_full_folder(tmp_path_factory.mktemp("full") / "tiny")


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


def test_a_large_model_is_planned_in_files_of_whole_layers_none_of_them_large():
    config = {"model_type": "llama", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28,
              "num_attention_heads": 24, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 128256}  # fmt: skip
    shape = LlamaShape.from_config({**config, "tie_word_embeddings": True})
    files = plan_files(shape)
    assert sum(tensor.size for tensors in files.values() for tensor in tensors) == shape.eight_bit_bytes
    assert max(sum(tensor.size for tensor in tensors) for tensors in files.values()) < 1 << 30
    for tensors in list(files.values())[1:]:
        names = [tensor.name for tensor in tensors if tensor.dtype == "I8"]
        layers = {name.split(".")[2] for name in names}
        assert len(names) == 7 * len(layers)


def test_the_same_model_gives_the_same_bytes(full, tiny_model, tmp_path):
    put(full, tmp_path / "again")
    assert read_manifest(tmp_path / "again").weights_sha256 == read_manifest(tiny_model).weights_sha256


@pytest.mark.parametrize("change", [{"tie_word_embeddings": False}, {"attention_bias": True}, {"mlp_bias": True}])
def test_a_head_of_its_own_and_biases_are_kept(tmp_path, change):
    folder = make_full_folder(tmp_path / "tiny", **change)
    put(folder, tmp_path / "shelf" / "tiny")
    exact = make_float_model(len(make_tokenizer()), **change)
    model, _ = load_base(tmp_path / "shelf" / "tiny")
    ids = torch.arange(3, 60)[None]
    with torch.inference_mode():
        difference = (model(ids).logits.float() - exact(ids).logits).abs().max()
        assert difference < 0.05 * exact(ids).logits.abs().max()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_taken_as_it_is(full, tmp_path, dtype):
    shutil.copytree(full, tmp_path / "half")
    halved = {name: tensor.to(dtype) for name, tensor in load_file(full / "model.safetensors").items()}
    save_file(halved, tmp_path / "half" / "model.safetensors", {"format": "pt"})
    put(tmp_path / "half", tmp_path / "shelf" / "tiny")
    verify_model_folder(tmp_path / "shelf" / "tiny")


def test_an_8_bit_folder_that_bitsandbytes_wrote_is_taken_byte_for_byte(full, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    model = AutoModelForCausalLM.from_pretrained(
        full, quantization_config=BitsAndBytesConfig(load_in_8bit=True), dtype=torch.bfloat16, device_map="cpu"
    )
    model.save_pretrained(tmp_path / "theirs")
    AutoTokenizer.from_pretrained(full).save_pretrained(tmp_path / "theirs")
    put(tmp_path / "theirs", tmp_path / "shelf" / "tiny")
    theirs, ours = (folder / "model.safetensors" for folder in (tmp_path / "theirs", tmp_path / "shelf" / "tiny"))
    assert theirs.read_bytes() == ours.read_bytes()
    loaded, _ = load_base(tmp_path / "shelf" / "tiny")
    ids = torch.arange(3, 60)[None]
    with torch.inference_mode():
        assert torch.equal(loaded(ids).logits, model(ids).logits)


def test_the_original_is_not_touched(full, tmp_path):
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in full.iterdir()}
    put(full, tmp_path / "shelf" / "tiny")
    assert before == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in full.iterdir()}


def test_licences_are_kept_beside_the_weights(full, tmp_path):
    shutil.copytree(full, tmp_path / "tiny")
    (tmp_path / "tiny" / "LICENSE.txt").write_text("You may.")
    put(tmp_path / "tiny", tmp_path / "shelf" / "tiny")
    assert (tmp_path / "shelf" / "tiny" / "LICENSE.txt").read_text() == "You may."
    assert "LICENSE.txt" in read_manifest(tmp_path / "shelf" / "tiny").files


def test_a_stopped_import_leaves_nothing_on_the_shelf_and_goes_on_to_the_same_bytes(full, tiny_model, tmp_path):
    target = tmp_path / "shelf" / "tiny"
    for stop_after in (0, 1, 5, 12):
        with pytest.raises(EngineError, match="goes on from there"):
            put(full, target, stop_after=stop_after)
        assert not target.exists()
    assert (target.parent / UNFINISHED / "tiny" / "origin.json").exists()
    put(full, target)
    assert read_manifest(target).weights_sha256 == read_manifest(tiny_model).weights_sha256
    assert not list((target.parent / UNFINISHED).iterdir())


def test_a_file_that_stands_is_not_made_again(full, tmp_path):
    """As for a model of several files: stopped after each, every run begins where the one before has ended."""
    tensors = stored_tensors(full)
    shape = LlamaShape.from_config(json.loads((full / "config.json").read_text()))
    files = plan_files(shape, single_file_bytes=100_000)
    assert len(files) == 3
    made = {}
    for questions in (8, 12, 10**6):
        left = iter([False] * questions)
        with contextlib.suppress(QuantisationStopped):
            write_eight_bit_weights(
                tmp_path, FullPrecisionWeights(tensors), files, lambda done: None, partial(next, left, True)
            )
        standing = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
        assert standing.items() >= made.items()
        assert len(standing) > len(made)
        made = standing
    assert set(made) == set(files)
    check_eight_bit(stored_tensors(tmp_path), shape)


def test_what_was_begun_from_other_bytes_is_begun_anew(full, tmp_path):
    target = tmp_path / "shelf" / "tiny"
    other = make_full_folder(tmp_path / "other" / "tiny", seed=1)
    with pytest.raises(EngineError):
        put(other, target, stop_after=5)
    leftover = target.parent / UNFINISHED / "tiny" / "model.safetensors"
    leftover.write_bytes(b"of the other model")
    put(full, target)
    verify_model_folder(target)


def test_values_that_are_not_numbers_are_refused_by_name(full, tmp_path):
    shutil.copytree(full, tmp_path / "tiny")
    tensors = load_file(full / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.weight"][3, 4] = float("nan")
    save_file(tensors, tmp_path / "tiny" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnusable, match=r"layers\.1\.mlp\.up_proj\.weight holds values that are not finite"):
        put(tmp_path / "tiny", tmp_path / "shelf" / "tiny")
    assert not list((tmp_path / "shelf" / UNFINISHED).iterdir())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_an_8_bit_folder_with_impossible_scales_is_refused(tiny_model, tmp_path, value):
    shutil.copytree(tiny_model, tmp_path / "tiny")
    tensors = load_file(tiny_model / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.SCB"][7] = value
    save_file(tensors, tmp_path / "tiny" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnusable, match=r"up_proj\.SCB"):
        put(tmp_path / "tiny", tmp_path / "shelf" / "tiny")
    assert not (tmp_path / "shelf" / "tiny").exists()


def test_a_model_without_a_chat_template_is_refused_with_what_to_choose(full, tmp_path):
    shutil.copytree(full, tmp_path / "tiny")
    (tmp_path / "tiny" / "chat_template.jinja").unlink()
    with pytest.raises(ModelUnusable, match="Instruct or Chat"):
        put(tmp_path / "tiny", tmp_path / "shelf" / "tiny")


def test_a_template_that_reaches_for_attributes_is_refused(full, tmp_path):
    shutil.copytree(full, tmp_path / "tiny")
    (tmp_path / "tiny" / "chat_template.jinja").write_text("{{ messages.__class__.__mro__ }}")
    with pytest.raises(ModelUnusable, match="template"):
        put(tmp_path / "tiny", tmp_path / "shelf" / "tiny")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "gpt2"}, "Llama"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "gptq"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "awq"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "8 bits"),
        ({"auto_map": {"AutoModel": "evil.py"}}, "code"),
        ({"hidden_size": 128}, "shape"),
        ({"vocab_size": 100}, "vocabulary|shape"),
        ({"num_hidden_layers": 3}, "missing"),
        ({"rope_parameters": {"rope_type": "nonsense", "rope_theta": 1.0}}, "could not be loaded|configuration"),
        ({"hidden_act": "os.system"}, "could not be loaded|configuration"),
    ],
)
def test_a_folder_of_another_kind_is_refused_with_the_reason(full, tmp_path, change, reason):
    shutil.copytree(full, tmp_path / "tiny")
    config = json.loads((full / "config.json").read_text())
    (tmp_path / "tiny" / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelUnusable, match=reason):
        put(tmp_path / "tiny", tmp_path / "shelf" / "tiny")
    assert not (tmp_path / "shelf" / "tiny").exists()


def test_a_file_that_is_no_gguf_is_refused_and_nothing_is_left_on_the_shelf(tmp_path):
    source = tmp_path / "model.gguf"
    source.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelUnusable, match=r"model\.gguf cannot be used"):
        put(source, tmp_path / "shelf" / "m")
    assert not (tmp_path / "shelf" / "m").exists()


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(full, tmp_path):
    result = in_namespace(
        """
        import subprocess, sys
        from pathlib import Path
        shelf, full = Path(sys.argv[1]), Path(sys.argv[2])
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(shelf)], check=True)
        from mhdesk.core.errors import StorageError
        from mhdesk.engine.child.convert import ManifestFacts, import_model
        try:
            import_model(full, shelf / "tiny", ManifestFacts("a", "b", "c", "d"), lambda *_: None, lambda: False)
        except StorageError as error:
            print(error.sentence)
        print(list(shelf.glob("*/*")))
        """,
        str(tmp_path),
        str(full),
    )
    assert "is full" in result.stdout, result.stderr
    assert "[]" in result.stdout


def test_the_tiny_folder_is_whole_to_the_last_byte(tmp_path):
    folder = make_tiny_model(tmp_path / "tiny")
    verify_model_folder(folder)
    config = folder / "tokenizer_config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(ModelUnusable, match=r"tokenizer_config\.json' is not the one"):
        verify_model_folder(folder)


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
