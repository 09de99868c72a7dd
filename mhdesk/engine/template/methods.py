"""The methods of texts, lists and dictionaries that templates may call. What could swell is paid for beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from mhdesk.engine.template.reading import check_key, items_of
from mhdesk.engine.template.values import Value
from mhdesk.engine.template.work import Work

Method = Callable[..., Value]


def _simple(name: str, work: Work, text: str, /) -> Value:
    work.spend_on(text, times=3)  # a capital letter can be three: ΐ
    return getattr(str, name)(text)


def _strip(name: str, work: Work, text: str, characters: str | None = None, /) -> str:
    work.spend_on_search(text, characters or " ", backwards=True)
    stripped: str = getattr(str, name)(text, characters)
    return stripped


def _split(name: str, work: Work, text: str, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    if sep is None:
        work.spend(len(text) // 2)
    else:
        work.spend_on_search(text, sep, backwards=name == "rsplit")
        work.spend(text.count(sep) if sep else 0)
    work.spend_on(text)
    parts: list[str] = getattr(str, name)(text, sep, maxsplit)
    return parts


def _split_lines(work: Work, text: str, keepends: bool = False) -> list[str]:
    work.spend(len(text) // 8)
    return text.splitlines(keepends)


def _search(name: str, work: Work, text: str, sought: str, *bounds: int | None) -> Value:
    work.spend_on_search(text, sought, backwards=name.startswith("r"))
    return getattr(str, name)(text, sought, *bounds)


def _edge(name: str, work: Work, text: str, edges: str | tuple[str, ...], *bounds: int | None) -> bool:
    work.spend_on_parts(edges)
    found: bool = getattr(str, name)(text, edges, *bounds)
    return found


def _without_edge(name: str, work: Work, text: str, edge: str, /) -> str:
    work.spend_on(text)
    rest: str = getattr(str, name)(text, edge)
    return rest


def replace(work: Work, text: str, old: str, new: str, count: int = -1, /) -> str:
    """`text` with `new` for `old`."""
    work.spend_on_search(text, old)
    times = text.count(old)
    work.spend_on(text)
    work.spend_on(new, times=times if count < 0 else min(times, count))
    return text.replace(old, new, count)


def join(work: Work, separator: str, parts: Value, /) -> str:
    """The texts `parts` with `separator` between them."""
    texts = items_of(work, parts)
    work.spend_on_parts(texts)
    work.spend_on(separator, times=len(texts))
    return separator.join(texts)


def _get(work: Work, mapping: dict[str, Value], key: Value, default: Value = None, /) -> Value:
    check_key(key)
    return mapping.get(key, default)


def _among(name: str, work: Work, items: Value, sought: Value, /) -> int:
    work.spend_on_parts(items)
    work.spend_on_parts(sought)
    place: int = getattr(items, name)(sought)
    return place


def _named(run: Method, *names: str) -> dict[str, Method]:
    return {name: partial(run, name) for name in names}


METHODS: Mapping[type, Mapping[str, Method]] = {
    str: {
        **_named(_simple, "lower", "upper", "title", "capitalize", "casefold", "swapcase", "isalpha", "isalnum"),
        **_named(_simple, "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper"),
        **_named(_strip, "strip", "lstrip", "rstrip"),
        **_named(_split, "split", "rsplit"),
        **_named(_search, "find", "rfind", "index", "rindex", "count", "partition", "rpartition"),
        **_named(_edge, "startswith", "endswith"),
        **_named(_without_edge, "removeprefix", "removesuffix"),
        "splitlines": _split_lines,
        "replace": replace,
        "join": join,
    },
    dict: {
        "get": _get,
        "keys": lambda work, mapping: mapping.keys(),
        "values": lambda work, mapping: mapping.values(),
        "items": lambda work, mapping: mapping.items(),
    },
    list: _named(_among, "index", "count"),
    tuple: _named(_among, "index", "count"),
}
"""What may be called of which type; every method gets `work` and its owner first."""
