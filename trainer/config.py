"""One YAML file → one frozen dataclass. An unknown key is an error."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trainer.errors import BadConfiguration

BASES = ("int8", "bf16")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything a run depends on. Paths are relative to the folder of the YAML file."""

    name: str
    """Name of the adapter and of its folder."""
    model: str
    """Folder of the 8-bit base model, or the name of an installed one."""
    dialogues: tuple[str, ...]
    """JSONL files of dialogues: `{"id", "topic", "turns": [{"role", "text"}…]}`."""
    output: str
    """Folder that receives the adapter; replaced only by a finished one."""
    held_out_share: float = 0.125
    """Part of the dialogues that is kept out of training and measured on."""
    base: str = "int8"
    """`int8` trains on the base as it is shipped; `bf16` dequantises it first, for more speed and memory."""
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    learning_rate: float = 2e-4
    warmup_share: float = 0.1
    batch_size: int = 4
    """Conversations a device reads at once."""
    gradient_accumulation: int = 2
    """Batches added up before each step of the optimiser."""
    epochs: int = 3
    max_tokens: int = 1024
    """Longer conversations lose their oldest turns."""
    seed: int = 20

    def __post_init__(self) -> None:
        checks = {
            "dialogues": bool(self.dialogues),
            "held_out_share": 0 < self.held_out_share < 1,
            "base": self.base in BASES,
            "rank": 1 <= self.rank <= 256,
            "dropout": 0 <= self.dropout < 1,
            "learning_rate": 0 < self.learning_rate < 1,
            "warmup_share": 0 <= self.warmup_share < 1,
            "batch_size": self.batch_size >= 1,
            "gradient_accumulation": self.gradient_accumulation >= 1,
            "epochs": self.epochs >= 1,
            "max_tokens": self.max_tokens >= 64,
        }
        for field, holds in checks.items():
            if not holds:
                raise BadConfiguration(
                    f"The configuration's {field} is outside what makes sense: {getattr(self, field)}."
                )


def load_config(path: Path) -> TrainingConfig:
    """Read a configuration.

    Raises:
        BadConfiguration: the file is missing, not YAML, or has an unknown key or a wrong value.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise BadConfiguration(f"The configuration {path} cannot be read. Please check its path.") from None
    except yaml.YAMLError:
        raise BadConfiguration(f"The configuration {path} is not valid YAML.") from None
    if not isinstance(values, dict):
        raise BadConfiguration(f"The configuration {path} must be a list of keys and values.")
    fields = {field.name: field for field in dataclasses.fields(TrainingConfig)}
    unknown = set(values) - set(fields)
    if unknown:
        raise BadConfiguration(f"The configuration {path} has an unknown key: {sorted(map(str, unknown))[0]}.")
    missing = [name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in values]
    if missing:
        raise BadConfiguration(f"The configuration {path} lacks the key {missing[0]}.")
    for key, value in values.items():
        values[key] = _converted(key, value, str(fields[key].type))
    return TrainingConfig(**values)


def _converted(key: str, value: Any, wanted: str) -> Any:
    if wanted == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    expected = {"str": str, "int": int, "float": float}.get(wanted)
    if expected is None or not isinstance(value, expected) or isinstance(value, bool):
        raise BadConfiguration(f"The configuration's {key} must be a {wanted}.")
    return value
