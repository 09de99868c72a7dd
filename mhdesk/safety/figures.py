"""Finding what could be dialled: runs of digits in any disguise, near or far from one another.

The app's own card is the only place for numbers, so right and wrong ones are stopped alike. Counting, breathing
patterns, times, dates, years and quantities are let through. `spelt.py` reads the figures, `addresses.py` finds
what could be opened.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from mhdesk.safety.addresses import has_address
from mhdesk.safety.counting import has_even_steps, is_counting, is_plain_quantity
from mhdesk.safety.digit_signs import as_digits, ends_in_sign
from mhdesk.safety.figure_rules import FigureRules
from mhdesk.safety.normalise import fold_accents, unmask
from mhdesk.safety.spelt import Figure, last_word, read_runs

__all__ = ["FigureRules", "has_address", "has_number", "may_go_on"]

_PHONE_DIGITS: Final = 7
_SPELT_DIGITS: Final = 5
_REACH: Final = 80
_NEAR: Final = 25
_AFTER: Final = 20
_WIDEST_PART: Final = 48
"""Most characters between two parts of a number that is told in parts."""
_FEW_WORDS: Final = 4
_VERSE: Final = re.compile(r"\d{1,3}:\d{1,3}(?:-\d{1,3})?$")
_YEAR: Final = re.compile(r"(?:19|20)\d\d$")
_TIME: Final = re.compile(r"(?:[01]?\d|2[0-4]):[0-5]\d(?:\s?-\s?(?:[01]?\d|2[0-4]):[0-5]\d)?$")
_YEAR_BEFORE: Final = re.compile(r"(?:in|since|from|by|until|till|of|year|during|around|before|after|early|late|mid|"
                                 r"en|desde|seit|im|depuis|em|nel|dal|sinds|jahr|año|ano|anno) $")  # fmt: skip
_SENTENCE_END: Final = re.compile(r"[.!?\n]\s|[。！？]")
_MONEY_BEFORE: Final = re.compile(r"[$€£¥#]\s?$")
_NAMES_THING: Final = re.compile(
    r"\s+(?:or|to|bis|oder|o|ou|of) \d{1,2}\s[a-z]"
    r"|\s+(?!(?:for|if|or|and|to|now|in|right|immediately|from|as|when|si|wenn|falls|ora|ahora|agora|jetzt|maintenant)\b)"
    r"[a-z]"
)
_VANITY: Final = re.compile(
    r"(?<![\d.,])(?:\+?1[\s.\-]{1,2}\(?\d{3}\)?|\(?8(?:00|33|44|55|66|77|88)\)?(?=[.\-])|\(8(?:00|33|44|55|66|77|88)\)|"
    r"0[389]0\d|1[38]00(?=-))[\s.\-]{1,2}(?:\d{1,4}[\s.\-]{0,2})?(?P<word>[a-z]{2,})"
    r"|(?<![\d.,])\d{3}[.\-](?P<four>talk|help|life|hope|safe|call|lost|hurt|care|kids|teen|text|calm|mind|free)(?![a-z])"
    r"|(?<![\d.,])(?:1[38]00|13|0800)(?P<glued>[a-z]{4,9})(?![a-z])"
)
_WORD: Final = re.compile(r"[^\W\d_][^\s\d.,;:!?()\"]*")


def has_number(text: str, rules: FigureRules, border: int = 0) -> bool:
    """Whether unmasked `text` holds something like a number to call that ends after `border`."""
    plain = as_digits(text)
    judge = _Judge(plain, rules)
    if any(match.end() > border and judge.is_vanity(match) for match in _VANITY.finditer(plain)):
        return True
    runs = list(read_runs(plain, rules.words))
    if any(run[-1].end > border and judge.callable(run) for run in runs):
        return True
    return any(parts[-1][-1].end > border and judge.told_in_parts(parts) for parts in judge.chains(runs))


def may_go_on(text: str, rules: FigureRules) -> bool:
    """Whether a number or an address may go on after `text`, which is as the model wrote it.

    It may after a figure in digits or words of any language, a lone letter, or a word such as "dot" or "call".
    """
    plain = as_digits(unmask(text[-_REACH:])).rstrip()
    if plain.endswith(("@", "/", ":", "-")):
        return True
    word = last_word(plain)
    if not word:
        return False
    folded = fold_accents(word)
    words = rules.words
    if len(word) == 1 or word[-1].isdigit() or ends_in_sign(word) or words.number(folded) is not None:
        return True
    return any(folded in known for known in (words.digits, words.hundreds, words.multipliers, rules.open_words))


class _Judge:
    """One text, its digits plain, against the rules."""

    def __init__(self, text: str, rules: FigureRules) -> None:
        self._text = text
        self._rules = rules
        self._calling = [match.end() for match in rules.calling.finditer(text)]
        self._keying = [match.end() for match in rules.keying.finditer(text)]

    def is_vanity(self, match: re.Match[str]) -> bool:
        """Whether letters after a dialling code are part of a number and not what it counts ("1800-calorie")."""
        name = match.lastgroup or "word"
        if self._rules.unit.fullmatch(match[name]):
            return False
        return name == "word" or self._is_called(match.start(), match.end(), len("1300"))

    def callable(self, run: list[Figure]) -> bool:
        """Whether `run` could be dialled."""
        whole = self._text[run[0].start : run[-1].end]
        digits = "".join(figure.value for figure in run)
        if self._is_known(run, whole, digits):
            return True
        if self._is_called(run[0].start, run[-1].end, len(digits)):
            return not self._harmless_when_called(run, whole, digits)
        if len(digits) < _PHONE_DIGITS and sum(figure.spelt for figure in run) < _SPELT_DIGITS:
            return False
        before = self._before(run)
        if is_plain_quantity(whole) or (self._rules.verse.search(before) and _VERSE.match(whole)):
            return False
        small = all(len(figure.value) < 3 for figure in run)
        if small and "0" not in digits and ", " in whole and self._rules.unit.match(self._text, run[-1].end):
            return False  # "5, 6, 7, 4, 6, 8, 7 hours"
        if small and self._rules.rating.search(before):
            return False
        return not is_counting(run, whole)

    def chains(self, runs: list[list[Figure]]) -> Iterator[list[list[Figure]]]:
        """Runs that may be the parts of one number: "first 617, then 555, last 0155"."""
        chain: list[list[Figure]] = []
        for run in runs:
            if self._is_amount(run):
                if len(chain) > 1:
                    yield chain
                chain = []
                continue
            if chain and not self._linked(chain[-1], run):
                if len(chain) > 1:
                    yield chain
                chain = []
            chain.append(run)
        if len(chain) > 1:
            yield chain

    def told_in_parts(self, parts: list[list[Figure]]) -> bool:
        """Whether the parts together could be dialled."""
        joined = [figure for part in parts for figure in part]
        digits = "".join(figure.value for figure in joined)
        if len(digits) < _PHONE_DIGITS and sum(figure.spelt for figure in joined) < _PHONE_DIGITS:
            return digits in self._rules.always
        if all(_YEAR.match(figure.value) for figure in joined):
            return False
        return not is_counting(joined, ", ".join(figure.value for figure in joined))

    def _linked(self, one: list[Figure], other: list[Figure]) -> bool:
        between = self._text[one[-1].end : other[0].start]
        if len(between) > _WIDEST_PART:
            return False
        words = [fold_accents(word.casefold()) for word in _WORD.findall(between)]
        if self._rules.ordinal.search(between) is not None:
            return True
        if all(word in self._rules.sequence or word in self._rules.fillers for word in words):
            return not words or any(word in self._rules.sequence for word in words)
        # With other words between, only what looks like part of a number by itself is one.
        return len(words) <= _FEW_WORDS and (self._is_telling(one) or self._is_telling(other))

    def _is_telling(self, run: list[Figure]) -> bool:
        if any(len(figure.value) > 2 and figure.value[0] == "0" for figure in run):
            return True
        values = [int(figure.value) for figure in run]
        one_by_one = len(run) > 2 and all(figure.spelt and len(figure.value) == 1 for figure in run)
        return one_by_one and len({*values}) > 1 and not has_even_steps(values)

    def _is_amount(self, run: list[Figure]) -> bool:
        whole = self._text[run[0].start : run[-1].end]
        if self._rules.unit.match(self._text, run[-1].end) or _MONEY_BEFORE.search(self._before(run)):
            return run[0].value[0] != "0"
        return _TIME.match(whole) is not None or (len(run) > 1 and is_plain_quantity(whole))

    def _before(self, run: list[Figure]) -> str:
        return self._text[max(0, run[0].start - _REACH) : run[0].start]

    def _is_known(self, run: list[Figure], whole: str, digits: str) -> bool:
        even = len({len(figure.value) for figure in run}) == 1
        if digits in self._rules.always and "/" not in whole and (even or "." not in whole):  # "3.11.4" is a version
            return len(run) == 1 or "," not in whole or len(digits) > 4 or bool(run[0].spelt)
        if digits in self._rules.emergency and len(run) == len(digits) and all(figure.spelt for figure in run):
            return not has_even_steps([int(figure.value) for figure in run])
        return any(figure.value in self._rules.always for figure in run) and not is_counting(run, whole)

    def _is_called(self, start: int, end: int, count: int) -> bool:
        if self._reaches(self._calling, start):
            return True
        if count < 3:
            return False
        return self._reaches(self._keying, start) or self._rules.after.match(self._text, end) is not None

    def _reaches(self, ends: list[int], start: int) -> bool:
        """Whether one of the words that end at `ends` is about the figure at `start`."""
        last = bisect_right(ends, start)
        if not last or start - ends[last - 1] > _REACH:
            return False
        between = self._text[ends[last - 1] : start]
        return len(between) <= _NEAR or _SENTENCE_END.search(between) is None

    def _harmless_when_called(self, run: list[Figure], whole: str, digits: str) -> bool:
        """Even after "call" or "text" a year, a time, an amount or counting is no number to call."""
        before = self._before(run)
        after = self._text[run[-1].end : run[-1].end + _AFTER]
        if len(digits) < _PHONE_DIGITS and digits[0] != "0" and self._rules.unit.match(after):
            return True
        if _TIME.match(whole) or whole.endswith("%") or _MONEY_BEFORE.search(before):
            return True
        if _YEAR_BEFORE.search(before) and all(_YEAR.match(figure.value) for figure in run):
            return True
        adjacent = self._rules.adjacent.search(before) is not None
        if len(digits) <= 2:
            named = _NAMES_THING.match(after) is not None
            return not adjacent or named or (bool(run[0].spelt) and len(run) == 1)
        if is_plain_quantity(whole) and not adjacent and len(run) > 1:
            return True
        return is_counting(run, whole, short=True) and not adjacent
