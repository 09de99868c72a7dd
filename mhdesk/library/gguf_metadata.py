"""The front of a GGUF file, read with bounds: versions 2 and 3, little-endian.

Format (github.com/ggml-org/ggml, docs/gguf.md): magic, version, counts, key-value pairs, tensor entries, padding, data.
Long lists such as the vocabulary are passed over: only what they hold and how much is kept, so memory stays small.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from mhdesk.library.plain_file import open_plain_file

MAX_FRONT_BYTES = 256 * 2**20
MAX_ENTRIES = 10_000
MAX_TENSORS = 20_000
MAX_STRINGS = 2_000_000
"""In all arrays together; the largest vocabularies and their merges come to under a million."""

MAX_KEY_BYTES = 1024
MAX_DIMENSIONS = 4

_BOOL, STRING, _ARRAY = 7, 8, 9
INT32, FLOAT32 = 5, 6
_SCALARS = {
    0: struct.Struct("<B"), 1: struct.Struct("<b"), 2: struct.Struct("<H"), 3: struct.Struct("<h"),
    4: struct.Struct("<I"), INT32: struct.Struct("<i"), FLOAT32: struct.Struct("<f"), _BOOL: struct.Struct("<B"),
    10: struct.Struct("<Q"), 11: struct.Struct("<q"), 12: struct.Struct("<d"),
}  # fmt: skip
_U32, _U64 = _SCALARS[4], _SCALARS[10]


class BadGguf(ValueError):
    """The file is refused. The message completes the sentence "… cannot be used: …"."""


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """What an array holds: the number of GGUF's value type, and how many."""

    kind: int
    count: int


Value = int | float | str | ArrayFacts


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor as the file lists it: `dimensions` in GGUF's order, `offset` from where the data begins."""

    name: str
    dimensions: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True, slots=True)
class GgufFront:
    """Everything before the data: `values` by key (strings only where asked for), tensors, and lengths in bytes."""

    version: int
    values: dict[str, Value]
    tensors: tuple[TensorEntry, ...]
    front_bytes: int
    file_bytes: int


def read_front(path: Path, strings: dict[str, int]) -> GgufFront:
    """Read the front of `path`; `strings` says which string values to keep and how many bytes each may have.

    Raises:
        BadGguf: with the reason.
        OSError: the file cannot be read.
    """
    with open_plain_file(path) as file:
        front = _Front(file)
        version = _read_version(front)
        tensor_count, value_count = front.number(_U64), front.number(_U64)
        if value_count > MAX_ENTRIES or tensor_count > MAX_TENSORS:
            raise BadGguf("it lists more entries than any model has")
        values: dict[str, Value] = {}
        for _ in range(value_count):
            key = front.text(MAX_KEY_BYTES)
            if not key.isprintable():  # keys are named in sentences
                raise BadGguf(f"it gives the strange key {key!a:.80}")
            if key in values:
                raise BadGguf(f"it gives {key!a:.80} twice")
            values[key] = _read_value(front, strings.get(key))
        tensors = tuple(_read_tensor(front) for _ in range(tensor_count))
        if len({tensor.name for tensor in tensors}) != len(tensors):
            raise BadGguf("it lists a tensor twice")
        return GgufFront(version, values, tensors, front.position, front.file_bytes)


class _Front:
    """Reads forwards, and never further than file and bounds allow."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.file_bytes = os.fstat(file.fileno()).st_size
        self._limit = min(self.file_bytes, MAX_FRONT_BYTES)
        self._strings_left = MAX_STRINGS
        self.position = 0

    def take(self, count: int) -> bytes:
        self._pass(count)
        content = self._file.read(count)
        if len(content) != count:
            raise BadGguf("it is cut short")
        return content

    def skip(self, count: int) -> None:
        self._pass(count)
        self._file.seek(count, os.SEEK_CUR)

    def number(self, kind: struct.Struct) -> int:
        value: int = kind.unpack(self.take(kind.size))[0]
        return value

    def text(self, most: int) -> str:
        length = self.number(_U64)
        if length > most:
            raise BadGguf("it holds a text longer than any model needs")
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise BadGguf("it holds a text that is not UTF-8") from None

    def skip_strings(self, count: int) -> None:
        self._strings_left -= count
        if self._strings_left < 0:
            raise BadGguf("it holds more texts than any vocabulary has")
        for _ in range(count):
            self.skip(self.number(_U64))

    def _pass(self, count: int) -> None:
        self.position += count
        if self.position > self._limit:
            raise BadGguf("it is cut short, or its lengths are wrong")


def _read_version(front: _Front) -> int:
    if front.file_bytes < 24 or front.take(4) != b"GGUF":
        raise BadGguf("it is not a GGUF file")
    version = front.number(_U32)
    if version and not version & 0xFFFF:
        raise BadGguf("it is a GGUF file for another kind of processor (big-endian)")
    if version not in (2, 3):
        raise BadGguf(f"it is of GGUF version {version}, and MHDesk reads versions 2 and 3")
    return version


def _read_value(front: _Front, most: int | None) -> Value:
    """The next value; a string that nobody asked for is passed over and given as an empty one."""
    kind = front.number(_U32)
    if kind == STRING:
        if most is not None:
            return front.text(most)
        front.skip(front.number(_U64))
        return ""
    if kind == _ARRAY:
        return _read_array(front)
    if kind not in _SCALARS:
        raise BadGguf("it holds a value of an unknown type")
    value = front.number(_SCALARS[kind])
    if kind == _BOOL and value > 1:
        raise BadGguf("it holds a value that is neither true nor false")
    return value


def _read_array(front: _Front) -> ArrayFacts:
    kind, count = front.number(_U32), front.number(_U64)
    if kind == STRING:
        front.skip_strings(count)
    elif kind in _SCALARS:
        front.skip(count * _SCALARS[kind].size)
    else:
        raise BadGguf("it holds a list of an unknown type")
    return ArrayFacts(kind, count)


def _read_tensor(front: _Front) -> TensorEntry:
    name = front.text(MAX_KEY_BYTES)
    count = front.number(_U32)
    if not 1 <= count <= MAX_DIMENSIONS:
        raise BadGguf("it lists a tensor of impossible dimensions")
    dimensions = struct.unpack(f"<{count}Q", front.take(8 * count))
    return TensorEntry(name, dimensions, front.number(_U32), front.number(_U64))
