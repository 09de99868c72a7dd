"""Configuration and tokenizer of an 8-bit folder, written anew from what the source says; nothing else is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, dequantize
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer, BitsAndBytesConfig, GenerationConfig, LlamaConfig, PreTrainedTokenizerFast
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from mhdesk.core.errors import ModelUnusable
from mhdesk.library.gguf_header import GgufHeader
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.model_source import ModelSource

_KEPT = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
         "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "initializer_range",
         "rms_norm_eps", "rope_theta", "rope_scaling", "rope_parameters", "attention_bias", "mlp_bias",
         "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id")  # fmt: skip
_SPECIAL_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def write_configuration(folder: Path, source: ModelSource) -> None:
    """Write `config.json` and `generation_config.json`.

    Raises:
        ModelUnusable: what the source says cannot be understood.
        OSError: the disk would not take it.
    """
    values = _of_gguf(source, source.header) if source.header else read_json_object(source.path / "config.json")
    try:
        config = LlamaConfig(**{key: values[key] for key in _KEPT if values.get(key) is not None})
        config.architectures = ["LlamaForCausalLM"]
        config.dtype = torch.bfloat16
        head_too = source.tensors is not None and "lm_head.SCB" in source.tensors
        config.quantization_config = BitsAndBytesConfig(
            load_in_8bit=True, llm_int8_skip_modules=["none"] if head_too else None
        )
        config.save_pretrained(folder)
        ids = {key: values.get(key) for key in _SPECIAL_IDS} | _generation_ids(source)
        GenerationConfig(**ids).save_pretrained(folder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelUnusable(
            f"The model {source.name} cannot be used: its configuration says something that no Llama has."
        ) from error


def write_tokenizer(folder: Path, source: ModelSource) -> PreTrainedTokenizerFast:
    """Write the tokenizer with its chat template, and give it.

    Raises:
        ModelUnusable: it cannot be read, or has no chat template.
        OSError: the disk would not take it.
    """
    place: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        if source.header is None:
            tokenizer = AutoTokenizer.from_pretrained(source.path, **place)
        else:
            tokenizer = AutoTokenizer.from_pretrained(source.path.parent, gguf_file=source.path.name, **place)
            _split_words_as_trained(tokenizer, source.header.pre_tokenizer)
        usable = isinstance(tokenizer, PreTrainedTokenizerFast) and len(tokenizer) <= source.shape.vocabulary
    except Exception as error:  # the tokenizer library raises bare ones for what it cannot read
        raise ModelUnusable(f"The model {source.name} cannot be used: its tokenizer cannot be read.") from error
    if not usable:
        raise ModelUnusable(f"The model {source.name} cannot be used: its tokenizer does not fit its vocabulary.")
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    tokenizer.chat_template = template or source.chat_template
    if not isinstance(tokenizer.chat_template, str):
        raise ModelUnusable(
            f"The model {source.name} cannot be used: it has no chat template, so it was not trained to converse. "
            "Please choose a version whose name says Instruct or Chat."
        )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _generation_ids(source: ModelSource) -> dict[str, Any]:
    """The end tokens that the maker names for generation, which may be more than the configuration's."""
    if source.header is not None:
        return {}
    try:
        values = read_json_object(source.path / "generation_config.json")
    except BadJsonFile:
        return {}
    return {key: values[key] for key in _SPECIAL_IDS if values.get(key) is not None}


def _of_gguf(source: ModelSource, header: GgufHeader) -> dict[str, Any]:
    shape = header.shape
    return {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_size,
        "max_position_embeddings": shape.max_positions,
        "rms_norm_eps": header.norm_epsilon,
        "rope_parameters": _rope_parameters(source, header),
        "attention_bias": shape.attention_bias,
        "mlp_bias": shape.mlp_bias,
        "tie_word_embeddings": shape.tied,
        "bos_token_id": header.bos_token_id,
        "eos_token_id": header.eos_token_id,
    }


def _rope_parameters(source: ModelSource, header: GgufHeader) -> dict[str, Any]:
    """Llama 3.1 and later stretch the low rotary frequencies; GGUF stores the divisors, transformers their cause.

    Raises:
        ModelUnusable: the divisors are not those of Llama 3's rule.
    """
    stored = header.tensors.get("rope_freqs.weight")
    if stored is None:
        return {"rope_type": "default", "rope_theta": header.rope_base}
    raw = np.fromfile(source.path, dtype=np.uint8, count=stored.size, offset=stored.offset)
    divisors = torch.from_numpy(np.ascontiguousarray(dequantize(raw, GGMLQuantizationType[stored.format])))
    factor = float(divisors.max())
    parameters = {
        "rope_type": "llama3",
        "rope_theta": header.rope_base,
        "factor": factor,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    if factor >= 1 and torch.isfinite(divisors).all():
        sizes = {"head_dim": header.shape.head_size, "max_position_embeddings": header.shape.max_positions}
        stretched = ROPE_INIT_FUNCTIONS["llama3"](LlamaConfig(rope_parameters=parameters, **sizes), None)[0]
        exponents = torch.arange(0, header.shape.head_size, 2).float() / header.shape.head_size
        plain = 1.0 / header.rope_base**exponents
        if torch.allclose(plain / stretched, divisors.float().flatten(), rtol=1e-3):
            return parameters
    raise ModelUnusable(
        f"The model {source.name} cannot be used: it stretches its rotary frequencies in an unknown way."
    )


def _split_words_as_trained(tokenizer: PreTrainedTokenizerFast, name: str | None) -> None:
    """SmolLM splits numbers into digits before anything else; transformers' GGUF reader leaves that step out."""
    if name == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
