"""What an adapter's configuration may say: a plain LoRA and nothing that PEFT would build, import or change besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import LINEARS

CONFIGURATION = "adapter_config.json"
MAX_RANK = 256
MAX_ALPHA = 10_000
_MAX_TEXT = 500
_MAX_BYTES = 2**20
_TARGETS = frozenset(name.rpartition(".")[2] for name in LINEARS)
_REQUIRED: dict[str, Any] = {"peft_type": "LORA", "task_type": "CAUSAL_LM"}

_ABSENT: tuple[Any, ...] = (None,)
_OFF: tuple[Any, ...] = (None, False)
_NO_LIST: tuple[Any, ...] = (None, [])
_ALLOWED: dict[str, tuple[Any, ...]] = {
    "alora_invocation_tokens": _ABSENT,
    "alpha_pattern": ({},),
    "arrow_config": _ABSENT,  # of this and others of its kind PEFT makes a configuration even from {}
    "auto_mapping": _ABSENT,
    "bias": ("none",),
    "corda_config": _ABSENT,
    "ensure_weight_tying": _OFF,
    "eva_config": _ABSENT,
    "exclude_modules": _NO_LIST,
    "fan_in_fan_out": _OFF,
    "inference_mode": (True, False),
    "init_lora_weights": (True, False, None, "gaussian"),  # most others change the base model
    "kasa_config": _ABSENT,
    "layer_replication": _ABSENT,
    "layers_pattern": _NO_LIST,
    "layers_to_transform": _ABSENT,
    "loftq_config": (None, {}),
    "lora_bias": _OFF,
    "lora_ga_config": _ABSENT,
    "megatron_config": _ABSENT,
    "megatron_core": (None, "megatron.core"),
    "modules_to_save": _NO_LIST,
    "monteclora_config": _ABSENT,
    "rank_pattern": ({},),
    "target_parameters": _NO_LIST,
    "trainable_token_indices": _ABSENT,
    "use_bdlora": _ABSENT,
    "use_dora": _OFF,
    "use_qalora": _OFF,
    "use_rslora": (None, False, True),
    "velora_config": _ABSENT,
}
"""Every key of PEFT's LoRA configuration that has few right values; any other value asks for something else."""

_TEXTS = frozenset({"base_model_name_or_path", "peft_version", "revision"})
_CHECKED = frozenset({"r", "lora_alpha", "lora_dropout", "target_modules", "qalora_group_size"})


class BadAdapter(ValueError):
    """The adapter is refused. The message completes the sentence "The adapter … cannot be used: …"."""


@dataclass(frozen=True, slots=True)
class LoraConfiguration:
    """What matters of a configuration that is right: `rank`, and the linears by their last names."""

    rank: int
    targets: tuple[str, ...]


def read_configuration(folder: Path) -> LoraConfiguration:
    """Read and check the configuration in an adapter's folder.

    Raises:
        BadAdapter: with the reason.
    """
    try:
        values = read_json_object(folder / CONFIGURATION, largest_bytes=_MAX_BYTES)
    except BadJsonFile as error:
        raise BadAdapter(str(error)) from None
    for key, value in values.items():
        _check_value(key, value)
    for key, value in _REQUIRED.items():
        if values.get(key) != value:
            raise BadAdapter(f"its configuration asks for another {key} than {value}")
    rank = values.get("r")
    if type(rank) is not int or not 1 <= rank <= MAX_RANK:
        raise BadAdapter(f"its rank is not between 1 and {MAX_RANK}")
    if not _is_between(values.get("lora_alpha", 8), 0, MAX_ALPHA) or not values.get("lora_alpha", 8):
        raise BadAdapter(f"its lora_alpha is not above 0 and at most {MAX_ALPHA}")
    if not _is_between(values.get("lora_dropout", 0.0), 0, 1):
        raise BadAdapter("its lora_dropout is not between 0 and 1")
    if not _is_between(values.get("qalora_group_size", 16), 1, 2**16):
        raise BadAdapter("its configuration asks for qalora_group_size, which MHDesk does not support")
    return LoraConfiguration(rank, _targets(values))


def _check_value(key: str, value: Any) -> None:
    if key in _ALLOWED:
        if not any(type(value) is type(allowed) and value == allowed for allowed in _ALLOWED[key]):
            raise BadAdapter(f"its configuration asks for {key}, which MHDesk does not support")
    elif key in _TEXTS:
        if value is not None and not (isinstance(value, str) and len(value) <= _MAX_TEXT):
            raise BadAdapter(f"its configuration gives no usable {key}")
    elif key not in _REQUIRED and key not in _CHECKED:
        raise BadAdapter(f"its configuration has the unknown key {key!a:.60}")


def _targets(values: Mapping[str, Any]) -> tuple[str, ...]:
    targets = values.get("target_modules")
    if not isinstance(targets, list) or not targets or not all(isinstance(t, str) and t in _TARGETS for t in targets):
        raise BadAdapter("it changes parts of the model that MHDesk does not know")
    if len(set(targets)) != len(targets):
        raise BadAdapter("its configuration names a part of the model twice")
    return tuple(targets)


def _is_between(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
