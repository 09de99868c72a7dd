"""What users of the app thought of replies, as it exports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mhdesk.core.messages import Message, Role
from trainer.reading.answers import group_of
from trainer.reading.cells import cell, digest, prose_of, text_of
from trainer.reading.tally import Record, Tally
from trainer.rows import Row
from trainer.settings.sources import SourceSettings

_UP = frozenset({"up", "thumbs up", "thumbs-up", "thumbs_up", "👍", "+1", "1", "true", "yes", "good"})
_DOWN = frozenset({"down", "thumbs down", "thumbs-down", "thumbs_down", "👎", "-1", "0", "false", "no", "bad"})


def rows_of_feedback(record: Record, source: SourceSettings, tally: Tally) -> Iterator[Row]:
    """A row for a reply with its thumb up; any other is counted. The user's word on it is for people, and left out."""
    thumb = _spelt(cell(record, source, "thumb", tally))
    prompt = prose_of(cell(record, source, "prompt", tally))
    reply = prose_of(cell(record, source, "reply", tally))
    cell(record, source, "word", tally)
    if thumb not in _UP:
        reason = "thumb down" if thumb in _DOWN else "no thumb"
    elif not prompt:
        reason = "no prompt"
    elif not reply:
        reason = "no reply"
    else:
        reason = ""
    if reason:
        tally.left_out[reason] += 1
        return
    yield Row(
        id=f"{source.name}-{text_of(cell(record, source, 'id', tally)) or digest(prompt, reply)}",
        source=source.name,
        group=group_of(record, source, prompt, tally),
        turns=(Message(Role.USER, prompt), Message(Role.ASSISTANT, reply)),
        licence=source.licence,
        commercial=source.commercial,
        topic=text_of(cell(record, source, "topic", tally)),
    )


def _spelt(thumb: Any) -> str:
    return str(thumb).casefold() if isinstance(thumb, bool) else text_of(thumb).casefold()
