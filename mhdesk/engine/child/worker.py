"""Does one request at a time on a thread of its own, so that the main thread stays answerable."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mhdesk.core.errors import MHDeskError
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine import protocol
from mhdesk.engine.child.backend import Backend, Say

log = logging.getLogger(__name__)

_UNEXPECTED = "The engine ran into a problem it did not expect. Please try again; what was said is still here."
_OUT_OF_MEMORY = (
    "There is not enough free memory for this. Please close other programs or choose a smaller model, then try again."
)

_IDLE_LOOK_S = 3.0
"""How often an idle engine looks whether the system needs the memory that it could give back."""


class Worker:
    """Takes commands with `submit` and `cancel` from the main thread; reports through `send`."""

    def __init__(self, backend: Backend, send: Callable[[protocol.Frame], None]) -> None:
        self._backend = backend
        self._send = send
        self._commands: queue.SimpleQueue[protocol.Frame] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._unfinished: set[int] = set()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._run, name="engine-worker", daemon=True).start()

    def submit(self, command: protocol.Frame) -> None:
        """Queue a command."""
        with self._guard:
            self._unfinished.add(command.turn)
        self._commands.put(command)

    def cancel(self, turn: int) -> None:
        """Stop `turn` where it next asks. Acknowledged by the worker after its last frame, or here if it has ended."""
        with self._guard:
            if turn in self._unfinished:
                self._cancelled.add(turn)
                return
        self._send(protocol.Cancelled(turn))

    def _run(self) -> None:
        while True:
            try:
                command = self._commands.get(timeout=_IDLE_LOOK_S)
            except queue.Empty:
                self._backend.relieve()
                continue
            try:
                self._do(command)
            except MHDeskError as error:
                self._send(protocol.Failed(command.turn, error.sentence))
            except MemoryError:
                self._send(protocol.Failed(command.turn, _OUT_OF_MEMORY))
            except Exception as error:
                # The message may quote the conversation; its type and place may not.
                log.error("%s failed: %s at %s", command.kind, type(error).__name__, _place(error))
                out_of_memory = "can't allocate memory" in str(error) or "out of memory" in str(error)
                self._send(protocol.Failed(command.turn, _OUT_OF_MEMORY if out_of_memory else _UNEXPECTED))
            with self._guard:
                self._unfinished.discard(command.turn)
                acknowledge = command.turn in self._cancelled
                self._cancelled.discard(command.turn)
            if acknowledge:
                self._send(protocol.Cancelled(command.turn))

    def _do(self, command: protocol.Frame) -> None:
        turn = command.turn
        say = self._say(turn)
        match command:
            case protocol.Load():
                folders = Path(command.model), _folder(command.adapter)
                loaded = self._backend.load(*folders, command.threads, say, command.context_tokens)
                self._send(replace(loaded, turn=turn))
            case protocol.UseAdapter():
                self._send(replace(self._backend.use_adapter(_folder(command.adapter), say), turn=turn))
            case protocol.Generate():
                messages = [Message(Role(message["role"]), message["text"]) for message in command.messages]
                sampling = Sampling.from_json(command.sampling)
                for step in self._backend.generate(messages, sampling, lambda: turn in self._cancelled):
                    self._send(replace(step, turn=turn))
            case protocol.Job():
                result = self._backend.job(command.name, command.arguments, say, lambda: turn in self._cancelled)
                self._send(protocol.Done(turn, result))

    def _say(self, turn: int) -> Say:
        return lambda sentence, fraction: self._send(protocol.Progress(turn, sentence, fraction))


def _folder(named: str | None) -> Path | None:
    return Path(named) if named else None


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
