"""Short answers to the app's own questions: what was asked, and whether the answer agrees, denies or evades.

A question weighs nothing until it is answered, and an answer that speaks of something else weighs nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from mhdesk.core.levels import Topic
from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.spelling import Speller

LONGEST_ANSWER: Final = 160
"""Bytes. Of a longer message only a first sentence this short is read as an answer."""
_LONGEST_ASKED: Final = 4_000
_SENTENCE: Final = re.compile(r"[^.!?。！？؟।\n]*[.!?。！？؟।\n]*")
# Marks and words that make a sentence a question; several languages ask without a mark.
_ASKS: Final = re.compile(
    r"[?？؟]|(?:か|の|吗|嗎|么)[。.\s]*$|^\s*(?:هل|क्या|kya)\s|\b(?:tell me|let me know|i ask) (?:if|whether)\b", re.I
)

_POINTS_BACK: Final = re.compile(
    r"^\W*(?:and |so )?(?:has|have|had|is|are|was|do|does|did|could|might)\s+(?:any of |some of |something like )?"
    r"(?:that|this|it|those|these|such)\b"
    r"|\b(?:are|do|did|have|were) you (?:\w+ )?(?:having|have|had|been having|get|getting|experiencing|feeling) "
    r"(?:any )?(?:thoughts?|feelings?|ideas?|urges?|moments?) like (?:that|this|those|these)\b"
    r"|\b(?:have|are|do|did) you (?:\w+ )?(?:having|had|have|get|feel|felt|think|thought|thinking) "
    r"(?:like |about |any of |of )?(?:that|this|it|those things|such things|such thoughts)\b"
    r"(?: too| yourself| lately)?\W*$",
    re.I,
)


class Answer(Enum):
    """How a question was answered. `OTHER` is no answer: silence, or another subject."""

    YES = auto()
    NO = auto()
    UNSURE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the app's own about danger. `means` says in a plain sentence what it asks.

    `now` asks about plan, means or an emergency; of `if_no` questions ("are you safe?") the no is the alarm; and
    `needs_context` ones ("do you have a plan?") are about danger only where the talk before was.
    """

    topic: Topic
    means: str
    found: Any
    now: bool = False
    if_no: bool = False
    needs_context: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question found in what the app said.

    `part` is 0 or 1 where it lets choose between danger and something else: the half that is the danger. `aside` says
    that a harmless offer followed, which a yes may as well be meant for.
    """

    question: Question
    part: int | None = None
    aside: bool = False

    def is_alarm(self, answer: Answer) -> bool:
        """Whether `answer` owns to the danger, or does not rule it out."""
        return answer is Answer.UNSURE or answer is (Answer.NO if self.question.if_no else Answer.YES)

    def is_denial(self, answer: Answer) -> bool:
        """Whether `answer` says that there is none."""
        return answer is (Answer.YES if self.question.if_no else Answer.NO)


@dataclass(frozen=True, slots=True)
class Answers:
    """The families of words in resources/safety/conversation.yaml, compiled."""

    questions: tuple[Question, ...]
    harmless: Any
    offering: Any
    either: Any
    agreeing: Any
    unsure: Any
    denying: Any
    taken_back: Any
    fine: Any
    first: Any
    second: Any
    both: Any

    def find_question(self, said: str, speller: Speller, *, at_risk: bool) -> Asked | None:
        """The last question about danger in `said`, a message of the app."""
        asked = list(_questions(said[-_LONGEST_ASKED:], speller))
        about_danger = at_risk or any(not found.needs_context for data in asked for found in self._matching(data))
        for place, data in reversed(list(enumerate(asked))):
            part = self._part(data)
            chosen = (found for found in self._matching(data, bare=about_danger) if part is None or not found.if_no)
            question = next(chosen, None)
            if question is not None:
                aside = any(self.offering.search(later) for later in asked[place + 1 :])
                return Asked(question, part, aside)
        return None

    def read(self, asked: Asked, data: bytes) -> Answer:
        """How the words in `data` (as `read_clauses` gives them) answer."""
        if len(data) > LONGEST_ANSWER:
            data = data.partition(b"\n")[0]
            if len(data) > LONGEST_ANSWER:
                return Answer.OTHER
        if asked.part is not None:
            if self.both.search(data):
                return Answer.YES
            for part, family in enumerate((self.first, self.second)):
                if family.search(data):
                    return Answer.YES if part == asked.part else Answer.NO
        if self.fine.search(data):
            return Answer.YES if asked.question.if_no else Answer.NO
        if self.denying.search(data):
            return Answer.UNSURE if self.taken_back.search(data) else Answer.NO
        if self.agreeing.search(data):
            return Answer.YES
        return Answer.UNSURE if self.unsure.search(data) else Answer.OTHER

    def _matching(self, data: bytes, *, bare: bool = True) -> Iterator[Question]:
        if self.harmless.search(data):
            return
        for question in self.questions:
            if (bare or not question.needs_context) and question.found.search(data):
                yield question

    def _part(self, data: bytes) -> int | None:
        match = self.either.search(data)
        if match is None:
            return None
        halves = (data[: match.start()], data[match.end() :])
        risky = [any(not found.if_no for found in self._matching(half)) for half in halves]
        return risky.index(True) if sum(risky) == 1 else None


def _questions(said: str, speller: Speller) -> Iterator[bytes]:
    """Each question; one that only points at the sentence before ("has that been happening?") together with it."""
    before = ""
    for match in _SENTENCE.finditer(said):
        if match[0] and _ASKS.search(match[0]):
            pointed_at = before.rstrip(".!… \n") + " " if _POINTS_BACK.search(match[0]) else ""
            yield read_clauses(pointed_at + match[0], speller).data.strip(b"\n")
        if match[0].strip():
            before = match[0]
