"""A text as numbers for the learnt stage: hashed words, pairs of words and runs of letters, and windows over them.

Everything is computed on whole arrays from one running hash (Karp and Rabin, 1987), so that the work is linear in the
text and a long message costs little more than a short one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint32]
Places = NDArray[np.int64]

_BASE: Final = 0x9E3779B1
"""Odd, hence invertible modulo 2^32."""
_INVERSE: Final = pow(_BASE, -1, 1 << 32)
_LETTER_RUNS: Final = (2, 3, 4, 5)
_WORD_STEPS: Final = (1, 2, 3)
"""Pairs of words: neighbours, and with one or two words between them."""
_FIRST_WORD: Final = 7
_LAST_WORD: Final = 8
_SPACE: Final = 32
_BREAK: Final = 10
_SENTENCES: Final = (1, 2, 3)
LONGEST_PIECE: Final = 28
"""Words of a piece of an endless sentence."""
_STRIDE: Final = 9


@dataclass(frozen=True, slots=True)
class NGrams:
    """`ids` has one hash a feature; `starts[w]` is the first feature of word `w`, with one entry more at the end.

    `spans` holds where each word begins and ends in `text`, in characters; shape (words, 2).

    `windows` holds the first and the last word (exclusive) of each stretch that is judged by itself: sentences, two and
    three in a row, and pieces of endless ones; shape (windows, 2).
    """

    ids: Ids
    starts: Places
    windows: Places
    spans: Places
    text: str

    def stretch(self, first: int, last: int) -> str:
        """The words from `first` to `last` (exclusive), a full stop between sentences."""
        return self.text[self.spans[first, 0] : self.spans[last - 1, 1]].replace("\n", " . ")

    def has_break(self, first: int, last: int) -> bool:
        """Whether a sentence ends between the words `first` and `last` (exclusive)."""
        return "\n" in self.text[self.spans[first, 0] : self.spans[last - 1, 1]]


def read_ngrams(data: bytes) -> NGrams:
    """The features of `data`, a text as `read_clauses` gives it: words parted by blanks, sentences by line breaks."""
    text = data.decode("utf-8", "replace")
    signs = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    if not signs.size:
        none = np.zeros((0, 2), np.int64)
        return NGrams(np.zeros(0, np.uint32), np.zeros(1, np.int64), none, none, text)
    size = signs.size
    powers = _powers(_BASE, size + 1)
    inverses = _powers(_INVERSE, size + 1)
    running = np.zeros(size + 1, np.uint32)
    np.cumsum(signs * powers[:size], out=running[1:], dtype=np.uint32)

    def hashed(first: Places, last: Places) -> Ids:
        result: Ids = (running[last] - running[first]) * inverses[first]
        return result

    gaps = (signs == _SPACE) | (signs == _BREAK)
    edges = np.flatnonzero(gaps)
    word_starts = np.concatenate(([0], edges + 1)).astype(np.int64)
    word_ends = np.concatenate((edges, [size])).astype(np.int64)
    sentence = np.concatenate(([0], np.cumsum(signs[edges] == _BREAK))).astype(np.int64)
    words = hashed(word_starts, word_ends)
    count = words.size
    word_of = np.cumsum(np.concatenate(([0], gaps[:-1].astype(np.int64))))

    ids = [_mixed(words, 1)]
    owners = [np.arange(count, dtype=np.int64)]
    for step in _WORD_STEPS:
        if count > step:
            together = sentence[:-step] == sentence[step:]
            pairs = words[:-step] * np.uint32(0x85EBCA6B) + words[step:]
            ids.append(_mixed(pairs[together], 1 + step))
            owners.append(np.flatnonzero(together))
    opens = np.flatnonzero(np.diff(sentence, prepend=-1))
    closes = np.concatenate((opens[1:], [count])) - 1
    for places, salt in ((opens, _FIRST_WORD), (closes, _LAST_WORD)):
        ids.append(_mixed(words[places], salt))
        owners.append(places)
    for run in _LETTER_RUNS:
        if size >= run:
            first = np.arange(size - run + 1, dtype=np.int64)
            ids.append(_mixed(hashed(first, first + run), 16 + run))
            owners.append(word_of[: size - run + 1])
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(count + 1))
    spans = np.stack((word_starts, word_ends), axis=1)
    return NGrams(np.concatenate(ids)[order], starts.astype(np.int64), _windows(sentence), spans, text)


def _windows(sentence: Places) -> Places:
    """Stretches of words to judge: one to three sentences, and overlapping pieces of long ones."""
    count = sentence.size
    bounds = np.concatenate((np.flatnonzero(np.diff(sentence, prepend=-1)), [count]))
    found = [np.stack((bounds[:-step], bounds[step:]), axis=1) for step in _SENTENCES if bounds.size > step]
    long = np.flatnonzero(np.diff(bounds) > LONGEST_PIECE)
    for place in long:
        firsts = np.arange(bounds[place], bounds[place + 1] - LONGEST_PIECE + _STRIDE, _STRIDE)
        found.append(np.stack((firsts, np.minimum(firsts + LONGEST_PIECE, bounds[place + 1])), axis=1))
    return np.concatenate(found).astype(np.int64)


def _powers(base: int, count: int) -> Ids:
    factors = np.full(count, base, np.uint32)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint32)


def _mixed(hashes: Ids, salt: int) -> Ids:
    """Spread the bits, so that the lowest ones may serve as a bucket (the finaliser of MurmurHash3)."""
    mixed = hashes + np.uint32((salt * 0x632BE5AB) & 0xFFFFFFFF)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed
