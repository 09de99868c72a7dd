"""An adapter on disk: PEFT's own files and `card.json`, and what makes one usable."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import AdapterUnusable
from mhdesk.core.paths import PROGRAM
from mhdesk.library.adapter_configuration import BadAdapter, read_configuration
from mhdesk.library.adapter_tensors import WEIGHTS, check_adapter_tensors
from mhdesk.library.foreign_folder import ForeignFile, check_foreign_folder
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.model_folder import ModelManifest
from mhdesk.library.safetensors_file import BadSafetensors, read_header

CARD = "card.json"
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """`card.json`. `data` says what the adapter was trained on; `evaluation` is None if nothing was measured."""

    base_id: str
    base_sha256: str
    template_sha256: str
    adapter_sha256: str
    data: list[dict[str, Any]]
    evaluation: dict[str, Any] | None
    created: str


def write_card(folder: Path, card: AdapterCard) -> None:
    """Finish an adapter folder: the card is written last.

    Raises:
        StorageError: the disk would not take it.
    """
    write_json(folder / CARD, asdict(card))


def read_card(folder: Path) -> AdapterCard:
    """The card of a finished adapter.

    Raises:
        AdapterUnusable: there is none, or it is damaged.
    """
    try:
        card = AdapterCard(**read_json_object(folder / CARD))
    except (BadJsonFile, TypeError):
        raise _unusable(folder, "its card.json is missing or damaged") from None
    hashes = (card.base_sha256, card.template_sha256, card.adapter_sha256)
    sound = (
        all(isinstance(value, str) and _HASH.fullmatch(value) for value in hashes)
        and all(
            isinstance(text, str) and text.isprintable() and len(text) <= 200 for text in (card.base_id, card.created)
        )
        and isinstance(card.data, list)
        and all(isinstance(entry, dict) for entry in card.data)
        and isinstance(card.evaluation, dict | None)
    )
    if not sound:
        raise _unusable(folder, "its card.json is damaged")
    return card


def check_adapter_folder(folder: Path) -> None:
    """Refuse an adapter that is no plain LoRA in safetensors: what is cheap enough to be asked at every load.

    Raises:
        AdapterUnusable: with the reason.
    """
    if not folder.is_dir():
        raise AdapterUnusable(f"There is no adapter called {folder.name}. {PROGRAM} adapters list shows them.")
    try:
        read_configuration(folder)
        read_header(folder / WEIGHTS)
    except BadAdapter as error:
        raise _unusable(folder, str(error)) from None
    except (BadSafetensors, OSError):
        raise _unusable(folder, f"its weights, {WEIGHTS}, are missing or damaged") from None


def check_new_adapter(folder: Path, shape: LlamaShape | None) -> None:
    """Refuse a folder from elsewhere, before anything of it is installed: its files, its tensors and every value.

    `shape` is that of the model it is for, None if that is not known.

    Raises:
        AdapterUnusable: with the reason.
    """
    if not folder.is_dir():
        raise AdapterUnusable(f"There is no adapter folder {folder}.")
    try:
        check_foreign_folder(folder)
        check_adapter_tensors(folder, shape, read_configuration(folder))
    except (ForeignFile, BadAdapter) as error:
        raise _unusable(folder, str(error)) from None


def check_fits(folder: Path, card: AdapterCard, model: ModelManifest, *, measured: bool = True) -> None:
    """Refuse an adapter that was made for other weights, was changed since, or (with `measured`) was never evaluated.

    Raises:
        AdapterUnusable: with the reason.
    """
    if card.base_sha256 != model.weights_sha256:
        raise _unusable(folder, f"it was trained for {card.base_id}, not for the model in use")
    if card.template_sha256 != model.template_sha256:
        raise _unusable(folder, "it was trained with another chat template than the model's")
    try:
        weights_sha256 = sha256_of_weights(folder)
    except OSError:
        raise _unusable(folder, f"its weights, {WEIGHTS}, cannot be read") from None
    if card.adapter_sha256 != weights_sha256:
        raise _unusable(folder, "its weights are not the ones its card describes")
    if measured and not card.evaluation:
        raise AdapterUnusable(
            f"Nobody has measured what the adapter {folder.name} does to a model's answers (its card has no "
            f"evaluation), so it is not used. If you know that and want it: {PROGRAM} adapters use {folder.name} "
            "--unmeasured"
        )


def _unusable(folder: Path, reason: str) -> AdapterUnusable:
    return AdapterUnusable(f"The adapter {folder.name} cannot be used: {reason}. The model works without it.")
