"""What the program itself says while a message is at level crisis. The model is silent then.

The order follows what guidance agrees on, in our own words: acknowledge, ask directly, people and lines, make it safer,
stay. No contract, no leading question, no telephone number (the card has them), no end to the talk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product, zip_longest
from pathlib import Path
from typing import Final

from mhdesk.chat.crisis_texts import ENGLISH, STEP, CrisisTexts, load_crisis_texts
from mhdesk.core.levels import Topic, Verdict
from mhdesk.core.settings import AgeBand

_PLAINLY: Final = {
    Topic.SUICIDE: frozenset({"suicide", "suicide.named", "suicide.act", "suicide.wish-to-be-dead", "asked-suicide"}),
    Topic.SELF_HARM: frozenset({"self-harm", "asked-self-harm"}),
}
"""Rules, without their language, that say the person has said it in so many words, or has answered yes."""
_LEARNT: Final = "learnt."
"""Rules of this kind have a feeling for a text; nothing was said plainly because of them."""

_OPENS_WITH_THE_NUMBER: Final = frozenset({Topic.MEDICAL, Topic.THIRD_PARTY})
"""Their `first` texts name the emergency number, and the third party's speak of the other person, as they must."""
_HAS_OWN_PLAN: Final = frozenset({Topic.SUICIDE, Topic.SELF_HARM})
_NOT_WITH_OWN_PLAN: Final = frozenset({Topic.ABUSE, Topic.MINOR})
"""A step of the plan may name the very person who hurts them."""
_YOUNG: Final = frozenset({AgeBand.UNDER_13, AgeBand.TEEN})

_BETWEEN_URGENT: Final = 3
"""Replies without the emergency number once all its texts were said; the card and the panel show it all the while."""
_BETWEEN_OWN_STEPS: Final = 3


class CrisisReplies:
    """Chooses among the texts in resources/crisis, by what was heard and by what was said before."""

    def __init__(self, texts: Mapping[str, CrisisTexts]) -> None:
        self._texts = dict(texts)

    @classmethod
    def load(cls, folder: Path | None = None) -> CrisisReplies:
        """The replies in `folder` (the program's own if not given).

        Raises:
            BadReplies: the English ones are missing or break the format.
        """
        return cls(load_crisis_texts(folder))

    def choose(
        self,
        verdict: Verdict,
        said_before: Sequence[str],
        turn: int,
        *,
        language: str = ENGLISH,
        age_band: AgeBand = AgeBand.UNKNOWN,
        own_step: str | None = None,
    ) -> str:
        """A text that is not in `said_before`, made of parts that were said least.

        Args:
            verdict: of the person's last message.
            said_before: every fixed text shown in this conversation, oldest first.
            turn: number of the turn in the conversation; only shifts where the search for an acknowledgement begins.
            language: one of the app's languages; English stands in for one that has no texts.
            age_band: for someone under 18 an adult they trust comes before the lines.
            own_step: the next step of the person's own safety plan, if there is one.
        """
        texts = self._texts.get(language) or self._texts[ENGLISH]
        topic = _topic(verdict)
        young = age_band in _YOUNG or Topic.MINOR in verdict.topics
        if topic not in _HAS_OWN_PLAN or not _NOT_WITH_OWN_PLAN.isdisjoint(verdict.topics):
            own_step = None
        search = _Search(texts, topic, verdict, said_before, young=young)
        for parts in search.candidates(turn, own_step):
            text = " ".join(parts)
            if text not in said_before:
                return text
        # Thousands of turns would be needed to come here; even then the person is not left without an answer.
        return f"{search.script.acknowledge[0]} {search.script.first[0]} ({turn})"


class _Search:
    """One choice: what is due in this turn, and the combinations that say it."""

    def __init__(
        self, texts: CrisisTexts, topic: Topic, verdict: Verdict, said_before: Sequence[str], *, young: bool
    ) -> None:
        self.script = texts.topics[topic]
        self._texts = texts
        self._topic = topic
        self._verdict = verdict
        self._said_before = said_before
        self._said = "\n".join(said_before)
        self._young = young

    def candidates(self, turn: int, own_step: str | None) -> Iterator[tuple[str, ...]]:
        """Parts of a reply, the most fitting first."""
        acknowledgements = self._least_said(self.script.acknowledge, turn)
        due = self._due(turn, own_step)
        urgent = self._urgent(due) if self._verdict.danger_now else ()
        if due is not None:
            yield from ((*urgent, acknowledgement, due) for acknowledgement in acknowledgements)
        steps = self._least_said(self._steps())
        # The step is what leads on, so its turn comes round before any acknowledgement's does.
        yield from ((*urgent, acknowledgement, step) for step, acknowledgement in product(steps, acknowledgements))
        pairs = product(steps, acknowledgements, acknowledgements)
        yield from ((*urgent, one, other, step) for step, one, other in pairs if one != other)

    def _due(self, turn: int, own_step: str | None) -> str | None:
        """What has to come before the stages go on; None if nothing has."""
        script = self.script
        if self._has_means() and self._unsaid(script.safer):
            return script.safer[0]
        if self._said_plainly():
            if self._unsaid(script.first_plain):
                return self._least_said(script.first_plain, turn)[0]
        elif self._unsaid((*script.first, *script.first_plain)):
            return self._least_said(script.first, turn)[0]
        if own_step is None or self._unsaid((*script.people, *self._texts.young_people)):
            return None
        frames = self._least_said([max(text.split(STEP), key=len) for text in self._texts.own_plan])
        if any(frame in reply for reply in self._said_before[-_BETWEEN_OWN_STEPS:] for frame in frames):
            return None
        text = next(text for text in self._texts.own_plan if frames[0] in text)
        return text.replace(STEP, " ".join(own_step.split()).rstrip(" .。"))

    def _urgent(self, due: str | None) -> tuple[str, ...]:
        """The emergency number, which comes first; not in every reply, since what is always said is not heard."""
        texts = self.script.first if self._topic in _OPENS_WITH_THE_NUMBER else self._texts.danger_now
        if due in texts:
            return ()
        pause = 1 if any(text not in self._said for text in texts) else _BETWEEN_URGENT
        if any(text in reply for reply in self._said_before[-pause:] for text in texts):
            return ()
        return (self._least_said(texts)[0],)

    def _steps(self) -> tuple[str, ...]:
        """All steps in the order of the stages: the first of each, the second of each, and so on.

        The question that opens a topic has been asked before, so asking stands last.
        """
        script = self.script
        stages: tuple[tuple[str, ...], ...] = (script.people, script.safer, script.stay, script.ask)
        if self._young:
            young = self._texts
            stages = (young.young_people, script.safer, script.people, script.stay, young.young_safer, script.ask)
        return tuple(step for step in chain.from_iterable(zip_longest(*stages)) if step is not None)

    def _has_means(self) -> bool:
        """Whether plan or means were told: those are not asked about then, safety comes first."""
        told = self._verdict.danger_now and any(not rule.startswith(_LEARNT) for rule in self._verdict.rules)
        return told and bool(self.script.first_plain)

    def _said_plainly(self) -> bool:
        if not self.script.first_plain:
            return False
        told = {rule.partition(".")[2] for rule in self._verdict.rules if not rule.startswith(_LEARNT)}
        return not told.isdisjoint(_PLAINLY[self._topic])

    def _unsaid(self, texts: Sequence[str]) -> bool:
        return not any(text in self._said for text in texts)

    def _least_said(self, texts: Sequence[str], shift: int = 0) -> list[str]:
        """`texts`, those said least often first, just said ones last; equals in their own order, begun at `shift`."""
        start = shift % len(texts)
        just_said = self._said_before[-1] if self._said_before else ""
        return sorted((*texts[start:], *texts[:start]), key=lambda text: (text in just_said, self._said.count(text)))


def _topic(verdict: Verdict) -> Topic:
    """The weightiest topic, but an attempt under way is an emergency of the body first."""
    if verdict.danger_now and Topic.MEDICAL in verdict.topics and verdict.topics[0] in _HAS_OWN_PLAN:
        return Topic.MEDICAL
    return verdict.topics[0] if verdict.topics else Topic.SUICIDE
