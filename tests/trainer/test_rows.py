"""Rows on disk."""

import dataclasses
import json

import pytest

from mhdesk.core.messages import Message, Role
from trainer.errors import BadRows
from trainer.rows import Row, read_rows, write_rows

ROW = Row(
    id="own-1",
    source="own",
    group="own-1",
    turns=(Message(Role.USER, "The soup was cold."), Message(Role.ASSISTANT, "That sounds dull.\nWhat then?")),
    licence="Apache-2.0",
    commercial=True,
)


def test_a_row_is_the_same_after_a_file(tmp_path):
    synthetic = dataclasses.replace(ROW, id="own-2", parent="own-1", made_by="a model", votes=3, author="A")
    assert write_rows(tmp_path / "rows.jsonl", [ROW, synthetic]) == 2
    assert list(read_rows(tmp_path / "rows.jsonl")) == [ROW, synthetic]
    assert [row.is_synthetic for row in (ROW, synthetic)] == [False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"turns": []},
        {"turns": [{"role": "user", "text": "only a question"}]},
        {"turns": [{"role": "assistant", "text": "a"}, {"role": "user", "text": "b"}]},
        {"turns": [{"role": "user", "text": " "}, {"role": "assistant", "text": "b"}]},
        {"turns": "none"},
        {"colour": "red"},
    ],
)
def test_a_line_that_is_no_row_is_named_with_its_number(tmp_path, change):
    broken = json.dumps({**json.loads(ROW.to_json()), **change})
    (tmp_path / "rows.jsonl").write_text(f"{ROW.to_json()}\n{broken}\n", encoding="utf-8")
    with pytest.raises(BadRows, match="Line 2 of"):
        list(read_rows(tmp_path / "rows.jsonl"))


def test_a_missing_or_foreign_file_is_a_sentence(tmp_path):
    with pytest.raises(BadRows, match="cannot be read"):
        list(read_rows(tmp_path / "nothing.jsonl"))
    (tmp_path / "rows.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRows, match="cannot be read"):
        list(read_rows(tmp_path / "rows.jsonl"))
