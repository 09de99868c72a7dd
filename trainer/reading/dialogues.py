"""Conversations of several turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mhdesk.core.messages import Message, Role
from trainer.reading.cells import cell, digest, items_of, prose_of, text_of
from trainer.reading.tally import Record, Tally
from trainer.rows import Row
from trainer.settings.sources import SourceSettings

_USUAL = {
    **dict.fromkeys(
        ("user", "human", "client", "patient", "seeker", "help-seeker", "helpseeker", "person", "prompter"), Role.USER
    ),
    **dict.fromkeys(
        ("assistant", "gpt", "bot", "chatbot", "ai", "model", "therapist", "counselor", "counsellor", "supporter",
         "psychologist", "listener", "helper"), Role.ASSISTANT
    ),
    "system": Role.SYSTEM,
}  # fmt: skip
"""What data sets call the two who speak; the settings say what others do."""


def rows_of_dialogue(record: Record, source: SourceSettings, tally: Tally) -> Iterator[Row]:
    """One row, or none. What the supporter says before the person does, and the person after the supporter, is cut."""
    items = items_of(cell(record, source, "turns", tally))
    tally.items += len(items)
    spoken = [
        (_role(text_of(cell(item, source, "role", tally)), source), prose_of(cell(item, source, "text", tally)))
        for item in items
        if isinstance(item, Mapping)
    ]
    turns = in_turn([Message(role, text) for role, text in spoken if role and text])
    if not items:
        reason = "no turns"
    elif len(spoken) < len(items) or not all(role for role, _ in spoken):
        reason = "a turn without a known role"
    elif not turns:
        reason = "nobody is answered"
    else:
        reason = ""
    if reason:
        tally.left_out[reason] += 1
        return
    own = text_of(cell(record, source, "id", tally))
    name = f"{source.name}-{own or digest(*(turn.text for turn in turns))}"
    group = text_of(cell(record, source, "group", tally))
    yield Row(
        id=name,
        source=source.name,
        group=f"{source.name}-{group}" if group else name,
        turns=turns,
        licence=source.licence,
        commercial=source.commercial,
        topic=text_of(cell(record, source, "topic", tally)),
        author=text_of(cell(record, source, "author", tally)),
    )


def in_turn(spoken: Sequence[Message]) -> tuple[Message, ...]:
    """Messages made to alternate from person to supporter: joined where one goes on speaking, cut at both ends."""
    turns: list[Message] = []
    for message in spoken:
        if message.role is Role.SYSTEM:
            continue
        if turns and turns[-1].role is message.role:
            turns[-1] = Message(message.role, f"{turns[-1].text}\n{message.text}")
        elif turns or message.role is Role.USER:
            turns.append(message)
    return tuple(turns[: len(turns) // 2 * 2])


def _role(name: str, source: SourceSettings) -> Role | None:
    spelt = name.casefold().replace("_", "-").replace(" ", "-")
    own = {key.casefold(): value for key, value in source.roles.items()}.get(name.casefold())
    return Role(own) if own else _USUAL.get(spelt)
