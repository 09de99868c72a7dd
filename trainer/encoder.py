"""The stage `encoder`: trains the small encoder that reads English beside the linear stage, and how both are added.

A teacher of six layers learns from the sentences; a student made of some of its layers learns from them and from what
the teacher says of them (Hinton et al., 2015), since the window has milliseconds. Which stretch of a text carries the
danger is not marked: after the first epoch it is the one that the teacher finds most alarming. Both begin as
sentence-transformers/all-MiniLM-L6-v2. Families that are held out set the weights of the sum and its thresholds.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from mhdesk.core.atomic import write_json
from mhdesk.library.hashes import sha256_of_file
from trainer.added_odds import SumsConfig, add_odds, read_english
from trainer.config import check
from trainer.encoder_files import write_encoder
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
    layers: tuple[str, ...]
    """Numbers of the teacher's layers that the student is made of."""
    teacher_epochs: int = 2
    student_epochs: int = 3
    learning_rate: float = 1e-4
    harmless_stretches: int = 1
    """Stretches of a harmless text that are learnt from in an epoch, beside the most telling ones."""
    tokens: int = 44
    """Most tokens of a stretch that are read, by which the time grows."""
    held_out_share: float = 0.1
    false_share: float = 0.02
    alert_share: float = 0.06
    linear_weight: float = 0.0
    length_weight: float = 0.0
    seed: int = 20

    def __post_init__(self) -> None:
        check(
            self,
            {
                "kind": self.kind in KINDS,
                "layers": bool(self.layers),
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
    texts, paths = read_english(config.kind, config.sentences, folder / config.stage, folder, config.held_out_share)
    tell(f"{len(texts.read)} English texts, {int(texts.held_out.sum())} of them held out")
    path = folder / config.output
    sources = {source.name: sha256_of_file(source) for source in paths}
    unfinished = Unfinished(path, json.dumps([asdict(config), sources, sha256_of_file(folder / config.stage)]))
    tokenizer = AutoTokenizer.from_pretrained(base)
    weight = torch.full((len(texts.outputs),), _NAMING_WEIGHT)
    weight[: texts.linear.shape[1]] = _DECIDING_WEIGHT
    run = EncoderTraining(
        tokenizer, texts, weight,
        tokens=config.tokens, harmless_stretches=config.harmless_stretches, seed=config.seed,
        unfinished=unfinished, tell=tell,
    )  # fmt: skip
    teacher = Net(AutoModel.from_pretrained(base), len(texts.outputs))
    run.train(teacher, config.teacher_epochs, config.learning_rate, None, "teacher")
    student = copy.deepcopy(teacher)
    chosen = [student.base.encoder.layer[int(place)] for place in config.layers]
    if len(chosen) < len(teacher.base.encoder.layer):
        student.base.encoder.layer = torch.nn.ModuleList(chosen)
        run.train(student, config.student_epochs, 2 * config.learning_rate, teacher, "student")
    about = {"outputs": texts.outputs, "sums": {}, "layers": len(chosen)}
    write_encoder(path, student.base, student.head, tokenizer, about, config.tokens)
    card = {
        "what": f"the encoder of the {config.kind}: reads English stretches beside the linear stage",
        "base": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "base_sha256": sha256_of_file(base / "model.safetensors"),
        "sources": sources,
        "settings": {"layers": config.layers, "tokens": config.tokens, "learning_rate": config.learning_rate,
                     "harmless_stretches": config.harmless_stretches, "seed": config.seed,
                     "teacher_epochs": config.teacher_epochs, "student_epochs": config.student_epochs,
                     "held_out_share": config.held_out_share},
    }  # fmt: skip
    write_json(path.with_suffix(".json"), card)
    added = add_odds(
        SumsConfig(config.kind, config.sentences, config.stage, config.output, config.held_out_share,
                   config.false_share, config.alert_share, config.linear_weight, config.length_weight),
        folder, tell,
    )  # fmt: skip
    unfinished.remove()
    return added
