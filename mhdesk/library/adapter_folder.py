"""An adapter on disk: PEFT's own files and `card.json`, and what makes one usable."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import AdapterUnusable
from mhdesk.core.paths import PROGRAM
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.model_folder import ModelManifest
from mhdesk.library.safetensors_file import BadSafetensors, read_header

CARD = "card.json"
WEIGHTS = "adapter_model.safetensors"
CONFIGURATION = "adapter_config.json"

MAX_RANK = 256
_TARGETS = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"})
_PLAIN_VALUES: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "task_type": ("CAUSAL_LM",),
    "bias": ("none",),
    "use_dora": (False, None),
    "modules_to_save": (None, []),
    "layers_to_transform": (None,),
    "layer_replication": (None,),
    "trainable_token_indices": (None,),
    "target_parameters": (None, []),
    "megatron_config": (None,),
    "auto_mapping": (None,),
    "lora_bias": (False, None),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
}
_KNOWN_KEYS = frozenset(
    [
        "alora_invocation_tokens",
        "alpha_pattern",
        "arrow_config",
        "auto_mapping",
        "base_model_name_or_path",
        "bias",
        "corda_config",
        "ensure_weight_tying",
        "eva_config",
        "exclude_modules",
        "fan_in_fan_out",
        "inference_mode",
        "init_lora_weights",
        "kasa_config",
        "layer_replication",
        "layers_pattern",
        "layers_to_transform",
        "loftq_config",
        "lora_alpha",
        "lora_bias",
        "lora_dropout",
        "lora_ga_config",
        "megatron_config",
        "megatron_core",
        "modules_to_save",
        "monteclora_config",
        "peft_type",
        "peft_version",
        "qalora_group_size",
        "r",
        "rank_pattern",
        "revision",
        "target_modules",
        "target_parameters",
        "task_type",
        "trainable_token_indices",
        "use_bdlora",
        "use_dora",
        "use_qalora",
        "use_rslora",
        "velora_config",
    ]
)
"""What PEFT's own LoRA configuration holds; anything else could ask for something nobody has thought of."""


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """`card.json`. `data` says what the adapter was trained on; `evaluation` is None if nothing was measured."""

    base_id: str
    base_sha256: str
    template_sha256: str
    adapter_sha256: str
    data: list[dict[str, Any]]
    evaluation: dict[str, Any] | None
    created: str


def write_card(folder: Path, card: AdapterCard) -> None:
    """Finish an adapter folder: the card is written last.

    Raises:
        StorageError: the disk would not take it.
    """
    write_json(folder / CARD, asdict(card))


def read_card(folder: Path) -> AdapterCard:
    """The card of a finished adapter.

    Raises:
        AdapterUnusable: there is none, or it is damaged.
    """
    try:
        card = AdapterCard(**read_json_object(folder / CARD))
    except (BadJsonFile, TypeError):
        raise _unusable(folder, "its card.json is missing or damaged") from None
    hashes = (card.base_sha256, card.template_sha256, card.adapter_sha256)
    if not all(isinstance(value, str) and len(value) == 64 for value in hashes):
        raise _unusable(folder, "its card.json is damaged")
    return card


def check_adapter_folder(folder: Path) -> None:
    """Refuse an adapter that is no plain LoRA in safetensors.

    Raises:
        AdapterUnusable: with the reason.
    """
    if not folder.is_dir():
        raise AdapterUnusable(f"There is no adapter called {folder.name}. {PROGRAM} adapters list shows them.")
    try:
        configuration = read_json_object(folder / CONFIGURATION)
    except BadJsonFile as error:
        raise _unusable(folder, str(error)) from None
    for key, allowed in _PLAIN_VALUES.items():
        if configuration.get(key, allowed[0]) not in allowed:
            raise _unusable(folder, f"its configuration asks for {key}, which MHDesk does not support")
    unknown = set(configuration) - _KNOWN_KEYS
    if unknown:
        raise _unusable(folder, f"its configuration has the unknown key {sorted(unknown)[0]}")
    targets = configuration.get("target_modules")
    if not isinstance(targets, list) or not targets or not all(isinstance(t, str) and t in _TARGETS for t in targets):
        raise _unusable(folder, "it changes parts of the model that MHDesk does not know")
    rank = configuration.get("r")
    if not isinstance(rank, int) or not 1 <= rank <= MAX_RANK:
        raise _unusable(folder, f"its rank is not between 1 and {MAX_RANK}")
    try:
        read_header(folder / WEIGHTS)
    except (BadSafetensors, OSError):
        raise _unusable(folder, f"its weights, {WEIGHTS}, are missing or damaged") from None


def check_fits(folder: Path, card: AdapterCard, model: ModelManifest) -> None:
    """Refuse an adapter that was made for other weights, was changed since, or was never evaluated.

    Raises:
        AdapterUnusable: with the reason.
    """
    if card.base_sha256 != model.weights_sha256:
        raise _unusable(folder, f"it was trained for {card.base_id}, not for the model in use")
    if card.template_sha256 != model.template_sha256:
        raise _unusable(folder, "it was trained with another chat template than the model's")
    try:
        weights_sha256 = sha256_of_weights(folder)
    except OSError:
        raise _unusable(folder, f"its weights, {WEIGHTS}, cannot be read") from None
    if card.adapter_sha256 != weights_sha256:
        raise _unusable(folder, "its weights are not the ones its card describes")
    if card.evaluation is None:
        raise _unusable(folder, "nobody has measured it (its card has no evaluation)")


def _unusable(folder: Path, reason: str) -> AdapterUnusable:
    return AdapterUnusable(f"The adapter {folder.name} cannot be used: {reason}. The model works without it.")
