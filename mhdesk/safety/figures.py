"""Finding what could be dialled or opened: runs of digits in any disguise, and addresses.

The app's own card is the only place for numbers, so right and wrong ones are stopped alike. Counting, breathing
patterns, times, dates, years and quantities are let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mhdesk.safety.patterns import BadRules
from mhdesk.safety.rules import checked, read_yaml

_GAP: Final = r"[\s\-.,/()+:*_|~#;'\"\[\]{}=&·]{0,8}"
_PHONE_DIGITS: Final = 7
_SPELLED_DIGITS: Final = 5
_REACH: Final = 80
_NEAR: Final = 25
_LONGEST_STEP: Final = 10
_LONGEST_BREATH: Final = 20
_LETTER_O: Final = re.compile(r"(?<=\d)[oil](?=[\doil]*\d)|(?<=\d)o+(?![a-z])|(?<![a-z])[oil]+(?=\d{2})")
_DATE: Final = re.compile(r"(?:\d{1,2}([/.\-])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d([/.\-])\d{1,2}\2\d{1,2})$")
_YEARS: Final = re.compile(r"(?:19|20)\d\d(?:\s?[-/,]\s?(?:19|20)\d\d)*$")
_TIMES: Final = re.compile(r"\d{1,2}:\d\d(?:\s?-\s?\d{1,2}:\d\d)?$")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_YEAR_BEFORE: Final = re.compile(r"(?:in|since|from|by|until|till|of|year|during|around|before|after|early|late|mid) $")
_SENTENCE_END: Final = re.compile(r"[.!?\n]\s")
_VANITY: Final = re.compile(
    r"(?<!\d)(?:\+?1[\s.\-]*)?\(?(?:8(?:00|33|44|55|66|77|88)|0800|0808|1300|1800)\)?[\s.\-]+[a-z]{3,}"
    r"|(?<!\d)\d{3}[.\-](?:talk|help|life|hope|safe|call|lost|hurt|care|kids|teen|sad|text)(?![a-z])"
)
_TLD: Final = (
    "com|org|net|gov|edu|info|uk|de|fr|es|pt|nl|br|jp|cn|au|ca|nz|ie|io|app|chat|help|health|care|support|online|site|"
    "xyz|int|eu|ch|mil|co|tv|club|life|tech|ai|lgbt|ngo|biz|link|page|dev|us"
)
_PLAIN_WORD_TLD: Final = "help|health|care|support|life|link|page|us|chat|co|app|online|site|club|tech|de|es"
_ADDRESS: Final = re.compile(
    rf"h\s?t\s?t\s?p\s?s?\s?:\s?/|www\s?\.|[a-z0-9]\s?:\s?//|(?<![a-z0-9])[a-z0-9\-]{{2,}}(?:\s?\.\s?[a-z0-9\-]+){{0,3}}"
    rf"\.(?:{_TLD})(?![a-z0-9'])"
    r"|[a-z0-9\-]{2,}(?: \. ?| ?\(dot\) ?| ?\[dot\] ?| dot | ?\[\.\] ?|\. )"
    rf"(?!(?:{_PLAIN_WORD_TLD})(?![a-z]))(?:{_TLD})(?![a-z0-9'])"
    rf"|(?<![a-z0-9])[a-z0-9\-]{{2,}}\.[a-z]{{2,}}/|[a-z0-9.\-_]+ ?(?:@|\(at\)|\[at\]) ?[a-z0-9\-]+"
    rf"|[a-z0-9.\-_]+ at [a-z0-9\-]+ ?(?:\.|dot) ?(?:{_TLD})(?![a-z])"
    r"|(?<![a-z0-9])@\s?[a-z0-9_]{2,}|(?<![a-z0-9])[ur]/[a-z0-9_]{3,}"
    r"|[a-z0-9_]{2,}#\d{4}"
)
_CJK_DIGITS: Final = {ord(sign): str(value) for value, sign in enumerate("〇一二三四五六七八九")} | {ord("零"): "0"}
_CJK_RUN: Final = re.compile("[〇零一二三四五六七八九][〇零一二三四五六七八九\\s\\-、,]{1,}[〇零一二三四五六七八九]")
_FIGURE_KEYS: Final = {"digit_words", "multipliers", "joining_words", "always", "calling", "calling_phrases", "units"}


@dataclass(frozen=True, slots=True)
class FigureRules:
    """What resources/safety/gate/numbers.yaml says, ready for use."""

    items: Any
    digits: Mapping[str, str]
    multipliers: Mapping[str, int]
    always: frozenset[str]
    calling: Any
    adjacent: Any
    unit: Any

    @classmethod
    def load(cls, path: Path) -> FigureRules:
        """The rules in `path`.

        Raises:
            BadRules: the file breaks the format.
        """
        raw = read_yaml(path, _FIGURE_KEYS)
        digits = {word: figure for figure, words in raw["digit_words"].items() for word in words.split()}
        multipliers = checked(raw["multipliers"], {"double", "triple"}, "multipliers")
        if not all(isinstance(count, int) for count in multipliers.values()):
            raise BadRules("Multipliers of spelt figures must be numbers.")
        words = "|".join(sorted(map(re.escape, (*digits, *multipliers)), key=len, reverse=True))
        calling = "|".join(map(re.escape, sorted(raw["calling"].split(), key=len, reverse=True)))
        phrases = "|".join(raw["calling_phrases"])
        units = "|".join(map(re.escape, sorted(raw["units"].split(), key=len, reverse=True)))
        joining = "|".join(map(re.escape, raw["joining_words"].split()))
        # A run is items with little between them: signs, or one of the words that people say between figures.
        return cls(
            items=re.compile(rf"\d+|(?<![^\W\d_])(?:{words})(?![^\W\d_])|(?P<join>(?<![a-z])(?:{joining})(?![a-z]))"),
            digits=digits,
            multipliers=multipliers,
            always=frozenset(raw["always"].split()),
            calling=re.compile(rf"(?<![^\W\d_])(?:{calling}|{phrases})(?![a-z])"),
            adjacent=re.compile(
                rf"(?<![^\W\d_])(?:{calling})"
                r"(?: (?:on|at|to|the|number|is|them|us|me|now|code|simply|just|also|up|or|and))*"
                r"(?: \S+ to)?[\s:\-\"'(]*$"
            ),
            unit=re.compile(rf"\s?-?(?:{units})(?![a-z])"),
        )


@dataclass(frozen=True, slots=True)
class _Item:
    value: str
    spelled: bool
    start: int
    end: int


def has_address(text: str, border: int = 0) -> bool:
    """Whether unmasked `text` holds a web or mail address or a handle that ends after `border`."""
    return any(match.end() > border for match in _ADDRESS.finditer(text))


def has_number(text: str, rules: FigureRules, border: int = 0) -> bool:
    """Whether unmasked `text` holds something like a number to call that ends after `border`."""
    plain = _CJK_RUN.sub(lambda match: match[0].translate(_CJK_DIGITS), text)
    plain = _LETTER_O.sub(lambda match: "".join("0" if sign == "o" else "1" for sign in match[0]), plain)
    if any(match.end() > border for match in _VANITY.finditer(plain)):
        return True
    return any(run[-1].end > border and _callable(plain, run, rules) for run in _runs(plain, rules))


def _runs(text: str, rules: FigureRules) -> Iterator[list[_Item]]:
    run: list[_Item] = []
    end = 0
    pending = 1
    for match in rules.items.finditer(text):
        if run and re.fullmatch(_GAP, text[end : match.start()]) is None:
            yield run
            run = []
        if match["join"]:
            if run:
                end = match.end()
            continue
        word = match[0]
        if word in rules.multipliers:
            pending, end = rules.multipliers[word], match.end()
            continue
        spelled = not word[0].isdigit()
        value = rules.digits.get(word, word) * (pending if len(word) == 1 or spelled else 1)
        run.append(_Item(value, spelled, match.start(), match.end()))
        pending, end = 1, match.end()
    if run:
        yield run


def _callable(text: str, run: list[_Item], rules: FigureRules) -> bool:
    whole = text[run[0].start : run[-1].end]
    digits = "".join(item.value for item in run)
    called = _is_called(text, run, rules)
    if _is_known(run, whole, digits, rules):
        return True
    if called:
        return not _harmless_when_called(text, run, whole, rules)
    spelled = sum(item.spelled for item in run)
    if len(digits) < _PHONE_DIGITS and not (spelled >= _SPELLED_DIGITS):
        return False
    if _DATE.match(whole) or _YEARS.match(whole) or _TIMES.match(whole) or _THOUSANDS.match(whole):
        return False
    return not _is_counting(run)


def _is_known(run: list[_Item], whole: str, digits: str, rules: FigureRules) -> bool:
    if digits in rules.always and "/" not in whole and (len(run) == 1 or "," not in whole or len(digits) > 4):
        return True
    return any(item.value in rules.always for item in run) and not _is_counting(run)


def _is_called(text: str, run: list[_Item], rules: FigureRules) -> bool:
    before = text[max(0, run[0].start - _REACH) : run[0].start]
    found = None
    for found in rules.calling.finditer(before):  # noqa: B007  (the last one is wanted)
        pass
    if found is None:
        return False
    between = before[found.end() :]
    return len(between) <= _NEAR or _SENTENCE_END.search(between) is None


def _harmless_when_called(text: str, run: list[_Item], whole: str, rules: FigureRules) -> bool:
    """Even after "call" or "text" a year, a time, an amount or counting is no number to call."""
    digits = "".join(item.value for item in run)
    before = text[max(0, run[0].start - _REACH) : run[0].start]
    after = text[run[-1].end :]
    if rules.unit.match(after) or _TIMES.match(whole) or whole.endswith("%"):
        return True
    if _YEARS.match(whole) and _YEAR_BEFORE.search(before):
        return True
    adjacent = rules.adjacent.search(before) is not None
    if len(digits) <= 2:
        names_thing = re.match(r"\s+(?!(?:for|if|or|and|to|now|in|right|immediately|from|as|when)\b)[a-z]", after)
        return not adjacent or names_thing is not None or (run[0].spelled and len(run) == 1)
    if re.match(r"\s?[.)]\s", after) and len(digits) <= 2:
        return True
    return _is_counting(run) and not adjacent


def _is_counting(run: list[_Item]) -> bool:
    """Even steps ("5, 4, 3", "100, 93, 86") or a short pattern over and over ("4-7-8, 4-7-8")."""
    if len(run) < 3 or any(len(item.value) > 3 for item in run):
        return False
    values = [int(item.value) for item in run]
    if _all_even_steps(values):
        return True
    if any(len(item.value) > 2 for item in run) or max(values) > _LONGEST_BREATH:
        return False
    if len(run) <= 4 and len({*values}) > 1 and sum(len(item.value) for item in run) < _PHONE_DIGITS:
        return True
    return any(
        len(values) >= 2 * period and all(value == values[index % period] for index, value in enumerate(values))
        for period in (1, 2, 3, 4)
    )


def _all_even_steps(values: list[int]) -> bool:
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
