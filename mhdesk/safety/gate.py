"""What reads the model's words before the person does: holds back to a safe boundary, releases or stops for good.

Decisions fall at places that depend on the text alone, never on how it was cut into chunks: after a sentence end or
line break that no number can reach over, or after `HOLD` characters. What is released is always a prefix of the text.
"""

from __future__ import annotations

import json
import logging
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mhdesk.core.levels import GateStop
from mhdesk.core.paths import resources_dir
from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.figures import FigureRules, has_address, has_number, may_go_on
from mhdesk.safety.learnt import Learnt
from mhdesk.safety.normalise import unmask
from mhdesk.safety.patterns import BadRules, compile_family
from mhdesk.safety.rules import checked, read_yaml

log = logging.getLogger(__name__)

HOLD: Final = 160
"""Most characters held back."""
_HALF: Final = HOLD // 2
_TAIL: Final = 240
"""Released characters that are read again with what follows, so that no pattern slips through between two pieces."""
_LENGTH_DOUBT: Final = 1.3
"""How much surer the learnt stage must be, in log odds, for each e-fold of pieces that were judged."""
_REASONS: Final = (
    "number", "address", "method", "dose", "diagnosis", "encouragement", "delusion", "human_claim", "secrecy",
    "prompt_leak", "invented_service", "internal_error",
)  # fmt: skip
_ROLE_LABEL: Final = re.compile(r"(?i)\n[ \t>*_#]*(?:system|user|human|assistant|ai|bot)[*_]*[ \t]?[:：]")
_BOUNDARY: Final = re.compile(r"""[.!?…।؟]+["'”’)\]*]*(?=\s)|[。！？]|\n""")


@dataclass(frozen=True, slots=True)
class _Reason:
    name: str
    found: Any
    unless: Any


@dataclass(frozen=True, slots=True)
class GateRules:
    """Everything the gate knows."""

    reasons: tuple[_Reason, ...]
    figures: FigureRules
    replies: dict[str, str]
    learnt: Learnt

    @classmethod
    def load(cls, folder: Path | None = None, learnt: Learnt | None = None) -> GateRules:
        """The rules under `folder` (resources/safety/gate if not given), beside `learnt` (the shipped pair if None).

        Raises:
            BadRules: a file breaks the format, or a reason has no reply.
        """
        folder = folder or resources_dir() / "safety" / "gate"
        raw = read_yaml(folder / "words.yaml", {"words", "reasons"})
        replies = json.loads((folder / "replies.json").read_text(encoding="utf-8"))
        reasons = tuple(_reason(entry, raw["words"]) for entry in raw["reasons"])
        if set(replies) != set(_REASONS) or not {reason.name for reason in reasons} <= set(_REASONS):
            raise BadRules("Every reason of the gate needs exactly one reply.")
        return cls(reasons, FigureRules.load(folder / "numbers.yaml"), replies, learnt or Learnt.load("gate"))


class Gate:
    """Makes one `GateStream` for each reply."""

    def __init__(self, rules: GateRules) -> None:
        self._rules = rules

    @classmethod
    def load(cls, *, later: bool = False) -> Gate:
        """The gate with the program's own rules.

        Args:
            later: read what was learnt at first use or by `prepare`.

        Raises:
            BadRules: a file of rules breaks the format.
        """
        return cls(GateRules.load(learnt=Learnt.later("gate") if later else None))

    def prepare(self) -> None:
        """Read what was learnt now.

        Raises:
            BadRules: it cannot be read.
        """
        self._rules.learnt.prepare()

    def begin(self) -> GateStream:
        """A fresh stream."""
        return GateStream(self._rules)

    def stop_of(self, text: str) -> GateStop | None:
        """Why a whole reply would be stopped; None if it would not be."""
        stream = self.begin()
        stream.push(text)
        stream.flush()
        return stream.stopped


class GateStream:
    """One reply on its way to the screen."""

    def __init__(self, rules: GateRules) -> None:
        self._rules = rules
        self._held = ""
        self._tail = ""
        self._pieces = 0
        self._stopped: GateStop | None = None

    @property
    def stopped(self) -> GateStop | None:
        """Why the reply was stopped; None while it was not."""
        return self._stopped

    @property
    def fixed_reply(self) -> str:
        """What stands in place of a stopped reply; empty while it was not stopped."""
        return self._rules.replies[self._stopped.reasons[0]] if self._stopped else ""

    def push(self, text: str) -> str:
        """Take more of the model's words; returns what may be shown now, often nothing."""
        return self._guarded(text, ended=False)

    def flush(self) -> str:
        """The model has ended: returns the rest, if it may be shown."""
        return self._guarded("", ended=True)

    def _guarded(self, text: str, *, ended: bool) -> str:
        if self._stopped is not None:
            return ""
        try:
            return self._advance(text, ended=ended)
        except Exception as error:  # an error must stop the reply, whatever it is
            log.error("the gate failed: %s", type(error).__name__)
            self._stop("internal_error")
            return ""

    def _advance(self, text: str, *, ended: bool) -> str:
        self._held += text
        released = []
        while self._stopped is None:
            step = self._next_step(ended=ended)
            if step is None:
                break
            read, shown = step
            self._judge(self._held[:read])
            if self._stopped is None:
                piece = self._held[:shown]
                released.append(piece)
                self._held = self._held[shown:]
                self._tail = _last_words(self._tail + piece)
        return "".join(released)

    def _next_step(self, *, ended: bool) -> tuple[int, int] | None:
        """How many characters to read and how many of them to show next; None to wait for more."""
        window = self._held[:HOLD]
        for match in _BOUNDARY.finditer(window):
            if match.end() < len(window) and not may_go_on(window[: match.end()], self._rules.figures):
                return match.end(), match.end()
        if len(self._held) >= HOLD:
            return HOLD, _cut(window, self._rules.figures)
        if ended and self._held:
            return len(self._held), len(self._held)
        return None

    def _judge(self, piece: str) -> None:
        self._pieces += 1
        tail = unmask(self._tail)
        plain = unmask(self._tail + piece)
        border = len(tail) - 1 if tail else 0
        reasons = []
        if has_number(plain, self._rules.figures, border):
            reasons.append("number")
        if has_address(plain, border):
            reasons.append("address")
        if _speaks_for_others(self._tail, piece):
            reasons.append("prompt_leak")
        reasons += self._words(self._tail, piece)
        if reasons:
            self._stop(*dict.fromkeys(reasons))

    def _words(self, tail: str, piece: str) -> list[str]:
        data = read_clauses(tail + piece).data
        before = read_clauses(tail).data
        said = [reason.name for reason in self._rules.reasons if _says(reason, data, len(before))]
        return said or self._learnt(data, len(before.split()))

    def _learnt(self, data: bytes, words_before: int) -> list[str]:
        """What the learnt stage finds in stretches that end in the new piece; only where the rules found nothing.

        Each piece is another chance to be wrong, so that in a long reply one must tell more.
        """
        judged = self._rules.learnt.judge(data, words_before)
        if judged is None or judged.margins["stop"] <= _LENGTH_DOUBT * math.log(self._pieces):
            return []
        return [judged.likely()[0]]

    def _stop(self, *reasons: str) -> None:
        self._stopped = GateStop(reasons)
        self._held = self._tail = ""


def _speaks_for_others(tail: str, piece: str) -> bool:
    """Whether a line begins with a role, as in "User: …": the model goes on with a transcript, or shows its prompt."""
    before = tail or "\n"  # a reply begins a line; what is kept of a longer one need not
    return any(match.end() > len(before) for match in _ROLE_LABEL.finditer(before + piece))


def _says(reason: _Reason, data: bytes, border: int) -> bool:
    for match in reason.found.finditer(data):
        start, end = match.span()
        if end <= border:
            continue
        first = data.rfind(b"\n", 0, start) + 1
        last = data.find(b"\n", start)
        sentence = data[first : len(data) if last < 0 else last]
        if reason.unless is None or reason.unless.search(sentence) is None:
            return True
    return False


def _cut(window: str, figures: FigureRules) -> int:
    """Where a window without a boundary is cut: between words, where no figure or address goes on."""
    spaces = [index + 1 for index in range(_HALF) if window[index].isspace()]
    for index in reversed(spaces):
        if not may_go_on(window[:index], figures):
            return index
    return spaces[-1] if spaces else _HALF


def _last_words(text: str) -> str:
    """The end of what was shown, from the beginning of a word on."""
    if len(text) <= _TAIL:
        return text
    tail = text[-_TAIL:]
    space = next((index for index, character in enumerate(tail[:_HALF]) if character.isspace()), 0)
    return tail[space:]


def _reason(raw: Any, words: dict[str, str]) -> _Reason:
    raw = checked(raw, {"name", "patterns", "unless"}, "gate reasons")
    unless = compile_family(raw["unless"], words) if raw.get("unless") else None
    return _Reason(raw["name"], compile_family(raw["patterns"], words), unless)
