"""The shape of a Llama from its configuration: which tensors there must be, how large, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

LINEARS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
           "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")  # fmt: skip
"""The linears of a layer, in the order in which our files lay them: q, k, v and gate, up side by side."""

_CACHE_BYTES_PER_VALUE = 2
_LARGEST = {"layers": 512, "hidden": 65_536, "intermediate": 262_144, "heads": 1024, "head_size": 4096,
            "vocabulary": 4_000_000, "max_positions": 2**31}  # fmt: skip
"""Above any model that exists; a configuration that says more is damaged or hostile."""


class BadShape(ValueError):
    """The configuration describes no Llama. The message completes the sentence "The model cannot be used: …"."""


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """Sizes in values; `attention_bias` and `mlp_bias` say whether the linears add one."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    max_positions: int
    tied: bool
    attention_bias: bool = False
    mlp_bias: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LlamaShape:
        """Read the keys of a Hugging Face `config.json`.

        Raises:
            BadShape: with the reason.
        """
        if config.get("model_type") != "llama":
            raise BadShape("it is not of the Llama architecture")
        heads = _size(config, "num_attention_heads", "heads")
        hidden = _size(config, "hidden_size", "hidden")
        if config.get("head_dim") is None and hidden % heads:
            raise BadShape("its config.json gives a hidden_size that its attention heads do not divide")
        shape = cls(
            hidden=hidden,
            intermediate=_size(config, "intermediate_size", "intermediate"),
            layers=_size(config, "num_hidden_layers", "layers"),
            heads=heads,
            kv_heads=_size(config, "num_key_value_heads", "heads", default=heads),
            head_size=_size(config, "head_dim", "head_size", default=hidden // heads),
            vocabulary=_size(config, "vocab_size", "vocabulary"),
            max_positions=_size(config, "max_position_embeddings", "max_positions", default=2048),
            tied=_flag(config, "tie_word_embeddings"),
            attention_bias=_flag(config, "attention_bias"),
            mlp_bias=_flag(config, "mlp_bias"),
        )
        if shape.heads % shape.kv_heads:
            raise BadShape("its config.json gives key-value heads that do not divide its attention heads")
        if shape.head_size % 2:
            raise BadShape("its config.json gives an odd head size")
        return shape

    def linear(self, name: str) -> tuple[int, int]:
        """[out, in] of one of `LINEARS`."""
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        return {
            "self_attn.q_proj": (queries, self.hidden),
            "self_attn.k_proj": (keys, self.hidden),
            "self_attn.v_proj": (keys, self.hidden),
            "self_attn.o_proj": (self.hidden, queries),
            "mlp.gate_proj": (self.intermediate, self.hidden),
            "mlp.up_proj": (self.intermediate, self.hidden),
            "mlp.down_proj": (self.hidden, self.intermediate),
        }[name]

    def linears(self) -> dict[str, tuple[int, int]]:
        """Full names without `.weight`, such as `model.layers.0.mlp.up_proj`, and their [out, in], layer by layer."""
        return {f"model.layers.{layer}.{name}": self.linear(name) for layer in range(self.layers) for name in LINEARS}

    def plain_tensors(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what stays in floating point: embeddings, norms, biases, an untied head."""
        plain: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.hidden)}
        for layer in range(self.layers):
            plain.update(self._biases_of(layer))
            plain[f"model.layers.{layer}.input_layernorm.weight"] = (self.hidden,)
            plain[f"model.layers.{layer}.post_attention_layernorm.weight"] = (self.hidden,)
        plain["model.norm.weight"] = (self.hidden,)
        if not self.tied:
            plain["lm_head.weight"] = (self.vocabulary, self.hidden)
        return plain

    @property
    def parameters(self) -> int:
        """How many values the model has; a tied head counts once."""
        shapes: list[tuple[int, ...]] = [*self.linears().values(), *self.plain_tensors().values()]
        return sum(prod(shape) for shape in shapes)

    @property
    def eight_bit_bytes(self) -> int:
        """Bytes of weights in an 8-bit folder: one a value of a linear, four a row for its scale, two for the rest."""
        linears = self.linears().values()
        plain = self.plain_tensors().values()
        return sum(rows * columns + 4 * rows + 1 for rows, columns in linears) + 2 * sum(prod(s) for s in plain)

    def cache_bytes(self, tokens: int) -> int:
        """Bytes of the key-value cache of `tokens`: 2 · layers · KV heads · head size · tokens, in bfloat16."""
        return 2 * self.layers * self.kv_heads * self.head_size * tokens * _CACHE_BYTES_PER_VALUE

    def _biases_of(self, layer: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name in LINEARS:
            if self.attention_bias if name.startswith("self_attn") else self.mlp_bias:
                yield f"model.layers.{layer}.{name}.bias", self.linear(name)[:1]


def _size(config: Mapping[str, Any], key: str, kind: str, default: int | None = None) -> int:
    value = config.get(key)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST[kind]:
        raise BadShape(f"its config.json gives no usable {key}")
    return value


def _flag(config: Mapping[str, Any], key: str) -> bool:
    value = config.get(key, False)
    if not isinstance(value, bool):
        raise BadShape(f"its config.json gives no usable {key}")
    return value
