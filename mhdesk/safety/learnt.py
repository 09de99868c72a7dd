"""What the learnt stages say of a text. The screen lets them raise a level, the gate lets them stop a reply; no more.

Two readers. A linear one (`second_stage.py`) judges every stretch in every language, and the most telling one in its
context. If that is English, it and the most telling sentences by themselves are read again by a small encoder
(`encoder.py`), which knows words that no sentence of ours held; the most alarming of them counts. The odds of both are
added with weights found on families that neither has seen; the more stretches a text has, the more one must tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mhdesk.core.paths import resources_dir
from mhdesk.safety.encoder import Encoder
from mhdesk.safety.ngrams import read_ngrams
from mhdesk.safety.patterns import BadRules
from mhdesk.safety.second_stage import SecondStage, Telling, stretches_to_read, telling_stretch

ENGLISH: Final = "english"
"""The output that says whether the encoder can read a stretch."""
_ALONE_DOUBT: Final = 0.7
"""Log odds by which a sentence out of its context must tell more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`margins` are log odds above the threshold for outputs that decide; `names` log odds of those that only name."""

    margins: Mapping[str, float]
    names: Mapping[str, float]

    def likely(self) -> tuple[str, ...]:
        """The names that are more likely than not, likeliest first; the likeliest one if none is."""
        ordered = sorted(self.names, key=lambda name: -self.names[name])
        return tuple(name for name in ordered if self.names[name] > 0) or tuple(ordered[:1])


class Learnt:
    """One pair of readers; has no state of a conversation. Their weights are read once, when `prepare` is called."""

    def __init__(self, read: Callable[[], tuple[SecondStage, Encoder]]) -> None:
        self._read = read
        self._readers: _Readers | None = None
        self._one_at_a_time = Lock()

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> Learnt:
        """The pair called `name` (screen or gate) in `folder`, its weights read.

        Raises:
            BadRules: a file is missing, damaged or of another form.
        """
        found = cls.later(name, folder)
        found.prepare()
        return found

    @classmethod
    def later(cls, name: str, folder: Path | None = None) -> Learnt:
        """As `load`, with the weights read at first use: nothing waits for them before the window is there."""
        place = folder or resources_dir() / "safety" / "learnt"
        return cls(
            lambda: (
                SecondStage.load(place / f"{name}.safetensors"),
                Encoder.load(place / f"{name}-encoder.safetensors"),
            )
        )

    def prepare(self) -> None:
        """Read the weights now, on whatever thread; they are read once.

        Raises:
            BadRules: a file is missing, damaged or of another form.
        """
        self._ready()

    def _ready(self) -> _Readers:
        with self._one_at_a_time:
            if self._readers is None:
                self._readers = _Readers(*self._read())
            return self._readers

    def judge(self, data: bytes, first_word: int = 0) -> Judgement | None:
        """What is found in `data`, a text as `read_clauses` gives it; None where there are no words.

        Args:
            data: the text.
            first_word: stretches that end at or before this word are left out.

        Raises:
            BadRules: the weights were not read yet and cannot be.
        """
        return self._ready().judge(data, first_word)


class _Readers:
    """The linear stage and the encoder, and which of their outputs decide."""

    def __init__(self, stage: SecondStage, encoder: Encoder) -> None:
        self._stage = stage
        self._encoder = encoder
        self._sums: Mapping[str, Mapping[str, float]] = encoder.about["sums"]
        self._place = {name: place for place, name in enumerate(stage.outputs)}
        self._encoded = {name: place for place, name in enumerate(encoder.outputs)}
        self._naming = [name for name in stage.outputs if name != ENGLISH and name not in self._sums]
        known = self._place.keys() & self._encoded.keys()
        if not self._sums or not self._sums.keys() <= known or "most_sure" not in encoder.about:
            raise BadRules("The learnt readers do not fit together.")
        self._main = next(iter(self._sums))
        self._most_sure = float(encoder.about["most_sure"])
        """Log odds that the encoder seldom exceeds: where even these would not count, it need not read."""

    def judge(self, data: bytes, first_word: int) -> Judgement | None:
        """See `Learnt.judge`."""
        ngrams = read_ngrams(data)
        windows, odds = self._stage.odds(ngrams, first_word)
        if not len(windows):
            return None
        telling = {name: telling_stretch(windows, odds[:, self._place[name]]) for name in self._sums}
        main = telling[self._main]
        found = odds[int(odds[:, self._place[self._main]].argmax())]
        names = {name: float(found[self._place[name]]) for name in self._naming}
        length = math.log(len(windows))
        if found[self._place[ENGLISH]] <= 0:
            return Judgement(_margins(self._stage.sums, telling, length, dict.fromkeys(telling, 0.0)), names)
        if added(self._sums[self._main], main.odds, self._most_sure, length) <= 0:  # nothing it could read would count
            return Judgement(_margins(self._sums, telling, length, dict.fromkeys(telling, -self._most_sure)), names)
        read = self._encoder.odds(stretches_to_read(ngrams, windows, odds[:, self._place[self._main]], main))
        highest = most_alarming(read)
        alarming = read[int(read[:, self._encoded[self._main]].argmax())]
        return Judgement(
            _margins(self._sums, telling, length, {name: float(highest[self._encoded[name]]) for name in telling}),
            {name: (odds + float(alarming[self._encoded[name]])) / 2 for name, odds in names.items()},
        )


def _margins(
    sums: Mapping[str, Mapping[str, float]], telling: Mapping[str, Telling], length: float, encoded: Mapping[str, float]
) -> dict[str, float]:
    return {name: added(weights, telling[name].odds, encoded[name], length) for name, weights in sums.items()}


def most_alarming(read: NDArray[np.float32]) -> NDArray[np.float32]:
    """The encoder's log odds of a text, shape (outputs), from those of what it read, shape (stretches, outputs).

    The first stretch stands in its context; sentences by themselves count for less.
    """
    alone = read[1:] - np.float32(_ALONE_DOUBT)
    highest: NDArray[np.float32] = np.concatenate((read[:1], alone)).max(axis=0)
    return highest


def added(weights: Mapping[str, float], linear: float, encoded: float, length: float) -> float:
    """The odds of both readers as one figure, above 0 where it counts.

    Args:
        weights: `linear`, `encoder`, `length` and `threshold`.
        linear: log odds of the linear stage in context.
        encoded: log odds of the encoder; 0 where it did not read.
        length: logarithm of how many stretches the text has.
    """
    return weights["linear"] * linear + weights["encoder"] * encoded - weights["length"] * length - weights["threshold"]
