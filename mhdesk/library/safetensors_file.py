"""Reading the header of a safetensors file, and writing one tensor after another in an order of our choice.

The `safetensors` library writes tensors sorted by type and name; our folders lay tensors that are used together side
by side, and a writer that streams never needs more memory than one tensor. Format: 8 bytes of little-endian header
length, a JSON header, the data (huggingface.co/docs/safetensors, "Format").
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_HEADER_BYTES = 100_000_000
_BYTES_PER_VALUE = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


class BadSafetensors(ValueError):
    """The file is not what its header says."""


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """One tensor of a file: `dtype` as safetensors names it, `shape`, and where its bytes are."""

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
    """The tensors of a file by name; every length is checked against the file's.

    Raises:
        BadSafetensors: header and file do not agree.
        OSError: the file cannot be read.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if total < 8 or length > min(total - 8, MAX_HEADER_BYTES):
            raise BadSafetensors("the header is longer than the file")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise BadSafetensors("the header is not JSON") from None
    if not isinstance(header, dict):
        raise BadSafetensors("the header is not an object")
    places: dict[str, TensorPlace] = {}
    covered = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            begin, end = entry["data_offsets"]
            place = TensorPlace(name, entry["dtype"], tuple(entry["shape"]), begin, end)
            fits = 0 <= begin <= end <= total - 8 - length and place.size == end - begin and min((0, *place.shape)) >= 0
        except (KeyError, TypeError, ValueError):
            raise BadSafetensors("a tensor's entry is malformed") from None
        if not fits:
            raise BadSafetensors("a tensor's place does not fit the file")
        covered += place.size
        places[name] = place
    if covered != total - 8 - length:
        raise BadSafetensors("the tensors do not fill the file")
    return places


def write_tensors(path: Path, tensors: Sequence[TensorPlace], content: Callable[[str], bytes]) -> None:
    """Write `tensors` in the given order; `content` gives the bytes of each when its turn comes. Synced at the end."""
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
            data = content(tensor.name)
            if len(data) != tensor.size:
                raise BadSafetensors(f"{tensor.name} has {len(data)} bytes instead of {tensor.size}")
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
