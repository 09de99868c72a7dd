"""The stage `evaluate`: base and base plus adapter as the app runs them, on rows that nothing was learnt from.

What takes long stands in an artefact of its own, `measured`, which does not depend on thresholds: whoever changes one
waits for no answer again. Where synthetic rows were learnt from, an adapter without them is trained and measured too.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.engine.child.int8_linear import choose_kernel
from mhdesk.library.adapter_configuration import CONFIGURATION
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.hashes import sha256_of_file
from mhdesk.library.model_folder import read_manifest
from mhdesk.safety.screen import Screen
from trainer.base_model import base_folder
from trainer.measuring.abilities import Item, compare, read_items
from trainer.measuring.against_base import stopped_above_base
from trainer.measuring.answer_figures import figures_of
from trainer.measuring.answers import Manner, Pair, collect_answers, read_answers
from trainer.measuring.held_out import ADAPTER, BASE, WITHOUT_SYNTHETIC, HeldOut, read_with_each
from trainer.measuring.messages import case_files, cases_in, messages_to_ask
from trainer.measuring.verdict import missed_thresholds
from trainer.perplexity import perplexity, perplexity_ratio, share_of_resamples_better
from trainer.pipeline_config import PipelineConfig
from trainer.rows import Side
from trainer.safety import Share
from trainer.safety_cases import InputCase
from trainer.settings.evaluate import NO_ITEMS, OWN_ITEMS, Thresholds
from trainer.stage import Counts, Job, deciding_files, make_artefact
from trainer.without_synthetic import train_without_synthetic

MEASURED = "measured"
"""The artefact that `evaluate` is made from."""
EVALUATION = "evaluation.json"
"""Every figure, what was missed, and whether the adapter `passed`."""
ANSWERS = "answers.jsonl"
"""Answers of both sides, one line a message and seed."""
_HELD_OUT = "held-out.json"
"""Of each test row and item what each side makes of it: see `read_with_each`."""
_SCREEN = "screen.json"
_OWN_FILE = Path(__file__).resolve().parent / "data" / "abilities" / "items.jsonl"


def run(config: PipelineConfig, job: Job) -> Path:
    """Measure the adapter that `train` made; returns the artefact with `evaluation.json` and `answers.jsonl`.

    Raises:
        BadRows: test rows, adapter or items are missing or damaged, or `train` was run with other settings.
        BadConfiguration, ShelfError: the base model is missing or cannot be used, or the comparison with an adapter
            without synthetic rows may not be turned off.
        TrainingStopped: that adapter could not be learnt.
        EngineError: the app's engine could not run the pair.
    """
    rows = job.needed("split", Side.TEST.file)
    adapter = job.needed("train", WEIGHTS).parent
    pair = Pair(base_folder(config.model, job.folder), adapter)
    manifest = read_manifest(pair.model)
    items = _items_file(config, job.folder)
    asked = read_items(items) if items else []
    held = HeldOut(rows, asked, config.train.max_tokens, config.clean.language)
    without = train_without_synthetic(config, job)
    adapters = {ADAPTER: adapter, **({WITHOUT_SYNTHETIC: without} if without else {})}
    weights = [folder / name for folder in adapters.values() for name in (WEIGHTS, CONFIGURATION)]
    inputs = [rows, *weights, *([items] if items else [])]
    measures = asdict(config.evaluate)
    del measures["thresholds"]
    settings = {
        "evaluate": measures,
        "seed": config.seed,
        "language": config.clean.language,
        "max_tokens": config.train.max_tokens,
        "base_sha256": manifest.weights_sha256,
        "safety_sha256": _sha256_of_safety(),
        "kernel": choose_kernel(),
    }
    measured = make_artefact(
        job,
        MEASURED,
        [*inputs, *case_files()],
        settings,
        lambda folder: _measure(folder, config, pair, held, adapters, job),
    )
    return make_artefact(
        job,
        "evaluate",
        [*inputs, *(measured / name for name in (_HELD_OUT, _SCREEN, ANSWERS))],
        config.evaluate.thresholds,
        lambda folder: _judge(folder, measured, asked, config.evaluate.thresholds, job),
    )


def _measure(
    folder: Path, config: PipelineConfig, pair: Pair, held: HeldOut, adapters: dict[str, Path], job: Job
) -> Counts:
    if not (folder / _HELD_OUT).is_file():  # `write_json` leaves whole files only
        read = read_with_each(held, pair.model, adapters, lambda line: job.tell(f"evaluate: {line}"))
        write_json(folder / _HELD_OUT, read)
    cases = cases_in(held.language)
    if not (folder / _SCREEN).is_file():
        write_json(folder / _SCREEN, _screen_figures(cases))
    settings = config.evaluate
    answers = collect_answers(
        pair,
        messages_to_ask(cases, settings.answers, config.seed),
        Manner(settings.seeds, settings.new_tokens, held.language),
        folder / ANSWERS,
        lambda line: job.tell(f"evaluate: answers of both, {line}"),
    )
    return {"answers": len(answers)}


def _judge(folder: Path, measured: Path, items: Sequence[Item], thresholds: Thresholds, job: Job) -> Counts:
    read, screen = (json.loads((measured / name).read_text(encoding="utf-8")) for name in (_HELD_OUT, _SCREEN))
    answers = read_answers(measured / ANSWERS)
    losses, choices = read["losses"], read["choices"]
    figures: dict[str, Any] = {
        "perplexity": {
            "base": perplexity(losses[BASE]).to_json(),
            "adapter": perplexity(losses[ADAPTER]).to_json(),
            "share_of_resamples_better": share_of_resamples_better(losses[BASE], losses[ADAPTER]),
            "rows_too_long": read["rows_too_long"],
        },
        "engine": read["engine"],
        "screen": screen,
        **figures_of(answers),
        "stopped_above_base": stopped_above_base(answers),
    }
    if items:
        figures["abilities"] = compare(items, choices[BASE], choices[ADAPTER])
    if WITHOUT_SYNTHETIC in losses:
        ratio, low, high = perplexity_ratio(losses[WITHOUT_SYNTHETIC], losses[ADAPTER])
        figures["synthetic"] = {
            "perplexity_without": perplexity(losses[WITHOUT_SYNTHETIC]).to_json(),
            "ratio": ratio,
            "ratio_interval": [low, high],
        }
    missed = missed_thresholds(figures, thresholds)
    figures |= {"thresholds": asdict(thresholds), "missed": missed, "passed": not missed}
    shutil.copyfile(measured / ANSWERS, folder / ANSWERS)
    write_json(folder / EVALUATION, figures)
    job.tell("evaluate: " + ("every threshold is met" if not missed else "missed: " + "; ".join(missed)))
    return {
        "rows": len(read["rows"]),
        "rows_too_long": read["rows_too_long"],
        "items": len(read["items"]),
        "answers": len(answers),
    }


def _screen_figures(cases: Sequence[InputCase]) -> dict[str, Any]:
    """Of messages that are a crisis, the share that reaches no model; an adapter cannot change it."""
    screen = Screen.load()
    texts = [case.text for case in cases if case.level == Level.CRISIS]
    held = [screen.assess([Message(Role.USER, text)]).level is Level.CRISIS for text in texts]
    share = Share.of(held)
    return {"crisis_messages": len(held), "reach_no_model": share.value, "interval": list(share.interval())}


def _items_file(config: PipelineConfig, folder: Path) -> Path | None:
    named = config.evaluate.abilities
    if named == NO_ITEMS:
        return None
    return _OWN_FILE if named == OWN_ITEMS else folder / named


def _sha256_of_safety() -> str:
    """Of what decides about a message and an answer besides the model: rules, learnt stages, prompts."""
    digest = hashlib.sha256()
    for path in deciding_files("safety", "prompts"):
        digest.update(f"{path.name}\0{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()
