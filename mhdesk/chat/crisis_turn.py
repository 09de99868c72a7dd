"""What stands in the conversation at level crisis: a card when one is due, and the program's own words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import reduce

from mhdesk.chat.crisis import CrisisReplies
from mhdesk.chat.ports import SafetyPlan
from mhdesk.core.events import Card
from mhdesk.core.levels import Verdict
from mhdesk.core.messages import Message
from mhdesk.core.saved_turn import SavedTurn
from mhdesk.core.settings import AgeBand
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.languages import language_of

log = logging.getLogger(__name__)

_TURNS_BETWEEN_CARDS = 4
"""The same card comes back after so many turns; the panel beside the chat shows the lines all the while."""
_TURNS_READ = 3
"""Earlier messages that are read for the language."""


class CrisisTurn:
    """Knows which cards the conversation has seen. `region`, `age_band` and `language` are asked at every turn."""

    def __init__(
        self,
        helplines: Helplines,
        replies: CrisisReplies,
        safety_plan: SafetyPlan,
        *,
        region: Callable[[], str],
        age_band: Callable[[], AgeBand],
        language: Callable[[], str],
    ) -> None:
        self._helplines = helplines
        self._replies = replies
        self._safety_plan = safety_plan
        self._region = region
        self._age_band = age_band
        self._language = language
        self._cards_shown: dict[tuple[object, ...], int] = {}

    def card_if_due(self, verdict: Verdict, turn: int) -> Card | None:
        """The card that fits `verdict`, unless the same one was shown a few turns ago."""
        card = self._helplines.card(self._region(), verdict, self._age_band())
        key = (card.region, card.topic, verdict.danger_now)
        shown = self._cards_shown.get(key)
        if shown is not None and turn - shown < _TURNS_BETWEEN_CARDS:
            return None
        self._cards_shown[key] = turn
        return card

    def words(self, user: Message, verdict: Verdict, earlier: Sequence[SavedTurn]) -> str:
        """The program's own words for this turn; never any that the conversation has seen."""
        said = [saved.reply for saved in earlier if saved.fixed]
        written = [saved.user.text for saved in earlier[-_TURNS_READ:]]
        return self._replies.choose(
            verdict,
            said,
            len(earlier),
            # What was written before is the usual language of what is written now: one word does not change it.
            language=reduce(lambda usual, text: language_of(text, usual), [*written, user.text], self._language()),
            age_band=self._age_band(),
            own_step=self._own_step(said),
        )

    def forget(self) -> None:
        """A new conversation begins."""
        self._cards_shown.clear()

    def _own_step(self, said: Sequence[str]) -> str | None:
        """None where the plan cannot be read: help must show all the same."""
        try:
            return self._safety_plan.next_step(said)
        except Exception as error:
            log.error("the safety plan could not be read: %s", type(error).__name__)
            return None
