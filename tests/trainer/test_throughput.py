"""`throughput` as a person runs it, at a small size."""

import json
import subprocess
import sys
from pathlib import Path

from trainer.dialogues import read_dialogues
from trainer.stage import read_manifest
from trainer.throughput import MEASURED, write_padding

ROOT = Path(__file__).resolve().parents[2]
RUN = """
name: small
model: {model}
work: unused
sources:
  of: [{{name: written, path: {data}, form: dialogues, licence: Apache-2.0}}]
clean: {{shortest_question: 1, shortest_answer: 20}}
"""


def measure(folder, **values):
    config = {"run": "run.yaml", "work": "made", "report": "report.json", "rows": [90, 120], **values}
    (folder / "throughput.yaml").write_text(json.dumps(config), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "trainer", "throughput", "--config", str(folder / "throughput.yaml")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_table_tells_padding_apart_and_gives_each_stage_its_own_figures(tmp_path, tiny_model):
    data = ROOT / "trainer" / "data" / "boundaries.jsonl"
    (tmp_path / "run.yaml").write_text(RUN.format(model=tiny_model, data=data), encoding="utf-8")
    done = measure(tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    for rows in (90, 120):
        found = report[str(rows)]
        assert set(found["stages"]) == set(MEASURED)
        assert found["sources"]["written"]["rows"] == 80
        assert found["sources"]["padding"]["rows"] == rows - 80
        assert all(
            stage["rows"] and stage["rows_per_second"] and stage["peak_mib"] for stage in found["stages"].values()
        )
        assert not any(stage["of_an_earlier_run"] for stage in found["stages"].values())
    assert "rows/s" in done.stderr
    again = measure(tmp_path)
    assert "120 clean: done before, so its figures are those of an earlier run" in again.stderr
    later = json.loads((tmp_path / "report.json").read_text("utf-8"))["120"]["stages"]
    assert all(stage["of_an_earlier_run"] for stage in later.values())


def test_the_peak_of_clean_holds_that_of_the_processes_it_starts(tmp_path, tiny_model):
    data = ROOT / "trainer" / "data" / "boundaries.jsonl"
    (tmp_path / "run.yaml").write_text(RUN.format(model=tiny_model, data=data), encoding="utf-8")
    done = measure(tmp_path, rows=[250])
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(tmp_path / "made" / "250" / "clean")
    workers = manifest["counts"]["workers_peak_bytes"]
    found = json.loads((tmp_path / "report.json").read_text("utf-8"))["250"]["stages"]["clean"]["peak_mib"]
    assert workers > 50 * 2**20
    assert found == round((manifest["peak_bytes"] + workers) / 2**20)


def test_a_run_that_cannot_be_read_is_one_sentence(tmp_path, tiny_model):
    (tmp_path / "run.yaml").write_text(RUN.format(model=tiny_model, data="nowhere.jsonl"), encoding="utf-8")
    done = measure(tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "nowhere.jsonl" in done.stderr


def test_padding_is_the_same_for_the_same_seed_and_well_formed(tmp_path):
    for name in ("a", "b"):
        write_padding(tmp_path / name, 30, 7)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(read_dialogues([tmp_path / "a"])) == 30
