"""Several processes that train together: that they are as many as was asked for, and that only the first one writes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list

from trainer.errors import BadConfiguration
from trainer.stage import Counts, Job, make_artefact

warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")  # in favour of what syncs them at first


@contextmanager
def joined_processes(wanted: int) -> Iterator[Accelerator]:
    """Join the other processes, or train alone; leave them together.

    Args:
        wanted: how many there must be.

    Raises:
        BadConfiguration: there are more or fewer.
    """
    there = int(os.environ.get("WORLD_SIZE", "1"))
    if there != wanted:
        raise BadConfiguration(
            f"The configuration asks for {wanted} processes (train.processes) and {there} were started. Please start "
            + (
                "it without accelerate launch."
                if wanted == 1
                else f"them by: accelerate launch --multi_gpu --num_processes {wanted} -m trainer train --config FILE"
            )
        )
    # Every process has the same frozen weights and buffers, so that only gradients need to travel.
    alike = DistributedDataParallelKwargs(broadcast_buffers=False)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no", kwargs_handlers=[alike])
    try:
        yield accelerator
        accelerator.wait_for_everyone()
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def make_together(
    accelerator: Accelerator,
    job: Job,
    stage: str,
    inputs: Sequence[Path],
    settings: Any,
    make: Callable[[Path, Job], Counts],
    scratch: Sequence[str] = (),
) -> Path:
    """`make_artefact` by the first process; the others take part in `make`, told its folder, or skip it as well.

    `make` is given the job as well: that of the other processes tells nothing.
    """
    if not accelerator.is_main_process:
        folder: list[Any] = [None]
        broadcast_object_list(folder)
        if folder[0] is not None:
            make(Path(folder[0]), Job(job.folder, job.work, lambda line: None))
        return job.artefact(stage)
    begun = False

    def make_and_say_so(unfinished: Path) -> Counts:
        nonlocal begun
        begun = True
        broadcast_object_list([str(unfinished)])
        return make(unfinished, job)

    try:
        return make_artefact(job, stage, inputs, settings, make_and_say_so, scratch)
    finally:
        if not begun:
            broadcast_object_list([None])


def refuse_sharding(accelerator: Accelerator, base: str) -> None:
    """Refuse what FSDP cannot do: part 8-bit weights, or, in its first version, leave each parameter its name.

    Raises:
        BadConfiguration: with what to do.
    """
    if accelerator.distributed_type == "FSDP":
        if not accelerator.is_fsdp2:
            raise BadConfiguration("FSDP is used in its second version. Please add --fsdp_version 2 to its options.")
        if base == "int8":
            raise BadConfiguration("FSDP cannot part 8-bit weights. Please set train.base to bf16, or leave FSDP out.")


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A copy in main memory of a tensor, put together from all processes where FSDP has parted it.

    All processes must ask for it at the same time.
    """
    parted = getattr(tensor, "full_tensor", None)
    return (tensor if parted is None else parted()).detach().to("cpu", copy=True)


def put_into(tensor: torch.Tensor, values: torch.Tensor) -> None:
    """Write whole `values` into a tensor, each process its own part where FSDP has parted it."""
    with torch.no_grad():
        if hasattr(tensor, "full_tensor"):
            from torch.distributed.tensor import DTensor, distribute_tensor

            assert isinstance(tensor, DTensor)  # noqa: S101  nothing else has this method
            tensor.copy_(distribute_tensor(values.to(tensor.device), tensor.device_mesh, tensor.placements))
        else:
            tensor.copy_(values)
