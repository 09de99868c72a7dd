"""A model at a hub: what it consists of, and the plain notice that is shown before it is fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import ModelInfo, constants
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, loaded late

from mhdesk.core.errors import BadInput, DownloadFailed
from mhdesk.library.catalogue import CatalogueModel
from mhdesk.library.hub_connection import (
    Attempts,
    PassingFault,
    Request,
    hub_host,
    model_page,
    opened,
    usable_token,
)

_WANTED = re.compile(
    r"config\.json|generation_config\.json|tokenizer\.json|tokenizer_config\.json|tokenizer\.model"
    r"|special_tokens_map\.json|chat_template\.jinja|vocab\.json|merges\.txt|added_tokens\.json"
    r"|[\w.-]+\.safetensors|model\.safetensors\.index\.json"
    r"|(LICENSE|NOTICE|USE_POLICY)[\w.-]*|README\.md",
    re.ASCII,
)
"""Only these, and only at the top: no code, no pickles, no second copies in subfolders."""

_MODEL_PROPER = re.compile(r"model(-\d+-of-\d+)?\.safetensors", re.ASCII)
_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
_WAITS_S = (1.0, 3.0)
_ANSWER_BYTES = 32 * 2**20
"""Far above what a hub says of any model; more is no answer of a hub."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file: its size in bytes, and its SHA-256 (64 hexadecimal digits) or, where that is unknown, git's blob id."""

    name: str
    size: int
    digest: str

    @property
    def is_weights(self) -> bool:
        """Whether it holds tensors."""
        return self.name.endswith(".safetensors")


@dataclass(frozen=True, slots=True)
class HubModel:
    """What a hub says of a model at one commit.

    revision: the commit, 40 hexadecimal digits.
    licence, licence_url: as the hub states them; empty where it states none.
    gated: whether an account and the licence's acceptance are asked for.
    files: what will be fetched, small files first.
    """

    id: str
    revision: str
    licence: str
    licence_url: str
    gated: bool
    files: tuple[HubFile, ...]

    @property
    def total_bytes(self) -> int:
        """Size of the download."""
        return sum(file.size for file in self.files)


def look_up(model_id: str, token: str | None = None, waits_s: Sequence[float] = _WAITS_S) -> HubModel:
    """Ask the hub what `model_id` (`owner/name`) consists of now.

    `token` is the user's access token, by default the one in HF_TOKEN or saved by `hf auth login`. `waits_s` are the
    pauses between attempts, in seconds.

    Raises:
        BadInput: that cannot be a model's id.
        DownloadFailed: the hub cannot be reached, denies it, or has no safetensors of it.
    """
    try:
        validate_repo_id(model_id)
    except HFValidationError:
        raise BadInput(
            f"{model_id} is not the name of a model at {hub_host()}. "
            "It is written owner/name, such as HuggingFaceTB/SmolLM2-1.7B-Instruct."
        ) from None
    url = f"{constants.ENDPOINT}/api/models/{model_id}?blobs=true"
    request = Request(url, model_id, usable_token(token), timeout_s=constants.HF_HUB_ETAG_TIMEOUT)
    attempts = Attempts(waits_s, "Please try again later; nothing was fetched yet.")
    while True:
        try:
            answer = _answer(request)
            break
        except PassingFault as fault:
            attempts.after(fault, lambda _sentence, _fraction: None)
    return _read(answer)


def disk_needed(model: HubModel, entry: CatalogueModel | None) -> int:
    """Free bytes needed: for the download, and for the 8-bit model made from it, at most as large if it is unknown."""
    return model.total_bytes + (entry.eight_bit_bytes if entry else model.total_bytes)


def notice(model: HubModel, entry: CatalogueModel | None, memory_bytes: int | None) -> str:
    """What a person should know before anything is fetched: a few plain lines.

    `entry` is what the catalogue knows of the model, `memory_bytes` what it will need while it runs, if known.
    """
    licence = entry.licence if entry else model.licence
    licence_url = (entry.licence_url if entry else model.licence_url) or model_page(model.id)
    lines = [
        f"This fetches {model.id}{f' ({entry.title})' if entry else ''}: "
        f"{len(model.files)} files, {_size_in_words(model.total_bytes)}.",
        f"It connects to {hub_host()} and to the servers that it names for large files. "
        "Nothing of yours is sent but your access token, to that host alone, if you have saved one.",
        f"Licence: {licence or 'none is stated'} ({licence_url})",
        f"Free disk space needed: about {_size_in_words(disk_needed(model, entry))}, "
        "for the download and the 8-bit model made from it.",
    ]
    if memory_bytes is not None:
        lines.append(f"Memory needed while it runs: about {memory_bytes / 2**30:.1f} GiB.")
    if model.gated or (entry and entry.sign_in):
        lines.append(f"Its maker asks you to sign in and accept the licence first: {model_page(model.id)}")
    if entry and not entry.instruct:
        lines.append("It was not trained to converse and needs an adapter that was made for it.")
    if entry and entry.built_with:
        lines.append(entry.built_with)
    return "\n".join(lines)


def is_wanted(name: str) -> bool:
    """Whether a model's top folder may hold a file of that name for us."""
    return _WANTED.fullmatch(name) is not None


def _answer(request: Request) -> ModelInfo:
    body = bytearray()
    with opened(request) as response:
        for block in response.iter_bytes():
            body += block
            if len(body) > _ANSWER_BYTES:
                raise _no_hub()
    try:
        return ModelInfo(**json.loads(body))  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _no_hub() from None


def _read(info: ModelInfo) -> HubModel:
    names = [sibling.rfilename for sibling in info.siblings or ()]
    files = sorted(_files(info.siblings or ()), key=lambda file: (file.is_weights, file.name))
    if not any(file.is_weights for file in files):
        pickled = any(name.endswith(_PICKLED) for name in names)
        what = "only pickled weights, which MHDesk never opens" if pickled else "no weights as safetensors"
        raise DownloadFailed(
            f"{hub_host()} has {what}, of {info.id}. Please take a GGUF file of the model and use models add."
        )
    if not re.fullmatch(r"[0-9a-f]{40}", info.sha or ""):
        raise _no_hub()
    licence, licence_url = _licence(info.card_data)
    return HubModel(info.id, str(info.sha), licence, licence_url, bool(info.gated), tuple(files))


def _files(siblings: Iterable[Any]) -> list[HubFile]:
    files = []
    wanted = [sibling for sibling in siblings if is_wanted(sibling.rfilename)]
    proper = any(_MODEL_PROPER.fullmatch(sibling.rfilename) for sibling in wanted)
    for sibling in wanted:
        name = sibling.rfilename
        if proper and name.endswith(".safetensors") and not _MODEL_PROPER.fullmatch(name):
            continue  # the same weights a second time, in their maker's own layout
        size = sibling.lfs.size if sibling.lfs else sibling.size
        digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
        if not isinstance(size, int) or size < 0 or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest or ""):
            raise _no_hub()
        files.append(HubFile(name, size, digest))
    return files


def _licence(card: Any) -> tuple[str, str]:
    """Name and address from the model card's metadata, which its maker wrote freely."""
    stated = [getattr(card, key, None) for key in ("license_name", "license", "license_link")]
    name, plain, link = (value if isinstance(value, str) else "" for value in stated)
    return name if plain in ("", "other") else plain, link if link.startswith("https://") else ""


def _no_hub() -> DownloadFailed:
    return DownloadFailed(
        f"What answered at {hub_host()} is no model hub. If this network asks for a sign-in (a hotel, a café), please "
        "open a page in a browser first; otherwise check HF_ENDPOINT."
    )


def _size_in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
