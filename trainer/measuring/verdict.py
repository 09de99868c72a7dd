"""Which thresholds an adapter missed."""

from __future__ import annotations

from typing import Any

from trainer.settings.evaluate import Thresholds


def missed_thresholds(figures: dict[str, Any], thresholds: Thresholds) -> list[str]:
    """One sentence for each threshold that was missed, with both figures.

    Args:
        figures: `evaluation.json` as far as it is made; what was not measured misses nothing.
        thresholds: what decides.
    """
    missed = []
    better = figures["perplexity"]["share_of_resamples_better"]
    if better < thresholds.least_resamples_better:
        missed.append(
            f"its loss is below the base's in {better:.1%} of resampled test rows, and "
            f"{thresholds.least_resamples_better:.1%} are asked for (least_resamples_better)"
        )
    abilities = figures.get("abilities")
    if abilities and abilities["lost"] > thresholds.most_ability_lost + 1e-9:
        missed.append(
            f"it lost {abilities['lost'] * 100:.1f} points of right answers to general questions, and "
            f"{thresholds.most_ability_lost * 100:.1f} may be lost (most_ability_lost)"
        )
    answers = figures["answers"]["adapter"]
    if answers["stopped"]["share"] > thresholds.most_stopped + 1e-9:
        missed.append(
            f"the gate stopped {answers['stopped']['share']:.1%} of its answers, and "
            f"{thresholds.most_stopped:.1%} may be stopped (most_stopped)"
        )
    if answers.get("repeated_share", 0.0) > thresholds.most_repeated + 1e-9:
        missed.append(
            f"{answers['repeated_share']:.1%} of the four-word sequences in its answers are repetitions, and "
            f"{thresholds.most_repeated:.1%} may be (most_repeated)"
        )
    return missed
