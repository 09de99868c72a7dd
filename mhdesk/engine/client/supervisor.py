"""Keeps one engine process alive and asks it one thing at a time.

Being dead is an ordinary state here: it has a status, a sentence, and a next attempt after a wait that grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.core.errors import EngineBusy, EngineDied, EngineError, ProtocolError
from mhdesk.core.events import Window
from mhdesk.core.generation import EngineEvent, GenerationRequest, ModelFinished, ModelText
from mhdesk.engine import protocol
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.process import EngineProcess

log = logging.getLogger(__name__)

NO_MODEL = (
    "No model is installed yet, so MHDesk cannot write replies. Help and helplines work. "
    "Run python runApp.py setup to install the starter model."
)
_GAVE_UP = (
    "The engine process keeps ending, so MHDesk cannot write replies now. Help and helplines work. "
    "Your next message tries again."
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds without any sign of life after which the child is killed: on start, on a request, on a cancel."""

    start_s: float = 180.0
    silence_s: float = 120.0
    cancel_s: float = 20.0


class EngineSupervisor:
    """An `Engine` (see `chat.ports`) whose process is restarted when it dies.

    `on_status` is called on the event loop at every change of state.
    """

    def __init__(
        self,
        command: Sequence[str],
        model: Path | None,
        adapter: Path | None,
        on_status: Callable[[EngineStatus], None],
        deadlines: Deadlines | None = None,
    ) -> None:
        self._command = command
        self._model = model
        self._adapter = adapter
        self._on_status = on_status
        self._deadlines = deadlines or Deadlines()
        self._back_off = BackOff()
        self._state = EngineState.NO_MODEL
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._process: EngineProcess | None = None
        self._hello: protocol.Hello | None = None
        self._loaded: protocol.Loaded | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._turn = 0
        self._running_turn: int | None = None
        self._cancel_sent = False
        self._waiting: dict[int, asyncio.Queue[protocol.Frame | EngineError]] = {}
        self._tired_of_waiting = False
        self._refusal = ""

    @property
    def pid(self) -> int | None:
        """Process id of the living child."""
        return self._process.pid if self._process else None

    @property
    def hello(self) -> protocol.Hello | None:
        """How the last child introduced itself."""
        return self._hello

    @property
    def loaded(self) -> protocol.Loaded | None:
        """What the child has loaded, None until it has."""
        return self._loaded

    async def start(self) -> None:
        """Start the child and return at once; what becomes of it is told through `on_status`."""
        if self._model is None:
            self._tell(EngineState.NO_MODEL, NO_MODEL)
        elif self._keeper is None or self._keeper.done():
            self._tell(EngineState.LOADING, "Starting the engine…")
            self._keeper = asyncio.create_task(self._keep_alive(), name="engine-keeper")

    async def close(self) -> None:
        """End the child and everything that waits on it."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        self._fail_waiting(EngineDied("MHDesk is closing."))

    async def generate(self, request: GenerationRequest) -> AsyncIterator[EngineEvent]:
        """See `chat.ports.Engine.generate`. Waits while the model is loading."""
        async with self._one_at_a_time:
            asked_at = time.monotonic()
            if not await self._until_ready():
                yield ModelFinished(True, 0, 0, None, time.monotonic() - asked_at)
                return
            command = protocol.Generate(
                self._next_turn(), [message.to_json() for message in request.messages], request.sampling.to_json()
            )
            self._running_turn, self._cancel_sent = command.turn, False
            self._tell(EngineState.THINKING, "Thinking…")
            settled = False
            prompt_tokens = 0
            first_token_s: float | None = None
            try:
                async for frame in self._answers(command):
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
                            self._back_off.succeeded()
                            yield ModelFinished(
                                frame.stopped,
                                prompt_tokens,
                                frame.new_tokens,
                                first_token_s,
                                time.monotonic() - asked_at,
                            )
                            return
                        case protocol.Failed():
                            settled = True
                            raise EngineError(frame.sentence)
            except EngineError:
                settled = settled or self._process is None
                raise
            finally:
                await self._settle(command.turn, settled)

    async def cancel(self) -> None:
        """See `chat.ports.Engine.cancel`."""
        self._tired_of_waiting = True
        self._changed.set()
        if self._running_turn is not None and not self._cancel_sent and self._process is not None:
            self._cancel_sent = True
            with contextlib.suppress(EngineDied):
                await self._process.send(protocol.Cancel(self._running_turn))

    async def measure(self) -> protocol.Measured:
        """Memory of the child, answered at once whatever it does.

        Raises:
            EngineError: there is no living child, or it is silent.
        """
        async for frame in self._answers(protocol.Measure(self._next_turn())):
            if isinstance(frame, protocol.Measured):
                return frame
        raise EngineBusy("The engine process did not answer.")

    # --- the child's life ------------------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        while True:
            try:
                await self._live_once()
            except EngineError as error:
                log.warning("engine ended: %s", type(error).__name__)
                reason = error
            else:
                return
            finally:
                await self._bury()
            self._fail_waiting(reason)
            wait = self._back_off.failed()
            if wait is None:
                self._tell(EngineState.UNAVAILABLE, _GAVE_UP)
                return
            self._tell(EngineState.RESTARTING, reason.sentence)
            await asyncio.sleep(wait)

    async def _live_once(self) -> None:
        """Start a child, load, and read frames until it dies. Returns only when the model is refused."""
        self._process = await EngineProcess.start(self._command)
        await self._await_hello()
        load = protocol.Load(self._next_turn(), str(self._model), str(self._adapter) if self._adapter else None)
        await self._process.send(load)
        while True:
            loading = self._loaded is None
            frame = await self._receive(self._deadlines.start_s if loading else None)
            if loading and frame.turn == load.turn:
                match frame:
                    case protocol.Progress():
                        self._tell(EngineState.LOADING, frame.sentence, frame.fraction)
                    case protocol.Loaded():
                        self._loaded = frame
                        self._tell(EngineState.READY, "Ready.")
                    case protocol.Failed():
                        self._refusal = frame.sentence
                        self._tell(EngineState.UNAVAILABLE, frame.sentence)
                        return
            elif frame.turn in self._waiting:
                self._waiting[frame.turn].put_nowait(frame)

    async def _await_hello(self) -> None:
        hello = await self._receive(self._deadlines.start_s)
        if not isinstance(hello, protocol.Hello):
            raise ProtocolError("The engine process did not introduce itself; it is being restarted.")
        self._hello = hello

    async def _receive(self, deadline_s: float | None) -> protocol.Frame:
        if self._process is None:
            raise EngineDied("The engine process is gone.")
        try:
            return await asyncio.wait_for(self._process.receive(), deadline_s)
        except TimeoutError:
            raise EngineBusy("The engine process did not answer in time; it is being restarted.") from None

    async def _bury(self) -> None:
        process, self._process = self._process, None
        self._loaded = None
        if process is not None:
            await process.end()

    # --- one request -----------------------------------------------------------------------------------------------

    async def _answers(self, command: protocol.Frame) -> AsyncIterator[protocol.Frame]:
        """Send `command` and yield the frames of its turn; the caller leaves when it has seen the last."""
        if self._process is None:
            raise EngineDied("The engine process is not running.")
        inbox: asyncio.Queue[protocol.Frame | EngineError] = asyncio.Queue()
        self._waiting[command.turn] = inbox
        await self._process.send(command)
        while True:
            try:
                frame = await asyncio.wait_for(inbox.get(), self._deadlines.silence_s)
            except TimeoutError:
                await self._kill()
                raise EngineBusy(
                    "The engine process stopped answering. It is being restarted; what was said is still here."
                ) from None
            if isinstance(frame, EngineError):
                raise frame
            yield frame

    async def _settle(self, turn: int, settled: bool) -> None:
        """Leave `turn`: unless it ended by itself, cancel it and wait for the acknowledgement, or kill."""
        self._running_turn = None
        try:
            if not settled and self._process is not None:
                if not self._cancel_sent:
                    await self._process.send(protocol.Cancel(turn))
                await asyncio.wait_for(self._acknowledged(turn), self._deadlines.cancel_s)
        except (TimeoutError, EngineError):
            await self._kill()
        finally:
            self._waiting.pop(turn, None)
            if self._loaded is not None and self._state is EngineState.THINKING:
                self._tell(EngineState.READY, "Ready.")

    async def _acknowledged(self, turn: int) -> None:
        while True:
            frame = await self._waiting[turn].get()
            if isinstance(frame, EngineError):
                raise frame
            if isinstance(frame, protocol.Cancelled):
                return

    async def _kill(self) -> None:
        if self._process is not None:
            await self._process.kill()

    async def _until_ready(self) -> bool:
        """True when the model stands ready, False if `cancel` came first."""
        self._tired_of_waiting = False
        if self._state is EngineState.UNAVAILABLE and not self._refusal:
            self._back_off.succeeded()
            await self.start()
        while self._loaded is None:
            if self._state in (EngineState.NO_MODEL, EngineState.UNAVAILABLE):
                raise EngineError(self._refusal or (NO_MODEL if self._model is None else _GAVE_UP))
            if self._tired_of_waiting:
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

    def _fail_waiting(self, error: EngineError) -> None:
        for inbox in self._waiting.values():
            inbox.put_nowait(error)

    def _tell(self, state: EngineState, sentence: str, progress: float | None = None) -> None:
        self._state = state
        self._changed.set()
        loaded = self._loaded
        self._on_status(
            EngineStatus(
                state,
                sentence,
                progress,
                model=loaded.model if loaded else "",
                adapter=(loaded.adapter or "") if loaded else "",
            )
        )
