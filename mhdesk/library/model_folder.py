"""A base model on disk: an 8-bit bitsandbytes folder, and what makes one usable."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from math import prod
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import ModelUnusable
from mhdesk.core.paths import PROGRAM
from mhdesk.library.foreign_folder import ForeignFile, check_foreign_folder
from mhdesk.library.hashes import sha256_of_file, sha256_of_weights
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import BadShape, LlamaShape
from mhdesk.library.model_weights import BadWeights, check_eight_bit, stored_tensors
from mhdesk.library.tensor_values import BadValues, check_finite
from mhdesk.library.tokenizer_files import BadTokenizer, check_tokenizer

MANIFEST = "mhdesk.json"
"""Written last: a folder without it is unfinished."""

ORIGIN = "origin.json"
"""In an unfinished folder: what it is being made from."""


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What is known of a base model. `weights_sha256` is an adapter card's `base_sha256`.

    `instruct` says whether it was trained to converse; `files` gives the SHA-256 of every other file of the folder.
    """

    id: str
    title: str
    licence: str
    source: str
    source_sha256: str
    weights_sha256: str
    template_sha256: str
    parameters: int
    weights_bytes: int
    instruct: bool = True
    files: dict[str, str] = field(default_factory=dict)


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
        manifest = ModelManifest(**read_json_object(folder / MANIFEST))
        if all(_is_whole(getattr(manifest, part.name), part.type) for part in fields(manifest)):
            return manifest
    except (BadJsonFile, TypeError):
        pass
    raise unusable(folder, "it is unfinished or damaged")


def check_model_folder(folder: Path) -> LlamaShape:
    """Refuse, in one sentence, a folder that could not be loaded or should not be; gives the model's shape.

    Raises:
        ModelUnusable: with the reason.
    """
    if not folder.is_dir():
        raise ModelUnusable(f"There is no model called {folder.name}. {PROGRAM} models list shows what there is.")
    try:
        check_foreign_folder(folder)
        config = read_json_object(folder / "config.json")
        shape = LlamaShape.from_config(config)
        read_json_object(folder / "tokenizer.json")
        refuse_other_than_eight_bit(config)
        check_eight_bit(stored_tensors(folder), shape)
    except (BadJsonFile, BadShape, BadWeights, ForeignFile) as error:
        raise unusable(folder, str(error)) from None
    return shape


def refuse_other_than_eight_bit(config: dict[str, Any]) -> None:
    """Refuse a configuration whose weights are not quantised to bitsandbytes' 8 bits.

    Raises:
        BadWeights: naming what they are.
    """
    quantization = config.get("quantization_config")
    if not isinstance(quantization, dict):
        raise BadWeights("its weights are not in 8 bits")
    method = quantization.get("quant_method", "bitsandbytes")
    if method != "bitsandbytes":
        raise BadWeights(f"its weights are quantised by {method!a:.20}, not in bitsandbytes' 8 bits")
    if quantization.get("load_in_4bit") is True or quantization.get("load_in_8bit") is not True:
        raise BadWeights("its weights are not in 8 bits")


def verify_model_folder(folder: Path) -> None:
    """Read every byte: the files are those that the manifest describes, and no value is one that breaks a reply.

    Raises:
        ModelUnusable: with the reason.
    """
    shape = check_model_folder(folder)
    manifest = read_manifest(folder)
    try:
        check_tokenizer(folder, shape.vocabulary)
        for name, digest in manifest.files.items():
            if Path(name).name != name or sha256_of_file(folder / name) != digest:
                raise unusable(folder, f"the file {name!a:.60} is not the one that was installed")
        if sha256_of_weights(folder) != manifest.weights_sha256:
            raise unusable(folder, "its weights are not the ones that were installed")
        for path in sorted(folder.glob("*.safetensors")):
            check_finite(path)
    except (BadTokenizer, BadValues) as error:
        raise unusable(folder, str(error)) from None
    except OSError as error:
        raise unusable(folder, f"a file cannot be read ({error.strerror})") from None


def describe_weights(folder: Path) -> dict[str, Any]:
    """`parameters` and `weights_bytes`, from the headers, and `weights_sha256`, of a folder that has been checked."""
    tensors = stored_tensors(folder)
    return {
        "parameters": sum(
            prod(tensor.shape) for name, tensor in tensors.items() if name.endswith((".weight", ".bias"))
        ),
        "weights_bytes": sum(tensor.size for tensor in tensors.values()),
        "weights_sha256": sha256_of_weights(folder),
    }


def describe_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that is no weights file and not the manifest."""
    others = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".safetensors")
    return {path.name: sha256_of_file(path) for path in others if path.name not in (MANIFEST, ORIGIN)}


def unusable(folder: Path, reason: str) -> ModelUnusable:
    """The sentence for a model on the shelf that cannot be used."""
    return ModelUnusable(
        f"The model {folder.name} cannot be used: {reason}. Please remove it and add it again "
        f"({PROGRAM} setup mends the starter model), or choose another."
    )


def _is_whole(value: object, kind: object) -> bool:
    """Whether a field of the manifest is of its declared type."""
    if kind == "dict[str, str]":
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    return type(value).__name__ == kind
