"""What every writer does, and which one a configuration means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mhdesk.core.errors import MHDeskError
from mhdesk.core.generation import GenerationRequest
from trainer.settings.augment import AugmentSettings

GOES_ON = "Please run the same command again: it goes on from there."


class WriterFailed(MHDeskError):
    """The writer gave no text although it was asked more than once. What it wrote before is kept."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text as the model wrote it; `whole` is false where the limit of tokens cut it off."""

    text: str
    whole: bool


class Writer(Protocol):
    """A language model that writes. Nothing is loaded and nobody is asked before the first `write`."""

    made_by: str
    """The model's name, as rows tell it."""
    identity: dict[str, str]
    """Whatever tells this writer from another; never a path of this machine."""

    def write(self, request: GenerationRequest) -> Written:
        """One text. The same request gives the same text, as far as the writer can promise it.

        Raises:
            WriterFailed: it gave none.
            MHDeskError: the model cannot be used.
        """
        ...

    def close(self) -> None:
        """Give back what was loaded or opened."""
        ...


def choose_writer(settings: AugmentSettings, folder: Path, tell: Callable[[str], None]) -> Writer:
    """The writer that `settings` name; only its own libraries are imported.

    Args:
        settings: their `writer` is not `none`.
        folder: that of the YAML file.
        tell: hears what a person should know while it works.

    Raises:
        BadConfiguration: there is no such model or address.
        ShelfError: the model on the shelf cannot be used.
    """
    if settings.writer == "app":
        from trainer.writing.app_writer import AppWriter

        return AppWriter(settings.model, folder)
    if settings.writer == "transformers":
        from trainer.writing.transformers_writer import TransformersWriter

        return TransformersWriter(settings.model, folder)
    from trainer.writing.openai_writer import OpenAIWriter

    return OpenAIWriter(settings.address, settings.model, settings.timeout_s, tell)
