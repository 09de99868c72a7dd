"""The stage `second-stage`: learns weights for screen or gate from sentences written for the project.

Naive-Bayes-scaled logistic regression (Wang and Manning, ACL 2012) by scikit-learn's liblinear, over the features that
the app itself computes (`mhdesk/safety/ngrams.py`). Every stretch of a harmless text is an example; of a dangerous one
only the stretch that carries the danger, which is not marked: it is the whole text if that is short, else the stretch
that a first round found most telling (multiple-instance learning; Andrews et al., NIPS 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.ngrams import read_ngrams
from mhdesk.safety.second_stage import BUCKETS, Weights, telling_stretch
from mhdesk.safety.spelling import Speller

_SHORT = 6
"""Stretches (of one to three sentences) up to which a text is judged as a whole: three sentences."""
_ROUNDS = 2
_SEEN = 2
"""Features of fewer texts than this are noise."""
_LARGEST_INT8 = 127
_SEED = 20
_NEVER = -9.0
"""Log odds of an output that nothing was marked with."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """Every stretch of some texts.

    `counts` is sparse (stretches, buckets); `owner` the text each is from, ascending; `windows` its words in that text,
    shape (stretches, 2).
    """

    counts: csr_matrix
    owner: NDArray[np.int64]
    windows: NDArray[np.int64]
    texts: int

    def of(self, chosen: NDArray[np.bool_]) -> Stretches:
        """The stretches of the texts that are `chosen`, numbered anew."""
        rows = chosen[self.owner]
        place = np.cumsum(chosen) - 1
        kept = np.flatnonzero(rows)
        return Stretches(self.counts[kept], place[self.owner[rows]], self.windows[kept], int(chosen.sum()))

    def in_context(self, odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the app makes of `odds` (one a stretch) for each text; see `telling_stretch`."""
        found = np.full(self.texts, _NEVER)
        edges = np.flatnonzero(np.diff(self.owner, prepend=-1, append=-1))
        for first, last in pairwise(edges):
            found[self.owner[first]] = telling_stretch(self.windows[first:last], odds[first:last]).odds
        return found

    def lengths(self) -> NDArray[np.float64]:
        """The logarithm of how many stretches each text has."""
        return np.log(np.maximum(np.bincount(self.owner, minlength=self.texts), 1))


def read_stretches(texts: Sequence[str], speller: Speller | None) -> Stretches:
    """The features of `texts`, as the app reads them. A text without any words has no stretch."""
    rows: list[NDArray[np.int64]] = []
    owner: list[int] = []
    windows: list[NDArray[np.int64]] = []
    for place, text in enumerate(texts):
        ngrams = read_ngrams(read_clauses(text, speller).data)
        buckets = (ngrams.ids & np.uint32(BUCKETS - 1)).astype(np.int64)
        for first, last in ngrams.windows:
            rows.append(buckets[ngrams.starts[first] : ngrams.starts[last]])
            owner.append(place)
        windows.append(ngrams.windows)
    ends = np.concatenate(([0], np.cumsum([row.size for row in rows])))
    places = np.concatenate(rows)
    counts = csr_matrix((np.ones(places.size, np.float32), places, ends), shape=(len(rows), BUCKETS))
    counts.sum_duplicates()
    return Stretches(counts, np.array(owner), np.concatenate(windows), len(texts))


def learn(
    stretches: Stretches,
    labels: NDArray[np.bool_],
    outputs: Sequence[str],
    strength: float,
    balance: NDArray[np.float64] | None = None,
) -> Weights:
    """Weights for every output, without any sums yet.

    Args:
        stretches: of the texts to learn from.
        labels: shape (texts, outputs); the first output decides, the others name.
        outputs: their names.
        strength: inverse of the regularisation (scikit-learn's C).
        balance: how much each text counts; all the same if not given.
    """
    decides = labels[:, 0]
    balance = np.ones(stretches.texts) if balance is None else balance
    chosen = _whole(stretches, decides)
    for turn in range(_ROUNDS):
        rows = np.flatnonzero(chosen)
        scale = _scale(stretches.counts[rows], decides[stretches.owner[rows]])
        inputs = normalize(stretches.counts[rows] @ diags(scale))
        owner = stretches.owner[rows]
        weight = balance[owner] / np.sqrt(np.bincount(owner, minlength=stretches.texts)[owner])
        if turn + 1 < _ROUNDS:
            coefficients, intercept = _fit(inputs, decides[owner], weight, strength)
            odds = normalize(stretches.counts @ diags(scale)) @ coefficients + intercept
            chosen = _telling(stretches, decides, odds)
    models = Parallel(n_jobs=-1, prefer="threads")(
        delayed(_fit)(inputs, labels[owner, place], weight, strength) for place in range(len(outputs))
    )
    found = np.stack([coefficients for coefficients, _ in models], axis=1) * scale[:, None]
    used = np.flatnonzero(scale)
    # Written in few digits: the last ones differ from run to run where threads add up in another order.
    steps = np.array([float(f"{most:.4g}") for most in np.maximum(np.abs(found).max(axis=0), 1e-9) / _LARGEST_INT8])
    return Weights(
        outputs=tuple(outputs),
        sums={},
        buckets=used.astype(np.uint32),
        weights=np.rint(found[used] / steps).astype(np.int8),
        scales=steps.astype(np.float32),
        lengths=np.square(scale[used]).astype(np.float16),
        biases=np.array([round(intercept, 4) for _, intercept in models], np.float32),
    )


def _fit(
    inputs: csr_matrix, labels: NDArray[np.bool_], weight: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], float]:
    """Coefficients and intercept; nothing and never where no text, or every text, has the label."""
    if labels.all() or not labels.any():
        return np.zeros(inputs.shape[1]), _NEVER
    solver = LogisticRegression(C=strength, max_iter=300, solver="liblinear", random_state=_SEED)
    model = solver.fit(inputs, labels, sample_weight=weight)
    return model.coef_[0], float(model.intercept_[0])


def _scale(counts: csr_matrix, positive: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much each bucket tells: the absolute log ratio of its shares in dangerous and harmless stretches."""
    present = counts > 0
    dangerous = np.asarray(present[positive].sum(0)).ravel() + 1.0
    harmless = np.asarray(present[~positive].sum(0)).ravel() + 1.0
    ratio = np.abs(np.log((dangerous / dangerous.sum()) / (harmless / harmless.sum())))
    return np.where(dangerous + harmless - 2 >= _SEEN, ratio, 0).astype(np.float32)


def _whole(stretches: Stretches, positive: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All stretches of harmless texts; the largest of each short dangerous one; none of the long dangerous ones."""
    size = np.diff(stretches.counts.indptr)
    short = np.bincount(stretches.owner, minlength=stretches.texts) <= _SHORT
    return ~positive[stretches.owner] | (_last(np.lexsort((size, stretches.owner)), stretches) & short[stretches.owner])


def _telling(stretches: Stretches, positive: NDArray[np.bool_], odds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """As `_whole`, with the stretch of the highest odds for long dangerous texts."""
    short = np.bincount(stretches.owner, minlength=stretches.texts) <= _SHORT
    best = _last(np.lexsort((odds, stretches.owner)), stretches) & ~short[stretches.owner]
    return _whole(stretches, positive) | (best & positive[stretches.owner])


def _last(order: NDArray[np.int64], stretches: Stretches) -> NDArray[np.bool_]:
    """Marks the last stretch of every text in `order`."""
    owner = stretches.owner[order]
    marked = np.zeros(owner.size, bool)
    marked[order[np.flatnonzero(np.diff(np.append(owner, -1)))]] = True
    return marked
