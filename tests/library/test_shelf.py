"""Models and adapters on the shelf: what is usable, what is in use, what is refused and how."""

import json
import shutil

import pytest

from mhdesk.core.errors import AdapterUnusable, BadInput, ModelUnusable
from mhdesk.library.adapter_folder import check_adapter_folder
from mhdesk.library.model_folder import check_model_folder, describe_weights, read_manifest
from mhdesk.library.shelf import Shelf
from tests.tiny_model import make_adapter, make_tiny_model


@pytest.fixture(scope="module")
def tiny_adapter(tiny_model, tmp_path_factory):
    return make_adapter(tmp_path_factory.mktemp("adapters") / "warm", tiny_model)


@pytest.fixture
def shelf(paths, tiny_model, tiny_adapter):
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    shutil.copytree(tiny_adapter, paths.adapters / "warm")
    return Shelf(paths)


@pytest.fixture
def model(shelf, paths):
    return paths.models / "tiny"


@pytest.fixture
def adapter(shelf, paths):
    return paths.adapters / "warm"


def edit(path, **changes):
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **changes}))


def test_an_empty_shelf_has_no_pair(paths):
    pair = Shelf(paths).pair()
    assert (pair.model, pair.adapter, pair.warning) == (None, None, "")


def test_the_only_model_is_in_use_until_another_is_chosen(shelf, paths):
    assert shelf.pair().model == paths.models / "tiny"
    make_tiny_model(paths.models / "other", seed=1)
    shelf.use_model("other")
    assert shelf.pair().model == paths.models / "other"


def test_an_adapter_is_switched_on_and_off(shelf, paths):
    assert shelf.pair().adapter is None
    shelf.use_adapter("warm")
    assert Shelf(paths).pair(model="tiny").adapter == paths.adapters / "warm"
    shelf.use_adapter("none")
    assert shelf.pair().adapter is None


def test_an_adapter_leaves_with_the_model_it_was_made_for(shelf, paths):
    shelf.use_adapter("warm")
    make_tiny_model(paths.models / "other", seed=1)
    shelf.use_model("other")
    assert shelf.pair().adapter is None
    with pytest.raises(AdapterUnusable, match="not for the model in use"):
        shelf.use_adapter("warm")


def test_a_chosen_adapter_that_was_changed_is_left_out_with_a_warning(shelf, adapter):
    shelf.use_adapter("warm")
    weights = adapter / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    pair = shelf.pair()
    assert pair.adapter is None
    assert "not the ones its card describes" in pair.warning


def test_an_adapter_nobody_measured_is_refused(shelf, adapter):
    edit(adapter / "card.json", evaluation=None)
    with pytest.raises(AdapterUnusable, match="Nobody has measured"):
        shelf.use_adapter("warm")


def test_an_adapter_trained_with_another_template_is_refused(shelf, adapter):
    edit(adapter / "card.json", template_sha256="0" * 64)
    with pytest.raises(AdapterUnusable, match="another chat template"):
        shelf.use_adapter("warm")


@pytest.mark.parametrize("call", ["use_model", "use_adapter"])
def test_a_name_that_is_not_there_is_refused_and_what_there_is_named(shelf, call):
    with pytest.raises(BadInput, match=r"tiny|warm"):
        getattr(shelf, call)("nonsense")


def test_a_folder_without_its_manifest_is_unfinished_and_not_listed(shelf, model):
    (model / "mhdesk.json").unlink()
    assert shelf.models() == {}


def test_a_damaged_selection_is_no_selection(shelf, paths):
    paths.selection_file.write_text("{")
    assert shelf.pair().model == paths.models / "tiny"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "gpt2"}, "Llama"),
        ({"quantization_config": {"load_in_4bit": True}}, "8 bits"),
        ({"quantization_config": None}, "8 bits"),
        ({"auto_map": {"AutoModel": "evil.py"}}, "code"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_the_reason(model, change, reason):
    edit(model / "config.json", **change)
    with pytest.raises(ModelUnusable, match=reason):
        check_model_folder(model)


def test_a_pickle_beside_the_weights_is_refused(model):
    (model / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelUnusable, match="pickled"):
        check_model_folder(model)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(model, file):
    (model / file).unlink()
    with pytest.raises(ModelUnusable, match=file):
        check_model_folder(model)


def test_a_missing_shard_of_several_is_named(model):
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    (model / "model.safetensors").rename(model / "model-1.safetensors")
    with pytest.raises(ModelUnusable, match=r"model-2\.safetensors is missing"):
        check_model_folder(model)


def test_an_index_that_leaves_the_folder_is_refused(model):
    (model / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../secret.safetensors"}}')
    with pytest.raises(ModelUnusable, match="index of shards"):
        check_model_folder(model)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"peft_type": "IA3"}, "peft_type"),
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"target_modules": ["embed_tokens"]}, "parts of the model"),
        ({"target_modules": "all-linear"}, "parts of the model"),
        ({"r": 4096}, "rank"),
        ({"r": "8"}, "rank"),
    ],
)
def test_an_adapter_of_another_kind_is_refused_with_the_reason(adapter, change, reason):
    edit(adapter / "adapter_config.json", **change)
    with pytest.raises(AdapterUnusable, match=reason):
        check_adapter_folder(adapter)


def test_an_adapter_without_weights_is_refused(adapter):
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(AdapterUnusable, match="missing or damaged"):
        check_adapter_folder(adapter)


def test_the_manifest_says_what_the_headers_say(model):
    manifest = read_manifest(model)
    described = describe_weights(model)
    assert manifest.weights_sha256 == described["weights_sha256"]
    assert manifest.weights_bytes == described["weights_bytes"]
