"""Whether a source has the columns that its settings name."""

from __future__ import annotations

from trainer.errors import BadSource
from trainer.reading.tally import Tally
from trainer.settings.sources import SourceSettings

_NEEDED = {"answers": (), "dialogues": ("turns",), "feedback": ("prompt", "reply", "thumb")}
_IN_ITEMS = {"answers": "answer_text", "dialogues": "role text"}
_MOST_SHOWN = 30
_LONGEST_SHOWN = 40
"""Characters of a column's name: in a table without a first line of names, somebody's words stand there."""


def check_columns(source: SourceSettings, tally: Tally) -> None:
    """Refuse a source in which no record had a column that is needed or named.

    Raises:
        BadSource: the sentence names our name, the column looked for, and the columns there are.
    """
    missing = [name for name in _wanted(source, tally) if name not in tally.found]
    if not missing:
        return
    column = source.fields.get(missing[0], missing[0])
    shown = [name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…" for name in tally.columns]
    more = " …" if len(shown) > _MOST_SHOWN else ""
    raise BadSource(
        f"The source {source.name} has no column {column}, which its settings take for {missing[0]}; "
        f"its columns are: {', '.join(shown[:_MOST_SHOWN])}{more}."
    )


def _wanted(source: SourceSettings, tally: Tally) -> list[str]:
    inside = _IN_ITEMS.get(source.form, "").split()
    wanted = [*_NEEDED[source.form], *(name for name in source.fields if name not in inside)]
    if source.form == "answers":
        wanted.append("title" if "title" in tally.found else "question")
        wanted.append("answers" if "answers" in source.fields else "answer")
    if tally.items and (source.form == "dialogues" or "answers" in source.fields):
        wanted += inside
    return wanted
