"""The full-precision model that an 8-bit one is compared with, as a folder that `transformers` loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mhdesk.core.errors import ModelUnusable
from mhdesk.engine.child.model_parts import write_configuration
from mhdesk.engine.child.weight_source import GgufWeights
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.model_source import ModelSource, SourceKind
from mhdesk.library.safetensors_file import Block, TensorPlace, write_tensors

_WEIGHTS = "model.safetensors"
_ROWS = 1024
"""Rows of a tensor that are put into float32 at once."""


def full_precision_folder(source: ModelSource, target: Path) -> Path:
    """The folder itself if that is what `source` is; of a GGUF file, float32 weights written to `target`.

    The numbers are those that the 8-bit model is made from: read by the same code from the same file.

    Raises:
        ModelUnusable: it holds 8 bits only, or cannot be read.
        OSError: the disk would not take it.
    """
    if source.kind is SourceKind.FULL_PRECISION:
        return source.path
    if source.header is None:
        raise ModelUnusable(
            f"The model {source.name} holds 8-bit weights only, so there is nothing to compare them with. Please give "
            "the full-precision folder or the GGUF file that it was made from."
        )
    weights = GgufWeights(source.path, source.header)

    def content(tensor: TensorPlace) -> Iterator[Block]:
        for begin in range(0, tensor.shape[0], _ROWS):
            rows = weights.rows(tensor.name, begin, min(tensor.shape[0], begin + _ROWS))
            yield rows.contiguous().numpy().tobytes()

    target.mkdir(parents=True, exist_ok=True)
    write_tensors(target / _WEIGHTS, _places(source.shape), content)
    write_configuration(target, source)
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    del config["quantization_config"]
    (target / "config.json").write_text(json.dumps({**config, "dtype": "float32"}, indent=2), encoding="utf-8")
    return target


def _places(shape: LlamaShape) -> list[TensorPlace]:
    linears = {f"{name}.weight": size for name, size in shape.linears().items()}
    return [TensorPlace(name, "F32", size) for name, size in {**shape.plain_tensors(), **linears}.items()]
