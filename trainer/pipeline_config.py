"""The YAML file of a run: every stage's section in one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trainer.config import check
from trainer.settings.augment import AugmentSettings
from trainer.settings.clean import CleanSettings
from trainer.settings.evaluate import EvaluateSettings
from trainer.settings.publish import PublishSettings
from trainer.settings.search import SearchSettings
from trainer.settings.sources import SourcesSettings
from trainer.settings.split import SplitSettings
from trainer.settings.train import TrainSettings

_NAME = re.compile("[a-z0-9][a-z0-9._-]{0,60}")


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """Everything a run depends on. Paths are relative to the folder of the YAML file."""

    name: str
    """Name of the adapter."""
    model: str
    """The 8-bit base: a folder, or the name of an installed one."""
    work: str
    """Folder for what the stages make; one run at a time."""
    sources: SourcesSettings
    clean: CleanSettings = field(default_factory=CleanSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    seed: int = 20
    """Below 2³¹, so that every library takes it and what is counted up from it."""

    def __post_init__(self) -> None:
        check(self, {"name": _NAME.fullmatch(self.name) is not None, "seed": 0 <= self.seed < 2**31})
