"""Writing random weights as the folder in which Hugging Face publishes a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from mhdesk.core.atomic import write_json
from mhdesk.engine.child.random_weights import RandomWeights
from mhdesk.library.safetensors_file import Block, TensorPlace, write_tensors

FULL_FORM = "full"

_OF_OTHER_WEIGHTS = frozenset({"dtype", "quantization_config"})
"""Keys of a `config.json` that tell how the weights beside it are stored."""


def write_full_folder(
    folder: Path,
    config: Mapping[str, Any],
    weights: RandomWeights,
    tokenizer: PreTrainedTokenizerFast,
    shard_bytes: int,
) -> None:
    """Make `folder` and write BF16 safetensors into it, in shards of at most `shard_bytes` or one tensor.

    The ids of the marks in `config` give way to those of `tokenizer`.

    Raises:
        OSError: the disk would not take it.
        StorageError: the same, for the small files.
    """
    folder.mkdir()
    _write_shards(folder, weights, shard_bytes)
    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    stored = {"architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16"}
    kept = {key: value for key, value in config.items() if key not in _OF_OTHER_WEIGHTS}
    write_json(folder / "config.json", {**kept, **ids, **stored})
    write_json(folder / "generation_config.json", ids)
    tokenizer.save_pretrained(folder, save_jinja_files=False)  # the template inside, as in most published folders


def _write_shards(folder: Path, weights: RandomWeights, shard_bytes: int) -> None:
    shards: list[list[TensorPlace]] = [[]]
    for name, shape in weights.shapes.items():
        place = TensorPlace(name, "BF16", shape)
        if shards[-1] and sum(other.size for other in shards[-1]) + place.size > shard_bytes:
            shards.append([])
        shards[-1].append(place)

    def content(place: TensorPlace) -> Iterator[Block]:
        return (block.view(torch.uint8).numpy().data for block in weights.blocks(place.name))

    if len(shards) == 1:
        write_tensors(folder / "model.safetensors", shards[0], content)
        return
    held_in: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        write_tensors(folder / file, shard, content)
        held_in.update((place.name, file) for place in shard)
    total = sum(place.size for shard in shards for place in shard)
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": held_in})
