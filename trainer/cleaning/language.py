"""Whether a text is in the language that is asked for. Short texts are not judged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from py3langid import langid

from trainer.cleaning.sentences import split_sentences

_SHORTEST: Final = 80
"""Characters; below, names and loan words decide."""
_STRETCH: Final = 240
"""Characters that are judged at once, so that an answer given twice, in two languages, shows."""
_SURE: Final = 0.9


def known_languages() -> frozenset[str]:
    """The ISO 639-1 codes that can be told apart."""
    return frozenset(_identifier().labels)


def is_other_language(text: str, language: str) -> bool:
    """Whether a stretch of `text` is surely in another language."""
    return any(_is_other(stretch, language) for stretch in _stretches(text))


def _is_other(stretch: str, language: str) -> bool:
    found, share = _identifier().classify(stretch)
    return bool(found != language and share >= _SURE)


def _stretches(text: str) -> Iterator[str]:
    held = ""
    for sentence in split_sentences(text):
        held += sentence
        if len(held) >= _STRETCH:
            yield held
            held = ""
    if len(held) >= _SHORTEST:
        yield held


@cache
def _identifier() -> Any:
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
