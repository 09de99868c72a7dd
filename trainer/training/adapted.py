"""The base with a new LoRA adapter, and the adapter as PEFT's files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors import SafetensorError

from mhdesk.core.atomic import write_json
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.library.adapter_configuration import CONFIGURATION
from mhdesk.library.adapter_folder import check_adapter_folder
from trainer.settings.train import TrainSettings

warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")  # peft asks transformers by the old name


def adapted_model(base: Path, settings: TrainSettings, seed: int) -> tuple[Any, int]:
    """PEFT's model, in which nothing but the adapter learns, and the id of the token to pad with.

    The adapter is in float32 whatever the base is in. 8-bit weights stay in 8 bits: our kernels give a gradient to
    their input on a processor, bitsandbytes' own on a GPU.

    Args:
        base: a checked 8-bit folder.
        settings: of the run.
        seed: of the adapter's first weights.

    Raises:
        ModelUnusable: the libraries would not have the base.
    """
    model, tokenizer = load_base(base)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    if settings.base == "bf16":
        model = model.dequantize()
    else:
        speed_up(model, choose_kernel())
    if settings.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    torch.manual_seed(seed)
    adapted = get_peft_model(
        model,
        LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(settings.targets),
            task_type="CAUSAL_LM",
        ),
    )
    return adapted, int(padding)


def learning_parameters(model: Any) -> dict[str, torch.nn.Parameter]:
    """Those that learn, by name, in the model's order."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def write_adapter(model: Any, weights: Mapping[str, torch.Tensor], folder: Path, base_id: str) -> None:
    """Write PEFT's files: `adapter_config.json`, which names the base, and `adapter_model.safetensors`.

    Args:
        model: PEFT's, for its configuration.
        weights: the adapter's, by the model's names.
        folder: of the unfinished artefact.
        base_id: name of the base, in place of its path on this machine.

    Raises:
        AdapterUnusable: what PEFT wrote is not what the app would take.
        OSError: the disk would not take it.
    """
    try:
        model.save_pretrained(folder, state_dict=dict(weights), save_embedding_layers=False)
    except SafetensorError as error:  # which is how its Rust side names what the system refused
        raise OSError(str(error)) from error
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty template; the card says what is known
    path = folder / CONFIGURATION
    values = json.loads(path.read_text(encoding="utf-8"))
    values["base_model_name_or_path"] = base_id
    values["target_modules"] = sorted(values["target_modules"])  # PEFT holds a set, whose order differs from run to run
    write_json(path, values)
    check_adapter_folder(folder)
