import json

import pytest

from trainer.dialogues import read_dialogues
from trainer.errors import BadDialogues


def dialogue(identifier, *texts):
    roles = ["user", "assistant"] * len(texts)
    turns = [{"role": role, "text": text} for role, text in zip(roles, texts, strict=False)]
    return json.dumps({"id": identifier, "topic": "t", "turns": turns})


def read(tmp_path, *lines):
    path = tmp_path / "d.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_dialogues([path])


def test_blank_lines_are_passed_over_and_the_order_is_kept(tmp_path):
    found = read(tmp_path, dialogue("a", "hi", "hello"), "", dialogue("b", "x", "y", "z", "w"))
    assert [d.id for d in found] == ["a", "b"]
    assert [m.text for m in found[1].messages] == ["x", "y", "z", "w"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "Line 2"),
        ("[]", "Line 2"),
        ('{"id": "x"}', "Line 2"),
        ('{"id": "x", "turns": [{"role": "wizard", "text": "a"}]}', "Line 2"),
        ('{"id": "x", "turns": []}', "alternate"),
        (dialogue("x", "only the user"), "alternate"),
        (dialogue("x", "a", "b", "c"), "alternate"),
        (dialogue("x", "a", "  "), "alternate"),
        (dialogue("first", "a", "b"), "first"),
    ],
)
def test_a_line_that_is_no_dialogue_is_named(tmp_path, line, reason):
    with pytest.raises(BadDialogues, match=reason):
        read(tmp_path, dialogue("first", "a", "b"), line)


def test_no_dialogues_at_all_is_a_sentence(tmp_path):
    with pytest.raises(BadDialogues, match="no dialogues"):
        read(tmp_path, "")


def test_a_file_in_another_encoding_is_a_sentence(tmp_path):
    (tmp_path / "d.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadDialogues, match="UTF-8"):
        read_dialogues([tmp_path / "d.jsonl"])
