"""The loop: steps, looks at the validation rows, checkpoints.

Everything that is drawn by lot depends on the run's seed and on the place in the run alone: the order of rows, and the
dropout of each batch, which is the same whichever process reads it. So a run that was killed goes on exactly as if it
had not been, and one process and several learn the same from the same rows, but for the order of sums.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from mhdesk.engine.child.pressure import trim_heap
from trainer.errors import TrainingStopped
from trainer.examples import Examples
from trainer.settings.train import TrainSettings
from trainer.training.adapted import learning_parameters
from trainer.training.batches import collate, summed_loss
from trainer.training.checkpoints import Checkpoint, History, newest_checkpoint, write_checkpoint
from trainer.training.curves import tensorboard
from trainer.training.order import Step, batches_by_length, planned_steps, share_of_process
from trainer.training.processes import put_into, whole
from trainer.training.schedule import learning_rate, seed_of_batch

_LARGEST_GRADIENT = 1.0
"""Gradients are clipped to this norm."""
_TOLD_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is learnt from, and how."""

    training: Examples
    validation: Examples
    settings: TrainSettings
    seed: int

    def steps_of_epoch(self, epoch: int) -> list[Step]:
        """The steps of an epoch, in their order."""
        return planned_steps(self.training.lengths, self.settings, self.seed, epoch)


def fit(
    accelerator: Accelerator,
    model: Any,
    padding: int,
    plan: Plan,
    folder: Path,
    tell: Callable[[str], None],
    curves: Path | None = None,
) -> History:
    """Learn, going on from the newest checkpoint in `folder`; the best and the newest checkpoint stay there.

    Args:
        accelerator: the processes.
        model: PEFT's; its adapter learns in place.
        padding: id of the token to pad with.
        plan: the same in all processes.
        folder: for checkpoints, which all processes see.
        tell: hears a line now and then.
        curves: folder for TensorBoard's files, which the first process writes.

    Raises:
        TrainingStopped: a loss or gradient is no longer a number.
        StorageError: the disk would not take a checkpoint.
    """
    run = _Run(accelerator, model, padding, plan)
    history = run.restore(folder)
    first = accelerator.is_main_process
    began, told, begun_at = time.monotonic(), time.monotonic(), history.step
    with tensorboard(curves if first else None, begun_at) as writer:
        if not history.looks:
            history = history.with_look(run.look())
            tell(f"train: validation loss {history.best[1]:.3f} before the first step")
        while history.step < run.steps and not history.has_lost_patience(plan.settings.patience):
            loss, rate = run.take_step(history.step)
            history = history.with_loss(loss, rate)
            step = history.step
            if writer:
                writer.add_scalar("loss/training", loss, step)
                writer.add_scalar("learning_rate", rate, step)
            left = (time.monotonic() - began) / (step - begun_at) * (run.steps - step)
            if step % plan.settings.validate_every == 0 or step == run.steps:
                history = history.with_look(run.look())
                checkpoint = run.checkpoint(history)
                if first:
                    write_checkpoint(folder, checkpoint)
                if writer:
                    writer.add_scalar("loss/validation", history.looks[-1][1], step)
                tell(f"train: step {step} of {run.steps}, validation loss {history.looks[-1][1]:.3f}, {_time(left)}")
            elif time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                tell(f"train: step {step} of {run.steps}, loss {loss:.3f}, {_time(left)}")
    return history


class _Run:
    """Model, optimiser and schedule of one attempt."""

    def __init__(self, accelerator: Accelerator, model: Any, padding: int, plan: Plan) -> None:
        self._accelerator, self._padding, self._plan = accelerator, padding, plan
        settings = plan.settings
        parameters = list(learning_parameters(model).values())
        optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self._model, self._optimizer = accelerator.prepare(model, optimizer)
        self._learning = learning_parameters(accelerator.unwrap_model(self._model))
        self._epoch, self._order = 0, plan.steps_of_epoch(0)
        self.steps = len(self._order) * settings.epochs
        if settings.most_steps:
            self.steps = min(self.steps, settings.most_steps)

    def restore(self, folder: Path) -> History:
        """Take up the newest checkpoint, if there is one."""
        found = newest_checkpoint(folder)
        step = torch.tensor([found.history.step if found else 0], device=self._accelerator.device)
        if len(set(self._accelerator.gather(step).tolist())) > 1:
            raise TrainingStopped(f"The processes do not see the same folder {folder}. Please put work where all do.")
        if found is None:
            return History()
        for name, parameter in self._learning.items():
            put_into(parameter, found.weights[name])
            moments = {"exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
            put_into(moments["exp_avg"], found.first_moments[name])
            put_into(moments["exp_avg_sq"], found.second_moments[name])
            self._optimizer.state[parameter] = {"step": torch.tensor(float(found.history.step)), **moments}
        return found.history

    def checkpoint(self, history: History) -> Checkpoint:
        """What `restore` needs; all processes must ask for it."""
        state = self._optimizer.state
        return Checkpoint(
            {name: whole(parameter) for name, parameter in self._learning.items()},
            {name: whole(state[parameter]["exp_avg"]) for name, parameter in self._learning.items()},
            {name: whole(state[parameter]["exp_avg_sq"]) for name, parameter in self._learning.items()},
            history,
        )

    def take_step(self, done: int) -> tuple[float, float]:
        """The step after `done` others: its loss a target token over all processes, and its learning rate.

        Every target token of a step weighs the same, however rows are parted into batches and batches among processes.
        """
        epoch, place = divmod(done, len(self._order))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._plan.steps_of_epoch(epoch)
        step = self._order[place]
        targets = sum(int(self._plan.training.targets[row]) for batch in step for pack in batch for row in pack)
        here, processes = self._accelerator.process_index, self._accelerator.num_processes
        share = share_of_process(step, here, processes)
        self._model.train()
        total = torch.zeros((), device=self._accelerator.device)
        for number, batch, counts in share:
            torch.manual_seed(seed_of_batch(self._plan.seed, done, number))
            is_last = number == share[-1][0]
            with contextlib.nullcontext() if is_last else self._accelerator.no_sync(self._model):
                loss = summed_loss(self._model, self._collated(self._plan.training, batch, counts)) / targets
                self._accelerator.backward(loss * processes)  # whose gradients are averaged over processes
            total += loss.detach()
            del loss
            if self._accelerator.device.type == "cpu":
                trim_heap()  # batches differ in length, and what they leave free in between grows to twice a batch
        loss_of_all = float(self._accelerator.reduce(total, "sum"))
        norm = float(whole(self._accelerator.clip_grad_norm_(list(self._learning.values()), _LARGEST_GRADIENT)))
        if not (math.isfinite(loss_of_all) and math.isfinite(norm)):
            raise TrainingStopped(
                f"The loss is no longer a number at step {done + 1}. Please lower train.learning_rate; no adapter was "
                "written."
            )
        rate = learning_rate(self._plan.settings, done, self.steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        return loss_of_all, rate

    def look(self) -> float:
        """Loss a target token of the validation rows, over all processes."""
        rows = self._plan.validation
        step = batches_by_length(rows.lengths, self._plan.settings.batch_size)
        self._model.eval()
        total = torch.zeros((), device=self._accelerator.device)
        with torch.no_grad():
            for _, batch, counts in share_of_process(
                step, self._accelerator.process_index, self._accelerator.num_processes
            ):
                total += summed_loss(self._model, self._collated(rows, batch, counts))
        loss = float(self._accelerator.reduce(total, "sum")) / int(rows.targets.sum())
        if not math.isfinite(loss):
            raise TrainingStopped(
                "The validation loss is no longer a number. Please lower train.learning_rate; no adapter was written."
            )
        return loss

    def _collated(self, rows: Examples, batch: Any, counts: bool) -> dict[str, torch.Tensor]:
        tensors = collate(rows, batch, self._padding, counts)
        return {name: tensor.to(self._accelerator.device) for name, tensor in tensors.items()}


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"
