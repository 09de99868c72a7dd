"""The search for a learning rate, a rank and a batch size: short trials of `train`, led by Optuna.

Optuna's sampler (tree-structured Parzen estimator) proposes settings; each trial learns for some steps from the rows
that `render` made and is judged by its best validation loss. Trials stand in an SQLite file while the search runs, so
that it goes on where it was stopped; each draw depends on the seed and on the trials before it alone.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from mhdesk.core.atomic import write_bytes, write_json
from mhdesk.engine.child.int8_linear import choose_kernel
from mhdesk.library.model_folder import read_manifest
from trainer.base_model import base_folder
from trainer.errors import TrainingStopped
from trainer.pipeline_config import PipelineConfig
from trainer.settings.search import SearchSettings
from trainer.settings.train import TrainSettings
from trainer.stage import Counts, Job, make_artefact
from trainer.train import CURVES, fit_checked, plan_of, rendered_files
from trainer.training.memory import TooLarge
from trainer.training.processes import joined_processes

BEST = "best.yaml"
"""The best settings, as lines for the configuration."""
TRIALS = "trials.json"
_STUDY = "study.sqlite"
_TRIAL = "trial-"
"""Begins the name of the folder of a trial's checkpoints."""
_TOO_LARGE = "too_large"
"""Marks a trial that did not fit the memory."""
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def run(config: PipelineConfig, job: Job) -> Path:
    """Try settings; the artefact `search` holds `best.yaml` and `trials.json`.

    Raises:
        BadRows: rendered rows are missing, damaged, or for another base.
        BadConfiguration: the base is not there, or no trial fits the memory.
        ShelfError: the base cannot be used.
        TrainingStopped: no trial was better than the base.
        StorageError: the disk would not take it.
    """
    base = base_folder(config.model, job.folder)
    paths = rendered_files(job, base)
    settings = {
        "search": asdict(config.search),
        "train": asdict(config.train),
        "seed": config.seed,
        "base_sha256": read_manifest(base).weights_sha256,
        "kernel": choose_kernel(),
    }

    def make(folder: Path) -> Counts:
        return _make(folder, base, paths, config, job)

    return make_artefact(job, "search", paths, settings, make, [f"{_STUDY}*", f"{_TRIAL}*"])


def settings_of(train: TrainSettings, search: SearchSettings, trial: dict[str, Any]) -> TrainSettings:
    """The settings of `train` with those of a trial, for one process and so many steps as a trial has."""
    rank = int(trial["rank"])
    return replace(
        train,
        learning_rate=float(trial["learning_rate"]),
        rank=rank,
        alpha=max(1, round(rank * train.alpha / train.rank)),
        batch_size=int(trial["batch_size"]),
        epochs=search.steps,  # more than enough: the steps end it
        most_steps=search.steps,
        processes=1,
    )


def _make(folder: Path, base: Path, paths: list[Path], config: PipelineConfig, job: Job) -> Counts:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / _STUDY}")
    try:
        study = optuna.create_study(storage=storage, study_name="search", load_if_exists=True)
        _try(study, folder, base, paths, config, job)
        counts = _write(folder, study, config)
    except (StorageInternalError, SQLAlchemyError) as error:
        raise OSError(f"{folder / _STUDY} could not be written") from error
    finally:
        storage.remove_session()
        storage.engine.dispose()
    return counts


def _try(study: optuna.Study, folder: Path, base: Path, paths: list[Path], config: PipelineConfig, job: Job) -> None:
    search = config.search
    rows = plan_of(paths, config.train, config.seed)
    quiet = replace(job, tell=lambda line: None)
    while (done := len(study.get_trials(deepcopy=False, states=_FINISHED))) < search.trials:
        study.sampler = optuna.samplers.TPESampler(seed=config.seed + done)
        trial = study.ask(
            {
                "learning_rate": optuna.distributions.FloatDistribution(
                    search.lowest_learning_rate, search.highest_learning_rate, log=True
                ),
                "rank": optuna.distributions.CategoricalDistribution(search.ranks),
                "batch_size": optuna.distributions.CategoricalDistribution(search.batch_sizes),
            }
        )
        settings = settings_of(config.train, search, trial.params)
        said = f"learning rate {settings.learning_rate:.1e}, rank {settings.rank}, batch size {settings.batch_size}"
        here = folder / f"{_TRIAL}{done}"
        here.mkdir(exist_ok=True)
        try:
            with joined_processes(1) as accelerator:
                plan = replace(rows, settings=settings)
                _, history, _ = fit_checked(accelerator, base, plan, here, quiet, job.work / CURVES / here.name)
            step, loss = history.best
        except (TrainingStopped, TooLarge) as error:
            step, loss = 0, 0.0
            if isinstance(error, TooLarge):
                trial.set_user_attr(_TOO_LARGE, True)
        if step:
            study.tell(trial, loss)
            outcome = f"validation loss {loss:.4f}"
        else:
            study.tell(trial, state=TrialState.PRUNED)
            outcome = "too large for the memory" if _TOO_LARGE in trial.user_attrs else "no better than the base"
        job.tell(f"search: trial {done + 1} of {search.trials}, {said}: {outcome}")


def _write(folder: Path, study: optuna.Study, config: PipelineConfig) -> dict[str, Any]:
    finished = study.get_trials(deepcopy=False, states=_FINISHED)
    completed = [trial for trial in finished if trial.state is TrialState.COMPLETE]
    if all(_TOO_LARGE in trial.user_attrs for trial in finished):
        raise TooLarge(
            "No trial fits the memory. Please lower search.batch_sizes or search.ranks, or train.max_tokens."
        )
    if not completed:
        raise TrainingStopped("No trial was better than the base. Please lower search.lowest_learning_rate.")
    best = min(completed, key=lambda trial: trial.values[0])
    settings = settings_of(config.train, config.search, best.params)
    write_json(
        folder / TRIALS,
        [
            {
                **trial.params,
                "validation_loss": trial.values[0] if trial.state is TrialState.COMPLETE else None,
                _TOO_LARGE: _TOO_LARGE in trial.user_attrs,
            }
            for trial in finished
        ],
    )
    lines = [
        f"# The best of {len(finished)} trials of {config.search.steps} steps: validation loss {best.values[0]:.4f}.",
        "train:",
        *(f"  {name}: {getattr(settings, name)}" for name in ("learning_rate", "rank", "alpha", "batch_size")),
    ]
    write_bytes(folder / BEST, ("\n".join(lines) + "\n").encode())
    return {"trials": len(finished), "useless": len(finished) - len(completed), "validation_loss": best.values[0]}
