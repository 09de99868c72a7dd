"""A LoRA adapter put beside a loaded base, and taken away again: the base stays where it is in memory."""

from __future__ import annotations

import warnings
from pathlib import Path

from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from mhdesk.core.errors import AdapterUnusable

warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")  # peft asks transformers by the old name


def load_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Put the adapter in `folder` beside the weights of `model`; never merged into int8 weights, which would round.

    Gives PEFT's model round `model`, whose 8-bit layers it has wrapped in place.

    Raises:
        AdapterUnusable: PEFT would not have it; `model` is as it was.
    """
    try:
        adapted: PreTrainedModel = PeftModel.from_pretrained(
            model, str(folder), is_trainable=False, autocast_adapter_dtype=False, local_files_only=True
        )
    except Exception as error:
        remove_adapter(model)
        if isinstance(error, MemoryError):
            raise
        raise AdapterUnusable(
            f"The adapter {folder.name} does not fit this model or is damaged. The model works without it."
        ) from error
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:  # and nothing else: the scales of the 8-bit rows stay in float32
            parameter.data = parameter.data.to(model.dtype)
    return adapted.eval()


def remove_adapter(model: PreTrainedModel) -> None:
    """Put the base's own layers back, whether all of them are wrapped, some, or none.

    PEFT's `unload` does the same for a whole adapter, but a refused one leaves no object that could be asked for it.
    """
    for name, layer in list(model.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            model.set_submodule(name, layer.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config
