"""The first start of the window on a machine that has no model yet."""

from __future__ import annotations

import subprocess
import sys

from mhdesk.core.paths import UserPaths, program_root
from mhdesk.library.shelf import Shelf


def set_up_if_needed(paths: UserPaths) -> None:
    """Run `setup` where no model is installed; its progress, and what failed, are on standard error.

    It runs in a process of its own, since the window's process never connects. If it fails the window opens all the
    same: it says that there is no model, and help works without one.
    """
    if getattr(sys, "frozen", False) or Shelf(paths).models():
        return
    subprocess.run([sys.executable, str(program_root() / "runApp.py"), "setup"], check=False)
