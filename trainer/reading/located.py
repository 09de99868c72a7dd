"""Where a source's path leads: files, a folder that a data set was saved to, or the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import BadSource
from trainer.settings.sources import SourceSettings

KINDS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
"""Endings of files that can be read."""
_ON_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_STARS = re.compile(r"[*?\[]")
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""Words in the names of files and folders to the split that `datasets` takes them for."""
_SAVED = ("dataset_dict.json", "state.json")


@dataclass(frozen=True, slots=True)
class Located:
    """What is to be read. Without files and folder it is on the hub."""

    files: tuple[Path, ...] = ()
    """Every file that the rows depend on, in order."""
    saved_to: Path | None = None
    """The folder, where `datasets` wrote it."""

    @property
    def on_hub(self) -> bool:
        """Whether only the hub has it."""
        return not self.files


def locate(source: SourceSettings, folder: Path) -> Located:
    """Find what a source names; relative paths are relative to `folder`.

    Raises:
        BadSource: there is nothing there, or nothing that can be read.
    """
    path = folder / source.path
    if path.is_dir() and any((path / name).is_file() for name in _SAVED):
        return Located(_files_in(path), path)
    if path.is_dir():
        files = _of_split([file for file in _files_in(path) if file.suffix.lower() in KINDS], path, source.split)
    elif path.is_file():
        files = [path]
    elif _STARS.search(source.path):
        files = _matching(folder, source.path)
    elif _ON_HUB.fullmatch(source.path) and path.suffix.lower() not in KINDS:
        return Located()
    else:
        raise BadSource(f"The source {source.name} is not there: {path}. Please check its path.")
    if not files:
        raise BadSource(f"The source {source.name} has no file to read in {path}. Files may be {_kinds()}.")
    for file in files:
        if file.suffix.lower() not in KINDS:
            raise BadSource(f"The source {source.name} has a file of an unknown kind: {file}. Files may be {_kinds()}.")
    return Located(tuple(files))


def _files_in(folder: Path) -> tuple[Path, ...]:
    found = (file for file in folder.rglob("*") if not file.relative_to(folder).as_posix().startswith("."))
    return tuple(sorted(file for file in found if file.is_file()))


def _of_split(files: list[Path], folder: Path, split: str) -> list[Path]:
    """The files whose path names the split; all of them where no path names any."""
    named = {file: _split_named(file.relative_to(folder)) for file in files}
    if split == "all" or not any(named.values()):
        return files
    return [file for file in files if named[file] == _SPLITS.get(split, split)]


def _split_named(path: Path) -> str:
    words = re.split(r"[^a-z]+", path.with_suffix("").as_posix().lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Files that match; parts of the pattern before its first star may lead anywhere."""
    parts = Path(pattern).parts
    first = next(place for place, part in enumerate(parts) if _STARS.search(part))
    base = folder.joinpath(*parts[:first])
    return sorted(file for file in base.glob(str(Path(*parts[first:]))) if file.is_file())


def _kinds() -> str:
    return ", ".join(KINDS[:-1]) + f" or {KINDS[-1]}"
