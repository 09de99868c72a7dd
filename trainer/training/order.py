"""Which rows are read when: a pure function of their lengths, the settings and the seed, so that resuming is exact.

Row → pack (one sequence) → batch (what a process reads at once) → step (what the optimiser adds up over all processes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.settings.train import TrainSettings

Pack = tuple[int, ...]
"""Numbers of the rows that stand behind one another in a sequence; one row where nothing is packed."""
Batch = tuple[Pack, ...]
Step = tuple[Batch, ...]

_OPEN_PACKS = 64
_JITTER = 0.2
"""Lengths are sorted as if each were up to 10 % shorter or longer, so that batches differ from epoch to epoch."""


def planned_steps(lengths: NDArray[np.int64], settings: TrainSettings, seed: int, epoch: int) -> list[Step]:
    """The steps of an epoch of a run with `settings`, in their order."""
    packs = packs_of(lengths, settings.max_tokens, settings.packing, seed)
    size, batches = settings.batch_size, settings.batches_a_step
    return steps_of_epoch(packs, lengths, size, batches, settings.group_by_length, (seed, epoch))


def packs_of(lengths: NDArray[np.int64], most_tokens: int, packing: bool, seed: int) -> list[Pack]:
    """Every row in a pack of its own, or with others into the first pack that has room for it (first fit)."""
    if not packing:
        return [(row,) for row in range(len(lengths))]
    packs: list[list[int]] = []
    room: list[int] = []
    for row in np.random.default_rng(seed).permutation(len(lengths)).tolist():
        length = int(lengths[row])
        first_open = max(0, len(packs) - _OPEN_PACKS)
        place = next((place for place in range(first_open, len(packs)) if room[place] >= length), None)
        if place is None:
            place = len(packs)
            packs.append([])
            room.append(most_tokens)
        packs[place].append(row)
        room[place] -= length
    return [tuple(pack) for pack in packs]


def steps_of_epoch(
    packs: Sequence[Pack],
    lengths: NDArray[np.int64],
    batch_size: int,
    batches_a_step: int,
    group_by_length: bool,
    seed: tuple[int, int],
) -> list[Step]:
    """Every pack once, in an order drawn from `seed` (that of the run, and the epoch's number).

    Which rows make a step depends on `batch_size` · `batches_a_step` alone, not on how processes share them.
    """
    random = np.random.default_rng(seed)
    sizes = np.array([sum(int(lengths[row]) for row in pack) for pack in packs])
    if group_by_length:
        drawn = sizes * (1 - _JITTER / 2 + _JITTER * random.random(len(packs)))
        order = np.argsort(drawn, kind="stable")
    else:
        order = random.permutation(len(packs))
    steps = []
    for part in _parts(order.tolist(), batch_size * batches_a_step):
        near = sorted(part, key=lambda pack: (int(sizes[pack]), pack))  # inside a step the order changes nothing
        steps.append(tuple(tuple(packs[pack] for pack in batch) for batch in _parts(near, batch_size)))
    return [steps[place] for place in random.permutation(len(steps)).tolist()]


def batches_by_length(lengths: NDArray[np.int64], batch_size: int) -> Step:
    """Every row once, in batches of similar length, longest first: for reading without learning."""
    order = np.argsort(-lengths, kind="stable").tolist()
    return tuple(tuple((row,) for row in part) for part in _parts(order, batch_size))


def share_of_process(step: Step, process: int, processes: int) -> list[tuple[int, Batch, bool]]:
    """The batches of a step that one process reads: number in the step, batch, and whether it counts.

    All processes read equally many, since they wait for one another; where the step has none left, a batch is read
    again and does not count.
    """
    missing = -len(step) % processes
    numbered = [(number, batch, True) for number, batch in enumerate(step)]
    return (numbered + [(len(step) + extra, step[-1], False) for extra in range(missing)])[process::processes]


def longest(batch: Batch, lengths: NDArray[np.int64]) -> int:
    """Tokens of a batch's longest pack, to which the others are padded."""
    return max(sum(int(lengths[row]) for row in pack) for pack in batch)


def padding_share(steps: Iterable[Step], lengths: NDArray[np.int64]) -> float:
    """Share of padding in all that is read."""
    batches = [batch for step in steps for batch in step]
    read = sum(longest(batch, lengths) * len(batch) for batch in batches)
    filled = sum(int(lengths[row]) for batch in batches for pack in batch for row in pack)
    return 1 - filled / read


def _parts(items: list[int], size: int) -> list[list[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
