"""The tensors of a LoRA adapter: exactly the two of every linear that it changes, as large as linear and rank ask."""

from __future__ import annotations

import re
from pathlib import Path

from mhdesk.library.adapter_configuration import BadAdapter, LoraConfiguration
from mhdesk.library.llama_shape import LINEARS, LlamaShape
from mhdesk.library.safetensors_file import BadSafetensors, TensorPlace, read_header
from mhdesk.library.tensor_values import BadValues, check_finite

WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."
_DTYPES = frozenset({"F32", "F16", "BF16"})
_LAYER = re.compile(r"base_model\.model\.model\.layers\.(0|[1-9][0-9]{0,2})\.")


def check_adapter_tensors(folder: Path, shape: LlamaShape | None, configuration: LoraConfiguration) -> None:
    """Refuse tensors that PEFT would not find a place for, would leave out, or that are no numbers.

    Without the base model's `shape`, the layers are those that the file names, and only the rank is compared.

    Raises:
        BadAdapter: with the reason.
    """
    try:
        places = read_header(folder / WEIGHTS)
        layers = shape.layers if shape else _layers_named(places)
        _check_names(places, layers, configuration)
        for place in places.values():
            _check_place(place, shape, configuration.rank)
        check_finite(folder / WEIGHTS)
    except (BadSafetensors, OSError):
        raise BadAdapter(f"its weights, {WEIGHTS}, are missing or damaged") from None
    except BadValues as error:
        raise BadAdapter(str(error)) from None


def _layers_named(places: dict[str, TensorPlace]) -> int:
    named = [int(found[1]) for name in places if (found := _LAYER.match(name))]
    return max(named, default=0) + 1


def _check_names(places: dict[str, TensorPlace], layers: int, configuration: LoraConfiguration) -> None:
    linears = [name for name in LINEARS if name.rpartition(".")[2] in configuration.targets]
    expected = {
        f"{_PREFIX}model.layers.{layer}.{linear}.lora_{half}.weight"
        for layer in range(layers)
        for linear in linears
        for half in "AB"
    }
    unknown = next((name for name in places if name not in expected), None)
    if unknown is not None:
        raise BadAdapter(f"it holds the tensor {unknown!a:.100}, which does not belong to what it changes")
    missing = min(expected - places.keys(), default=None)
    if missing is not None:
        raise BadAdapter(f"the tensor {missing} is missing")


def _check_place(place: TensorPlace, shape: LlamaShape | None, rank: int) -> None:
    """`lora_A` is [rank, in] and `lora_B` is [out, rank]."""
    is_a = place.name.endswith(".lora_A.weight")
    if place.dtype not in _DTYPES:
        raise BadAdapter(f"the tensor {place.name} is of the type {place.dtype}, which MHDesk does not support")
    if len(place.shape) != 2 or place.shape[0 if is_a else 1] != rank:
        raise BadAdapter(f"the tensor {place.name} is not of the rank {rank} that its configuration gives")
    if shape is None:
        return
    linear = ".".join(place.name.split(".")[-4:-2])
    rows, columns = shape.linear(linear)
    if place.shape != ((rank, columns) if is_a else (rows, rank)):
        raise BadAdapter(f"the tensor {place.name} does not fit the model: it was made for another")
