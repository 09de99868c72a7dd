"""Reading values whole: as text, item by item, in slices. What is large is paid for beforehand."""

from __future__ import annotations

from jinja2 import Undefined

from mhdesk.engine.template.values import ATOMS, PLAIN, SEQUENCES, SIZED, Lazy, Value
from mhdesk.engine.template.work import Refused, Work


def text_of(work: Work, value: Value) -> str:
    """What is printed for `value`.

    Raises:
        Refused: it is nothing to print, or too much.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, (*ATOMS, Undefined)):
        if not isinstance(value, PLAIN):
            raise Refused("prints something that is no text")
        work.spend_on_parts(value, plain=True)
    text = str(value)
    work.spend_on(text)
    return text


def items_of(work: Work, value: Value) -> list[Value]:
    """What a loop over `value` would meet.

    Raises:
        TypeError: it cannot be looped over.
    """
    if isinstance(value, Undefined):
        return []
    if isinstance(value, Lazy):
        return list(value)
    if isinstance(value, SIZED):
        work.spend(len(value))
        return list(value)
    raise TypeError("nothing to loop over")


def get_slice(work: Work, value: Value, start: Value, stop: Value, step: Value) -> Value:
    """`value[start:stop:step]`."""
    if not isinstance(value, SEQUENCES):
        raise TypeError("no slice of this")
    bounds = slice(start, stop, step)
    work.spend(len(range(*bounds.indices(len(value)))) // 16)
    return value[bounds]


def check_key(key: Value) -> None:
    """Refuse what is no plain key of a dictionary: the hash of a tuple is worked out anew each time, to any depth."""
    if not isinstance(key, (str, *ATOMS, Undefined)):
        raise Refused("looks something up by a key that is no text or number")
