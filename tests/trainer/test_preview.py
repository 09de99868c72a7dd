"""What `--preview` shows of a stage's rows."""

from dataclasses import replace

import pytest

from mhdesk.core.messages import Message, Role
from tests.trainer.finished_run import make_run
from tests.trainer.reading_job import json_lines, source
from trainer import render
from trainer.pipeline import STAGES
from trainer.pipeline_config import PipelineConfig
from trainer.preview import DROPPED, show_preview, write_dropped
from trainer.rows import ROWS, Row, write_rows
from trainer.settings.sources import SourcesSettings
from trainer.stage import MANIFEST, Job

CONFIG = PipelineConfig("tried", "none", "work", SourcesSettings((source("a.jsonl"),)))


def row(name, question="How do I knit a heel?"):
    turns = (Message(Role.USER, question), Message(Role.ASSISTANT, "Turn it in short rows."))
    return Row(name, "wool", name, turns, "MIT", True)


def preview(folder, stage, files, count=2, dropped=()):
    """What is told of a stage that left these files."""
    for name, stages in files.items():
        for its_stage, rows in stages.items():
            made = folder / "work" / its_stage
            made.mkdir(parents=True, exist_ok=True)
            write_rows(made / name, rows)
            (made / MANIFEST).write_text("{}", "utf-8")
    write_dropped(folder / "work" / stage, dropped)
    told = []
    show_preview(stage, CONFIG, Job(folder, folder / "work", told.append), count)
    return "\n".join(told)


def test_of_split_rows_of_each_side_are_shown_with_their_group_and_what_was_dropped(tmp_path):
    sides = {
        f"{name}.jsonl": {"split": [row(f"{name}-{n}") for n in range(5)]}
        for name in ("training", "validation", "test")
    }
    told = preview(tmp_path, "split", sides, dropped=[("added", "near a row that is measured on")])
    assert "--- training-1, in training.jsonl, of the group training-1" in told
    assert "--- test-0, in test.jsonl" in told
    assert "user: How do I knit a heel?" in told
    assert "training-2" not in told
    assert "added\n    dropped: near a row that is measured on" in told
    assert DROPPED not in told


def test_of_clean_a_row_is_shown_as_it_came_and_as_it_left(tmp_path):
    files = {ROWS: {"sources": [row("a", "<p>Hi</p>"), row("b"), row("c")], "clean": [row("a", "Hi"), row("c")]}}
    told = preview(tmp_path, "clean", files, dropped=[("b", "too short")])
    before, after = told.split("becomes")[0], told.split("becomes")[1]
    assert "user: <p>Hi</p>" in before
    assert "user: Hi" in after
    assert "--- b" in told
    assert "dropped: too short" in told
    assert "--- c" not in told


def test_of_sources_a_record_is_shown_as_it_stands_there_and_with_the_rows_it_gives(tmp_path):
    records = [
        {"question": "Is it <b>cold</b>?", "answer": "Yes."},
        {"question": "", "answer": "No."},
        {"question": "3"},
    ]
    json_lines(tmp_path / "a.jsonl", *records)
    told = []
    show_preview("sources", CONFIG, Job(tmp_path, tmp_path / "work", told.append), 2)
    assert '{"question": "Is it <b>cold</b>?", "answer": "Yes."}' in told[0]
    assert "becomes soup-" in told[1]
    assert "user: Is it <b>cold</b>?\n    assistant: Yes." in told[1]
    assert told[2].startswith("--- record 2 of soup")
    assert told[3].strip() == "left out: no question"
    assert len(told) == 4


@pytest.mark.parametrize("count", [1, 3])
def test_of_render_so_many_rows_are_shown(tiny_model, tmp_path, count):
    config, job = make_run(tmp_path, tiny_model)
    render.run(config, job)
    told = []
    show_preview("render", config, replace(job, tell=told.append), count)
    assert "The loss counts on [those in brackets]" in told[0]
    assert told[0].count("--- harbour-") == count


def test_a_stage_that_gives_no_rows_shows_nothing_whatever_lines_its_files_have(tmp_path):
    told = []
    job = Job(tmp_path, tmp_path / "work", told.append)
    for stage in list(STAGES)[list(STAGES).index("train") :]:
        job.artefact(stage).mkdir(parents=True)
        json_lines(job.artefact(stage) / "answers.jsonl", {"id": "five-1", "message": "I am worn out."})
        show_preview(stage, CONFIG, job, 2)
    assert not told
