"""The lines that a set-up shows on stderr: one for each step, with a small indication of how far it is."""

from __future__ import annotations

import io
import sys
import time
from typing import TextIO

STEPS = 6
"""Four are done here; the starter model and the starter adapter are the app's own (`mhdesk.cli`, word `setup`)."""

_PLAIN_INTERVAL = 5.0
"""Seconds between two indications of one step where lines cannot be rewritten, as in a log."""


class Progress:
    """Numbered steps. On a terminal a step rewrites its line; elsewhere it prints a new one now and then."""

    def __init__(self, stream: TextIO | None = None, steps: int = STEPS) -> None:
        # Python started without a console (pythonw) has no stderr at all.
        self._stream: TextIO = stream or sys.stderr or io.StringIO()
        self._rewrites = self._stream.isatty()
        self._steps = steps
        self._number = 0
        self._title = ""
        self._began = self._shown = 0.0

    def begin(self, title: str) -> None:
        """Start the next step."""
        self._number += 1
        self._title = title
        self._began = time.monotonic()
        self._shown = -_PLAIN_INTERVAL
        if self._rewrites:
            self._write("")

    def indicate(self, what: str) -> None:
        """Say how far the step is; calling it often is fine."""
        now = time.monotonic()
        if not self._rewrites and now - self._shown < _PLAIN_INTERVAL:
            return
        self._shown = now
        self._write(f"{what} ({now - self._began:.0f} s)")

    def end(self, result: str = "done") -> None:
        """Finish the step."""
        self._write(result)
        self._leave_line()

    def note(self, sentence: str) -> None:
        """A line of its own that is not a step."""
        self._leave_line()
        self._stream.write(f"{sentence}\n")
        self._stream.flush()

    def broken_off(self) -> None:
        """The set-up ends in the middle of a step: what follows starts on a line of its own."""
        self._leave_line()

    def _write(self, text: str) -> None:
        line = f"[{self._number}/{self._steps}] {self._title} … {text}".rstrip()
        self._stream.write(f"\r{line[:150]}\x1b[K" if self._rewrites else f"{line}\n")
        self._stream.flush()

    def _leave_line(self) -> None:
        if self._rewrites and self._title:
            self._stream.write("\n")
            self._stream.flush()
        self._title = ""
