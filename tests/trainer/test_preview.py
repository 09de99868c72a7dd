"""What `--preview` shows of a stage's rows."""

from mhdesk.core.messages import Message, Role
from trainer.preview import DROPPED, show_preview, write_dropped
from trainer.rows import ROWS, Row, write_rows
from trainer.stage import MANIFEST, Job


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
    show_preview(stage, Job(folder, folder / "work", told.append), count)
    return "\n".join(told)


def test_of_split_rows_of_each_side_are_shown_with_their_group_and_what_was_dropped(tmp_path):
    sides = {f"{name}.jsonl": {"split": [row(f"{name}-{n}") for n in range(5)]} for name in ("training", "test")}
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
