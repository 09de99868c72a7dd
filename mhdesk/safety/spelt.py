"""Reading figures out of a text, however they are written: as digits, as words, as letters that look like digits.

Nothing is judged here; `figures.py` says which of them could be dialled. Everything is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mhdesk.safety.digit_signs import KANA, KANA_DIGIT, KANA_VALUES
from mhdesk.safety.normalise import fold_accents
from mhdesk.safety.patterns import BadRules
from mhdesk.safety.rules import checked

SPELT_KEYS: Final = frozenset({"digit_words", "number_words", "hundreds", "multipliers", "joining_words"})
# Vowel signs of Hindi and Arabic are no letters to `re`, but belong to the word.
_MARKS: Final = "\u0300-\u036f\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u3099\u309a"
_CHUNK: Final = re.compile(rf"[^\W_]+(?:[{_MARKS}]+[^\W_]*)*")
_PART: Final = re.compile(r"[0-9]+|[^0-9]+")
_ROMAN_SIGN: Final = "(?:i{1,3}|iv|v|vi{1,3}|ix|o|x)"
_ROMAN: Final = re.compile(rf"(?<![^\W_])(?:{_ROMAN_SIGN}[-. ,/]{{1,2}}){{4,}}{_ROMAN_SIGN}(?![^\W_])")
_ROMAN_DIGITS: Final = {"o": "0", "x": "0", "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7",
                        "viii": "8", "ix": "9"}  # fmt: skip
_UNIT_FIRST: Final = re.compile(r"(.{3,7}?)(?:und|en)(.{4,9}ig)$")
# English words for digits without blanks; no word begins another, so that there is one way to read them.
_ENGLISH: Final = "zero|oh|one|two|three|four|five|six|seven|eight|nine"
_GLUED_DIGITS: Final = re.compile(rf"(?:{_ENGLISH}){{3,}}")
_GLUED_DIGIT: Final = re.compile(_ENGLISH)
_GLUED_HUNDRED: Final = re.compile(r"(.{0,6}?)(?:cento|hundert|honderd)(?:und|en)?(.{3,16})$")
_ITALIAN: Final = re.compile(r"(vent|trent|quarant|cinquant|sessant|settant|ottant|novant)[ai]?(\w+)$")
_WIDEST_GAP: Final = 40


@dataclass(frozen=True, slots=True)
class Figure:
    """Digits that were written together. `spelt` counts how many of them were words, a whole number as one."""

    value: str
    spelt: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DigitWords:
    """The words for figures in every language; keys have no accents."""

    digits: Mapping[str, str]
    numbers: Mapping[str, int]
    hundreds: frozenset[str]
    multipliers: Mapping[str, int]
    joining: frozenset[str]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> DigitWords:
        """The words in the part of numbers.yaml that has `SPELT_KEYS`.

        Raises:
            BadRules: a value is no number.
        """
        digits = {word: value for value, words in raw["digit_words"].items() for word in plain_words(words)}
        try:
            numbers = {word: int(value) for value, words in raw["number_words"].items() for word in plain_words(words)}
        except ValueError:
            raise BadRules("Words for numbers must be given under numbers.") from None
        multipliers = checked(raw["multipliers"], set(raw["multipliers"]), "multipliers")
        if not all(isinstance(count, int) for count in multipliers.values()):
            raise BadRules("Multipliers of spelt figures must be numbers.")
        return cls(
            digits, numbers, frozenset(plain_words(raw["hundreds"])),
            {fold_accents(word): count for word, count in multipliers.items()},
            frozenset(plain_words(raw["joining_words"])),
        )  # fmt: skip

    def number(self, word: str) -> int | None:
        """The value of a word from ten on ("twelve", "achtundachtzig", "ottantotto")."""
        if word in self.numbers:
            return self.numbers[word]
        if (match := _GLUED_HUNDRED.match(word)) and match[1] in ("", *self.digits):
            rest = int(self.digits[match[2]]) if match[2] in self.digits else self.number(match[2])
            return None if rest is None else 100 * int(self.digits.get(match[1], "1")) + rest
        if (match := _UNIT_FIRST.match(word)) and match[1] in self.digits and match[2] in self.numbers:
            return self.numbers[match[2]] + int(self.digits[match[1]])
        if (match := _ITALIAN.match(word)) and match[2] in self.digits:
            return self.numbers[match[1] + ("i" if match[1] == "vent" else "a")] + int(self.digits[match[2]])
        return None


def plain_words(words: str) -> list[str]:
    """The words of a list in a file, as they are compared."""
    return [fold_accents(word) for word in words.casefold().split()]


def last_word(text: str) -> str:
    """The last word of `text`; "" if it has none."""
    word = ""
    for match in _CHUNK.finditer(text):
        word = match[0]
    return word


def read_runs(text: str, words: DigitWords) -> Iterator[list[Figure]]:
    """Figures with no more between them than signs and joining words, in the order of `text` (see `as_digits`)."""
    run: list[Figure] = []
    reader = _Reader(words)
    previous = 0
    for start, end, word in _parts(text):
        figure = reader.read(word, start, end, run, text[previous:start] if start - previous <= _WIDEST_GAP else None)
        if figure is None:
            if run and not reader.transparent:
                yield run
                run = []
            previous = end if reader.transparent or not run else previous
            continue
        if run and (start - previous > _WIDEST_GAP or _amount_sign(text[previous:start])):
            yield run
            run = []
        if figure is reader.merged:
            run[-1] = figure
        else:
            run.append(figure)
        previous = end
    if run:
        yield run


def _parts(text: str) -> Iterator[tuple[int, int, str]]:
    """Words and runs of digits, apart also where they are glued ("five5five")."""
    roman = [match.span() for match in _ROMAN.finditer(text) if match[0].count("v") + match[0].count("x") >= 2]
    for chunk in _CHUNK.finditer(text):
        while roman and chunk.start() >= roman[0][1]:
            roman.pop(0)
        if roman and chunk.start() >= roman[0][0]:
            yield chunk.start(), chunk.end(), _ROMAN_DIGITS.get(chunk[0], chunk[0])
        elif chunk[0] >= "ぁ" and (kana := list(KANA.finditer(chunk[0]))):
            for found in kana:
                yield chunk.start() + found.start(), chunk.start() + found.end(), found[0]
        elif chunk[0].isalpha():
            yield chunk.start(), chunk.end(), chunk[0]
        else:
            for part in _PART.finditer(chunk[0]):
                yield chunk.start() + part.start(), chunk.start() + part.end(), part[0]


def _amount_sign(gap: str) -> bool:
    """A percentage or a sum of money ends a run; signs squeezed in between single digits do not."""
    return len(gap) > 1 and any(sign in "%°$€£¥" for sign in gap)


class _Reader:
    """Turns one word after another into figures; knows what the words before it leave open."""

    def __init__(self, words: DigitWords) -> None:
        self._words = words
        self._times = 1
        self._open = 0
        self.transparent = False
        self.merged: Figure | None = None

    def read(self, word: str, start: int, end: int, run: list[Figure], gap: str | None) -> Figure | None:
        """The figure that `word` is, or that it makes of the last one of `run` (then `merged` is that); else None."""
        self.transparent, self.merged = False, None
        times, self._times = self._times, 1
        if word.isdecimal():
            self._open = 0
            return Figure(word * (times if len(word) == 1 else 1), 0, start, end)
        word = word if word.isascii() else fold_accents(word)
        close = gap is not None and run != [] and re.fullmatch(r"[\s-]{0,2}", gap) is not None
        if (digit := self._digit(word)) is not None:
            return self._unit(digit * times, start, end, run if close else [])
        if (number := self._words.number(word)) is not None:
            return self._tens(number, start, end, run if close else [])
        if word in self._words.hundreds and (close or word not in ("cents", "सौ")):
            return self._hundred(start, end, run if close else [])
        if word in self._words.multipliers:
            self._times, self.transparent = self._words.multipliers[word], True
        elif word in self._words.joining:
            self.transparent = True
        else:
            self._open = 0
        return None

    def _digit(self, word: str) -> str | None:
        if word in self._words.digits:
            return self._words.digits[word]
        if word[0] in "وبلف" and word[1:] in self._words.digits:  # Arabic writes "and" and "by" together with the word
            return self._words.digits[word[1:]]
        if _GLUED_DIGITS.fullmatch(word):
            return "".join(self._words.digits[part] for part in _GLUED_DIGIT.findall(word))
        if word[0] >= "ぁ" and KANA.fullmatch(word):
            return "".join(KANA_VALUES[kana] for kana in KANA_DIGIT.findall(word))
        return None

    def _unit(self, digits: str, start: int, end: int, run: list[Figure]) -> Figure:
        scale, self._open = self._open, 0
        if run and scale in (10, 100) and len(digits) == 1 and digits != "0":
            return self._merge(run[-1], int(digits), end)
        return Figure(digits, len(digits), start, end)

    def _tens(self, number: int, start: int, end: int, run: list[Figure]) -> Figure:
        scale, self._open = self._open, 10 if number >= 20 and number % 10 == 0 else 0
        if run and scale == 100:
            return self._merge(run[-1], number, end)
        return Figure(str(number), 1, start, end)

    def _hundred(self, start: int, end: int, run: list[Figure]) -> Figure:
        self._open = 100
        if run and len(run[-1].value) == 1 and run[-1].value != "0":
            return self._merge(run[-1], 99 * int(run[-1].value), end)
        return Figure("00" if run else "100", 1, start, end)

    def _merge(self, last: Figure, more: int, end: int) -> Figure:
        self.merged = Figure(str(int(last.value) + more), last.spelt, last.start, end)
        return self.merged
