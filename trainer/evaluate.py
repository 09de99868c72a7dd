"""The stage `evaluate`: base and base plus adapter as the app runs them, on rows that nothing was learnt from."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import resources_dir
from mhdesk.engine.child.adapter import load_adapter, remove_adapter
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.prompt import PromptRenderer, TrainingExample
from mhdesk.library.adapter_configuration import CONFIGURATION
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.hashes import sha256_of_file
from mhdesk.library.model_folder import read_manifest
from mhdesk.safety.screen import Screen
from trainer.base_model import base_folder
from trainer.errors import BadRows
from trainer.examples import render_row
from trainer.measuring.abilities import Item, choose, compare, read_items
from trainer.measuring.answer_figures import figures_of
from trainer.measuring.answers import Answer, Pair, collect_answers
from trainer.measuring.messages import case_files, cases_in, messages_to_ask
from trainer.measuring.verdict import missed_thresholds
from trainer.perplexity import losses_by_dialogue, perplexity, share_of_resamples_better
from trainer.pipeline_config import PipelineConfig
from trainer.rows import read_rows
from trainer.safety import Share
from trainer.safety_cases import InputCase
from trainer.settings.evaluate import NO_ITEMS, OWN_ITEMS
from trainer.stage import Counts, Job, make_artefact

EVALUATION = "evaluation.json"
"""Every figure, what was missed, and whether the adapter `passed`."""
ANSWERS = "answers.jsonl"
"""Answers of both sides, one line a message and seed."""
_LOSSES = "losses.json"
"""Of each test row: loss of both sides and tokens."""
_CHOICES = "choices.json"
_OWN_FILE = Path(__file__).resolve().parent / "data" / "abilities" / "items.jsonl"
_TOLD_EVERY = 20


@dataclass(frozen=True, slots=True)
class _Material:
    """What is measured on: test rows by id, and items by id."""

    rows: dict[str, TrainingExample]
    left_out: int
    items: list[Item]


def run(config: PipelineConfig, job: Job) -> Path:
    """Measure the adapter that `train` made; returns the artefact with `evaluation.json` and `answers.jsonl`.

    Raises:
        BadRows: test rows, adapter or items are missing or damaged.
        BadConfiguration, ShelfError: the base model is missing or cannot be used.
        EngineError: the app's engine could not run the pair.
    """
    rows = job.needed("split", "test.jsonl")
    adapter = job.needed("train", WEIGHTS).parent
    pair = Pair(base_folder(config.model, job.folder), adapter)
    manifest = read_manifest(pair.model)
    items = _items_file(config, job.folder)
    inputs = [rows, adapter / WEIGHTS, adapter / CONFIGURATION, *case_files(), *([items] if items else [])]
    settings = {
        "evaluate": asdict(config.evaluate),
        "seed": config.seed,
        "language": config.clean.language,
        "max_tokens": config.train.max_tokens,
        "base_sha256": manifest.weights_sha256,
        "safety_sha256": _sha256_of_safety(),
        "kernel": choose_kernel(),
    }
    return make_artefact(
        job, "evaluate", inputs, settings, lambda folder: _make(folder, config, pair, rows, items, job)
    )


def _make(folder: Path, config: PipelineConfig, pair: Pair, rows: Path, items: Path | None, job: Job) -> Counts:
    losses, choices, left_out, template_sha256 = _read_with_both(folder, config, pair, rows, items, job)
    in_order = [losses[name] for name in sorted(losses)]  # as they stand in the file, whether kept or made now
    before = [(base, tokens) for base, _, tokens in in_order]
    after = [(adapted, tokens) for _, adapted, tokens in in_order]
    figures: dict[str, Any] = {
        "perplexity": {
            "base": perplexity(before).to_json(),
            "adapter": perplexity(after).to_json(),
            "share_of_resamples_better": share_of_resamples_better(before, after),
            "rows_too_long": left_out,
        },
        "engine": {
            "base_sha256": read_manifest(pair.model).weights_sha256,
            "template_sha256": template_sha256,
            "kernel": choose_kernel(),
        },
    }
    if items:
        asked = read_items(items)
        base, adapter = ([choices[item.id][side] for item in asked] for side in (0, 1))
        figures["abilities"] = compare(asked, base, adapter)
    cases = cases_in(config.clean.language)
    figures["screen"] = _screen_figures(cases)
    answers = _answers(folder, config, pair, cases, job)
    figures |= figures_of(answers)
    missed = missed_thresholds(figures, config.evaluate.thresholds)
    figures |= {"thresholds": asdict(config.evaluate.thresholds), "missed": missed, "passed": not missed}
    write_json(folder / EVALUATION, figures)
    job.tell("evaluate: " + ("every threshold is met" if not missed else "missed: " + "; ".join(missed)))
    return {"rows": len(losses), "rows_too_long": left_out, "items": len(choices), "answers": len(answers)}


def _read_with_both(
    folder: Path, config: PipelineConfig, pair: Pair, rows: Path, items: Path | None, job: Job
) -> tuple[dict[str, tuple[float, float, int]], dict[str, tuple[int, int]], int, str]:
    """Losses and choices of base and adapter, the number of rows left out, and the template's hash.

    The model is loaded here as the engine's process loads it, and is gone again when this returns.
    """
    model, tokenizer = load_base(pair.model)
    speed_up(model, choose_kernel())
    model.eval()
    renderer = PromptRenderer(tokenizer)
    material = _material(rows, items, renderer, config.train.max_tokens, config.clean.language)
    if not material.rows:
        raise BadRows(f"No test row fits into {config.train.max_tokens} tokens. Please raise train.max_tokens.")

    def losses_of(side: Any, name: str) -> list[tuple[float, int]]:
        return losses_by_dialogue(
            side, list(material.rows.values()), _telling(job, f"{name}, test rows", len(material.rows))
        )

    def choices_of(side: Any, name: str) -> list[int]:
        return choose(side, renderer, material.items, _telling(job, f"{name}, items", len(material.items)))

    kept_losses, kept_choices = _kept(folder / _LOSSES), _kept(folder / _CHOICES)
    if kept_losses is None or kept_choices is None:
        before, chosen_before = losses_of(model, "base"), choices_of(model, "base")
        adapted = load_adapter(model, pair.adapter)
        after, chosen_after = losses_of(adapted, "adapter"), choices_of(adapted, "adapter")
        remove_adapter(model)
        kept_losses = {
            id_: (base[0], adapter[0], base[1]) for id_, base, adapter in zip(material.rows, before, after, strict=True)
        }
        kept_choices = {
            item.id: sides for item, *sides in zip(material.items, chosen_before, chosen_after, strict=True)
        }
        write_json(folder / _LOSSES, kept_losses)
        write_json(folder / _CHOICES, kept_choices)
    del model
    gc.collect()
    return kept_losses, kept_choices, material.left_out, renderer.template_sha256


def _material(rows: Path, items: Path | None, renderer: PromptRenderer, most_tokens: int, language: str) -> _Material:
    examples: dict[str, TrainingExample] = {}
    left_out = 0
    for row in read_rows(rows):
        example, _ = render_row(row, renderer, most_tokens, language)
        if len(example.token_ids) <= most_tokens:
            examples[row.id] = example
        else:
            left_out += 1
    return _Material(examples, left_out, read_items(items) if items else [])


def _answers(folder: Path, config: PipelineConfig, pair: Pair, cases: Sequence[InputCase], job: Job) -> list[Answer]:
    settings = config.evaluate
    asked = messages_to_ask(cases, settings.answers, config.seed)
    answers = collect_answers(
        pair,
        asked,
        settings.seeds,
        settings.new_tokens,
        folder / ANSWERS,
        lambda line: job.tell(f"evaluate: answers of both, {line}"),
    )
    # Those that were kept of a run that was stopped may stand in the order of that run.
    (folder / ANSWERS).write_text("".join(f"{answer.to_json()}\n" for answer in answers), encoding="utf-8")
    return answers


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
    path = _OWN_FILE if named == OWN_ITEMS else folder / named
    read_items(path)
    return path


def _sha256_of_safety() -> str:
    """Of what decides about a message and an answer besides the model: rules, learnt stages, prompts."""
    files: Sequence[Path] = [path for name in ("safety", "prompts") for path in (resources_dir() / name).rglob("*")]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        digest.update(f"{path.name}\0{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


def _kept(path: Path) -> dict[str, Any] | None:
    """What a run that was stopped has left; `write_json` leaves whole files only."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _telling(job: Job, what: str, total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % _TOLD_EVERY == 0 or done == total:
            job.tell(f"evaluate: {what}, {done} of {total}")

    return tell
