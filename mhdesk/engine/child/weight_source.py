"""Full-precision weights read a few rows at a time, from safetensors or GGUF, so that no model has to fit in memory.

Files are read, not mapped: mapped pages count as resident memory until the system takes them back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from gguf import GGMLQuantizationType, dequantize
from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

from mhdesk.core.errors import ModelUnusable
from mhdesk.library.gguf_header import GgufHeader, gguf_name
from mhdesk.library.model_weights import StoredTensor

_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class WeightSource(Protocol):
    """Gives any rows of any tensor; names are those of `LlamaShape`."""

    def rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """Rows `begin` to `end` of a tensor in float32: [end - begin, in], or [end - begin] of a vector.

        Raises:
            ModelUnusable: the file changed, or cannot be read.
        """
        ...


class FullPrecisionWeights:
    """The tensors of a Hugging Face folder."""

    def __init__(self, tensors: dict[str, StoredTensor]) -> None:
        self._tensors = tensors

    def rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """See `WeightSource.rows`."""
        tensor = self._tensors[name]
        row_bytes = tensor.size // tensor.shape[0]
        content = _read(tensor.path, tensor.offset + begin * row_bytes, (end - begin) * row_bytes)
        values = torch.frombuffer(content, dtype=_TYPES[tensor.dtype])
        return values.float().reshape(end - begin, *tensor.shape[1:])


class GgufWeights:
    """The tensors of a GGUF file, dequantised by the `gguf` library.

    llama.cpp interleaves the rows of queries and keys within a head; transformers knows how to put them back.
    """

    def __init__(self, path: Path, header: GgufHeader) -> None:
        self._path = path
        self._header = header
        shape = header.shape
        self._order = LlamaTensorProcessor({"num_attention_heads": shape.heads, "num_key_value_heads": shape.kv_heads})

    def rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """See `WeightSource.rows`."""
        theirs = gguf_name(name)
        tensor = self._header.tensors[theirs]
        row_bytes = tensor.size // tensor.shape[0]
        kind = GGMLQuantizationType[tensor.format]
        if ".attn_q." not in theirs and ".attn_k." not in theirs:
            content = _read(self._path, tensor.offset + begin * row_bytes, (end - begin) * row_bytes)
            return self._values(content, kind, end - begin, tensor.shape)
        rows = self._order.process(np.arange(tensor.shape[0])[:, None], theirs).weights[begin:end, 0]
        whole = np.frombuffer(_read(self._path, tensor.offset, tensor.size), dtype=np.uint8)
        picked = bytearray(whole.reshape(tensor.shape[0], row_bytes)[rows].tobytes())
        return self._values(picked, kind, end - begin, tensor.shape)

    @staticmethod
    def _values(content: bytearray, kind: GGMLQuantizationType, rows: int, shape: tuple[int, ...]) -> torch.Tensor:
        raw = np.frombuffer(content, dtype=np.uint8).reshape(rows, -1)
        if kind is GGMLQuantizationType.F32:
            values = raw.view(np.float32)
        elif kind is GGMLQuantizationType.F16:
            values = raw.view(np.float16).astype(np.float32)
        else:
            values = dequantize(raw, kind)
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).reshape(rows, *shape[1:])


def _read(path: Path, offset: int, size: int) -> bytearray:
    content = bytearray(size)
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            view = memoryview(content)
            while view:
                count = file.readinto(view)
                if not count:
                    raise ModelUnusable(f"The file {path.name} has become shorter while it was read. Please try again.")
                view = view[count:]
    except OSError as error:
        raise ModelUnusable(f"The file {path.name} could not be read ({error.strerror}). Please try again.") from error
    return content
