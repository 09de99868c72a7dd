"""One attempt: from a parent to a new row, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mhdesk.core.generation import GenerationRequest
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from trainer.rows import Row
from trainer.settings.augment import PARAPHRASE, AugmentSettings
from trainer.writing.filters import Filters
from trainer.writing.kept_texts import KeptTexts
from trainer.writing.plan import Attempt
from trainer.writing.prompts import ask_next_turn, ask_paraphrase, ask_reply
from trainer.writing.wording import tidy
from trainer.writing.writer import Written


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes rows with one writer. Attribute `parents`: why a parent is given to no writer, of those met so far."""

    texts: KeptTexts
    filters: Filters
    settings: AugmentSettings
    seed: int
    language: str
    """Of the rows, and so of the system prompt that a reply is asked under."""
    parents: dict[str, str]

    def make(self, attempt: Attempt) -> Row | str:
        """A new row, or the reason why there is none.

        Raises:
            MHDeskError: the writer cannot be used.
        """
        parent = attempt.parent
        if parent.id not in self.parents:
            self.parents[parent.id] = self.filters.refuses_parent(parent)
        if reason := self.parents[parent.id]:
            return f"parent_{reason}"
        made = self._paraphrase(attempt) if attempt.way == PARAPHRASE else self._follow_up(attempt)
        if isinstance(made, str):
            return made
        self.filters.remember(turn.text for turn in new_turns(made, parent))
        return made

    def _paraphrase(self, attempt: Attempt) -> Row | str:
        parent = attempt.parent
        written = self._ask(attempt, "person", ask_paraphrase(parent.turns[0].text))
        text = tidy(written.text)
        if reason := self.filters.refuses_paraphrase(text, written, parent):
            return reason
        return self._row(attempt, (Message(Role.USER, text), *parent.turns[1:]))

    def _follow_up(self, attempt: Attempt) -> Row | str:
        turns = attempt.parent.turns
        written = self._ask(attempt, "person", ask_next_turn(turns))
        said = Message(Role.USER, tidy(written.text))
        if reason := self.filters.refuses_turn(said, written, turns):
            return reason
        talk = (*turns, said)
        written = self._ask(attempt, "supporter", ask_reply(talk, self.filters.level_of(talk), self.language))
        reply = Message(Role.ASSISTANT, tidy(written.text))
        return self.filters.refuses_turn(reply, written, talk) or self._row(attempt, (*talk, reply))

    def _ask(self, attempt: Attempt, step: str, messages: Sequence[Message]) -> Written:
        sampling = Sampling(
            temperature=self.settings.temperature,
            max_new_tokens=self.settings.most_new_tokens,
            seed=attempt.seed(self.seed, step),
        )
        return self.texts.write(GenerationRequest(tuple(messages), sampling))

    def _row(self, attempt: Attempt, turns: tuple[Message, ...]) -> Row:
        parent = attempt.parent
        return replace(
            parent, id=attempt.id, turns=turns, votes=None, author="", parent=parent.id, made_by=self.texts.made_by
        )


def new_turns(row: Row, parent: Row) -> tuple[Message, ...]:
    """The turns of a written row that its parent has not."""
    if len(row.turns) == len(parent.turns):
        return row.turns[:1]
    return row.turns[len(parent.turns) :]
