"""Figures that are no number to call: counting, breathing patterns, dates, times and quantities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from mhdesk.safety.spelt import Figure

_LONGEST_STEP: Final = 10
_LONGEST_BREATH: Final = 20
_PHONE_DIGITS: Final = 7
_PLAIN: Final = re.compile(
    r"(?<![\d.:/])(?:"
    r"(?:0?[1-9]|[12]\d|3[01])([/.\-])(?:0?[1-9]|1[012])\1(?:19|20)\d\d|(?:19|20)\d\d([/.\-])(?:0?[1-9]|1[012])\2[0-3]?\d"
    r"|(?:[01]?\d|2[0-4]):[0-5]\d(?:\s?-\s?(?:[01]?\d|2[0-4]):[0-5]\d)?"
    r"|(?:19|20)\d\d(?!\s?[\-]?\d{3}(?!\d))"
    r"|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|3[.,]14\d*"
    r"|\d{1,2}/(?:5|10|20|100)(?!\d)"
    r"|(?<=\n)\d{1,2}[.)](?=\s|$)"
    r")(?![\d:/])"
)
_SUM: Final = re.compile(r"\d{1,4}(?: ?[+\-*x×/÷] ?\d{1,4})+ ?= ?\d{1,6}$")
_BREATHS: Final = re.compile(r"[2-6](?:-[1-9]\d?){1,3}(?:(?:,? (?:and |then |or )*|; |/)[2-6](?:-[1-9]\d?){1,3})+")
_BETWEEN: Final = re.compile(r"[\s,;.)(\-–]|(?<![a-z])(?:and|then|y|e|et|und|en|at|um|à|às|las|alle|om|uhr)(?![a-z])")


def is_plain_quantity(whole: str) -> bool:
    """Whether `whole` is nothing but dates, times, years, thousands or a sum, with little between them."""
    if _SUM.match(whole):
        return True
    rest = _PLAIN.sub("", whole)
    return rest != whole and _BETWEEN.sub("", rest) == ""


def is_counting(run: Sequence[Figure], whole: str, *, short: bool = False) -> bool:
    """Even steps ("5, 4, 3", "100, 93, 86") or a short pattern over and over ("4-7-8, 4-7-8").

    Args:
        run: the figures.
        whole: the text that they stand in.
        short: the figures stand near a word such as "call", where a pattern must be written as one ("4-7-8").
    """
    if len(run) < 3 or any(len(figure.value) > 3 for figure in run):
        return False
    if any(len(figure.value) > 1 and figure.value[0] == "0" for figure in run):
        return False
    values = [int(figure.value) for figure in run]
    if has_even_steps(values) or _grows(values, whole) or _tells_its_step(values) or _tells_its_ends(values):
        return True
    if any(len(figure.value) > 2 for figure in run) or max(values) > _LONGEST_BREATH:
        return False
    if len(run) <= 4 and len({*values}) > 1 and sum(len(figure.value) for figure in run) < _PHONE_DIGITS:
        return not short or ("-" in whole and 0 not in values)
    return _repeats(values, whole) or _is_breathing(whole)


def _is_breathing(whole: str) -> bool:
    """Whether every part is a pattern to breathe by ("4-7-8, then 4-4-4-4")."""
    return _BREATHS.fullmatch(whole) is not None


def _repeats(values: Sequence[int], whole: str) -> bool:
    """Whether a pattern of up to four stands at least twice, and whole each time."""
    if len({*values}) == 1:
        return len(values) <= 4 or ("-" in whole and "," in whole)
    return any(
        len(values) >= 2 * period
        and len(values) % period == 0
        and all(value == values[index % period] for index, value in enumerate(values))
        for period in (2, 3, 4)
    )


def _grows(values: Sequence[int], whole: str) -> bool:
    """Whether `values` only grow or only fall, as the primes do; such lists begin small and have commas."""
    if len(values) < 4 or "," not in whole:
        return False
    if values[0] > values[-1]:
        values = values[::-1]
    if not 0 < values[0] < 10 <= values[-1]:
        return False
    return all(one < other or one == other == 1 for one, other in pairwise(values))


def _tells_its_step(values: Sequence[int]) -> bool:
    """Whether the first value is the step of a counting that follows ("in steps of 7: 100, 93, 86")."""
    return len(values) > 3 and values[0] == abs(values[1] - values[2]) and has_even_steps(values[1:])


def _tells_its_ends(values: Sequence[int]) -> bool:
    """Whether the first two, or the first, are the ends of a counting that follows ("from 1 to 5: 1, 2, 3, 4, 5")."""
    if len(values) > 4 and values[0] == values[-1] and has_even_steps(values[1:]):
        return True
    return len(values) > 4 and (values[0], values[1]) == (values[2], values[-1]) and has_even_steps(values[2:])


def has_even_steps(values: Sequence[int]) -> bool:
    """Whether `values` are one or more countings of at least three, one after the other ("3, 2, 1; 1, 2, 3")."""
    start = 0
    while start < len(values):
        if start + 2 >= len(values):
            return False
        step = values[start + 1] - values[start]
        if not 0 < abs(step) <= _LONGEST_STEP or values[start + 2] - values[start + 1] != step:
            return False
        end = start + 2
        while end + 1 < len(values) and values[end + 1] - values[end] == step:
            end += 1
        start = end + 1
    return True
