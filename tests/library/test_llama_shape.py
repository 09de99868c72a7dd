"""The shape from a configuration, held against transformers' own model of it."""

import json

import pytest

from mhdesk.library.llama_shape import BadShape, LlamaShape
from mhdesk.library.model_folder import read_manifest

CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 300,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}


@pytest.mark.parametrize(
    "change",
    [{}, {"tie_word_embeddings": False}, {"head_dim": 32}, {"attention_bias": True, "mlp_bias": True}],
)
def test_names_and_shapes_are_those_of_transformers(change):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = CONFIG | change
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**{key: value for key, value in config.items() if key != "model_type"}))
    shape = LlamaShape.from_config(config)
    theirs = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    ours = {f"{name}.weight": size for name, size in shape.linears().items()} | shape.plain_tensors()
    assert ours == theirs
    assert shape.parameters == model.num_parameters()


def test_the_bytes_are_those_of_a_folder_of_ours(tiny_model):
    shape = LlamaShape.from_config(json.loads((tiny_model / "config.json").read_text()))
    manifest = read_manifest(tiny_model)
    assert shape.eight_bit_bytes == manifest.weights_bytes
    assert shape.parameters == manifest.parameters


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "gpt2"}, "Llama"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ({"num_hidden_layers": True}, "num_hidden_layers"),
        ({"vocab_size": "many"}, "vocab_size"),
        ({"hidden_size": None}, "hidden_size"),
        ({"hidden_size": 65}, "do not divide"),
        ({"num_key_value_heads": 3}, "key-value heads"),
        ({"head_dim": 7}, "odd"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings"),
    ],
)
def test_a_configuration_that_describes_no_llama_is_refused_with_the_reason(change, reason):
    with pytest.raises(BadShape, match=reason):
        LlamaShape.from_config(CONFIG | change)
