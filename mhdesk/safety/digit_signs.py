"""Signs, syllables and letters that stand for digits: Chinese and Japanese ones, and letters drawn like digits."""

from __future__ import annotations

import re
from typing import Final

_CJK: Final = "〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸壱弐参幺两兩"
_CJK_VALUES: Final = "00123456789123456789236123122"
_FEW_DIGITS: Final = 2
_LONG_COUNT: Final = 7
_CJK_DIGITS: Final = dict(zip(map(ord, _CJK), _CJK_VALUES, strict=True))
_CJK_RUN: Final = re.compile(rf"[{_CJK}\d](?:[\W_]{{0,8}}[{_CJK}\d])+")
# Letters drawn like digits count within a word that holds a digit: o, i and l anywhere, the others between digits.
_LIKE_DIGITS: Final = str.maketrans("oilszbоз", "01152803")
_MIXED: Final = re.compile(r"(?<![^\W_])(?=[oilо]*\d)(?:[oilо\d]|(?<=[\doil])[szbз]+(?=[\doil]))+(?![^\W_])")
_LIKE_ONLY: Final = re.compile(
    r"(?<![^\W_])[oilszb]{1,4}(?=[-./_*~][oil]{0,4}\d)|(?<=\d[-./_*~])[oilszb]{2,4}(?![^\W_])"
)
_LIKE_APART: Final = re.compile(
    r"(?<![^\W_])(?:(?:o{1,4}|[il]|\d{1,5})[\W_]{1,3}){3,40}(?:o{1,4}|[il]|\d{1,5})(?![^\W_])"
)
_GLUED_O: Final = re.compile(r"(?<=\d)o+(?![a-z])")
KANA_VALUES: Final = {
    "きゅう": "9", "ゼロ": "0", "ぜろ": "0", "れい": "0", "まる": "0", "いち": "1", "さん": "3", "よん": "4",
    "ろく": "6", "なな": "7", "しち": "7", "はち": "8", "に": "2", "し": "4", "ご": "5", "く": "9",
}  # fmt: skip
KANA_DIGIT: Final = re.compile("|".join(KANA_VALUES))
KANA: Final = re.compile(rf"(?:{KANA_DIGIT.pattern}){{3,}}")
_KANA_END: Final = re.compile(rf"(?:{KANA_DIGIT.pattern})$")


def as_digits(text: str) -> str:
    """Unmasked `text` with signs and letters that stand for digits replaced; of the same length."""
    text = _CJK_RUN.sub(_from_cjk, text)
    text = _MIXED.sub(lambda match: match[0].translate(_LIKE_DIGITS) if _is_figure(match[0]) else match[0], text)
    text = _LIKE_APART.sub(_from_letters_apart, text)
    text = _GLUED_O.sub(lambda match: "0" * len(match[0]), text)
    return _LIKE_ONLY.sub(lambda match: match[0].translate(_LIKE_DIGITS), text)


def ends_in_sign(word: str) -> bool:
    """Whether `word` ends in a Chinese or Japanese sign or syllable for a digit."""
    return word[-1] in _CJK or (word[-1] >= "ぁ" and _KANA_END.search(word) is not None)


def _from_cjk(match: re.Match[str]) -> str:
    """Signs one by one as digits, except where they only count ("一二三四五六七八")."""
    signs = match[0]
    return signs if len(signs) >= _LONG_COUNT and signs in _CJK[1:11] else signs.translate(_CJK_DIGITS)


def _from_letters_apart(match: re.Match[str]) -> str:
    """Letters among single digits ("2 o 6 5") as digits, unless there are few digits."""
    signs = match[0]
    return signs.translate(_LIKE_DIGITS) if sum(sign.isdigit() for sign in signs) > _FEW_DIGITS else signs


def _is_figure(word: str) -> bool:
    """Whether letters and digits are one figure: "5l" and "2l" are litres, "8oo" and "o1l2" are not."""
    return not (word[:-1].isdigit() and word[-1] in "lis")
