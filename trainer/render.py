"""The stage `render`: rows to token ids, and where the loss counts.

The renderer is the app's own (`mhdesk.engine.prompt`), under the app's own system prompt in the rows' language, so that
an adapter meets what it was trained on. A row that is longer than `train.max_tokens`, or than the base can read, loses
its oldest turns; where not even its newest turn fits, it is left out and counted, since one long row among thousands is
no reason to stop. A row without anything to learn from is an error, since it means that the chat template does not do
what it should.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import AutoTokenizer

from mhdesk.core.levels import Level
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import PromptRenderer
from mhdesk.library.model_folder import check_model_folder, read_manifest
from trainer.base_model import base_folder
from trainer.errors import BadRows
from trainer.examples import Examples, gather_examples, render_row, write_examples
from trainer.pipeline_config import PipelineConfig
from trainer.preview import PICTURE
from trainer.rows import Side, read_rows
from trainer.stage import Counts, Job, make_artefact
from trainer.training.order import padding_share, planned_steps
from trainer.training.picture import picture_of

RENDERED = (Side.TRAINING, Side.VALIDATION)
"""The sides that `train` reads."""
_PICTURED = 5
_TOLD_EVERY = 10.0


def run(config: PipelineConfig, job: Job) -> Path:
    """Render the rows that are learnt from and those that choose the best checkpoint.

    Raises:
        BadRows: rows are missing or damaged, nothing is left of them, or the chat template makes no use of them.
        BadConfiguration, ShelfError: the base model is missing or cannot be used.
    """
    rows = {side: job.needed("split", side.file) for side in RENDERED}
    base = base_folder(config.model, job.folder)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    renderer = PromptRenderer(tokenizer)
    train = config.train
    window = check_model_folder(base).max_positions
    if window < train.max_tokens:
        job.tell(f"render: the base reads {window} tokens, so rows are cut to these, not to {train.max_tokens}")
    settings = {
        "base_sha256": read_manifest(base).weights_sha256,
        "template_sha256": renderer.template_sha256,
        "system_prompt": system_prompt(Level.NONE, config.clean.language).text,
        "max_tokens": train.max_tokens,
        "window": window,
        "batch_size": train.batch_size,  # of this and what follows only the padding in the manifest depends
        "batches_a_step": train.batches_a_step,
        "packing": train.packing,
        "group_by_length": train.group_by_length,
        "seed": config.seed,
    }

    def make(folder: Path) -> Counts:
        counts: dict[str, Any] = {}
        for side, path in rows.items():
            examples, names, cut = _rendered(path, renderer, config, window, job)
            write_examples(folder / rendered_file(side), examples)
            counts[side.label] = cut | _figures(examples)
            if side is Side.TRAINING:
                steps = planned_steps(examples.lengths, train, config.seed, 0)
                counts[side.label]["padding_share"] = round(padding_share(steps, examples.lengths), 4)
                picture = picture_of(examples, names[:_PICTURED], tokenizer)
                (folder / PICTURE).write_text(picture, encoding="utf-8")
        return counts

    return make_artefact(job, "render", [*rows.values(), base / "tokenizer.json"], settings, make)


def rendered_file(side: Side) -> str:
    """What the token ids of a side are called."""
    return f"{side.label}.safetensors"


def _rendered(
    path: Path, renderer: PromptRenderer, config: PipelineConfig, window: int, job: Job
) -> tuple[Examples, list[str], dict[str, int]]:
    """The rows of a file, the ids of those that fit, and how many were shortened or left out."""
    most_tokens = min(config.train.max_tokens, window)
    rendered: list[tuple[NDArray[np.int32], NDArray[np.bool_]]] = []
    names: list[str] = []
    shortened = left_out = 0
    told = time.monotonic()
    for row in read_rows(path):
        example, dropped = render_row(row, renderer, most_tokens, config.clean.language)
        if len(example.token_ids) > most_tokens:
            left_out += 1
            continue
        shortened += dropped > 0
        is_target = np.array(example.is_target, dtype=np.bool_)
        is_target[0] = False  # in a pack, what stands before a row is another
        rendered.append((np.array(example.token_ids, dtype=np.int32), is_target))
        names.append(row.id)
        if time.monotonic() - told > _TOLD_EVERY:
            told = time.monotonic()
            job.tell(f"render: {len(names)} rows of {path.stem}")
    if not rendered:
        raise BadRows(
            f"None of the {path.stem} rows fits into {most_tokens} tokens. Please "
            + ("choose a base that reads more." if most_tokens == window else "raise train.max_tokens.")
            if left_out
            else f"There are no {path.stem} rows. Please add sources, or look at what the stages before dropped."
        )
    if left_out:
        job.tell(f"render: {left_out} rows of {path.stem} do not fit into {most_tokens} tokens and are left out")
    return gather_examples(rendered), names, {"rows": len(names), "shortened": shortened, "left_out": left_out}


def _figures(examples: Examples) -> dict[str, Any]:
    shares = {"least": 0.0, "median": 0.5, "p90": 0.9, "p99": 0.99, "most": 1.0}
    lengths = np.quantile(examples.lengths, list(shares.values()), method="nearest")
    return {
        "tokens": len(examples.token_ids),
        "target_tokens": int(examples.is_target.sum()),
        "length": {name: int(length) for name, length in zip(shares, lengths, strict=True)},
    }
