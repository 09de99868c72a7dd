"""The model card of an adapter: Hugging Face's README with its YAML head, from what the stages left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mhdesk.library.model_folder import ModelManifest
from trainer.measuring.answers import Answer
from trainer.measuring.card_figures import figures_told, five_messages_told
from trainer.measuring.markdown import filled, item, row
from trainer.measuring.provenance import SourceRows
from trainer.rows import Side

_POINTS = 12
"""Points of a curve that are shown."""


@dataclass(frozen=True, slots=True)
class CardMaterial:
    """Everything a card tells."""

    name: str
    """Of the adapter."""
    language: str
    """Of the rows; empty where all were kept."""
    train: Mapping[str, Any]
    """Settings that it was learnt with."""
    seed: int
    base: ModelManifest
    sources: Sequence[SourceRows]
    counts: Mapping[str, Mapping[str, Any]]
    """What each stage counted, from its manifest."""
    curve: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    five: Sequence[Answer]
    created: str


def model_card(material: CardMaterial) -> str:
    """The README."""
    return "\n".join(
        [
            "---",
            yaml.safe_dump(_head(material), sort_keys=False, allow_unicode=True).rstrip(),
            "---",
            "",
            f"# {material.name}",
            "",
            *_what_it_is(material),
            *_verdict(material.evaluation),
            *_data(material),
            *_stages(material),
            *_training(material),
            *figures_told(material.evaluation),
            *five_messages_told(material.five),
            *_limits(material),
        ]
    )


def _head(material: CardMaterial) -> dict[str, Any]:
    licences = sorted({source.licence for source in material.sources})
    head: dict[str, Any] = {"license": licences[0].lower() if len(licences) == 1 else "other"}
    if len(licences) > 1:
        head["license_name"] = " and ".join(licences)
    tags = ["lora", "mhdesk", "self-help", f"base_model:adapter:{material.base.id}"]
    if _non_commercial(material):
        tags.append("non-commercial-data")
    return {
        **head,
        "base_model": material.base.id,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "language": [material.language or "en"],
        "tags": tags,
    }


def _what_it_is(material: CardMaterial) -> Iterator[str]:
    base = material.base
    yield filled(
        f"A LoRA adapter for {base.id} in the very 8-bit form that MHDesk makes of it (`base_sha256` in `card.json`). "
        "It was made so that the model answers somebody who writes down what is on their mind in the manner of the "
        f"conversations below. Made on {material.created}."
    )
    yield ""
    yield filled(
        "**It is not therapy and not a substitute for professional advice, diagnosis or treatment.** It is a language "
        "model's words: it can be wrong, and it cannot tell how somebody is. It is meant to run inside MHDesk, whose "
        "screen keeps a crisis away from every model and whose gate reads every answer before a person does; without "
        "them it must not be put before people in distress."
    )
    yield ""


def _verdict(evaluation: Mapping[str, Any]) -> Iterator[str]:
    if not evaluation["missed"]:
        yield filled("It met every threshold that its configuration set.")
    else:
        yield "**It missed what its configuration asked for:**"
        yield ""
        yield from (item(f"{sentence}.") for sentence in evaluation["missed"])
    yield ""


def _data(material: CardMaterial) -> Iterator[str]:
    yield "## Data"
    yield ""
    yield row("source", "from", "licence", "commercial use", "learnt from", "chose", "measured", "synthetic")
    yield row(*["---"] * 8)
    for source in material.sources:
        yield row(
            source.name,
            source.origin or "not stated",
            source.licence,
            "yes" if source.commercial else "**no**",
            *(source.rows.get(side.label, 0) for side in Side),
            source.synthetic,
        )
    yield ""
    total = sum(sum(source.rows.values()) for source in material.sources)
    synthetic = sum(source.synthetic for source in material.sources)
    yield filled(
        f"{synthetic} of {total} rows ({synthetic / max(1, total):.1%}) were written by a language model. "
        + ("Whether they help was not measured. " if synthetic and "synthetic" not in material.evaluation else "")
        + (
            f"**Data that may not be used commercially is in it: {', '.join(_non_commercial(material))}.** So the "
            "adapter may not be either."
            if _non_commercial(material)
            else "No source forbids commercial use."
        )
    )
    yield ""


def _stages(material: CardMaterial) -> Iterator[str]:
    yield "## What became of the rows"
    yield ""
    yield row("stage", "what", "count")
    yield row("---", "---", "---")
    for stage, counts in material.counts.items():
        for what, count in _flat(counts):
            yield row(stage, what, count)
    yield ""


def _training(material: CardMaterial) -> Iterator[str]:
    yield "## Training"
    yield ""
    told = ", ".join(f"{name} {_shown(value)}" for name, value in material.train.items())
    yield filled(f"Seed {material.seed}; {told}.")
    yield ""
    best = material.curve["best"]
    yield filled(f"The weights of step {best['step']} were kept, whose loss on the validation rows was the best.")
    yield ""
    for name in ("training", "validation"):
        points = material.curve[name]
        every = max(1, -(-len(points) // _POINTS))
        curve = ", ".join(f"{point['loss']:.3f} ({point['step']})" for point in points[::-1][::every][::-1])
        yield filled(f"Loss by step, {name}: {curve}.")
        yield ""


def _limits(material: CardMaterial) -> Iterator[str]:
    tokens = material.evaluation["perplexity"]["base"]["tokens"]
    yield "## Limits"
    yield ""
    yield item(
        f"Perplexity is measured on {tokens:,} tokens like those it learnt from. It says that the adapter sounds like "
        "its data, and nothing of whether an answer helps anyone."
    )
    yield item("No clinician has judged its answers, and nobody in distress has tried it for this card.")
    yield item("It knows nothing that its base does not know, and takes over what is wrong or one-sided in its data.")
    yield item(
        "Screen and gate miss things; the app's safety protocol says how many. Figures of answers come from single "
        "messages, not from conversations."
    )
    yield item("It fits one base in one form only. MHDesk refuses it beside any other.")
    yield ""


def _non_commercial(material: CardMaterial) -> list[str]:
    return [source.name for source in material.sources if not source.commercial]


def _flat(counts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Counts within counts as `dropped, too short`."""
    for name, value in counts.items():
        told = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{told}, ")
        elif isinstance(value, int | float | str):
            yield told, _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
