"""How far long work is, in a terminal or a log."""

from __future__ import annotations

import sys
import time


class ProgressLine:
    """One line on standard error that begins with `head`, rewritten where a terminal can do that."""

    def __init__(self, head: str) -> None:
        self._head = f"{head} … "
        self._rewrites = sys.stderr.isatty()
        self._shown_at = 0.0

    def say(self, sentence: str, fraction: float | None) -> None:
        """Show how far the work is; where lines cannot be rewritten, only now and then."""
        now = time.monotonic()
        if self._rewrites or now - self._shown_at > 2:
            self._shown_at = now
            self._write(f"{sentence}{'' if fraction is None else f' {fraction:.0%}'}")

    def end(self, result: str) -> None:
        """Finish the line."""
        self._write(result)
        if self._rewrites:
            sys.stderr.write("\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{self._head}{text}\x1b[K" if self._rewrites else f"{self._head}{text}\n")
        sys.stderr.flush()
