"""Bringing a hub's files to a folder: in pieces that survive a stop, each file checked by its hash before it counts."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import httpx2
from huggingface_hub import hf_hub_url

from mhdesk.core.errors import DownloadFailed
from mhdesk.core.paths import unwritable_sentence
from mhdesk.library.hub import HubFile, HubModel, is_wanted
from mhdesk.library.hub_connection import Attempts, PassingFault, Request, Say, hub_host, opened, usable_token

_WAITS_S = (1.0, 2.0, 4.0, 8.0)
_PART = ".part"
_KEPT = "What has come is kept, and the same command goes on from there."
_READ_BYTES = 1 << 20


def fetch(
    model: HubModel,
    folder: Path,
    token: str | None,
    say: Say,
    *,
    spare_bytes: int = 0,
    waits_s: Sequence[float] = _WAITS_S,
) -> None:
    """Bring every file of `model` to `folder`, which is made if need be; go on where an earlier call was stopped.

    A file under way is `NAME.DIGEST.part`, named by the content that it is to have, so what was begun of another
    revision is never continued. Of what else is in the folder, parts and model files that do not belong go.

    Args:
        model: from `look_up`.
        folder: ours alone while this runs.
        token: as for `look_up`.
        say: told what is done, and how much of all bytes has come, from 0 to 1.
        spare_bytes: must stay free besides, for what is made from the files.
        waits_s: pauses between attempts that bring nothing, in seconds.

    Raises:
        DownloadFailed: with the sentence. What has come is kept.
    """
    try:
        _Fetch(model, folder, usable_token(token), say, waits_s).run(spare_bytes)
    except OSError as error:
        raise DownloadFailed(f"{unwritable_sentence(folder, error)} {_KEPT}") from error


class _Fetch:
    """One call of `fetch`."""

    def __init__(self, model: HubModel, folder: Path, token: str | None, say: Say, waits_s: Sequence[float]) -> None:
        self._model = model
        self._folder = folder
        self._token = token
        self._say = say
        self._waits_s = waits_s
        self._total = max(1, model.total_bytes)
        self._finished = 0
        self._said = ("", -1)

    def run(self, spare_bytes: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._remove_what_does_not_belong()
        self._check_space(spare_bytes)
        for file in self._model.files:
            self._bring(file)
            self._finished += file.size

    def _part(self, file: HubFile) -> Path:
        return self._folder / f"{file.name}.{file.digest[:16]}{_PART}"

    def _remove_what_does_not_belong(self) -> None:
        belongs = {name for file in self._model.files for name in (file.name, self._part(file).name)}
        for path in self._folder.iterdir():
            if path.name not in belongs and (path.suffix == _PART or is_wanted(path.name)):
                path.unlink()

    def _check_space(self, spare_bytes: int) -> None:
        missing = spare_bytes + sum(
            file.size - min(file.size, max(_size(self._folder / file.name), _size(self._part(file))))
            for file in self._model.files
        )
        free = shutil.disk_usage(self._folder).free
        if missing > free:
            raise DownloadFailed(
                f"{self._model.id} needs {missing / 1e9:.2f} GB more on the disk that holds {self._folder}, and "
                f"{free / 1e9:.2f} GB are free there. Please free some space and try again."
            )

    def _bring(self, file: HubFile) -> None:
        target, part = self._folder / file.name, self._part(file)
        if target.exists():
            if self._is_what_it_must_be(target, file):
                return
            target.unlink()
        for _ in range(2):  # a byte that changed on the way may come right the second time
            self._receive(file, part)
            if self._is_what_it_must_be(part, file):
                part.replace(target)
                return
            part.unlink()
        raise DownloadFailed(
            f"{file.name} arrives changed: it is not what {hub_host()} says it is, twice over. It was not kept. "
            "Please try again later or over another network."
        )

    def _receive(self, file: HubFile, part: Path) -> None:
        """Go on until `part` has at least the file's size; more only if something is wrong with it."""
        part.touch()
        attempts, furthest = Attempts(self._waits_s, _KEPT), _size(part)
        while _size(part) < file.size:
            try:
                self._append(file, part)
                if _size(part) < file.size:
                    raise PassingFault(f"The connection to {hub_host()} broke off.")
            except PassingFault as fault:
                if _size(part) > furthest:
                    furthest, attempts.failed = _size(part), 0
                attempts.after(fault, self._say)

    def _append(self, file: HubFile, part: Path) -> None:
        have = _size(part)
        url = hf_hub_url(self._model.id, file.name, revision=self._model.revision)
        with opened(Request(url, self._model.id, self._token, have)) as response:
            goes_on = _continues_at(response, have)
            if not goes_on and response.status_code != HTTPStatus.OK:
                part.unlink()  # the hub gives no such piece, so the next attempt asks for the whole
                part.touch()
                raise PassingFault(f"{hub_host()} could not go on where the download had stopped.")
            with part.open("ab" if goes_on else "wb") as output:
                have = have if goes_on else 0
                for block in response.iter_bytes():
                    output.write(block)
                    have += len(block)
                    self._progress(f"Fetching {file.name}…", have)
                    if have > file.size:
                        return

    def _is_what_it_must_be(self, path: Path, file: HubFile) -> bool:
        if _size(path) != file.size:
            return False
        self._progress(f"Checking {file.name}…", file.size)
        # Git's own way to name a content: a short header, then the bytes; SHA-1 since git uses it.
        digest = hashlib.sha256() if len(file.digest) == 64 else hashlib.sha1(b"blob %d\0" % file.size)  # noqa: S324
        with path.open("rb") as content:
            while block := content.read(_READ_BYTES):
                digest.update(block)
        return digest.hexdigest() == file.digest

    def _progress(self, sentence: str, of_this_file: int) -> None:
        """Say it once for every thousandth of the whole, and at every new sentence."""
        fraction = min(1.0, (self._finished + of_this_file) / self._total)
        if (said := (sentence, int(fraction * 1000))) != self._said:
            self._said = said
            self._say(sentence, fraction)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _continues_at(response: httpx2.Response, first_byte: int) -> bool:
    """Whether the answer's body begins at that byte, by its own account."""
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        return False
    begins = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    return begins is not None and int(begins[1]) == first_byte
