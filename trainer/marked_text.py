r"""Sentences written for the project, with what they mean above them: the form that clinicians read and write.

    = crisis | suicide | implicit | letters-for-birthdays
    one message a line, with \n for a line break inside it
    # a comment

A heading holds until the next one. The fields are level or verdict, topics or reason, group, family; files for the gate
have no group. A *family* is one idea; texts of one family never stand on both sides of a split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import BadSentences


@dataclass(frozen=True, slots=True)
class MarkedText:
    """One text and its heading. `source` is the file's name without its ending, which begins with the language."""

    text: str
    mark: str
    topics: tuple[str, ...]
    group: str
    family: str
    source: str

    @property
    def language(self) -> str:
        """BCP 47 tag: `en` of `en-harm`, `hi-Latn` of `hi-latin`."""
        return "hi-Latn" if self.source.startswith("hi-latin") else self.source[:2]


def read_marked(paths: Sequence[Path], marks: frozenset[str]) -> list[MarkedText]:
    """Every text of some files, in order.

    Args:
        paths: files in the form above.
        marks: what the first field of a heading may be.

    Raises:
        BadSentences: a file or a heading cannot be used; the sentence names file and line.
    """
    return [text for path in paths for text in _read_file(path, marks)]


def _read_file(path: Path, marks: frozenset[str]) -> Iterator[MarkedText]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        raise BadSentences(f"The file {path} cannot be read as UTF-8 text. Please check it.") from None
    heading: tuple[str, tuple[str, ...], str, str] | None = None
    for number, line in enumerate(lines, start=1):
        if line.startswith("= "):
            heading = _heading(line, marks, path, number)
        elif line.strip() and not line.startswith("#"):
            if heading is None:
                raise BadSentences(f"Line {number} of {path} stands before any heading.")
            yield MarkedText(line.strip().replace("\\n", "\n"), *heading, path.stem)


def _heading(line: str, marks: frozenset[str], path: Path, number: int) -> tuple[str, tuple[str, ...], str, str]:
    fields = [field.strip() for field in line[2:].split("|")]
    if len(fields) == 3:
        fields.insert(2, "")
    if len(fields) != 4 or fields[0] not in marks or not fields[3]:
        raise BadSentences(f"Line {number} of {path} is not a heading such as “= none | | idiom | killing-me”.")
    return fields[0], tuple(fields[1].split()), fields[2], fields[3]
