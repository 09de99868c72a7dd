"""Everything that happens to the text of one row, in its order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mhdesk.core.messages import Message, Role
from trainer.cleaning.addresses import without_address
from trainer.cleaning.asker import without_name
from trainer.cleaning.authors import Author, read_author, without_author
from trainer.cleaning.characters import plain_characters, plain_quotes, tidy_spaces
from trainer.cleaning.contacts import without_handles, without_links, without_mails
from trainer.cleaning.cutting import is_stump
from trainer.cleaning.encoding import mend_encoding
from trainer.cleaning.irrelevance import without_page
from trainer.cleaning.joints import part_joined
from trainer.cleaning.language import is_other_language
from trainer.cleaning.markup import is_too_tagged, to_plain_text
from trainer.cleaning.patterns import compile_pattern
from trainer.cleaning.phones import without_numbers
from trainer.cleaning.promotion import without_practitioner, without_promotion
from trainer.cleaning.sentences import split_sentences
from trainer.cleaning.signatures import without_greeting, without_signature
from trainer.rows import Row
from trainer.settings.clean import CleanSettings

_WORD: Final = compile_pattern(r"\pL+")
_LEAST_LETTERS: Final = 0.5
_LEAST_VARIETY: Final = 0.15
_SHORT_TURN: Final = 40
"""Characters up to which a later turn of the person may be a figure or a sign alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose text a step reads."""

    role: Role
    author: Author
    settings: CleanSettings
    patterns: Any
    """The configuration's own, or None."""

    @property
    def answers(self) -> bool:
        """Whether the supporter speaks."""
        return self.role is Role.ASSISTANT


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A row after all steps: what changed it, and why it is left out, if it is."""

    row: Row
    changes: tuple[str, ...]
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of matter. `of` is the only role it reads, None for both."""

    reason: str
    of: Role | None
    edit: Callable[[str, Place], str]


FORM: Final = (
    Step("broken_encoding", None, lambda text, place: mend_encoding(text)),
    Step("html", None, lambda text, place: to_plain_text(text)),
    Step("quotation_marks", None, lambda text, place: plain_quotes(text)),
    Step("special_characters", None, lambda text, place: plain_characters(text)),
    Step("spaces", None, lambda text, place: tidy_spaces(text)),
)
"""The text as it was meant; length and noise are judged after it."""
MATTER: Final = (
    Step("joined_sentences", None, lambda text, place: part_joined(text)),
    Step("own_pattern", None, lambda text, place: place.patterns.sub("", text) if place.patterns else text),
    Step("self_promotion", Role.ASSISTANT, lambda text, place: without_promotion(text)),
    Step("author", Role.ASSISTANT, lambda text, place: without_author(text, place.author)),
    Step("mail_address", None, lambda text, place: without_mails(text, whole=place.answers)),
    Step("phone_number", None, lambda text, place: without_numbers(text, place.settings.region, whole=place.answers)),
    Step("link", None, lambda text, place: without_links(text, whole=place.answers)),
    Step("handle", None, lambda text, place: without_handles(text, whole=place.answers)),
    Step("answerer_address", Role.ASSISTANT, lambda text, place: without_address(text, whole=True)),
    Step("greeting", Role.ASSISTANT, lambda text, place: without_greeting(text)),
    Step("signature", None, lambda text, place: without_signature(text, place.author)),
    Step("practitioner", Role.ASSISTANT, lambda text, place: without_practitioner(text)),
    Step("irrelevant", Role.ASSISTANT, lambda text, place: without_page(text)),
    Step("asker_name", Role.USER, lambda text, place: without_name(text)),
    Step("asker_address", Role.USER, lambda text, place: without_address(text, whole=False)),
    Step("stump", Role.ASSISTANT, lambda text, place: _without_last_stump(text)),
    Step("spaces", None, lambda text, place: tidy_spaces(text)),
)
"""What does not belong in it. Offers go first, whole, so that what remains of a number or link is no offer's
stump; an address goes before the signature that often stands over it."""


def clean_row(row: Row, settings: CleanSettings, patterns: Any) -> Cleaned:
    """`row` after every step, its author emptied."""
    if any(len(turn.text) > settings.longest_cell for turn in row.turns):
        return Cleaned(row, (), "endless_cell")
    if any(is_too_tagged(turn.text) for turn in row.turns):
        return Cleaned(row, (), "too_much_markup")
    author = read_author(row.author)
    places = {role: Place(role, author, settings, patterns) for role in (Role.USER, Role.ASSISTANT)}
    changes: dict[str, None] = {}
    formed = _stepped(row, FORM, places, changes)
    early = _noise(formed) or _too_long(formed, settings)
    if early:
        return Cleaned(row, tuple(changes), early)
    cleaned = _stepped(formed, MATTER, places, changes)
    return Cleaned(dataclasses.replace(cleaned, author=""), tuple(changes), _unfit(cleaned, settings))


def _stepped(row: Row, steps: tuple[Step, ...], places: dict[Role, Place], changes: dict[str, None]) -> Row:
    turns = []
    for turn in row.turns:
        text = turn.text
        for step in steps:
            edited = step.edit(text, places[turn.role]) if step.of in (None, turn.role) else text
            if edited != text:
                changes[step.reason] = None
                text = edited
        turns.append(Message(turn.role, text))
    return dataclasses.replace(row, turns=tuple(turns))


def _noise(row: Row) -> str:
    judged = [
        turn.text
        for place, turn in enumerate(row.turns)
        if place == 0 or turn.role is Role.ASSISTANT or len(turn.text) > _SHORT_TURN
    ]
    return "only_noise" if any(map(_is_noise, judged)) else ""


def _is_noise(text: str) -> bool:
    """Hardly a letter, hardly a word, or the same few words over and over."""
    solid = sum(not sign.isspace() for sign in text)
    letters = sum(sign.isalpha() for sign in text)
    words = _WORD.findall(text.lower())
    few = not words or (len(words) >= 20 and len(set(words)) < _LEAST_VARIETY * min(len(words), 100))
    return few or letters < _LEAST_LETTERS * solid


def _too_long(row: Row, settings: CleanSettings) -> str:
    return "too_long" if any(len(turn.text) > settings.longest_turn for turn in row.turns) else ""


def _unfit(row: Row, settings: CleanSettings) -> str:
    answers = [turn.text for turn in row.turns if turn.role is Role.ASSISTANT]
    if not all(turn.text for turn in row.turns):
        return "nothing_left"
    if sum(map(len, answers)) < settings.shortest_answer:
        return "answer_too_short"
    if len(row.turns[0].text) < settings.shortest_question:
        return "question_too_short"
    if settings.language and any(is_other_language(turn.text, settings.language) for turn in row.turns):
        return "other_language"
    return ""


def _without_last_stump(text: str) -> str:
    """A last sentence that ends in a colon announced what is gone."""
    pieces = split_sentences(text.rstrip())
    while pieces and (not pieces[-1].strip() or (pieces[-1].rstrip().endswith(":") and is_stump(pieces[-1].strip()))):
        pieces.pop()
    kept = "".join(pieces)
    return kept if len(kept.rstrip()) < len(text.rstrip()) else text
