"""Jinja's tests, those that chat templates use (`is defined`, `is string`…)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinja2 import Undefined
from jinja2 import tests as jinja

from mhdesk.engine.template.operators import COMPARISONS, contains, number
from mhdesk.engine.template.values import Function, Value
from mhdesk.engine.template.work import Work

Test = Callable[..., Value]


def _of_value(test: Callable[..., Value]) -> Test:
    return lambda work, value: test(value)


def _divisible(work: Work, value: Value, num: Value) -> bool:
    return jinja.test_divisibleby(number(value), number(num))


def _in(work: Work, value: Value, seq: Value) -> bool:
    return contains(work, seq, value)


TESTS: Mapping[str, Test] = {
    "defined": _of_value(jinja.test_defined),
    "undefined": _of_value(jinja.test_undefined),
    "none": _of_value(jinja.test_none),
    "boolean": _of_value(jinja.test_boolean),
    "false": _of_value(jinja.test_false),
    "true": _of_value(jinja.test_true),
    "integer": _of_value(jinja.test_integer),
    "float": _of_value(jinja.test_float),
    "number": _of_value(jinja.test_number),
    "string": _of_value(jinja.test_string),
    "mapping": _of_value(jinja.test_mapping),
    "sequence": _of_value(jinja.test_sequence),
    "iterable": _of_value(jinja.test_iterable),
    "callable": _of_value(lambda value: isinstance(value, Function | Undefined)),  # Jinja has it so
    "odd": lambda work, value: number(value) % 2 == 1,
    "even": lambda work, value: number(value) % 2 == 0,
    "divisibleby": _divisible,
    "in": _in,
    "sameas": lambda work, value, other: value is other,
    **dict.fromkeys(("eq", "equalto", "=="), COMPARISONS["eq"]),
    **dict.fromkeys(("ne", "!="), COMPARISONS["ne"]),
    **dict.fromkeys(("gt", "greaterthan", ">"), COMPARISONS["gt"]),
    **dict.fromkeys(("ge", ">="), COMPARISONS["gteq"]),
    **dict.fromkeys(("lt", "lessthan", "<"), COMPARISONS["lt"]),
    **dict.fromkeys(("le", "<="), COMPARISONS["lteq"]),
}
