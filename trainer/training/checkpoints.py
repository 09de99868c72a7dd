"""Where a run stands, on disk: one safetensors file a checkpoint, written atomically, so that there is none by half.

Nothing of a random state is kept, since every draw of a run depends on its seed and on the step alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mhdesk.core.atomic import write_bytes

_PATTERN = "checkpoint-*.safetensors"
CHECKPOINTS = (_PATTERN, f".{_PATTERN}.*")
"""Names of all checkpoints in a folder, and of those that a kill left by half."""
_STATE = "state"


@dataclass(frozen=True, slots=True)
class History:
    """What has happened up to a step."""

    losses: tuple[tuple[int, float, float], ...] = ()
    """Step, loss a target token (nats) of its rows, learning rate."""
    looks: tuple[tuple[int, float], ...] = ()
    """Step, loss a target token of the validation rows; step 0 is the base without an adapter."""

    @property
    def step(self) -> int:
        """Steps done."""
        return self.losses[-1][0] if self.losses else 0

    @property
    def best(self) -> tuple[int, float]:
        """Step and loss of the best look, the first of equal ones."""
        return min(self.looks, key=lambda look: look[1])

    def has_lost_patience(self, patience: int) -> bool:
        """Whether so many looks since the best were none better."""
        return sum(step > self.best[0] for step, _ in self.looks) >= patience

    def with_loss(self, loss: float, learning_rate: float) -> History:
        """After another step."""
        return replace(self, losses=(*self.losses, (self.step + 1, loss, learning_rate)))

    def with_look(self, loss: float) -> History:
        """After another look."""
        return replace(self, looks=(*self.looks, (self.step, loss)))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The adapter's weights and AdamW's two moments, by parameter, after the last step of `history`."""

    weights: Mapping[str, torch.Tensor]
    first_moments: Mapping[str, torch.Tensor]
    second_moments: Mapping[str, torch.Tensor]
    history: History


def checkpoint_path(folder: Path, step: int) -> Path:
    """The file of a step, which need not be there."""
    return folder / f"checkpoint-{step:08d}.safetensors"


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, then remove all but it and the best one.

    Raises:
        StorageError: the disk would not take it; the ones before it stand.
    """
    groups = {
        "weights": checkpoint.weights, "first": checkpoint.first_moments, "second": checkpoint.second_moments
    }  # fmt: skip
    tensors = {f"{group}/{name}": tensor for group, named in groups.items() for name, tensor in named.items()}
    history = checkpoint.history
    write_bytes(checkpoint_path(folder, history.step), save(tensors, metadata={_STATE: json.dumps(asdict(history))}))
    kept = {checkpoint_path(folder, step) for step in (history.step, history.best[0])}
    for path in folder.glob(_PATTERN):
        if path not in kept:
            path.unlink()


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint in a file; None if there is none or the disk has damaged it."""
    groups: dict[str, dict[str, torch.Tensor]] = {"weights": {}, "first": {}, "second": {}}
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads(file.metadata()[_STATE])
            for key in file.keys():  # noqa: SIM118  it is no dictionary
                group, _, name = key.partition("/")
                groups[group][name] = file.get_tensor(key)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None
    losses = tuple((int(step), float(loss), float(rate)) for step, loss, rate in state["losses"])
    looks = tuple((int(step), float(loss)) for step, loss in state["looks"])
    return Checkpoint(groups["weights"], groups["first"], groups["second"], History(losses, looks))


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The one to go on from; None at the beginning."""
    for path in sorted(folder.glob(_PATTERN), reverse=True):
        checkpoint = read_checkpoint(path)
        if checkpoint is not None:
            return checkpoint
    return None
