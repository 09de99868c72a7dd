"""Putting a base model on the shelf as an 8-bit folder of ours, whatever it came as.

The work is done in `.unfinished/NAME` beside its place and can be broken off at any moment: what stands there is gone
on with if it was made from the same bytes. The manifest is written last, then the folder gets its name.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import EngineError, ModelUnusable, StorageError
from mhdesk.core.paths import unwritable_sentence
from mhdesk.engine.child.backend import Say
from mhdesk.engine.child.eight_bit_weights import QuantisationStopped, plan_files, write_eight_bit_weights
from mhdesk.engine.child.memory import memory_of_this_process
from mhdesk.engine.child.model_parts import write_configuration, write_tokenizer
from mhdesk.engine.child.try_out import try_out
from mhdesk.engine.child.weight_source import FullPrecisionWeights, GgufWeights, WeightSource
from mhdesk.engine.prompt import PromptRenderer
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.model_folder import (
    ORIGIN,
    ModelManifest,
    check_model_folder,
    describe_files,
    describe_weights,
    unusable,
    write_manifest,
)
from mhdesk.library.model_source import ModelSource, SourceKind, inspect_source
from mhdesk.library.model_weights import INDEX
from mhdesk.library.replace_folder import UNFINISHED, replace_folder
from mhdesk.library.tensor_values import BadValues, check_finite

_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What the manifest will say of where a model is from."""

    id: str
    title: str
    licence: str
    source: str


def import_model(
    path: Path,
    target: Path,
    facts: ManifestFacts,
    say: Say,
    should_stop: Callable[[], bool],
    known_id: str = "",
) -> dict[str, Any]:
    """Make the folder `target` from `path`; what was there is replaced only when the new folder is whole.

    `known_id` is the model's name on a hub. Gives `weights_sha256`, whether the model was
    `tried`, for which there may be too little memory, and `peak_rss_bytes` of the work. The original is only read.

    Raises:
        ModelUnusable: `path` is no model that can be used.
        EngineError: it was stopped; running it again goes on.
        StorageError: the disk would not take it.
    """
    source = inspect_source(path, known_id)
    unfinished = target.parent / UNFINISHED / target.name
    try:
        digest = _digest(source, lambda done: say("Reading the model…", done * 0.1), should_stop)
        _prepare(unfinished, {"sha256": digest, "kind": source.kind.value})
        say("Reading the tokenizer…", 0.1)
        write_configuration(unfinished, source)
        tokenizer = write_tokenizer(unfinished, source)
        template_sha256 = PromptRenderer(tokenizer).template_sha256  # refuses a bad template before the long work
        _write_weights(unfinished, source, lambda done: say("Writing the 8-bit model…", 0.15 + done * 0.7), should_stop)
        for licence in source.licence_files:
            shutil.copyfile(licence, unfinished / licence.name)
        check_model_folder(unfinished)
        say("Trying the model…", 0.9)
        tried = try_out(unfinished, tokenizer)
        say("Writing its manifest…", 0.97)
        manifest = ModelManifest(
            id=facts.id,
            title=facts.title,
            licence=facts.licence,
            source=facts.source,
            source_sha256=digest,
            template_sha256=template_sha256,
            instruct=source.instruct,
            files=describe_files(unfinished),
            **describe_weights(unfinished),
        )
        write_manifest(unfinished, manifest)
        (unfinished / ORIGIN).unlink()
        replace_folder(unfinished, target)
    except QuantisationStopped:
        raise EngineError("Stopped. What is done is kept; the same command goes on from there.") from None
    except ModelUnusable:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StorageError(unwritable_sentence(target.parent, error)) from error
    peak = memory_of_this_process().peak_rss_bytes
    return {"weights_sha256": manifest.weights_sha256, "tried": tried, "peak_rss_bytes": peak}


def _digest(source: ModelSource, say: Callable[[float], None], should_stop: Callable[[], bool]) -> str:
    """SHA-256 of a single file, or of the names and contents of several."""
    paths = source.weight_paths()
    total = sum(path.stat().st_size for path in paths)
    done = 0
    digests = []
    for path in paths:
        digest = hashlib.sha256()
        for block in _blocks(path, should_stop):
            digest.update(block)
            done += len(block)
            say(done / total)
        digests.append(digest.hexdigest())
    if len(paths) == 1:
        return digests[0]
    named = (f"{path.name}\0{digest}\n" for path, digest in zip(paths, digests, strict=True))
    return hashlib.sha256("".join(named).encode()).hexdigest()


def _blocks(path: Path, should_stop: Callable[[], bool]) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            if should_stop():
                raise QuantisationStopped
            yield block


def _prepare(unfinished: Path, origin: Mapping[str, str]) -> None:
    """Keep what an interrupted run has left if it was made from the same bytes, else begin anew."""
    try:
        if read_json_object(unfinished / ORIGIN) == origin:
            return
    except BadJsonFile:
        pass
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write_json(unfinished / ORIGIN, dict(origin))


def _write_weights(
    folder: Path, source: ModelSource, say: Callable[[float], None], should_stop: Callable[[], bool]
) -> None:
    if source.kind is SourceKind.EIGHT_BIT:
        _copy_weights(folder, source, say, should_stop)
        return
    weights: WeightSource
    if source.header is not None:
        weights = GgufWeights(source.path, source.header)
    else:
        weights = FullPrecisionWeights(source.tensors or {})
    write_eight_bit_weights(folder, weights, plan_files(source.shape), say, should_stop)


def _copy_weights(
    folder: Path, source: ModelSource, say: Callable[[float], None], should_stop: Callable[[], bool]
) -> None:
    paths = source.weight_paths()
    total = sum(path.stat().st_size for path in paths)
    done = 0
    for path in paths:
        target = folder / path.name
        if not target.exists():
            unfinished = folder / f"{path.name}.part"
            with unfinished.open("wb") as copy:
                for block in _blocks(path, should_stop):
                    copy.write(block)
                    done += len(block)
                    say(done / total)
            try:
                check_finite(unfinished)
            except BadValues as error:
                raise unusable(folder, str(error)) from None
            unfinished.rename(target)
    if source.tensors and len(paths) > 1:
        places = {name: tensor.path.name for name, tensor in source.tensors.items()}
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}), encoding="utf-8")
