"""`bench`: time and memory of a model and adapter in the engine process."""

from __future__ import annotations

import asyncio
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mhdesk.bench.child_talk import ChildTalk, Reply, conversation, next_turn
from mhdesk.core.errors import BadSetting, EngineError
from mhdesk.core.paths import PROGRAM
from mhdesk.library.shelf import Pair

SECOND_TURN_TOKENS = 30
"""New tokens of the second turn's prompt: a short message on a conversation that has been read before."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """`prompt_tokens` are read and `new_tokens` drawn, `repeats` times."""

    prompt_tokens: int = 256
    new_tokens: int = 64
    repeats: int = 3

    def __post_init__(self) -> None:
        for name, low, high in (("prompt_tokens", 40, 4000), ("new_tokens", 2, 2000), ("repeats", 1, 100)):
            if not low <= getattr(self, name) <= high:
                raise BadSetting(f"--{name.replace('_', '-')} must be between {low} and {high}.")


def run_bench(pair: Pair, options: BenchOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure; see DESIGN section 7 for the fields. Rates and times are medians over the repeats.

    Raises:
        EngineError: the engine would not load or answer.
    """
    return asyncio.run(_bench(pair, options, say))


async def _bench(pair: Pair, options: BenchOptions, say: Callable[[str], None]) -> dict[str, Any]:
    if pair.model is None:
        raise EngineError(f"No model is installed yet. Please run {PROGRAM} setup.")
    began = time.monotonic()
    talk = await ChildTalk.begin()
    try:
        loaded = await talk.load(pair.model, pair.adapter)
        load_s = time.monotonic() - began
        words = await talk.words_for(options.prompt_tokens)
        more_words = await _words_of_second_turn(talk)
        first: list[Reply] = []
        second_s: list[float] = []
        for repeat in range(1, options.repeats + 1):
            say(f"repeat {repeat} of {options.repeats}")
            messages = conversation(repeat, words)
            reply = await talk.ask(messages, options.new_tokens)
            first.append(reply)
            second_s.append((await talk.ask(next_turn(messages, reply.text, more_words), 1)).first_token_s)
        measured = await talk.measure()
    finally:
        await talk.end()
    return {
        "model": loaded.model,
        "adapter": loaded.adapter or "none",
        "prompt_tokens": first[0].started.prompt_tokens,
        "new_tokens": options.new_tokens,
        "repeats": options.repeats,
        "load_s": round(load_s, 3),
        "first_token_s": _median([reply.first_token_s for reply in first]),
        "prefill_tokens_per_s": _median(
            [(reply.started.prompt_tokens - reply.started.reused_tokens) / reply.ended.prefill_s for reply in first]
        ),
        "decode_tokens_per_s": _median([reply.ended.new_tokens / reply.ended.decode_s for reply in first]),
        "second_turn_first_token_s": _median(second_s),
        "peak_rss_bytes": measured.peak_rss_bytes,
        "threads": loaded.threads,
        "cpu": f"{platform.machine()} {talk.hello.cpu}".strip(),
        "kernel": loaded.kernel,
    }


async def _words_of_second_turn(talk: ChildTalk) -> int:
    """How many filler words make `SECOND_TURN_TOKENS` new tokens, the template's own marks counted."""
    messages = conversation(0, 0)
    reply = await talk.ask(messages, 8)
    least = await talk.ask(next_turn(messages, reply.text, 0), 1)
    marks = least.started.prompt_tokens - reply.started.prompt_tokens - reply.ended.new_tokens
    return max(0, SECOND_TURN_TOKENS - marks)


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 4)
