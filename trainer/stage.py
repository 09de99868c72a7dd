"""What every stage shares: its artefact, the manifest that is written last, and skipping what is done.

A stage reads files, writes a folder `WORK/STAGE`, and nothing else. The folder has its name only once it is whole:
until then it is `STAGE.unfinished`, which a stage that was stopped finds again if it is to make the same thing.
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
from mhdesk.core.paths import unwritable_sentence
from mhdesk.engine.child.memory import memory_of_this_process
from mhdesk.library.hashes import sha256_of_file
from mhdesk.library.replace_folder import UNFINISHED, replace_folder
from trainer.errors import BadRows

MANIFEST = "manifest.json"
_ASKED = "asked.json"
"""In an unfinished artefact: what it is made from. One that was made from something else is begun anew."""
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


def make_artefact(job: Job, stage: str, inputs: Sequence[Path], settings: Any, make: Callable[[Path], Counts]) -> Path:
    """Make the artefact of `stage`, unless it is there, made from the same inputs with the same settings.

    Args:
        job: where.
        stage: its name.
        inputs: files it reads.
        settings: a dataclass, or a mapping, that JSON can hold.
        make: writes into the folder it is given, and returns counts for the manifest. If it was stopped before, it
            finds what it had written there, so it should go on from that, or overwrite it.

    Raises:
        BadInput: whatever `make` raises; nothing but the unfinished folder is left behind.
        StorageError: the disk would not take it.
    """
    target = job.artefact(stage)
    asked = _asked(stage, inputs, settings)
    if _stands(target, asked):
        job.tell(f"{stage}: done before")
        return target
    unfinished = job.artefact(stage + UNFINISHED)
    if _read(unfinished / _ASKED) != asked:
        shutil.rmtree(unfinished, ignore_errors=True)
    write_json(unfinished / _ASKED, asked)
    began = time.monotonic()
    try:
        counts = make(unfinished)
        seconds = time.monotonic() - began
        (unfinished / _ASKED).unlink()
        files = [path for path in sorted(unfinished.rglob("*")) if path.is_file()]
        outputs = {path.relative_to(unfinished).as_posix(): sha256_of_file(path) for path in files}
        peak = memory_of_this_process().peak_rss_bytes
        measured = {"seconds": round(seconds, 2), "peak_bytes": peak, "versions": _versions()}
        write_json(unfinished / MANIFEST, {**asked, "outputs": outputs, "counts": dict(counts), **measured})
        replace_folder(unfinished, target)
    except OSError as error:
        raise StorageError(unwritable_sentence(unfinished, error)) from error
    job.tell(f"{stage}: done in {seconds:.1f} s")
    return target


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished artefact; empty if it is not finished."""
    return _read(folder / MANIFEST)


def _asked(stage: str, inputs: Sequence[Path], settings: Any) -> dict[str, Any]:
    plain = asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else dict(settings)
    hashes = [{"file": path.name, "sha256": sha256_of_file(path)} for path in inputs]
    asked: dict[str, Any] = json.loads(json.dumps({"stage": stage, "inputs": hashes, "settings": plain}))
    text = json.dumps(asked, sort_keys=True)
    return {**asked, "asked_sha256": hashlib.sha256(text.encode()).hexdigest()}


def _stands(target: Path, asked: dict[str, Any]) -> bool:
    manifest = read_manifest(target)
    return (
        bool(manifest)
        and manifest.get("asked_sha256") == asked["asked_sha256"]
        and all(
            (target / name).is_file() and sha256_of_file(target / name) == sha256
            for name, sha256 in manifest.get("outputs", {}).items()
        )
    )


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
