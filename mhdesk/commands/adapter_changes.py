"""`adapters add|remove`."""

from __future__ import annotations

import sys
from pathlib import Path

from mhdesk.core.paths import PROGRAM, UserPaths
from mhdesk.library.shelf import Shelf
from mhdesk.library.shelf_changes import add_adapter, remove_adapter
from mhdesk.library.shelf_lock import changing_shelf


def add(path: Path) -> int:
    """Put an adapter on the shelf from a folder or a zip file."""
    paths = UserPaths.from_environment()
    with changing_shelf(paths):
        shelf = Shelf(paths)
        name = add_adapter(paths, shelf, path.expanduser().resolve())
        measured = shelf.cards()[name].evaluation
    option = "" if measured else " --unmeasured"
    sys.stderr.write(f"{name} is installed. To use it: {PROGRAM} adapters use {name}{option}\n")
    return 0


def remove(name: str) -> int:
    """Take an adapter off the shelf."""
    paths = UserPaths.from_environment()
    with changing_shelf(paths):
        remove_adapter(Shelf(paths), name)
    sys.stderr.write(f"{name} is removed.\n")
    return 0
