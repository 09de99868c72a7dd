"""What reads the person's words before the model does. Deterministic, offline, and traceable through rule ids.

Levels follow the idea of the C-SSRS ladder without claiming its assessment. Nothing here keeps or logs text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mhdesk.core.levels import NOTHING_FOUND, Level, Topic, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.safety.answers import Answer, Asked
from mhdesk.safety.clauses import Clauses, read_clauses
from mhdesk.safety.learnt import Learnt
from mhdesk.safety.matching import Hit, find_hits, has_idiom
from mhdesk.safety.rules import Pack, ScreenRules

_TURNS_LOOKED_BACK = 3
"""User turns before the last one that are read as context."""
_LONGEST_QUESTION = 200
"""Characters. A longer message says more than it asks, and the model answers; the gate stops a false claim."""
_SHORT = 80
"""Bytes up to which a turn may be the rest of the sentence before."""
_DOUBT = 3.0
"""Log odds that the learnt stage needs beyond its threshold where a modifier has lowered a hit, or an idiom stands."""
_SCRAP_DOUBT = 1.0
"""Log odds it needs more where four words are all, and where trouble with eating is all: only danger is a crisis."""
_FEW_GAPS = 4
_DENIED_DOUBT = 1.5
"""Log odds it needs more where the words deny what the app asked about: they speak of danger, and say there is none."""
_TURNS_READ_TOGETHER = 2
"""Turns before that are read together with the last one, by the learnt stage."""
_READ_BEFORE = 300
"""Bytes of each of them: its ending."""
_BEFORE_DOUBT = 0.5
"""Log odds it needs more where only both together tell."""
_MAY_BE_SOON = frozenset({Topic.SUICIDE, Topic.VIOLENCE, Topic.ABUSE})
_SCRIPTS = {
    "devanagari": re.compile("[\u0900-\u097f]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "han": re.compile("[\u3040-\u30ff\u4e00-\u9fff]"),
    "latin": re.compile("[a-zA-Z\uff21-\uff5a\u0370-\u04ff\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff]"),
}


class Screen:
    """Holds compiled rules; has no state of a conversation, so one screen serves every thread."""

    def __init__(self, rules: ScreenRules, learnt: Learnt) -> None:
        self._rules = rules
        self._learnt = learnt

    @classmethod
    def load(cls, *, later: bool = False) -> Screen:
        """The screen with the program's own rules.

        Args:
            later: read what was learnt at first use or by `prepare`.

        Raises:
            BadRules: a file of rules breaks the format.
        """
        return cls(ScreenRules.load(), Learnt.later("screen") if later else Learnt.load("screen"))

    def prepare(self) -> None:
        """Read what was learnt now.

        Raises:
            BadRules: it cannot be read.
        """
        self._learnt.prepare()

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
        places = [index for index in range(last) if talk[index].role is Role.USER][-_TURNS_LOOKED_BACK:]
        earlier = [talk[index].text for index in places]
        read = [read_clauses(text, self._rules.speller) for text in earlier]
        hits_before = [
            hit
            for text, found in zip(earlier, read, strict=True)
            for hit in self._hits_in(text, found, in_context=False)
        ]
        at_risk = any(hit.level is Level.CRISIS for hit in hits_before)
        before = self._verdict(hits_before)
        for index, found in zip(places, read, strict=True):
            before = _weighed(before, *self._answer(talk, index, found.data, at_risk=at_risk))
        at_risk = before.level is Level.CRISIS
        text = talk[last].text
        clauses = read_clauses(text, self._rules.speller)
        hits = self._hits_in(text, clauses, in_context=at_risk)
        if earlier and len(clauses.data) <= _SHORT and not hits:
            hits = self._across_turns(earlier[-1], text, len(clauses.data))
        told = [] if at_risk else [found.data for found in read[-_TURNS_READ_TOGETHER:]]
        asked, answer = self._answer(talk, last, clauses.data, at_risk=at_risk)
        denied = asked is not None and asked.is_denial(answer)
        verdict = self._raised(self._verdict(hits), text, clauses.data, told, denied=denied)
        verdict = self._pressing(_weighed(verdict, asked, answer), text, clauses.data)
        if verdict.level is Level.NONE and at_risk:
            return Verdict(Level.ELEVATED, before.topics, ("conversation.after-crisis",))
        return verdict

    def asks_what_this_is(self, text: str) -> bool:
        """Whether a short message asks if this is a human being; a law wants that answered (see `notices`)."""
        if len(text) > _LONGEST_QUESTION:
            return False
        return self._rules.asking_what_this_is.search(read_clauses(text, self._rules.speller).data) is not None

    def _hits_in(self, text: str, clauses: Clauses, *, in_context: bool) -> list[Hit]:
        return find_hits(self._packs(text), clauses, in_context=in_context)

    def _packs(self, text: str) -> list[Pack]:
        """The rules of every language that is written in one of the scripts of `text`."""
        scripts = {script for script, sign in _SCRIPTS.items() if sign.search(text)}
        return [pack for pack in self._rules.packs if pack.script in scripts]

    def _across_turns(self, before: str, text: str, ending: int) -> list[Hit]:
        """A sentence begun in one message and ended in the next, of `ending` bytes. Only hits that need both count."""
        joined = read_clauses(f"{before[-200:]} {text}", self._rules.speller)
        border = len(joined.data) - ending
        found = self._hits_in(f"{before}{text}", joined, in_context=False)
        return [hit for hit in found if hit.end > border > hit.start]

    def _answer(
        self, talk: Sequence[Message], index: int, data: bytes, *, at_risk: bool
    ) -> tuple[Asked | None, Answer]:
        """What the app asked before the user turn at `index`, and how that turn, read as `data`, answers."""
        if not index or talk[index - 1].role is not Role.ASSISTANT:
            return None, Answer.OTHER
        asked = self._rules.answers.find_question(talk[index - 1].text, self._rules.speller, at_risk=at_risk)
        return asked, Answer.OTHER if asked is None else self._rules.answers.read(asked, data)

    def _raised(self, verdict: Verdict, text: str, data: bytes, earlier: Sequence[bytes], *, denied: bool) -> Verdict:
        """`verdict`, or what the learnt stage raises it to, reading on from what was said in `earlier` turns.

        It never lowers, and counts for less where a rule found a sign that the words are meant otherwise (a denial,
        a story, a joke), the words are an idiom, or they deny what the app asked.
        """
        if verdict.level is Level.CRISIS:
            return verdict
        before = b"\n".join(_ending(told) for told in earlier)
        judged = self._learnt.judge(data)
        if judged is None:
            return verdict
        margin = judged.margins["crisis"]
        doubt = 0.0
        if any("/" in rule for rule in verdict.rules) or has_idiom(self._packs(text), data):
            doubt += _DOUBT
        if denied:
            doubt += _DENIED_DOUBT
        if data.count(b" ") < _FEW_GAPS or judged.likely()[0] == Topic.EATING:
            doubt += _SCRAP_DOUBT
        if before and margin <= doubt:
            together = self._learnt.judge(before + b"\n" + data, len(before.split()))
            if together is not None and together.margins["crisis"] - _BEFORE_DOUBT > margin:
                judged, margin = together, together.margins["crisis"] - _BEFORE_DOUBT
        level = Level.ELEVATED if judged.margins["alert"] > doubt else Level.NONE
        if margin > doubt:
            level = Level.CRISIS
        if level.severity <= verdict.level.severity:
            return verdict
        topics = tuple(Topic(name) for name in judged.likely())
        rule = f"learnt.{level.value}-{topics[0].value.replace('_', '-')}"
        return Verdict(level, _with(topics, *verdict.topics), (rule, *verdict.rules), verdict.danger_now)

    def _pressing(self, verdict: Verdict, text: str, data: bytes) -> Verdict:
        """`verdict` with danger now where words of means, of a time set or of farewell stand beside a crisis.

        The learnt stage knows that somebody is in danger, but not how soon.
        """
        if verdict.level is not Level.CRISIS or verdict.danger_now or _MAY_BE_SOON.isdisjoint(verdict.topics):
            return verdict
        if any(pack.pressing is not None and pack.pressing.search(data) for pack in self._packs(text)):
            return replace(verdict, danger_now=True)
        return verdict

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


def _weighed(verdict: Verdict, asked: Asked | None, answer: Answer) -> Verdict:
    """`verdict` on what is also an `answer` to something the app `asked`."""
    if asked is None:
        return verdict
    question = asked.question
    alarm = asked.is_alarm(answer)
    rule = f"conversation.asked-{question.topic.value.replace('_', '-')}"
    if alarm and not asked.aside:
        topics = _with((question.topic,), *verdict.topics)
        return Verdict(Level.CRISIS, topics, (rule, *verdict.rules), verdict.danger_now or question.now)
    if verdict.level is Level.CRISIS or not (alarm or answer is Answer.NO):
        return verdict
    rule = f"{rule}/{'offer' if alarm else 'denied'}"
    return Verdict(Level.ELEVATED, _with(verdict.topics, question.topic), (*verdict.rules, rule))


def _ending(data: bytes) -> bytes:
    """The last `_READ_BEFORE` bytes of a text; no sign is cut in two."""
    return data[-_READ_BEFORE:].decode(errors="ignore").encode()


def _with(topics: tuple[Topic, ...], *more: Topic) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys((*topics, *more)))
