"""Jinja's filters, those that chat templates use, with Jinja's own names and arguments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

from jinja2 import Undefined
from jinja2 import filters as jinja

from mhdesk.engine.template.access import get_path
from mhdesk.engine.template.methods import METHODS, join, replace
from mhdesk.engine.template.operators import add, number
from mhdesk.engine.template.predicates import TESTS
from mhdesk.engine.template.reading import check_key, items_of, text_of
from mhdesk.engine.template.values import SIZED, UNDEFINED, Lazy, Value
from mhdesk.engine.template.work import Refused, Work

Filter = Callable[..., Value]

_DEEPEST_INDENT = 32
_MOST_DIGITS = 15
_SORTING = 20
"""How often sorting looks at an item: the logarithm of the longest list there is budget for."""


def _by_method(name: str, work: Work, value: Value) -> Value:
    return METHODS[str][name](work, text_of(work, value))


def _trim(work: Work, value: Value, chars: str | None = None) -> Value:
    return METHODS[str]["strip"](work, text_of(work, value), chars)


def _title(work: Work, s: Value) -> str:
    text = text_of(work, s)
    work.spend(len(text))
    return jinja.do_title(text)


def _replace(work: Work, s: Value, old: Value, new: Value, count: int | None = None) -> str:
    return replace(work, text_of(work, s), text_of(work, old), text_of(work, new), -1 if count is None else count)


def _join(work: Work, value: Value, d: Value = "", attribute: Value = None) -> str:
    texts = [text_of(work, get_path(work, item, attribute)) for item in items_of(work, value)]
    return join(work, text_of(work, d), texts)


def _indent(work: Work, s: Value, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    margin = width if isinstance(width, str) else " " * min(width, _DEEPEST_INDENT + 1)
    if len(margin) > _DEEPEST_INDENT:
        raise Refused("indents too far")
    if not isinstance(s, str):
        raise TypeError("no text")
    work.spend(len(s))
    return jinja.do_indent(s, margin, first, blank)


def _to_json(
    work: Work,
    x: Value,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As transformers has it: without the HTML escapes of Jinja's own."""
    margin = indent if isinstance(indent, str) else " " * min(indent or 0, _DEEPEST_INDENT + 1)
    if len(margin) > _DEEPEST_INDENT or any(len(separator) > _DEEPEST_INDENT for separator in separators or ()):
        raise Refused("indents too far")
    work.spend_on_parts(x, plain=True, times=2 + len(margin))
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _length(work: Work, value: Value) -> int:
    if isinstance(value, Undefined):
        return 0
    if not isinstance(value, SIZED):
        raise TypeError("has no length")
    return len(value)


def _default(work: Work, value: Value, default_value: Value = "", boolean: bool = False) -> Value:
    return jinja.do_default(value, default_value, boolean)


def _first(work: Work, seq: Value) -> Value:
    if isinstance(seq, Lazy):
        return next(seq, UNDEFINED)
    items = items_of(work, seq)
    return items[0] if items else UNDEFINED


def _last(work: Work, seq: Value) -> Value:
    if isinstance(seq, Lazy):
        raise TypeError("has no last item")
    items = items_of(work, seq)
    return items[-1] if items else UNDEFINED


def _reverse(work: Work, value: Value) -> Value:
    if isinstance(value, str):
        work.spend_on(value)
        return value[::-1]
    return iter(items_of(work, value)[::-1])


def _integer(work: Work, value: Value, default: Value = 0, base: int = 10) -> Value:
    work.spend_on_parts(value)
    found = jinja.do_int(value, default, base)
    return number(found) if isinstance(found, int) else found


def _float(work: Work, value: Value, default: Value = 0.0) -> Value:
    work.spend_on_parts(value)
    return jinja.do_float(value, default)


def _round(work: Work, value: Value, precision: int = 0, method: str = "common") -> Value:
    if abs(precision) > _MOST_DIGITS:
        raise Refused("reckons with numbers that are too large")
    return number(jinja.do_round(number(value), precision, method))  # type: ignore[arg-type]


def _sum(work: Work, iterable: Value, attribute: Value = None, start: Value = 0) -> Value:
    if isinstance(start, str):
        raise TypeError("texts are joined, not summed")
    for item in items_of(work, iterable):
        start = add(work, start, get_path(work, item, attribute))
    return start


def _items(work: Work, value: Value) -> Value:
    if not isinstance(value, dict | Undefined):
        raise TypeError("no mapping")
    return iter(items_of(work, value.items() if isinstance(value, dict) else value))


def _dictsort(
    work: Work, value: Value, case_sensitive: bool = False, by: str = "key", reverse: bool = False
) -> list[Value]:
    if not isinstance(value, dict):
        raise TypeError("no mapping")
    work.spend_on_parts(value, times=_SORTING)
    return jinja.do_dictsort(value, case_sensitive, by, reverse)  # type: ignore[arg-type]


def _sort(
    work: Work, value: Value, reverse: bool = False, case_sensitive: bool = False, attribute: Value = None
) -> list[Value]:
    paths = [attribute]
    if isinstance(attribute, str):
        work.spend(len(attribute))
        paths = attribute.split(",")

    def key(item: Value) -> list[Value]:
        found = [get_path(work, item, path) for path in paths]
        work.spend_on_parts(found, times=_SORTING)
        return found if case_sensitive else [jinja.ignore_case(part) for part in found]

    return sorted(items_of(work, value), key=key, reverse=reverse)


def _unique(work: Work, value: Value, case_sensitive: bool = False, attribute: Value = None) -> Value:
    kept: dict[Value, Value] = {}
    for item in items_of(work, value):
        found = get_path(work, item, attribute)
        check_key(found)
        work.spend_on_parts(found)
        kept.setdefault(found if case_sensitive else jinja.ignore_case(found), item)
    return iter(list(kept.values()))


def _extreme(
    choose: Callable[..., Value], work: Work, value: Value, case_sensitive: bool = False, attribute: Value = None
) -> Value:
    def key(item: Value) -> Value:
        found = get_path(work, item, attribute)
        work.spend_on_parts(found, times=2)
        return found if case_sensitive else jinja.ignore_case(found)

    return choose(items_of(work, value), key=key, default=UNDEFINED)


def _map(work: Work, value: Value, *arguments: Value, **options: Value) -> Value:
    if not value:
        return iter([])
    if arguments:
        name, *rest = arguments
        return iter([run_filter(work, name, item, *rest, **options) for item in items_of(work, value)])
    attribute, default = options.pop("attribute"), options.pop("default", None)
    if options:
        raise TypeError("unknown option")
    found = [get_path(work, item, attribute) for item in items_of(work, value)]
    return iter([default if default is not None and isinstance(part, Undefined) else part for part in found])


def _choose(by_attribute: bool, wanted: bool, work: Work, value: Value, *arguments: Value, **options: Value) -> Value:
    if not value:
        return iter([])
    attribute, *rest = arguments if by_attribute else (None, *arguments)

    def fits(item: Value) -> bool:
        found = get_path(work, item, attribute)
        return run_test(work, rest[0], found, *rest[1:], **options) if rest else bool(found)

    return iter([item for item in items_of(work, value) if fits(item) is wanted])


def run_filter(work: Work, name: Value, value: Value, /, *arguments: Value, **options: Value) -> Value:
    """The value of `value|name(…)`."""
    work.spend(1)
    if not isinstance(name, str) or name not in FILTERS:
        raise Refused("uses a filter that is not allowed")
    return FILTERS[name](work, value, *arguments, **options)


def run_test(work: Work, name: Value, value: Value, /, *arguments: Value, **options: Value) -> bool:
    """The value of `value is name(…)`."""
    work.spend(1)
    if not isinstance(name, str) or name not in TESTS:
        raise Refused("uses a test that is not allowed")
    return bool(TESTS[name](work, value, *arguments, **options))


FILTERS: Mapping[str, Filter] = {
    "abs": lambda work, value: abs(number(value)),
    "capitalize": partial(_by_method, "capitalize"),
    "count": _length,
    "d": _default,
    "default": _default,
    "dictsort": _dictsort,
    "first": _first,
    "float": _float,
    "indent": _indent,
    "int": _integer,
    "items": _items,
    "join": _join,
    "last": _last,
    "length": _length,
    "list": items_of,
    "lower": partial(_by_method, "lower"),
    "map": _map,
    "max": partial(_extreme, max),
    "min": partial(_extreme, min),
    "reject": partial(_choose, False, False),
    "rejectattr": partial(_choose, True, False),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "safe": text_of,
    "select": partial(_choose, False, True),
    "selectattr": partial(_choose, True, True),
    "sort": _sort,
    "string": text_of,
    "sum": _sum,
    "title": _title,
    "tojson": _to_json,
    "trim": _trim,
    "unique": _unique,
    "upper": partial(_by_method, "upper"),
}
