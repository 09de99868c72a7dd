"""A trained encoder in the form that `mhdesk/safety/encoder.py` reads: int8 rows with their scales."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from mhdesk.core.atomic import write_bytes

_LARGEST_INT8 = 127


def write_encoder(path: Path, tensors: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
    """Write the tensors and what is said `about` them, whole or not at all."""
    write_bytes(path, save(tensors, metadata={"about": json.dumps(about)}))


def encoder_tensors(base: Any, head: torch.nn.Linear, tokenizer: Any, tokens: int) -> dict[str, NDArray[Any]]:
    """Those of `base` (a BERT of transformers) and its `head`; it reads at most `tokens` tokens.

    Only pieces of plain letters and signs are kept of the vocabulary: the encoder reads English.
    """
    tensors: dict[str, NDArray[Any]] = {}
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    kept = [place for place, piece in enumerate(pieces) if piece.isascii() and not piece.startswith("[unused")]
    embeddings = base.embeddings
    words = _array(embeddings.word_embeddings.weight)[kept]
    tensors["vocabulary"] = np.frombuffer("\n".join(pieces[place] for place in kept).encode(), np.uint8).copy()
    tensors["words"], tensors["words.scale"] = _rows(words)
    kinds = _array(embeddings.token_type_embeddings.weight)[0]
    tensors["positions"] = (_array(embeddings.position_embeddings.weight)[:tokens] + kinds).astype(np.float32)
    tensors["norm.weight"], tensors["norm.bias"] = _norm(embeddings.LayerNorm)
    for place, layer in enumerate(base.encoder.layer):
        attention = layer.attention.self
        mixed = (attention.query, attention.key, attention.value)
        weight = np.concatenate([_array(part.weight) for part in mixed])
        bias = np.concatenate([_array(part.bias) for part in mixed])
        _put(tensors, f"layer{place}.mixed", weight, bias)
        for name, part in (
            ("joined", layer.attention.output.dense),
            ("widened", layer.intermediate.dense),
            ("narrowed", layer.output.dense),
        ):
            _put(tensors, f"layer{place}.{name}", _array(part.weight), _array(part.bias))
        for number, norm in ((1, layer.attention.output.LayerNorm), (2, layer.output.LayerNorm)):
            tensors[f"layer{place}.norm{number}.weight"], tensors[f"layer{place}.norm{number}.bias"] = _norm(norm)
    _put(tensors, "head", _array(head.weight), _array(head.bias))
    return tensors


def _put(tensors: dict[str, NDArray[Any]], name: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    tensors[f"{name}.weight"], tensors[f"{name}.scale"] = _rows(weight)
    tensors[f"{name}.bias"] = bias


def _rows(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows in int8 and what each is multiplied with."""
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-8) / _LARGEST_INT8
    return np.rint(weight / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def _norm(norm: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return _array(norm.weight), _array(norm.bias)


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = tensor.detach().float().contiguous().numpy().copy()
    return found
