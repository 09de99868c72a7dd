"""A small BERT in numpy: reads stretches of English and gives log odds. No torch; a few milliseconds on one core.

The architecture is BERT's (Devlin et al., NAACL 2019) with mean pooling and one linear head; the weights began as
sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) and were trained on sentences written for the project.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from threadpoolctl import ThreadpoolController

from mhdesk.safety.patterns import BadRules

Floats = NDArray[np.float32]

_PIECE: Final = re.compile(r"[^\W_]+|[^\w\s]|_")
_LONGEST_WORD: Final = 40
_EPSILON: Final = 1e-12
_GELU: Final = math.sqrt(2 / math.pi)


class WordPieces:
    """Words cut into the longest pieces of a vocabulary (Wu et al., 2016), as BERT does for lower-case text."""

    def __init__(self, pieces: list[str]) -> None:
        self._ids = {piece: place for place, piece in enumerate(pieces)}
        self._unknown, self._first, self._last = (self._ids[name] for name in ("[UNK]", "[CLS]", "[SEP]"))
        self._seen: dict[str, list[int]] = {}

    def ids(self, text: str, most: int) -> NDArray[np.int64]:
        """`text` as places in the vocabulary, at most `most` of them, first and last marker included."""
        found = [self._first]
        for word in _PIECE.findall(text):
            found += self._cut(word)
            if len(found) >= most:
                break
        return np.array([*found[: most - 1], self._last])

    def _cut(self, word: str) -> list[int]:
        known = self._seen.get(word)
        if known is None:
            known = self._pieces(word)
            if len(self._seen) < 20_000:
                self._seen[word] = known
        return known

    def _pieces(self, word: str) -> list[int]:
        pieces: list[int] = []
        start = 0
        while start < len(word) <= _LONGEST_WORD:
            lead = "##" if start else ""
            end = next((end for end in range(len(word), start, -1) if lead + word[start:end] in self._ids), None)
            if end is None:
                return [self._unknown]
            pieces.append(self._ids[lead + word[start:end]])
            start = end
        return pieces or [self._unknown]


@dataclass(frozen=True, slots=True)
class _Layer:
    """One block. Matrices are (in, out)."""

    mixed: tuple[Floats, Floats]
    joined: tuple[Floats, Floats]
    widened: tuple[Floats, Floats]
    narrowed: tuple[Floats, Floats]
    norms: tuple[tuple[Floats, Floats], tuple[Floats, Floats]]


class Encoder:
    """Gives log odds for stretches of text."""

    def __init__(self, tensors: dict[str, Any], about: dict[str, Any]) -> None:
        self.outputs: tuple[str, ...] = tuple(about["outputs"])
        self.about = about
        self._heads = int(about["heads"])
        self._pieces = WordPieces(bytes(tensors["vocabulary"]).decode("utf-8").split("\n"))
        self._words = tensors["words"]
        self._word_scales = tensors["words.scale"]
        self._positions = tensors["positions"].astype(np.float32)
        self.tokens = self._positions.shape[0]
        self._norm = tensors["norm.weight"], tensors["norm.bias"]
        self._layers = [_layer(tensors, f"layer{place}") for place in range(int(about["layers"]))]
        self._head = _linear(tensors, "head")
        self._threads = ThreadpoolController()

    @classmethod
    def load(cls, path: Path) -> Encoder:
        """The encoder in a safetensors file.

        Raises:
            BadRules: the file is missing, damaged or of another form.
        """
        tensors, about = read_encoder(path)
        try:
            return cls(tensors, about)
        except Exception as error:
            raise BadRules(f"The encoder {path.name} does not fit together.") from error

    def odds(self, stretches: Sequence[str]) -> Floats:
        """Log odds of some stretches, shape (stretches, outputs). What is beyond `tokens` of each is not read.

        On one thread: beside an engine that keeps every core busy, threads that wait for one another take far longer.
        """
        with self._threads.limit(limits=1, user_api="blas"):
            return self._read(stretches)

    def _read(self, stretches: Sequence[str]) -> Floats:
        """All stretches go through the matrices together, one after the other in one array of (tokens, width)."""
        cut = [self._pieces.ids(text, self.tokens) for text in stretches]
        ids = np.concatenate(cut)
        ends = np.cumsum([part.size for part in cut])
        parts = [slice(end - part.size, end) for part, end in zip(cut, ends, strict=True)]
        hidden = self._words[ids].astype(np.float32) * self._word_scales[ids, None].astype(np.float32)
        places = np.concatenate([np.arange(part.size) for part in cut])
        hidden = _normed(hidden + self._positions[places], *self._norm)
        for layer in self._layers:
            hidden = self._block(hidden, parts, layer)
        weight, bias = self._head
        found: Floats = np.stack([hidden[part].mean(axis=0) for part in parts]) @ weight + bias
        return found

    def _block(self, hidden: Floats, parts: Sequence[slice], layer: _Layer) -> Floats:
        mixed = hidden @ layer.mixed[0] + layer.mixed[1]
        together = np.concatenate([self._attended(mixed[part]) for part in parts])
        hidden = _normed(hidden + together @ layer.joined[0] + layer.joined[1], *layer.norms[0])
        wide = hidden @ layer.widened[0] + layer.widened[1]
        wide *= np.float32(0.5) * (1 + np.tanh(np.float32(_GELU) * (wide + np.float32(0.044715) * wide * wide * wide)))
        return _normed(hidden + wide @ layer.narrowed[0] + layer.narrowed[1], *layer.norms[1])

    def _attended(self, mixed: Floats) -> Floats:
        """What the words of one stretch make of one another, shape (tokens, width), from (tokens, 3 * width)."""
        tokens, width = mixed.shape[0], mixed.shape[1] // 3
        size = width // self._heads
        query, key, value = mixed.reshape(tokens, 3, self._heads, size).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1) * np.float32(1 / math.sqrt(size))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        found: Floats = (scores @ value).transpose(1, 0, 2).reshape(tokens, width)
        return found


def read_encoder(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The tensors in a safetensors file and what is said about them.

    Raises:
        BadRules: the file is missing, damaged or of another form.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except Exception as error:
        raise BadRules(f"The encoder {path.name} cannot be read.") from error


def _normed(values: NDArray[Any], weight: Floats, bias: Floats) -> Floats:
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    result: Floats = centred / np.sqrt(variance + np.float32(_EPSILON)) * weight + bias
    return result


def _layer(tensors: dict[str, Any], name: str) -> _Layer:
    first, second = ((tensors[f"{name}.norm{n}.weight"], tensors[f"{name}.norm{n}.bias"]) for n in (1, 2))
    mixed, joined, widened, narrowed = (
        _linear(tensors, f"{name}.{part}") for part in ("mixed", "joined", "widened", "narrowed")
    )
    return _Layer(mixed, joined, widened, narrowed, (first, second))


def _linear(tensors: dict[str, Any], name: str) -> tuple[Floats, Floats]:
    """A matrix (in, out) from int8 rows (out, in) and their scales, and its bias."""
    rows = tensors[f"{name}.weight"].astype(np.float32) * tensors[f"{name}.scale"].astype(np.float32)[:, None]
    return np.ascontiguousarray(rows.T), tensors[f"{name}.bias"].astype(np.float32)
