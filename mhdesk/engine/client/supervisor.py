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
from mhdesk.core.errors import EngineBusy, EngineDied, EngineError
from mhdesk.core.events import Window
from mhdesk.core.generation import EngineEvent, GenerationRequest, ModelFinished, ModelText
from mhdesk.core.paths import PROGRAM
from mhdesk.engine import protocol
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.keeper import GAVE_UP, ChildKeeper, Deadlines

NO_MODEL = (
    "No model is installed yet, so MHDesk cannot write replies. Help and helplines work. "
    f"Run {PROGRAM} setup to install the starter model."
)


class EngineSupervisor:
    """An `Engine` (see `chat.ports`) whose process is restarted when it dies.

    `on_status` is called on the event loop at every change of state. Without a `model` no process is started.
    """

    def __init__(
        self,
        command: Sequence[str],
        model: Path | None,
        adapter: Path | None,
        on_status: Callable[[EngineStatus], None],
        deadlines: Deadlines | None = None,
        back_off: BackOff | None = None,
    ) -> None:
        self._on_status = on_status
        self._deadlines = deadlines or Deadlines()
        self._keeper = (
            ChildKeeper(command, model, adapter, self._deadlines, self._tell, back_off or BackOff()) if model else None
        )
        self._state = EngineState.NO_MODEL
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._running_turn: int | None = None
        self._cancel_sent = False
        self._tired_of_waiting = False

    @property
    def pid(self) -> int | None:
        """Process id of the living child."""
        return self._keeper.process.pid if self._keeper and self._keeper.process else None

    @property
    def loaded(self) -> protocol.Loaded | None:
        """What the child has loaded, None until it has."""
        return self._keeper.loaded if self._keeper else None

    async def start(self) -> None:
        """Start the child and return at once; what becomes of it is told through `on_status`."""
        if self._keeper is None:
            self._tell(EngineState.NO_MODEL, NO_MODEL)
        else:
            self._keeper.start()

    async def close(self) -> None:
        """End the child and everything that waits on it."""
        if self._keeper is not None:
            await self._keeper.close()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """See `chat.ports.Engine.generate`. Waits while the model is loading."""
        asked_at = time.monotonic()
        finished = ModelFinished(True, 0, 0, None, 0.0)
        async with self._one_at_a_time:
            keeper = await self._ready_keeper()
            if keeper is not None:
                messages = [message.to_json() for message in request.messages]
                command = protocol.Generate(keeper.next_turn(), messages, request.sampling.to_json())
                async with aclosing(self._reply(keeper, command, asked_at)) as events:
                    async for event in events:
                        if isinstance(event, ModelFinished):
                            finished = event
                        else:
                            yield event
        # Told only when the turn is wholly settled, so that a listener may leave on it without waiting for anything.
        yield replace(finished, total_s=time.monotonic() - asked_at)

    async def cancel(self) -> None:
        """See `chat.ports.Engine.cancel`."""
        self._tired_of_waiting = True
        self._changed.set()
        if self._running_turn is not None and not self._cancel_sent and self._keeper and self._keeper.process:
            self._cancel_sent = True
            self._keeper.process.send_soon(protocol.Cancel(self._running_turn))

    async def measure(self) -> protocol.Measured:
        """Memory of the child, answered at once whatever it does.

        Raises:
            EngineError: there is no living child, or it is silent.
        """
        keeper = await self._ready_keeper()
        if keeper is not None:
            command = protocol.Measure(keeper.next_turn())
            async with aclosing(self._answers(keeper, command)) as frames:
                async for frame in frames:
                    if isinstance(frame, protocol.Measured):
                        keeper.close_inbox(command.turn)
                        return frame
        raise EngineBusy("The engine process did not answer.")

    async def _reply(
        self, keeper: ChildKeeper, command: protocol.Generate, asked_at: float
    ) -> AsyncGenerator[EngineEvent, None]:
        self._running_turn, self._cancel_sent = command.turn, False
        self._tell(EngineState.THINKING, "Thinking…")
        settled = False
        prompt_tokens = 0
        first_token_s: float | None = None
        try:
            async for frame in self._answers(keeper, command):
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
                        keeper.back_off.succeeded()
                        yield ModelFinished(frame.stopped, prompt_tokens, frame.new_tokens, first_token_s, 0.0)
                        return
                    case protocol.Failed():
                        settled = not self._cancel_sent
                        raise EngineError(frame.sentence)
        finally:
            await self._settle(keeper, command.turn, settled)

    async def _answers(self, keeper: ChildKeeper, command: protocol.Frame) -> AsyncGenerator[protocol.Frame, None]:
        """Send `command` and yield the frames of its turn; the caller leaves when it has seen the last."""
        if keeper.process is None:
            raise EngineDied("The engine process is not running.")
        inbox = keeper.open_inbox(command.turn)
        unsent = True
        while True:
            try:
                async with asyncio.timeout(self._deadlines.silence_s):
                    if unsent:
                        await keeper.process.send(command)
                        unsent = False
                    frame = await inbox.get()
            except TimeoutError:
                await keeper.kill()
                raise EngineBusy(
                    "The engine process stopped answering. It is being restarted; what was said is still here."
                ) from None
            if isinstance(frame, EngineError):
                raise frame
            yield frame

    async def _settle(self, keeper: ChildKeeper, turn: int, settled: bool) -> None:
        """Leave `turn`: unless it ended by itself, cancel it and wait for the acknowledgement, or kill."""
        self._running_turn = None
        try:
            if not settled and keeper.loaded is not None and keeper.process is not None:
                if not self._cancel_sent:
                    keeper.process.send_soon(protocol.Cancel(turn))
                async with asyncio.timeout(self._deadlines.cancel_s):
                    await self._acknowledged(keeper, turn)
        except (TimeoutError, EngineError):
            await keeper.kill()
        finally:
            keeper.close_inbox(turn)
            if keeper.loaded is not None and self._state is EngineState.THINKING:
                self._tell(EngineState.READY, "Ready.")

    @staticmethod
    async def _acknowledged(keeper: ChildKeeper, turn: int) -> None:
        inbox = keeper.open_inbox(turn)
        while not isinstance(frame := await inbox.get(), protocol.Cancelled):
            if isinstance(frame, EngineError):
                raise frame

    async def _ready_keeper(self) -> ChildKeeper | None:
        """The keeper once its model stands ready, None if `cancel` came first. A new request tries again."""
        keeper = self._keeper
        if keeper is None:
            raise EngineError(NO_MODEL)
        self._tired_of_waiting = False
        if self._state is EngineState.UNAVAILABLE:
            keeper.refusal = ""
            keeper.back_off.succeeded()
            keeper.start()
        while keeper.loaded is None:
            if self._state is EngineState.UNAVAILABLE:
                raise EngineError(keeper.refusal or GAVE_UP)
            if self._tired_of_waiting:
                return None
            self._changed.clear()
            await self._changed.wait()
        return keeper

    def _tell(self, state: EngineState, sentence: str, progress: float | None = None) -> None:
        self._state = state
        self._changed.set()
        loaded = self.loaded
        adapter = (loaded.adapter or "") if loaded else ""
        self._on_status(EngineStatus(state, sentence, progress, loaded.model if loaded else "", adapter))
