"""Quantising a Llama to bitsandbytes' 8-bit format, a few rows at a time, into one file or several.

A small model is one file. A large one has its embeddings and norms in the first file and a few layers in each that
follows; a file that stands is whole, so that work that was interrupted goes on with the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch

from mhdesk.core.errors import ModelUnusable
from mhdesk.engine.child.weight_source import WeightSource
from mhdesk.library.llama_shape import LINEARS, LlamaShape
from mhdesk.library.model_weights import INDEX
from mhdesk.library.safetensors_file import Block, TensorPlace, write_tensors

SINGLE_FILE_BYTES = 1 << 30
"""A model up to this size is written as one file."""
_BLOCK_VALUES = 4 << 20
"""Values held in float32 at once: 16 MiB, and a few copies of it."""


class QuantisationStopped(Exception):
    """Asked to stop; what is finished stays."""


def write_eight_bit_weights(
    folder: Path,
    source: WeightSource,
    files: Mapping[str, Sequence[TensorPlace]],
    say: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> None:
    """Write those of the planned `files` that `folder` lacks, and their index; `say` gets the fraction done.

    Raises:
        ModelUnusable: a value is not finite, or the source cannot be read.
        QuantisationStopped: `should_stop` said so.
        OSError: the disk would not take it.
    """
    total = sum(tensor.size for tensors in files.values() for tensor in tensors)
    done = 0
    for name, tensors in files.items():
        if not (folder / name).exists():
            writing = _Quantisation(source, should_stop, lambda count: say(count / total), done)
            unfinished = folder / f"{name}.part"
            write_tensors(unfinished, tensors, writing.content)
            unfinished.rename(folder / name)
        done += sum(tensor.size for tensor in tensors)
    if len(files) > 1:
        places = {tensor.name: name for name, tensors in files.items() for tensor in tensors}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        (folder / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")


def plan_files(shape: LlamaShape, single_file_bytes: int = SINGLE_FILE_BYTES) -> dict[str, list[TensorPlace]]:
    """Names of the weight files and what each holds, in order: q, k, v and gate, up of a layer lie side by side.

    A model of up to `single_file_bytes` is one file, any other several of half of that at most, if a layer fits.
    """
    plain = [TensorPlace(name, "BF16", size) for name, size in shape.plain_tensors().items()]
    layers = list(range(shape.layers))
    if shape.eight_bit_bytes <= single_file_bytes:
        return {"model.safetensors": [*plain, *_quantised(shape, layers)]}
    layer_bytes = sum(tensor.size for tensor in _quantised(shape, [0]))
    at_once = max(1, single_file_bytes // 2 // layer_bytes)
    groups = [plain, *(_quantised(shape, layers[first : first + at_once]) for first in layers[::at_once])]
    return {f"model-{number:05}-of-{len(groups):05}.safetensors": group for number, group in enumerate(groups, 1)}


def quantise_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Int8 values [out, in] and row maxima SCB [out] of a float `weight`: value = weight * 127 / SCB, rounded.

    The format of bitsandbytes' `int8_vectorwise_quant`, computed in float32 and element by element, so that every
    machine gets the same bytes and an adapter's `base_sha256` means something.
    """
    exact = weight.float()
    largest = exact.abs().amax(dim=1)
    scaled = exact * (127 / largest.clamp_min(torch.finfo(torch.float32).tiny))[:, None]
    return scaled.round().to(torch.int8), largest


def _quantised(shape: LlamaShape, layers: list[int]) -> list[TensorPlace]:
    names = [f"model.layers.{layer}.{linear}" for layer in layers for linear in LINEARS]
    sizes = [shape.linear(linear) for _ in layers for linear in LINEARS]
    return [
        *(TensorPlace(f"{name}.weight", "I8", size) for name, size in zip(names, sizes, strict=True)),
        *(TensorPlace(f"{name}.SCB", "F32", size[:1]) for name, size in zip(names, sizes, strict=True)),
        *(TensorPlace(f"{name}.weight_format", "U8", ()) for name in names),
    ]


class _Quantisation:
    """Gives the content of one file's tensors in their order; the scales come after the values they belong to."""

    def __init__(
        self, source: WeightSource, should_stop: Callable[[], bool], say: Callable[[int], None], done: int
    ) -> None:
        self._source = source
        self._should_stop = should_stop
        self._say = say
        self._done = done
        self._maxima: dict[str, torch.Tensor] = {}

    def content(self, tensor: TensorPlace) -> Iterator[Block]:
        if tensor.dtype == "U8":
            yield b"\0"  # bitsandbytes' code for rows as they are
        elif tensor.dtype == "F32":
            yield _bytes_of(self._maxima.pop(tensor.name.removesuffix(".SCB")))
        elif tensor.dtype == "BF16":
            for rows in self._blocks(tensor):
                yield _bytes_of(rows.bfloat16().view(torch.int16))
        else:
            maxima = []
            for rows in self._blocks(tensor):
                values, largest = quantise_rows(rows)
                maxima.append(largest)
                yield _bytes_of(values)
            self._maxima[tensor.name.removesuffix(".weight")] = torch.cat(maxima)
        self._done += tensor.size
        self._say(self._done)

    def _blocks(self, tensor: TensorPlace) -> Iterator[torch.Tensor]:
        count = tensor.shape[0]
        step = max(1, _BLOCK_VALUES // (tensor.shape[1] if len(tensor.shape) > 1 else 1))
        for begin in range(0, count, step):
            if self._should_stop():
                raise QuantisationStopped
            rows = self._source.rows(tensor.name, begin, min(count, begin + step))
            if not torch.isfinite(rows).all():
                raise ModelUnusable(
                    f"The model cannot be used: its tensor {tensor.name} holds values that are not finite numbers. "
                    "Please get the file again."
                )
            yield rows


def _bytes_of(tensor: torch.Tensor) -> bytes:
    content: bytes = tensor.contiguous().numpy().tobytes()
    return content
