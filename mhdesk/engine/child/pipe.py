"""The child's private end of the pipe: native libraries print to descriptor 1, so the protocol does not use it."""

from __future__ import annotations

import os
import threading
from typing import BinaryIO, TextIO

from mhdesk.engine import protocol


class FrameWriter:
    """Writes whole frames from any thread. A closed pipe means that the window is gone, and so is our purpose."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._one_at_a_time = threading.Lock()

    def send(self, frame: protocol.Frame) -> None:
        """Write one frame, or end the process when nobody reads any more."""
        self.send_raw(protocol.encode(frame))

    def send_raw(self, line: bytes) -> None:
        """Write bytes as they are."""
        with self._one_at_a_time:
            view = memoryview(line)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:
                os._exit(0)


def claim_standard_output(stdout: TextIO) -> FrameWriter:
    """Keep descriptor 1 for the protocol under a private number, and point 1 itself at stderr."""
    stdout.flush()
    private = os.dup(1)
    os.set_inheritable(private, False)
    os.dup2(2, 1)
    return FrameWriter(private)


def read_line(stream: BinaryIO) -> bytes | None:
    """The next line of `stream`, None at its end. A line over the limit is skipped whole and given as empty."""
    line = stream.readline(protocol.MAX_FRAME_BYTES + 1)
    if not line:
        return None
    if len(line) <= protocol.MAX_FRAME_BYTES:
        return line
    while line and not line.endswith(b"\n"):
        line = stream.readline(protocol.MAX_FRAME_BYTES + 1)
    return b"\n"
