"""What reads the person's words before the model does. Deterministic, offline, and traceable through rule ids.

Levels follow the idea of the C-SSRS ladder without claiming its assessment. Nothing here keeps or logs text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mhdesk.core.levels import NOTHING_FOUND, Level, Topic, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.safety.clauses import Clauses, read_clauses
from mhdesk.safety.matching import Hit, Matcher
from mhdesk.safety.rules import Question, ScreenRules

_TURNS_LOOKED_BACK = 3
"""User turns before the last one that are read as context."""
_SHORT = 80
"""Bytes up to which a turn may be the rest of the sentence before, or an answer to the app's question."""
_SCRIPTS = {
    "devanagari": re.compile("[\u0900-\u097f]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "han": re.compile("[\u3040-\u30ff\u4e00-\u9fff]"),
    "latin": re.compile("[a-zA-Z\uff21-\uff5a\u0370-\u04ff\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff]"),
}


class Screen:
    """Holds compiled rules; has no state of a conversation, so one screen serves every thread."""

    def __init__(self, rules: ScreenRules) -> None:
        self._rules = rules

    @classmethod
    def load(cls) -> Screen:
        """The screen with the program's own rules.

        Raises:
            BadRules: a file of rules breaks the format.
        """
        return cls(ScreenRules.load())

    def assess(self, turns: Sequence[Message], region: str = "") -> Verdict:
        """The verdict on the last user turn in its context.

        Args:
            turns: what was said, oldest first. System messages are passed over.
            region: ISO 3166 code; the rules of every language apply in every region, since people switch.
        """
        talk = [turn for turn in turns if turn.role is not Role.SYSTEM]
        last = next((index for index in reversed(range(len(talk))) if talk[index].role is Role.USER), None)
        if last is None:
            return NOTHING_FOUND
        earlier = [turn.text for turn in talk[:last] if turn.role is Role.USER][-_TURNS_LOOKED_BACK:]
        asked = talk[last - 1].text if last and talk[last - 1].role is Role.ASSISTANT else ""
        before = [hit for text in earlier for hit in self._hits(text, in_context=False)]
        at_risk = any(hit.level is Level.CRISIS for hit in before)
        text = talk[last].text
        clauses = read_clauses(text, self._rules.speller)
        hits = self._hits_in(text, clauses, in_context=at_risk)
        if earlier and len(clauses.data) <= _SHORT and not hits:
            hits = self._across_turns(earlier[-1], text)
        verdict = self._verdict(hits)
        if asked and len(clauses.data) <= _SHORT * 2:
            verdict = self._answered(verdict, asked, clauses)
        if verdict.level is Level.NONE and at_risk:
            topics = self._verdict(before).topics
            return Verdict(Level.ELEVATED, topics, ("conversation.after-crisis",))
        return verdict

    def _hits(self, text: str, *, in_context: bool) -> list[Hit]:
        return self._hits_in(text, read_clauses(text, self._rules.speller), in_context=in_context)

    def _hits_in(self, text: str, clauses: Clauses, *, in_context: bool) -> list[Hit]:
        scripts = {script for script, sign in _SCRIPTS.items() if sign.search(text)}
        return [
            hit
            for pack in self._rules.packs
            if pack.script in scripts
            for hit in Matcher(pack, clauses).hits(in_context=in_context)
        ]

    def _across_turns(self, before: str, text: str) -> list[Hit]:
        """A sentence begun in one message and ended in the next. Only hits that need both count."""
        joined = read_clauses(f"{before[-200:]} {text}", self._rules.speller)
        ending = len(read_clauses(text, self._rules.speller).data)
        border = len(joined.data) - ending
        found = self._hits_in(f"{before}{text}", joined, in_context=False)
        return [hit for hit in found if hit.end > border > hit.start]

    def _answered(self, verdict: Verdict, asked: str, answer: Clauses) -> Verdict:
        """Weigh a short answer to a question about suicide, self-harm or danger. A question alone weighs nothing."""
        if "?" not in asked and "？" not in asked and "؟" not in asked:
            return verdict
        question = self._question(read_clauses(asked, self._rules.speller).data)
        if question is None:
            return verdict
        rule = f"conversation.asked-{question.topic.value.replace('_', '-')}"
        if self._rules.denying.search(answer.data):
            if verdict.level is Level.CRISIS:
                return verdict
            return Verdict(Level.ELEVATED, _with(verdict.topics, question.topic), (*verdict.rules, f"{rule}/denied"))
        if not self._rules.agreeing.search(answer.data):
            return verdict
        topics = _with((question.topic,), *verdict.topics)
        return Verdict(Level.CRISIS, topics, (rule, *verdict.rules), verdict.danger_now or question.now)

    def _question(self, asked: bytes) -> Question | None:
        return next((question for question in self._rules.questions if question.found.search(asked)), None)

    def _verdict(self, hits: Iterable[Hit]) -> Verdict:
        found = sorted(hits, key=lambda hit: (-hit.level.severity, not hit.rule.now, hit.id))
        if not found:
            return NOTHING_FOUND
        level = found[0].level
        danger = any(hit.rule.now and hit.level is Level.CRISIS for hit in found)
        strongest: dict[Topic, tuple[int, int]] = {}
        for hit in found:
            for topic in hit.rule.topics:
                weight = (hit.level.severity, self._rules.weights[topic])
                strongest[topic] = max(strongest.get(topic, (0, 0)), weight)
        topics = tuple(sorted(strongest, key=lambda topic: strongest[topic], reverse=True))
        return Verdict(level, topics, tuple(dict.fromkeys(hit.id for hit in found)), danger)


def _with(topics: tuple[Topic, ...], *more: Topic) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys((*topics, *more)))
