"""Making an 8-bit model folder from a GGUF file of Llama architecture."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedTokenizerFast

from mhdesk.core.errors import ModelUnusable, StorageError
from mhdesk.core.paths import PROGRAM, unwritable_sentence
from mhdesk.engine.child.backend import Say
from mhdesk.engine.prompt import PromptRenderer
from mhdesk.library.model_folder import ModelManifest, check_model_folder, describe_weights, write_manifest
from mhdesk.library.replace_folder import replace_folder
from mhdesk.library.safetensors_file import TensorPlace, write_tensors

_JOINED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
           "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")  # fmt: skip
"""Order of the linears of a layer in our files: q, k, v and gate, up side by side, so that joining them is a view."""


def import_gguf(source: Path, target: Path, facts: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Dequantise `source` through transformers, quantise to 8 bits, and write the folder `target`, manifest last.

    `facts` are the manifest's `id`, `title`, `licence`, `source`, `source_sha256`, and `pre_tokenizer` (the GGUF's own
    name for how words are split, which transformers does not read). Gives `weights_sha256`.

    Raises:
        ModelUnusable: the file is no such GGUF.
    """
    say("Reading the model file…", 0.0)
    place: dict[str, Any] = {"gguf_file": source.name, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.parent, **place)
        model = AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.float32, **place)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnusable(
            f"The file {source.name} could not be read as a GGUF of a Llama model; it may be damaged. "
            f"Please run {PROGRAM} setup again."
        ) from error
    _split_words_as_trained(tokenizer, facts.get("pre_tokenizer"))
    say("Quantising to 8 bits…", 0.5)
    described = save_eight_bit(model, tokenizer, target, facts, lambda done: say("Quantising…", 0.5 + done / 2))
    return {"weights_sha256": described.weights_sha256}


def save_eight_bit(
    model: transformers.PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    target: Path,
    facts: Mapping[str, Any],
    say: Callable[[float], None] = lambda done: None,
) -> ModelManifest:
    """Quantise a Llama `model` and write it as the folder `target`, manifest last; `say` gets the fraction done.

    What was in `target` is replaced only when the new folder is whole.

    Raises:
        StorageError: the disk would not take it; nothing half-written is left.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write_weights(unfinished / "model.safetensors", model, say)
        _write_configuration(unfinished, model)
        tokenizer.save_pretrained(unfinished)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StorageError(unwritable_sentence(target.parent, error)) from error
    check_model_folder(unfinished)
    told = {key: facts[key] for key in ("id", "title", "licence", "source", "source_sha256")}
    manifest = ModelManifest(
        **told, template_sha256=PromptRenderer(tokenizer).template_sha256, **describe_weights(unfinished)
    )
    write_manifest(unfinished, manifest)
    replace_folder(unfinished, target)
    return manifest


def quantise_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Int8 values [out, in] and row maxima SCB [out] of a float `weight`: value = weight * 127 / SCB, rounded.

    The format of bitsandbytes' `int8_vectorwise_quant`, computed in float32 and element by element, so that every
    machine gets the same bytes and an adapter's `base_sha256` means something.
    """
    exact = weight.float()
    largest = exact.abs().amax(dim=1)
    scaled = exact * (127 / largest.clamp_min(torch.finfo(torch.float32).tiny))[:, None]
    return scaled.round().to(torch.int8), largest


def _write_weights(path: Path, model: transformers.PreTrainedModel, say: Callable[[float], None]) -> None:
    state = model.state_dict()
    plain = [name for name in state if not _is_quantised(name) and name != "lm_head.weight"]
    linears = list(_linears_in_order(model.config.num_hidden_layers))
    untied = [] if model.config.tie_word_embeddings else ["lm_head.weight"]
    values = {f"{name}.weight": tuple(state[f"{name}.weight"].shape) for name in linears}
    tensors = [
        *(TensorPlace(name, "BF16", tuple(state[name].shape)) for name in [*plain, *untied]),
        *(TensorPlace(name, "I8", shape) for name, shape in values.items()),
        *(TensorPlace(f"{name}.SCB", "F32", values[f"{name}.weight"][:1]) for name in linears),
        *(TensorPlace(f"{name}.weight_format", "U8", ()) for name in linears),
    ]
    maxima: dict[str, torch.Tensor] = {}

    def content(name: str) -> bytes:
        if name.endswith(".weight_format"):
            return b"\0"  # bitsandbytes' code for rows as they are
        if name.endswith(".SCB"):
            return _bytes_of(maxima[name.removesuffix(".SCB")])
        if name not in values:
            return _bytes_of(state[name].bfloat16().view(torch.int16))
        quantised, maxima[name.removesuffix(".weight")] = quantise_rows(state[name])
        say(len(maxima) / len(values))
        return _bytes_of(quantised)

    write_tensors(path, tensors, content)


def _linears_in_order(layers: int) -> Iterator[str]:
    for layer in range(layers):
        for linear in _JOINED:
            yield f"model.layers.{layer}.{linear}"


def _is_quantised(name: str) -> bool:
    return any(name.endswith(f"{linear}.weight") for linear in _JOINED)


def _bytes_of(tensor: torch.Tensor) -> bytes:
    content: bytes = tensor.contiguous().numpy().tobytes()
    return content


def _write_configuration(folder: Path, model: transformers.PreTrainedModel) -> None:
    model.config.quantization_config = BitsAndBytesConfig(load_in_8bit=True)
    model.config.dtype = torch.bfloat16
    model.config.architectures = ["LlamaForCausalLM"]
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)


def _split_words_as_trained(tokenizer: PreTrainedTokenizerFast, name: str | None) -> None:
    """SmolLM splits numbers into digits before anything else; transformers' GGUF reader leaves that step out."""
    if name == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
