"""What a GGUF file says of itself, checked before any library opens it: a whole Llama whose tensors lie in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from mhdesk.library.gguf_metadata import FLOAT32, INT32, STRING, ArrayFacts, BadGguf, Value, read_front
from mhdesk.library.gguf_tensors import GgufTensor, place_tensors
from mhdesk.library.llama_shape import LINEARS, BadShape, LlamaShape

MAX_TEMPLATE_BYTES = 16 * 2**20
_MAX_SHOWN = 200
_STRINGS = {
    "general.architecture": 1024,
    "general.name": 4096,
    "general.license": 4096,
    "tokenizer.ggml.model": 1024,
    "tokenizer.ggml.pre": 1024,
    "tokenizer.chat_template": MAX_TEMPLATE_BYTES,
    "llama.rope.scaling.type": 1024,
}

_GGUF_LINEARS = dict(
    zip(LINEARS, ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"), strict=True)
)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A Llama in a GGUF file. Texts are None, and token ids are None, where the file gives none.

    `norm_epsilon` and `rope_base` are the model's; `rope_freqs.weight` among `tensors` divides its frequencies.
    """

    architecture: str
    name: str | None
    licence: str | None
    tokenizer_model: str
    pre_tokenizer: str | None
    chat_template: str | None
    bos_token_id: int | None
    eos_token_id: int | None
    unknown_token_id: int | None
    norm_epsilon: float
    rope_base: float
    shape: LlamaShape
    tensors: Mapping[str, GgufTensor]

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self.shape.vocabulary


def read_gguf_header(path: Path) -> GgufHeader:
    """Read and check everything before the data; the file is not held in memory.

    Raises:
        BadGguf: the file is no GGUF, damaged, or a model that MHDesk cannot run; with the reason.
    """
    try:
        front = read_front(path, _STRINGS)
    except OSError:
        raise BadGguf("it cannot be read") from None
    values = front.values
    _check_kind(values)
    tensors = place_tensors(front)
    vocabulary = _check_vocabulary(values)
    shape = _read_shape(values, vocabulary, tensors)
    _check_tensors(shape, tensors)
    epsilon = values.get("llama.attention.layer_norm_rms_epsilon")
    if not isinstance(epsilon, float) or not 0 < epsilon <= 1:
        raise BadGguf("it gives no usable llama.attention.layer_norm_rms_epsilon")
    base = values.get("llama.rope.freq_base", 10_000.0)
    if not isinstance(base, float) or not isfinite(base) or base < 1:
        raise BadGguf("it gives no usable llama.rope.freq_base")
    return GgufHeader(
        architecture="llama",
        name=_shown(values, "general.name"),
        licence=_shown(values, "general.license"),
        tokenizer_model=_text(values, "tokenizer.ggml.model") or "",
        pre_tokenizer=_text(values, "tokenizer.ggml.pre"),
        chat_template=_text(values, "tokenizer.chat_template"),
        bos_token_id=_token_id(values, "bos"),
        eos_token_id=_token_id(values, "eos"),
        unknown_token_id=_token_id(values, "unknown"),
        norm_epsilon=epsilon,
        rope_base=base,
        shape=shape,
        tensors=tensors,
    )


def _check_kind(values: Mapping[str, Value]) -> None:
    architecture = _text(values, "general.architecture")
    if architecture != "llama":
        named = f"the architecture {architecture!a:.40}" if architecture else "an unknown architecture"
        raise BadGguf(f"it is of {named}, and MHDesk runs Llama models only")
    if _number(values, "split.count", 0) > 1:
        raise BadGguf("it is one part of a model split into several files; please choose a model in a single file")
    if _number(values, "llama.expert_count", 0) > 0:
        raise BadGguf("it is a mixture of several expert models, which MHDesk does not support")
    scaling = _text(values, "llama.rope.scaling.type")
    if scaling not in (None, "none") or values.get("llama.rope.scale_linear", 1.0) != 1.0:
        raise BadGguf("it stretches its context in a way that MHDesk does not support")


def _check_vocabulary(values: Mapping[str, Value]) -> int:
    """How many tokens there are; every special token is one of them."""
    if _text(values, "tokenizer.ggml.model") in (None, "no_vocab"):
        raise BadGguf("it holds no tokenizer")
    tokens = values.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, ArrayFacts) or tokens.kind != STRING or tokens.count < 1:
        raise BadGguf("it holds no vocabulary")
    for key, kind in (("tokenizer.ggml.scores", FLOAT32), ("tokenizer.ggml.token_type", INT32)):
        if values.get(key, ArrayFacts(kind, tokens.count)) != ArrayFacts(kind, tokens.count):
            raise BadGguf(f"its {key} does not fit its vocabulary")
    merges = values.get("tokenizer.ggml.merges")
    if merges is not None and not (isinstance(merges, ArrayFacts) and merges.kind == STRING):
        raise BadGguf("its tokenizer.ggml.merges is not a list of texts")
    if _number(values, "llama.vocab_size", tokens.count) != tokens.count:
        raise BadGguf("it gives two different sizes of its vocabulary")
    for key in values:
        if key.startswith("tokenizer.ggml.") and key.endswith("_token_id") and _number(values, key) >= tokens.count:
            raise BadGguf(f"its {key:.60} is not in its vocabulary")
    return tokens.count


def _read_shape(values: Mapping[str, Value], vocabulary: int, tensors: Mapping[str, GgufTensor]) -> LlamaShape:
    sizes = {
        "hidden_size": _number(values, "llama.embedding_length"),
        "intermediate_size": _number(values, "llama.feed_forward_length"),
        "num_hidden_layers": _number(values, "llama.block_count"),
        "num_attention_heads": (heads := _number(values, "llama.attention.head_count")),
        "num_key_value_heads": _number(values, "llama.attention.head_count_kv", heads),
        "max_position_embeddings": _number(values, "llama.context_length"),
        "vocab_size": vocabulary,
    }
    if heads:
        size = _number(values, "llama.attention.key_length", sizes["hidden_size"] // heads)
        sizes["head_dim"] = size
        for key in ("llama.attention.value_length", "llama.rope.dimension_count"):
            if _number(values, key, size) != size:
                raise BadGguf(f"its {key} is not its head size, which MHDesk does not support")
    biased = {linear: f"blk.0.{name}.bias" in tensors for linear, name in _GGUF_LINEARS.items()}
    flags = {
        "tie_word_embeddings": "output.weight" not in tensors,
        "attention_bias": any(has for linear, has in biased.items() if linear.startswith("self_attn")),
        "mlp_bias": any(has for linear, has in biased.items() if linear.startswith("mlp")),
    }
    try:
        return LlamaShape.from_config({"model_type": "llama", **sizes, **flags})
    except BadShape:
        raise BadGguf("its sizes are not those of a Llama model") from None


def _check_tensors(shape: LlamaShape, tensors: Mapping[str, GgufTensor]) -> None:
    """All tensors of the shape are there, as large as they should be, and no others."""
    expected: dict[str, tuple[int, ...]] = {}
    expected.update((gguf_name(f"{name}.weight"), size) for name, size in shape.linears().items())
    expected.update((gguf_name(name), size) for name, size in shape.plain_tensors().items())
    if "rope_freqs.weight" in tensors:
        expected["rope_freqs.weight"] = (shape.head_size // 2,)
    for name, size in expected.items():
        if name not in tensors:
            raise BadGguf(f"the tensor {name} is missing")
        if tensors[name].shape != size:
            raise BadGguf(f"the tensor {name} is not as large as its header says")
    unknown = next((name for name in tensors if name not in expected), None)
    if unknown is not None:
        raise BadGguf(f"it holds the tensor {unknown!a:.80}, which no Llama model has")


def gguf_name(name: str) -> str:
    """GGUF's name of a tensor that Hugging Face calls `name`."""
    for ours, theirs in (
        ("model.embed_tokens", "token_embd"), ("lm_head", "output"), ("model.norm", "output_norm"),
        ("model.layers.", "blk."), ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"),
        *_GGUF_LINEARS.items(),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    return name


def _number(values: Mapping[str, Value], key: str, default: int | None = None) -> int:
    value = values.get(key, default)
    if not isinstance(value, int) or value < 0:
        raise BadGguf(f"it gives no usable {key:.60}")
    return value


def _token_id(values: Mapping[str, Value], name: str) -> int | None:
    key = f"tokenizer.ggml.{name}_token_id"
    return _number(values, key) if key in values else None


def _text(values: Mapping[str, Value], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not isinstance(value, str):
        raise BadGguf(f"its {key} is not a text")
    return value


def _shown(values: Mapping[str, Value], key: str) -> str | None:
    """A text that people will see: one line, without control characters."""
    text = _text(values, key)
    return "".join(sign for sign in text if sign.isprintable())[:_MAX_SHOWN].strip() or None if text else None
