"""What the library `datasets` reads: Parquet, folders that it wrote, and the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetNotFoundError

from trainer.errors import BadSource
from trainer.reading.tally import Record, Tally
from trainer.settings.sources import SourceSettings

_AT_ONCE = 64
"""Records of a batch: small, since one cell may have megabytes."""
_FAILURES = Exception
"""What a bad file or a bad answer of the hub raises: the library's own errors, Arrow's, and its HTTP client's."""


def read_parquet(path: Path, tally: Tally) -> Iterator[Record]:
    """The records of a Parquet file, streamed from it without a copy.

    Raises:
        BadSource: the file is none.
    """
    try:
        table = datasets.load_dataset("parquet", data_files=[str(path)], split="train", streaming=True)
        yield from _records(table, tally)
    except _FAILURES:
        raise BadSource(f"The file {path} cannot be read as Parquet. Please check that it is whole.") from None


def read_saved(folder: Path, source: SourceSettings, tally: Tally) -> Iterator[Record]:
    """The records of a split of a folder that `save_to_disk` wrote.

    Raises:
        BadSource: the folder is damaged or has no such split.
    """
    try:
        saved = datasets.load_from_disk(str(folder))
    except _FAILURES:
        raise BadSource(f"The data set in {folder} cannot be read. Please check that it is whole.") from None
    if isinstance(saved, datasets.DatasetDict) and source.split not in (*saved, "all"):
        raise BadSource(f"The data set in {folder} has no split {source.split}; it has {', '.join(saved)}.")
    if isinstance(saved, datasets.DatasetDict):
        for split in saved if source.split == "all" else [source.split]:
            yield from _records(saved[split], tally)
    else:
        yield from _records(saved, tally)


def load_from_hub(source: SourceSettings) -> Any:
    """A data set of the hub, downloaded into the cache of `datasets` or found there.

    The environment's HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE hold.

    Raises:
        BadSource: it is not there, may not be had, or the hub was not reached.
    """
    try:
        return datasets.load_dataset(
            source.path, source.config or None, split=source.split, revision=source.revision or None
        )
    except DatasetNotFoundError:
        raise BadSource(
            f"The hub has no data set {source.path} for you, and there is no such folder. Please check the path, and "
            "sign in where its owner asks for that."
        ) from None
    except _FAILURES as error:
        raise BadSource(
            f"The data set {source.path} could not be had from the hub ({type(error).__name__}). Please check the "
            "connection, its config, split and revision, or download its files and name those."
        ) from None


def fingerprint_of(data_set: Any) -> str:
    """The library's own fingerprint of a data set from the hub: of its commit, configuration, files and split."""
    return str(data_set._fingerprint)


def read_from_hub(data_set: Any, source: SourceSettings, tally: Tally) -> Iterator[Record]:
    """The records of what `load_from_hub` gave.

    Raises:
        BadSource: the files in the cache cannot be read.
    """
    try:
        yield from _records(data_set, tally)
    except _FAILURES:
        raise BadSource(f"The data set {source.path} cannot be read. Please download it again.") from None


def _records(data_set: Any, tally: Tally) -> Iterator[Record]:
    # As Arrow: the library's own rows would decode pictures and sound that nobody asked for.
    for table in data_set.with_format("arrow").iter(batch_size=_AT_ONCE):
        for record in table.to_pylist():
            tally.met(record)
            yield record
