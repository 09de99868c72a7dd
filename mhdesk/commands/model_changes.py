"""`models add|download|verify|remove`."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

from mhdesk.commands.progress_line import ProgressLine
from mhdesk.core.errors import BadInput, MHDeskError, ModelUnusable
from mhdesk.core.paths import PROGRAM, UserPaths
from mhdesk.engine.client.jobs import run_job
from mhdesk.engine.client.launch import engine_command
from mhdesk.library.admission import CONTEXT_TOKENS, memory_needed
from mhdesk.library.archive import BadArchive, unpack
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.licences import built_with
from mhdesk.library.memory_available import memory_available
from mhdesk.library.model_folder import read_manifest, verify_model_folder
from mhdesk.library.model_source import ModelSource, folder_name, inspect_source
from mhdesk.library.shelf import Shelf
from mhdesk.library.shelf_changes import check_disk_space, check_free_name, remove_model
from mhdesk.library.shelf_lock import changing_shelf

_UNPACKED = ".unpacked"


def add_model(path: Path) -> int:
    """Put a base model on the shelf from a folder, a GGUF file, or a zip of either."""
    path = path.expanduser().resolve()
    paths = UserPaths.from_environment()
    with changing_shelf(paths):
        unpacked = paths.downloads / _UNPACKED
        try:
            if path.is_file() and zipfile.is_zipfile(path):
                path = _unpacked(path, unpacked)
            _install(paths, path, f"added from {path.name}")
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    return 0


def download_model(model_id: str) -> int:
    """Bring a base model from a hub, after saying what that means, and put it on the shelf."""
    from mhdesk.library.hub import look_up, notice
    from mhdesk.library.hub_files import fetch

    paths = UserPaths.from_environment()
    entry = Catalogue.load().known(model_id)
    name = entry.name if entry else folder_name(model_id.rsplit("/", 1)[-1])
    with changing_shelf(paths):
        check_free_name("model", paths.models, name)
        model = look_up(entry.id if entry else model_id)
        memory = entry.memory_4k_bytes if entry else None
        sys.stderr.write(notice(model, entry, memory) + "\n")
        _ask_a_person()
        folder = paths.downloads / name
        line = ProgressLine(name)
        fetch(model, folder, None, line.say, spare_bytes=entry.eight_bit_bytes if entry else 0)
        line.end("all files have come")
        _install(paths, folder, f"{model.id} at {model.revision}", model.id, model.licence)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _ask_a_person() -> None:
    """On a terminal, wait for a yes; a program that calls this has said yes by calling.

    Raises:
        BadInput: the answer was another.
    """
    if not sys.stdin.isatty():
        return
    sys.stderr.write("Download it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise BadInput("Nothing was downloaded.")


def verify_model(name: str) -> int:
    """Read every byte of a model and compare it with what was installed."""
    shelf = Shelf(UserPaths.from_environment())
    folder = shelf.model_folder(name)
    sys.stderr.write("Reading every file…\n")
    verify_model_folder(folder)
    manifest = read_manifest(folder)
    sys.stderr.write(
        f"{name} is whole: every file is the one that was installed (weights {manifest.weights_sha256}).\n"
    )
    return 0


def remove(name: str) -> int:
    """Take a model off the shelf."""
    paths = UserPaths.from_environment()
    with changing_shelf(paths):
        remove_model(paths, Shelf(paths), name)
    sys.stderr.write(f"{name} is removed.\n")
    return 0


def _install(paths: UserPaths, path: Path, origin: str, known_id: str = "", licence: str = "") -> None:
    """`known_id` and `licence` are what a hub says of it."""
    source = inspect_source(path, known_id)
    if licence:
        source = replace(source, licence=licence)
    check_free_name("model", paths.models, source.name)
    check_disk_space(paths.models, source.result_bytes)
    _tell(source)
    line = ProgressLine(source.name)
    began = time.monotonic()
    facts = {"id": source.id, "title": source.title, "licence": source.licence, "source": origin}
    arguments = {"source": str(path), "target": str(paths.models / source.name), "facts": facts}
    try:
        result = asyncio.run(run_job(engine_command(), "import_model", {**arguments, "known_id": known_id}, line.say))
    except MHDeskError:
        line.end("not finished")
        raise
    tried = "" if result["tried"] else " It was not tried, since there is too little free memory for that now."
    line.end(
        f"installed in {time.monotonic() - began:.0f} s: {_size_of(paths.models / source.name) / 1e9:.1f} GB on disk; "
        f"the work took up to {result['peak_rss_bytes'] / 2**30:.1f} GiB of memory.{tried}"
    )
    shelf = Shelf(paths)
    if len(shelf.models()) == 1:
        shelf.use_model(source.name)
    else:
        sys.stderr.write(f"To talk with it: {PROGRAM} models use {source.name}\n")


def _tell(source: ModelSource) -> None:
    """What it is, under which licence, and what it will need."""
    need = memory_needed(source.shape, source.shape.eight_bit_bytes, CONTEXT_TOKENS).total
    shown = built_with(source.licence)
    lines = [
        f"{source.title}: {source.kind}, {source.shape.parameters / 1e6:,.0f} million parameters.",
        f"Licence: {source.licence}{f'. {shown}' if shown else ''}.",
        f"It will take {source.result_bytes / 1e9:.1f} GB on disk and up to {need / 2**30:.1f} GiB of memory while it "
        f"runs; {memory_available() / 2**30:.1f} GiB are free now.",
    ]
    if not source.instruct:
        lines.append("This is a base model that was not trained to converse: it needs an adapter to be of use.")
    sys.stderr.write("\n".join(lines) + "\n")


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _unpacked(archive: Path, target: Path) -> Path:
    """The folder that a zip was unpacked to, or the one GGUF file in it."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    folder = target / archive.stem
    try:
        unpack(archive, folder, largest_bytes=shutil.disk_usage(target).free)
    except BadArchive as error:
        raise ModelUnusable(f"The model {archive.name} cannot be used: {error}.") from None
    files = list(folder.iterdir())
    return files[0] if len(files) == 1 else folder
