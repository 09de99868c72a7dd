"""How far the writing is, told now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Progress:
    """Tells of `attempts` that may be made until `wanted` rows have come of them."""

    def __init__(self, attempts: int, wanted: int, tell: Callable[[str], None], every_s: float = 15.0) -> None:
        self._attempts = attempts
        self._wanted = wanted
        self._tell = tell
        self._every_s = every_s
        self._began = self._told = time.monotonic()
        self._kept = 0

    def after(self, done: int, passed: int, asked: int) -> None:
        """Say where things stand, if it is time.

        Args:
            done: attempts that are settled.
            passed: rows that came of them and may go on.
            asked: texts that the writer was asked for in this run; what was kept of an earlier one takes no time.
        """
        now = time.monotonic()
        if not asked:
            self._began, self._kept = now, done
        if now - self._told < self._every_s:
            return
        self._told = now
        left = min(self._attempts - done, math.ceil((self._wanted - passed) * done / passed) if passed else math.inf)
        minutes = math.ceil(left * (now - self._began) / max(1, done - self._kept) / 60)
        self._tell(
            f"augment: {done} of at most {self._attempts} attempts, {passed} of {self._wanted} rows, "
            f"about {minutes} min left"
        )
