"""Readers of foreign files, each fed with what hypothesis draws: whatever comes, only their own error may be raised.

A target is called as `target(data, folder)` with a folder of its own, which it may fill as it likes.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path

from hypothesis import strategies as st

from mhdesk.core.errors import AdapterUnusable, ModelUnusable, StorageError
from mhdesk.engine.chat_template import BadChatTemplate, ChatTemplate
from mhdesk.library.adapter_configuration import BadAdapter, LoraConfiguration, read_configuration
from mhdesk.library.adapter_folder import read_card
from mhdesk.library.adapter_tensors import check_adapter_tensors
from mhdesk.library.archive import BadArchive, unpack
from mhdesk.library.gguf_header import read_gguf_header
from mhdesk.library.gguf_metadata import BadGguf
from mhdesk.library.llama_shape import BadShape, LlamaShape
from mhdesk.library.model_folder import read_manifest
from mhdesk.library.safetensors_file import BadSafetensors, read_header
from mhdesk.library.tensor_values import BadValues, check_finite
from mhdesk.library.tokenizer_files import BadTokenizer, check_tokenizer
from tests.engine.template_bodies import BODIES
from tests.library.gguf_files import TINY, write_gguf

STARTER = Path(__file__).resolve().parents[2] / "resources" / "adapters" / "starter"

_NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 2**31, 2**32 - 1, 2**63, 2**64, 10**30])
_ODD_TEXTS = st.sampled_from(["\ud800", "\x1b[2J", "\0", "../..", "a" * 600])
_LEAVES = st.none() | st.booleans() | _NUMBERS | st.text(max_size=10) | _ODD_TEXTS
_KEYS = (
    st.text(max_size=8)
    | _ODD_TEXTS
    | st.sampled_from(["content", "id", "ids", "Regex", "vocab", "type", "added_tokens", "model"])
)
JSON_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


def mutated(data: st.DataObject, content: bytes) -> bytes:
    """`content` with a few bytes changed, put in, taken out or repeated, and sometimes cut."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, max(0, len(changed) - 1)))
        kind = data.draw(st.sampled_from(["set", "word", "insert", "delete", "repeat", "cut"]))
        if kind == "set" and changed:
            changed[at] = data.draw(st.integers(0, 255))
        elif kind == "word":
            width = data.draw(st.sampled_from([2, 4, 8]))
            number = data.draw(st.sampled_from([0, 1, 2, 255, 2**15, 2**16 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
            changed[at : at + width] = (number % 256**width).to_bytes(width, "little")
        elif kind == "insert":
            changed[at:at] = data.draw(st.binary(max_size=16))
        elif kind == "delete":
            del changed[at : at + data.draw(st.integers(1, 64))]
        elif kind == "repeat":
            changed[at:at] = changed[at : at + data.draw(st.integers(1, 256))]
        elif kind == "cut":
            del changed[at:]
    return bytes(changed)


def altered(data: st.DataObject, value: object) -> object:
    """A JSON value with one place somewhere in it replaced, removed or added to."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 19)) == 19:
        return data.draw(JSON_VALUES)
    if isinstance(value, list):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], altered(data, value[at]), *value[at + 1 :]]
    key = data.draw(st.sampled_from(sorted(value)))
    action = data.draw(st.sampled_from(["alter", "alter", "alter", "remove", "add"]))
    if action == "remove":
        return {name: inner for name, inner in value.items() if name != key}
    if action == "add":
        return {**value, data.draw(_KEYS): data.draw(JSON_VALUES)}
    return {**value, key: altered(data, value[key])}


def _write_json(data: st.DataObject, path: Path, original: object) -> None:
    for _ in range(data.draw(st.integers(0, 3))):
        original = altered(data, original)
    content = json.dumps(original).encode()
    path.write_bytes(mutated(data, content) if data.draw(st.integers(0, 4)) == 0 else content)


@cache
def _gguf(folder: Path) -> bytes:
    content = write_gguf(folder / "whole.gguf", kind="Q4_0").read_bytes()
    (folder / "whole.gguf").unlink()
    return content


def gguf_header(data: st.DataObject, folder: Path) -> None:
    """A GGUF file damaged in its front: read as its tensors lie in it, or refused."""
    whole = _gguf(folder)
    path = folder / "a.gguf"
    begin = data.draw(st.sampled_from([0, 24, *range(100, 3500, 200)]))
    path.write_bytes(whole[:begin] + mutated(data, whole[begin : begin + 250]) + whole[begin + 250 :])
    try:
        header = read_gguf_header(path)
    except BadGguf as error:
        _is_a_clause(error)
        return
    size = path.stat().st_size
    assert all(0 < tensor.offset <= tensor.offset + tensor.size <= size for tensor in header.tensors.values())
    assert header.shape.parameters == TINY.parameters  # whatever was damaged, the tensors bear the shape out


def safetensors_header(data: st.DataObject, folder: Path) -> None:
    """A safetensors file with an altered header: its tensors fill it, or it is refused."""
    path = folder / "a.safetensors"
    entry = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    header = {"__metadata__": {"format": "pt"}, "a": entry, "b.SCB": {**entry, "data_offsets": [16, 32]}}
    for _ in range(data.draw(st.integers(0, 3))):
        header = altered(data, header)
    encoded = json.dumps(header).encode()
    values = data.draw(st.just(bytes(16) + b"\0\0\x80\x3f" * 4) | st.binary(min_size=32, max_size=32))
    content = len(encoded).to_bytes(8, "little") + encoded + values
    path.write_bytes(mutated(data, content) if data.draw(st.booleans()) else content)
    with contextlib.suppress(BadSafetensors, BadValues):
        places = read_header(path)
        assert sum(place.size for place in places.values()) < path.stat().st_size
        check_finite(path)


def adapter_configuration(data: st.DataObject, folder: Path) -> None:
    """The starter adapter's configuration, altered: a plain LoRA, or refused with the reason."""
    original = json.loads((STARTER / "adapter_config.json").read_text())
    _write_json(data, folder / "adapter_config.json", original)
    try:
        read = read_configuration(folder)
    except BadAdapter as error:
        _is_a_clause(error)
        return
    assert 1 <= read.rank <= 256
    assert set(read.targets) <= set(original["target_modules"])


def adapter_tensors(data: st.DataObject, folder: Path) -> None:
    """The header of an adapter's weights, altered."""
    shape = LlamaShape.from_config(
        {"model_type": "llama", "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1, "vocab_size": 4}
        | {"num_attention_heads": 1}
    )
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_"
    header = {
        f"{name}A.weight": {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]},
        f"{name}B.weight": {"dtype": "F32", "shape": [4, 1], "data_offsets": [16, 32]},
    }
    for _ in range(data.draw(st.integers(0, 2))):
        header = altered(data, header)
    encoded = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(len(encoded).to_bytes(8, "little") + encoded + bytes(32))
    with contextlib.suppress(BadAdapter):
        check_adapter_tensors(folder, data.draw(st.sampled_from([shape, None])), LoraConfiguration(1, ("q_proj",)))


def adapter_card(data: st.DataObject, folder: Path) -> None:
    """The starter adapter's card, altered."""
    _write_json(data, folder / "card.json", json.loads((STARTER / "card.json").read_text()))
    with contextlib.suppress(AdapterUnusable):
        read_card(folder)


def model_manifest(data: st.DataObject, folder: Path) -> None:
    """A model's manifest, altered."""
    manifest = dict.fromkeys(("id", "title", "licence", "source"), "text")
    manifest |= dict.fromkeys(("source_sha256", "weights_sha256", "template_sha256"), "0" * 64)
    _write_json(data, folder / "mhdesk.json", {**manifest, "parameters": 1, "weights_bytes": 1})
    with contextlib.suppress(ModelUnusable):
        read_manifest(folder)


def model_configuration(data: st.DataObject, folder: Path) -> None:
    """A model's configuration as the shape reads it."""
    config: object = {
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 40,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 128,
        "tie_word_embeddings": True, "attention_bias": False,
    }  # fmt: skip
    for _ in range(data.draw(st.integers(0, 2))):
        config = altered(data, config)
    if isinstance(config, dict):
        with contextlib.suppress(BadShape):
            assert LlamaShape.from_config(config).eight_bit_bytes > 0


def tokenizer(data: st.DataObject, folder: Path) -> None:
    """The files of a tokenizer, altered."""
    token = {"id": 2, "content": "</s>", "special": True}
    whole = {
        "added_tokens": [token],
        "padding": {"strategy": {"Fixed": 8}},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a+"}},
        "post_processor": {"type": "TemplateProcessing", "special_tokens": {"<s>": {"id": "<s>", "ids": [1]}}},
        "model": {"type": "BPE", "vocab": {"a": 0, "<s>": 1}, "merges": []},
    }
    _write_json(data, folder / "tokenizer.json", whole)
    configuration = {"eos_token": "</s>", "bos_token": {"content": "<s>"}, "added_tokens_decoder": {"2": token}}
    _write_json(data, folder / "tokenizer_config.json", configuration)
    _write_json(data, folder / "config.json", {"eos_token_id": [1, 2], "bos_token_id": 1})
    try:
        check_tokenizer(folder, 3)
    except BadTokenizer as error:
        _is_a_clause(error)


def zip_file(data: st.DataObject, folder: Path) -> None:
    """A zip with odd names, then damaged: plain files in the target, or no target; nothing beside it in any case."""
    buffer = BytesIO()
    names = st.text(min_size=1, max_size=12) | st.sampled_from(
        ["a", "b", "x/a", "x/", "x/b", "../a", "/a", "a\\b", "con", "A"]
    )
    with zipfile.ZipFile(buffer, "w", compression=data.draw(st.sampled_from([0, 8]))) as archive:
        for name in data.draw(st.lists(names, max_size=4, unique=True)):
            with contextlib.suppress(ValueError, IndexError, UserWarning):  # `zipfile` will not
                archive.writestr(name, data.draw(st.binary(max_size=40)))
    (folder / "a.zip").write_bytes(mutated(data, buffer.getvalue()))
    target = folder / "target"
    try:
        unpack(folder / "a.zip", target, largest_bytes=10_000)
        assert all(path.is_file() and not path.is_symlink() for path in target.iterdir())
        assert sum(path.stat().st_size for path in target.iterdir()) <= 10_000
        shutil.rmtree(target)
    except BadArchive as error:
        _is_a_clause(error)
    except StorageError as error:
        raise AssertionError("so few bytes fit any disk") from error
    assert [path.name for path in folder.iterdir()] == ["a.zip"]


def _is_a_clause(error: ValueError) -> None:
    """It completes "… cannot be used: …" on one line that a person can read."""
    text = str(error)
    assert text
    assert text.isprintable()
    assert len(text) < 400
    assert not text.endswith(".")


def chat_template(data: st.DataObject, folder: Path) -> None:
    """A template, run on a conversation."""
    with contextlib.suppress(BadChatTemplate):
        template = ChatTemplate(data.draw(BODIES), {"bos_token": "<s>", "eos_token": "</s>"})
        said = [{"role": "user", "content": data.draw(st.text(max_size=30))}]
        assert type(template.render(said, add_generation_prompt=data.draw(st.booleans()))) is str


TARGETS = (
    chat_template,
    gguf_header,
    safetensors_header,
    adapter_configuration,
    adapter_tensors,
    adapter_card,
    model_manifest,
    model_configuration,
    tokenizer,
    zip_file,
)
