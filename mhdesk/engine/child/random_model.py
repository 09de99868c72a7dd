"""Making a model of random weights in the shape of a real one, so that time and memory can be measured without it.

Its tensors, their types and the layout of its files are those of a real model; what it says is nonsense.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

from mhdesk.core.errors import BadInput, StorageError
from mhdesk.core.paths import unwritable_sentence
from mhdesk.engine.child.backend import Say
from mhdesk.engine.child.random_folder import FULL_FORM, write_full_folder
from mhdesk.engine.child.random_gguf import GGUF_FORMS, tensor_bytes, write_gguf
from mhdesk.engine.child.random_tokenizer import LEAST_VOCABULARY, make_filled_tokenizer
from mhdesk.engine.child.random_weights import RandomWeights
from mhdesk.library.llama_shape import BadShape, LlamaShape

SHARD_BYTES = 2**30
"""A shard of a folder ends before it would be larger."""

_OTHER_BYTES = 64 * 2**20
"""Room for tokenizer and configuration beside the weights, and for what else the disk is used for meanwhile."""


def make_random_model(
    config: Mapping[str, Any],
    target: Path,
    form: str,
    seed: int,
    say: Say,
    should_stop: Callable[[], bool],
    *,
    shard_bytes: int = SHARD_BYTES,
) -> dict[str, Any]:
    """Write a model in the shape that `config`, the content of a Hugging Face `config.json`, describes.

    `form` is `full` for a folder of BF16 safetensors, or `gguf-f16`, `gguf-q8_0`, `gguf-q4_0` for a GGUF file. All
    forms of a `seed` have the same values, up to what a form rounds. Gives `path`, `form`, `parameters`, `bytes` on
    disk and `seconds`.

    Raises:
        BadInput: there is no such form or shape, or `target` exists.
        StorageError: the disk has no room for it or would not take it.
        EngineError: `should_stop` said so. After any error nothing is left of it.
    """
    began = time.monotonic()
    if target.exists() or target.is_symlink():
        raise BadInput(f"{target} exists already. Please give a name that is free.")
    shape = _shape_of(config)
    weights = RandomWeights(shape, seed, say, should_stop)
    needed = _bytes_of(weights, form)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_room(target.parent, needed)
        _remove(unfinished)
        say("Making a tokenizer…", 0.0)
        tokenizer = make_filled_tokenizer(shape.vocabulary)
        if form == FULL_FORM:
            write_full_folder(unfinished, config, weights, tokenizer, shard_bytes)
        else:
            write_gguf(unfinished, form, target.stem, config, shape, weights, tokenizer)
        unfinished.rename(target)
    except OSError as error:
        raise StorageError(unwritable_sentence(target.parent, error)) from error
    finally:
        _remove(unfinished)
    files = target.iterdir() if target.is_dir() else [target]
    return {
        "path": str(target),
        "form": form,
        "parameters": shape.parameters,
        "bytes": sum(file.stat().st_size for file in files),
        "seconds": round(time.monotonic() - began, 1),
    }


def _shape_of(config: Mapping[str, Any]) -> LlamaShape:
    try:
        shape = LlamaShape.from_config(config)
    except BadShape as error:
        raise BadInput(f"No model can be made of this shape: {error}. Please choose another.") from None
    if shape.vocabulary < LEAST_VOCABULARY:
        raise BadInput(f"The vocabulary is too small. Please make vocab_size at least {LEAST_VOCABULARY}.")
    return shape


def _bytes_of(weights: RandomWeights, form: str) -> int:
    if form == FULL_FORM:
        return sum(2 * prod(shape) for shape in weights.shapes.values())
    if form not in GGUF_FORMS:
        raise BadInput(f"There is no form called {form}. Please choose {FULL_FORM} or one of {', '.join(GGUF_FORMS)}.")
    try:
        return sum(tensor_bytes(form, shape) for shape in weights.shapes.values())
    except ValueError:
        raise BadInput(
            f"The form {form} keeps 32 values of a row together, and this shape's rows are no multiple of that. "
            "Please choose another form."
        ) from None


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _OTHER_BYTES:
        raise StorageError(
            f"The model needs {needed / 1e9:.1f} GB, and the disk that holds {folder} has {free / 1e9:.1f} GB free. "
            "Please free some space or choose another place."
        )


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()
