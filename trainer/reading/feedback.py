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
    """A row for a reply with its thumb up; any other is counted.

    The user's word on it is for people, and left out. How many wrote one is counted, by thumb.
    """
    thumb = _thumb(cell(record, source, "thumb", tally))
    prompt = prose_of(cell(record, source, "prompt", tally))
    reply = prose_of(cell(record, source, "reply", tally))
    if text_of(cell(record, source, "word", tally)):
        tally.words[thumb] += 1
    if thumb != "thumb up":
        reason = thumb
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


def _thumb(value: Any) -> str:
    spelt = str(value).casefold() if isinstance(value, bool) else text_of(value).casefold()
    if spelt in _UP:
        return "thumb up"
    return "thumb down" if spelt in _DOWN else "no thumb"
