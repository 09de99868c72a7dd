"""Rows that say nearly the same, found exactly, so that none stands on two sides of a split.

Two texts are near if the Jaccard similarity of their shingles, three words in a row, reaches a threshold t. If it does,
and all shingles are put in one order, then the first |S| - ⌈t|S|⌉ + 1 shingles of either text S have one in common
(prefix filter: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007). So only texts that share one of these
are compared, and none is missed. With rare shingles first there are few. MinHash with LSH, which estimates, missed 12
of 1,549 such pairs among 3,611 answers (t = 0.6, 128 permutations) and was no faster: good for finding duplicates, no
proof that none is left.
"""

from __future__ import annotations

import itertools
import math
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Set

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import DisjointSet

from mhdesk.core.messages import Role
from trainer.rows import Row

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
"""Letters and digits in a row; a Chinese or Japanese sign by itself, for no spaces part their words."""
_PARTS = (Role.USER, Role.ASSISTANT)
"""What the person says and what the supporter says are compared each by itself: one copied answer is enough."""
_WORD_BITS = 21
"""Of a word's number. A shingle is three of them side by side; beyond two million words, some share a number."""
_BUCKET_BITS = 22
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""Fibonacci hashing (Knuth, TAOCP 6.4): the highest bits of a product."""
_ROUNDING = 1e-9
"""0.55 * 20 is a little above 11."""

Numbers = npt.NDArray[np.uint64]


class NearRows:
    """An index of rows by what they say. Of each, its shingles and its group are kept: eight bytes a word and more."""

    def __init__(self, rows: Iterable[Row], threshold: float) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(itertools.count(1).__next__)
        self._groups: list[str] = []
        shingles = [array("Q") for _ in _PARTS]
        sizes = [array("q") for _ in _PARTS]
        for row in rows:
            self._groups.append(row.group)
            for part, text in enumerate(self._texts(row)):
                shingles[part].frombytes(text.tobytes())
                sizes[part].append(len(text))
        self._parts = [
            _Part(np.asarray(flat, np.uint64), np.asarray(size, np.int64), threshold)
            for flat, size in zip(shingles, sizes, strict=True)
        ]

    def joined(self) -> list[set[str]]:
        """The indexed rows' groups in sets: those to which a chain of near rows leads are in one."""
        sets = DisjointSet(self._groups)
        for place, group in enumerate(self._groups):
            for part in self._parts:
                text = part.text(place)
                for other in part.maybe_near(text, place):
                    if not sets.connected(group, self._groups[other]) and part.is_near(text, other):
                        sets.merge(group, self._groups[other])
        found: list[set[str]] = sets.subsets()
        return found

    def is_near_any(self, row: Row, leave_out: Set[str]) -> bool:
        """Whether `row` is near an indexed row of a group that is not among those left out."""
        return any(
            self._groups[other] not in leave_out and part.is_near(text, other)
            for part, text in zip(self._parts, self._texts(row), strict=True)
            for other in part.maybe_near(text, len(self._groups))
        )

    def _texts(self, row: Row) -> list[Numbers]:
        """The shingles of the person's words, and of the supporter's, as ascending numbers."""
        return [self._text("\n".join(turn.text for turn in row.turns if turn.role is role)) for role in _PARTS]

    def _text(self, text: str) -> Numbers:
        words = [self._numbers[word] for word in _WORD.findall(text.casefold())]
        words += [0] * (3 - len(words)) if words else []
        of = np.array(words, np.uint64) % np.uint64(2**_WORD_BITS)
        return np.unique(of[:-2] << np.uint64(2 * _WORD_BITS) | of[1:-1] << np.uint64(_WORD_BITS) | of[2:])


class _Part:
    """The index of one part of the rows. A place is a row's number, from 0."""

    def __init__(self, shingles: Numbers, sizes: npt.NDArray[np.int64], threshold: float) -> None:
        self._threshold = threshold
        self._shingles = shingles
        self._sizes = sizes
        self._ends = np.cumsum(sizes)
        # How often each occurs, roughly: any order would do, and one by rough counts needs no entry for each.
        self._counts = np.bincount(_buckets(shingles), minlength=2**_BUCKET_BITS).astype(np.uint32)
        prefixes = [self._prefix(self.text(place)) for place in range(len(sizes))]
        places = np.repeat(np.arange(len(sizes), dtype=np.int32), [len(prefix) for prefix in prefixes])
        indexed = np.concatenate([*prefixes, np.empty(0, np.uint64)])
        order = np.argsort(indexed, kind="stable")
        self._places = places[order]
        self._indexed, begins = np.unique(indexed[order], return_index=True)
        self._begins = np.append(begins, len(indexed))

    def text(self, place: int) -> Numbers:
        """The shingles of an indexed text."""
        end = self._ends[place]
        return self._shingles[end - self._sizes[place] : end]

    def maybe_near(self, text: Numbers, end: int) -> list[int]:
        """Places before `end`, in order, of all texts near `text` and of some that are not."""
        prefix = self._prefix(text)
        at = np.searchsorted(self._indexed, prefix)
        at = at[self._indexed.take(at, mode="clip") == prefix] if len(self._indexed) else at[:0]
        found: set[int] = set()
        for begin, stop in zip(self._begins[at].tolist(), self._begins[at + 1].tolist(), strict=True):
            found.update(self._places[begin:stop].tolist())
        places = np.array(sorted(found), np.int64)
        sizes = self._sizes[places]
        least = self._threshold * np.maximum(sizes, len(text)) - _ROUNDING
        fitting: list[int] = places[(np.minimum(sizes, len(text)) >= least) & (places < end)].tolist()
        return fitting

    def is_near(self, text: Numbers, place: int) -> bool:
        """Whether `text` is near the one at `place`."""
        other = self.text(place)
        shared = len(np.intersect1d(text, other, assume_unique=True))
        return shared + _ROUNDING >= self._threshold * (len(text) + len(other) - shared)

    def _prefix(self, text: Numbers) -> Numbers:
        if not len(text):
            return text
        length = len(text) - math.ceil(self._threshold * len(text) - _ROUNDING) + 1
        return text[np.lexsort((text, self._counts[_buckets(text)]))[:length]]


def _buckets(shingles: Numbers) -> npt.NDArray[np.int64]:
    return (shingles * _MULTIPLIER >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)
