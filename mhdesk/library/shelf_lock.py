"""One change of the shelf at a time, and the mending of one that was broken off."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from mhdesk.core.errors import BadInput, StorageError
from mhdesk.core.paths import UserPaths, unwritable_sentence
from mhdesk.library.replace_folder import ASIDE, REMOVED

_LOCK = ".shelf.lock"


@contextlib.contextmanager
def changing_shelf(paths: UserPaths) -> Iterator[None]:
    """Hold the shelf for a change. Whatever an earlier change left half done is put right first.

    Raises:
        BadInput: another process is changing it.
        StorageError: the place cannot be written to.
    """
    paths.ensure()
    lock = FileLock(paths.home / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BadInput(
            "MHDesk is already adding or removing a model or adapter. Please wait until that is finished."
        ) from None
    except OSError as error:
        raise StorageError(unwritable_sentence(paths.home, error)) from error
    try:
        for root in (paths.models, paths.adapters):
            _mend(root)
        yield
    finally:
        lock.release()


def mend_shelf(paths: UserPaths) -> None:
    """Put right what a change that was killed has left, unless there is nothing, or somebody is changing the shelf."""
    roots = (paths.models, paths.adapters)
    if any(_left_over(root) for root in roots):
        with contextlib.suppress(BadInput, StorageError), changing_shelf(paths):
            pass


def _mend(root: Path) -> None:
    for path in _left_over(root):
        name = path.name[1 : -len(ASIDE)]
        if path.name.endswith(ASIDE) and not (root / name).exists():
            path.rename(root / name)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _left_over(root: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in root.glob(".*") if path.name.endswith((ASIDE, REMOVED))]
    return []
