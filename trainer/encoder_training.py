"""Training an encoder, an epoch at a time, resumable after each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.added_odds import EnglishTexts
from trainer.errors import BadConfiguration

_BATCH = 32
_CHUNK = 1024
_HEAD_FASTER = 10
_WARM_UP = 50
_LEAST_RATE = 0.02


class Net(torch.nn.Module):
    """A BERT, the mean of what it makes of a stretch, and one linear layer over it."""

    def __init__(self, base: Any, outputs: int) -> None:
        super().__init__()
        self.base = base
        self.head = torch.nn.Linear(base.config.hidden_size, outputs)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Log odds, shape (stretches, outputs), of token ids and mask, both (stretches, longest)."""
        hidden = self.base(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask[..., None].float()
        found: torch.Tensor = self.head((hidden * weight).sum(1) / weight.sum(1))
        return found


class Unfinished:
    """What a training that was stopped has left. `key` says what it was made from."""

    def __init__(self, output: Path, key: str) -> None:
        self._path = output.with_suffix(".unfinished")
        self._key = key

    def load(self) -> dict[str, Any] | None:
        """The newest state; None if there is none, or one of another training."""
        try:
            state: dict[str, Any] = torch.load(self._path, weights_only=True)
        except FileNotFoundError:
            return None
        except Exception:  # torch raises many kinds for a damaged file, which is as good as none
            return None
        return state if state.get("key") == self._key else None

    def save(self, state: dict[str, Any]) -> None:
        """Keep the state after an epoch, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        torch.save({**state, "key": self._key}, new)
        new.replace(self._path)

    def remove(self) -> None:
        """The training is done."""
        self._path.unlink(missing_ok=True)


class EncoderTraining:
    """Training and judging with one tokenizer and one set of examples."""

    def __init__(
        self,
        tokenizer: Any,
        texts: EnglishTexts,
        weight: torch.Tensor,
        *,
        tokens: int,
        harmless_stretches: int,
        seed: int,
        unfinished: Unfinished,
        tell: Callable[[str], None],
    ) -> None:
        self._tokenizer = tokenizer
        self._texts = texts
        self._weight = weight
        self._tell = tell
        self._tokens = tokens
        self._harmless_stretches = harmless_stretches
        self._unfinished = unfinished
        torch.manual_seed(seed)
        self._random = np.random.default_rng(seed)

    def train(self, net: Net, epochs: int, rate: float) -> None:
        """Train `net` for some epochs; goes on where it was stopped.

        Raises:
            BadConfiguration: the loss is no number any more.
        """
        optimiser = torch.optim.AdamW(
            [
                {"params": net.base.parameters(), "lr": rate},
                {"params": net.head.parameters(), "lr": rate * _HEAD_FASTER},
            ],
            weight_decay=0.01,
        )
        rates = [group["lr"] for group in optimiser.param_groups]
        step = first_epoch = 0
        if kept := self._unfinished.load():
            net.load_state_dict(kept["net"])
            optimiser.load_state_dict(kept["optimiser"])
            torch.set_rng_state(kept["torch_random"])
            self._random.bit_generator.state = json.loads(kept["numpy_random"])
            first_epoch, step = kept["epoch"], kept["step"]
            self._tell(f"encoder: goes on after epoch {first_epoch} of {epochs}")
        for epoch in range(first_epoch, epochs):
            stretches, labels = self._examples(net if epoch else None)
            ids = self._ids(stretches)
            batches = self._batches(ids)
            net.train()
            losses = 0.0
            for place, batch in enumerate(batches):
                done = (epoch + place / len(batches)) / epochs
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    found = net(*_padded([ids[row] for row in batch])).float()
                loss = self._loss(found, torch.from_numpy(labels[batch]))
                for group, base_rate in zip(optimiser.param_groups, rates, strict=True):
                    group["lr"] = base_rate * min(1.0, (step + 1) / _WARM_UP) * max(_LEAST_RATE, 1 - done)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses += float(loss.detach())
                step += 1
                if step % 100 == 0:
                    self._tell(f"encoder: {100 * done:.0f} %")
            if not np.isfinite(losses):
                raise BadConfiguration("The training diverged. Please lower the learning rate.")
            self._tell(f"encoder: epoch {epoch + 1} of {epochs}, loss {losses / len(batches):.4f}")
            self._unfinished.save({
                "net": net.state_dict(), "optimiser": optimiser.state_dict(),
                "torch_random": torch.get_rng_state(), "numpy_random": json.dumps(self._random.bit_generator.state),
                "epoch": epoch + 1, "step": step,
            })  # fmt: skip
        net.eval()

    def odds(self, net: Net, stretches: Sequence[str]) -> NDArray[np.float32]:
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

    def _examples(self, chooser: Net | None) -> tuple[list[str], NDArray[np.float32]]:
        """Of every text the most telling stretch and the one that `chooser` finds most alarming.

        A dangerous text's most telling stretch is left out where it does not hold the most alarming one: it may well be
        harmless. Of harmless texts some other stretches are taken besides.
        """
        texts = self._texts
        chosen = np.flatnonzero(~texts.held_out)
        alarming = dict.fromkeys(chosen.tolist(), 0)
        if chooser is not None:
            odds = self.odds(chooser, [stretch for place in chosen for stretch in texts.read[place]])[:, 0]
            ends = np.cumsum([len(texts.read[place]) for place in chosen])
            for place, found in zip(alarming, np.split(odds, ends[:-1]), strict=True):
                alarming[place] = int(found.argmax())
        stretches: list[str] = []
        rows: list[int] = []
        for place, best in alarming.items():
            read, others = texts.read[place], texts.others[place]
            taken = [read[best]]
            if best and (texts.harmless[place] or read[best] in read[0]):
                taken.append(read[0])
            if texts.harmless[place]:
                some = self._random.permutation(len(others))[: self._harmless_stretches]
                taken += [others[int(other)] for other in some]
            stretches += taken
            rows += [place] * len(taken)
        return stretches, texts.labels[rows]

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

    def _loss(self, found: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(found, labels, reduction="none")
        return (entropy * self._weight).mean()


def _padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, ids))
    padded = torch.zeros(len(ids), longest, dtype=torch.long)
    mask = torch.zeros(len(ids), longest, dtype=torch.long)
    for row, found in enumerate(ids):
        padded[row, : len(found)] = torch.tensor(found)
        mask[row, : len(found)] = 1
    return padded, mask
