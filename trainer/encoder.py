"""The stage `encoder`: trains the small encoder that reads English beside the linear stage, and how both are added.

A teacher of six layers learns from the sentences; a student made of some of its layers learns from them and from what
the teacher says of them (Hinton et al., 2015), since the window has milliseconds. Both begin as
sentence-transformers/all-MiniLM-L6-v2. Families that are held out set the weights of the sum and its thresholds.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from mhdesk.core.atomic import write_json
from trainer.added_odds import EnglishTexts, SumsConfig, add_odds, read_english
from trainer.config import check
from trainer.encoder_files import write_encoder
from trainer.errors import BadConfiguration
from trainer.learn_stage import KINDS

_BATCH = 32
_CHUNK = 1024
_HEAD_FASTER = 10
_WARM_UP = 50
_FROM_TEACHER = 0.6
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
    """Stretches of a harmless text that are learnt from in an epoch, beside the most telling one."""
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


class _Net(torch.nn.Module):
    def __init__(self, base: Any, outputs: int) -> None:
        super().__init__()
        self.base = base
        self.head = torch.nn.Linear(base.config.hidden_size, outputs)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.base(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask[..., None].float()
        found: torch.Tensor = self.head((hidden * weight).sum(1) / weight.sum(1))
        return found


def learn_encoder(config: EncoderConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Train, add up, write; returns the path of the encoder.

    Raises:
        BadSentences, BadConfiguration: what it is given cannot be used; nothing is written.
    """
    base = folder / config.base
    if not (base / "model.safetensors").is_file():
        raise BadConfiguration(f"The folder {base} holds no model.safetensors. See the trainer's page for the base.")
    texts, paths = read_english(config.kind, config.sentences, folder / config.stage, folder, config.held_out_share)
    tell(f"{len(texts.stretches)} English texts, {int(texts.held_out.sum())} of them held out")
    torch.manual_seed(config.seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    weight = torch.full((len(texts.outputs),), _NAMING_WEIGHT)
    weight[: texts.linear.shape[1]] = _DECIDING_WEIGHT
    run = _Run(tokenizer, texts, weight, config, tell)
    teacher = _Net(AutoModel.from_pretrained(base), len(texts.outputs))
    run.train(teacher, config.teacher_epochs, config.learning_rate, None, "teacher")
    student = copy.deepcopy(teacher)
    chosen = [student.base.encoder.layer[int(place)] for place in config.layers]
    if len(chosen) < len(teacher.base.encoder.layer):
        student.base.encoder.layer = torch.nn.ModuleList(chosen)
        run.train(student, config.student_epochs, 2 * config.learning_rate, teacher, "student")
    path = folder / config.output
    about = {"outputs": texts.outputs, "sums": {}, "layers": len(chosen)}
    write_encoder(path, student.base, student.head, tokenizer, about, config.tokens)
    card = {
        "what": f"the encoder of the {config.kind}: reads one English stretch beside the linear stage",
        "base": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "base_sha256": hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest(),
        "sources": {source.name: hashlib.sha256(source.read_bytes()).hexdigest() for source in paths},
        "settings": {"layers": config.layers, "tokens": config.tokens, "learning_rate": config.learning_rate,
                     "harmless_stretches": config.harmless_stretches, "seed": config.seed,
                     "teacher_epochs": config.teacher_epochs, "student_epochs": config.student_epochs,
                     "held_out_share": config.held_out_share},
    }  # fmt: skip
    write_json(path.with_suffix(".json"), card)
    return add_odds(
        SumsConfig(config.kind, config.sentences, config.stage, config.output, config.held_out_share,
                   config.false_share, config.alert_share, config.linear_weight, config.length_weight),
        folder, tell,
    )  # fmt: skip


class _Run:
    """Training and judging with one tokenizer and one set of examples."""

    def __init__(
        self,
        tokenizer: Any,
        texts: EnglishTexts,
        weight: torch.Tensor,
        config: EncoderConfig,
        tell: Callable[[str], None],
    ) -> None:
        self._tokenizer = tokenizer
        self._texts = texts
        self._weight = weight
        self._tell = tell
        self._tokens = config.tokens
        self._harmless_stretches = config.harmless_stretches
        self._random = np.random.default_rng(config.seed)

    def train(self, net: _Net, epochs: int, rate: float, teacher: _Net | None, name: str) -> None:
        optimiser = torch.optim.AdamW(
            [
                {"params": net.base.parameters(), "lr": rate},
                {"params": net.head.parameters(), "lr": rate * _HEAD_FASTER},
            ],
            weight_decay=0.01,
        )
        rates = [group["lr"] for group in optimiser.param_groups]
        step = total = 0
        soft: torch.Tensor | None = None
        for epoch in range(epochs):
            if soft is None:  # what the teacher says is asked once
                stretches, labels = self._epoch()
                ids = self._ids(stretches)
                soft = None if teacher is None else torch.from_numpy(self.odds(teacher, stretches))
            batches = self._batches(ids)
            total = total or epochs * len(batches)
            net.train()
            losses = 0.0
            for batch in batches:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    found = net(*_padded([ids[place] for place in batch])).float()
                loss = self._loss(found, torch.from_numpy(labels[batch]), None if soft is None else soft[batch])
                for group, base_rate in zip(optimiser.param_groups, rates, strict=True):
                    group["lr"] = base_rate * min(1.0, (step + 1) / _WARM_UP) * max(0.02, 1 - step / total)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses += float(loss.detach())
                step += 1
                if step % 100 == 0:
                    self._tell(f"{name}: {100 * step // total} %")
            if not np.isfinite(losses):
                raise BadConfiguration("The training diverged. Please lower the learning rate.")
            self._tell(f"{name}: epoch {epoch + 1} of {epochs}, loss {losses / len(batches):.4f}")
        net.eval()

    def odds(self, net: _Net, stretches: Sequence[str]) -> NDArray[np.float32]:
        """Log odds of some stretches, shape (stretches, outputs)."""
        net.eval()
        ids = self._ids(stretches)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        found = np.zeros((len(ids), net.head.out_features), np.float32)
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            for first in range(0, len(order), 128):
                batch = order[first : first + 128]
                found[batch] = net(*_padded([ids[place] for place in batch])).float().numpy()
        return found

    def _epoch(self) -> tuple[list[str], NDArray[np.float32]]:
        """The most telling stretch of every text, and others of the harmless ones."""
        stretches, rows = [], []
        for place in np.flatnonzero(~self._texts.held_out):
            found = self._texts.stretches[place]
            stretches.append(found[0])
            rows.append(place)
            if self._texts.labels[place, 0] == 0:
                others = self._random.permutation(np.arange(1, len(found)))[: self._harmless_stretches]
                stretches += [found[int(other)] for other in others]
                rows += [place] * others.size
        return stretches, self._texts.labels[rows]

    def _ids(self, stretches: Sequence[str]) -> list[list[int]]:
        found: list[list[int]] = self._tokenizer(list(stretches), truncation=True, max_length=self._tokens)["input_ids"]
        return found

    def _batches(self, ids: Sequence[Sequence[int]]) -> list[NDArray[np.int64]]:
        """Places in an order of chance, those of like length together."""
        order = self._random.permutation(len(ids))
        chunks = [
            np.array(sorted(order[first : first + _CHUNK], key=lambda place: len(ids[place])))
            for first in range(0, len(order), _CHUNK)
        ]
        batches = [chunk[first : first + _BATCH] for chunk in chunks for first in range(0, chunk.size, _BATCH)]
        return [batches[place] for place in self._random.permutation(len(batches))]

    def _loss(self, found: torch.Tensor, labels: torch.Tensor, soft: torch.Tensor | None) -> torch.Tensor:
        entropy = torch.nn.functional.binary_cross_entropy_with_logits
        loss = (entropy(found, labels, reduction="none") * self._weight).mean()
        if soft is None:
            return loss
        taught = (entropy(found, torch.sigmoid(soft), reduction="none") * self._weight).mean()
        return (1 - _FROM_TEACHER) * loss + _FROM_TEACHER * taught + 0.02 * (found - soft).clamp(-6, 6).square().mean()


def _padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, ids))
    padded = torch.zeros(len(ids), longest, dtype=torch.long)
    mask = torch.zeros(len(ids), longest, dtype=torch.long)
    for row, found in enumerate(ids):
        padded[row, : len(found)] = torch.tensor(found)
        mask[row, : len(found)] = 1
    return padded, mask
