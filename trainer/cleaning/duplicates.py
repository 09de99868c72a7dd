"""Rows whose supporter says what an earlier row's has said, word for word or nearly.

MinHash with locality-sensitive hashing (Broder, 1997; Indyk and Motwani, 1998) offers candidates, and the exact Jaccard
similarity of their shingles decides, so nothing depends on chance.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, Final

import numpy as np
from datasketch import MinHash, MinHashLSH

from mhdesk.core.messages import Role
from trainer.cleaning.patterns import compile_pattern
from trainer.rows import Row

EXACT: Final = "exact_duplicate"
NEAR: Final = "near_duplicate"
_WORD: Final = compile_pattern(r"[\pL\pN']+")
_SHINGLE: Final = 4
"""Words."""
_PERMUTATIONS: Final = 128
_WEIGHTS: Final = (0.1, 0.9)
"""False candidates cost a comparison, missed ones a duplicate."""


class Duplicates:
    """What has been seen so far. Questions are no part of it: one answer to several questions is learnt once."""

    def __init__(self, similarity: float) -> None:
        """Begin with nothing.

        Args:
            similarity: Jaccard similarity from which on two rows are one, up to 1.
        """
        self._similarity = similarity
        self._exact: set[bytes] = set()
        self._shingles: list[Any] = []
        self._near = MinHashLSH(threshold=min(similarity, 0.99), num_perm=_PERMUTATIONS, weights=_WEIGHTS)

    def reason(self, row: Row) -> str:
        """Why `row` is left out; empty, and remembered, if it is new."""
        words = _WORD.findall(" ".join(turn.text for turn in row.turns if turn.role is Role.ASSISTANT).lower())
        whole = hashlib.sha256(" ".join(words).encode()).digest()
        if whole in self._exact:
            return EXACT
        shingles = _shingled(words)
        sketch = MinHash(num_perm=_PERMUTATIONS, hashfunc=int)
        sketch.update_batch(shingles.tolist())
        if any(_jaccard(shingles, self._shingles[place]) >= self._similarity for place in self._near.query(sketch)):
            return NEAR
        self._exact.add(whole)
        self._near.insert(len(self._shingles), sketch)
        self._shingles.append(shingles)
        return ""


def _shingled(words: list[str]) -> Any:
    """Sorted hashes of every four words in a row; of all words, if there are fewer."""
    parts = range(max(1, len(words) - _SHINGLE + 1))
    hashes = [zlib.crc32(" ".join(words[place : place + _SHINGLE]).encode()) for place in parts]
    return np.unique(np.array(hashes, dtype=np.uint32))


def _jaccard(one: Any, other: Any) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)
