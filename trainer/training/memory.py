"""How much memory a run will need, by formula before it begins, and what it did need."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil
import torch

from mhdesk.library.llama_shape import LINEARS, LlamaShape
from mhdesk.library.memory_available import memory_available
from trainer.errors import BadConfiguration
from trainer.examples import Examples
from trainer.settings.train import TrainSettings
from trainer.training.order import Step, longest

_ADAPTER_BYTES = 16
"""A parameter that learns: itself, its gradient and AdamW's two moments in float32."""
_LOGIT_BYTES = 14
"""A logit: in bfloat16, in float32, its logarithm and its gradient in float32."""
_LIBRARIES_BYTES = 180 * 2**20
"""What torch, PEFT and bitsandbytes take when they are first used; with no more than this, a tiny model is trained."""

# Measured on a processor with SmolLM2-135M, one or two rows of 256 or 512 tokens: with dropout and without, with
# checkpointing, in bfloat16, with few targets, with few target tokens: 0.93 to 1.06 of the formula, and 0.80 with the
# targets q_proj and v_proj alone, whose other linears keep less than it says. Nothing was measured on a GPU.


_REFUSED_ON_CPU = "DefaultCPUAllocator"
"""Torch has no error of its own for main memory; its allocator names itself."""
_REMEDY = "Please lower train.batch_size or train.max_tokens, or set train.gradient_checkpointing."


class TooLarge(BadConfiguration):
    """The run does not fit the memory that is there."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that training adds to what the process has: base, adapter and optimiser, a batch, the largest linear."""

    weights: int
    adapter: int
    activations: int
    logits: int
    dequantised: int
    libraries: int = _LIBRARIES_BYTES

    @property
    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))


def largest_batch(steps: Iterable[Step], examples: Examples) -> tuple[int, int]:
    """Of the batch with most tokens, padding included: its tokens, and the positions that logits are made for."""
    batches = [batch for step in steps for batch in step]
    batch = max(batches, key=lambda batch: longest(batch, examples.lengths) * len(batch))
    targets = sum(int(examples.targets[row]) for pack in batch for row in pack)
    tokens = longest(batch, examples.lengths) * len(batch)
    return tokens, min(tokens, targets * len(batch))


def memory_needed(shape: LlamaShape, weights_bytes: int, settings: TrainSettings, batch: tuple[int, int]) -> MemoryNeed:
    """By formula from the model's shape.

    Args:
        shape: of the base.
        weights_bytes: of the base in 8 bits.
        settings: of the run.
        batch: what `largest_batch` gives.
    """
    tokens, positions = batch
    linears = shape.linears().items()
    learning = sum(settings.rank * sum(size) for name, size in linears if name.rpartition(".")[2] in settings.targets)
    a_layer = tokens * _activation_bytes(shape, settings)
    if settings.gradient_checkpointing:  # the inputs of all layers; of one, done again, what it keeps and its gradients
        activations = shape.layers * tokens * shape.hidden * 2 + 2 * a_layer
    else:
        activations = shape.layers * a_layer
    largest = max(rows * columns for _, (rows, columns) in linears)
    return MemoryNeed(
        weights=weights_bytes if settings.base == "int8" else 2 * shape.parameters,
        adapter=learning * _ADAPTER_BYTES,
        activations=activations,
        logits=positions * shape.vocabulary * _LOGIT_BYTES,
        dequantised=largest * 6 if settings.base == "int8" else 0,
    )


def refuse_too_large(need: MemoryNeed, limit_gib: float, device: torch.device) -> None:
    """Refuse a run that would not fit.

    Raises:
        TooLarge: with both figures.
    """
    on_gpu = device.type == "cuda"
    here = 1 if on_gpu else int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    there = torch.cuda.mem_get_info(device)[0] if on_gpu else memory_available() // here
    if limit_gib:
        there = min(there, int(limit_gib * 2**30))
    if need.total > there:
        raise TooLarge(
            f"Training needs about {need.total / 2**30:.2f} GiB of memory{' for each process' if here > 1 else ''} and "
            f"{there / 2**30:.2f} GiB are there. {_REMEDY}"
        )


@contextlib.contextmanager
def memory_that_may_end() -> Iterator[None]:
    """Around what the estimate has let in and the machine may refuse all the same.

    Raises:
        TooLarge: the memory of GPU or machine was not enough.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or _REFUSED_ON_CPU in str(error):
            raise TooLarge(f"The memory did not suffice for training, against the estimate. {_REMEDY}") from None
        raise


class MemoryMeter:
    """What is used on top of what the process had when the meter was made."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            return
        with contextlib.suppress(OSError):  # Linux: the highest resident size is counted anew from here
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._before = int(psutil.Process().memory_info().rss)

    def most(self) -> int:
        """The most so far, in bytes."""
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        try:
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        except (OSError, StopIteration):  # no Linux
            peak = int(psutil.Process().memory_info().rss)
        return peak - self._before


def _activation_bytes(shape: LlamaShape, settings: TrainSettings) -> int:
    """What a layer keeps of one token for the way back."""
    queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    # In bfloat16: inputs of norms, of the linears, queries, keys and values before and after their rotation,
    # attention's output, gate, its activation, up, their product. The norms pass through float32.
    plain = 2 * (4 * shape.hidden + 3 * queries + 4 * keys + 4 * shape.intermediate) + 8 * shape.hidden
    # Each adapted linear keeps its input in float32, and what dropout left of it with a mask.
    of_input = 4 + (5 if settings.dropout else 0)
    adapted = sum(of_input * shape.linear(name)[1] for name in LINEARS if name.rpartition(".")[2] in settings.targets)
    # and its output, which is the sum of two
    return plain + adapted + 4 * settings.rank * len(settings.targets)
