"""What somebody brings, recognised and described without reading its weights."""

import json

import pytest

from mhdesk.core.errors import BadInput, ModelUnusable
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.model_source import NO_LICENCE, SourceKind, folder_name, inspect_source
from tests.tiny_model import make_full_folder, make_tiny_model


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Meta-Llama-3.2-1B-Instruct", "meta-llama-3.2-1b-instruct"),
        ("Tiny Wörds ✓", "tiny-words"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("none", "model"),
        ("日本語", "model"),
        ("x" * 500, "x" * 60),
    ],
)
def test_a_folder_gets_a_plain_name(title, name):
    assert folder_name(title) == name


def sparse_folder(folder, model):
    """A full-precision folder in a catalogued model's shape whose weights are a hole in a file."""
    folder.mkdir()
    shape = model.shape
    tensors = {f"{name}.weight": size for name, size in shape.linears().items()} | shape.plain_tensors()
    header, offset = {}, 0
    for name, size in tensors.items():
        count = 2
        for length in size:
            count *= length
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [offset, offset + count]}
        offset += count
    encoded = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        file.truncate(8 + len(encoded) + offset)
    (folder / "config.json").write_text(json.dumps(model.config))
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}))
    return folder


def test_a_known_model_is_recognised_by_its_name_and_shape(tmp_path):
    model = Catalogue.load().find("smollm2-1.7b-instruct")
    source = inspect_source(sparse_folder(tmp_path / "SmolLM2_1.7B-Instruct (copy)", model))
    assert (source.kind, source.name, source.title) == (SourceKind.FULL_PRECISION, model.name, model.title)
    assert (source.licence, source.instruct, source.chat_template) == ("Apache-2.0", True, None)
    assert source.result_bytes > model.eight_bit_bytes


def test_a_base_model_is_marked_and_gets_a_template_of_ours(tmp_path):
    model = Catalogue.load().find("open-llama-3b-v2")
    source = inspect_source(sparse_folder(tmp_path / "open_llama_3b_v2", model))
    assert not source.instruct
    assert source.chat_template == model.chat_template


def test_the_same_shape_under_another_name_is_another_model(tmp_path):
    model = Catalogue.load().find("smollm2-135m-instruct")
    source = inspect_source(sparse_folder(tmp_path / "my-own", model))
    assert (source.name, source.licence) == ("my-own", NO_LICENCE)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: mit\n---\n# A model", "mit"),
        ("---\nlicense: other\nlicense_name: some-community\n---\n", "some-community"),
        ("---\nlicense: [a, b]\n---\n", NO_LICENCE),
        ("---\n: : :\n---\n", NO_LICENCE),
        ("# No card", NO_LICENCE),
        ("---\nlicense: !!python/object/apply:os.system [echo]\n---\n", NO_LICENCE),
    ],
)
def test_the_licence_is_what_the_makers_card_states(tmp_path, card, licence):
    folder = make_full_folder(tmp_path / "tiny")
    (folder / "README.md").write_text(card)
    assert inspect_source(folder).licence == licence


def test_an_8_bit_folder_is_told_from_a_full_one(tmp_path):
    assert inspect_source(make_tiny_model(tmp_path / "tiny")).kind is SourceKind.EIGHT_BIT


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(BadInput, match="no ordinary file or folder"):
        inspect_source(tmp_path / "nothing")


def test_an_empty_folder_is_no_model(tmp_path):
    with pytest.raises(ModelUnusable, match=r"config\.json is missing"):
        inspect_source(tmp_path)
