"""The learnt stage: a linear model over hashed words and runs of letters, which may raise what the rules have found.

Naive-Bayes-scaled logistic regression (Wang and Manning, ACL 2012): one weight for each feature and output, shipped as
data, its sums exact and the same on every machine. It judges stretches of one to three sentences by themselves, so that
one sentence weighs as much in a long letter as alone. Trained by `python -m trainer second-stage`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from mhdesk.safety.ngrams import LONGEST_PIECE, NGrams
from mhdesk.safety.patterns import BadRules

BUCKETS: Final = 1 << 20
_LONGEST_STRETCH: Final = 40
"""Words of the longest stretch that is looked for first, and that the encoder is given."""
_WORDS_ALONE: Final = 18
"""Words of single sentences that the encoder is given besides, two more counted for each; its time grows by them. The
first is read however long it is."""
_TENSORS: Final = frozenset({"buckets", "weights", "scales", "lengths", "biases"})


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt.

    `buckets`: uint32 (features), ascending; `weights`: int8 (features, outputs), times `scales` (outputs);
    `lengths`: float16 (features), the square each feature adds to a stretch's length; `biases`: (outputs).
    `sums`: for each output that decides, how its odds, the encoder's and the text's length count where no encoder
    reads (see `learnt.added`).
    """

    outputs: tuple[str, ...]
    sums: Mapping[str, Mapping[str, float]]
    buckets: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    lengths: NDArray[np.float16]
    biases: NDArray[np.float32]


class SecondStage:
    """Gives log odds for every output of a text. Holds no state of a conversation."""

    def __init__(self, weights: Weights) -> None:
        self.outputs = weights.outputs
        self.sums = weights.sums
        self.rows = np.zeros((BUCKETS, len(weights.outputs)), np.int8)
        self.rows[weights.buckets] = weights.weights
        self.lengths = np.zeros(BUCKETS, np.float16)
        self.lengths[weights.buckets] = weights.lengths
        self.scales = weights.scales
        self.biases = weights.biases

    @classmethod
    def load(cls, path: Path) -> SecondStage:
        """The stage in a safetensors file.

        Raises:
            BadRules: the file is missing, damaged or of another form.
        """
        return cls(read_weights(path))

    def odds(self, ngrams: NGrams, first_word: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The stretches judged, shape (stretches, 2), and their log odds, shape (stretches, outputs).

        Args:
            ngrams: of a text as `read_clauses` gives it.
            first_word: stretches that end at or before this word are left out.
        """
        windows = ngrams.windows[ngrams.windows[:, 1] > first_word]
        if not windows.size:
            return windows, np.zeros((0, len(self.outputs)), np.float32)
        sums, lengths = self._by_word(ngrams)
        first, last = windows[:, 0], windows[:, 1]
        length = np.sqrt(np.maximum(lengths[last] - lengths[first], 1.0))
        found = (sums[last] - sums[first]) * self.scales / length[:, None] + self.biases
        return windows, found.astype(np.float32)

    def _by_word(self, ngrams: NGrams) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Running sums over the words: of weights, shape (words + 1, outputs), and of squared lengths."""
        places = ngrams.ids & np.uint32(BUCKETS - 1)
        starts = ngrams.starts[:-1]
        words = starts.size
        sums = np.zeros((words + 1, len(self.outputs)), np.int64)
        lengths = np.zeros(words + 1, np.float64)
        np.cumsum(np.add.reduceat(self.rows[places], starts, axis=0, dtype=np.int64), axis=0, out=sums[1:])
        np.cumsum(np.add.reduceat(self.lengths[places], starts, dtype=np.float64), out=lengths[1:])
        return sums, lengths


@dataclass(frozen=True, slots=True)
class Telling:
    """The most telling stretch of a text in its context.

    `odds` is the mean log odds of every stretch around it: what sounds dangerous only out of context loses there.
    `first` and `last` are the words of the widest of them that the encoder can be given.
    """

    odds: float
    first: int
    last: int


def telling_stretch(windows: NDArray[np.int64], odds: NDArray[np.floating[Any]]) -> Telling:
    """The most telling of some stretches, shape (stretches, 2), by their log odds for one output."""
    width = windows[:, 1] - windows[:, 0]
    fits = width <= _LONGEST_STRETCH
    best = int(np.where(fits, odds, -np.inf).argmax())
    first, last = windows[best]
    around = (windows[:, 0] <= first) & (windows[:, 1] >= last)
    widest = int(np.where(around & fits, width, -1).argmax())
    start = int(windows[widest, 0])
    return Telling(float(odds[around].mean()), start, min(int(windows[widest, 1]), start + _LONGEST_STRETCH))


def stretches_to_read(
    ngrams: NGrams, windows: NDArray[np.int64], odds: NDArray[np.floating[Any]], telling: Telling
) -> list[str]:
    """What the encoder is given of a text: its most telling stretch in its context, then sentences by themselves.

    A sentence said aside in a long letter hardly shows in its context. As many are read as time allows, those of the
    highest `odds` (one for each of `windows`) first.
    """
    found = [ngrams.stretch(telling.first, telling.last)]
    left = _WORDS_ALONE
    taken: list[tuple[int, int]] = []
    for place in np.argsort(-odds, kind="stable"):
        first, last = map(int, windows[place])
        if last - first > LONGEST_PIECE or any(first < end and begin < last for begin, end in taken):
            continue
        if ngrams.has_break(first, last):
            continue
        taken.append((first, last))
        text = ngrams.stretch(first, last)
        if text == found[0]:
            continue
        left -= last - first + 2
        if left < 0 and len(found) > 1:
            break
        found.append(text)
    return found


def read_weights(path: Path) -> Weights:
    """The weights in `path`.

    Raises:
        BadRules: the file is missing, damaged or of another form.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["about"])
            if set(file.keys()) != _TENSORS:
                raise BadRules(f"The learnt stage {path.name} lacks a part.")
            tensors = {name: file.get_tensor(name) for name in _TENSORS}
        outputs = tuple(about["outputs"])
        sums = {name: {part: float(value) for part, value in parts.items()} for name, parts in about["sums"].items()}
    except BadRules:
        raise
    except Exception as error:
        raise BadRules(f"The learnt stage {path.name} cannot be read.") from error
    features = tensors["buckets"].size
    shapes = {"weights": (features, len(outputs)), "scales": (len(outputs),), "biases": (len(outputs),)}
    if any(tensors[name].shape != shape for name, shape in shapes.items()) or tensors["lengths"].shape != (features,):
        raise BadRules(f"The learnt stage {path.name} does not fit together.")
    if features and int(tensors["buckets"].max()) >= BUCKETS:
        raise BadRules(f"The learnt stage {path.name} names a feature that cannot be.")
    return Weights(outputs, sums, **tensors)
