"""Where the tensors of a GGUF file lie, and in which formats."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from mhdesk.library.gguf_metadata import BadGguf, GgufFront, TensorEntry

FORMATS = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36),
}  # fmt: skip
"""Formats that the `gguf` library can turn into plain numbers: name, values a block, bytes a block. A test compares."""


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: `format` as GGML names it, `shape` as [out, in], where it begins in the file and its bytes."""

    format: str
    shape: tuple[int, ...]
    offset: int
    size: int


def place_tensors(front: GgufFront) -> dict[str, GgufTensor]:
    """Where each tensor lies: inside the file, aligned, and apart from the others.

    Raises:
        BadGguf: one does not, or is of a format that cannot be read.
    """
    alignment = front.values.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 2**16 or alignment & (alignment - 1):
        raise BadGguf("its general.alignment is not a power of two, or too large")
    data = -(-front.front_bytes // alignment) * alignment
    placed = {tensor.name: _place(tensor, data, alignment) for tensor in front.tensors}
    free_from = data
    for tensor in sorted(placed.values(), key=lambda tensor: tensor.offset):
        if tensor.offset < free_from:
            raise BadGguf("its tensors overlap")
        free_from = tensor.offset + tensor.size
    if free_from > front.file_bytes:
        raise BadGguf("it is cut short: the last tensors are missing")
    return placed


def _place(tensor: TensorEntry, data: int, alignment: int) -> GgufTensor:
    if tensor.kind not in FORMATS:
        raise BadGguf(
            f"its weights are quantised in a way that MHDesk cannot read (GGUF type {tensor.kind}); "
            "please choose a file such as Q8_0, Q4_K_M or F16"
        )
    name, block_values, block_bytes = FORMATS[tensor.kind]
    values = prod(tensor.dimensions)
    if not 1 <= values < 2**63 or tensor.dimensions[0] % block_values or tensor.offset % alignment:
        raise BadGguf(f"the tensor {tensor.name!a:.80} has an impossible shape or place")
    return GgufTensor(name, tensor.dimensions[::-1], data + tensor.offset, values // block_values * block_bytes)
