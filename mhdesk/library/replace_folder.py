"""Putting a finished folder in the place of an old one."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace_folder(finished: Path, target: Path) -> None:
    """Rename `finished` to `target`; what was there is set aside first and deleted last, so one of both always stands.

    Raises:
        OSError: a rename failed; the old folder is back in its place.
    """
    aside = target.with_name(f".{target.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        target.rename(aside)
    try:
        finished.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
