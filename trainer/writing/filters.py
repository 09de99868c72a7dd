"""Why a written turn does not become part of a row. Every reason is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.safety.gate import Gate
from mhdesk.safety.screen import Screen
from trainer.measuring.answer_figures import repeated_share
from trainer.rows import Row
from trainer.settings.augment import AugmentSettings
from trainer.writing.wording import is_meta_talk, overlap, words_of
from trainer.writing.writer import Written

CRISIS = "crisis"
GATE = "gate"


class Filters:
    """Holds what was said before, so that nothing is said twice: `turns_before` are those of every row there is."""

    def __init__(self, settings: AugmentSettings, turns_before: Iterable[str]) -> None:
        self._settings = settings
        self._screen = Screen.load()
        self._gate = Gate.load()
        self._said = {words_of(text) for text in turns_before}

    def level_of(self, turns: Sequence[Message]) -> Level:
        """The screen's level of the last turn of the person in its context."""
        return self._screen.assess(turns).level

    def refuses_parent(self, row: Row) -> str:
        """Why a row is given to no writer: someone in a crisis speaks in it, or words that the gate would stop."""
        places = [place for place, turn in enumerate(row.turns) if turn.role is Role.USER]
        if any(self.level_of(row.turns[: place + 1]) is Level.CRISIS for place in places):
            return CRISIS
        replies = (turn.text for turn in row.turns if turn.role is Role.ASSISTANT)
        return GATE if any(map(self._gate.stop_of, replies)) else ""

    def refuses_paraphrase(self, text: str, written: Written, parent: Row) -> str:
        """Why `text`, which is `written` made tidy, does not stand for the parent's first turn; empty if it does."""
        first = parent.turns[0]
        if reason := self._refuses_form(text, written):
            return reason
        alike = overlap(text, first.text)
        if alike < self._settings.least_similarity:
            return "too_different"
        if alike > self._settings.most_similarity:
            return "too_similar"
        if words_of(text) in self._said:
            return "same_as_another"
        return "" if self.level_of([Message(Role.USER, text)]) is self.level_of([first]) else "level"

    def refuses_turn(self, turn: Message, written: Written, before: Sequence[Message]) -> str:
        """Why a new turn of either side does not go on from `before`; empty if it does."""
        if reason := self._refuses_form(turn.text, written):
            return reason
        if any(overlap(turn.text, earlier.text) > self._settings.most_similarity for earlier in before):
            return "too_similar"
        if words_of(turn.text) in self._said:
            return "same_as_another"
        # The screen has learnt how people in need write: of a supporter's harmless words it calls many a crisis.
        if turn.role is Role.USER:
            return CRISIS if self.level_of([*before, turn]) is Level.CRISIS else ""
        return GATE if self._gate.stop_of(turn.text) else ""

    def remember(self, texts: Iterable[str]) -> None:
        """Texts that have become part of a row."""
        self._said.update(map(words_of, texts))

    def _refuses_form(self, text: str, written: Written) -> str:
        settings = self._settings
        if not text:
            return "empty"
        if not written.whole:
            return "cut_short"
        if is_meta_talk(text):
            return "meta_talk"
        if not settings.shortest <= len(text) <= settings.longest:
            return "length"
        return "repetition" if repeated_share(text) > settings.most_repeated else ""
