"""A base model on disk: an 8-bit bitsandbytes folder, and what makes one usable."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import ModelUnusable
from mhdesk.core.paths import PROGRAM
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.safetensors_file import BadSafetensors, read_header

MANIFEST = "mhdesk.json"
"""Written last: a folder without it is unfinished."""

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What is known of a base model. `weights_sha256` is an adapter card's `base_sha256`."""

    id: str
    title: str
    licence: str
    source: str
    source_sha256: str
    weights_sha256: str
    template_sha256: str
    parameters: int
    weights_bytes: int


def write_manifest(folder: Path, manifest: ModelManifest) -> None:
    """Finish a model folder.

    Raises:
        StorageError: the disk would not take it.
    """
    write_json(folder / MANIFEST, asdict(manifest))


def read_manifest(folder: Path) -> ModelManifest:
    """The manifest of a finished folder.

    Raises:
        ModelUnusable: there is none, or it is damaged.
    """
    try:
        return ModelManifest(**read_json_object(folder / MANIFEST))
    except (BadJsonFile, TypeError):
        raise ModelUnusable(
            f"The model {folder.name} is unfinished or damaged. Please run {PROGRAM} setup again."
        ) from None


def check_model_folder(folder: Path) -> None:
    """Refuse, in one sentence, a folder that could not be loaded or should not be.

    Raises:
        ModelUnusable: with the reason.
    """
    if not folder.is_dir():
        raise ModelUnusable(f"There is no model folder called {folder.name}. Please run {PROGRAM} setup.")
    try:
        config = read_json_object(folder / "config.json")
        read_json_object(folder / "tokenizer.json")
    except BadJsonFile as error:
        raise _unusable(folder, str(error)) from None
    if config.get("model_type") != "llama":
        raise _unusable(folder, "it is not of the Llama architecture")
    quantization = config.get("quantization_config")
    if not isinstance(quantization, dict) or quantization.get("load_in_8bit") is not True:
        raise _unusable(folder, "its weights are not in 8 bits")
    if "auto_map" in config or any(next(folder.glob(pattern), None) for pattern in _PICKLES):
        raise _unusable(folder, "it brings code or pickled files, which MHDesk never runs")
    for shard in _weight_files(folder):
        try:
            read_header(shard)
        except FileNotFoundError:
            raise _unusable(folder, f"the file {shard.name} is missing") from None
        except (BadSafetensors, OSError):
            raise _unusable(folder, f"the file {shard.name} is damaged") from None


def describe_weights(folder: Path) -> dict[str, Any]:
    """`parameters` and `weights_bytes`, from the headers, and `weights_sha256`, of a folder that has been checked."""
    places = [place for shard in _weight_files(folder) for place in read_header(shard).values()]
    values = 0
    for place in places:
        if place.name.endswith(".weight"):
            count = 1
            for length in place.shape:
                count *= length
            values += count
    return {
        "parameters": values,
        "weights_bytes": sum(place.size for place in places),
        "weights_sha256": sha256_of_weights(folder),
    }


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return [folder / "model.safetensors"]
    try:
        names = set(read_json_object(index)["weight_map"].values())
    except (BadJsonFile, KeyError, AttributeError, TypeError):
        raise _unusable(folder, "its index of shards is damaged") from None
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise _unusable(folder, "its index of shards is damaged")
    return [folder / name for name in sorted(names)]


def _unusable(folder: Path, reason: str) -> ModelUnusable:
    return ModelUnusable(
        f"The model {folder.name} cannot be used: {reason}. Please run {PROGRAM} setup again, or choose another."
    )
