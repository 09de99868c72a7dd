"""Where things are: the program's own resources, and the user's data."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_dir

from mhdesk.core.errors import StorageError


def program_root() -> Path:
    """The folder that holds `resources/`: the unpacked bundle when frozen, else the source tree."""
    bundle = getattr(sys, "_MEIPASS", None)
    return Path(bundle) if bundle else Path(__file__).resolve().parents[2]


PROGRAM = "MHDesk" if getattr(sys, "frozen", False) else "python runApp.py"
"""How the user calls the program on a command line: for sentences that say what to run."""


def resources_dir() -> Path:
    """The program's own data files, read-only."""
    return program_root() / "resources"


@dataclass(frozen=True, slots=True)
class UserPaths:
    """Everything the program keeps for one user, under one folder."""

    home: Path

    @classmethod
    def from_environment(cls) -> UserPaths:
        """`MHDESK_HOME` if it is set, else the platform's user data directory. Creates nothing."""
        named = os.environ.get("MHDESK_HOME", "").strip()
        return cls(Path(named).expanduser().resolve() if named else Path(user_data_dir("MHDesk", appauthor=False)))

    @property
    def models(self) -> Path:
        """One folder per base model."""
        return self.home / "models"

    @property
    def adapters(self) -> Path:
        """One folder per adapter."""
        return self.home / "adapters"

    @property
    def downloads(self) -> Path:
        """Unfinished fetches of set-up."""
        return self.home / "downloads"

    @property
    def settings_file(self) -> Path:
        """What must be known before anything is unlocked: region, language, age band, looks."""
        return self.home / "settings.json"

    @property
    def selection_file(self) -> Path:
        """Which model and adapter are in use."""
        return self.home / "selection.json"

    @property
    def fault_counts_file(self) -> Path:
        """How often screen or gate failed safe; numbers only."""
        return self.home / "safety-faults.json"

    def ensure(self) -> None:
        """Create the folders.

        Raises:
            StorageError: the place cannot be written to.
        """
        for folder in (self.home, self.models, self.adapters):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(unwritable_sentence(folder, error)) from error


def unwritable_sentence(path: Path, error: OSError) -> str:
    """One sentence for a write that failed: says where, why, and what to do."""
    import errno

    if error.errno == errno.ENOSPC:
        return f"The disk that holds {path} is full. Please free some space and try again; what was there is unchanged."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"MHDesk may not write to {path}. Please make that folder writable, or set MHDESK_HOME to a folder that is."
        )
    return f"MHDesk could not write to {path} ({error.strerror or 'unknown reason'}). Please check that folder."
