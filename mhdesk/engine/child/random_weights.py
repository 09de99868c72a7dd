"""Random weights of a Llama, drawn block by block: never more than a few megabytes of them at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from math import prod

import numpy as np
import torch

from mhdesk.core.errors import EngineError
from mhdesk.engine.child.backend import Say
from mhdesk.library.llama_shape import LlamaShape

_BLOCK_VALUES = 4_000_000
_SMALL_STD = 0.02


class RandomWeights:
    """The tensors of `shape`: the same values for the same `seed` and name, whatever is drawn before or beside them."""

    def __init__(self, shape: LlamaShape, seed: int, say: Say, should_stop: Callable[[], bool]) -> None:
        self._head_size = shape.head_size
        self._seed = seed
        self._say = say
        self._should_stop = should_stop
        self._values_drawn = 0
        self.shapes = _shapes_in_order(shape)
        """Name to shape, in the order of the layers."""

    def blocks(self, name: str) -> Iterator[torch.Tensor]:
        """The tensor `name` in bfloat16, some rows at a time, always whole attention heads.

        Linears have a standard deviation of 1 / sqrt(inputs), which keeps activations about as large as they come in.

        Raises:
            EngineError: it was asked to stop.
        """
        shape = self.shapes[name]
        mean = 1.0 if name.endswith("norm.weight") else 0.0
        is_linear = len(shape) == 2 and name != "model.embed_tokens.weight"
        std = shape[1] ** -0.5 if is_linear else _SMALL_STD
        digest = hashlib.sha256(f"{self._seed} {name}".encode()).digest()
        generator = np.random.Generator(np.random.SFC64(int.from_bytes(digest)))
        rows_at_once = max(1, _BLOCK_VALUES // prod(shape[1:]) // self._head_size) * self._head_size
        for first in range(0, shape[0], rows_at_once):
            if self._should_stop():
                raise EngineError("Making the model was stopped; nothing of it was kept.")
            rows = min(rows_at_once, shape[0] - first)
            block = torch.from_numpy(generator.standard_normal((rows, *shape[1:]), dtype=np.float32))
            yield block.mul_(std).add_(mean).bfloat16()
            self._count(block.numel())

    def _count(self, values: int) -> None:
        total = sum(prod(shape) for shape in self.shapes.values())
        before, self._values_drawn = self._values_drawn, self._values_drawn + values
        if before * 100 // total != self._values_drawn * 100 // total:
            self._say("Writing random weights…", self._values_drawn / total)


def _shapes_in_order(shape: LlamaShape) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": size for name, size in shape.linears().items()}
    shapes |= shape.plain_tensors()

    def position(name: str) -> int:
        words = name.split(".")
        if words[1] == "layers":
            return int(words[2])
        return -1 if words[1] == "embed_tokens" else shape.layers

    return {name: shapes[name] for name in sorted(shapes, key=position)}
