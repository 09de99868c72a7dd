"""Which of the app's languages a message is in, so that help answers in it.

Help in a language the person does not read is worse than English, so the usual language stands unless another is
clearly ahead: first by script, else by the short words that no sentence does without (resources/safety/languages.yaml).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from mhdesk.core.paths import resources_dir
from mhdesk.safety.normalise import fold_accents, normalise
from mhdesk.safety.patterns import BadRules
from mhdesk.safety.rules import checked, read_yaml

log = logging.getLogger(__name__)

LATIN: Final = ("en", "es", "fr", "de", "pt", "it", "nl", "hi-Latn")
LANGUAGES: Final = (*LATIN, "hi", "ar", "ja", "zh")
"""BCP 47 tags of all languages that crisis texts are written in."""

_READ: Final = 4_000
"""Characters; more would not make it any clearer."""
_LETTERS: Final = {
    "hi": re.compile("[\u0904-\u0939\u0958-\u0961]"),
    "ar": re.compile("[\u0620-\u064a\u066e-\u06d3]"),
    "kana": re.compile("[\u3041-\u3096\u30a1-\u30fa]"),
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
}
_SYLLABLES: Final = 3
"""Latin letters that say as much as one kana or Chinese character."""
_KANA_SHARE: Final = 0.2
"""Japanese is never written with less; a Chinese text may hold a stray "の"."""
_CLEAR_LEAD: Final = 2
_LEAST_SHARE: Final = 5
"""A language has at least every fifth word of its texts in its list; a scatter of less is another language's."""
_FEW_WORDS: Final = 4
"""A message this short is clear if half its words are another language's and none is the usual one's alone."""
_MARKS: Final = re.compile("['’`]")
_WORD: Final = re.compile(r"[^\W\d_]+")


def language_of(text: str, usual: str) -> str:
    """One of `LANGUAGES`: the one `text` is in if that is clear, else the one nearest to the tag `usual`.

    Never raises, and is linear in the text.
    """
    known = _known(usual)
    try:
        return _by_script(text[:_READ], known) or _by_words(text[:_READ], known)
    except Exception as error:  # whatever went wrong, the person gets an answer
        log.error("a message's language could not be told: %s", type(error).__name__)
        return known


def _known(tag: str) -> str:
    parts = tag.replace("_", "-").split("-")
    for end in range(len(parts), 0, -1):
        wanted = "-".join(parts[:end]).lower()
        for language in LANGUAGES:
            if language.lower() == wanted:
                return language
    return "en"


def _by_script(text: str, usual: str) -> str | None:
    """The language of the script most of `text` is in; None for Latin, and `usual` for one that none of ours has."""
    plain = unicodedata.normalize("NFKC", text)
    count = {name: len(letters.findall(plain)) for name, letters in _LETTERS.items()}
    eastern = (count["kana"] + count["han"]) * _SYLLABLES
    letters = sum(map(str.isalpha, plain)) - count["kana"] - count["han"] + eastern
    if not letters:
        return usual
    if eastern * 2 > letters:
        if count["kana"] >= _KANA_SHARE * (count["kana"] + count["han"]):
            return "ja"
        return "ja" if usual == "ja" and not load_language_words().only_chinese.search(plain) else "zh"
    for language in ("hi", "ar"):
        if count[language] * 2 > letters:
            return usual if load_language_words().is_other(language, plain) else language
    return None


def _by_words(text: str, usual: str) -> str:
    """The Latin-script language whose words stand out in `text`."""
    words = _WORD.findall(fold_accents(_MARKS.sub("", normalise(text))))
    known = load_language_words().latin
    score = {language: sum(word in own for word in words) for language, own in known.items()}
    best, second = sorted(score, key=lambda language: (-score[language], language != usual))[:2]
    usual_words = known.get(usual, frozenset())
    lead = score[best] - score.get(usual, 0)
    if score[best] == score[second] or best == usual or score[best] * _LEAST_SHARE < len(words):
        return usual
    if lead >= _CLEAR_LEAD:
        return best
    short = len(words) <= _FEW_WORDS and score[best] * 2 >= len(words)
    own = any(word in usual_words and word not in known[best] for word in words)
    return best if short and not own else usual


class LanguageWords:
    """The words of resources/safety/languages.yaml, compiled.

    `latin`: the words of each language written in Latin letters, without accents or apostrophes. `only_chinese`:
    characters that Japanese does not have.
    """

    def __init__(self, latin: Mapping[str, Sequence[str]], other: Mapping[str, str], only_chinese: str) -> None:
        self.latin = {language: frozenset(map(fold_accents, words)) for language, words in latin.items()}
        self.only_chinese = re.compile(f"[{only_chinese}]")
        self._other = {language: re.compile(pattern) for language, pattern in other.items()}

    def is_other(self, language: str, text: str) -> bool:
        """Whether `text` is in a language that shares the script of `language`, such as Urdu the Arabic one's."""
        return self._other[language].search(text) is not None


@cache
def load_language_words(path: Path | None = None) -> LanguageWords:
    """The words in `path` (the program's own if not given).

    Raises:
        BadRules: the file breaks the format, or a language is missing or not known.
    """
    path = path or resources_dir() / "safety" / "languages.yaml"
    raw = read_yaml(path, {"latin", "other", "only_chinese"})
    latin = checked(raw.get("latin"), LATIN, path.name)
    other = checked(raw.get("other"), {"hi", "ar"}, path.name)
    if len(latin) != len(LATIN) or len(other) != 2 or not isinstance(raw.get("only_chinese"), str):
        raise BadRules(f"The words of a language are missing in {path.name}.")
    return LanguageWords(
        {language: str(words).split() for language, words in latin.items()}, other, raw["only_chinese"]
    )
