"""The settings the window may change: in force at once, written in the background, whole or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mhdesk.core.settings import Settings, save_settings


class Preferences:
    """Holds the settings now in force. What could not be written still holds until the window closes."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self.now = settings
        self._file = file
        self._one_at_a_time = asyncio.Lock()

    def change(self, **changes: object) -> None:
        """Put `changes` into force at once; `save` writes them."""
        self.now = self.now.with_(**changes)

    async def save(self) -> None:
        """Write what is in force.

        Raises:
            StorageError: it holds, but could not be written.
        """
        async with self._one_at_a_time:
            await asyncio.to_thread(save_settings, self._file, self.now)
