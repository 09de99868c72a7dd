"""How an adapter is learnt."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trainer.config import check

BASES = ("int8", "bf16")
SCHEDULES = ("cosine", "linear", "constant")
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """A LoRA adapter on a base in 8 bits."""

    base: str = "int8"
    """`int8` trains on the base as it is shipped; `bf16` dequantises it first, for more speed and memory."""
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    targets: tuple[str, ...] = TARGETS
    learning_rate: float = 2e-4
    schedule: str = "cosine"
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    batch_size: int = 4
    """Rows that a process reads at once; with `packing`, sequences of several rows."""
    gradient_accumulation: int = 2
    """Batches that a process adds up before each step of the optimiser."""
    processes: int = 1
    """Processes that train together, one a GPU, started by `accelerate launch`. A step reads `batch_size` ·
    `gradient_accumulation` · `processes` rows, so that this number belongs to what the adapter depends on."""
    gradient_checkpointing: bool = False
    """Less memory for activations, about a third more time."""
    epochs: int = 3
    most_steps: int = 0
    """Steps of the optimiser after which it ends; 0 for all of the epochs."""
    max_tokens: int = 1024
    """Longer conversations lose their oldest turns."""
    packing: bool = False
    """Put short rows behind one another up to `max_tokens`, none attending to another."""
    group_by_length: bool = True
    """Batches of similar length, so that little is padding."""
    validate_every: int = 50
    """Steps between looks at the validation rows, each with a checkpoint."""
    patience: int = 3
    """Looks without a better loss after which training ends; the best checkpoint is kept either way."""
    memory_limit_gib: float = 0.0
    """Refuse to begin where the estimate is above; 0 takes what the machine has."""

    def __post_init__(self) -> None:
        check(
            self,
            {
                "base": self.base in BASES,
                "rank": 1 <= self.rank <= 256,
                "alpha": self.alpha >= 1,
                "dropout": 0 <= self.dropout < 1,
                "targets": bool(self.targets) and set(self.targets) <= set(TARGETS),
                "learning_rate": self.learning_rate > 0,
                "schedule": self.schedule in SCHEDULES,
                "warmup_share": 0 <= self.warmup_share < 1,
                "weight_decay": 0 <= self.weight_decay < 1,
                "batch_size": self.batch_size >= 1,
                "gradient_accumulation": self.gradient_accumulation >= 1,
                "processes": self.processes >= 1,
                "epochs": self.epochs >= 1,
                "most_steps": self.most_steps >= 0,
                "max_tokens": self.max_tokens >= 64,
                "validate_every": self.validate_every >= 1,
                "patience": self.patience >= 1,
                "memory_limit_gib": self.memory_limit_gib >= 0,
            },
        )

    @property
    def deciding(self) -> dict[str, Any]:
        """What the adapter depends on: everything but how much memory a run may ask for."""
        settings = asdict(self)
        del settings["memory_limit_gib"]
        return settings

    @property
    def batches_a_step(self) -> int:
        """Batches of all processes that one step of the optimiser adds up."""
        return self.gradient_accumulation * self.processes
