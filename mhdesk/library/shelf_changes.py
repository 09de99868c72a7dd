"""Adding to the shelf and removing from it. Models are made by a job of the engine; here is what needs no torch."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from mhdesk.core.errors import AdapterUnusable, BadInput, StorageError
from mhdesk.core.paths import PROGRAM, UserPaths, unwritable_sentence
from mhdesk.library.adapter_configuration import CONFIGURATION
from mhdesk.library.adapter_folder import CARD, AdapterCard, check_fits, check_new_adapter, read_card, write_card
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.archive import BadArchive, unpack
from mhdesk.library.foreign_folder import ForeignFile, check_foreign_folder
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.model_folder import ModelManifest, check_model_folder
from mhdesk.library.model_source import LICENCE_FILES, folder_name
from mhdesk.library.replace_folder import UNFINISHED, remove_folder
from mhdesk.library.shelf import Shelf

LARGEST_ADAPTER_BYTES = 4 << 30
"""Rank 256 on all linears of an 8-billion-parameter model is about 2.7 GB in float32."""


def check_disk_space(folder: Path, needed: int) -> None:
    """Refuse to begin what would not fit on the disk that holds `folder`, which exists.

    Raises:
        StorageError: with both figures.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"The disk that holds {folder} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB are needed. "
            "Please free some space and try again."
        )


def check_free_name(noun: str, root: Path, name: str) -> None:
    """Refuse a name that is taken; `noun` is model or adapter.

    Raises:
        BadInput: with what to do.
    """
    if (root / name).exists():
        raise BadInput(
            f"There is already the {noun} {name}. To put this one in its place, first run "
            f"{PROGRAM} {noun}s remove {name}"
        )


def unfinished_models(paths: UserPaths) -> dict[str, int]:
    """Names of models whose import or download was broken off, and the bytes on disk that are kept of each."""
    sizes: dict[str, int] = {}
    for root in (paths.models / UNFINISHED, paths.downloads):
        for path in root.glob("*/*"):
            sizes[path.parent.name] = sizes.get(path.parent.name, 0) + path.stat().st_size
    return sizes


def remove_model(paths: UserPaths, shelf: Shelf, name: str) -> None:
    """Take a model away, or what is kept of one that is unfinished; adapters made for it stay.

    Raises:
        BadInput: there is none, or it came with the program.
        StorageError: it could not be removed.
    """
    begun = name in unfinished_models(paths)
    if begun:
        for root in (paths.models / UNFINISHED, paths.downloads):
            shutil.rmtree(root / name, ignore_errors=True)
    if begun and name not in shelf.models():
        return
    folder = shelf.model_folder(name)
    if folder.parent != paths.models:
        raise BadInput(f"The model {name} came with the program and cannot be removed.")
    _remove(folder)
    shelf.forget_missing()


def remove_adapter(shelf: Shelf, name: str) -> None:
    """Take an adapter away.

    Raises:
        BadInput: there is none.
        StorageError: it could not be removed.
    """
    _remove(shelf.adapter_folder(name))
    shelf.forget_missing()


def add_adapter(paths: UserPaths, shelf: Shelf, source: Path) -> str:
    """Copy an adapter from a folder or zip file, checked, and give its name. The card is there when the folder is.

    One without a card is taken to be for the model in use if its tensors fit, and its card says that nobody has
    measured it.

    Raises:
        BadInput, AdapterUnusable: with the reason.
        StorageError: the disk would not take it.
    """
    if not source.is_dir() and not source.is_file():
        raise BadInput(f"There is no ordinary file or folder {source}. Please check the name.")
    name = folder_name(source.name if source.is_dir() else source.stem)
    check_free_name("adapter", paths.adapters, name)
    unfinished = paths.adapters / UNFINISHED / name
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        _bring(source, unfinished)
        if not (unfinished / CARD).exists():
            _write_plain_card(unfinished, shelf)
        card = read_card(unfinished)
        base, manifest = _base_of(unfinished, card, shelf)
        check_new_adapter(unfinished, base)
        check_fits(unfinished, card, manifest, measured=False)
        unfinished.rename(paths.adapters / name)
    except OSError as error:
        raise StorageError(unwritable_sentence(paths.adapters, error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return name


def _bring(source: Path, target: Path) -> None:
    """Copy what an adapter consists of, and licences, to the new folder `target`."""
    try:
        if source.is_file():
            check_disk_space(target.parent, source.stat().st_size)
            unpack(source, target, largest_bytes=LARGEST_ADAPTER_BYTES)
            return
        files = check_foreign_folder(source)
    except (BadArchive, ForeignFile) as error:
        raise AdapterUnusable(f"The adapter {source.name} cannot be used: {error}.") from None
    wanted = [
        path for name, path in files.items() if name in (CONFIGURATION, WEIGHTS, CARD) or LICENCE_FILES.fullmatch(name)
    ]
    size = sum(path.stat().st_size for path in wanted)
    if size > LARGEST_ADAPTER_BYTES:
        raise AdapterUnusable(f"The adapter {source.name} cannot be used: it is larger than any adapter should be.")
    check_disk_space(target.parent, size)
    target.mkdir()
    for path in wanted:
        shutil.copyfile(path, target / path.name)


def _write_plain_card(folder: Path, shelf: Shelf) -> None:
    """A card for an adapter that came without one: for the model in use, and measured by nobody."""
    model = shelf.pair(adapter="none").model
    if model is None:
        raise BadInput(f"No model is installed yet, so no adapter can be added. Please run {PROGRAM} setup.")
    manifest = shelf.manifests()[model.name]
    weights_sha256 = sha256_of_weights(folder)
    write_card(
        folder,
        AdapterCard(
            base_id=manifest.id,
            base_sha256=manifest.weights_sha256,
            template_sha256=manifest.template_sha256,
            adapter_sha256=weights_sha256,
            data=[],
            evaluation=None,
            created=date.today().isoformat(),
        ),
    )


def _base_of(folder: Path, card: AdapterCard, shelf: Shelf) -> tuple[LlamaShape, ModelManifest]:
    for name, manifest in shelf.manifests().items():
        if manifest.weights_sha256 == card.base_sha256:
            return check_model_folder(shelf.model_folder(name)), manifest
    raise AdapterUnusable(
        f"The adapter {folder.name} cannot be used: it was made for {card.base_id}, which is not installed, or not in "
        "the very form that it was trained on. Please add that model first."
    )


def _remove(folder: Path) -> None:
    try:
        remove_folder(folder)
    except OSError as error:
        raise StorageError(unwritable_sentence(folder, error)) from error
