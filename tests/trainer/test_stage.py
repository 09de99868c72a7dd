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
from trainer.errors import BadConfiguration, BadRows
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


@pytest.mark.parametrize("old", [False, True])
def test_what_was_whole_when_a_kill_came_before_its_last_rename_is_put_in_its_place(job, old):
    calls = []
    folder = copying(job, {"times": 2}, calls)
    folder.rename(job.work / "copy.unfinished")
    (job.work / "copy.unfinished" / "asked.json").write_text("{}", encoding="utf-8")  # which is removed after all else
    if old:
        (job.work / ".copy.old").mkdir()
    assert copying(job, {"times": 2}, calls) == folder
    assert len(calls) == 1
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "out.txt"}
    assert [path.name for path in job.work.iterdir()] == ["copy"]


@pytest.mark.parametrize("change", ["settings", "output"])
def test_what_was_whole_but_is_another_or_was_spoilt_is_not_put_in_its_place(job, change):
    calls = []
    copying(job, {"times": 2}, calls).rename(job.work / "copy.unfinished")
    if change == "output":
        (job.work / "copy.unfinished" / "out.txt").write_text("spoilt", encoding="utf-8")
    times = 3 if change == "settings" else 2
    assert (copying(job, {"times": times}, calls) / "out.txt").read_text("utf-8") == "soup" * times
    assert len(calls) == 2


def test_what_a_stage_goes_on_from_is_no_part_of_the_artefact_and_stands_until_it_is_whole(job):
    def make(folder):
        (folder / "kept").mkdir(exist_ok=True)
        (folder / "kept" / "half.txt").write_text("soup", encoding="utf-8")
        (folder / "step-1").touch()
        (folder / ".manifest.json.a1b2").touch()  # as a kill leaves it
        (folder / "out.txt").touch()
        return {}

    folder = make_artefact(job, "halves", [], {}, make, ["kept", "step-*"])
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "out.txt"}
    assert list(read_manifest(folder)["outputs"]) == ["out.txt"]


@pytest.mark.parametrize("manifest", [None, '{"rows": 3}', "[]"])
def test_a_folder_that_the_trainer_has_not_made_is_not_replaced(job, manifest):
    own = job.work / "copy"
    own.mkdir()
    (own / "raw.csv").write_text("question,answer", encoding="utf-8")
    if manifest:
        (own / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(BadConfiguration, match="something that the trainer has not made"):
        copying(job, {"times": 2}, [])
    assert (own / "raw.csv").read_text("utf-8") == "question,answer"


def test_a_file_that_cannot_be_read_is_a_sentence_where_it_goes_in_and_made_anew_where_it_came_out(job):
    calls = []
    folder = copying(job, {"times": 2}, calls)
    (folder / "out.txt").unlink()
    (folder / "out.txt").symlink_to("/proc/self/mem")  # which opens, and then gives nothing
    assert (copying(job, {"times": 2}, calls) / "out.txt").read_text("utf-8") == "soupsoup"
    assert len(calls) == 2
    (job.folder / "input.txt").unlink()
    (job.folder / "input.txt").symlink_to("/proc/self/mem")
    with pytest.raises(BadRows, match=r"input\.txt cannot be read"):
        copying(job, {"times": 2}, calls)


def test_a_stage_that_was_not_run_is_named(job):
    with pytest.raises(BadRows, match="clean has not been run"):
        job.needed("clean", "rows.jsonl")
