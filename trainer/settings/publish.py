"""Where a finished adapter goes, and how it is merged into full-precision weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from trainer.config import check

TARGETS = ("app", "folder", "zip")
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """What `export` writes: base and adapter in one full-precision model."""

    dtype: str = "float32"
    """`float32`, which keeps every value; `bfloat16` is half as large and rounds each to 8 bits of precision."""
    most_difference: float = 0.001
    """The most by which a logit may differ from that of base plus adapter, in standard deviations of all logits.
    `float32` differs by about 0.00002, `bfloat16` by about 0.2."""

    def __post_init__(self) -> None:
        check(self, {"dtype": self.dtype in DTYPES, "most_difference": self.most_difference > 0})


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """By default, the app's data directory."""

    to: str = "app"
    """`app`: the app's shelf; `folder` or `zip`: what `adapters add` takes."""
    path: str = ""
    """Folder or zip file to write, relative to the folder of the YAML file; empty for `app`."""
    below_thresholds: bool = False
    """Publish an adapter that missed a threshold; its card says so."""
    merged: MergedSettings = field(default_factory=MergedSettings)

    def __post_init__(self) -> None:
        check(self, {"to": self.to in TARGETS, "path": bool(self.path) == (self.to != "app")})
