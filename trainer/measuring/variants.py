"""One model in several precisions, each in a process of its own, so that memory is counted apart.

The functions below run in that process; `Variant.process` starts it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from mhdesk.core.errors import ModelUnusable
from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.generation import generate
from mhdesk.engine.child.int8_linear import speed_up
from mhdesk.engine.child.memory import memory_of_this_process
from mhdesk.engine.child.prefix_cache import PrefixCache
from mhdesk.engine.prompt import TrainingExample
from mhdesk.engine.protocol import Ended
from trainer.perplexity import logits_of

FULL = ("float32", "bfloat16")
"""Precisions that a full-precision folder is loaded in."""

_loaded: dict[str, Any] = {}
"""In a variant's own process: its model."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A folder and the way to run it: one of `FULL`, or the 8-bit kernel."""

    folder: Path
    way: str
    threads: int = 0
    """Of the processor; 0 for as many as the engine takes."""

    @property
    def name(self) -> str:
        """As a table calls it."""
        return self.way if self.way in FULL else f"8 bits ({self.way})"

    def process(self) -> ProcessPoolExecutor:
        """A process of its own, to which `load` and then the work below is given with `submit`."""
        return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes: of the libraries alone, and with a model that has worked, since weights may come in as used."""

    libraries: int
    worked: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second, with so many threads."""

    reading: float
    writing: float
    threads: int


def load(variant: Variant) -> None:
    """Load its model into this process.

    Raises:
        ModelUnusable: the libraries would not have it.
    """
    torch.set_num_threads(variant.threads or psutil.cpu_count(logical=False) or os.cpu_count() or 1)
    _loaded["libraries"] = memory_of_this_process().rss_bytes
    if variant.way in FULL:
        try:
            model = AutoModelForCausalLM.from_pretrained(
                variant.folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=getattr(torch, variant.way),
                attn_implementation="sdpa",
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelUnusable(f"The full-precision model in {variant.folder} cannot be loaded.") from error
    else:
        model, _ = load_base(variant.folder)
        speed_up(model, variant.way)
    _loaded["model"] = model.eval()


def read_example(example: TrainingExample) -> tuple[tuple[float, int], list[int]]:
    """Loss and number of the tokens that count, and the likeliest token at each of these places."""
    counts = torch.tensor(example.is_target[1:])
    logits = logits_of(_loaded["model"], example.token_ids)[:-1].cpu()[counts]
    labels = torch.tensor(example.token_ids[1:])[counts]
    return (float(cross_entropy(logits, labels, reduction="sum")), len(labels)), logits.argmax(-1).tolist()


def memory() -> Memory:
    """Of this process."""
    return Memory(_loaded["libraries"], memory_of_this_process().rss_bytes)


def pace(prompt: Sequence[int], new_tokens: int) -> Pace:
    """Read `prompt` and write `new_tokens` with the engine's own loop, greedily."""
    model = _loaded["model"]
    sampling = Sampling(temperature=0, max_new_tokens=new_tokens, min_new_tokens=new_tokens)
    with torch.inference_mode():
        steps = generate(model, lambda *_: None, PrefixCache(model), prompt, sampling, frozenset(), lambda: False)
        ended = [step for step in steps if isinstance(step, Ended)][-1]
    return Pace(len(prompt) / ended.prefill_s, ended.new_tokens / ended.decode_s, torch.get_num_threads())
