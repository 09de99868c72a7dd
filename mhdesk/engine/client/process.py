"""One engine process: started, spoken to by frames, and gone. It never restarts itself; the supervisor does that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from mhdesk.core.errors import EngineDied, ProtocolError
from mhdesk.engine import protocol
from mhdesk.engine.client.launch import engine_environment

log = logging.getLogger(__name__)

_GRACE_S = 2.0


class EngineProcess:
    """A child that speaks frames. `receive` and `send` raise `EngineDied` once it has ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None  # noqa: S101  both are pipes, by `start`
        assert process.stdout is not None  # noqa: S101
        self._to_child = process.stdin
        self._from_child = process.stdout

    @classmethod
    async def start(cls, command: Sequence[str]) -> EngineProcess:
        """Start a child.

        Raises:
            EngineDied: the system would not start it.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=protocol.MAX_FRAME_BYTES,
                env=engine_environment(),
            )
        except OSError as error:
            raise EngineDied(
                f"The engine process could not be started ({error.strerror}). Help and helplines still work."
            ) from error
        return cls(process)

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    async def send(self, frame: protocol.Frame) -> None:
        """Write one frame.

        Raises:
            EngineDied: the pipe is broken.
            ProtocolError: the frame is too long to send.
        """
        line = protocol.encode(frame)
        try:
            self._to_child.write(line)
            await self._to_child.drain()
        except (OSError, RuntimeError) as error:
            raise EngineDied(await self._death_sentence()) from error

    def send_soon(self, frame: protocol.Frame) -> None:
        """Write one small frame without waiting for the child to read: for what must never block."""
        with contextlib.suppress(OSError, RuntimeError):
            self._to_child.write(protocol.encode(frame))

    async def receive(self) -> protocol.Frame:
        """The next frame.

        Raises:
            EngineDied: the child has ended.
            ProtocolError: it wrote something that is no frame.
        """
        try:
            line = await self._from_child.readline()
        except ValueError:
            raise ProtocolError("The engine process wrote a line without end; it is being restarted.") from None
        except OSError as error:
            raise EngineDied(await self._death_sentence()) from error
        if not line:
            raise EngineDied(await self._death_sentence())
        return protocol.decode(line, protocol.REPORTS)

    async def end(self) -> None:
        """Close its pipe, on which it ends by itself; kill it if it does not within two seconds."""
        with contextlib.suppress(OSError, RuntimeError):
            self._to_child.close()
        try:
            async with asyncio.timeout(_GRACE_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _death_sentence(self) -> str:
        try:
            async with asyncio.timeout(_GRACE_S):
                code = await self._process.wait()
        except TimeoutError:
            return "The engine process closed its pipe. It is being restarted; what was said is still here."
        if code == -9:
            return (
                "The engine process was ended by the system, perhaps because memory ran out. "
                "It is being restarted; what was said is still here."
            )
        return "The engine process ended unexpectedly. It is being restarted; what was said is still here."
