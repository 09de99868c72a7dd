"""Where rows come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from mhdesk.core.messages import Role
from trainer.config import check
from trainer.errors import BadConfiguration

FORMS = {
    "answers": (
        "question", "title", "answer", "answers", "answer_text", "votes", "group", "topic", "author", "id",
    ),
    "dialogues": ("turns", "role", "text", "group", "topic", "author", "id"),
    "feedback": ("prompt", "reply", "thumb", "word", "group", "topic", "id"),
}  # fmt: skip
"""Each form, and our names of what its columns hold."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source: files, or a data set of the Hugging Face hub or in its folder form."""

    name: str
    """Short name; ids of rows begin with it."""
    path: str
    """File (CSV, TSV, JSON, JSONL, Parquet), a pattern with stars, a folder of such files or one that a data set was
    saved to, or `owner/name` on the hub."""
    form: str
    """`answers`: one question and one answer a row, or several rows a question, or a nested list of answers.
    `dialogues`: a list of turns with roles. `feedback`: prompt, reply, thumb and a word on it, as the app
    exports it."""
    licence: str
    """SPDX identifier, or the licence's name."""
    commercial: bool = True
    """Whether the licence allows commercial use."""
    origin: str = ""
    """Where the data is from: an address or a reference, for the card."""
    fields: dict[str, str] = field(default_factory=dict)
    """Our names to the source's columns, dots reaching into nested objects; a name that is not here stands for the
    column called so. `answers`: `question` or `title` or both, `answer`; or `answers`, a list with `answer_text` in
    each. `dialogues`: `turns`, a list with `role` and `text` in each. `feedback`: `prompt`, `reply`, `thumb`, `word`.
    Where there are such: `votes`, `author`, `topic`, `id`, and `group`, which rows of one question share."""
    roles: dict[str, str] = field(default_factory=dict)
    """The source's names of roles to `user`, `assistant` or `system`, where they are others than the usual ones. Turns
    of `system` are left out."""
    split: str = "train"
    """Split of a data set on the hub or in a folder; `all` for all of them."""
    config: str = ""
    """Configuration of a data set on the hub that has several."""
    revision: str = ""
    """Commit or tag of a data set on the hub; empty for the newest."""
    most_answers: int = 0
    """Answers kept of each question, those with most votes first; 0 keeps all."""

    def __post_init__(self) -> None:
        if not self.licence.strip():
            raise BadConfiguration(
                f"The source {self.name} has no licence. Please give its SPDX identifier, or its name, under licence."
            )
        check(
            self,
            {
                "name": bool(self.name),
                "form": self.form in FORMS,
                "most_answers": self.most_answers >= 0,
                "roles": set(self.roles.values()) <= set(Role),
            },
        )
        check(self, {"fields": set(self.fields) <= set(FORMS[self.form])})


@dataclass(frozen=True, slots=True)
class SourcesSettings:
    """All sources of a run."""

    of: tuple[SourceSettings, ...]
    """The sources, read in order."""
    non_commercial: bool = False
    """Let in sources whose licence forbids commercial use; the evaluation card then says so."""

    def __post_init__(self) -> None:
        names = [source.name for source in self.of]
        check(self, {"of": bool(names) and len(set(names)) == len(names)})
