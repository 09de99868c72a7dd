"""The page on what 8 bits cost, from its figures."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mhdesk.library.model_source import ModelSource, SourceKind
from trainer.measuring.markdown import filled, item, row
from trainer.measuring.variants import FULL, Memory
from trainer.perplexity import perplexity, perplexity_ratio
from trainer.safety import Share


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one text: losses and tokens of its pieces, and the likeliest token at each place that counts."""

    losses: list[tuple[float, int]]
    likeliest: list[int]


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second of every round; rounds of all models belong together."""

    reading: list[float]
    writing: list[float]
    threads: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured; the keys are names of variants, the first the reference, the last ones 8 bits."""

    source: ModelSource
    weights_bytes: Mapping[str, int]
    memory: Mapping[str, Memory]
    quality: Mapping[str, Mapping[str, Quality]]
    """By text, then variant."""
    speeds: Mapping[str, Speed]
    prompt_tokens: int
    new_tokens: int


_KERNELS = """\
The 8-bit weights are the same under either kernel: one scale a row, no outlier columns kept apart. `int8pack`
multiplies them with activations in bfloat16. `int_mm`, which the app takes where the processor has VNNI instructions,
also rounds the activations of a prompt to 8 bits, one scale a token; the single tokens of a reply go through `int8pack`
even there. Perplexity reads words that stand there in one go, as if they were a prompt: so what a reply loses under
`int_mm` lies between the two columns.
"""


def page(figures: Figures) -> str:
    """Markdown."""
    names = list(figures.weights_bytes)
    return "\n".join(
        [
            "# What 8 bits cost",
            "",
            *_introduction(figures),
            "",
            row("", *names),
            row("---", *["---"] * len(names)),
            *_size_rows(figures, names),
            *(row for text in figures.quality for row in _quality_rows(figures, text, names)),
            *_speed_rows(figures, names),
            "",
            *_reading_of_it(figures, names),
            "",
            _KERNELS,
            "## How it was measured",
            "",
            *_method(figures, names),
            "",
        ]
    )


def _introduction(figures: Figures) -> list[str]:
    source = figures.source
    lines = [
        filled(
            f"{source.title} ({source.id}, {source.shape.parameters / 1e6:,.1f} million parameters) in full precision, "
            "and as the app runs it. Made by one command, which takes any model that the app can import:"
        ),
        "",
        "    python -m trainer precision --config trainer/configs/precision.yaml",
    ]
    if source.kind is SourceKind.GGUF:
        lines += [
            "",
            filled(
                f"**Its full precision is that of `{source.path.name}`**, put into float32: what that file had rounded "
                "away before is in no column. The 8-bit model is made from the same numbers."
            ),
        ]
    return lines


def _size_rows(figures: Figures, names: Sequence[str]) -> list[str]:
    memories = [figures.memory[name] for name in names]
    return [
        row("weights on disk", *(_mb(figures.weights_bytes[name]) for name in names)),
        row("memory, after a reply", *(_mb(m.worked - m.libraries) for m in memories)),
    ]


def _quality_rows(figures: Figures, text: str, names: Sequence[str]) -> list[str]:
    found = [figures.quality[text][name] for name in names]
    reference = found[0]
    values = [perplexity(quality.losses) for quality in found]
    ratios = [perplexity_ratio(reference.losses, quality.losses) for quality in found[1:]]
    shares = [_same(reference, quality) for quality in found[1:]]
    return [
        row(f"perplexity, {text}", *(f"{v.value:.3f} ({v.low:.2f} to {v.high:.2f})" for v in values)),
        row("… against the first column", "", *(_percent(*ratio) for ratio in ratios)),
        row("… same next token as the first column", "", *(f"{share.value:.1%}" for share in shares)),
    ]


def _speed_rows(figures: Figures, names: Sequence[str]) -> list[str]:
    speeds = [figures.speeds[name] for name in names]
    rows = [
        row(f"reading {figures.prompt_tokens} tokens, tokens/s", *(f"{median(s.reading):,.0f}" for s in speeds)),
        row(f"writing {figures.new_tokens} tokens, tokens/s", *(f"{median(s.writing):,.1f}" for s in speeds)),
    ]
    for other in (name for name in names if name in FULL):
        base = figures.speeds[other]
        rows += [
            row(f"… reading, times {other}", *(_times(s.reading, base.reading) for s in speeds)),
            row(f"… writing, times {other}", *(_times(s.writing, base.writing) for s in speeds)),
        ]
    return rows


def _reading_of_it(figures: Figures, names: Sequence[str]) -> list[str]:
    """A sentence for each 8-bit column, from the figures."""
    lines = []
    for name in (name for name in names if name not in FULL):
        smaller = figures.weights_bytes[name] / figures.weights_bytes[names[0]]
        costs = []
        for text, found in figures.quality.items():
            value, low, high = perplexity_ratio(found[names[0]].losses, found[name].losses)
            told = "which may be chance" if low <= 1 <= high else "more than chance"
            share = _same(found[names[0]], found[name])
            costs.append(
                f"on {text}, perplexity changes by {_percent(value, low, high)}, {told}, and {share.value:.1%} of next "
                "tokens stay the same"
            )
        lines.append(item(f"**{name}**: {smaller:.0%} of the bytes of {names[0]}; {'; '.join(costs)}."))
    return lines


def _method(figures: Figures, names: Sequence[str]) -> list[str]:
    pieces = "; ".join(
        f"{text}: {sum(n for _, n in found[names[0]].losses):,} tokens that count in {len(found[names[0]].losses):,} "
        "pieces"
        for text, found in figures.quality.items()
    )
    speed = figures.speeds[names[0]]
    return [
        item(
            f"Texts: {pieces}. Of conversations only the supporter's words count, rendered as in the app; of plain "
            "text all tokens."
        ),
        item(
            "In brackets: 95 % intervals from 2,000 resamplings of the pieces. A difference is resampled in pairs, so "
            "its interval is far narrower than those of the two perplexities."
        ),
        item(
            "Each model is loaded by itself in a fresh process; memory is resident memory less what the libraries "
            f"took before. A reply: {figures.prompt_tokens} tokens read, {figures.new_tokens} written."
        ),
        item(
            f"Speed is measured with all of them in memory, in turn, {len(speed.reading)} rounds after one that does "
            f"not count, by the engine's own loop on {speed.threads} thread{'s' if speed.threads > 1 else ''}; "
            "medians. A ratio is the median of the rounds' ratios, with the smallest and the largest, so that what "
            "else the machine did falls on both sides."
        ),
        item(f"Machine: {_processor()}, {platform.system()}."),
    ]


def _same(reference: Quality, other: Quality) -> Share:
    same = [a == b for a, b in zip(reference.likeliest, other.likeliest, strict=True)]
    return Share.of(same)


def _times(speeds: Sequence[float], base: Sequence[float]) -> str:
    ratios = [speed / other for speed, other in zip(speeds, base, strict=True)]
    return "1" if speeds == base else f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _percent(value: float, low: float, high: float) -> str:
    return f"{(value - 1) * 100:+.2f} % ({(low - 1) * 100:+.2f} to {(high - 1) * 100:+.2f})"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"
