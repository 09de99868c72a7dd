"""What every stage shares: its artefact, the manifest that is written last, and skipping what is done.

A stage reads files, writes a folder `WORK/STAGE`, and nothing else. The folder has its name only once it is whole:
until then it is `STAGE.unfinished`, which a stage that was stopped finds again if it is to make the same thing. What
the stage keeps there to go on from is given up only once the manifest stands, so that no kill loses what was made; an
unfinished folder with its manifest needs nothing but its name.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import StorageError
from mhdesk.core.paths import resources_dir, unwritable_sentence
from mhdesk.engine.child.memory import memory_of_this_process
from mhdesk.library.hashes import sha256_of_file
from mhdesk.library.replace_folder import UNFINISHED, replace_folder
from trainer.errors import BadConfiguration, BadRows

MANIFEST = "manifest.json"
_ASKED = "asked.json"
"""In an unfinished artefact: what it is made from. One that was made from something else is begun anew."""
_PASSING = (_ASKED, ".*")
"""Goes once the manifest stands: the second is what a kill has left of a file that was being written."""
_DECIDE = (".json", ".safetensors", ".yaml")
_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "numpy", "ftfy", "datasketch")

Counts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One run. Relative paths of the configuration are relative to `folder`; artefacts go to `work`."""

    folder: Path
    work: Path
    tell: Callable[[str], None]

    def artefact(self, stage: str) -> Path:
        """The folder of a stage, which need not be there."""
        return self.work / stage

    def needed(self, stage: str, file: str) -> Path:
        """A file of an earlier stage.

        Raises:
            BadRows: that stage has not been run.
        """
        path = self.artefact(stage) / file
        if not path.is_file() or not (self.artefact(stage) / MANIFEST).is_file():
            raise BadRows(f"The stage {stage} has not been run. Please run it first, or run all.")
        return path


def make_artefact(
    job: Job,
    stage: str,
    inputs: Sequence[Path],
    settings: Any,
    make: Callable[[Path], Counts],
    scratch: Sequence[str] = (),
) -> Path:
    """Make the artefact of `stage`, unless it is there, made from the same inputs with the same settings.

    Args:
        job: where.
        stage: its name.
        inputs: files it reads.
        settings: a dataclass, or a mapping, that JSON can hold.
        make: writes into the folder it is given, and returns counts for the manifest. If it was stopped before, it
            finds what it had written there, so it should go on from that, or overwrite it.
        scratch: patterns of names, of files and folders that `make` keeps only to go on from and that are no part of
            the artefact.

    Raises:
        BadConfiguration: another program's folder stands in the place.
        BadRows: an input cannot be read.
        BadInput: whatever `make` raises; nothing but the unfinished folder is left behind.
        StorageError: the disk would not take it.
    """
    target = job.artefact(stage)
    asked = _asked(stage, inputs, settings)
    if _stands(target, asked):
        job.tell(f"{stage}: done before")
        return target
    _refuse_foreign(target)
    unfinished = job.artefact(stage + UNFINISHED)
    passing = (*_PASSING, *scratch)
    try:
        if _stands(unfinished, asked):
            _put_in_place(unfinished, target, passing)
            job.tell(f"{stage}: done before, and put in its place now")
            return target
        if _read(unfinished / _ASKED) != asked:
            shutil.rmtree(unfinished, ignore_errors=True)
        write_json(unfinished / _ASKED, asked)
        began = time.monotonic()
        counts = make(unfinished)
        seconds = time.monotonic() - began
        outputs = _hashes(unfinished, passing)
        peak = memory_of_this_process().peak_rss_bytes
        measured = {"seconds": round(seconds, 2), "peak_bytes": peak, "versions": _versions()}
        write_json(unfinished / MANIFEST, {**asked, "outputs": outputs, "counts": dict(counts), **measured})
        _put_in_place(unfinished, target, passing)
    except OSError as error:
        raise StorageError(unwritable_sentence(unfinished, error)) from error
    job.tell(f"{stage}: done in {seconds:.1f} s")
    return target


def deciding_files(*folders: str) -> list[Path]:
    """Files of `resources` that decide what screen, gate or app say: an artefact made with others is another one.

    Args:
        folders: of `safety` and `prompts`.
    """
    files = (path for folder in folders for path in sorted((resources_dir() / folder).rglob("*")))
    return [path for path in files if path.suffix in _DECIDE]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished artefact; empty if it is not finished."""
    return _read(folder / MANIFEST)


def _asked(stage: str, inputs: Sequence[Path], settings: Any) -> dict[str, Any]:
    plain = asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else dict(settings)
    hashes = [{"file": path.name, "sha256": _sha256_of_input(path)} for path in inputs]
    asked: dict[str, Any] = json.loads(json.dumps({"stage": stage, "inputs": hashes, "settings": plain}))
    text = json.dumps(asked, sort_keys=True)
    return {**asked, "asked_sha256": hashlib.sha256(text.encode()).hexdigest()}


def _sha256_of_input(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError:
        raise BadRows(
            f"The file {path} cannot be read. Please check that it is there, whole, and yours to read."
        ) from None


def _refuse_foreign(target: Path) -> None:
    """A manifest of ours that the disk has damaged is no JSON; one that is JSON and not ours is somebody else's."""
    if not target.exists():
        return
    try:
        ours = "asked_sha256" in json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except ValueError:
        ours = True
    except (OSError, TypeError):
        ours = False
    if not ours:
        raise BadConfiguration(
            f"In {target} stands something that the trainer has not made. Please move it away, or choose another work "
            "folder in the configuration."
        )


def _stands(folder: Path, asked: dict[str, Any]) -> bool:
    manifest = read_manifest(folder)
    if not manifest or manifest.get("asked_sha256") != asked["asked_sha256"]:
        return False
    try:
        return all(sha256_of_file(folder / name) == sha256 for name, sha256 in manifest.get("outputs", {}).items())
    except OSError:  # one is missing, or the disk no longer gives it
        return False


def _hashes(unfinished: Path, passing: Sequence[str]) -> dict[str, str]:
    """Of every file that is part of the artefact, by its name in the folder."""
    gone = {path for pattern in (MANIFEST, *passing) for path in unfinished.glob(pattern)}
    files = [
        path for path in sorted(unfinished.rglob("*")) if path.is_file() and gone.isdisjoint((path, *path.parents))
    ]
    return {path.relative_to(unfinished).as_posix(): sha256_of_file(path) for path in files}


def _put_in_place(unfinished: Path, target: Path, passing: Sequence[str]) -> None:
    """With the manifest there, whatever of this a kill leaves undone is done by the next run."""
    for path in [path for pattern in passing for path in unfinished.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    replace_folder(unfinished, target)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
