"""The stage `clean` in processes of its own: killed, run again, and with another gate."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.trainer.clean_run import OTHER, put, row
from trainer.clean import REPORT
from trainer.preview import DROPPED
from trainer.rows import ROWS
from trainer.stage import Job, read_manifest

ROOT = Path(__file__).resolve().parents[2]
YAML = (
    "name: try\nmodel: none\nwork: work\nsources: {of: [{name: own, path: x, form: dialogues, licence: x}]}\n"
    "clean: {drop_forbidden_answers: false, near_duplicate: 1.0, samples: 5}\n"
)


def many(count):
    words = OTHER.split()
    return [
        row(f"row-{place:04d}", f"{OTHER} " + " ".join(f"{word.strip('.,')}{place}" for word in words))
        for place in range(count)
    ]


def test_a_killed_run_leaves_no_process_and_goes_on_to_the_bytes_of_one_that_was_not(tmp_path):
    outputs = []
    for kill in (False, True):
        folder = tmp_path / f"kill-{kill}"
        job = Job(folder, folder / "work", lambda line: None)
        put(job, many(220))
        (folder / "run.yaml").write_text(YAML, encoding="utf-8")
        command = [sys.executable, "-m", "trainer", "clean", "--config", str(folder / "run.yaml")]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        if kill:
            with subprocess.Popen(
                command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
            ) as process:
                assert process.stderr is not None
                assert b"rows cleaned" in process.stderr.readline()
                process.send_signal(signal.SIGKILL)
                process.stderr.read()  # ends when the last worker has ended, for each holds the pipe
            assert not job.artefact("clean").exists()
        done = subprocess.run(command, env=environment, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
        outputs.append(read_manifest(job.artefact("clean"))["outputs"])
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {ROWS, DROPPED, REPORT}


def test_a_process_of_several_that_was_killed_is_a_sentence(tmp_path):
    job = Job(tmp_path, tmp_path / "work", lambda line: None)
    put(job, many(2_200))
    (tmp_path / "run.yaml").write_text(YAML, encoding="utf-8")
    command = [sys.executable, "-m", "trainer", "clean", "--config", str(tmp_path / "run.yaml")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        assert "rows cleaned" in process.stderr.readline()
        children = psutil.Process(process.pid).children()
        next(child for child in children if "spawn_main" in " ".join(child.cmdline())).send_signal(signal.SIGKILL)
        told = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in told
    assert "was ended by the system" in told.splitlines()[-1]


def test_another_gate_is_asked_anew_and_the_same_is_not(tmp_path):
    """By a copy of the program whose rules alone are its own."""
    program = tmp_path / "program"
    for package in ("mhdesk", "trainer"):
        shutil.copytree(ROOT / package, program / package, ignore=shutil.ignore_patterns("data", "__pycache__"))
    shutil.copytree(ROOT / "resources", program / "resources", copy_function=os.symlink)
    job = Job(tmp_path, tmp_path / "work", lambda line: None)
    put(job, [row("kept"), row("other", OTHER)])
    (tmp_path / "run.yaml").write_text(YAML, encoding="utf-8")
    command = [sys.executable, "-m", "trainer", "clean", "--config", str(tmp_path / "run.yaml")]
    told = []
    for changed in (None, "gate/words.yaml", None):
        if changed:
            rules = program / "resources" / "safety" / changed
            text = rules.read_text("utf-8")
            rules.unlink()
            rules.write_text(f"{text}# another\n", encoding="utf-8")
        done = subprocess.run(command, cwd=program, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told.append("done before" in done.stderr)
    assert told == [False, False, True]
