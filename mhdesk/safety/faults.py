"""When the safety layer itself fails: show help rather than stay silent, and count it. Never a word of the text."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import MHDeskError
from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.messages import Message

log = logging.getLogger(__name__)

KINDS: Final = ("screen", "gate")
FAILED_SAFE: Final = Verdict(Level.CRISIS, (Topic.SUICIDE,), rules=("internal-error",))
"""What stands for a verdict that could not be reached: no silence (promise 4 of the design)."""


class Assessor(Protocol):
    """Anything that gives verdicts as the screen does."""

    def assess(self, turns: Sequence[Message], region: str = "") -> Verdict:
        """The verdict on the last user turn."""
        ...


def safe_assess(screen: Assessor, turns: Sequence[Message], region: str, count: Callable[[str], None]) -> Verdict:
    """The screen's verdict, or `FAILED_SAFE` and `count("screen")` if the screen raises anything."""
    try:
        return screen.assess(turns, region)
    except Exception as error:  # whatever went wrong, the person sees help
        log.error("the screen failed: %s", type(error).__name__)
        count("screen")
        return FAILED_SAFE


class FaultCounter:
    """How often screen and gate failed safe, in a small JSON file. Storage failing is no reason to fail."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts = dict.fromkeys(KINDS, 0)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError):
            log.warning("the file of fault counts cannot be read; counting from zero")
            return
        for kind in KINDS:
            value = stored.get(kind) if isinstance(stored, dict) else None
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                self._counts[kind] = value

    def add(self, kind: str) -> None:
        """Count one fault of `kind` and write the file; a failing disk is only logged."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        try:
            write_json(self._path, self._counts)
        except (MHDeskError, OSError):
            log.warning("the file of fault counts cannot be written")

    def counts(self) -> dict[str, int]:
        """A copy of the counts."""
        return dict(self._counts)
