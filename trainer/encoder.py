"""The stages `encoder` and `sums`: the small encoder that reads English beside the linear stage, and how both add up.

It begins as sentence-transformers/all-MiniLM-L6-v2. Which stretch of a text carries the danger is not marked: after the
first epoch it is the one that the encoder itself finds most alarming. Families that are held out set the weights of the
sum and its thresholds; `sums` does this alone, where another threshold is wanted or the linear stage was made anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from mhdesk.core.atomic import write_json
from mhdesk.library.hashes import sha256_of_file
from mhdesk.safety.encoder import Encoder, read_encoder
from trainer.added_odds import EnglishTexts, Sums, read_english, sums_of
from trainer.config import check
from trainer.encoder_files import encoder_tensors, write_encoder
from trainer.encoder_training import EncoderTraining, Net, Unfinished
from trainer.errors import BadConfiguration
from trainer.learn_stage import KINDS

_NAMING_WEIGHT = 0.3
_DECIDING_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """What to learn from. Paths are relative to the folder of the YAML file."""

    kind: str
    """`screen` or `gate`."""
    base: str
    """Folder of all-MiniLM-L6-v2 as sentence-transformers publishes it."""
    sentences: tuple[str, ...]
    """Marked files, the ones that the linear stage was made from."""
    stage: str
    """The linear stage, made by `second-stage`."""
    output: str
    """Safetensors file to write; its card stands beside it as JSON."""
    epochs: int = 4
    learning_rate: float = 1e-4
    harmless_stretches: int = 1
    """Stretches of a harmless text that are learnt from in an epoch, beside the most telling ones."""
    tokens: int = 44
    """Most tokens of a stretch that are read, by which the time grows."""
    held_out_share: float = 0.1
    """Part of the families that the encoder is kept from."""
    seed: int = 20
    sums: Sums = field(default_factory=Sums)

    def __post_init__(self) -> None:
        check(
            self,
            {
                "kind": self.kind in KINDS,
                "epochs": self.epochs >= 1,
                "harmless_stretches": self.harmless_stretches >= 0,
                "tokens": 4 <= self.tokens <= 512,
                "held_out_share": 0 < self.held_out_share < 1,
            },
        )


def learn_encoder(config: EncoderConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Train, add up, write; returns the path of the encoder. A run that was stopped goes on after its last epoch.

    Raises:
        BadSentences, BadConfiguration: what it is given cannot be used; nothing is written.
    """
    base = folder / config.base
    if not (base / "model.safetensors").is_file():
        raise BadConfiguration(f"The folder {base} holds no model.safetensors. See the trainer's page for the base.")
    texts, paths = _read(config, folder)
    tell(f"{len(texts.read)} English texts, {int(texts.held_out.sum())} of them held out")
    path = folder / config.output
    made_from = {
        "sources": {source.name: sha256_of_file(source) for source in paths},
        "stage_sha256": sha256_of_file(folder / config.stage),
        "base_sha256": sha256_of_file(base / "model.safetensors"),
        "settings": {name: value for name, value in asdict(config).items() if name != "sums"},
    }
    unfinished = Unfinished(path, json.dumps(made_from))
    tokenizer = AutoTokenizer.from_pretrained(base)
    weight = torch.full((len(texts.outputs),), _NAMING_WEIGHT)
    weight[: texts.linear.shape[1]] = _DECIDING_WEIGHT
    run = EncoderTraining(
        tokenizer, texts, weight,
        tokens=config.tokens, harmless_stretches=config.harmless_stretches, seed=config.seed,
        unfinished=unfinished, tell=tell,
    )  # fmt: skip
    net = Net(AutoModel.from_pretrained(base), len(texts.outputs))
    run.train(net, config.epochs, config.learning_rate)
    tensors = encoder_tensors(net.base, net.head, tokenizer, config.tokens)
    shape = net.base.config
    about = {"outputs": texts.outputs, "layers": shape.num_hidden_layers, "heads": shape.num_attention_heads}
    card = {
        "what": f"the encoder of the {config.kind}: reads English stretches beside the linear stage",
        "base": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        **made_from,
    }
    _write(path, tensors, about, texts, config, card, tell)
    unfinished.remove()
    return path


def add_odds(config: EncoderConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Find anew how an encoder that is there and the linear stage are added; returns the encoder's path.

    Raises:
        BadSentences, BadConfiguration, BadRules: what it is given cannot be used; nothing is written.
    """
    path = folder / config.output
    texts, _ = _read(config, folder)
    tensors, about = read_encoder(path)
    try:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"The card of {path} cannot be read. Please run encoder again.") from error
    _write(path, tensors, about, texts, config, card, tell)
    return path


def _read(config: EncoderConfig, folder: Path) -> tuple[EnglishTexts, list[Path]]:
    return read_english(config.kind, config.sentences, folder / config.stage, folder, config.held_out_share)


def _write(
    path: Path,
    tensors: dict[str, NDArray[Any]],
    about: dict[str, Any],
    texts: EnglishTexts,
    config: EncoderConfig,
    card: dict[str, Any],
    tell: Callable[[str], None],
) -> None:
    added, shares = sums_of(Encoder(tensors, about), texts, config.sums)
    tell(json.dumps(shares, indent=1))
    write_json(path.with_suffix(".json"), {**card, **added, "unseen_families": shares})
    write_encoder(path, tensors, {**about, **added})
