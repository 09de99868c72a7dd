"""What `datasets` reads becomes the same rows as text files do: Parquet, its folders, and the hub."""

import os
import subprocess
import sys
from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from tests.trainer.data_set_hub import hub
from tests.trainer.reading_job import json_lines, read, source
from trainer.errors import BadSource
from trainer.stage import read_manifest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = [
    {"question": "Cold?", "answers": [{"text": "Warm it.", "votes": 2}, {"text": "Wait.", "votes": None}]},
    {"question": None, "answers": []},
]
NESTED = {"answers": "answers", "answer_text": "text", "votes": "votes"}
CONFIG = """
name: tried
model: none
work: work
sources:
  of:
    - {name: soup, path: kitchen/soup, form: answers, licence: MIT, split: SPLIT}
"""


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()


def test_parquet_is_read_with_its_nested_lists(tmp_path):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), tmp_path / "a.parquet")
    rows, counts = read(tmp_path, source("a.parquet", fields=NESTED))
    assert [(row.turns[1].text, row.votes) for row in rows] == [("Warm it.", 2), ("Wait.", None)]
    assert counts["sources"]["soup"]["left_out"] == {"no question": 1}
    assert [path.suffix for path in (tmp_path / "cache").rglob("*") if path.is_file()] in ([], [".lock"])


def test_the_same_records_give_the_same_rows_in_every_kind_of_file(tmp_path):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), tmp_path / "a.parquet")
    json_lines(tmp_path / "a.jsonl", *RECORDS)
    datasets.Dataset.from_list(RECORDS).save_to_disk(tmp_path / "saved")
    results = [read(tmp_path, source(path, fields=NESTED))[0] for path in ("a.parquet", "a.jsonl", "saved")]
    assert results[0] == results[1] == results[2]


def test_a_saved_folder_gives_the_split_that_is_asked_for(tmp_path):
    one = datasets.Dataset.from_list([{"question": "A?", "answer": "a"}])
    other = datasets.Dataset.from_list([{"question": "B?", "answer": "b"}])
    datasets.DatasetDict({"train": one, "test": other}).save_to_disk(tmp_path / "saved")
    asked = [[row.turns[0].text for row in read(tmp_path, source("saved", split=split))[0]]
             for split in ("train", "test", "all")]  # fmt: skip
    assert asked == [["A?"], ["B?"], ["A?", "B?"]]
    with pytest.raises(BadSource, match="has no split dev; it has train, test"):
        read(tmp_path, source("saved", split="dev"))


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"question,answer\n"])
def test_a_file_that_is_no_parquet_is_a_sentence(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(BadSource, match="cannot be read as Parquet"):
        read(tmp_path, source("a.parquet"))


def test_a_saved_folder_that_is_damaged_is_a_sentence(tmp_path):
    datasets.Dataset.from_list(RECORDS).save_to_disk(tmp_path / "saved")
    next((tmp_path / "saved").glob("*.arrow")).write_bytes(b"")
    with pytest.raises(BadSource, match="cannot be read"):
        read(tmp_path, source("saved", fields=NESTED))


def from_hub(folder, address, split="train"):
    (folder / "run.yaml").write_text(CONFIG.replace("SPLIT", split), "utf-8")
    environment = {
        **os.environ, "HF_ENDPOINT": address, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    environment.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-m", "trainer", "sources", "--config", str(folder / "run.yaml")]
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_a_data_set_of_the_hub_is_read_and_known_again_by_its_fingerprint(tmp_path):
    lines = json_lines(tmp_path / "a.jsonl", {"question": "A?", "answer": "a"}, {"question": "B?", "answer": "b"})
    files = {"data/train.jsonl": lines.read_bytes(), "README.md": b"---\nlicense: mit\n---\n"}
    with hub("kitchen/soup", files) as address:
        first = from_hub(tmp_path, address)
        assert first.returncode == 0, first.stderr
        manifest = read_manifest(tmp_path / "work" / "sources")
        again = from_hub(tmp_path, address)
        assert "sources: done before" in again.stderr
        missing = from_hub(tmp_path, address, "dev")
    assert manifest["counts"]["rows"] == 2
    assert len(manifest["settings"]["fingerprints"]["soup"]) == 16
    assert (missing.returncode, "could not be had from the hub (ValueError)" in missing.stderr) == (2, True)


def test_a_data_set_that_the_hub_does_not_have_is_a_sentence(tmp_path):
    with hub("kitchen/bread", {}) as address:
        ended = from_hub(tmp_path, address)
    assert ended.returncode == 2
    assert "The hub has no data set kitchen/soup for you" in ended.stderr
    assert "Traceback" not in ended.stderr
