"""Keeps one engine process alive: starts it, loads the model, reads its frames, starts it again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mhdesk.core.engine_status import EngineState
from mhdesk.core.errors import EngineBusy, EngineDied, EngineError, ProtocolError
from mhdesk.engine import protocol
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.process import EngineProcess

log = logging.getLogger(__name__)

GAVE_UP = (
    "The engine process keeps ending, so MHDesk cannot write replies now. Help and helplines work. "
    "Your next message tries again."
)

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
    """`process` and `loaded` are None while there is no child, or none that has loaded. `tell` hears every change."""

    def __init__(
        self,
        command: Sequence[str],
        model: Path,
        adapter: Path | None,
        deadlines: Deadlines,
        tell: Tell,
        back_off: BackOff,
    ) -> None:
        self.process: EngineProcess | None = None
        self.loaded: protocol.Loaded | None = None
        self.refusal = ""
        self.back_off = back_off
        self._command = command
        self._model = model
        self._adapter = adapter
        self._deadlines = deadlines
        self._tell = tell
        self._inboxes: dict[int, Inbox] = {}
        self._turn = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it runs already."""
        if self._task is None or self._task.done():
            self._tell(EngineState.LOADING, "Starting the engine…", None)
            self._task = asyncio.create_task(self._keep_alive(), name="engine-keeper")

    async def close(self) -> None:
        """End the child and everything that waits on it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._fail_waiting(EngineDied("MHDesk is closing."))

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
        load = protocol.Load(self.next_turn(), str(self._model), str(self._adapter) if self._adapter else None)
        await process.send(load)
        loading = True
        while True:
            frame = await self._receive(process, self._deadlines.start_s if loading else None)
            if loading and frame.turn == load.turn:
                match frame:
                    case protocol.Progress():
                        self._tell(EngineState.LOADING, frame.sentence, frame.fraction)
                    case protocol.Loaded():
                        self.loaded, loading = frame, False
                        self._tell(EngineState.READY, "Ready.", None)
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
