"""How long to wait before an engine process is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class BackOff:
    """Waits that double from `first_s` to `longest_s`; given up after `attempts` failures in a row."""

    first_s: float = 0.5
    longest_s: float = 30.0
    attempts: int = 5
    failures: int = 0

    def failed(self) -> float | None:
        """Count a failure; the wait in seconds before the next attempt, or None to give up for now."""
        self.failures += 1
        if self.failures >= self.attempts:
            return None
        wait: float = min(self.longest_s, self.first_s * 2.0 ** (self.failures - 1))
        return wait

    def succeeded(self) -> None:
        """The engine has done useful work: the next failure starts from the shortest wait."""
        self.failures = 0
