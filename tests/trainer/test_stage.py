"""An artefact is whole or not there; what is done is not done again."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mhdesk.core.errors import StorageError
from trainer.errors import BadRows
from trainer.stage import Job, make_artefact, read_manifest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def job(tmp_path):
    (tmp_path / "input.txt").write_text("soup", encoding="utf-8")
    (tmp_path / "work").mkdir()
    return Job(tmp_path, tmp_path / "work", lambda line: None)


def copying(job, settings, calls):
    def make(folder):
        calls.append(folder)
        text = (job.folder / "input.txt").read_text("utf-8")
        (folder / "out.txt").write_text(text * settings["times"], encoding="utf-8")
        return {"copies": settings["times"]}

    return make_artefact(job, "copy", [job.folder / "input.txt"], settings, make)


def test_an_artefact_has_a_manifest_with_hashes_settings_and_counts(job):
    folder = copying(job, {"times": 2}, [])
    manifest = read_manifest(folder)
    assert (folder / "out.txt").read_text("utf-8") == "soupsoup"
    assert manifest["settings"] == {"times": 2}
    assert manifest["counts"] == {"copies": 2}
    assert manifest["inputs"][0]["file"] == "input.txt"
    assert list(manifest["outputs"]) == ["out.txt"]
    assert manifest["peak_bytes"] > 1_000_000


def test_what_is_done_is_not_done_again(job):
    calls = []
    copying(job, {"times": 2}, calls)
    copying(job, {"times": 2}, calls)
    assert len(calls) == 1


@pytest.mark.parametrize("change", ["input", "settings", "output", "manifest"])
def test_it_is_done_again_when_anything_differs(job, change):
    calls = []
    folder = copying(job, {"times": 2}, calls)
    if change == "input":
        (job.folder / "input.txt").write_text("bread", encoding="utf-8")
    if change == "output":
        (folder / "out.txt").write_text("spoilt", encoding="utf-8")
    if change == "manifest":
        (folder / "manifest.json").write_text("{", encoding="utf-8")
    copying(job, {"times": 3 if change == "settings" else 2}, calls)
    assert len(calls) == 2
    assert "spoilt" not in (folder / "out.txt").read_text("utf-8")


def test_a_stage_that_fails_leaves_the_old_artefact(job):
    folder = copying(job, {"times": 2}, [])

    def fail(unfinished):
        raise BadRows("No rows are left.")

    with pytest.raises(BadRows):
        make_artefact(job, "copy", [], {"times": 9}, fail)
    assert (folder / "out.txt").read_text("utf-8") == "soupsoup"


def test_a_disk_that_refuses_is_a_sentence(job):
    def fail(unfinished):
        (unfinished / "missing" / "out.txt").write_text("soup", encoding="utf-8")
        return {}

    with pytest.raises(StorageError, match="could not write"):
        make_artefact(job, "copy", [], {}, fail)


def test_a_killed_stage_finds_what_it_had_written(job):
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from trainer.stage import Job, make_artefact

        def make(folder):
            part = folder / "part.txt"
            if not part.exists():
                part.write_text("first half", encoding="utf-8")
                os.kill(os.getpid(), signal.SIGKILL)
            (folder / "out.txt").write_text(part.read_text("utf-8") + ", second half", encoding="utf-8")
            part.unlink()
            return {}

        work = Path(sys.argv[1])
        make_artefact(Job(work, work, print), "halves", [], {}, make)
        """
    )
    command = [sys.executable, "-c", program, str(job.work)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert not (job.work / "halves").exists()
    assert subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode == 0
    assert (job.work / "halves" / "out.txt").read_text("utf-8") == "first half, second half"
    assert set(json.loads((job.work / "halves" / "manifest.json").read_text("utf-8"))["outputs"]) == {"out.txt"}


def test_a_stage_that_was_not_run_is_named(job):
    with pytest.raises(BadRows, match="clean has not been run"):
        job.needed("clean", "rows.jsonl")
