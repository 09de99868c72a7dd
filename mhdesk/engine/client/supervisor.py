"""Asks one engine process one thing at a time, whatever becomes of it in between.

Being dead is an ordinary state here: it has a status, a sentence, and a next attempt after a wait that grows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.core.errors import EngineBusy, EngineError
from mhdesk.core.events import Window
from mhdesk.core.generation import EngineEvent, GenerationRequest, ModelFinished, ModelText
from mhdesk.engine import protocol
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.keeper import GAVE_UP, NO_ANSWER, NO_MODEL, ChildKeeper, Deadlines


class EngineSupervisor:
    """An `Engine` (see `chat.ports`) whose process is restarted when it dies.

    `on_status` is called on the event loop at every change of state; who shows none leaves it out. Without a `model` no
    process is started.
    """

    def __init__(
        self,
        command: Sequence[str],
        model: Path | None,
        adapter: Path | None,
        on_status: Callable[[EngineStatus], None] = lambda status: None,
        deadlines: Deadlines | None = None,
        back_off: BackOff | None = None,
    ) -> None:
        self._on_status = on_status
        self._keeper = ChildKeeper(command, model, adapter, deadlines or Deadlines(), self._tell, back_off or BackOff())
        self._state = EngineState.NO_MODEL
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._running_turn: int | None = None
        self._cancel_sent = False
        self._cancels = 0

    @property
    def pid(self) -> int | None:
        """Process id of the living child."""
        return self._keeper.process.pid if self._keeper.process else None

    @property
    def loaded(self) -> protocol.Loaded | None:
        """What the child has loaded, None until it has."""
        return self._keeper.loaded

    async def start(self) -> None:
        """Start the child and return at once; what becomes of it is told through `on_status`."""
        self._keeper.start()

    async def close(self) -> None:
        """End the child and everything that waits on it."""
        await self._keeper.close()

    async def use(self, model: Path | None, adapter: Path | None) -> protocol.Loaded | None:
        """Change to another pair now. A running reply is finished first; a message sent meanwhile waits.

        An adapter for the model that is loaded is changed in the living process; anything else needs a new one.
        Gives what stands ready, None without a model; its `warning` says why the adapter was left out of a new process.

        Raises:
            EngineError: the pair of before is in force again, or being loaded again.
        """
        async with self._one_at_a_time:
            if model is not None and model == self._keeper.model and self._keeper.loaded is not None:
                return await self._switch_adapter(adapter)
            before = self._keeper.model, self._keeper.adapter
            await self._keeper.restart(model, adapter)
            if model is None:
                return None
            try:
                return await self._until_loaded(lambda: False)
            except EngineError:
                await self._keeper.restart(*before)
                raise

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """See `chat.ports.Engine.generate`. Waits while the model is loading."""
        asked_at = time.monotonic()
        cancels = self._cancels
        finished = ModelFinished(True, 0, 0, None, 0.0)
        async with self._one_at_a_time:
            if await self._ready(lambda: self._cancels != cancels) is not None:
                messages = [message.to_json() for message in request.messages]
                command = protocol.Generate(self._keeper.next_turn(), messages, request.sampling.to_json())
                async with aclosing(self._reply(command, asked_at)) as events:
                    async for event in events:
                        if isinstance(event, ModelFinished):
                            finished = event
                        else:
                            yield event
        # Told only when the turn is wholly settled, so that a listener may leave on it without waiting for anything.
        yield replace(finished, total_s=time.monotonic() - asked_at)

    async def cancel(self) -> None:
        """See `chat.ports.Engine.cancel`."""
        self._cancels += 1
        self._changed.set()
        if self._running_turn is not None and not self._cancel_sent and self._keeper.process:
            self._cancel_sent = True
            self._keeper.process.send_soon(protocol.Cancel(self._running_turn))

    async def measure(self) -> protocol.Measured:
        """Memory of the child, answered at once whatever it does.

        Raises:
            EngineError: there is no living child, or it is silent.
        """
        await self._ready(lambda: False)
        measured = await self._keeper.answer(protocol.Measure(self._keeper.next_turn()))
        if isinstance(measured, protocol.Measured):
            return measured
        raise EngineBusy(NO_ANSWER)

    async def _switch_adapter(self, adapter: Path | None) -> protocol.Loaded:
        self._tell(EngineState.LOADING, "Changing the adapter…")
        answer = await self._ask_for_adapter(adapter)
        if isinstance(answer, protocol.Loaded):
            return answer
        if not isinstance(await self._ask_for_adapter(self._keeper.adapter), protocol.Loaded):
            await self._keeper.kill()  # a new child leaves out what it refuses, and says so
        raise EngineError(answer.sentence if isinstance(answer, protocol.Failed) else NO_ANSWER)

    async def _ask_for_adapter(self, adapter: Path | None) -> protocol.Frame:
        """The child's answer; what it has loaded is not known until then."""
        keeper = self._keeper
        keeper.loaded = None
        try:
            answer = await keeper.answer(protocol.UseAdapter(keeper.next_turn(), str(adapter) if adapter else None))
        except asyncio.CancelledError:
            await keeper.kill()
            raise
        if isinstance(answer, protocol.Loaded):
            keeper.adapter = adapter
            keeper.adopt(answer)
        return answer

    async def _reply(self, command: protocol.Generate, asked_at: float) -> AsyncGenerator[EngineEvent, None]:
        self._running_turn, self._cancel_sent = command.turn, False
        self._tell(EngineState.THINKING, "Thinking…")
        settled = False
        prompt_tokens = 0
        first_token_s: float | None = None
        try:
            async for frame in self._keeper.ask(command):
                match frame:
                    case protocol.Started():
                        prompt_tokens = frame.prompt_tokens
                        yield Window(frame.prompt_tokens, frame.first_kept_turn, frame.template_sha256)
                    case protocol.Token():
                        if first_token_s is None:
                            first_token_s = time.monotonic() - asked_at
                        yield ModelText(frame.text)
                    case protocol.Ended():
                        settled = not self._cancel_sent
                        self._keeper.back_off.succeeded()
                        yield ModelFinished(frame.stopped, prompt_tokens, frame.new_tokens, first_token_s, 0.0)
                        return
                    case protocol.Failed():
                        settled = not self._cancel_sent
                        raise EngineError(frame.sentence)
        finally:
            await self._settle(command.turn, settled)

    async def _settle(self, turn: int, settled: bool) -> None:
        """Leave `turn`: unless it ended by itself, cancel it and wait for the acknowledgement, or kill."""
        keeper = self._keeper
        self._running_turn = None
        try:
            if not settled and keeper.loaded is not None and keeper.process is not None:
                if not self._cancel_sent:
                    keeper.process.send_soon(protocol.Cancel(turn))
                await keeper.acknowledged(turn)
        finally:
            keeper.close_inbox(turn)
            if keeper.loaded is not None and self._state is EngineState.THINKING:
                self._tell(EngineState.READY, "Ready.")

    async def _ready(self, given_up: Callable[[], bool]) -> protocol.Loaded | None:
        """What stands ready, as soon as it does. A new request tries again what could not be loaded."""
        if self._keeper.model is None:
            raise EngineError(NO_MODEL)
        if self._state is EngineState.UNAVAILABLE:
            self._keeper.try_again()
        return await self._until_loaded(given_up)

    async def _until_loaded(self, given_up: Callable[[], bool]) -> protocol.Loaded | None:
        while not given_up():
            if self._keeper.loaded is not None:
                return self._keeper.loaded
            if self._state is EngineState.UNAVAILABLE:
                raise EngineError(self._keeper.refusal or GAVE_UP)
            self._changed.clear()
            await self._changed.wait()
        return None

    def _tell(self, state: EngineState, sentence: str, progress: float | None = None) -> None:
        self._state = state
        self._changed.set()
        loaded = self.loaded
        adapter = (loaded.adapter or "") if loaded else ""
        self._on_status(EngineStatus(state, sentence, progress, loaded.model if loaded else "", adapter))
