"""The command that leads through the stages: a run that waits for nobody and is let alone."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.trainer.openai_server import Server, running
from tests.trainer.written_run import configured, make_job, row
from trainer.errors import BadRows
from trainer.pipeline import run_stages
from trainer.writing.review import REVIEW

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_file(tmp_path):
    turns = [{"role": "user", "text": "How do I darn a sock?"}, {"role": "assistant", "text": "With wool. " * 12}]
    (tmp_path / "talks.jsonl").write_text(json.dumps({"id": "sock", "turns": turns}), "utf-8")
    source = {"name": "talks", "path": "talks.jsonl", "form": "dialogues", "licence": "MIT"}
    path = tmp_path / "run.yaml"
    path.write_text(json.dumps({"name": "a", "model": "none", "work": "work", "sources": {"of": [source]}}), "utf-8")
    return path


def sources(path, **environment):
    return subprocess.run(
        [sys.executable, "-m", "trainer", "sources", "--config", str(path)],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


def test_a_second_run_in_the_same_folder_is_refused_in_a_sentence_and_spoils_nothing(run_file):
    assert sources(run_file).returncode == 0
    made = run_file.parent / "work" / "sources"
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    with FileLock(run_file.parent / "work" / ".lock"):
        refused = sources(run_file)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "Another run works in" in refused.stderr
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    assert sources(run_file).returncode == 0


def test_a_lock_that_a_killed_run_has_left_hinders_nobody(run_file):
    (run_file.parent / "work").mkdir()
    (run_file.parent / "work" / ".lock").touch()
    assert sources(run_file).returncode == 0


def test_nothing_goes_on_while_written_rows_wait_for_review(tmp_path):
    job, _ = make_job(tmp_path, [row(number) for number in range(10)])
    with running(Server()) as server:
        config = configured(writer="openai", model="dull", most_share=0.2, address=server.address)
        run_stages(["augment"], config, job, 0)
        with pytest.raises(BadRows, match=r"2 rows .* wait for accept or reject in .*review\.tsv.* run all again"):
            run_stages(["augment", "split"], config, job, 0)
        assert not job.artefact("split").exists()
        review = job.work / REVIEW
        head, *lines = review.read_text("utf-8-sig").splitlines()
        review.write_text("\n".join([head, *(f"accept{line}" for line in lines)]), "utf-8")
        unreviewed = dataclasses.replace(config, augment=dataclasses.replace(config.augment, review=False))
        for going_on in (config, unreviewed):
            with pytest.raises(BadRows, match="too few rows to part"):  # which `split` says of ten rows
                run_stages(["augment", "split"], going_on, job, 0)
