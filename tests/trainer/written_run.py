"""A run whose stage `clean` is done: rows of our own for the stage `augment`."""

from __future__ import annotations

from pathlib import Path

from mhdesk.core.messages import Message, Role
from trainer.pipeline_config import PipelineConfig
from trainer.rows import ROWS, Row, read_rows, write_rows
from trainer.settings.augment import AugmentSettings
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.stage import Job, make_artefact

PLACES = ["kitchen", "garden", "office", "station", "library", "market", "harbour", "bakery", "cellar", "attic"]
CRISIS = "I have the pills in front of me and I am going to kill myself tonight."


def row(number: int, person: str = "") -> Row:
    place = PLACES[number % len(PLACES)]
    person = person or (
        f"My sister moved out last week and now the {place} is so quiet in the evening that I keep the radio on "
        f"until number {number} has gone to bed."
    )
    reply = (
        f"An empty {place} after years of company can feel loud in its own way. The radio is a kind thing to do for "
        f"yourself. What did the two of you use to do there at that hour, in week {number}?"
    )
    turns = (Message(Role.USER, person), Message(Role.ASSISTANT, reply))
    return Row(f"sister-{number}", "sister", f"group-{number}", turns, "CC-BY-4.0", commercial=True, topic="family")


def make_job(folder: Path, rows: list[Row]) -> tuple[Job, list[str]]:
    """The job, and what it will tell."""
    told: list[str] = []
    job = Job(folder, folder / "work", told.append)
    put_clean(job, rows)
    told.clear()
    return job, told


def put_clean(job: Job, rows: list[Row]) -> None:
    """Make the artefact of `clean` with other rows."""
    settings = {"rows": [row.to_json() for row in rows]}
    make_artefact(job, "clean", [], settings, lambda folder: {"rows": write_rows(folder / ROWS, rows)})


def configured(**augment) -> PipelineConfig:
    source = SourceSettings("sister", "sister.jsonl", "dialogues", "CC-BY-4.0")
    return PipelineConfig("a", "m", "work", SourcesSettings((source,)), augment=AugmentSettings(**augment))


def rows_of(folder: Path) -> list[Row]:
    return list(read_rows(folder / ROWS))
