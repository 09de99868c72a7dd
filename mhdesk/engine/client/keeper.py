"""Keeps one engine process alive: starts it, loads the model, passes requests on, starts it again when it dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mhdesk.core.engine_status import EngineState
from mhdesk.core.errors import EngineBusy, EngineDied, EngineError, ProtocolError
from mhdesk.core.paths import PROGRAM
from mhdesk.engine import protocol
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.process import EngineProcess

log = logging.getLogger(__name__)

NO_MODEL = (
    "No model is installed yet, so MHDesk cannot write replies. Help and helplines work. "
    f"Run {PROGRAM} setup to install the starter model."
)

GAVE_UP = (
    "The engine process keeps ending, so MHDesk cannot write replies now. Help and helplines work. "
    "Your next message tries again."
)

SILENT = "The engine process stopped answering. It is being restarted; what was said is still here."
NO_ANSWER = "The engine process did not answer."

Inbox = asyncio.Queue[protocol.Frame | EngineError]
"""Where the frames of one turn arrive, and the error that ends it if the child dies."""

Result = TypeVar("Result")

Tell = Callable[[EngineState, str, float | None], None]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds without any sign of life after which the child is killed: on start, on a request, on a cancel."""

    start_s: float = 180.0
    silence_s: float = 120.0
    cancel_s: float = 20.0


class ChildKeeper:
    """`process` and `loaded` are None while there is no child, or none that has loaded. `tell` hears every change.

    `model` and `adapter` are the pair in force: what every start loads.
    """

    def __init__(
        self,
        command: Sequence[str],
        model: Path | None,
        adapter: Path | None,
        deadlines: Deadlines,
        tell: Tell,
        back_off: BackOff,
    ) -> None:
        self.process: EngineProcess | None = None
        self.loaded: protocol.Loaded | None = None
        self.refusal = ""
        self.back_off = back_off
        self.model = model
        self.adapter = adapter
        self._command = command
        self._deadlines = deadlines
        self._tell = tell
        self._inboxes: dict[int, Inbox] = {}
        self._turn = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it runs already. Without a model there is nothing to run."""
        if self.model is None:
            self._tell(EngineState.NO_MODEL, NO_MODEL, None)
        elif self._task is None or self._task.done():
            self._tell(EngineState.LOADING, "Starting the engine…", None)
            self._task = asyncio.create_task(self._keep_alive(), name="engine-keeper")

    async def close(self) -> None:
        """End the child and everything that waits on it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})  # and not the task itself, which would swallow a cancel of ours
        self._fail_waiting(EngineDied("The engine process was ended."))

    async def restart(self, model: Path | None, adapter: Path | None) -> None:
        """End the child, put another pair into force, and begin again with it if it has a model."""
        await self.close()
        self.model, self.adapter = model, adapter
        self.try_again()

    def try_again(self) -> None:
        """Begin, whatever was refused or has failed before."""
        self.refusal = ""
        self.back_off.succeeded()
        self.start()

    def next_turn(self) -> int:
        """A number for the next request."""
        self._turn += 1
        return self._turn

    def open_inbox(self, turn: int) -> Inbox:
        """Frames of `turn` go here from now on; those of any other turn are dropped."""
        return self._inboxes.setdefault(turn, asyncio.Queue())

    def close_inbox(self, turn: int) -> None:
        """Drop what still comes for `turn`."""
        self._inboxes.pop(turn, None)

    async def ask(self, command: protocol.Frame) -> AsyncGenerator[protocol.Frame, None]:
        """Send `command` and yield the frames of its turn; the caller leaves when it has seen the last.

        Raises:
            EngineError: the child died, or was silent for so long that it was killed.
        """
        if self.process is None:
            raise EngineDied("The engine process is not running.")
        inbox = self.open_inbox(command.turn)
        unsent = True
        while True:
            try:
                async with asyncio.timeout(self._deadlines.silence_s):
                    if unsent:
                        await self.process.send(command)
                        unsent = False
                    frame = await inbox.get()
            except TimeoutError:
                await self.kill()
                raise EngineBusy(SILENT) from None
            if isinstance(frame, EngineError):
                raise frame
            yield frame

    async def answer(self, command: protocol.Frame) -> protocol.Frame:
        """The frame that settles `command`; progress on the way is told. Raises as `ask` does."""
        try:
            async with aclosing(self.ask(command)) as frames:
                while isinstance(frame := await anext(frames), protocol.Progress):
                    self._tell(EngineState.LOADING, frame.sentence, frame.fraction)
                return frame
        finally:
            self.close_inbox(command.turn)

    async def acknowledged(self, turn: int) -> None:
        """Wait until the child has acknowledged the cancel of `turn`, or kill it."""
        inbox = self.open_inbox(turn)
        try:
            async with asyncio.timeout(self._deadlines.cancel_s):
                while not isinstance(await inbox.get(), protocol.Cancelled | EngineError):
                    pass
        except TimeoutError:
            await self.kill()

    def adopt(self, loaded: protocol.Loaded) -> None:
        """The child says what it has loaded. It may have died since: then what restarts it tells the next state."""
        if self.process is not None:
            self.loaded = loaded
            self._tell(EngineState.READY, f"Ready. {loaded.warning}".strip(), None)

    async def kill(self) -> None:
        """End the child at once; it is started again as after any death."""
        if self.process is not None:
            self.loaded = None
            await self.process.kill()

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
            wait = self.back_off.failed()
            if wait is None:
                self._tell(EngineState.UNAVAILABLE, GAVE_UP, None)
                return
            self._tell(EngineState.RESTARTING, reason.sentence, None)
            await asyncio.sleep(wait)

    async def _live_once(self) -> None:
        """Start a child, load, and read frames until it dies. Returns only when the model is refused."""
        process = await _uninterrupted(self._start_process())
        hello = await self._receive(process, self._deadlines.start_s)
        if not isinstance(hello, protocol.Hello):
            raise ProtocolError("The engine process did not introduce itself; it is being restarted.")
        load = protocol.Load(self.next_turn(), str(self.model), str(self.adapter) if self.adapter else None)
        await process.send(load)
        loading = True
        while True:
            frame = await self._receive(process, self._deadlines.start_s if loading else None)
            if loading and frame.turn == load.turn:
                match frame:
                    case protocol.Progress():
                        self._tell(EngineState.LOADING, frame.sentence, frame.fraction)
                    case protocol.Loaded():
                        loading = False
                        self.adopt(frame)
                    case protocol.Failed():
                        self.refusal = frame.sentence
                        self._tell(EngineState.UNAVAILABLE, frame.sentence, None)
                        return
            elif frame.turn in self._inboxes:
                self._inboxes[frame.turn].put_nowait(frame)

    async def _start_process(self) -> EngineProcess:
        self.process = process = await EngineProcess.start(self._command)
        return process

    @staticmethod
    async def _receive(process: EngineProcess, deadline_s: float | None) -> protocol.Frame:
        try:
            async with asyncio.timeout(deadline_s):
                return await process.receive()
        except TimeoutError:
            raise EngineBusy("The engine process did not answer in time; it is being restarted.") from None

    async def _bury(self) -> None:
        process, self.process = self.process, None
        self.loaded = None
        if process is not None:
            await _uninterrupted(process.end())

    def _fail_waiting(self, error: EngineError) -> None:
        for inbox in self._inboxes.values():
            inbox.put_nowait(error)


async def _uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Do `work` to its end even if cancelled meanwhile: a child half started or half ended would be left behind."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
