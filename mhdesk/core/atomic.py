"""Writing a small file so that it is either the old one or the new one, whatever happens."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mhdesk.core.errors import StorageError
from mhdesk.core.paths import unwritable_sentence


def write_bytes(path: Path, content: bytes) -> None:
    """Write beside `path`, sync, and rename over it.

    Raises:
        StorageError: the write failed; the old file is unchanged.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(unwritable_sentence(path, error)) from error


def write_json(path: Path, value: Any) -> None:
    """`write_bytes` of indented JSON with sorted keys."""
    write_bytes(path, (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())
