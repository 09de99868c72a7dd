"""The values a template can hold: Python's plain ones, and four of our own that give away nothing of Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from jinja2 import Undefined

Value: TypeAlias = Any
"""None, bool, int, float, str, list, tuple, dict, range, a dictionary's view, an iterator over a list that a filter
made, `Undefined`, or one of the classes below. Nothing else can come into being."""

UNDEFINED = Undefined()

ATOMS = (type(None), bool, int, float)

PLAIN: tuple[type[Any], ...] = (list, tuple, dict, range, type({}.keys()), type({}.values()), type({}.items()))

SIZED: tuple[type[Any], ...] = (str, *PLAIN)

SEQUENCES = (str, list, tuple, range)

Lazy: type[Any] = type(iter([]))
"""Jinja's `map`, `select` and their like give generators: always true, without a length, read once. So is this."""


class Namespace:
    """What `namespace()` makes: the one thing that a template can change."""

    def __init__(self, names: dict[str, Value]) -> None:
        self.names = names


class Loop:
    """What `loop` is inside a loop."""

    ATTRIBUTES = frozenset(
        (
            "index",
            "index0",
            "revindex",
            "revindex0",
            "first",
            "last",
            "length",
            "previtem",
            "nextitem",
            "depth",
            "depth0",
        )
    )
    depth = 1
    depth0 = 0

    def __init__(self, items: list[Value]) -> None:
        self._items = items
        self.length = len(items)
        self.index0 = 0

    @property
    def index(self) -> int:
        """Place of the present item, counted from 1."""
        return self.index0 + 1

    @property
    def revindex(self) -> int:
        """Items from here to the end, this one too."""
        return self.length - self.index0

    @property
    def revindex0(self) -> int:
        """Items after this one."""
        return self.length - self.index

    @property
    def first(self) -> bool:
        """Whether no item came before."""
        return self.index0 == 0

    @property
    def last(self) -> bool:
        """Whether no item follows."""
        return self.index == self.length

    @property
    def previtem(self) -> Value:
        """The item before."""
        return UNDEFINED if self.first else self._items[self.index0 - 1]

    @property
    def nextitem(self) -> Value:
        """The item after."""
        return UNDEFINED if self.last else self._items[self.index]


class Function:
    """Something to call: a global such as `range`, or a method such as `''.split`, given `work` first."""

    def __init__(self, run: Callable[..., Value], *bound: Value) -> None:
        self.run = run
        self.bound = bound
