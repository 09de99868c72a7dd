"""The stage `second-stage`, from files to a shipped one: reads, cross-validates by family, sets thresholds, writes.

The thresholds come from families that the weights of their fold have not seen, so that the shares in the card speak of
ideas that are new to the stage, not of sentences it was made from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from mhdesk.core.atomic import write_bytes, write_json
from mhdesk.core.levels import Topic
from mhdesk.core.paths import resources_dir
from mhdesk.library.hashes import sha256_of_file
from mhdesk.safety.learnt import ENGLISH, added
from mhdesk.safety.rules import load_speller
from mhdesk.safety.second_stage import SecondStage, Weights
from trainer.errors import BadConfiguration, BadSentences
from trainer.marked_text import MarkedText
from trainer.second_stage import Stretches, learn, read_stretches
from trainer.stage_texts import fold_of, harmless_of, labels_of, read_texts

KINDS = ("screen", "gate")
_GATE_REASONS = (
    "method", "dose", "diagnosis", "encouragement", "delusion", "human_claim", "secrecy", "prompt_leak",
    "invented_service",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SecondStageConfig:
    """What to learn from, and how careful to be. Paths are relative to the folder of the YAML file."""

    kind: str
    """`screen` or `gate`."""
    sentences: tuple[str, ...]
    """Marked files; a star stands for any name."""
    output: str
    """Safetensors file to write; its card stands beside it as JSON."""
    strength: float = 10.0
    """Inverse of the regularisation."""
    folds: int = 5
    """Parts of the families; each is judged by weights learnt from the others."""
    false_share: float = 0.02
    """Share of harmless texts that may be raised to crisis, or stopped, by this stage alone."""
    alert_share: float = 0.06
    """Share of harmless texts that may be raised to elevated."""
    length_weight: float = 0.0
    """What the length of a text counts against it at least: real letters are longer than those we wrote."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadConfiguration(f"The configuration's kind must be one of {', '.join(KINDS)}.")
        if self.folds < 2 or not 0 < self.false_share < 1 or not 0 < self.alert_share < 1 or self.strength <= 0:
            raise BadConfiguration("The configuration's folds, shares or strength are outside what makes sense.")


def learn_stage(config: SecondStageConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Learn a second stage and write it; returns its path.

    Raises:
        BadSentences, BadConfiguration: what it is given cannot be used; nothing is written.
    """
    screens = config.kind == "screen"
    texts, paths = read_texts(config.kind, config.sentences, folder)
    speller = load_speller(resources_dir() / "safety" / "spelling.yaml") if screens else None
    tell(f"{len(texts)} texts of {len({(text.source, text.family) for text in texts})} families")
    stretches = read_stretches([text.text for text in texts], speller)
    outputs = (
        ("crisis", "alert", ENGLISH, *(topic.value for topic in Topic))
        if screens
        else ("stop", ENGLISH, *_GATE_REASONS)
    )
    labels = np.stack([labels_of(text, outputs, config.kind) for text in texts])
    # Sums by several threads end in other last digits from run to run, and so, seldom, in other weights.
    with threadpool_limits(1, user_api="blas"):
        unseen = _unseen_odds(texts, stretches, labels, outputs, config, tell)
        weights = learn(stretches, labels, outputs, config.strength, _balance(texts))
    others = ~labels[:, outputs.index(ENGLISH)]
    weights = replace(
        weights,
        sums=linear_sums(unseen, labels, stretches.lengths(), others, harmless_of(texts), _deciding(outputs), config),
    )
    path = folder / config.output
    write_weights(path, weights)
    np.save(unseen_odds_file(path), unseen)
    card = _card(texts, unseen, stretches.lengths(), weights, paths, config)
    write_json(path.with_suffix(".json"), card)
    tell(json.dumps(card["unseen_families"], ensure_ascii=False, indent=1))
    return path


def unseen_odds_file(stage: Path) -> Path:
    """Where the odds that each text was given by weights that had not seen its family are kept for the encoder."""
    return stage.with_suffix(".unseen.npy")


def write_weights(path: Path, weights: Weights) -> None:
    """Write `weights` as a safetensors file that `read_weights` takes."""
    about = {"outputs": weights.outputs, "sums": weights.sums}
    tensors = {name: getattr(weights, name) for name in ("buckets", "weights", "scales", "lengths", "biases")}
    write_bytes(path, save(tensors, metadata={"about": json.dumps(about)}))


def _unseen_odds(
    texts: Sequence[MarkedText],
    stretches: Stretches,
    labels: NDArray[np.bool_],
    outputs: Sequence[str],
    config: SecondStageConfig,
    tell: Callable[[str], None],
) -> NDArray[np.float64]:
    """Odds in context of each text by weights that have not seen its family, shape (texts, deciding outputs)."""
    folds = np.array([fold_of(text, config.folds) for text in texts])
    deciding = _deciding(outputs)
    found = np.zeros((len(texts), len(deciding)))

    def judge(fold: int) -> NDArray[np.float64]:
        others = folds != fold
        weights = learn(stretches.of(others), labels[others], deciding, config.strength, _balance(texts)[others])
        stage = SecondStage(weights)
        judged = stretches.of(folds == fold)
        odds = _odds(stage, judged)
        return np.stack([judged.in_context(odds[:, place]) for place in range(len(deciding))], axis=1)

    judging = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(map(delayed(judge), range(config.folds)))
    for fold, odds in enumerate(judging):
        found[folds == fold] = odds
        tell(f"part {fold + 1} of {config.folds} judged")
    return found


def _balance(texts: Sequence[MarkedText]) -> NDArray[np.float64]:
    """What each text counts, so that harm is as frequent in every language: no language is suspicious by itself."""
    kinds = [(text.language, text.mark in ("crisis", "stop")) for text in texts]
    counts = Counter(kinds)
    languages = Counter(language for language, _ in kinds)
    return np.array([languages[language] / (2 * counts[language, harm]) for language, harm in kinds])


def _deciding(outputs: Sequence[str]) -> list[str]:
    """The outputs that decide: those before `english`."""
    return list(outputs[: list(outputs).index(ENGLISH)])


def _odds(stage: SecondStage, stretches: Stretches) -> NDArray[np.float64]:
    """What `stage` gives for each stretch, by the same arithmetic as in the app."""
    sums = stretches.counts @ stage.rows.astype(np.float32)
    lengths = stretches.counts @ stage.lengths.astype(np.float32)
    return np.asarray(sums * stage.scales / np.sqrt(np.maximum(lengths, 1.0))[:, None] + stage.biases)


def linear_sums(
    unseen: NDArray[np.float64],
    labels: NDArray[np.bool_],
    lengths: NDArray[np.float64],
    others: NDArray[np.bool_],
    harmless: NDArray[np.bool_],
    deciding: Sequence[str],
    config: SecondStageConfig,
) -> dict[str, dict[str, float]]:
    """How odds and length of the `deciding` outputs count where the encoder cannot read: in the `others`."""
    chosen = others if others.any() else ~others
    found = {}
    for place, name in enumerate(deciding):
        share = config.alert_share if name == "alert" else config.false_share
        inputs = np.stack((unseen[chosen, place], np.zeros(chosen.sum()), -lengths[chosen]), axis=1)
        found[name] = fit_sum(inputs, labels[chosen, place], harmless[chosen], share, (0.0, config.length_weight))
    return found


def fit_sum(
    inputs: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    harmless: NDArray[np.bool_],
    share: float,
    least: tuple[float, float],
) -> dict[str, float]:
    """The weights of `learnt.added` by logistic regression, none below 0, and the threshold for a `share` of errors.

    `inputs` has shape (texts, 3): linear odds, the encoder's, and the length with its sign turned. `least` is what the
    first and the last count at least.

    Raises:
        BadSentences: none of the texts is wanted, or none is harmless.
    """
    if not wanted.any() or not harmless.any():
        raise BadSentences(
            "Of some language or held-out part all sentences are harmless, or none is. "
            "Please add families of both kinds in each language."
        )
    model = LogisticRegression(C=1.0).fit(inputs, wanted)
    linear, encoded, length = (max(0.0, float(weight)) for weight in model.coef_[0])
    linear, length = max(linear, least[0]), max(length, least[1])
    odds = inputs @ np.array([linear, encoded, length])
    threshold = float(np.quantile(odds[harmless], 1 - share))
    named = {"linear": linear, "encoder": encoded, "length": length, "threshold": threshold}
    return {name: round(value, 4) for name, value in named.items()}


def _card(
    texts: Sequence[MarkedText],
    unseen: NDArray[np.float64],
    lengths: NDArray[np.float64],
    weights: Weights,
    paths: Sequence[Path],
    config: SecondStageConfig,
) -> dict[str, Any]:
    sums = weights.sums[weights.outputs[0]]
    raised = [added(sums, float(odds), 0.0, float(size)) > 0 for odds, size in zip(unseen[:, 0], lengths, strict=True)]
    marks = [text.mark for text in texts]
    groups: dict[str, list[bool]] = {}
    for text, over in zip(texts, raised, strict=True):
        groups.setdefault(f"{text.language} {text.mark}", []).append(bool(over))
    return {
        "what": f"the learnt stage of the {config.kind}; it may only raise what the rules found",
        "method": "naive-Bayes-scaled logistic regression over hashed words, pairs of words and runs of letters",
        "texts": dict(Counter(marks)),
        "sources": {path.name: sha256_of_file(path) for path in paths},
        "strength": config.strength,
        "folds": config.folds,
        "features": int(weights.buckets.size),
        "sums": weights.sums,
        "unseen_families": {
            name: {"texts": len(over), "raised": round(sum(over) / len(over), 4)}
            for name, over in sorted(groups.items())
        },
        "limits": "Written by hand in English and ten other languages; no clinician has labelled it. Families that "
        "nobody thought of are missed more often than these shares say.",
    }
