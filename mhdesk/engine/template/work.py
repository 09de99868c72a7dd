"""What rendering may cost: one count of steps, the same on every machine, that no clock has a part in."""

from __future__ import annotations

import sys
from collections.abc import Sized

from jinja2 import Undefined

from mhdesk.engine.template.values import ATOMS, PLAIN, Value

_BYTES_A_STEP = 128
"""Making or reading so many bytes counts as much as one node of the template: both take less than a microsecond."""

_DEEPEST_VALUE = 40


class Refused(Exception):
    """The template may not do this. The message completes "its chat template …" and never holds what was said."""


class Work:
    """Counts the steps down. Whatever is large is paid for before it is made."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Pay.

        Raises:
            Refused: the budget is used up.
        """
        self._left -= steps
        if self._left < 0:
            raise Refused("asks for more work than a conversation needs")

    def spend_on(self, *values: Sized, times: int = 1) -> None:
        """Pay for making texts or lists as large as `values` together, `times` over."""
        size = sum(map(sys.getsizeof, values)) * max(times, 0)
        self.spend(size // _BYTES_A_STEP)

    def spend_on_search(self, text: str, sought: str, *, backwards: bool = False) -> None:
        """Pay for looking for `sought`: Python looks cleverly for long words, but forwards only."""
        self.spend(len(text) * (len(sought) if backwards else min(len(sought), 100)) // _BYTES_A_STEP)

    def spend_on_parts(self, value: Value, *, plain: bool = False, times: int = 1) -> None:
        """Pay for reading `value` to its innermost parts, as printing and comparing do.

        A list that holds another twice is read twice, so that doubling cannot hide what it costs.

        Raises:
            Refused: it is nested too deeply; or, with `plain`, it holds something that cannot be written down.
        """
        waiting: list[tuple[Value, int]] = [(value, 0)]
        while waiting:
            part, depth = waiting.pop()
            self.spend(times)
            if isinstance(part, str):
                self.spend_on(part, times=times)
            elif isinstance(part, PLAIN):
                if depth == _DEEPEST_VALUE:
                    raise Refused("nests its values too deeply")
                self.spend(len(part))
                inner = (*part.keys(), *part.values()) if isinstance(part, dict) else part
                waiting.extend((item, depth + 1) for item in inner)
            elif plain and not isinstance(part, (*ATOMS, Undefined)):
                raise Refused("prints something that is no text")
