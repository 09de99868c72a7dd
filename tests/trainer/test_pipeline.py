"""The command that leads through the stages: a run that waits for nobody and is let alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

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
