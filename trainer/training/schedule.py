"""What depends on a step's number alone: its learning rate, and the seed of a batch's dropout."""

from __future__ import annotations

import hashlib
import math

from trainer.settings.train import TrainSettings


def learning_rate(settings: TrainSettings, done: int, steps: int) -> float:
    """That of the step after `done` of `steps`.

    It rises linearly over the first `warmup_share` of all steps, then stays, falls linearly, or as half a cosine.
    """
    warmup = int(steps * settings.warmup_share)
    if done < warmup:
        return settings.learning_rate * (done + 1) / (warmup + 1)
    progress = (done - warmup) / max(1, steps - warmup)
    shares = {"constant": 1.0, "linear": 1 - progress, "cosine": 0.5 * (1 + math.cos(math.pi * progress))}
    return settings.learning_rate * shares[settings.schedule]


def seed_of_batch(seed: int, done: int, number: int) -> int:
    """A seed for a batch of a step that no other batch of the run has (but for chance).

    Args:
        seed: of the run.
        done: steps before.
        number: of the batch in its step.
    """
    digest = hashlib.sha256(f"{seed} {done} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
