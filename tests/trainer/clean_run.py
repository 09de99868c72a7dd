"""A run whose stage `sources` is done: rows of a test for the stage `clean`."""

import json

from mhdesk.core.messages import Message, Role
from trainer.clean import run
from trainer.pipeline_config import PipelineConfig
from trainer.preview import DROPPED
from trainer.rows import ROWS, Row, read_rows, write_rows
from trainer.settings.clean import CleanSettings
from trainer.settings.sources import SourceSettings, SourcesSettings

QUESTION = "My sister and I have not spoken since the winter. How do I begin?"
ANSWER = (
    "It sounds as though you miss her. You could begin with something small, a card or a short message that asks for "
    "nothing. She may need time before she answers, and that need not mean she does not care."
)
OTHER = (
    "Silence after a quarrel is heavy to carry. Before you write to her, it may help to put down on paper what you "
    "would want her to understand, and to leave out who was right."
)


def row(name, answer=ANSWER, question=QUESTION, author="", source="own"):
    turns = (Message(Role.USER, question), Message(Role.ASSISTANT, answer))
    return Row(name, source, name, turns, "Apache-2.0", True, author=author)


def config(**settings):
    source = SourceSettings("own", "rows.jsonl", "dialogues", "Apache-2.0")
    return PipelineConfig("try", "none", "work", SourcesSettings((source,)), CleanSettings(**settings))


def put(job, rows):
    folder = job.artefact("sources")
    folder.mkdir(parents=True)
    write_rows(folder / ROWS, rows)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")


def cleaned(job, rows, **settings):
    put(job, rows)
    folder = run(config(**settings), job)
    kept = {row.id: row for row in read_rows(folder / ROWS)}
    reasons = {
        line["id"]: line["reason"] for line in map(json.loads, (folder / DROPPED).read_text("utf-8").splitlines())
    }
    return kept, reasons, folder
