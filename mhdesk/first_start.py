"""The first start of the window on a machine that has no model or adapter yet."""

from __future__ import annotations

import subprocess
import sys

from mhdesk.core.errors import MHDeskError
from mhdesk.core.paths import UserPaths, program_root
from mhdesk.library.shelf import Shelf
from mhdesk.library.starter import StarterModel, install_adapter


def set_up_if_needed(paths: UserPaths) -> str:
    """Install what is missing; gives the sentence of what failed, empty if nothing did.

    Where no model is installed, `setup` runs in a process of its own, since the window's process never connects; its
    progress is on standard error. If it fails the window opens all the same: it says that there is no model, and help
    works without one. A bundle brings its model, so that only the adapter has to be copied.
    """
    models = Shelf(paths).models()
    if not models and not getattr(sys, "frozen", False):
        subprocess.run([sys.executable, str(program_root() / "runApp.py"), "setup"], check=False)
        return ""
    base = models.get(StarterModel().name)
    try:
        if base is not None:
            install_adapter(paths, base)
    except MHDeskError as error:
        return error.sentence
    return ""
