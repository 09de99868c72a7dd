"""A child that is measured: loaded and asked through the very protocol the window uses, with filler for words."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mhdesk.core.errors import EngineError
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine import protocol
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.process import EngineProcess

_WORD = " and"

Answer = TypeVar("Answer", bound=protocol.Frame)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its words, what the child said of prompt and end, and seconds from asking to the first token."""

    text: str
    started: protocol.Started
    ended: protocol.Ended
    first_token_s: float


class ChildTalk:
    """Start it with `begin`, end it with `end`. It keeps no supervisor, whose waits would be measured too."""

    def __init__(self, process: EngineProcess, hello: protocol.Hello) -> None:
        self.hello = hello
        self._process = process
        self._turn = 0

    @classmethod
    async def begin(cls) -> ChildTalk:
        """Start a child.

        Raises:
            EngineError: it does not start.
        """
        process = await EngineProcess.start(engine_command())
        hello = await process.receive()
        if not isinstance(hello, protocol.Hello):
            await process.end()
            raise EngineError("The engine process did not introduce itself.")
        return cls(process, hello)

    async def end(self) -> None:
        """End the child."""
        await self._process.end()

    async def load(self, model: Path, adapter: Path | None, context_tokens: int | None = None) -> protocol.Loaded:
        """Load a pair.

        Raises:
            EngineError: with the child's sentence.
        """
        folder = str(adapter) if adapter else None
        command = protocol.Load(self._next(), str(model), folder, context_tokens=context_tokens)
        return await self._last(command, protocol.Loaded)

    async def measure(self) -> protocol.Measured:
        """The child's memory."""
        return await self._last(protocol.Measure(self._next()), protocol.Measured)

    async def ask(self, messages: Sequence[Message], new_tokens: int) -> Reply:
        """Exactly `new_tokens` tokens, the likeliest ones.

        Raises:
            EngineError: with the child's sentence.
        """
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
                        return Reply("".join(pieces), started, frame, first_token_s)
        raise EngineError("The engine gave no reply to measure.")

    async def words_for(self, tokens: int) -> int:
        """How many filler words make a prompt of `tokens`, measured on none and on a hundred of them."""
        none = (await self.ask(conversation(0, 0), 1)).started.prompt_tokens
        hundred = (await self.ask(conversation(0, 100), 1)).started.prompt_tokens
        return max(0, (tokens - none) * 100 // (hundred - none))

    async def _last(self, command: protocol.Frame, wanted: type[Answer]) -> Answer:
        async with aclosing(self._frames(command)) as frames:
            async for frame in frames:
                if isinstance(frame, wanted):
                    return frame
        raise EngineError("The engine did not answer.")

    async def _frames(self, command: protocol.Frame) -> AsyncGenerator[protocol.Frame, None]:
        await self._process.send(command)
        while True:
            frame = await self._process.receive()
            if isinstance(frame, protocol.Failed):
                raise EngineError(frame.sentence)
            yield frame

    def _next(self) -> int:
        self._turn += 1
        return self._turn


def conversation(repeat: int, words: int) -> list[Message]:
    """A prompt that begins differently in every repeat, so that no cache of the one before can help."""
    return [
        Message(Role.SYSTEM, f"{repeat} You answer at length."),
        Message(Role.USER, "Tell me about a walk by the sea" + _WORD * words),
    ]


def next_turn(messages: Sequence[Message], reply: str, words: int) -> list[Message]:
    """The same conversation, answered and gone on."""
    return [*messages, Message(Role.ASSISTANT, reply), Message(Role.USER, "so" + _WORD * words)]
