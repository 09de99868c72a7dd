"""The stage `publish`: the finished adapter into the app, or to a folder or zip file that `adapters add` takes."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mhdesk.core.errors import StorageError
from mhdesk.core.paths import UserPaths, unwritable_sentence
from mhdesk.library.adapter_folder import CARD, AdapterCard, check_fits, check_new_adapter, read_card
from mhdesk.library.hashes import sha256_of_file
from mhdesk.library.model_folder import check_model_folder
from mhdesk.library.replace_folder import UNFINISHED, replace_folder
from mhdesk.library.shelf import Shelf
from mhdesk.library.shelf_changes import check_disk_space
from mhdesk.library.shelf_lock import changing_shelf
from trainer.errors import BadConfiguration, BadRows
from trainer.measuring.refusals import NotPublished
from trainer.pipeline_config import PipelineConfig
from trainer.stage import MANIFEST, Job

PUBLISHED = "published-by-trainer"
"""An empty file that tells a folder that this stage may put another adapter in place of."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip, so that equal adapters are equal files."""


def run(config: PipelineConfig, job: Job) -> Path:
    """Give the adapter out, unless it is there; what stood there of an earlier run is replaced at once.

    Returns where it is.

    Raises:
        NotPublished: it missed a threshold, and the configuration does not say to publish it all the same.
        BadConfiguration: something else stands in the place, or another program changes the shelf.
        ShelfError: its base model is not installed, or it does not fit it.
        StorageError: the disk would not take it.
    """
    folder = job.needed("card", CARD).parent
    card = read_card(folder)
    _check_passed(card, config)
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    target = _place(config, job)
    try:
        if _holds(target, config.name, files):
            job.tell(f"publish: {config.name} is at {target}, unchanged")
            return target
        if config.publish.to == "app":
            _to_shelf(target, files, card)
        elif config.publish.to == "folder":
            _to_folder(target, files)
        else:
            _to_zip(target, config.name, files)
    except OSError as error:
        raise StorageError(unwritable_sentence(target, error)) from error
    job.tell(f"publish: {config.name} is at {target}")
    return target


def _place(config: PipelineConfig, job: Job) -> Path:
    if config.publish.to == "app":
        return UserPaths.from_environment().adapters / config.name
    return (job.folder / config.publish.path).resolve()


def _holds(target: Path, name: str, files: Sequence[Path]) -> bool:
    """Whether this very adapter was published there before."""
    if not target.exists():
        return False
    wanted = {path.name: sha256_of_file(path) for path in files}
    if (target / PUBLISHED).is_file():
        there = {path.name: sha256_of_file(path) for path in target.iterdir() if path.name != PUBLISHED}
        return there == wanted
    if not _is_adapter_zip(target):
        return False
    try:
        with zipfile.ZipFile(target) as archive:
            packed = {entry: hashlib.sha256(archive.read(entry)).hexdigest() for entry in archive.namelist()}
    except zipfile.BadZipFile:
        return False
    return packed == {f"{name}/{path}": sha256 for path, sha256 in wanted.items()}


def _check_passed(card: AdapterCard, config: PipelineConfig) -> None:
    if card.evaluation is None or not isinstance(card.evaluation.get("missed"), list):
        raise BadRows("The card says nothing of thresholds. Please run the stages evaluate and card first.")
    missed: Sequence[str] = card.evaluation["missed"]
    if missed and not config.publish.below_thresholds:
        raise NotPublished(
            f"The adapter {config.name} is not published: {'; '.join(missed)}. To publish it all the same, set "
            "publish.below_thresholds."
        )


def _to_shelf(target: Path, files: Sequence[Path], card: AdapterCard) -> None:
    """Checked as `adapters add` checks what it is given, then renamed into place."""
    paths = UserPaths.from_environment()
    with changing_shelf(paths):
        _check_ours(target)
        shelf = Shelf(paths)
        manifests = shelf.manifests()
        base = next((base for base, known in manifests.items() if known.weights_sha256 == card.base_sha256), None)
        if base is None:
            raise BadConfiguration(
                f"The adapter {target.name} was made for {card.base_id}, which is not installed, or not in the very "
                "form that it was trained on. Please add that model first, or publish to a folder."
            )
        unfinished = paths.adapters / UNFINISHED / target.name
        _fill(unfinished, files)
        try:
            check_new_adapter(unfinished, check_model_folder(shelf.model_folder(base)))
            check_fits(unfinished, card, manifests[base])
            replace_folder(unfinished, target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _to_folder(target: Path, files: Sequence[Path]) -> None:
    _check_ours(target)
    unfinished = target.with_name(f".{target.name}{UNFINISHED}")
    _fill(unfinished, files)
    check_new_adapter(unfinished, None)
    replace_folder(unfinished, target)


def _to_zip(target: Path, name: str, files: Sequence[Path]) -> None:
    """One folder in a zip; equal adapters give equal bytes."""
    _check_ours(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    check_disk_space(target.parent, sum(path.stat().st_size for path in files))
    unfinished = target.with_name(f".{target.name}{UNFINISHED}")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            for path in files:
                entry = zipfile.ZipInfo(f"{name}/{path.name}", _LONG_AGO)
                entry.external_attr = 0o100644 << 16
                with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(folder: Path, files: Sequence[Path]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    check_disk_space(folder.parent, sum(path.stat().st_size for path in files))
    folder.mkdir()
    for path in files:
        shutil.copyfile(path, folder / path.name)
    (folder / PUBLISHED).touch()


def _check_ours(target: Path) -> None:
    if target.exists() and not (target / PUBLISHED).is_file() and not _is_adapter_zip(target):
        raise BadConfiguration(
            f"In {target} stands something that the trainer has not put there. Please choose another name or path."
        )


def _is_adapter_zip(path: Path) -> bool:
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(f"/{CARD}") for name in archive.namelist())
