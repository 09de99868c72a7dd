"""Looking into values by name and by key."""

from __future__ import annotations

from jinja2 import Undefined

from mhdesk.engine.template.methods import METHODS
from mhdesk.engine.template.reading import check_key
from mhdesk.engine.template.values import SEQUENCES, UNDEFINED, Function, Loop, Namespace, Value
from mhdesk.engine.template.work import Refused, Work


def get_attribute(value: Value, name: str) -> Value:
    """`value.name` as Jinja has it: what Python's type has by that name, else the item; undefined if neither.

    Raises:
        Refused: the type has something by that name that is not on our list.
    """
    if isinstance(value, Undefined):
        raise Refused("uses a value that is not there")
    if isinstance(value, Namespace):
        return value.names.get(name, UNDEFINED)
    if isinstance(value, Loop) and name in Loop.ATTRIBUTES:
        return getattr(value, name)
    kind = type(value)
    method = METHODS.get(kind, {}).get(name)
    if method is not None:
        return Function(method, value)
    if hasattr(kind, name) or kind is Function:
        raise Refused("uses a method or attribute that is not allowed")
    return value.get(name, UNDEFINED) if kind is dict else UNDEFINED


def get_item(value: Value, key: Value) -> Value:
    """`value[key]` as Jinja has it: the item, else for a text as key the attribute; undefined if neither.

    Raises:
        Refused: see `get_attribute`.
    """
    if isinstance(value, Undefined):
        raise Refused("uses a value that is not there")
    if type(value) is dict:
        check_key(key)
        if key in value:
            return value[key]
    elif isinstance(value, SEQUENCES) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else UNDEFINED
    return get_attribute(value, key) if isinstance(key, str) else UNDEFINED


def get_path(work: Work, value: Value, path: Value) -> Value:
    """The part of `value` that a filter's `attribute` names: "content", or "function.arguments", or a number."""
    if path is None:
        return value
    work.spend(len(path) if isinstance(path, str) else 1)
    for part in path.split(".") if isinstance(path, str) else [path]:
        value = get_item(value, int(part) if isinstance(part, str) and part.isdecimal() else part)
    return value
