"""`bench`: time and memory of a model and adapter in the engine process, through the very protocol the window uses."""

from __future__ import annotations

import asyncio
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from mhdesk.core.errors import BadSetting, EngineError
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import PROGRAM
from mhdesk.core.sampling import Sampling
from mhdesk.engine import protocol
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.process import EngineProcess
from mhdesk.library.shelf import Pair

SECOND_TURN_TOKENS = 30
"""New tokens of the second turn's prompt: a short message on a conversation that has been read before."""

_WORD = " and"


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


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    started: protocol.Started
    ended: protocol.Ended
    first_token_s: float


def run_bench(pair: Pair, options: BenchOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure; see DESIGN section 7 for the fields. Rates and times are medians over the repeats.

    Raises:
        EngineError: the engine would not load or answer.
    """
    return asyncio.run(_Bench(options, say).run(pair))


class _Bench:
    def __init__(self, options: BenchOptions, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._turn = 0

    async def run(self, pair: Pair) -> dict[str, Any]:
        if pair.model is None:
            raise EngineError(f"No model is installed yet. Please run {PROGRAM} setup.")
        began = time.monotonic()
        self._process = await EngineProcess.start(engine_command())
        try:
            hello = await self._process.receive()
            load = protocol.Load(self._next(), str(pair.model), str(pair.adapter) if pair.adapter else None)
            loaded = await self._last(load, protocol.Loaded)
            load_s = time.monotonic() - began
            words = await self._words_for(self._options.prompt_tokens)
            more_words = await self._words_of_second_turn()
            first: list[_Reply] = []
            second_s: list[float] = []
            for repeat in range(1, self._options.repeats + 1):
                self._say(f"repeat {repeat} of {self._options.repeats}")
                messages = _conversation(repeat, words)
                reply = await self._ask(messages, self._options.new_tokens)
                first.append(reply)
                second_s.append((await self._ask(_next_turn(messages, reply.text, more_words), 1)).first_token_s)
            measured = await self._last(protocol.Measure(self._next()), protocol.Measured)
        finally:
            await self._process.end()
        return {
            "model": loaded.model,
            "adapter": loaded.adapter or "none",
            "prompt_tokens": first[0].started.prompt_tokens,
            "new_tokens": self._options.new_tokens,
            "repeats": self._options.repeats,
            "load_s": round(load_s, 3),
            "first_token_s": _median([reply.first_token_s for reply in first]),
            "prefill_tokens_per_s": _median(
                [(reply.started.prompt_tokens - reply.started.reused_tokens) / reply.ended.prefill_s for reply in first]
            ),
            "decode_tokens_per_s": _median([reply.ended.new_tokens / reply.ended.decode_s for reply in first]),
            "second_turn_first_token_s": _median(second_s),
            "peak_rss_bytes": measured.peak_rss_bytes,
            "threads": loaded.threads,
            "cpu": f"{platform.machine()} {hello.cpu if isinstance(hello, protocol.Hello) else ''}".strip(),
            "kernel": loaded.kernel,
        }

    async def _words_for(self, tokens: int) -> int:
        """How many filler words make a prompt of `tokens`, measured on none and on a hundred of them."""
        none = (await self._ask(_conversation(0, 0), 1)).started.prompt_tokens
        hundred = (await self._ask(_conversation(0, 100), 1)).started.prompt_tokens
        return max(0, round((tokens - none) * 100 / (hundred - none)))

    async def _words_of_second_turn(self) -> int:
        """How many filler words make `SECOND_TURN_TOKENS` new tokens, the template's own marks counted."""
        messages = _conversation(0, 0)
        reply = await self._ask(messages, 8)
        least = await self._ask(_next_turn(messages, reply.text, 0), 1)
        marks = least.started.prompt_tokens - reply.started.prompt_tokens - reply.ended.new_tokens
        return max(0, SECOND_TURN_TOKENS - marks)

    async def _ask(self, messages: Sequence[Message], new_tokens: int) -> _Reply:
        sampling = Sampling(temperature=0.0, max_new_tokens=new_tokens, min_new_tokens=new_tokens)
        command = protocol.Generate(self._next(), [message.to_json() for message in messages], sampling.to_json())
        asked_at = time.monotonic()
        first_token_s = 0.0
        pieces: list[str] = []
        started: protocol.Started | None = None
        async with aclosing(self._frames(command)) as frames:
            async for frame in frames:
                match frame:
                    case protocol.Started():
                        started = frame
                    case protocol.Token():
                        if not pieces:
                            first_token_s = time.monotonic() - asked_at
                        pieces.append(frame.text)
                    case protocol.Ended() if started is not None:
                        return _Reply("".join(pieces), started, frame, first_token_s)
        raise EngineError("The engine gave no reply to measure.")

    async def _last(self, command: protocol.Frame, wanted: type) -> Any:
        async for frame in self._frames(command):
            if isinstance(frame, wanted):
                return frame
        raise EngineError("The engine did not answer.")

    async def _frames(self, command: protocol.Frame) -> Any:
        await self._process.send(command)
        while True:
            frame = await self._process.receive()
            if isinstance(frame, protocol.Failed):
                raise EngineError(frame.sentence)
            yield frame

    def _next(self) -> int:
        self._turn += 1
        return self._turn


def _conversation(repeat: int, words: int) -> list[Message]:
    """A prompt that begins differently in every repeat, so that no cache of the one before can help."""
    return [
        Message(Role.SYSTEM, f"{repeat} You answer at length."),
        Message(Role.USER, "Tell me about a walk by the sea" + _WORD * words),
    ]


def _next_turn(messages: Sequence[Message], reply: str, words: int) -> list[Message]:
    """The same conversation, answered and gone on."""
    return [*messages, Message(Role.ASSISTANT, reply), Message(Role.USER, "so" + _WORD * words)]


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 4)
