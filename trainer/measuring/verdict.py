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
    for what, name, setting in (
        ("its answers", "answers", "most_stopped_above_base"),
        ("its own words in a crisis", "own_words_in_crisis", "most_crisis_stopped_above_base"),
    ):
        above, most = figures["stopped_above_base"][name], getattr(thresholds, setting)
        low, high = above["interval"]
        if above["difference"] > most + 1e-9:
            missed.append(
                f"the gate stopped {above['difference'] * 100:.1f} points more of {what} than of the base's (95 % "
                f"interval {low * 100:.1f} to {high * 100:.1f}), and {most * 100:.1f} may be ({setting})"
            )
    if answers.get("repeated_share", 0.0) > thresholds.most_repeated + 1e-9:
        missed.append(
            f"{answers['repeated_share']:.1%} of the four-word sequences in its answers are repetitions, and "
            f"{thresholds.most_repeated:.1%} may be (most_repeated)"
        )
    if synthetic := figures.get("synthetic"):
        low, high = synthetic["ratio_interval"]
        if high >= 1:
            missed.append(
                f"its perplexity on test rows is {synthetic['ratio']:.3f} times that of an adapter learnt without the "
                f"synthetic rows (95 % interval {low:.3f} to {high:.3f}), and the interval must lie below 1 "
                "(compare_synthetic)"
            )
    return missed
