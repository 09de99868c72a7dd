"""How the odds of the linear stage and of the encoder are added, and from where on the sum counts.

Found on families that neither has seen: the encoder was kept from them, and the linear stage's odds come from weights
of a fold without them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mhdesk.core.paths import resources_dir
from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.encoder import Encoder
from mhdesk.safety.learnt import ENGLISH, most_alarming
from mhdesk.safety.ngrams import read_ngrams
from mhdesk.safety.rules import load_speller
from mhdesk.safety.second_stage import SecondStage, stretches_to_read, telling_stretch
from trainer.errors import BadConfiguration
from trainer.learn_stage import fit_sum, unseen_odds_file
from trainer.stage_texts import harmless_of, labels_of, place_of, read_texts

_MOST: Final = 0.6
"""Share of dangerous texts of which the encoder is less sure than what is taken for as sure as it can be. A higher one
makes it read more texts that the linear stage finds harmless, which takes time."""


@dataclass(frozen=True, slots=True)
class Sums:
    """How the odds are added and where the sum begins to count. No part of what the encoder itself is made from."""

    false_share: float = 0.02
    """Share of harmless held-out texts that may be raised to crisis, or stopped."""
    alert_share: float = 0.06
    """Share of harmless held-out texts that may be raised to elevated."""
    linear_weight: float = 0.0
    """What the linear stage counts at least: on plain text the encoder is surer than it is right."""
    length_weight: float = 0.0
    """What the length of a text counts against it at least: real letters are longer than those we wrote."""


@dataclass(frozen=True, slots=True)
class EnglishTexts:
    """What the encoder can read, and what it and the linear stage should say of it.

    `read` holds what the app would give it of each text, the most telling stretch first, and `others` the text's other
    stretches. `labels` has shape (texts, outputs); `linear` (texts, deciding outputs) holds odds by weights that have
    not seen the family; `lengths` the logarithm of how many stretches each has; `held_out` and `harmless` mark texts.
    """

    outputs: tuple[str, ...]
    read: list[list[str]]
    others: list[list[str]]
    labels: NDArray[np.float32]
    linear: NDArray[np.float64]
    lengths: NDArray[np.float64]
    held_out: NDArray[np.bool_]
    harmless: NDArray[np.bool_]


def read_english(
    kind: str, sentences: Sequence[str], stage_path: Path, folder: Path, held_out_share: float
) -> tuple[EnglishTexts, list[Path]]:
    """The texts that the encoder can read, and the files they are from.

    Raises:
        BadSentences, BadConfiguration: the sentences cannot be used, or are not those of the linear stage.
    """
    stage = SecondStage.load(stage_path)
    texts, paths = read_texts(kind, sentences, folder)
    unseen = np.load(unseen_odds_file(stage_path))
    if unseen.shape[0] != len(texts):
        raise BadConfiguration("The linear stage was made from other sentences. Please run second-stage first.")
    speller = load_speller(resources_dir() / "safety" / "spelling.yaml") if kind == "screen" else None
    english = stage.outputs.index(ENGLISH)
    outputs = tuple(name for name in stage.outputs if name != ENGLISH)
    kept: list[int] = []
    read: list[list[str]] = []
    others: list[list[str]] = []
    lengths: list[float] = []
    for place, text in enumerate(texts):
        ngrams = read_ngrams(read_clauses(text.text, speller).data)
        windows, odds = stage.odds(ngrams)
        if windows.size and odds[int(odds[:, 0].argmax()), english] > 0:
            telling = telling_stretch(windows, odds[:, 0])
            read.append(stretches_to_read(ngrams, windows, odds[:, 0], telling))
            all_stretches = (ngrams.stretch(int(first), int(last)) for first, last in windows)
            others.append([stretch for stretch in all_stretches if stretch not in read[-1]])
            lengths.append(math.log(len(windows)))
            kept.append(place)
    chosen = [texts[place] for place in kept]
    found = EnglishTexts(
        outputs=outputs,
        read=read,
        others=others,
        labels=np.stack([labels_of(text, outputs, kind) for text in chosen]).astype(np.float32),
        linear=unseen[np.array(kept)],
        lengths=np.array(lengths),
        held_out=np.array([place_of(text, "held") < held_out_share for text in chosen]),
        harmless=harmless_of(chosen),
    )
    return found, paths


def sums_of(encoder: Encoder, texts: EnglishTexts, settings: Sums) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of an encoder, and what its sums find of the held-out texts.

    Of it are said the sum of each output that decides (`sums`), and log odds that it seldom exceeds (`most_sure`).
    """
    held = np.flatnonzero(texts.held_out)
    encoded = np.stack([most_alarming(encoder.odds(texts.read[place])) for place in held])
    sums: dict[str, Any] = {}
    shares: dict[str, Any] = {}
    for place in range(texts.linear.shape[1]):
        name = texts.outputs[place]
        share = settings.alert_share if name == "alert" else settings.false_share
        inputs = np.stack((texts.linear[held, place], encoded[:, place], -texts.lengths[held]), axis=1)
        wanted, harmless = texts.labels[held, place] > 0, texts.harmless[held]
        sums[name] = fit_sum(inputs, wanted, harmless, share, (settings.linear_weight, settings.length_weight))
        shares[name] = _found(inputs, sums[name], wanted, harmless, share)
    dangerous = encoded[texts.labels[held, 0] > 0, 0]
    return {"sums": sums, "most_sure": round(float(np.quantile(dangerous, _MOST)), 2)}, shares


def _found(
    inputs: NDArray[np.float64],
    sums: dict[str, float],
    wanted: NDArray[np.bool_],
    harmless: NDArray[np.bool_],
    share: float,
) -> dict[str, float]:
    """What is found of the wanted texts where a `share` of the harmless ones is: by both readers, and by each."""

    def found(linear: float, encoder: float) -> float:
        odds = inputs @ np.array([linear, encoder, sums["length"]])
        return round(float((odds[wanted] > np.quantile(odds[harmless], 1 - share)).mean()), 4)

    return {
        "texts": int(wanted.sum()),
        "harmless texts": int(harmless.sum()),
        "wrongly": share,
        "found": found(sums["linear"], sums["encoder"]),
        "found by the linear stage alone": found(sums["linear"], 0.0),
        "found by the encoder alone": found(0.0, sums["encoder"]),
    }
