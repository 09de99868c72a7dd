"""Every text that a writer gave, kept as it comes, so that nothing is asked twice, after a stop or after a review.

The file stands outside of the artefacts, since it outlives them: what is made anew with other filters is made from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from mhdesk.core.errors import StorageError
from mhdesk.core.generation import GenerationRequest
from mhdesk.core.paths import unwritable_sentence
from trainer.writing.writer import Writer, Written

ATTEMPTS = "attempts.jsonl"


class KeptTexts:
    """Asks `writer` only what is not in the file. Attribute `asked`: how often it was."""

    def __init__(self, writer: Writer, path: Path) -> None:
        self._writer = writer
        self._path = path
        self._kept = _read(path)
        self.asked = 0

    @property
    def made_by(self) -> str:
        """The model's name."""
        return self._writer.made_by

    def write(self, request: GenerationRequest) -> Written:
        """The text of `request`, kept or new. Raises as the writer does, and `StorageError`."""
        key = self._key(request)
        if key not in self._kept:
            written = self._writer.write(request)
            self.asked += 1
            self._keep(key, written)
        return self._kept[key]

    def _keep(self, key: str, written: Written) -> None:
        line = json.dumps({"key": key, "text": written.text, "whole": written.whole}) + "\n"
        try:
            with self._path.open("a+b") as file:
                if file.tell() and not _ends_a_line(file.tell(), self._path):
                    line = "\n" + line  # a kill cut the last one
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(unwritable_sentence(self._path, error)) from error
        self._kept[key] = written

    def _key(self, request: GenerationRequest) -> str:
        asked = {
            "writer": self._writer.identity,
            "messages": [message.to_json() for message in request.messages],
            "sampling": request.sampling.to_json(),
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _ends_a_line(size: int, path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read() == b"\n"


def _read(path: Path) -> dict[str, Written]:
    """Whole lines; one that a kill cut, or a person broke, is passed over and asked again."""
    kept = {}
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            values = json.loads(line)
            text, whole = values["text"], values["whole"]
            if isinstance(text, str) and isinstance(whole, bool):
                kept[str(values["key"])] = Written(text, whole)
        except (ValueError, LookupError, TypeError):
            continue
    return kept
