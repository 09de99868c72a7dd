"""What somebody brings as a base model: recognised, looked through, and described, before any of it is converted."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from mhdesk.core.errors import BadInput, ModelUnusable
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.foreign_folder import ForeignFile, check_foreign_folder
from mhdesk.library.gguf_header import GgufHeader, read_gguf_header
from mhdesk.library.gguf_metadata import BadGguf
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import BadShape, LlamaShape
from mhdesk.library.model_folder import refuse_other_than_eight_bit
from mhdesk.library.model_weights import (
    BadWeights,
    StoredTensor,
    check_eight_bit,
    check_full_precision,
    stored_tensors,
)
from mhdesk.library.tokenizer_files import BadTokenizer, check_tokenizer

NO_LICENCE = "not stated"
LICENCE_FILES = re.compile(r"(LICEN[CS]E|NOTICE|USE_POLICY|COPYING)([._-].*)?", re.IGNORECASE)
_MAX_CARD_BYTES = 1 << 20


class SourceKind(StrEnum):
    """What a base model can come as."""

    EIGHT_BIT = "8-bit folder"
    FULL_PRECISION = "full-precision folder"
    GGUF = "GGUF file"


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that can be put on the shelf.

    `chat_template` is ours, for a catalogued model that has none; `licence_files` are kept beside the weights.
    """

    path: Path
    kind: SourceKind
    shape: LlamaShape
    id: str
    name: str
    title: str
    licence: str
    instruct: bool
    chat_template: str | None
    licence_files: tuple[Path, ...] = ()
    tensors: dict[str, StoredTensor] | None = None
    header: GgufHeader | None = None

    @property
    def result_bytes(self) -> int:
        """Bytes on disk that the finished folder takes; tokenizer and configuration are counted generously."""
        tensors = self.tensors if self.kind is SourceKind.EIGHT_BIT and self.tensors else {}
        weights = sum(tensor.size for tensor in tensors.values()) or self.shape.eight_bit_bytes
        return weights + 64 * 2**20

    def weight_paths(self) -> list[Path]:
        """The files that hold its weights."""
        return sorted({tensor.path for tensor in self.tensors.values()}) if self.tensors else [self.path]


def inspect_source(path: Path, known_id: str = "") -> ModelSource:
    """Look through `path`; `known_id` is its name on a model hub, where it came from one.

    Raises:
        BadInput: there is nothing of that name.
        ModelUnusable: with the reason.
    """
    try:
        if path.is_dir():
            return _folder(path, known_id)
        if path.is_file():
            return _gguf(path, known_id)
    except (BadGguf, BadJsonFile, BadShape, BadTokenizer, BadWeights, ForeignFile) as error:
        raise ModelUnusable(f"The model {path.name} cannot be used: {error}.") from None
    except OSError as error:
        raise ModelUnusable(f"The model {path.name} cannot be read ({error.strerror}).") from None
    raise BadInput(f"There is no ordinary file or folder {path}. Please check the name.")


def folder_name(title: str) -> str:
    """A name for the shelf: lower case, of letters, digits, dots and hyphens."""
    letters = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9.]+", "-", letters).strip("-.")[:60].strip("-.")
    return "model" if not name or name == "none" else name


def _folder(path: Path, known_id: str) -> ModelSource:
    files = check_foreign_folder(path)
    config = read_json_object(path / "config.json")
    shape = LlamaShape.from_config(config)
    tensors = stored_tensors(path)
    if "quantization_config" in config:
        refuse_other_than_eight_bit(config)
        kind = SourceKind.EIGHT_BIT
        check_eight_bit(tensors, shape)
    else:
        kind = SourceKind.FULL_PRECISION
        check_full_precision(tensors, shape)
    check_tokenizer(path, shape.vocabulary)
    card = _model_card(files)
    named = config.get("_name_or_path")
    names = [known_id, path.name, named if isinstance(named, str) else ""]
    return _described(
        path,
        kind,
        shape,
        names,
        _text(card, "license_name") or _text(card, "license"),
        licence_files=tuple(file for name, file in files.items() if LICENCE_FILES.fullmatch(name)),
        tensors=tensors,
    )


def _gguf(path: Path, known_id: str) -> ModelSource:
    header = read_gguf_header(path)
    names = [known_id, header.name or "", path.stem]
    return _described(path, SourceKind.GGUF, header.shape, names, header.licence, header=header)


def _described(
    path: Path, kind: SourceKind, shape: LlamaShape, names: list[str], licence: str | None, **more: Any
) -> ModelSource:
    """`names` are what it could be called: first its name on a hub, which may be empty, then others."""
    catalogued = Catalogue.load().recognise(names, shape)
    said = next(name for name in [*names, "model"] if folder_name(name) != "model" or name == "model")
    return ModelSource(
        path=path,
        kind=kind,
        shape=shape,
        id=names[0] or (catalogued.id if catalogued else said),
        name=catalogued.name if catalogued else folder_name(said.rsplit("/", 1)[-1]),
        title=catalogued.title if catalogued else said.rsplit("/", 1)[-1],
        licence=licence or (catalogued.licence if catalogued else NO_LICENCE),
        instruct=catalogued.instruct if catalogued else True,
        chat_template=catalogued.chat_template if catalogued else None,
        **more,
    )


def _model_card(files: dict[str, Path]) -> dict[str, Any]:
    """The YAML block that a model's README begins with on a hub; empty if there is none that can be read."""
    if "README.md" not in files:
        return {}
    try:
        with files["README.md"].open("rb") as file:
            parts = file.read(_MAX_CARD_BYTES).decode("utf-8", "replace").split("---\n", 2)
        card = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0].strip() else {}
    except (OSError, yaml.YAMLError, RecursionError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def _text(card: dict[str, Any], key: str) -> str | None:
    value = card.get(key)
    return value[:80] if isinstance(value, str) and value.isprintable() else None
