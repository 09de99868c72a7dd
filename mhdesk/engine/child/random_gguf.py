"""Writing random weights as a GGUF file, named, laid out and described as llama.cpp's converter does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from math import inf, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType, get_tensor_name_map, size_label
from gguf.constants import GGML_QUANT_VERSION, MODEL_ARCH
from gguf.quants import quant_shape_to_byte_shape, quantize
from transformers import PreTrainedTokenizerFast

from mhdesk.core.errors import BadInput
from mhdesk.engine.child.random_tokenizer import PRE_TOKENIZER, merges_of
from mhdesk.engine.child.random_weights import RandomWeights
from mhdesk.library.llama_shape import LlamaShape

GGUF_FORMS = {
    "gguf-f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "gguf-q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "gguf-q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}
"""Name of a form to the type of its matrices and llama.cpp's name for such a file."""


def tensor_bytes(form: str, shape: tuple[int, ...]) -> int:
    """What a tensor takes in a file of this form.

    Raises:
        ValueError: its rows are not whole blocks of the form's type.
    """
    return prod(quant_shape_to_byte_shape(shape, _stored_as(form, shape)))


def write_gguf(
    path: Path,
    form: str,
    name: str,
    config: Mapping[str, Any],
    shape: LlamaShape,
    weights: RandomWeights,
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    """Write the file `path`; `name` is what it says of itself. Synced at the end.

    Raises:
        BadInput: a number in `config` that the file states is none.
        OSError: the disk would not take it.
    """
    writer = GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name(name)
    writer.add_size_label(size_label(shape.parameters, shape.parameters, 0, 0))
    writer.add_license("cc0-1.0")
    writer.add_file_type(GGUF_FORMS[form][1])
    writer.add_quantization_version(GGML_QUANT_VERSION)
    _describe_shape(writer, config, shape)
    _describe_tokenizer(writer, tokenizer)
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, shape.layers)
    for tensor, size in weights.shapes.items():
        stem, ending = tensor.rsplit(".", 1)
        stored = _stored_as(form, size)
        bytes_shape = quant_shape_to_byte_shape(size, stored)
        writer.add_tensor_info(
            f"{names.get_name(stem)}.{ending}", bytes_shape, np.dtype(np.uint8), prod(bytes_shape), stored
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("ab") as file:  # the writer itself takes a tensor only whole
        for tensor, size in weights.shapes.items():
            file.write(bytes(-file.tell() % writer.data_alignment))
            for block in _rows_as_in_gguf(tensor, shape, weights):
                file.write(quantize(block.float().numpy(), _stored_as(form, size)))
        file.write(bytes(-file.tell() % writer.data_alignment))
        file.flush()
        os.fsync(file.fileno())


def _stored_as(form: str, shape: tuple[int, ...]) -> GGMLQuantizationType:
    return GGMLQuantizationType.F32 if len(shape) == 1 else GGUF_FORMS[form][0]


def _rows_as_in_gguf(name: str, shape: LlamaShape, weights: RandomWeights) -> Iterator[torch.Tensor]:
    """GGUF turns neighbouring rows of a head together, Hugging Face the two halves: here the halves are interleaved."""
    if ".q_proj." not in name and ".k_proj." not in name:
        yield from weights.blocks(name)
        return
    for block in weights.blocks(name):
        halves = block.reshape(-1, 2, shape.head_size // 2, *block.shape[1:])
        yield halves.transpose(1, 2).reshape(block.shape)


def _describe_shape(writer: GGUFWriter, config: Mapping[str, Any], shape: LlamaShape) -> None:
    rope = config.get("rope_parameters")
    writer.add_context_length(shape.max_positions)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_size)
    writer.add_value_length(shape.head_size)
    writer.add_layer_norm_rms_eps(_positive(config, "rms_norm_eps", 1e-6))
    writer.add_rope_freq_base(_positive(rope if isinstance(rope, dict) else config, "rope_theta", 10_000.0))
    writer.add_rope_dimension_count(shape.head_size)
    writer.add_vocab_size(shape.vocabulary)


def _positive(values: Mapping[str, Any], key: str, default: float) -> float:
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
        raise BadInput(f"The configuration gives no usable {key}. Please correct it.")
    return float(value)


def _describe_tokenizer(writer: GGUFWriter, tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer.get_vocab()
    marks = set(tokenizer.all_special_ids)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(sorted(ids, key=ids.__getitem__))
    writer.add_token_types([TokenType.CONTROL if number in marks else TokenType.NORMAL for number in range(len(ids))])
    writer.add_token_merges([" ".join(pair) for pair in merges_of(tokenizer.backend_tokenizer)])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)
