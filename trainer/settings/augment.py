"""Rows that a language model adds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.config import check

NO_WRITER = "none"
WRITERS = (NO_WRITER, "app", "transformers", "openai")
PARAPHRASE = "paraphrase"
FOLLOW_UP = "follow-up"
WAYS = (PARAPHRASE, FOLLOW_UP)


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """Off unless a writer is named."""

    writer: str = NO_WRITER
    """`app`: a model on the app's shelf, through its engine; `transformers`: a model folder or hub id; `openai`: an
    address that speaks the OpenAI chat protocol."""
    model: str = ""
    """Name on the shelf or folder; folder or hub id; name at the server."""
    billions: float = 0.0
    """Billions of parameters of the writer, as its maker tells; 0 where that is not known."""
    address: str = ""
    """Base address of an OpenAI-compatible server; its key is read from the variable OPENAI_API_KEY."""
    timeout_s: float = 120.0
    """Seconds in which the server must have answered."""
    ways: tuple[str, ...] = WAYS
    """`paraphrase`: the person's first turn said differently; `follow-up`: a further turn of each side."""
    most_share: float = 0.3
    """Synthetic rows are at most this share of all rows. No more are written than this, so it also bounds the work."""
    per_row: int = 1
    """Attempts a row and way."""
    temperature: float = 0.8
    most_new_tokens: int = 200
    least_similarity: float = 0.3
    """Share of the different words of the shorter text that the other must have: of a paraphrase and its parent. Those
    written by hand that were measured have 0.36 to 0.75."""
    most_similarity: float = 0.9
    """The same, at most: of a paraphrase and its parent, of a new turn and each one before it."""
    most_repeated: float = 0.1
    """Share of four-word sequences of a written turn that may have stood in it before."""
    shortest: int = 40
    """Characters of a written turn."""
    longest: int = 1500
    review: bool = True
    """Only what a person has accepted in the review file goes on."""
    folder: str = ""
    """Where the texts of a writer and the review file stand, relative to the YAML file; the work folder if empty. With
    them in a project's repository, the run is the same elsewhere. No artefact depends on the place."""

    def __post_init__(self) -> None:
        check(
            self,
            {
                "writer": self.writer in WRITERS,
                "model": bool(self.model) or self.writer == NO_WRITER,
                "billions": self.billions >= 0,
                "address": bool(self.address) or self.writer != "openai",
                "timeout_s": 0 < self.timeout_s <= 3600,
                "ways": bool(self.ways) and set(self.ways) <= set(WAYS),
                "most_share": 0 <= self.most_share < 1,
                "per_row": 1 <= self.per_row <= 20,
                "temperature": 0 < self.temperature <= 2,
                "most_new_tokens": 8 <= self.most_new_tokens <= 2000,
                "least_similarity": 0 <= self.least_similarity <= self.most_similarity <= 1,
                "most_repeated": 0 <= self.most_repeated <= 1,
                "shortest": 0 <= self.shortest <= self.longest,
            },
        )

    @property
    def deciding(self) -> dict[str, Any]:
        """What the rows depend on: everything but where the kept files stand."""
        settings = asdict(self)
        del settings["folder"]
        return settings

    def kept_in(self, folder: Path, work: Path) -> Path:
        """Where texts and review file stand, given the folder of the YAML file and that of the work."""
        return (folder / self.folder).resolve() if self.folder else work
