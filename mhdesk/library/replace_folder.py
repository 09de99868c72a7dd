"""Putting a finished folder in the place of an old one, and taking one away, so that a kill leaves no half folder."""

from __future__ import annotations

import shutil
from pathlib import Path

UNFINISHED = ".unfinished"
"""In this folder of models or adapters a new one is made, under its own name."""

ASIDE = ".old"
REMOVED = ".removed"
"""Endings of a hidden folder that stood, or is going; `shelf_lock` puts right what a kill leaves of them."""


def replace_folder(finished: Path, target: Path) -> None:
    """Rename `finished` to `target`; what was there is set aside first and deleted last, so one of both always stands.

    Raises:
        OSError: a rename failed; the old folder is back in its place.
    """
    aside = target.with_name(f".{target.name}{ASIDE}")
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


def remove_folder(target: Path) -> None:
    """Take `target` off the shelf at once, then delete it.

    Raises:
        OSError: it could not be renamed; it stands as it was.
    """
    going = target.with_name(f".{target.name}{REMOVED}")
    shutil.rmtree(going, ignore_errors=True)
    target.rename(going)
    shutil.rmtree(going, ignore_errors=True)
