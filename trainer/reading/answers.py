"""Questions with answers: one a row, several rows a question, or a list of answers in a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mhdesk.core.messages import Message, Role
from trainer.reading.cells import bare, cell, count_of, digest, items_of, prose_of, text_of
from trainer.reading.tally import Record, Tally
from trainer.rows import Row
from trainer.settings.sources import SourceSettings


def rows_of_answers(record: Record, source: SourceSettings, tally: Tally) -> Iterator[Row]:
    """A row for each answer of a record. Rows of one question have one group."""
    title = prose_of(cell(record, source, "title", tally))
    question = joined(title, prose_of(cell(record, source, "question", tally)))
    if not question:
        tally.left_out["no question"] += 1
        return
    own = text_of(cell(record, source, "id", tally))
    group = group_of(record, source, question, tally)
    topic = text_of(cell(record, source, "topic", tally))
    nested = "answers" in source.fields
    answers = items_of(cell(record, source, "answers", tally)) if nested else [record]
    tally.items += len(answers)
    if not answers:
        tally.left_out["no answer"] += 1
    for item in answers:
        answer = _nested_text(item, source, tally) if nested else prose_of(cell(record, source, "answer", tally))
        if not answer:
            tally.left_out["no answer"] += 1
            continue
        content = digest(question, answer)
        inside = item if isinstance(item, Mapping) else {}
        author = cell(inside, source, "author", tally) or cell(record, source, "author", tally)
        yield Row(
            id=f"{source.name}-{'-'.join(filter(None, [own, content if nested or not own else '']))}",
            source=source.name,
            group=group,
            turns=(Message(Role.USER, question), Message(Role.ASSISTANT, answer)),
            licence=source.licence,
            commercial=source.commercial,
            topic=topic,
            votes=count_of(cell(inside, source, "votes", tally)),
            author=text_of(author),
        )


def joined(title: str, question: str) -> str:
    """A question as its writer would send it: the title first, unless the one says what the other does."""
    if not title or bare(title) in bare(question):
        return question
    if not question or bare(question) in bare(title):
        return title
    return f"{title}\n\n{question}"


def group_of(record: Record, source: SourceSettings, question: str, tally: Tally) -> str:
    """The source's own group, or one for all who ask the same, whatever the source."""
    named = text_of(cell(record, source, "group", tally))
    return f"{source.name}-{named}" if named else f"question-{digest(bare(question) or question)}"


def _nested_text(item: Any, source: SourceSettings, tally: Tally) -> str:
    if isinstance(item, Mapping):
        return prose_of(cell(item, source, "answer_text", tally))
    if isinstance(item, str):
        tally.found.add("answer_text")
    return prose_of(item)
