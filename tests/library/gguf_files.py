"""Tiny GGUF files, written by the library that everybody writes them with."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from mhdesk.library.llama_shape import LlamaShape

TINY = LlamaShape(
    hidden=64, intermediate=96, layers=2, heads=4, kv_heads=2, head_size=16, vocabulary=40, max_positions=128, tied=True
)
_LINEARS = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
_LINEARS |= {"gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}


def tiny_tensors(shape: LlamaShape = TINY) -> dict[str, np.ndarray]:
    """The tensors of a Llama by GGUF's names, in full precision."""
    random = np.random.default_rng(0)
    sizes = {"token_embd.weight": (shape.vocabulary, shape.hidden), "output_norm.weight": (shape.hidden,)}
    if not shape.tied:
        sizes["output.weight"] = (shape.vocabulary, shape.hidden)
    for name, size in shape.linears().items():
        layer, last = name.split(".")[2], name.rsplit(".", 1)[1]
        sizes[f"blk.{layer}.{_LINEARS[last]}.weight"] = size
        if shape.attention_bias and "self_attn" in name:
            sizes[f"blk.{layer}.{_LINEARS[last]}.bias"] = size[:1]
    for layer in range(shape.layers):
        sizes |= {f"blk.{layer}.{norm}.weight": (shape.hidden,) for norm in ("attn_norm", "ffn_norm")}
    return {name: random.standard_normal(size, dtype=np.float32) for name, size in sizes.items()}


def write_gguf(
    path: Path,
    *,
    shape=TINY,
    kind="F16",
    architecture="llama",
    change=None,
    tensors=None,
    endian="LITTLE",
    template="t",
):
    """Write a tiny Llama; `change` may alter the writer before it writes, `tensors` replace the usual ones."""
    writer = gguf.GGUFWriter(path, architecture, endianess=gguf.GGUFEndian[endian])
    writer.add_name("Tiny\nLlama")
    writer.add_license("apache-2.0")
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_size)
    writer.add_key_length(shape.head_size)
    writer.add_value_length(shape.head_size)
    writer.add_context_length(shape.max_positions)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(500_000.0)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list([f"token {number}" for number in range(shape.vocabulary)])
    writer.add_token_types([1] * shape.vocabulary)
    writer.add_token_merges(["t o", "to k"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(template)
    writer.add_array("general.languages", ["en", "de"])
    if change is not None:
        change(writer)
    for name, values in (tiny_tensors(shape) if tensors is None else tensors).items():
        if values.ndim == 1 or kind == "F32":
            writer.add_tensor(name, values)
        else:
            quantised = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
            writer.add_tensor(name, quantised, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
