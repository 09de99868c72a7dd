"""Whether a model would fit the memory that is available now, and if not, what would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

from mhdesk.core.errors import ModelUnusable
from mhdesk.library.llama_shape import LlamaShape

CONTEXT_TOKENS = 4096
"""The window that the engine uses at most, its cache counted whole: 450 MiB at 3B, which an 8 GB machine can spare."""

SMALL_CONTEXT_TOKENS = 2048
"""The window where the large one does not fit."""

PREFILL_CHUNK = 128
"""Tokens the engine reads between two looks at the stop signal: a few seconds for 3B on two slow cores."""

LIBRARIES_BYTES = 420 * 2**20
"""Resident memory of an engine process before any weights: torch, transformers, peft, bitsandbytes."""

_BYTES_PER_TOKEN_OF_VOCABULARY = 700
"""The tokenizer's tables."""

_BYTES_PER_ACTIVATION = 6
"""Gate, up and their product of a chunk, in bfloat16 and passing through float32."""

_BESIDE_ADAPTER_BYTES = 50 * 2**20
"""What PEFT holds besides an adapter's own weights."""

# The four figures above were fitted to what `mhdesk.bench.admission` measured of 135M, 1B and 3B with full windows of
# 2,048 and 4,096 tokens; the formula then came within 3 % of each.


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes an engine process needs: weights, key-value cache of the whole window, activations, adapter, libraries.

    `growth` is what the allocator keeps beside a cache that grows by being copied; `tokenizer` its tables.
    """

    weights: int
    cache: int
    growth: int
    activations: int
    tokenizer: int
    adapter: int = 0
    libraries: int = LIBRARIES_BYTES

    @property
    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))


def memory_needed(shape: LlamaShape, weights_bytes: int, context_tokens: int, adapter_bytes: int = 0) -> MemoryNeed:
    """By formula from the model's shape, for a window of `context_tokens` that is full."""
    cache = shape.cache_bytes(min(context_tokens, shape.max_positions))
    return MemoryNeed(
        weights=weights_bytes,
        cache=cache,
        growth=cache // 3,
        activations=PREFILL_CHUNK * shape.intermediate * 3 * _BYTES_PER_ACTIVATION,
        tokenizer=shape.vocabulary * _BYTES_PER_TOKEN_OF_VOCABULARY,
        adapter=adapter_bytes + _BESIDE_ADAPTER_BYTES if adapter_bytes else 0,
    )


def admitted_context(
    name: str,
    shape: LlamaShape,
    weights_bytes: int,
    available: int,
    *,
    adapter_bytes: int = 0,
    wanted: int | None = None,
    others: Mapping[str, int] | None = None,
) -> int:
    """The window in tokens that a model may use in `available` bytes: `wanted`, or the largest of our two that fits.

    `others` are further models and the bytes that each needs, of which the refusal names those that would fit.

    Raises:
        ModelUnusable: it would not fit, with both figures.
    """
    windows = [wanted] if wanted else [CONTEXT_TOKENS, SMALL_CONTEXT_TOKENS]
    for window in windows:
        need = memory_needed(shape, weights_bytes, window, adapter_bytes).total
        if need <= available:
            return min(window, shape.max_positions)
    fitting = [
        f"{other} ({_gib(size)})" for other, size in (others or {}).items() if size <= available and other != name
    ]
    advice = f"What would fit: {', '.join(fitting)}." if fitting else "No model that MHDesk knows would fit."
    raise ModelUnusable(
        f"The model {name} needs about {_gib(need)} of memory and {_gib(available)} are there for it. {advice} "
        "Please close other programs or choose a smaller model; help and helplines work without one."
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
