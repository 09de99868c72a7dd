"""GGUF files put on the shelf: the same words and nearly the same numbers as the model they were made from."""

import json

import gguf
import numpy as np
import pytest
import torch

from mhdesk.core.errors import ModelUnusable
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.convert import ManifestFacts, import_model
from mhdesk.engine.child.random_model import make_random_model
from mhdesk.library.model_folder import verify_model_folder

CONFIG = {
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 600,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
}
FACTS = ManifestFacts("tests/random", "Random", "CC0-1.0", "made by the tests")


def make(target, form, config=CONFIG):
    make_random_model(config, target, form, 0, lambda *_: None, lambda: False)
    return target


def put(source, target):
    import_model(source, target, FACTS, lambda *_: None, lambda: False)
    return target


def logits(folder):
    model, _ = load_base(folder)
    with torch.inference_mode():
        return model(torch.arange(5, 60)[None]).logits.float()


@pytest.fixture(scope="module")
def from_full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    return put(make(folder / "random", "full"), folder / "shelf" / "random")


@pytest.mark.parametrize(("form", "allowed"), [("gguf-f16", 0.01), ("gguf-q8_0", 0.1), ("gguf-q4_0", 0.8)])
def test_the_logits_are_near_those_from_full_precision(from_full, tmp_path, form, allowed):
    exact = logits(from_full)
    folder = put(make(tmp_path / "r.gguf", form), tmp_path / "shelf" / "r")
    verify_model_folder(folder)
    ours = logits(folder)
    assert (ours - exact).abs().max() < allowed * exact.abs().max()


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F32"])
def test_rows_are_dequantised_as_the_gguf_library_does_it_in_one_piece(tmp_path, kind):
    from mhdesk.engine.child.weight_source import GgufWeights
    from mhdesk.library.gguf_header import read_gguf_header

    source = make(tmp_path / "r.gguf", "gguf-q8_0")
    header = read_gguf_header(source)
    weights = GgufWeights(source, header)
    reader = gguf.GGUFReader(source)
    whole = next(tensor for tensor in reader.tensors if tensor.name == "blk.1.ffn_up.weight")
    expected = torch.from_numpy(gguf.dequantize(whole.data, whole.tensor_type))
    name = "model.layers.1.mlp.up_proj.weight"
    pieces = [weights.rows(name, begin, min(512, begin + 100)) for begin in range(0, 512, 100)]
    assert torch.equal(torch.cat(pieces), expected)
    quantised = gguf.quantize(np.ones((4, 64), dtype=np.float32), gguf.GGMLQuantizationType[kind])
    values = GgufWeights._values(bytearray(quantised.tobytes()), gguf.GGMLQuantizationType[kind], 4, (4, 64))
    assert torch.allclose(values, torch.ones(4, 64), atol=0.1)


def rope_freqs(path, factor, low=1.0, high=4.0, original=8192, wrong=False):
    """Give a GGUF the rotary divisors that llama.cpp's converter writes for Llama 3.1 and later."""
    size, base = 64, CONFIG["rope_theta"]
    lengths = 2 * np.pi * base ** (np.arange(0, size, 2) / size)
    smooth = np.clip((original / lengths - low) / (high - low), 0, 1)
    divisors = 1 / ((1 - smooth) / factor + smooth)
    return np.linspace(1, factor, size // 2).astype(np.float32) if wrong else divisors.astype(np.float32)


def with_rope_freqs(source, target, divisors):
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, "llama")
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            kind = field.types[0]
            writer.add_key_value(key, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)
    writer.add_tensor("rope_freqs.weight", divisors)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def test_llama_3s_stretched_frequencies_are_found_again(tmp_path):
    plain = make(tmp_path / "r.gguf", "gguf-f16")
    source = with_rope_freqs(plain, tmp_path / "stretched.gguf", rope_freqs(plain, 32.0))
    folder = put(source, tmp_path / "shelf" / "r")
    rope = json.loads((folder / "config.json").read_text())["rope_parameters"]
    assert (rope["rope_type"], rope["factor"]) == ("llama3", 32.0)
    model, _ = load_base(folder)
    base = CONFIG["rope_theta"] ** (-torch.arange(0, 64, 2) / 64)
    assert torch.allclose(model.model.rotary_emb.inv_freq, base / torch.from_numpy(rope_freqs(plain, 32.0)), rtol=1e-4)


def test_frequencies_stretched_in_another_way_are_refused(tmp_path):
    plain = make(tmp_path / "r.gguf", "gguf-f16")
    source = with_rope_freqs(plain, tmp_path / "odd.gguf", rope_freqs(plain, 32.0, wrong=True))
    with pytest.raises(ModelUnusable, match="rotary frequencies"):
        put(source, tmp_path / "shelf" / "r")
