"""Operators and comparisons. Numbers stay small, and what would be long is paid for before it is made."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from jinja2 import Undefined

from mhdesk.engine.template.reading import check_key, items_of
from mhdesk.engine.template.values import Lazy, Value
from mhdesk.engine.template.work import Refused, Work

_LARGEST_NUMBER = 2**63
_LARGEST_EXPONENT = 64


def number(value: Value) -> Value:
    """`value`, if it is a number of ordinary size.

    Raises:
        Refused: it is larger.
        TypeError: it is no number.
    """
    if not isinstance(value, int | float):
        raise TypeError("no number")
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise Refused("reckons with numbers that are too large")
    return value


def add(work: Work, left: Value, right: Value) -> Value:
    """`left + right`, of numbers, texts or lists."""
    if isinstance(left, str | list | tuple):
        work.spend_on(left, right)
        return left + right
    return number(number(left) + number(right))


def _multiply(work: Work, left: Value, right: Value) -> Value:
    if isinstance(right, str | list | tuple):
        left, right = right, left
    if isinstance(left, str | list | tuple) and isinstance(right, int):
        work.spend_on(left, times=right)
        return left * right
    return number(number(left) * number(right))


def _raise_to_power(work: Work, left: Value, right: Value) -> Value:
    if abs(number(right)) > _LARGEST_EXPONENT:
        raise Refused("reckons with numbers that are too large")
    return number(number(left) ** right)


def _numeric(operation: Callable[[Value, Value], Value]) -> Callable[[Work, Value, Value], Value]:
    return lambda work, left, right: number(operation(number(left), number(right)))


BINARY: Mapping[str, Callable[[Work, Value, Value], Value]] = {
    "+": add,
    "*": _multiply,
    "**": _raise_to_power,
    "-": _numeric(operator.sub),
    "/": _numeric(operator.truediv),
    "//": _numeric(operator.floordiv),
    "%": _numeric(operator.mod),
}


def contains(work: Work, container: Value, item: Value) -> bool:
    """`item in container`."""
    if isinstance(container, str):
        work.spend_on_search(container, item)
        return item in container
    if isinstance(container, dict):
        check_key(item)
        return item in container
    if isinstance(container, Undefined | Lazy):
        container = items_of(work, container)
    work.spend_on_parts(item)
    work.spend_on_parts(container)
    return item in container


def _compared(operation: Callable[[Value, Value], bool]) -> Callable[[Work, Value, Value], bool]:
    def compare(work: Work, left: Value, right: Value) -> bool:
        work.spend_on_parts(left)
        work.spend_on_parts(right)
        return operation(left, right)

    return compare


COMPARISONS: Mapping[str, Callable[[Work, Value, Value], bool]] = {
    "eq": _compared(operator.eq),
    "ne": _compared(operator.ne),
    "gt": _compared(operator.gt),
    "gteq": _compared(operator.ge),
    "lt": _compared(operator.lt),
    "lteq": _compared(operator.le),
    "in": lambda work, left, right: contains(work, right, left),
    "notin": lambda work, left, right: not contains(work, right, left),
}
