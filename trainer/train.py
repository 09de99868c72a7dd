"""The stage `train`: a LoRA adapter on the 8-bit base.

An accelerate loop rather than TRL's SFTTrainer. What such a trainer brings is already decided elsewhere: token ids and
masks are the app's own. What it would take away is what is asked of a run here: the loss of a step is a mean over all
its target tokens, whichever process or batch they fall to; a checkpoint is one safetensors file, written atomically,
where its trainer pickles optimiser and random state; a killed run gives the same bytes as one that was not. What is
left of a trainer is `training/loop.py`. It runs on one processor or GPU as it is, on several under `accelerate launch`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from mhdesk.engine.child.int8_linear import choose_kernel
from mhdesk.library.model_folder import check_model_folder, read_manifest
from trainer.base_model import base_folder
from trainer.errors import BadRows, TrainingStopped
from trainer.examples import read_examples
from trainer.pipeline_config import PipelineConfig
from trainer.render import RENDERED, rendered_file
from trainer.settings.train import TrainSettings
from trainer.stage import Counts, Job
from trainer.stage import read_manifest as read_stage_manifest
from trainer.training.adapted import adapted_model, write_adapter
from trainer.training.checkpoints import CHECKPOINTS, checkpoint_path, read_checkpoint
from trainer.training.curves import write_curve
from trainer.training.loop import Plan, fit
from trainer.training.memory import (
    MemoryMeter,
    MemoryNeed,
    largest_batch,
    memory_needed,
    memory_that_may_end,
    refuse_too_large,
)
from trainer.training.processes import joined_processes, make_together, refuse_sharding

CURVES = "curves"
"""Folder of TensorBoard's files, beside the artefacts and part of none, since they tell times and the machine."""


def run(config: PipelineConfig, job: Job) -> Path:
    """Learn an adapter from what `render` made; the artefact holds PEFT's two files and the loss curves.

    Raises:
        BadRows: rendered rows are missing, damaged, or for another base.
        BadConfiguration: base or processes are not there, or the run would not fit the memory.
        ShelfError: the base cannot be used.
        TrainingStopped: the loss is no longer a number, or no checkpoint was better than the base.
        StorageError: the disk would not take it.
    """
    base = base_folder(config.model, job.folder)
    paths = rendered_files(job, base)
    settings = {
        "train": config.train.deciding,
        "seed": config.seed,
        "base_sha256": read_manifest(base).weights_sha256,
        "kernel": choose_kernel(),
    }
    with joined_processes(config.train.processes) as accelerator:
        refuse_sharding(accelerator, config.train.base)

        def make(folder: Path, job: Job) -> Counts:
            return _make(folder, accelerator, base, paths, config, job)

        return make_together(accelerator, job, "train", paths, settings, make, CHECKPOINTS)


def rendered_files(job: Job, base: Path) -> list[Path]:
    """The files of the stage `render`, in the order of its sides.

    Raises:
        BadRows: there are none, or they hold the token ids of another base.
    """
    paths = [job.needed("render", rendered_file(side)) for side in RENDERED]
    rendered_for = read_stage_manifest(job.artefact("render"))["settings"].get("base_sha256")
    if rendered_for != read_manifest(base).weights_sha256:
        raise BadRows("The rows were rendered for another base model. Please run the stage render again.")
    return paths


def plan_of(paths: list[Path], settings: TrainSettings, seed: int) -> Plan:
    """The rendered rows, and how they are learnt from."""
    training, validation = (read_examples(path) for path in paths)
    return Plan(training, validation, settings, seed)


def fit_checked(
    accelerator: Accelerator, base: Path, plan: Plan, folder: Path, job: Job, curves: Path | None
) -> tuple[Any, Any, dict[str, Any]]:
    """Estimate the memory, learn, measure the memory: PEFT's model, the history, and the figures of the memory.

    Raises:
        TooLarge: it would not fit, or did not.
        TrainingStopped: see `fit`.
    """
    need = _need(base, plan)
    refuse_too_large(need, plan.settings.memory_limit_gib, accelerator.device)
    meter = MemoryMeter(accelerator.device)
    with memory_that_may_end():
        model, padding = adapted_model(base, plan.settings, plan.seed)
        history = fit(accelerator, model, padding, plan, folder, job.tell, curves)
    most = meter.most()
    figures = {
        "estimated_bytes": asdict(need) | {"total": need.total},
        "measured_bytes": most,
        "measured_to_estimated": round(most / need.total, 3),
    }
    return accelerator.unwrap_model(model), history, figures


def _make(
    folder: Path, accelerator: Accelerator, base: Path, paths: list[Path], config: PipelineConfig, job: Job
) -> Counts:
    plan = plan_of(paths, config.train, config.seed)
    curves = job.work / CURVES / "train"
    model, history, memory = fit_checked(accelerator, base, plan, folder, job, curves)
    step, loss = history.best
    if step == 0:
        raise TrainingStopped(
            f"Nothing was learnt: the validation loss is {loss:.3f} without an adapter and {history.looks[-1][1]:.3f} "
            "with it. Please change train.learning_rate, or look at the rows; no adapter was written."
        )
    if not accelerator.is_main_process:
        return {}
    best = read_checkpoint(checkpoint_path(folder, step))
    if best is None:
        raise TrainingStopped(f"The best checkpoint in {folder} is damaged. Please delete it and run train again.")
    write_adapter(model, best.weights, folder, read_manifest(base).id)
    write_curve(folder, history)
    job.tell(f"train: validation loss {loss:.3f} at step {step}, which is kept; memory {_told(memory)}")
    return {
        "steps": history.step,
        "best_step": step,
        "validation_loss_before": round(history.looks[0][1], 6),
        "validation_loss": round(loss, 6),
        "parameters": sum(tensor.numel() for tensor in best.weights.values()),
        "processes": accelerator.num_processes,
        "device": accelerator.device.type,
        "memory": memory,
    }


def _need(base: Path, plan: Plan) -> MemoryNeed:
    batch = largest_batch(plan.steps_of_epoch(0), plan.training)
    return memory_needed(check_model_folder(base), read_manifest(base).weights_bytes, plan.settings, batch)


def _told(memory: dict[str, Any]) -> str:
    estimated, measured = (size / 2**30 for size in (memory["estimated_bytes"]["total"], memory["measured_bytes"]))
    return f"{measured:.2f} GiB, {memory['measured_to_estimated']:.2f} of the estimate of {estimated:.2f} GiB"
