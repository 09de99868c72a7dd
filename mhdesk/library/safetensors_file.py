"""Reading the header of a safetensors file, and writing one tensor after another in an order of our choice.

The `safetensors` library writes tensors sorted by type and name; our folders lay tensors that are used together side
by side, and a writer that streams never needs more memory than one tensor. Format: 8 bytes of little-endian header
length, a JSON header, the data (huggingface.co/docs/safetensors, "Format").
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.library.json_file import unique_keys
from mhdesk.library.plain_file import open_plain_file

MAX_HEADER_BYTES = 16 * 2**20
"""Far above what any model needs; reading JSON takes many times its bytes."""

_MAX_DIMENSIONS = 8
_MAX_NAME = 500
_BYTES_PER_VALUE = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip

Block = bytes | bytearray | memoryview
"""A run of a tensor's bytes."""


class BadSafetensors(ValueError):
    """The file is not what its header says."""


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """One tensor of a file: `dtype` as safetensors names it, `shape`, and where its bytes are, after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int = 0
    end: int = 0

    @property
    def size(self) -> int:
        """Bytes that shape and type need."""
        values = 1
        for length in self.shape:
            values *= length
        return values * _BYTES_PER_VALUE[self.dtype]


def read_header(path: Path) -> dict[str, TensorPlace]:
    """The tensors of a file by name; every length is checked against the file's, and every byte belongs to one tensor.

    Raises:
        BadSafetensors: header and file do not agree.
        OSError: the file cannot be read.
    """
    with open_plain_file(path) as file:
        total = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if total < 8 or length > min(total - 8, MAX_HEADER_BYTES):
            raise BadSafetensors("the header is longer than the file")
        try:
            header = json.loads(file.read(length), object_pairs_hook=unique_keys)
        except (ValueError, RecursionError):
            raise BadSafetensors("the header is not JSON") from None
    if not isinstance(header, dict):
        raise BadSafetensors("the header is not an object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise BadSafetensors("the metadata is malformed")
    places = {name: _place(name, entry) for name, entry in header.items()}
    covered = 0
    for place in sorted(places.values(), key=lambda place: (place.begin, place.end)):
        if place.begin != covered:
            raise BadSafetensors("the tensors overlap or leave gaps")
        covered = place.end
    if covered != total - 8 - length:
        raise BadSafetensors("the tensors do not fill the file")
    return places


def _place(name: str, entry: Any) -> TensorPlace:
    try:
        begin, end = entry["data_offsets"]
        shape, dtype = entry["shape"], entry["dtype"]
    except (KeyError, TypeError, ValueError):
        raise BadSafetensors("a tensor's entry is malformed") from None
    if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS or len(name) > _MAX_NAME:
        raise BadSafetensors("a tensor's entry is malformed")
    if not all(type(value) is int and 0 <= value < 2**63 for value in (begin, end, *shape)):
        raise BadSafetensors("a tensor's entry is malformed")
    if not isinstance(dtype, str) or dtype not in _BYTES_PER_VALUE:
        raise BadSafetensors("a tensor is of an unknown type")
    place = TensorPlace(name, dtype, tuple(shape), begin, end)
    if place.size != end - begin:
        raise BadSafetensors("a tensor's place does not fit its shape")
    return place


def write_tensors(
    path: Path, tensors: Sequence[TensorPlace], content: Callable[[TensorPlace], Iterable[Block]]
) -> None:
    """Write `tensors` in the given order; `content` gives each, block by block, when its turn comes. Synced at the end.

    Raises:
        BadSafetensors: the blocks of a tensor are not as many bytes as its shape and type need.
        OSError: the disk would not take it.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.size],
        }
        offset += tensor.size
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-(8 + len(encoded)) % 64)  # data begins aligned, so that memory-mapped tensors are
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little"))
        file.write(encoded)
        for tensor in tensors:
            written = sum(file.write(block) for block in content(tensor))
            if written != tensor.size:
                raise BadSafetensors(f"{tensor.name} has {written} bytes instead of {tensor.size}")
        file.flush()
        os.fsync(file.fileno())
