"""Loss curves: as JSON and a picture in the artefact, and as TensorBoard's event files beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

from mhdesk.core.atomic import write_json
from trainer.training.checkpoints import History

CURVE = "curve.json"
PLOT = "curve.png"


def write_curve(folder: Path, history: History) -> None:
    """Write `curve.json` and `curve.png`; equal histories are equal bytes.

    Raises:
        OSError, StorageError: the disk would not take it.
    """
    best_step, best_loss = history.best
    write_json(
        folder / CURVE,
        {
            "training": [{"step": s, "loss": round(loss, 6), "learning_rate": r} for s, loss, r in history.losses],
            "validation": [{"step": step, "loss": round(loss, 6)} for step, loss in history.looks],
            "best": {"step": best_step, "loss": round(best_loss, 6)},
        },
    )
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([s for s, _, _ in history.losses], [loss for _, loss, _ in history.losses], label="training", lw=0.8)
    axes.plot([step for step, _ in history.looks], [loss for _, loss in history.looks], "o-", label="validation")
    axes.axvline(best_step, color="grey", linestyle=":", label="kept")
    axes.set(xlabel="step", ylabel="loss a token of the supporter (nats)")
    axes.legend()
    figure.savefig(folder / PLOT, dpi=100, metadata={"Software": None})


@contextmanager
def tensorboard(folder: Path | None, begun_at: int) -> Iterator[SummaryWriter | None]:
    """A writer of event files, or None without a folder.

    Args:
        folder: for the files; at the beginning of a run it is emptied.
        begun_at: step that the run goes on from: what an earlier attempt wrote of later steps is hidden.
    """
    if folder is None:
        yield None
        return
    if begun_at == 0:
        shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(str(folder), purge_step=begun_at + 1 if begun_at else None) as writer:
        yield writer
