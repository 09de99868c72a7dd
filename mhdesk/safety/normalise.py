"""One plain spelling for many disguises, so that a rule is written once. Every step is linear in the text."""

from __future__ import annotations

import re
import unicodedata

from mhdesk.safety.lookalikes import EMOJI, HOMOGLYPHS, LEET, STRAIGHTENED

_MAX_MARKS_IN_A_ROW = 4
_BLANK_LETTERS = "\u115f\u1160\u3164\u2800\u180e"
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[a-z]")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_BREAKS = re.compile(r" ?\n[ \n]*")
_LEET_TOKEN = re.compile(r"[a-z0-9@$!|€+£]+")
_LEET_INSIDE = re.compile(r"(?<=[a-z])[0134579@$!|€+£]{1,2}(?=[a-z])")
_LEET_FIRST = re.compile(r"^[$0134579](?=[a-z]{4})")
_LEET_LAST = re.compile(r"(?<=[a-z][a-z])[0134579$]$")
# Letters kept apart by one to three signs: "d i e", "d.i.e", "d - i - e".
_SPACED = re.compile(r"(?<![^\W_])[a-z](?:[ .\-_*/|~]{1,3}[a-z](?![^\W_])){2,}(?!')")
_WIDE_GAP = re.compile(r" {2,}| / ")
# A sentence typed on without a blank: "…the moonI want".
_GLUED_I = re.compile("(?<=[a-z]{2})I(?=[ '’])")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
# "|" and "!" are letters only in words that hold nothing else odd, or "wait!I" would be read as one word.
_DOUBLE_ONE = {"11": "ll", "!!": "ll", "||": "ll", "00": "oo", "33": "ee", "55": "ss", "$$": "ss", "77": "tt"}


def unmask(text: str) -> str:
    """The characters that were meant: NFKC, casefolded, nothing invisible, plain digits, quotes and look-alikes.

    Words are left as they are spelt, so that figures stay figures; `normalise` goes on from here.
    """
    if text.isascii():
        return _CONTROL.sub(" ", text.casefold().replace("`", "'"))
    visible = _without_invisible(_SURROGATE.sub("", text).translate(EMOJI))
    folded = unicodedata.normalize("NFKC", visible).casefold().translate(STRAIGHTENED)
    plain = _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0], 0)), folded)
    if _LATIN.search(plain):
        plain = _WORD.sub(_as_latin, plain)
    return _CONTROL.sub(" ", plain)


def normalise(text: str) -> str:
    """`unmask`, then words: leetspeak read, letters apart joined, repeats collapsed, blanks single.

    Line breaks stay, one at a time, because they end a clause.
    """
    plain = _SPACED.sub(_joined, unmask(_GLUED_I.sub(" I", text)))
    plain = _LEET_TOKEN.sub(_leet_word, plain)
    plain = _REPEATED.sub(r"\1", plain)
    return _LINE_BREAKS.sub("\n", _BLANKS.sub(" ", plain)).strip()


def fold_accents(text: str) -> str:
    """`text` without what people leave out when typing: Latin accents, Arabic vowel signs, nuqta and chandrabindu."""
    if text.isascii():
        return text
    kept = []
    for character in unicodedata.normalize("NFD", text):
        if character in _DROPPED_MARKS or "\u0300" <= character <= "\u036f" or "\u064b" <= character <= "\u065f":
            continue
        kept.append(_SAME_LETTER.get(character, character))
    return unicodedata.normalize("NFC", "".join(kept))


_DROPPED_MARKS = frozenset("\u093c\u0670\u200c\u200d")
_SAME_LETTER = {"\u0901": "\u0902", "ى": "ي", "ة": "ه", "ٱ": "ا", "ß": "ss"}


def _without_invisible(text: str) -> str:
    """Drop format characters and overlong heaps of marks, which normalisation would need quadratic time for."""
    kept: list[str] = []
    marks = 0
    for character in text:
        if character < "\u0300":
            marks = 0
            if character != "\u00ad":
                kept.append(character)
            continue
        category = unicodedata.category(character)
        if category in ("Cf", "Me") or character in _BLANK_LETTERS or "\ufe00" <= character <= "\ufe0f":
            continue
        marks = marks + 1 if category == "Mn" else 0
        if marks <= _MAX_MARKS_IN_A_ROW:
            kept.append(" " if category in ("Zl", "Zp") else character)
    return "".join(kept)


def _as_latin(match: re.Match[str]) -> str:
    word = match[0]
    if word.isascii():
        return word
    swapped = word.translate(HOMOGLYPHS)
    # A word wholly of look-alikes counts too ("ԁіе" is no Russian word a Latin text would hold by chance).
    return swapped if swapped.isascii() and swapped.isalpha() else word


def _joined(match: re.Match[str]) -> str:
    """Join letters; where some gaps are wider than others, the wide ones part words."""
    run = match[0]
    words = _WIDE_GAP.split(run)
    letters = ["".join(character for character in word if character.isalpha()) for word in words]
    if len(words) > 1 and max(map(len, letters)) == 1:
        return "".join(letters)
    return " ".join(letters)


def _leet_word(match: re.Match[str]) -> str:
    word = match[0]
    if word.isalpha() or not _LATIN.search(word):
        return word
    read = _LEET_INSIDE.sub(_as_letters, word)
    read = _LEET_FIRST.sub(_as_letters, read)
    return _LEET_LAST.sub(_as_letters, read)


def _as_letters(match: re.Match[str]) -> str:
    signs = match[0]
    return _DOUBLE_ONE.get(signs) or "".join(LEET[sign] for sign in signs)
