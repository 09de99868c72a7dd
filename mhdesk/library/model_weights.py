"""The tensors of a model folder, by their headers: where each lies, and whether they are those of the model's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.safetensors_file import BadSafetensors, read_header

INDEX = "model.safetensors.index.json"
FLOATS = ("F32", "F16", "BF16")
_MAX_SHARDS = 1000


class BadWeights(ValueError):
    """The weights cannot be used. The message completes the sentence "… cannot be used: …"."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor on disk: `dtype` as safetensors names it, and where its `size` bytes begin in the file `path`."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model: one, or the shards that its index names.

    Raises:
        BadWeights: the index is damaged.
    """
    index = folder / INDEX
    if not index.exists():
        return [folder / "model.safetensors"]
    try:
        names = set(read_json_object(index)["weight_map"].values())
    except (BadJsonFile, KeyError, AttributeError, TypeError):
        raise BadWeights("its index of shards is damaged") from None
    plain = all(isinstance(name, str) and Path(name).name == name and "\\" not in name for name in names)
    if not names or len(names) > _MAX_SHARDS or not plain:
        raise BadWeights("its index of shards is damaged")
    return [folder / name for name in sorted(names)]


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """All tensors of a model folder by name.

    Raises:
        BadWeights: a file is missing or damaged, or a tensor comes twice.
    """
    found: dict[str, StoredTensor] = {}
    for path in weight_files(folder):
        try:
            places = read_header(path)
            data = path.stat().st_size - max((place.end for place in places.values()), default=0)
        except FileNotFoundError:
            raise BadWeights(f"the file {path.name} is missing") from None
        except (BadSafetensors, OSError):
            raise BadWeights(f"the file {path.name} is damaged") from None
        for name, place in places.items():
            if name in found:
                raise BadWeights(f"the tensor {name!a:.80} comes twice")
            found[name] = StoredTensor(path, place.dtype, place.shape, data + place.begin, place.size)
    return found


def check_full_precision(tensors: Mapping[str, StoredTensor], shape: LlamaShape) -> None:
    """Refuse weights that are not those of a full-precision Llama of this shape.

    Raises:
        BadWeights: with the reason.
    """
    needed = {f"{name}.weight": size for name, size in shape.linears().items()} | shape.plain_tensors()
    for name, size in needed.items():
        _check(tensors, name, FLOATS, size)
    _check_nothing_else(tensors, set(needed), shape)


def check_eight_bit(tensors: Mapping[str, StoredTensor], shape: LlamaShape) -> None:
    """Refuse weights that are not those of a Llama of this shape in bitsandbytes' 8-bit format.

    Raises:
        BadWeights: with the reason.
    """
    linears = shape.linears()
    plain = shape.plain_tensors()
    if "lm_head.weight" in plain and "lm_head.SCB" in tensors:
        linears["lm_head"] = (shape.vocabulary, shape.hidden)
        del plain["lm_head.weight"]
    known = set(plain)
    for name, size in plain.items():
        _check(tensors, name, FLOATS, size)
    for name, size in linears.items():
        _check(tensors, f"{name}.weight", ("I8",), size)
        _check(tensors, f"{name}.SCB", ("F32",), size[:1])
        if f"{name}.weight_format" in tensors:
            _check(tensors, f"{name}.weight_format", ("U8",), ())
        known |= {f"{name}.weight", f"{name}.SCB", f"{name}.weight_format"}
    _check_nothing_else(tensors, known, shape)


def _check(tensors: Mapping[str, StoredTensor], name: str, dtypes: tuple[str, ...], shape: tuple[int, ...]) -> None:
    tensor = tensors.get(name)
    if tensor is None:
        raise BadWeights(f"the tensor {name} is missing")
    if tensor.dtype not in dtypes:
        raise BadWeights(f"the tensor {name} is of type {tensor.dtype}, not {' or '.join(dtypes)}")
    if tensor.shape != shape:
        raise BadWeights(
            f"the tensor {name} has the shape {list(tensor.shape)}, and config.json asks for {list(shape)}"
        )


def _check_nothing_else(tensors: Mapping[str, StoredTensor], known: set[str], shape: LlamaShape) -> None:
    """What older writers left behind may stay: rotary frequencies, and a head that repeats the embeddings."""
    for name in tensors:
        left_over = name.endswith("rotary_emb.inv_freq") or (shape.tied and name == "lm_head.weight")
        if name not in known and not left_over:
            raise BadWeights(f"it holds the tensor {name!a:.80}, which a Llama of its shape does not have")
