"""Looking at every value of a safetensors file for ones that no model may have, in blocks, with little memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mhdesk.library.plain_file import open_plain_file
from mhdesk.library.safetensors_file import TensorPlace, read_header

BLOCK_BYTES = 4 * 2**20
MAX_SCALE = 1e6
"""Row maxima of trained linears are below a hundred."""

_EXPONENTS = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "BF16": ("<u2", 0x7F80),
    "F16": ("<u2", 0x7C00),
    "F8_E5M2": ("u1", 0x7C),
    "F8_E4M3": ("u1", 0x7F),
}
"""For each type, as which integer its bits are read, and the bits that are all set in infinities and not-a-numbers.

E4M3 has no infinities and spends only its largest pattern on not-a-number.
"""


class BadValues(ValueError):
    """A tensor holds values that no model may have. The message completes the sentence "… cannot be used: …"."""


def check_finite(path: Path) -> None:
    """Refuse not-a-numbers and infinities, and row scales (`….SCB`) that are negative, absurdly large, or all zero.

    The file is read block by block and not mapped, so that it does not count as resident memory.

    Raises:
        BadValues: with the tensor's name.
        BadSafetensors: header and file do not agree.
        OSError: the file cannot be read.
    """
    places = read_header(path)
    with open_plain_file(path) as file:
        data = os.fstat(file.fileno()).st_size - max((place.end for place in places.values()), default=0)
        for place in sorted(places.values(), key=lambda place: place.begin):
            file.seek(data + place.begin)
            if place.name.endswith(".SCB"):
                _check_scales(place, file)
            elif place.dtype in _EXPONENTS:
                _check_numbers(place, file)


def _check_numbers(place: TensorPlace, file: BufferedReader) -> None:
    kind, exponent = _EXPONENTS[place.dtype]
    for block in _blocks(place, file):
        bits = block.view(kind)
        if ((bits & bits.dtype.type(exponent)) == exponent).any():
            raise BadValues(f"the tensor {place.name!a:.100} holds values that are not finite numbers")


def _check_scales(place: TensorPlace, file: BufferedReader) -> None:
    if place.dtype != "F32":
        raise BadValues(f"the scales {place.name!a:.100} are not in 32 bits")
    largest = 0.0
    for block in _blocks(place, file):
        scales = block.view("<f4")
        if not ((scales >= 0) & (scales <= MAX_SCALE)).all():  # also what is not a number
            raise BadValues(f"the scales {place.name!a:.100} are negative, too large, or no numbers")
        largest = max(largest, float(scales.max()))
    if largest == 0:
        raise BadValues(f"the scales {place.name!a:.100} are all zero")


def _blocks(place: TensorPlace, file: BufferedReader) -> Iterator[npt.NDArray[np.uint8]]:
    left = place.size
    while left:
        wanted = min(left, BLOCK_BYTES)
        block = np.frombuffer(file.read(wanted), dtype=np.uint8)
        if block.size != wanted:
            raise OSError("the file became shorter while it was read")
        left -= wanted
        yield block
